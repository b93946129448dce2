"""The embedded engine behind the same routes, keys and limits as every other provider."""
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import threading

from lib.client import Connection, call, chat

MODELS = pathlib.Path(os.environ.get("AJAR_SHARED", pathlib.Path(__file__).parents[2] / "../shared/data")) / "models"
STORY = ("Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
         "big, red ball. She wanted to play with it, but it was too high.")


def config(models, extra=""):
    text = '[server]\nlisten = ["127.0.0.1:0"]\n[providers.here]\npreset = "local"\n' + extra
    for name, path, more in models:
        text += f'[models.{name}]\npath = "{path}"\n{more}\n[routes.{name}]\ntargets = [{{provider = "here", model = "{name}"}}]\n'
    return text


def stories(context):
    path = MODELS / "stories260K/stories260K.gguf"
    if not path.exists():
        raise context.Skip(f"{path} is not at hand")
    return path


def key_of(server):
    return server.keys.get("app") or server.new_key("app")


def completion(server, model, prompt, **more):
    return call(server.port, "POST", "/v1/completions", key_of(server), json.dumps({"model": model, "prompt": prompt, **more}))


def test_a_story_by_every_client(context):
    server = context.server(config([("tiny", stories(context), "")]))
    answer = completion(server, "tiny", "Once upon a time", max_tokens=80, temperature=0)
    assert answer.status == 200, answer.body
    choice = answer.json()["choices"][0]
    assert ("Once upon a time" + choice["text"]).startswith(STORY), choice
    assert choice["finish_reason"] == "length" and answer.json()["usage"]["completion_tokens"] == 80, answer.json
    # The beginning is known now.
    again = completion(server, "tiny", STORY, max_tokens=2, temperature=0)
    third = completion(server, "tiny", STORY, max_tokens=2, temperature=0)
    assert third.json()["choices"] == again.json()["choices"], third.body
    rows = server.calls(count=3)
    assert rows[-1]["cached_read"] > 0 if "cached_read" in rows[-1] else True

    stop = completion(server, "tiny", "Once upon a time", max_tokens=80, temperature=0, stop=["named Lily"])
    assert stop.json()["choices"][0]["text"] == ", there was a little girl ", stop.json
    assert stop.json()["choices"][0]["finish_reason"] == "stop"

    scored = completion(server, "tiny", "Once upon a time", max_tokens=1, temperature=0, logprobs=1, echo=True)
    logprobs = scored.json()["choices"][0]["logprobs"]
    assert scored.json()["choices"][0]["text"].startswith("Once upon a time"), scored.json
    assert [t.strip() for t in logprobs["tokens"][:4]] == ["Once", "upon", "a", "time"], logprobs
    assert all(p <= 0 for p in logprobs["token_logprobs"]), logprobs

    two = completion(server, "tiny", "Once", max_tokens=12, n=2, seed=7)
    texts = [c["text"] for c in two.json()["choices"]]
    assert len(texts) == 2 and texts[0] != texts[1], texts
    assert [c["text"] for c in completion(server, "tiny", "Once", max_tokens=12, n=2, seed=7).json()["choices"]] == texts

    streamed = chat(server.port, key_of(server), "tiny", True, max_tokens=20, temperature=0)
    whole = chat(server.port, key_of(server), "tiny", False, max_tokens=20, temperature=0)
    assert streamed.done() and streamed.content() == whole.content() and whole.content(), (streamed.body, whole.body)
    anthropic = call(server.port, "POST", "/v1/messages", key_of(server),
                     json.dumps({"model": "tiny", "max_tokens": 20, "temperature": 0, "messages": [{"role": "user", "content": "hi"}]}),
                     headers=[("anthropic-version", "2023-06-01")])
    assert anthropic.status == 200 and anthropic.json()["content"][0]["type"] == "text", anthropic.body


def test_bad_requests_name_what_is_wrong(context):
    server = context.server(config([("tiny", stories(context), "context = 64"), ("gone", "/no/such/file.gguf", "")]))
    long = completion(server, "tiny", "word " * 100)
    assert long.status == 400 and long.error()["code"] == "context_length_exceeded", long.body
    assert "64" in long.error()["message"] and "tokens" in long.error()["message"], long.body
    ids = completion(server, "tiny", [1, 2, 99999])
    assert ids.status == 400 and "99999" in ids.error()["message"], ids.body
    gone = completion(server, "gone", "hi")
    assert gone.status >= 400 and "/no/such/file.gguf" in gone.error()["message"], gone.body
    image = chat(server.port, key_of(server), "tiny", messages=[{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}])
    assert image.status == 400 and "image" in image.error()["message"], image.body
    bias = completion(server, "tiny", "hi", logit_bias={"5": 1000})
    assert bias.status == 400 and "logit_bias" in bias.error()["message"], bias.body
    # And nothing else was disturbed.
    assert completion(server, "tiny", "Once", max_tokens=3).status == 200


def test_many_at_once_and_some_leave(context):
    server = context.server(config([("tiny", stories(context), "")]))
    key = key_of(server)
    alone = {seed: completion(server, "tiny", f"Once {seed}", max_tokens=40, seed=seed).json()["choices"][0]["text"] for seed in range(8)}
    answers = {}

    def ask(seed):
        answers[seed] = completion(server, "tiny", f"Once {seed}", max_tokens=40, seed=seed).json()["choices"][0]["text"]

    def leave():
        with Connection(server.port) as connection:
            connection.request("POST", "/v1/completions", key=key,
                               body=json.dumps({"model": "tiny", "prompt": "Once", "stream": True, "max_tokens": 400, "ignore_eos": True}))
            connection.head()

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)] + [threading.Thread(target=leave) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == alone, (answers, alone)


def test_models_of_the_data_folder_and_reload(context):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ajar-local-"))
    try:
        made = subprocess.run([context.binary, "quantize", "--random", "tiny-llama", str(folder / "m.gguf")], capture_output=True, text=True, timeout=120)
        assert made.returncode == 0, made.stderr
        server = context.server(config([("m", folder / "m.gguf", "deterministic = true")]))
        first = completion(server, "m", "hello", max_tokens=8, temperature=0)
        assert first.status == 200, first.body
        made = subprocess.run([context.binary, "quantize", str(folder / "m.gguf"), str(folder / "q.gguf"), "Q8_0"], capture_output=True, text=True, timeout=120)
        assert made.returncode == 0, made.stderr
        metrics = server.metrics()
        assert any(name.startswith("ajar_engine_") for name in metrics), sorted(metrics)[:40]
    finally:
        shutil.rmtree(folder)


def write_adapter(path, seed, width=256, rank=4):
    """A GGUF file that adapts the first two layers' attn_output of a model of random weights."""
    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    def pair(key, value):
        return text(key) + (struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<I", 8) + text(value))

    numbers = random.Random(seed)
    table, data = b"", b""
    for layer in range(2):
        for half, shape in (("a", (width, rank)), ("b", (rank, width))):
            table += text(f"blk.{layer}.attn_output.weight.lora_{half}") + struct.pack("<IQQIQ", 2, *shape, 0, len(data))
            data += b"".join(struct.pack("<f", numbers.gauss(0, 0.5)) for _ in range(shape[0] * shape[1]))
    keys = pair("general.type", "adapter") + pair("general.architecture", "llama") + pair("adapter.type", "lora") + pair("adapter.lora.alpha", 8.0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 4, 4) + keys + table
    path.write_bytes(head + b"\0" * (-len(head) % 32) + data)


def test_adapters_come_and_go(context):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ajar-local-"))
    try:
        made = subprocess.run([context.binary, "quantize", "--random", "tiny-llama", str(folder / "m.gguf")], capture_output=True, text=True, timeout=120)
        assert made.returncode == 0, made.stderr
        for seed in (1, 2):
            write_adapter(folder / f"{seed}.gguf", seed)
        write_adapter(folder / "other.gguf", 3, width=128)

        def configured(adapters):
            routes = '[routes.one]\ntargets = [{provider = "here", model = "m:one"}]\n[routes."m:*"]\ntargets = [{provider = "here"}]\n'
            return config([("m", folder / "m.gguf", f"deterministic = true\nadapters = {adapters}")], routes)

        server = context.server(configured(f'{{one = "{folder}/1.gguf", other = "{folder}/other.gguf"}}'))

        def say(model, **more):
            answer = completion(server, model, "hello", max_tokens=12, temperature=0, **more)
            assert answer.status == 200, answer.body
            return answer.json()["choices"][0]["text"]

        plain, one = say("m"), say("one")
        assert one != plain, (one, plain)
        assert say("m:one") == one and say("m", adapter="one") == one and say("m") == plain
        unknown = completion(server, "m", "hello", adapter="two")
        assert unknown.status in (400, 404) and "one, other" in unknown.error()["message"], unknown.body
        other = completion(server, "m:other", "hello")
        assert other.status == 400 and "another model" in other.error()["message"] and "128 x 4" in other.error()["message"], other.body
        assert completion(server, "m", "hello", adapter=5).status == 400

        # Another one without the model being loaded anew: what it has counted so far stays.
        def steps():
            return sum(value for name, value in server.metrics().items() if name.startswith("ajar_engine_steps_total"))

        before = steps()
        text = server.config_file.read_text().replace(f'one = "{folder}/1.gguf"', f'two = "{folder}/2.gguf"')
        server.config_file.write_text(text)
        server.admin("POST", "reload")
        two = say("m:two")
        assert two not in (one, plain), (one, two, plain)
        assert steps() >= before > 0
        gone = completion(server, "one", "hello")
        assert gone.status in (400, 404) and "other, two" in gone.error()["message"], gone.body
        assert say("m") == plain
    finally:
        shutil.rmtree(folder)


def test_forced_calls_of_families_that_write_no_json(context):
    """A model of random weights that must call a function does so in its family's own layout, and what it says fits the schema."""
    marks = {"qwen3-coder": "<function= <parameter=", "glm": "<arg_key> <tool_call>", "deepseek-v3": "｜DSML｜", "gemma-4": "<|tool_call> <tool_call|>",
             "lfm2": "<|tool_list_start|>", "apertus": "<|tools_prefix|>", "gpt-oss": "<|channel|> <|message|> <|return|>", "hermes": "<tool_call>"}
    schema = {"type": "object", "properties": {"c": {"type": "string", "enum": ["Oslo", "7", "true"]}, "d": {"type": "integer", "minimum": 1, "maximum": 14},
                                               "e": {"type": "boolean"}, "n": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2}}, "required": ["c", "d", "e", "n"]}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ajar-local-"))
    try:
        made = subprocess.run([context.binary, "quantize", "--random", "tiny-llama", str(folder / "m.gguf")], capture_output=True, text=True, timeout=120)
        assert made.returncode == 0, made.stderr
        models = []
        for family, text in marks.items():
            # What a template says does not matter here, only that it has the family's marks.
            (folder / f"{family}.jinja").write_text("{# " + text + " #}{% for m in messages %}{{ m.content }}{% endfor %}{% for tool in tools %}{{ tool.function.name }}{% endfor %}")
            models.append((family, folder / "m.gguf", f'chat_template = "{folder}/{family}.jinja"'))
        server = context.server(config(models))
        for family in marks:
            for seed in (1, 2):
                body = {"model": family, "messages": [{"role": "user", "content": "?"}], "tools": tools, "tool_choice": "required", "parallel_tool_calls": False,
                        "max_tokens": 450, "seed": seed, "reasoning_effort": "none"}
                answer = call(server.port, "POST", "/v1/chat/completions", key_of(server), json.dumps(body))
                assert answer.status == 200, (family, answer.body)
                choice = answer.json()["choices"][0]
                calls = choice["message"].get("tool_calls")
                assert choice["finish_reason"] == "tool_calls" and len(calls) == 1, (family, answer.json())
                given = json.loads(calls[0]["function"]["arguments"])
                assert calls[0]["function"]["name"] == "f" and set(given) == set(schema["required"]), (family, given)
                assert given["c"] in ("Oslo", "7", "true") and given["d"] in range(1, 15) and isinstance(given["e"], bool), (family, given)
                assert len(given["n"]) <= 2 and all(isinstance(near, str) and len(near) <= 3 for near in given["n"]), (family, given)
    finally:
        shutil.rmtree(folder)


def test_another_draft_loads_its_model_anew(context):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ajar-local-"))
    try:
        made = subprocess.run([context.binary, "quantize", "--random", "tiny-llama", str(folder / "m.gguf")], capture_output=True, text=True, timeout=120)
        assert made.returncode == 0, made.stderr
        for name in ("one", "two"):
            shutil.copy(folder / "m.gguf", folder / f"{name}.gguf")
        server = context.server(config([("m", folder / "m.gguf", 'draft = "d"'), ("d", folder / "one.gguf", "")]))

        def ready():
            return next(value for name, value in server.metrics().items() if name.startswith("ajar_engine_model_ready") and 'model="m"' in name)

        assert completion(server, "m", "hello", max_tokens=8, temperature=0).status == 200
        assert ready() == 1
        server.admin("POST", "reload")
        assert ready() == 1
        server.config_file.write_text(server.config_file.read_text().replace("one.gguf", "two.gguf"))
        server.admin("POST", "reload")
        assert ready() == 0
        assert completion(server, "m", "hello", max_tokens=8, temperature=0).status == 200
        assert ready() == 1
    finally:
        shutil.rmtree(folder)
