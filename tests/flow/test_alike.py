"""Answers to questions that are only worded otherwise: what was learnt about them outlives the process, and stays with who asked."""
import json
import math

from lib.client import chat
from lib.upstream import chat_json

CONFIG = """
[server]
access_log = "off"
[providers.a]
base_url = "{a}/v1"
[providers.b]
base_url = "{b}/v1"
[routes.r]
cache = "semantic"
cache_embedder = "meaning"
cache_delta = 0.5
targets = [{ provider = "a", model = "m" }]
[routes.meaning]
targets = [{ provider = "b", model = "e" }]
"""
JSON = [("content-type", "application/json")]


def words(request, wire):
    """A bag of words as an embedding."""
    vector = [0.001] * 32
    for word in request.json()["input"][0].split():
        vector[sum(word.encode()) % 32] += 1
    length = math.sqrt(sum(x * x for x in vector))
    wire.whole(200, JSON, json.dumps({"object": "list", "model": "e", "usage": {"prompt_tokens": 1, "total_tokens": 1},
                                      "data": [{"object": "embedding", "index": 0, "embedding": [x / length for x in vector]}]}))


def ask(server, text, key="main"):
    answer = chat(server.port, server.keys[key], model="r", messages=[{"role": "user", "content": text}])
    assert answer.status == 200, (answer.status, answer.text)
    return answer.header("x-ajar-cache"), answer.json()["choices"][0]["message"]["content"]


def learn(server):
    """Until the question is served by likeness. Spaces make each a request of its own."""
    ask(server, "which is the capital of france")
    for spaces in range(1, 60):
        for wording in ("name the capital of france please", "please tell me the capital of france"):
            ask(server, wording + " " * spaces)
        if ask(server, "which is the capital of france" + " " * spaces)[0] == "semantic":
            return
    raise AssertionError("nothing was learnt")


def started(context):
    context.upstreams["a"].reset(lambda request, wire: wire.whole(200, JSON, json.dumps(chat_json("Paris"))))
    context.upstreams["b"].reset(words)
    return context.server(CONFIG)


def test_what_was_learnt_outlives_kill_9_and_no_other_caller_gets_it(context):
    server = started(context)
    learn(server)
    known = server.admin("GET", "cache").json()["alike"]
    assert known >= 1, known
    # What waits for the log's writer is not promised: a call more gives it the time.
    ask(server, "something else entirely, of rivers")
    log = server.data / "alike.log"
    assert log.stat().st_size > 100
    server.kill()
    server.start()
    assert server.admin("GET", "cache").json()["alike"] >= known
    # The model is asked all the same now and then (vCache draws), but an entry that had learnt nothing would serve none of the first six.
    for spaces in range(100, 105):
        asked = len(context.upstreams["a"].requests)
        answer = ask(server, "which is the capital of france" + " " * spaces)
        if answer[0] == "semantic":
            break
    assert answer == ("semantic", "Paris")
    assert len(context.upstreams["a"].requests) == asked
    server.new_key("stranger")
    assert ask(server, "which is the capital of france" + " " * 110, "stranger")[0] == "miss"

    # A file that is cut loses its end; one that is no such file is set aside.
    server.kill()
    whole = log.read_bytes()
    log.write_bytes(whole[:len(whole) * 2 // 3])
    server.start()
    assert server.admin("GET", "cache").json()["alike"] >= 1
    server.kill()
    log.write_bytes(b"something else" * 20)
    server.start()
    assert server.admin("GET", "cache").json()["alike"] == 0
    assert (server.data / "alike.log.damaged").exists()


def test_what_is_purged_is_not_alike_any_more(context):
    server = started(context)
    learn(server)
    assert server.admin("DELETE", "cache?all=true").json()["purged"] > 0
    assert server.admin("GET", "cache").json()["alike"] == 0
    assert ask(server, "which is the capital of france" + " " * 100)[0] == "miss"
    server.kill()
    server.start()
    assert server.admin("GET", "cache").json()["alike"] <= 1, "what was asked since, at the most"
