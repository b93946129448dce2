"""LlamaIndex's LLM and embeddings of OpenAI's form against the running server. tests(context) gives (name, function) pairs."""
import asyncio
import base64

import openai
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from common import raises

HELLO = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Hello there")]
PIXEL = b"\x89PNG\r\n\x1a\n pixel"
PARALLEL = [("get_weather", {"city": "Bonn"}), ("get_time", {"zone": "CET"})]


class Person(BaseModel):
    """A person"""
    name: str
    age: int


def get_weather(city: str) -> str:
    """The weather of a city"""
    return city + ": sunny"


def get_time(zone: str) -> str:
    """The time in a zone"""
    return zone + ": noon"


TOOLS = [FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(get_time)]


class Suite:
    def __init__(self, context):
        self.context = context

    def make(self, model, key=None, **more):
        return OpenAILike(model=model, api_base=self.context["base"], api_key=key or self.context["key"], is_chat_model=True,
                          is_function_calling_model=True, max_retries=0, timeout=30, **more)

    # ---- over each upstream dialect

    def whole(self, model):
        answer = self.make(model).chat(HELLO)
        assert "Hello there" in answer.message.content and answer.message.role == "assistant", answer
        assert answer.raw.usage.prompt_tokens > 0 and answer.raw.usage.completion_tokens > 0, answer.raw
        assert "Hello there" in self.make(model).complete("Hello there").text

    def stream(self, model):
        parts = list(self.make(model).stream_chat(HELLO))
        assert len(parts) > 2 and "".join(part.delta or "" for part in parts) == parts[-1].message.content, parts[-1]
        assert parts[-1].message.content == self.make(model).chat(HELLO).message.content, parts[-1]

    def stream_usage(self, model):
        last = list(self.make(model, additional_kwargs={"stream_options": {"include_usage": True}}).stream_chat(HELLO))[-1]
        assert last.raw.usage.completion_tokens > 0, last.raw

    def async_stream(self, model):
        async def read():
            return "".join([part.delta or "" async for part in await self.make(model).astream_chat(HELLO)])
        assert "Hello there" in asyncio.run(read())

    def tools(self, model):
        llm, asked = self.make(model), [ChatMessage(role="user", content="Please use the tool")]
        for streamed in (False, True):
            if streamed:
                first = list(llm.stream_chat_with_tools(TOOLS[:1], chat_history=asked))[-1]
            else:
                first = llm.chat_with_tools(TOOLS[:1], chat_history=asked)
            calls = llm.get_tool_calls_from_response(first)
            assert [call.tool_name for call in calls] == ["get_weather"] and "city" in calls[0].tool_kwargs, calls
            result = ChatMessage(role="tool", content="sunny", additional_kwargs={"tool_call_id": calls[0].tool_id})
            second = llm.chat_with_tools(TOOLS[:1], chat_history=asked + [first.message, result])
            assert second.message.content and not llm.get_tool_calls_from_response(second, error_on_no_tool_call=False), second

    def parallel_tools(self, model):
        llm = self.make(model + "-parallel")
        for answer in (llm.chat_with_tools(TOOLS, chat_history=HELLO, allow_parallel_tool_calls=True),
                       list(llm.stream_chat_with_tools(TOOLS, chat_history=HELLO, allow_parallel_tool_calls=True))[-1]):
            calls = llm.get_tool_calls_from_response(answer)
            assert [(call.tool_name, call.tool_kwargs) for call in calls] == PARALLEL, calls
            assert len({call.tool_id for call in calls}) == 2, calls

    def structured(self, model):
        """By a tool that must be called, and by a JSON schema."""
        for schema in (False, True):
            got = self.make(model, should_use_structured_outputs=schema).as_structured_llm(Person).chat(HELLO).raw
            assert isinstance(got, Person), got

    def image(self, model):
        blocks = [TextBlock(text="What is it?"), ImageBlock(image=PIXEL, image_mimetype="image/png")]
        said = self.make(model + "-echo").chat([ChatMessage(role="user", blocks=blocks)]).message.content
        assert base64.b64encode(PIXEL).decode() in said and "image/png" in said, said

    def cut_stream(self, model):
        seen = []

        def read():
            for part in self.make(model + "-cut").stream_chat(HELLO):
                seen.append(part.delta or "")
        raises(openai.APIError, read)
        assert "".join(seen), seen

    def upstream_errors(self, model):
        for fault, kind in (("429", openai.RateLimitError), ("400", openai.BadRequestError),
                            ("500", openai.InternalServerError)):
            error = raises(kind, lambda f=fault: self.make(f"{model}-{f}").chat(HELLO))
            assert fault == "429" or "simulated fault" in str(error), error   # a second 429 may be Ajar's own: it waits

    # ---- once

    def wrong_key(self):
        raises(openai.AuthenticationError, lambda: self.make("openai", "sk-wrong").chat(HELLO))

    def unknown_model(self):
        raises(openai.NotFoundError, lambda: self.make("no-such-model").chat(HELLO))

    def completions(self):
        """The older endpoint, which the client takes for models that do not chat."""
        llm = OpenAILike(model="openai", api_base=self.context["base"], api_key=self.context["key"], is_chat_model=False,
                         max_retries=0)
        assert llm.complete("Hello there").text
        assert list(llm.stream_complete("Hello there"))[-1].text == llm.complete("Hello there").text

    def embeddings(self):
        for model in ("openai", "gemini"):
            client = OpenAIEmbedding(model_name=model, api_base=self.context["base"], api_key=self.context["key"], max_retries=0)
            two, one = client.get_text_embedding_batch(["a", "b"]), client.get_text_embedding("a")
            assert len(two) == 2 and len(one) > 0 and all(abs(x - y) < 1e-6 for x, y in zip(one, two[0])), two


def tests(context):
    suite = Suite(context)
    out = [(name, getattr(suite, name)) for name in ("wrong_key", "unknown_model", "completions", "embeddings")]
    for model in context["dialects"]:
        for name in ("whole", "stream", "stream_usage", "async_stream", "tools", "parallel_tools", "structured", "image",
                     "cut_stream", "upstream_errors"):
            out.append((f"{model}: {name}", lambda n=name, m=model: getattr(suite, n)(m)))
    return out
