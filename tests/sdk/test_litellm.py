"""LiteLLM as a client, in the forms of OpenAI and Anthropic, against the running server. tests(context) gives (name, function)
pairs."""
import json

import litellm
from pydantic import BaseModel

from common import Gateway, raises

TOOLS = [{"type": "function", "function": {
    "name": name, "description": "Tells it", "parameters": {
        "type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}}}
    for name, argument in (("get_weather", "city"), ("get_time", "zone"))]
HELLO = [{"role": "user", "content": "Hello there"}]
PIXEL = "iVBORw0KGgpwaXhlbA=="
PARALLEL = [("get_weather", {"city": "Bonn"}), ("get_time", {"zone": "CET"})]


class Person(BaseModel):
    name: str
    age: int


def calls(message):
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]


class Suite:
    def __init__(self, context):
        self.context, self.gateway = context, Gateway(context, "python-litellm")

    def to(self, client, model, key=None):
        """Where and as whom: every call's first arguments."""
        return {"model": f"{client}/{model}", "api_key": key or self.context["key"],
                "api_base": self.context["base" if client == "openai" else "root"]}

    def ask(self, client, model, messages=HELLO, key=None, **more):
        return litellm.completion(**self.to(client, model, key), messages=messages,
                                  **{"max_tokens": 1000, "timeout": 30, "max_retries": 0, **more})

    def joined(self, client, model, messages=HELLO, **more):
        chunks = list(self.ask(client, model, messages, stream=True, stream_options={"include_usage": True}, **more))
        return litellm.stream_chunk_builder(chunks, messages=messages)

    # ---- each form over each upstream dialect

    def whole(self, client, model):
        answer = self.ask(client, model)
        assert "Hello there" in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop", answer
        assert answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0, answer.usage

    def stream(self, client, model):
        answer, whole = self.joined(client, model), self.ask(client, model)
        assert answer.choices[0].message.content == whole.choices[0].message.content, answer
        assert answer.choices[0].finish_reason == "stop", answer
        assert answer.usage.completion_tokens == whole.usage.completion_tokens, (answer.usage, whole.usage)
        assert answer.usage.prompt_tokens > 0, answer.usage     # the simulator counts the bytes of the request

    def tools(self, client, model):
        asked = [{"role": "user", "content": "Please use the tool"}]
        for ask in (self.ask, self.joined):
            first = ask(client, model, asked, tools=TOOLS[:1]).choices[0]
            assert first.finish_reason == "tool_calls" and calls(first.message)[0][0] == "get_weather", first
            result = {"role": "tool", "tool_call_id": first.message.tool_calls[0].id, "content": "sunny"}
            second = self.ask(client, model, asked + [first.message, result], tools=TOOLS[:1]).choices[0]
            assert second.finish_reason == "stop" and second.message.content, second

    def parallel_tools(self, client, model):
        for ask in (self.ask, self.joined):
            message = ask(client, model + "-parallel", tools=TOOLS, parallel_tool_calls=True).choices[0].message
            assert calls(message) == PARALLEL and len({call.id for call in message.tool_calls}) == 2, message

    def structured(self, client, model):
        answer = self.ask(client, model, response_format=Person)
        Person.model_validate_json(answer.choices[0].message.content)

    def image(self, client, model):
        content = [{"type": "text", "text": "What is it?"},
                   {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}}]
        said = self.ask(client, model + "-echo", [{"role": "user", "content": content}]).choices[0].message.content
        assert PIXEL in said and "image/png" in said, said

    def cut_stream(self, client, model):
        seen = []

        def read():
            for chunk in self.ask(client, model + "-cut", stream=True):
                seen.append(chunk.choices[0].delta.content or "")
        assert "closed the connection" in str(raises(litellm.exceptions.MidStreamFallbackError, read))
        assert "".join(seen), seen

    def upstream_errors(self, client, model):
        for fault, kind in (("429", litellm.RateLimitError), ("400", litellm.BadRequestError),
                            ("500", (litellm.InternalServerError, litellm.BadGatewayError))):
            error = raises(kind, lambda f=fault: self.ask(client, f"{model}-{f}"))
            assert fault == "429" or "simulated fault" in str(error), error   # a second 429 may be Ajar's own: it waits

    # ---- each form once

    def wrong_key(self, client):
        raises(litellm.AuthenticationError, lambda: self.ask(client, "openai", key="sk-wrong"))

    def unknown_model(self, client):
        assert "no-such-model" in str(raises(litellm.NotFoundError, lambda: self.ask(client, "no-such-model")))

    def thinking(self):
        for model in ("anthropic", "gemini"):
            answer = self.ask("anthropic", model + "-thinking", thinking={"type": "enabled", "budget_tokens": 1024},
                              allowed_openai_params=["thinking"], max_tokens=4000).choices[0].message
            assert answer.reasoning_content == "Let me think." and answer.content == "So it is.", answer
            said = self.ask("anthropic", model + "-echo", HELLO + [answer, HELLO[0]]).choices[0].message.content
            assert "c2lnbmVk" in said, said

    def responses(self):
        for model in self.context["dialects"]:
            answer = litellm.responses(**self.to("openai", model), input="Hello there", max_retries=0)
            assert "Hello there" in answer.output_text and answer.usage.output_tokens > 0, answer

    def embeddings(self):
        for model in ("openai", "gemini"):
            answer = litellm.embedding(**self.to("openai", model), input=["a", "b"], max_retries=0)
            assert [row["index"] for row in answer.data] == [0, 1] and len(answer.data[0]["embedding"]) > 0, answer
            assert answer.usage.prompt_tokens > 0 or model == "gemini", answer.usage     # whose API does not count them


def tests(context):
    litellm.telemetry, litellm.suppress_debug_info = False, True
    suite, out = Suite(context), []
    for client in ("openai", "anthropic"):
        for name in ("wrong_key", "unknown_model"):
            out.append((f"{client} form: {name}", lambda n=name, c=client: getattr(suite, n)(c)))
        for model in context["dialects"]:
            for name in ("whole", "stream", "tools", "parallel_tools", "structured", "image", "cut_stream", "upstream_errors"):
                out.append((f"{client} form over {model}: {name}", lambda n=name, c=client, m=model: getattr(suite, n)(c, m)))
    return out + [(name, getattr(suite, name)) for name in ("thinking", "responses", "embeddings")]
