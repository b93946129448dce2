"""Google's Python SDK against the running server. tests(context) gives (name, function) pairs."""
import asyncio
import base64
import json

from google import genai
from google.genai import errors, types

from common import Gateway, raises

HELLO = "Hello there"
PIXEL = b"\x89PNG\r\n\x1a\n pixel"
PARALLEL = [("get_weather", {"city": "Bonn"}), ("get_time", {"zone": "CET"})]
TOOLS = [types.Tool(function_declarations=[types.FunctionDeclaration(
    name="get_weather", description="The weather of a city",
    parameters=types.Schema(type="OBJECT", properties={"city": types.Schema(type="STRING")}, required=["city"]))])]
NO_AUTO = types.AutomaticFunctionCallingConfig(disable=True)


class Suite:
    def __init__(self, context):
        self.context, self.gateway = context, Gateway(context, "python-genai")
        self.client = self.make()

    def make(self, key=None):
        options = types.HttpOptions(base_url=self.context["root"], timeout=30_000,
                                    retry_options=types.HttpRetryOptions(attempts=1))
        return genai.Client(api_key=key or self.context["key"], http_options=options, vertexai=False)

    def ask(self, model, contents=HELLO, client=None, **config):
        return (client or self.client).models.generate_content(
            model=model, contents=contents, config=types.GenerateContentConfig(**config) if config else None)

    def stream_of(self, model, contents=HELLO, client=None, **config):
        return (client or self.client).models.generate_content_stream(
            model=model, contents=contents, config=types.GenerateContentConfig(**config) if config else None)

    # ---- over each upstream dialect

    def whole(self, model):
        answer = self.ask(model)
        assert HELLO in answer.text, answer
        assert answer.candidates[0].finish_reason == types.FinishReason.STOP, answer
        usage = answer.usage_metadata
        assert usage.prompt_token_count > 0 and usage.candidates_token_count > 0, usage
        assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count, usage

    def stream(self, model):
        chunks = list(self.stream_of(model))
        assert "".join(chunk.text or "" for chunk in chunks) == self.ask(model).text
        assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP, chunks[-1]
        assert all(not chunk.candidates[0].finish_reason for chunk in chunks[:-1]), chunks
        assert chunks[-1].usage_metadata.total_token_count > 0, chunks[-1]

    def async_stream(self, model):
        async def read():
            text, client = "", self.make()   # an event loop of its own needs a client of its own
            async for chunk in await client.aio.models.generate_content_stream(model=model, contents=HELLO):
                text += chunk.text or ""
            return text
        assert HELLO in asyncio.run(read())

    def config(self, model):
        answer = self.ask(model, max_output_tokens=3, system_instruction="Be kind.", temperature=0.5)
        assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS, answer

    def tools(self, model):
        asked = [types.Content(role="user", parts=[types.Part(text="Please use the tool")])]
        more = {"tools": TOOLS, "automatic_function_calling": NO_AUTO}
        for streamed in (False, True):
            if streamed:
                chunks = list(self.stream_of(model, asked, **more))
                said = [chunk.candidates[0].content for chunk in chunks]
                call = next(call for chunk in chunks for call in chunk.function_calls or [])
            else:
                answer = self.ask(model, asked, **more)
                said, call = [answer.candidates[0].content], answer.function_calls[0]
            assert call.name == "get_weather" and "city" in call.args, call
            result = types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name,
                                                                         response={"result": "sunny"}))
            second = self.ask(model, asked + said + [types.Content(role="user", parts=[result])], **more)
            assert second.text and not second.function_calls, second

    def automatic_calls(self, model):
        asked = []

        def get_weather(city: str) -> str:
            """The weather of a city."""
            asked.append(city)
            return "sunny"
        assert self.ask(model, "Please use the tool", tools=[get_weather]).text
        assert len(asked) == 1, asked

    def parallel_tools(self, model):
        more = {"tools": TOOLS, "automatic_function_calling": NO_AUTO}
        whole = self.ask(model + "-parallel", **more).function_calls
        streamed = [call for chunk in self.stream_of(model + "-parallel", **more) for call in chunk.function_calls or []]
        for calls in (whole, streamed):
            assert [(call.name, call.args) for call in calls] == PARALLEL, calls

    def thinking(self, model):
        config = {"thinking_config": types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)}
        whole = [self.ask(model + "-thinking", **config).candidates[0].content]
        streamed = [chunk.candidates[0].content for chunk in self.stream_of(model + "-thinking", **config)]
        for contents in (whole, streamed):
            parts = [part for content in contents for part in content.parts or []]
            assert "".join(part.text for part in parts if part.thought) == "Let me think.", parts
            assert "".join(part.text for part in parts if not part.thought) == "So it is.", parts
            again = [types.Content(role="user", parts=[types.Part(text="Hi")]), *contents,
                     types.Content(role="user", parts=[types.Part(text="And?")])]
            sent = self.ask(model + "-echo", again).text
            assert ("c2lnbmVk" in sent) == (model != "openai"), sent

    def image(self, model):
        said = self.ask(model + "-echo", [types.Part.from_bytes(data=PIXEL, mime_type="image/png"), "What is it?"]).text
        assert base64.b64encode(PIXEL).decode() in said and "image/png" in said, said

    def structured(self, model):
        answer = self.ask(model, response_mime_type="application/json",
                          response_schema={"type": "OBJECT", "properties": {"name": {"type": "STRING"}},
                                           "required": ["name"]})
        assert isinstance(json.loads(answer.text)["name"], str), answer

    def chat(self, model):
        chat = self.client.chats.create(model=model)
        assert HELLO in chat.send_message(HELLO).text
        assert "Again" in "".join(chunk.text or "" for chunk in chat.send_message_stream("Again"))

    def cut(self, model):
        raises(errors.APIError, lambda: list(self.stream_of(model + "-cut")))

    def error_mid_stream(self, model):
        error = raises(errors.APIError, lambda: list(self.stream_of(model + "-error-mid")))
        assert "simulated" in str(error), error

    def abort(self, model):
        closed = self.gateway.closed()
        name, key = self.gateway.new_key()
        client = self.make(key)
        stream = self.stream_of(model + "-endless", client=client)
        for at, _ in enumerate(stream):
            if at == 3:
                break
        stream.close()
        self.gateway.wait_for_abort(closed, name)

    def bad_request(self, model):
        error = raises(errors.ClientError, lambda: self.ask(model + "-400"))
        assert error.code == 400 and error.status == "INVALID_ARGUMENT" and "simulated fault" in error.message, error

    def server_error(self, model):
        raises(errors.ServerError, lambda: self.ask(model + "-500"))

    def rate_limit(self, model):
        error = raises(errors.ClientError, lambda: self.ask(model + "-429"))
        assert error.code == 429 and error.status == "RESOURCE_EXHAUSTED" and "RetryInfo" in str(error), error

    # ---- once

    def count_tokens(self):
        few = self.client.models.count_tokens(model="gemini", contents=HELLO).total_tokens
        many = self.client.models.count_tokens(model="gemini", contents=HELLO + " and many more words").total_tokens
        assert 0 < few < many, (few, many)

    def wrong_key(self):
        error = raises(errors.ClientError, lambda: self.ask("openai", client=self.make("sk-ajar-wrong")))
        assert error.code == 401 and error.status == "UNAUTHENTICATED", error

    def unknown_model(self):
        error = raises(errors.ClientError, lambda: self.ask("no-such-model"))
        assert error.code == 404 and error.status == "NOT_FOUND", error

    def builtin_tool(self):
        error = raises(errors.ClientError,
                       lambda: self.ask("openai", tools=[types.Tool(google_search=types.GoogleSearch())]))
        assert "googleSearch" in error.message, error

    def budget(self):
        _, key = self.gateway.new_key(usd_day=0.000001)
        error = raises(errors.ClientError, lambda: self.ask("openai", client=self.make(key)))
        assert error.code == 402, error

    def no_price_under_a_budget(self):
        _, key = self.gateway.new_key(usd_day=5)
        error = raises(errors.ClientError, lambda: self.ask("openai-parallel", client=self.make(key)))
        assert error.code == 403 and error.status == "PERMISSION_DENIED", error

    def embeddings(self):
        for model in ("openai", "gemini"):
            answer = self.client.models.embed_content(model=model, contents=["one", "two", "three"])
            assert len(answer.embeddings) == 3 and len(answer.embeddings[0].values) > 0, answer

    def models(self):
        names = [model.name for model in self.client.models.list()]
        assert "models/openai" in names and "models/gemini-endless" in names, names
        assert self.client.models.get(model="anthropic").name == "models/anthropic"
        raises(errors.ClientError, lambda: self.client.models.get(model="none"))


ONCE = ("count_tokens", "wrong_key", "unknown_model", "builtin_tool", "budget", "no_price_under_a_budget",
        "embeddings", "models")
EACH = ("whole", "stream", "async_stream", "config", "tools", "automatic_calls", "parallel_tools", "thinking", "image",
        "structured", "chat", "cut", "error_mid_stream", "abort", "bad_request", "server_error", "rate_limit")


def tests(context):
    suite = Suite(context)
    for name in ONCE:
        yield name.replace("_", " "), getattr(suite, name)
    for dialect in context["dialects"]:
        for name in EACH:
            yield f"{dialect}: {name.replace('_', ' ')}", lambda name=name: getattr(suite, name)(dialect)
