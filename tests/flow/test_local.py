"""The embedded engine behind the same routes, keys and limits as every other provider."""
import json
import os
import pathlib
import shutil
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
