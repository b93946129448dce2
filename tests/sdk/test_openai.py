"""The official Python SDK against the running server. tests(context) gives (name, function) pairs."""
import asyncio
import base64
import hashlib
import json
import time

import openai
from pydantic import BaseModel

from common import Gateway, raises

TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
HELLO = [{"role": "user", "content": "Hello there"}]


class Person(BaseModel):
    name: str
    age: int
    tags: list[str]


class Suite:
    def __init__(self, context):
        self.context = context
        self.client = self.make()
        self.gateway = Gateway(context, "python-openai")

    def make(self, key=None, **more):
        return openai.OpenAI(**{"base_url": self.context["base"], "api_key": key or self.context["key"],
                                "max_retries": 0, "timeout": 30, **more})

    def chat(self, client=None, **more):
        return (client or self.client).chat.completions.create(**{"messages": HELLO, **more})

    # ---- per dialect

    def whole(self, model):
        answer = self.chat(model=model)
        assert "Hello there" in answer.choices[0].message.content, answer
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
        assert answer._request_id.startswith("req_")

    def stream(self, model):
        text, usage, finish = "", None, None
        for chunk in self.chat(model=model, stream=True, stream_options={"include_usage": True}):
            if chunk.choices:
                text += chunk.choices[0].delta.content or ""
                finish = chunk.choices[0].finish_reason or finish
            else:
                assert usage is None
                usage = chunk.usage
        assert text == self.chat(model=model).choices[0].message.content
        assert finish == "stop" and usage.total_tokens > 0

    def stream_helper(self, model):
        with self.client.chat.completions.stream(model=model, messages=HELLO) as stream:
            kinds = {event.type for event in stream}
            final = stream.get_final_completion()
        assert "content.delta" in kinds and "content.done" in kinds, kinds
        assert "Hello there" in final.choices[0].message.content

    def async_stream(self, model):
        async def run():
            async with openai.AsyncOpenAI(base_url=self.context["base"], api_key=self.context["key"]) as client:
                text = ""
                async for chunk in await client.chat.completions.create(model=model, messages=HELLO, stream=True):
                    text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
                return text
        assert "Hello there" in asyncio.run(run())

    def tools(self, model):
        messages = [{"role": "user", "content": "Please use the tool"}]
        first = self.chat(model=model, messages=messages, tools=[TOOL]).choices[0]
        assert first.finish_reason == "tool_calls", first
        call = first.message.tool_calls[0]
        assert call.function.name == "get_weather" and "city" in json.loads(call.function.arguments), call
        messages += [first.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        second = self.chat(model=model, messages=messages, tools=[TOOL]).choices[0]
        assert second.finish_reason == "stop" and second.message.content, second

    def tools_streamed(self, model):
        with self.client.chat.completions.stream(
                model=model, messages=[{"role": "user", "content": "Please use the tool"}], tools=[TOOL]) as stream:
            final = stream.get_final_completion().choices[0]
        assert final.finish_reason == "tool_calls", final
        assert "city" in json.loads(final.message.tool_calls[0].function.arguments)

    def parallel_tools(self, model):
        expected = [("get_weather", {"city": "Bonn"}), ("get_time", {"zone": "CET"})]

        def seen(message):
            assert len({call.id for call in message.tool_calls}) == 2, message.tool_calls
            return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]
        two = [TOOL, {"type": "function", "function": {"name": "get_time", "parameters": {
            "type": "object", "properties": {"zone": {"type": "string"}}}}}]
        answer = self.chat(model=model + "-parallel", tools=two, parallel_tool_calls=True)
        assert seen(answer.choices[0].message) == expected and answer.choices[0].finish_reason == "tool_calls"
        with self.client.chat.completions.stream(model=model + "-parallel", messages=HELLO, tools=two) as stream:
            final = stream.get_final_completion()
        assert seen(final.choices[0].message) == expected and final.choices[0].finish_reason == "tool_calls"

    def structured(self, model):
        answer = self.client.chat.completions.parse(model=model, messages=HELLO, response_format=Person)
        assert isinstance(answer.choices[0].message.parsed, Person), answer
        schema = {"type": "json_schema", "json_schema": {"name": "person", "strict": True,
                                                         "schema": Person.model_json_schema()}}
        plain = self.chat(model=model, response_format=schema)
        Person.model_validate_json(plain.choices[0].message.content)

    def image(self, model):
        pixel = base64.b64encode(b"\x89PNG\r\n\x1a\n pixel").decode()
        content = [{"type": "text", "text": "What is it?"},
                   {"type": "image_url", "image_url": {"url": "data:image/png;base64," + pixel}}]
        said = self.chat(model=model + "-echo", messages=[{"role": "user", "content": content}]).choices[0].message.content
        assert pixel in said and "image/png" in said, said

    def cut(self, model):
        def read():
            for _ in self.chat(model=model + "-cut", stream=True):
                pass
        raises(openai.APIError, read)

    def error_mid_stream(self, model):
        def read():
            for _ in self.chat(model=model + "-error-mid", stream=True):
                pass
        error = raises(openai.APIError, read)
        assert "simulated" in str(error), error

    def broken_answer(self, model):
        assert raises(openai.InternalServerError, lambda: self.chat(model=model + "-cut-whole")).status_code == 502

    def abort(self, model):
        closed = self.gateway.closed()
        name, key = self.gateway.new_key()
        stream = self.chat(self.make(key), model=model + "-endless", stream=True)
        for at, _ in enumerate(stream):
            if at == 3:
                break
        stream.close()
        self.gateway.wait_for_abort(closed, name)

    def bad_request(self, model):
        error = raises(openai.BadRequestError, lambda: self.chat(model=model + "-400"))
        assert "simulated fault" in str(error), error

    def unprocessable(self, model):
        raises(openai.UnprocessableEntityError, lambda: self.chat(model=model + "-422"))

    def server_error(self, model):
        raises(openai.InternalServerError, lambda: self.chat(model=model + "-500"))

    def rate_limit(self, model):
        """Retry-After: 1 from the upstream reaches the SDK, which waits that long and then tries once more."""
        name, key = self.gateway.new_key()
        error = raises(openai.RateLimitError, lambda: self.chat(self.make(key, max_retries=1), model=model + "-429"))
        assert error.response.headers["retry-after"] == "1", error.response.headers
        rows = self.gateway.rows(name, 2)
        assert [row["status"] for row in rows] == [429, 429], rows
        assert rows[0]["time_ms"] - rows[1]["time_ms"] >= 950, rows

    def retried(self, model):
        """One failure, and the SDK's own second try succeeds."""
        assert "Hello there" in self.chat(self.make(max_retries=2), model=model + "-flaky").choices[0].message.content

    # ---- once

    def wrong_key(self):
        raises(openai.AuthenticationError, lambda: self.chat(self.make("sk-ajar-wrong"), model="openai"))

    def unknown_model(self):
        error = raises(openai.NotFoundError, lambda: self.chat(model="no-such-model"))
        assert error.code == "model_not_found" and error.param == "model", error

    def wrong_type(self):
        error = raises(openai.BadRequestError, lambda: self.chat(model="openai", temperature="hot"))
        assert error.param == "temperature", error

    def our_rate_limit(self):
        _, key = self.gateway.new_key(rpm=1)
        client = self.make(key)
        self.chat(client, model="openai")
        error = raises(openai.RateLimitError, lambda: self.chat(client, model="openai"))
        assert 1 <= int(error.response.headers["retry-after"]) <= 60

    def budget_is_not_retried(self):
        name, key = self.gateway.new_key(usd_day=0.000001)
        error = raises(openai.APIStatusError, lambda: self.chat(self.make(key, max_retries=5), model="openai"))
        assert error.status_code == 402 and error.response.headers["x-should-retry"] == "false", error
        assert len(self.gateway.rows(name)) == 1, f"the gateway was called {len(self.gateway.rows(name))} times"

    def no_price_under_a_budget(self):
        _, key = self.gateway.new_key(usd_day=5)
        raises(openai.PermissionDeniedError, lambda: self.chat(self.make(key), model="openai-parallel"))

    def embeddings(self):
        for model in ("openai", "gemini"):
            answer = self.client.embeddings.create(model=model, input=["one", "two", "three"])   # base64 on the wire
            floats = self.client.embeddings.create(model=model, input=["one", "two", "three"], encoding_format="float")
            assert len(answer.data) == 3 and [row.index for row in answer.data] == [0, 1, 2]
            for one, other in zip(answer.data, floats.data):
                assert len(one.embedding) == len(other.embedding) > 0
                assert all(abs(x - y) < 1e-6 for x, y in zip(one.embedding, other.embedding))

    def models(self):
        ids = [model.id for model in self.client.models.list()]
        assert "openai" in ids and "gemini-endless" in ids, ids
        assert self.client.models.retrieve("anthropic").id == "anthropic"
        raises(openai.NotFoundError, lambda: self.client.models.retrieve("none"))

    def files(self):
        content = b'{"a":1}\n' * 3 + bytes(range(256))
        made = self.client.files.create(file=("notes \u00fc.bin", content), purpose="batch")
        assert made.object == "file" and made.bytes == len(content) and made.filename == "notes \u00fc.bin", made
        assert self.client.files.retrieve(made.id).purpose == "batch"
        assert made.id in [file.id for file in self.client.files.list()]
        assert made.id not in [file.id for file in self.client.files.list(purpose="batch_output")]
        assert self.client.files.content(made.id).read() == content
        raises(openai.NotFoundError, lambda: self.make(self.gateway.new_key()[1]).files.retrieve(made.id))
        assert self.client.files.delete(made.id).deleted
        raises(openai.NotFoundError, lambda: self.client.files.content(made.id))
        error = raises(openai.BadRequestError, lambda: self.client.files.create(file=("a", b"x"), purpose="fine-tune"))
        assert error.param == "purpose", error

    def vector_stores(self):
        stores = self.client.vector_stores
        store = stores.create(name="handbook", metadata={"of": "machines"})
        text = "The warranty of the crimson pump lasts seven years."
        file = stores.files.upload_and_poll(vector_store_id=store.id, file=("pump.txt", text.encode()), attributes={"year": 2024})
        assert file.status == "completed" and file.last_error is None and file.attributes == {"year": 2024}, file
        bad = stores.files.upload_and_poll(vector_store_id=store.id, file=("bad.pdf", b"%PDF-1.7 and no more"))
        assert bad.status == "failed" and bad.last_error.message, bad
        counts = stores.retrieve(store.id).file_counts
        assert (counts.completed, counts.failed, counts.total) == (1, 1, 2), counts
        newer = {"type": "gte", "key": "year", "value": 2024}
        hits = list(stores.search(store.id, query="How long is the warranty?", filters=newer))
        assert [(hit.file_id, hit.filename, hit.content[0].text) for hit in hits] == [(file.id, "pump.txt", text)], hits
        assert stores.files.update(file.id, vector_store_id=store.id, attributes={"year": 1999}).attributes == {"year": 1999}
        assert list(stores.search(store.id, query="warranty", filters=newer)) == []
        assert {one.id for one in stores.files.list(store.id, limit=1)} == {file.id, bad.id}
        assert [part.text for part in stores.files.content(file.id, vector_store_id=store.id)] == [text]
        assert stores.update(store.id, name="other").name == "other" and store.id in [one.id for one in stores.list(limit=1)]
        raises(openai.NotFoundError, lambda: self.make(self.gateway.new_key()[1]).vector_stores.retrieve(store.id))
        assert stores.files.delete(file.id, vector_store_id=store.id).deleted and list(stores.search(store.id, query="warranty")) == []
        assert stores.delete(store.id).deleted
        raises(openai.NotFoundError, lambda: stores.retrieve(store.id))

    def batches(self):
        """A line for each upstream dialect and one that fails, to the end."""
        models = [*self.context["dialects"], "no-such-model"]
        lines = "".join(json.dumps({"custom_id": model, "method": "POST", "url": "/v1/chat/completions",
                                    "body": {"model": model, "messages": HELLO}}) + "\n" for model in models)
        file = self.client.files.create(file=("in.jsonl", lines.encode()), purpose="batch")
        batch = self.client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h",
                                           metadata={"job": "night"})
        assert batch.status in ("validating", "in_progress") and batch.metadata == {"job": "night"}, batch
        began = time.monotonic()
        while batch.status not in ("completed", "failed", "expired", "cancelled") and time.monotonic() - began < 60:
            time.sleep(0.05)
            batch = self.client.batches.retrieve(batch.id)
        counts = batch.request_counts
        assert batch.status == "completed" and (counts.total, counts.completed, counts.failed) == (4, 3, 1), batch
        told = {row["custom_id"]: row["response"] for row in map(json.loads, self.client.files.content(
            batch.output_file_id).text.splitlines())}
        assert set(told) == set(self.context["dialects"]), told
        for row in told.values():
            assert row["status_code"] == 200 and "Hello there" in row["body"]["choices"][0]["message"]["content"], row
        wrong = json.loads(self.client.files.content(batch.error_file_id).text)
        assert wrong["custom_id"] == "no-such-model" and wrong["response"]["status_code"] == 404, wrong
        assert batch.id in [one.id for one in self.client.batches.list()]
        raises(openai.ConflictError, lambda: self.client.batches.cancel(batch.id))
        raises(openai.BadRequestError, lambda: self.client.batches.create(
            input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h"))

    def moderations(self):
        answer = self.client.moderations.create(model="openai-media", input=["good", "bad"])
        assert [row.flagged for row in answer.results] == [False, True] and answer.results[1].categories.violence, answer

    def images(self):
        answer = self.client.images.generate(model="openai-media", prompt="a cat", n=2)
        assert [base64.b64decode(one.b64_json) for one in answer.data] == [b"a cat"] * 2, answer
        picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300 + b"\r\n--\r\n"
        edited = self.client.images.edit(model="openai-media", prompt="gr\u00fcn", image=("cat.png", picture, "image/png"))
        assert base64.b64decode(edited.data[0].b64_json) == picture, edited.data[0].revised_prompt
        assert edited.data[0].revised_prompt == "gr\u00fcn of cat.png", edited.data[0].revised_prompt

    def speech(self):
        expected = bytes(range(256)) * 700 + "\u00fcber".encode()
        more = {"model": "openai-media", "voice": "alloy", "input": "\u00fcber"}
        assert self.client.audio.speech.create(**more).read() == expected
        with self.client.audio.speech.with_streaming_response.create(**more) as answer:
            assert b"".join(answer.iter_bytes()) == expected and answer.headers["content-type"] == "audio/mpeg"

    def transcriptions(self):
        wave = b"RIFF\x00\x01\xff\r\n" * 9000
        expected = "a.wav " + hashlib.sha256(wave).hexdigest()
        more = {"model": "openai-media", "file": ("a.wav", wave, "audio/wav"), "language": "en"}
        assert self.client.audio.transcriptions.create(**more).text == expected
        assert self.client.audio.transcriptions.create(**more, response_format="text").strip() == expected
        assert self.client.audio.translations.create(model="openai-media", file=("a.wav", wave)).text == expected

    def media_of_a_target_without(self):
        for work in (lambda: self.client.images.generate(model="anthropic-media", prompt="a cat"),
                     lambda: self.client.audio.speech.create(model="anthropic-media", voice="alloy", input="a")):
            raises(openai.BadRequestError, work)


ONCE = ("wrong_key", "unknown_model", "wrong_type", "our_rate_limit", "budget_is_not_retried",
        "no_price_under_a_budget", "embeddings", "models", "files", "vector_stores", "batches", "moderations", "images", "speech", "transcriptions",
        "media_of_a_target_without")
EACH = ("whole", "stream", "stream_helper", "async_stream", "tools", "tools_streamed", "parallel_tools", "structured", "image",
        "cut", "error_mid_stream", "broken_answer", "abort", "bad_request", "unprocessable", "server_error",
        "rate_limit", "retried")


def tests(context):
    suite = Suite(context)
    for name in ONCE:
        yield name.replace("_", " "), getattr(suite, name)
    for dialect in context["dialects"]:
        for name in EACH:
            yield f"{dialect}: {name.replace('_', ' ')}", lambda name=name: getattr(suite, name)(dialect)
