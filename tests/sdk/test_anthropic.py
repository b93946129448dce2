"""Anthropic's Python SDK against the running server. tests(context) gives (name, function) pairs."""
import asyncio
import base64
import json

import anthropic

from common import Gateway, raises

TOOL = {"name": "get_weather", "description": "The weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
HELLO = [{"role": "user", "content": "Hello there"}]
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n pixel").decode()
PARALLEL = [("get_weather", {"city": "Bonn"}), ("get_time", {"zone": "CET"})]


class Suite:
    def __init__(self, context):
        self.context, self.gateway = context, Gateway(context, "python-anthropic")
        self.client = self.make()

    def make(self, key=None, **more):
        return anthropic.Anthropic(**{"base_url": self.context["root"], "api_key": key or self.context["key"],
                                      "max_retries": 0, "timeout": 30, **more})

    def ask(self, client=None, **more):
        return (client or self.client).messages.create(**{"max_tokens": 1000, "messages": HELLO, **more})

    def events(self, client=None, **more):
        with (client or self.client).messages.stream(**{"max_tokens": 1000, "messages": HELLO, **more}) as stream:
            events = list(stream)
            return events, stream.get_final_message()

    # ---- over each upstream dialect

    def whole(self, model):
        message = self.ask(model=model)
        assert message.type == "message" and message.role == "assistant" and message.stop_reason == "end_turn", message
        assert "Hello there" in message.content[0].text, message
        assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message.usage
        assert message._request_id.startswith("req_"), message._request_id

    def stream(self, model):
        events, final = self.events(model=model)
        kinds = [event.type for event in events]
        assert kinds[0] == "message_start" and kinds[-1] == "message_stop", kinds
        assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1, kinds
        assert events[0].message.usage.input_tokens > 0, events[0]
        assert final.content[0].text == self.ask(model=model).content[0].text
        assert final.usage.output_tokens > 0 and final.stop_reason == "end_turn", final

    def raw_stream(self, model):
        kinds = [event.type for event in self.ask(model=model, stream=True)]
        assert kinds[-2:] == ["message_delta", "message_stop"], kinds

    def async_stream(self, model):
        async def read():
            client = anthropic.AsyncAnthropic(base_url=self.context["root"], api_key=self.context["key"], max_retries=0)
            async with client.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
                return "".join([text async for text in stream.text_stream])
        assert "Hello there" in asyncio.run(read())

    def limit(self, model):
        message = self.ask(model=model, max_tokens=3)
        assert message.stop_reason == "max_tokens", message

    def tools(self, model):
        messages = [{"role": "user", "content": "Please use the tool"}]
        for streamed in (False, True):
            more = {"model": model, "messages": messages, "tools": [TOOL]}
            first = self.events(**more)[1] if streamed else self.ask(**more)
            assert first.stop_reason == "tool_use", first
            call = first.content[-1]
            assert call.name == "get_weather" and "city" in call.input, call
            result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
            second = self.ask(model=model, tools=[TOOL],
                              messages=messages + [{"role": "assistant", "content": first.content},
                                                   {"role": "user", "content": [result]}])
            assert second.stop_reason == "end_turn" and second.content[0].text, second

    def parallel_tools(self, model):
        more = {"model": model + "-parallel", "tools": [TOOL]}
        for message in (self.ask(**more), self.events(**more)[1]):
            assert message.stop_reason == "tool_use", message
            assert [(block.name, block.input) for block in message.content] == PARALLEL, message

    def thinking(self, model):
        more = {"model": model + "-thinking", "max_tokens": 4000,
                "thinking": {"type": "enabled", "budget_tokens": 1024}}
        for message in (self.ask(**more), self.events(**more)[1]):
            thoughts = [block for block in message.content if block.type == "thinking"]
            assert thoughts[0].thinking == "Let me think.", message
            assert [block.text for block in message.content if block.type == "text"] == ["So it is."], message
            again = HELLO + [{"role": "assistant", "content": message.content}, {"role": "user", "content": "And?"}]
            sent = json.loads(self.ask(model=model + "-echo", messages=again).content[0].text)
            signed = "c2lnbmVk" in json.dumps(sent["body"])
            assert signed == (model != "openai"), sent

    def image(self, model):
        content = [{"type": "text", "text": "What is it?"},
                   {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}]
        said = self.ask(model=model + "-echo", messages=[{"role": "user", "content": content}]).content[0].text
        assert PIXEL in said and "image/png" in said, said

    def betas(self, model):
        message = self.client.beta.messages.create(model=model + "-echo", max_tokens=10, messages=HELLO,
                                                   betas=["context-1m-2025-08-07"], metadata={"user_id": "me"})
        sent = json.loads(message.content[0].text)
        has = sent["headers"].get("anthropic-beta") == "context-1m-2025-08-07"
        assert has == (model == "anthropic"), sent

    def structured(self, model):
        schema = {"type": "object", "additionalProperties": False, "required": ["name"],
                  "properties": {"name": {"type": "string"}}}
        message = self.ask(model=model, output_config={"format": {"type": "json_schema", "schema": schema}})
        assert isinstance(json.loads(message.content[0].text)["name"], str), message

    def cut(self, model):
        raises(anthropic.APIError, lambda: list(self.ask(model=model + "-cut", stream=True)))

    def error_mid_stream(self, model):
        error = raises(anthropic.APIError, lambda: list(self.ask(model=model + "-error-mid", stream=True)))
        assert "simulated" in str(error), error

    def abort(self, model):
        closed = self.gateway.closed()
        name, key = self.gateway.new_key()
        with self.make(key).messages.stream(model=model + "-endless", max_tokens=9999, messages=HELLO) as stream:
            for at, _ in enumerate(stream.text_stream):
                if at == 3:
                    break
        self.gateway.wait_for_abort(closed, name)

    def bad_request(self, model):
        error = raises(anthropic.BadRequestError, lambda: self.ask(model=model + "-400"))
        assert "simulated fault" in str(error) and error.body["error"]["type"] == "invalid_request_error", error.body

    def server_error(self, model):
        raises(anthropic.InternalServerError, lambda: self.ask(model=model + "-500"))

    def rate_limit(self, model):
        error = raises(anthropic.RateLimitError, lambda: self.ask(model=model + "-429"))
        assert error.response.headers["retry-after"] == "1", error.response.headers
        assert error.body["error"]["type"] == "rate_limit_error" and error.body["request_id"], error.body

    # ---- once

    def count_tokens(self):
        few = self.client.messages.count_tokens(model="anthropic", messages=HELLO).input_tokens
        many = self.client.messages.count_tokens(model="anthropic", messages=HELLO, tools=[TOOL],
                                                 system="Many more words stand here than before.").input_tokens
        assert 0 < few < many, (few, many)

    def wrong_key(self):
        error = raises(anthropic.AuthenticationError, lambda: self.ask(self.make("sk-ajar-wrong"), model="openai"))
        assert error.body["error"]["type"] == "authentication_error", error.body

    def unknown_model(self):
        error = raises(anthropic.NotFoundError, lambda: self.ask(model="no-such-model"))
        assert error.body["error"]["type"] == "not_found_error", error.body

    def wrong_type(self):
        error = raises(anthropic.BadRequestError, lambda: self.ask(model="openai", extra_body={"temperature": "hot"}))
        assert "temperature" in error.body["error"]["message"], error.body

    def builtin_tool(self):
        search = {"type": "web_search_20250305", "name": "web_search"}
        error = raises(anthropic.BadRequestError, lambda: self.ask(model="openai", tools=[search]))
        assert "web_search_20250305" in str(error), error

    def budget(self):
        _, key = self.gateway.new_key(usd_day=0.000001)
        error = raises(anthropic.APIStatusError, lambda: self.ask(self.make(key, max_retries=5), model="openai"))
        assert error.status_code == 402 and error.body["error"]["type"] == "billing_error", error

    def no_price_under_a_budget(self):
        _, key = self.gateway.new_key(usd_day=5)
        error = raises(anthropic.PermissionDeniedError, lambda: self.ask(self.make(key), model="openai-parallel"))
        assert error.body["error"]["type"] == "permission_error", error.body

    def too_large(self):
        error = raises(anthropic.APIStatusError, lambda: self.ask(
            model="openai", messages=[{"role": "user", "content": "x" * 34_000_000}]))
        assert error.status_code == 413 and error.body["error"]["type"] == "request_too_large", error.body

    def models(self):
        ids = [model.id for model in self.client.models.list()]
        assert "openai" in ids and "gemini-endless" in ids, ids
        assert self.client.models.retrieve("anthropic").id == "anthropic"
        raises(anthropic.NotFoundError, lambda: self.client.models.retrieve("none"))


ONCE = ("count_tokens", "wrong_key", "unknown_model", "wrong_type", "builtin_tool", "budget",
        "no_price_under_a_budget", "too_large", "models")
EACH = ("whole", "stream", "raw_stream", "async_stream", "limit", "tools", "parallel_tools", "thinking", "image", "betas",
        "structured", "cut", "error_mid_stream", "abort", "bad_request", "server_error", "rate_limit")


def tests(context):
    suite = Suite(context)
    for name in ONCE:
        yield name.replace("_", " "), getattr(suite, name)
    for dialect in context["dialects"]:
        for name in EACH:
            yield f"{dialect}: {name.replace('_', ' ')}", lambda name=name: getattr(suite, name)(dialect)
