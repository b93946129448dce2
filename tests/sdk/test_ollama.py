"""Ollama's Python client against the running server. tests(context) gives (name, function) pairs."""
import asyncio
import base64
import json

import ollama

from common import Gateway, raises

HELLO = [{"role": "user", "content": "Hello there"}]
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n pixel").decode()
PARALLEL = [("get_weather", {"city": "Bonn"}), ("get_time", {"zone": "CET"})]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name", "age"]}


def get_weather(city: str) -> str:
    """The weather of a city

    Args:
      city: its name
    """
    return city + ": sunny"


class Suite:
    def __init__(self, context):
        self.context, self.gateway = context, Gateway(context, "python-ollama")
        self.client = self.make()

    def make(self, key=None, kind=ollama.Client):
        return kind(host=self.context["root"], headers={"Authorization": "Bearer " + (key or self.context["key"])}, timeout=30)

    # ---- over each upstream dialect

    def whole(self, model):
        answer = self.client.chat(model=model, messages=HELLO)
        assert "Hello there" in answer.message.content and answer.message.role == "assistant", answer
        assert answer.done and answer.done_reason == "stop", answer
        assert answer.prompt_eval_count > 0 and answer.eval_count > 0, answer

    def stream(self, model):
        parts = list(self.client.chat(model=model, messages=HELLO, stream=True))
        assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True], parts
        assert "".join(part.message.content or "" for part in parts) == self.client.chat(model=model, messages=HELLO).message.content
        assert parts[-1].eval_count > 0, parts[-1]

    def async_stream(self, model):
        async def read():
            client = self.make(kind=ollama.AsyncClient)
            return "".join([part.message.content or "" async for part in await client.chat(model=model, messages=HELLO, stream=True)])
        assert "Hello there" in asyncio.run(read())

    def generate(self, model):
        answer = self.client.generate(model=model, prompt="Hello there", system="Be brief.", options={"num_predict": 3})
        assert answer.done_reason == "length" and answer.response, answer
        parts = list(self.client.generate(model=model, prompt="Hello there", stream=True))
        assert "Hello there" in "".join(part.response for part in parts) and parts[-1].done, parts

    def tools(self, model):
        messages = [{"role": "user", "content": "Please use the tool"}]
        for streamed in (False, True):
            if streamed:
                parts = list(self.client.chat(model=model, messages=messages, tools=[get_weather], stream=True))
                calls = [call for part in parts for call in part.message.tool_calls or []]
            else:
                calls = self.client.chat(model=model, messages=messages, tools=[get_weather]).message.tool_calls
            assert len(calls) == 1 and calls[0].function.name == "get_weather" and "city" in calls[0].function.arguments, calls
            again = messages + [{"role": "assistant", "content": "", "tool_calls": calls},
                                {"role": "tool", "content": "sunny", "tool_name": "get_weather"}]
            second = self.client.chat(model=model, messages=again, tools=[get_weather])
            assert second.message.content and not second.message.tool_calls, second

    def parallel_tools(self, model):
        more = {"model": model + "-parallel", "messages": HELLO, "tools": [get_weather]}
        parts = list(self.client.chat(**more, stream=True))
        for messages in ([self.client.chat(**more).message], [part.message for part in parts]):
            calls = [call.function for message in messages for call in message.tool_calls or []]
            assert [(call.name, dict(call.arguments)) for call in calls] == PARALLEL, calls

    def structured(self, model):
        answer = self.client.chat(model=model, messages=HELLO, format=SCHEMA)
        assert set(json.loads(answer.message.content)) == {"name", "age"}, answer

    def image(self, model):
        answer = self.client.chat(model=model, messages=[{"role": "user", "content": "What is it?", "images": [PIXEL]}])
        assert "What is it?" in answer.message.content, answer

    def cut_stream(self, model):
        seen = []

        def read():
            for part in self.client.chat(model=model + "-cut", messages=HELLO, stream=True):
                seen.append(part)
        raises(ollama.ResponseError, read)
        assert seen and not any(part.done for part in seen), seen

    def upstream_errors(self, model):
        for fault, status in (("429", 429), ("400", 400), ("500", 502)):
            error = raises(ollama.ResponseError, lambda f=fault: self.client.chat(model=f"{model}-{f}", messages=HELLO))
            assert error.status_code == status and "simulated fault" in error.error, error

    def abort(self, model):
        name, secret = self.gateway.new_key()
        before = self.gateway.closed()
        stream = self.make(secret).chat(model=model + "-endless", messages=HELLO, stream=True)
        for _, _ in zip(range(3), stream):
            pass
        stream.close()
        self.gateway.wait_for_abort(before, name)

    # ---- once

    def wrong_key(self):
        error = raises(ollama.ResponseError, lambda: self.make("sk-wrong").chat(model="openai", messages=HELLO))
        assert error.status_code == 401, error

    def unknown_model(self):
        error = raises(ollama.ResponseError, lambda: self.client.chat(model="no-such-model", messages=HELLO))
        assert error.status_code == 404 and "no-such-model" in error.error, error

    def models(self):
        names = [model.model for model in self.client.list().models]
        assert set(self.context["dialects"]) <= set(names), names
        assert "completion" in self.client.show("openai").capabilities
        assert raises(ollama.ResponseError, lambda: self.client.show("no-such-model")).status_code == 404
        assert self.client.ps().models == []

    def embeddings(self):
        answer = self.client.embed(model="openai", input=["a", "b"])
        assert len(answer.embeddings) == 2 and len(answer.embeddings[0]) > 0, answer
        assert list(self.client.embeddings(model="openai", prompt="a").embedding) == list(answer.embeddings[0])

    def refused(self):
        for more in ({"suffix": "x"}, {"raw": True}, {"template": "x"}, {"context": [1]}):
            error = raises(ollama.ResponseError, lambda m=more: self.client.generate(model="openai", prompt="x", **m))
            assert error.status_code == 400, error

    def thinking(self):
        parts = list(self.client.chat(model="anthropic-thinking", messages=HELLO, think=True, stream=True))
        assert "".join(part.message.thinking or "" for part in parts) == "Let me think.", parts
        assert "".join(part.message.content or "" for part in parts) == "So it is.", parts


def tests(context):
    suite = Suite(context)
    out = [(name, getattr(suite, name)) for name in ("wrong_key", "unknown_model", "models", "embeddings", "refused", "thinking")]
    for model in context["dialects"]:
        for name in ("whole", "stream", "async_stream", "generate", "tools", "parallel_tools", "structured", "image", "cut_stream",
                     "upstream_errors", "abort"):
            out.append((f"{model}: {name}", lambda n=name, m=model: getattr(suite, n)(m)))
    return out
