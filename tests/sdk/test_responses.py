"""The official Python SDK's Responses and Completions against the running server. tests(context) as in test_openai.py."""
import json

import openai
from pydantic import BaseModel

TOOL = {"type": "function", "name": "get_weather", "description": "The weather of a city", "strict": False,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


class Person(BaseModel):
    name: str
    age: int
    tags: list[str]


def raises(kind, function):
    try:
        function()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


class Suite:
    def __init__(self, context):
        self.context = context
        self.client = self.make()

    def make(self, key=None, **more):
        return openai.OpenAI(**{"base_url": self.context["base"], "api_key": key or self.context["key"],
                                "max_retries": 0, "timeout": 30, **more})

    def ask(self, **more):
        return self.client.responses.create(**{"input": "Hello there", **more})

    # ---- per dialect

    def whole(self, model):
        answer = self.ask(model=model, instructions="Be brief.")
        assert "Hello there" in answer.output_text, answer
        assert answer.status == "completed" and answer.object == "response" and answer.id.startswith("resp_")
        assert answer.output[0].id.startswith("msg_") and answer.output[0].status == "completed"
        assert answer.instructions == "Be brief." and answer.error is None and answer.incomplete_details is None
        usage = answer.usage
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0
        assert answer.tools == [] and answer.tool_choice == "auto" and answer.parallel_tool_calls is True
        # What the SDK's type must have is there, and of the right kind.
        type(answer).model_validate(json.loads(answer.model_dump_json(warnings=False)), strict=False)

    def stream(self, model):
        text, kinds, numbers, final = "", [], [], None
        for event in self.ask(model=model, stream=True):
            kinds.append(event.type)
            numbers.append(event.sequence_number)
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type == "response.completed":
                final = event.response
        assert kinds[:2] == ["response.created", "response.in_progress"] and kinds[-1] == "response.completed", kinds
        assert numbers == list(range(len(numbers)))
        assert final.output_text == text == self.ask(model=model).output_text
        assert self.client.responses.retrieve(final.id).output[0].id == final.output[0].id

    def stream_helper(self, model):
        with self.client.responses.stream(model=model, input="Hello there") as stream:
            text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
            final = stream.get_final_response()
        assert final.output_text == text and "Hello there" in text

    def structured(self, model):
        answer = self.client.responses.parse(model=model, input="A person", text_format=Person)
        assert isinstance(answer.output_parsed, Person), answer
        with self.client.responses.stream(model=model, input="A person", text_format=Person) as stream:
            for _ in stream:
                pass
            assert isinstance(stream.get_final_response().output_parsed, Person)

    def tools(self, model):
        first = self.ask(model=model, input="Please use the tool", tools=[TOOL])
        call = first.output[-1]
        assert call.type == "function_call" and call.name == "get_weather" and "city" in json.loads(call.arguments), first
        second = self.ask(model=model, previous_response_id=first.id, tools=[TOOL],
                          input=[{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}])
        assert second.output_text and second.previous_response_id == first.id
        # The same by hand, without anything kept.
        history = [{"role": "user", "content": "Please use the tool"}, *first.output,
                   {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
        assert self.ask(model=model, input=history, tools=[TOOL], store=False).output_text == second.output_text

    def tools_streamed(self, model):
        arguments, final = "", None
        for event in self.ask(model=model, input="Please use the tool", tools=[TOOL], stream=True):
            if event.type == "response.function_call_arguments.delta":
                arguments += event.delta
            if event.type == "response.completed":
                final = event.response
        assert final.output[-1].arguments == arguments and "city" in json.loads(arguments), final

    def kept(self, model):
        made = self.ask(model=model, input=[{"role": "user", "content": "one"}, {"role": "user", "content": "two"}],
                        metadata={"a": "b"})
        again = self.client.responses.retrieve(made.id)
        assert again.output_text == made.output_text and again.metadata == {"a": "b"}
        items = [item.content[0].text for item in self.client.responses.input_items.list(made.id, order="asc", limit=1)]
        assert items == ["one", "two"], items
        self.client.responses.delete(made.id)
        raises(openai.NotFoundError, lambda: self.client.responses.retrieve(made.id))
        raises(openai.NotFoundError, lambda: self.ask(model=model, previous_response_id=made.id))
        unkept = self.ask(model=model, store=False)
        raises(openai.NotFoundError, lambda: self.client.responses.retrieve(unkept.id))

    def limited(self, model):
        answer = self.ask(model=model, max_output_tokens=3)
        assert answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens", answer

    def cut(self, model):
        raises(openai.APIError, lambda: [event for event in self.ask(model=model + "-cut", stream=True)])

    def error_mid_stream(self, model):
        error = raises(openai.APIError, lambda: [event for event in self.ask(model=model + "-error-mid", stream=True)])
        assert "simulated" in str(error), error

    def bad_request(self, model):
        raises(openai.BadRequestError, lambda: self.ask(model=model + "-400"))

    def server_error(self, model):
        raises(openai.InternalServerError, lambda: self.ask(model=model + "-500"))

    def completion(self, model):
        answer = self.client.completions.create(model=model, prompt="Say it", max_tokens=50)
        assert answer.object == "text_completion" and "Say it" in answer.choices[0].text, answer
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
        streamed = list(self.client.completions.create(model=model, prompt="Say it", max_tokens=50, stream=True))
        assert "".join(chunk.choices[0].text for chunk in streamed if chunk.choices) == answer.choices[0].text
        assert streamed[-1].choices[0].finish_reason == "stop"

    def completion_echo(self, model):
        answer = self.client.completions.create(model=model, prompt="Say it", max_tokens=2, echo=True)
        assert answer.choices[0].text.startswith("Say it") and answer.choices[0].finish_reason == "length", answer

    # ---- once

    def completion_logprobs(self):
        answer = self.client.completions.create(model="openai", prompt="Say it", max_tokens=2, echo=True, logprobs=1)
        told = answer.choices[0].logprobs
        assert told.tokens[:2] == ["Say", " it"] and told.token_logprobs[0] is None, told
        assert "".join(told.tokens) == answer.choices[0].text and told.text_offset[1] == 3

    def completion_prompts(self):
        answer = self.client.completions.create(model="openai", prompt=["one", "two"], n=2, max_tokens=50, echo=True)
        assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
        assert [choice.text[:3] for choice in answer.choices] == ["one", "one", "two", "two"]
        self.client.completions.create(model="openai", prompt=[1, 2, 3])
        error = raises(openai.BadRequestError, lambda: self.client.completions.create(model="anthropic", prompt=[1, 2, 3]))
        assert error.param == "prompt"
        error = raises(openai.BadRequestError,
                       lambda: self.client.completions.create(model="gemini", prompt="x", suffix="y"))
        assert error.param == "suffix"

    def wrong_key(self):
        raises(openai.AuthenticationError,
               lambda: self.make("sk-wrong").responses.create(model="openai", input="x"))

    def wrong_type(self):
        assert raises(openai.BadRequestError, lambda: self.ask(model="openai", temperature="hot")).param == "temperature"

    def unknown_model(self):
        assert raises(openai.NotFoundError, lambda: self.ask(model="no-such-model")).code == "model_not_found"

    def built_in_tool(self):
        for model in ("openai", "anthropic", "gemini"):
            error = raises(openai.BadRequestError, lambda: self.ask(model=model, tools=[{"type": "web_search"}]))
            assert error.param == "tools[0]" and "web_search" in str(error), error

    def chat_over_responses(self):
        answer = self.client.chat.completions.create(model="responses", messages=[{"role": "user", "content": "Hello there"}])
        assert "Hello there" in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop"


ONCE = ("completion_logprobs", "completion_prompts", "wrong_key", "wrong_type", "unknown_model", "built_in_tool",
        "chat_over_responses")
ALL = ("whole", "stream", "stream_helper", "structured", "tools", "tools_streamed", "kept", "limited", "completion",
       "completion_echo")
FAULTS = ("cut", "error_mid_stream", "bad_request", "server_error")


def tests(context):
    suite = Suite(context)
    for name in ONCE:
        yield "responses: " + name.replace("_", " "), getattr(suite, name)
    for dialect in (*context["dialects"], "responses"):
        for name in ALL if dialect == "responses" else ALL + FAULTS:
            yield f"responses, {dialect}: {name.replace('_', ' ')}", lambda name=name, dialect=dialect: getattr(suite, name)(dialect)
