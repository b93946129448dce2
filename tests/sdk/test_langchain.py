"""LangChain's chat models of OpenAI and Anthropic against the running server. tests(context) gives (name, function) pairs."""
import json

import anthropic
import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from common import Gateway, raises

PIXEL = "iVBORw0KGgpwaXhlbA=="
PARALLEL = [("get_weather", {"city": "Bonn"}), ("get_time", {"zone": "CET"})]


class Person(BaseModel):
    """A person"""
    name: str
    age: int


@tool
def get_weather(city: str) -> str:
    """The weather of a city"""
    return city + ": sunny"


@tool
def get_time(zone: str) -> str:
    """The time in a zone"""
    return zone + ": noon"


class Suite:
    def __init__(self, context):
        self.context, self.gateway = context, Gateway(context, "python-langchain")
        self.errors = {"openai": openai, "responses": openai, "anthropic": anthropic}

    def make(self, client, model, key=None, **more):
        more = {"model": model, "api_key": key or self.context["key"], "max_retries": 0, "timeout": 30, **more}
        if client == "anthropic":
            return ChatAnthropic(base_url=self.context["root"], max_tokens=1000, **more)
        return ChatOpenAI(base_url=self.context["base"], use_responses_api=client == "responses", stream_usage=True, **more)

    # ---- each client over each upstream dialect

    def whole(self, client, model):
        answer = self.make(client, model).invoke([SystemMessage("Be brief."), HumanMessage("Hello there")])
        assert isinstance(answer, AIMessage) and "Hello there" in answer.text, answer
        usage = answer.usage_metadata
        assert usage["input_tokens"] > 0 and usage["output_tokens"] > 0, usage
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"], usage

    def stream(self, client, model):
        chunks = list(self.make(client, model).stream("Hello there"))
        whole = sum(chunks[1:], chunks[0])
        assert len(chunks) > 2 and whole.text == self.make(client, model).invoke("Hello there").text, whole
        assert whole.usage_metadata["input_tokens"] > 0 and whole.usage_metadata["output_tokens"] > 0, whole.usage_metadata

    def tools(self, client, model):
        bound = self.make(client, model).bind_tools([get_weather])
        asked = [HumanMessage("Please use the tool")]
        for streamed in (False, True):
            first = bound.invoke(asked)
            if streamed:
                chunks = list(bound.stream(asked))
                first = sum(chunks[1:], chunks[0])
            assert [call["name"] for call in first.tool_calls] == ["get_weather"] and not first.invalid_tool_calls, first
            result = get_weather.invoke(first.tool_calls[0])
            assert isinstance(result, ToolMessage) and "sunny" in result.content, result
            second = bound.invoke(asked + [first, result])
            assert second.text and not second.tool_calls, second

    def parallel_tools(self, client, model):
        bound = self.make(client, model + "-parallel").bind_tools([get_weather, get_time])
        chunks = list(bound.stream("Hello there"))
        for answer in (bound.invoke("Hello there"), sum(chunks[1:], chunks[0])):
            assert [(call["name"], call["args"]) for call in answer.tool_calls] == PARALLEL, answer
            assert len({call["id"] for call in answer.tool_calls}) == 2, answer

    def structured(self, client, model):
        # Without a schema the words that Ajar adds for Anthropic are all there is, and the simulator reads no words.
        for method in ("json_schema",) if client == "anthropic" or model == "anthropic" else ("json_schema", "json_mode"):
            bound = self.make(client, model).with_structured_output(Person if method == "json_schema" else None, method=method)
            got = bound.invoke("Hello there, answer in JSON")
            assert isinstance(got, Person if method == "json_schema" else dict), got

    def structured_by_a_tool(self, client, model):
        """The model must call the one tool: tool_choice names it."""
        got = self.make(client, model).with_structured_output(Person, method="function_calling").invoke("Please use the tool")
        assert isinstance(got, Person), got

    def image(self, client, model):
        content = [{"type": "text", "text": "What is it?"},
                   {"type": "image", "base64": PIXEL, "mime_type": "image/png"}]
        said = self.make(client, model + "-echo").invoke([HumanMessage(content)]).text
        assert PIXEL in said and "image/png" in said and "What is it?" in json.dumps(json.loads(said)["body"]), said

    def cut_stream(self, client, model):
        seen = []

        def read():
            for chunk in self.make(client, model + "-cut").stream("Hello there"):
                seen.append(chunk.text)
        raises(self.errors[client].APIError, read)
        assert "".join(seen), seen

    def upstream_errors(self, client, model):
        kinds = self.errors[client]
        for fault, kind in (("429", kinds.RateLimitError), ("400", kinds.BadRequestError), ("500", kinds.InternalServerError)):
            error = raises(kind, lambda f=fault: self.make(client, f"{model}-{f}").invoke("Hello there"))
            assert fault == "429" or "simulated fault" in str(error), error   # a second 429 may be Ajar's own: it waits

    # ---- each client once

    def wrong_key(self, client):
        raises(self.errors[client].AuthenticationError, lambda: self.make(client, "openai", "sk-wrong").invoke("Hello"))

    def unknown_model(self, client):
        error = raises(self.errors[client].NotFoundError, lambda: self.make(client, "no-such-model").invoke("Hello"))
        assert "no-such-model" in str(error), error

    def budget_is_not_retried(self, client):
        name, secret = self.gateway.new_key(usd_day=0.000001)
        error = raises(self.errors[client].APIStatusError,
                       lambda: self.make(client, "openai", secret, max_retries=5).invoke("Hello"))
        assert error.status_code == 402 and len(self.gateway.rows(name)) == 1, (error, self.gateway.rows(name))

    def thinking(self):
        for model in ("anthropic", "gemini"):
            answer = self.make("anthropic", model + "-thinking", thinking={"type": "enabled", "budget_tokens": 1024},
                               ).invoke("Hello there", max_tokens=4000)
            assert answer.content_blocks[0]["reasoning"] == "Let me think." and answer.text == "So it is.", answer
            said = self.make("anthropic", model + "-echo").invoke([HumanMessage("Hi"), answer, HumanMessage("And?")]).text
            assert "c2lnbmVk" in said, said

    def embeddings(self):
        for model in ("openai", "gemini"):
            client = OpenAIEmbeddings(model=model, base_url=self.context["base"], api_key=self.context["key"],
                                      check_embedding_ctx_length=False)
            two, one = client.embed_documents(["a", "b"]), client.embed_query("a")
            assert len(two) == 2 and len(one) > 0 and all(abs(x - y) < 1e-6 for x, y in zip(one, two[0])), two


def tests(context):
    suite, out = Suite(context), []
    for client in ("openai", "responses", "anthropic"):
        for name in ("wrong_key", "unknown_model", "budget_is_not_retried"):
            out.append((f"{client} client: {name}", lambda n=name, c=client: getattr(suite, n)(c)))
        for model in context["dialects"]:
            for name in ("whole", "stream", "tools", "parallel_tools", "structured", "structured_by_a_tool", "image",
                         "cut_stream", "upstream_errors"):
                out.append((f"{client} client over {model}: {name}", lambda n=name, c=client, m=model: getattr(suite, n)(c, m)))
    return out + [(name, getattr(suite, name)) for name in ("thinking", "embeddings")]
