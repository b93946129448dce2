"""Kept responses: chains over every target, who sees them, paging, deleting, and what a crash leaves."""
import json
import threading
import time

from lib.client import call
from lib.upstream import chat_json, stream_events

CONFIG = """
[providers.a]
base_url = "{a}/v1"
free = true
[providers.n]
preset = "custom-anthropic"
base_url = "{n}"
free = true
[providers.g]
preset = "custom-gemini"
base_url = "{g}/v1beta"
free = true
[routes.r]
retries = 0
breaker_failures = 0
targets = [{ provider = "a", model = "m" }]
[routes.claude]
retries = 0
breaker_failures = 0
targets = [{ provider = "n", model = "c" }]
[routes.gemini]
retries = 0
breaker_failures = 0
targets = [{ provider = "g", model = "g" }]
"""
HEADERS = [("content-type", "application/json")]


class Upstreams:
    """Answers in three dialects with one tool call where the last turn says "tool", and remembers what was asked."""

    def __init__(self, context):
        self.asked = []
        for name in "ang":
            context.upstreams[name].reset(self.answer)

    def answer(self, request, wire):
        body = request.json()
        self.asked.append(body)
        if "/messages" in request.path:
            tool = json.dumps(body["messages"][-1]).find("tool_result") < 0 and "use the tool" in json.dumps(body["messages"][-1])
            block = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}} if tool else {"type": "text", "text": "claude"}
            reply = {"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [block],
                     "stop_reason": "tool_use" if tool else "end_turn", "usage": {"input_tokens": 3, "output_tokens": 2}}
        elif "generateContent" in request.path:
            reply = {"candidates": [{"content": {"role": "model", "parts": [{"text": "gemini"}]}, "finishReason": "STOP", "index": 0}],
                     "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}, "modelVersion": "g"}
        elif body.get("stream"):
            wire.start_stream()
            for event in stream_events(["one ", "two "]):
                wire.event(event)
            return wire.end_stream()
        else:
            reply = chat_json("open")
        return wire.whole(200, HEADERS, json.dumps(reply))


def ask(server, model, text, key="main", **more):
    answer = call(server.port, "POST", "/v1/responses", server.keys[key], {"model": model, "input": text, **more})
    assert answer.status == 200, f"{answer.status} {answer.text}"
    if not more.get("stream"):
        return answer.json()
    return next(event["response"] for event in answer.data() if event["type"] == "response.completed")


def test_a_conversation_goes_on_over_any_target(context):
    ups = Upstreams(context)
    server = context.server(CONFIG)
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}]
    first = ask(server, "r", "first", instructions="Be brief.")
    second = ask(server, "claude", "please use the tool", previous_response_id=first["id"], tools=tools)
    call_item = second["output"][0]
    assert call_item["type"] == "function_call" and json.loads(call_item["arguments"]) == {"x": 1}, second
    result = [{"type": "function_call_output", "call_id": call_item["call_id"], "output": "42"}]
    third = ask(server, "gemini", result, previous_response_id=second["id"], tools=tools)
    fourth = ask(server, "r", "last", previous_response_id=third["id"], stream=True)
    assert fourth["previous_response_id"] == third["id"] and fourth["store"] is True, fourth
    anthropic = ups.asked[1]["messages"]
    assert [turn["role"] for turn in anthropic] == ["user", "assistant", "user"], anthropic
    assert "system" not in ups.asked[1], "instructions must not carry over"
    gemini = ups.asked[2]["contents"]
    said = [part for turn in gemini for part in turn["parts"]]
    assert said[1] == {"text": "open"} and said[3]["functionCall"]["name"] == "f", said
    assert said[4]["functionResponse"]["name"] == "f", said
    chat = ups.asked[3]["messages"]
    assert [turn["role"] for turn in chat] == ["user", "assistant", "user", "assistant", "tool", "assistant", "user"], chat
    assert chat[3]["tool_calls"][0]["id"] == chat[4]["tool_call_id"] and chat[5]["content"] == "gemini", chat
    got = call(server.port, "GET", "/v1/responses/" + fourth["id"], server.keys["main"]).json()
    assert got == fourth, "the kept response is not the one that the stream ended with"
    reference = [{"type": "item_reference", "id": fourth["output"][0]["id"]}, {"role": "user", "content": "again"}]
    ask(server, "r", reference, store=False)
    assert ups.asked[4]["messages"][0] == {"role": "assistant", "content": "one two "}, ups.asked[4]
    missing = call(server.port, "POST", "/v1/responses", server.keys["main"],
                   {"model": "r", "input": [{"type": "item_reference", "id": "msg_nobody"}]})
    assert missing.status == 404 and missing.error()["param"] == "input", missing.text


def test_only_its_key_and_team_see_a_response(context):
    Upstreams(context)
    server = context.server(CONFIG)
    for team in ("red", "blue"):
        server.admin("PUT", "teams/" + team, {})
    for name, team in (("one", "red"), ("two", "red"), ("three", "blue")):
        server.new_key(name, team=team)
    made = ask(server, "r", "secret", key="one")
    unknown = call(server.port, "GET", "/v1/responses/resp_nobody", server.keys["three"])
    for key, status in (("one", 200), ("two", 200), ("three", 404), ("main", 404)):
        for method, path in (("GET", ""), ("GET", "/input_items")):
            got = call(server.port, method, f"/v1/responses/{made['id']}{path}", server.keys[key])
            assert got.status == status, f"{key} {path}: {got.status} {got.text}"
        if status == 404:
            assert got.error()["message"] == unknown.error()["message"].replace("resp_nobody", made["id"])
            gone = call(server.port, "DELETE", "/v1/responses/" + made["id"], server.keys[key])
            assert gone.status == 404, gone.text
            follow = call(server.port, "POST", "/v1/responses", server.keys[key],
                          {"model": "r", "input": "x", "previous_response_id": made["id"]})
            assert follow.status == 404, follow.text
    assert call(server.port, "GET", "/v1/responses/" + made["id"]).status == 401


def test_paging_deleting_and_what_is_not_kept(context):
    Upstreams(context)
    server = context.server(CONFIG)
    key = server.keys["main"]
    made = ask(server, "r", [{"role": "user", "content": str(n)} for n in range(5)])

    def page(query):
        return call(server.port, "GET", f"/v1/responses/{made['id']}/input_items{query}", key)
    whole = page("?order=asc").json()
    texts = [item["content"][0]["text"] for item in whole["data"]]
    assert texts == list("01234") and not whole["has_more"], whole
    first = page("?limit=2").json()
    assert [item["content"][0]["text"] for item in first["data"]] == ["4", "3"] and first["has_more"], first
    second = page(f"?limit=2&after={first['last_id']}").json()
    assert [item["content"][0]["text"] for item in second["data"]] == ["2", "1"], second
    for bad, field in (("?limit=0", "limit"), ("?order=up", "order"), ("?after=msg_nobody", "after")):
        assert page(bad).status == 400 and page(bad).error()["param"] == field, page(bad).text
    streamed = call(server.port, "GET", f"/v1/responses/{made['id']}?stream=true", key)
    assert streamed.status == 400 and streamed.error()["param"] == "stream", streamed.text
    cancel = call(server.port, "POST", f"/v1/responses/{made['id']}/cancel", key)
    assert cancel.status == 400 and "background" in cancel.error()["message"], cancel.text
    gone = call(server.port, "DELETE", "/v1/responses/" + made["id"], key)
    assert gone.json() == {"id": made["id"], "object": "response", "deleted": True}, gone.text
    assert call(server.port, "GET", "/v1/responses/" + made["id"], key).status == 404
    unkept = ask(server, "r", "x", store=False)
    assert unkept["store"] is False
    assert call(server.port, "GET", "/v1/responses/" + unkept["id"], key).status == 404


def test_a_follow_up_never_comes_too_early(context):
    ups = Upstreams(context)
    server = context.server(CONFIG)
    faults = []

    def converse(stream):
        last = None
        for _ in range(25):
            try:
                last = ask(server, "r", "x", stream=stream, **({"previous_response_id": last} if last else {}))["id"]
            except AssertionError as error:
                faults.append(str(error))
                return
    workers = [threading.Thread(target=converse, args=(stream,)) for stream in (True, False, True, False)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert not faults, faults[0]
    assert max(len(body["messages"]) for body in ups.asked) == 49, "the chain is not whole"


def test_a_megabyte_as_codex_sends_it(context):
    ups = Upstreams(context)
    server = context.server(CONFIG)
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go on"}]}]
    for at in range(300):
        items += [{"type": "function_call", "name": "shell", "call_id": f"c{at}", "arguments": json.dumps({"command": ["cat", "x"]})},
                  {"type": "function_call_output", "call_id": f"c{at}", "output": "x" * 4000}]
    tools = [{"type": "function", "name": f"tool_{n}", "strict": False, "parameters": {"type": "object"}} for n in range(40)]
    made = ask(server, "r", items, tools=tools, include=["reasoning.encrypted_content"])
    assert len(ups.asked[0]["messages"]) == 601 and len(ups.asked[0]["tools"]) == 40
    ask(server, "claude", "and now", previous_response_id=made["id"], stream=False)
    assert len(json.dumps(ups.asked[1])) > 1_200_000


def test_kill_loses_no_acknowledged_response(context):
    Upstreams(context)
    server = context.server(CONFIG)
    acknowledged, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            try:
                acknowledged.append((ask(server, "r", "x")["id"], time.monotonic()))
            except (OSError, AssertionError):
                return
    workers = [threading.Thread(target=load) for _ in range(4)]
    for worker in workers:
        worker.start()
    time.sleep(1.0)
    killed = time.monotonic()
    server.process.kill()
    stop.set()
    for worker in workers:
        worker.join(20)
    server.process.wait()
    server.start()
    sure = [made for made, at in acknowledged if at <= killed - 0.15]
    assert sure, "there was no load to speak of"
    lost = [made for made in sure if call(server.port, "GET", "/v1/responses/" + made, server.keys["main"]).status != 200]
    context.note(f"{len(acknowledged)} responses, {len(sure)} surely kept")
    assert not lost, f"{len(lost)} of {len(sure)} responses are lost"
    assert ask(server, "r", "on", previous_response_id=sure[-1])["previous_response_id"] == sure[-1]


def test_where_nothing_is_kept(context):
    ups = Upstreams(context)
    server = context.server("[responses]\nstore = false\n" + CONFIG)
    made = ask(server, "r", "x")
    assert made["store"] is False, made
    key = server.keys["main"]
    assert call(server.port, "GET", "/v1/responses/" + made["id"], key).status == 404
    refused = call(server.port, "POST", "/v1/responses", key, {"model": "r", "input": "x", "previous_response_id": "resp_1"})
    assert refused.status == 400 and refused.error()["param"] == "previous_response_id", refused.text
    assert len(ups.asked) == 1
