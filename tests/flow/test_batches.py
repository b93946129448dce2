"""Files and batches: answered over the routes, resumed after kill -9, behind live calls, seen by their owner only."""
import json
import threading
import time

from lib.client import Connection
from lib.upstream import chat_json, wait_for

CONFIG = """
[providers.a]
base_url = "{a}/v1"
prices.m = { input = 1000.0, output = 1000.0 }
[batches]
concurrency = 4
[routes."*"]
retries = 0
breaker_failures = 0
targets = [{ provider = "a", model = "m" }]
"""
BOUNDARY = "batchform"


def ask(server, method, path, body=None, key="main", content_type="application/json"):
    connection = Connection(server.port)
    connection.request(method, path, [("content-type", content_type)], body, server.keys[key])
    return connection.answer()


def upload(server, lines, key="main", purpose="batch"):
    content = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    body = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n{content}\r\n'
            f'--{BOUNDARY}--\r\n')
    return ask(server, "POST", "/v1/files", body, key, f"multipart/form-data; boundary={BOUNDARY}")


def line(i, **more):
    body = {"model": "r", "max_tokens": 8, "messages": [{"role": "user", "content": f"line {i}"}]}
    return {"custom_id": f"c{i}", "method": "POST", "url": "/v1/chat/completions", "body": body | more}


def start(server, lines, key="main", endpoint="/v1/chat/completions", **more):
    file = upload(server, lines, key)
    assert file.status == 200, file.text
    made = ask(server, "POST", "/v1/batches", {"input_file_id": file.json()["id"], "endpoint": endpoint,
                                               "completion_window": "24h", **more}, key)
    assert made.status == 200, made.text
    return made.json()


def get(server, batch, key="main"):
    return ask(server, "GET", "/v1/batches/" + batch["id"], key=key).json()


def finished(server, batch, seconds=30, key="main"):
    over = ("completed", "failed", "cancelled", "expired")
    done = wait_for(lambda: (lambda b: b if b["status"] in over else None)(get(server, batch, key)), seconds)
    assert done, get(server, batch, key)
    return done


def content(server, file_id, key="main"):
    answer = ask(server, "GET", f"/v1/files/{file_id}/content", key=key)
    assert answer.status == 200 and answer.complete, answer.text
    return [json.loads(text) for text in answer.text.splitlines()]


def echo(request, wire, wait=0.0):
    time.sleep(wait)
    text = request.json()["messages"][0]["content"]
    wire.whole(200, [("content-type", "application/json")], json.dumps(chat_json("re: " + text)))


def serve(context, handler=echo):
    context.upstreams["a"].reset(handler)
    return context.server(CONFIG)


def test_every_line_is_answered_once(context):
    server = serve(context)
    batch = start(server, [line(i) for i in range(40)] + [""], metadata={"job": "night"})
    assert batch["status"] == "validating" and batch["request_counts"]["total"] == 0 and batch["metadata"] == {"job": "night"}
    done = finished(server, batch)
    assert done["status"] == "completed" and done["request_counts"] == {"total": 40, "completed": 40, "failed": 0}, done
    assert done["error_file_id"] is None and done["completed_at"] >= done["created_at"]
    rows = content(server, done["output_file_id"])
    assert sorted(row["custom_id"] for row in rows) == sorted(f"c{i}" for i in range(40))
    for row in rows:
        body = row["response"]["body"]
        assert row["error"] is None and row["response"]["status_code"] == 200 and row["id"].startswith("batch_req_")
        assert body["choices"][0]["message"]["content"] == "re: line " + row["custom_id"][1:], row
    assert len(context.upstreams["a"].requests) == 40
    # Billed like any call: ten tokens in, five out, at $0.001 each.
    rows = server.calls(count=40)
    assert len(rows) == 40 and {(row["input"], row["output"], row["key"]) for row in rows} == {(10, 5, rows[0]["key"])}
    assert abs(sum(row["cost"] for row in rows) - 0.6) < 1e-6, rows[0]
    listed = ask(server, "GET", "/v1/batches").json()
    assert [b["id"] for b in listed["data"]] == [batch["id"]] and listed["has_more"] is False
    names = {f["id"]: (f["purpose"], f["filename"]) for f in ask(server, "GET", "/v1/files").json()["data"]}
    assert names[done["output_file_id"]][0] == "batch_output" and names[done["input_file_id"]] == ("batch", "in.jsonl")


def test_lines_that_fail_stand_in_the_error_file(context):
    def handler(request, wire):
        if "line 1" in request.json()["messages"][0]["content"]:
            wire.whole(400, [("content-type", "application/json")], '{"error":{"message":"no","type":"invalid_request_error"}}')
        else:
            echo(request, wire)
    server = serve(context, handler)
    done = finished(server, start(server, [line(0), line(1), line(2, n="x")]))
    assert done["status"] == "completed" and done["request_counts"] == {"total": 3, "completed": 1, "failed": 2}, done
    bad = {row["custom_id"]: row["response"] for row in content(server, done["error_file_id"])}
    assert bad["c1"]["status_code"] == 400 and bad["c2"]["status_code"] == 400, bad
    assert bad["c2"]["body"]["error"]["param"] == "n", bad


def test_a_wrong_input_file_fails_with_its_lines(context):
    server = serve(context)
    lines = [line(0), "{", line(0), line(2, stream=True), line(3) | {"url": "/v1/embeddings"}, line(4) | {"method": "GET"},
             {"method": "POST", "url": "/v1/chat/completions", "body": {}}]
    done = finished(server, start(server, lines))
    assert done["status"] == "failed" and done["failed_at"], done
    faults = {(fault["line"], fault["code"]) for fault in done["errors"]["data"]}
    assert faults == {(2, "invalid_json_line"), (3, "duplicate_custom_id"), (4, "invalid_request"), (5, "invalid_url"),
                      (6, "invalid_method"), (7, "missing_required_parameter")}, faults
    assert context.upstreams["a"].requests == []
    empty = finished(server, start(server, ["", " "]))
    assert empty["status"] == "failed" and empty["errors"]["data"][0]["code"] == "empty_file", empty


def test_bad_requests_name_the_field(context):
    server = serve(context)
    file = upload(server, [line(0)]).json()
    good = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    for change, said in (({"input_file_id": "file-nope"}, "input_file_id"), ({"endpoint": "/v1/nothing"}, "endpoint"),
                         ({"completion_window": "1h"}, "completion_window"), ({"metadata": 1}, "metadata"),
                         ({"surprise": 1}, "surprise"), ({"endpoint": None}, "endpoint")):
        answer = ask(server, "POST", "/v1/batches", good | change)
        assert answer.status == 400 and answer.error()["param"] == said, (change, answer.text)
    assert upload(server, [line(0)], purpose="fine-tune").status == 400
    assert ask(server, "POST", "/v1/files", "x").status == 400
    assert ask(server, "GET", "/v1/files/file-nope").status == 404
    assert ask(server, "GET", "/v1/files/../ajar.db/content").status in (400, 404)
    assert ask(server, "GET", "/v1/batches/batch_nope").status == 404
    assert ask(server, "GET", "/v1/files?limit=0").status == 400
    deleted = ask(server, "DELETE", "/v1/files/" + file["id"])
    assert deleted.json() == {"id": file["id"], "object": "file", "deleted": True}, deleted.text
    assert ask(server, "GET", f"/v1/files/{file['id']}/content").status == 404


def test_another_key_sees_nothing(context):
    server = serve(context)
    server.new_key("other")
    server.admin("PUT", "teams/t", {})
    server.new_key("one", team="t")
    server.new_key("two", team="t")
    batch = finished(server, start(server, [line(0)]))
    for path in ("/v1/batches/" + batch["id"], "/v1/files/" + batch["input_file_id"],
                 f"/v1/files/{batch['output_file_id']}/content"):
        assert ask(server, "GET", path, key="other").status == 404, path
    assert ask(server, "GET", "/v1/files", key="other").json()["data"] == []
    assert ask(server, "POST", f"/v1/batches/{batch['id']}/cancel", key="other").status == 404
    made = ask(server, "POST", "/v1/batches", {"input_file_id": batch["input_file_id"], "completion_window": "24h",
                                               "endpoint": "/v1/chat/completions"}, "other")
    assert made.status == 400, made.text
    # A team shares what its keys make.
    shared = finished(server, start(server, [line(0)], key="one"), key="two")
    assert len(content(server, shared["output_file_id"], key="two")) == 1


def test_cancel_lets_running_lines_end(context):
    server = serve(context, lambda request, wire: echo(request, wire, 0.3))
    batch = start(server, [line(i) for i in range(200)])
    wait_for(lambda: len(context.upstreams["a"].requests) >= 4)
    answer = ask(server, "POST", f"/v1/batches/{batch['id']}/cancel")
    assert answer.status == 200 and answer.json()["status"] == "cancelling", answer.text
    done = finished(server, batch)
    counts = done["request_counts"]
    assert done["status"] == "cancelled" and done["cancelled_at"] and done["cancelling_at"], done
    assert 1 <= counts["completed"] <= 30 and counts["failed"] == 0, counts
    assert len(content(server, done["output_file_id"])) == counts["completed"] == len(context.upstreams["a"].requests)
    again = ask(server, "POST", f"/v1/batches/{batch['id']}/cancel")
    assert again.status == 409 and "cancelled" in again.text, again.text


def test_kill_9_loses_and_repeats_no_answered_line(context):
    server = serve(context, lambda request, wire: echo(request, wire, 0.02))
    batch = start(server, [line(i) for i in range(300)])
    for _ in range(3):
        before = len(context.upstreams["a"].requests)
        wait_for(lambda: len(context.upstreams["a"].requests) > before + 40)
        server.kill()
        server.start()
    done = finished(server, batch, 60)
    assert done["status"] == "completed" and done["request_counts"] == {"total": 300, "completed": 300, "failed": 0}, done
    rows = content(server, done["output_file_id"])
    assert sorted(row["custom_id"] for row in rows) == sorted(f"c{i}" for i in range(300))
    # Only what was under way at a kill is asked again: four lines at once, three kills, and what had not reached its file.
    asked = len(context.upstreams["a"].requests)
    context.note(f"300 lines, 3 kills: {asked - 300} asked twice")
    assert 300 <= asked <= 330, asked


def test_an_orderly_stop_repeats_nothing(context):
    server = serve(context, lambda request, wire: echo(request, wire, 0.05))
    batch = start(server, [line(i) for i in range(60)])
    wait_for(lambda: len(context.upstreams["a"].requests) >= 10)
    assert server.stop() is None
    server.start()
    done = finished(server, batch)
    assert done["request_counts"]["completed"] == 60 and len(context.upstreams["a"].requests) == 60, \
        (done, len(context.upstreams["a"].requests))


def test_limits_are_waited_for(context):
    seen = {}

    def handler(request, wire):
        text = request.json()["messages"][0]["content"]
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 1:
            wire.whole(429, [("retry-after-ms", "100")], '{"error":{"message":"slow down"}}')
        elif text == "line 1" and seen[text] == 2:
            wire.whole(503, [], "down")
        else:
            echo(request, wire)
    server = serve(context, handler)
    done = finished(server, start(server, [line(i) for i in range(3)]))
    assert done["request_counts"] == {"total": 3, "completed": 3, "failed": 0}, done


def test_a_budget_ends_lines_not_the_batch(context):
    server = serve(context)
    server.new_key("poor", usd_day=0.1)
    done = finished(server, start(server, [line(i) for i in range(10)], key="poor"), key="poor")
    counts = done["request_counts"]
    assert done["status"] == "completed" and counts["completed"] >= 1 and counts["failed"] >= 1, done
    errors = content(server, done["error_file_id"], key="poor")
    assert {row["response"]["status_code"] for row in errors} == {402}, errors


def test_batches_stand_back_behind_live_calls(context):
    running, most = [0], [0]
    lock = threading.Lock()
    gate = threading.Event()

    def handler(request, wire):
        text = request.json()["messages"][0]["content"]
        if text.startswith("live"):
            gate.wait(20)
        else:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.05)
            with lock:
                running[0] -= 1
        echo(request, wire)
    server = serve(context, handler)
    live = [threading.Thread(target=ask, args=(server, "POST", "/v1/chat/completions",
                                               {"model": "r", "messages": [{"role": "user", "content": f"live {i}"}]}))
            for i in range(4)]
    for thread in live:
        thread.start()
    wait_for(lambda: len(context.upstreams["a"].requests) == 4)
    batch = start(server, [line(i) for i in range(12)])
    done = finished(server, batch)
    gate.set()
    for thread in live:
        thread.join()
    assert done["request_counts"]["completed"] == 12, done
    assert most[0] <= 2, most     # half of four live calls


def test_responses_and_completions_run_as_batches(context):
    server = serve(context, lambda request, wire: wire.whole(200, [("content-type", "application/json")],
                                                             json.dumps(chat_json("hello"))))
    body = {"model": "r", "input": "hi"}
    lines = [{"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": body},
             {"custom_id": "b", "method": "POST", "url": "/v1/responses", "body": body | {"previous_response_id": "resp_x"}}]
    done = finished(server, start(server, lines, endpoint="/v1/responses"))
    assert done["request_counts"] == {"total": 2, "completed": 1, "failed": 1}, done
    said = content(server, done["output_file_id"])[0]["response"]["body"]
    assert said["object"] == "response" and said["output"][0]["content"][0]["text"] == "hello", said
    assert content(server, done["error_file_id"])[0]["response"]["body"]["error"]["param"] == "previous_response_id"
    lines = [{"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {"model": "r", "prompt": "hi"}}]
    context.upstreams["a"].reset(lambda request, wire: wire.whole(
        200, [("content-type", "application/json")],
        json.dumps({"id": "c", "object": "text_completion", "created": 1, "model": "m",
                    "choices": [{"index": 0, "text": " there", "finish_reason": "stop", "logprobs": None}],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})))
    done = finished(server, start(server, lines, endpoint="/v1/completions"))
    assert done["status"] == "completed" and done["output_file_id"], done
    assert content(server, done["output_file_id"])[0]["response"]["body"]["choices"][0]["text"] == " there"


def test_embeddings_and_moderations_run_as_batches(context):
    def handler(request, wire):
        body = ({"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                 "usage": {"prompt_tokens": 1, "total_tokens": 1}} if request.path.endswith("embeddings")
                else {"id": "modr-1", "results": [{"flagged": False}]})
        wire.whole(200, [("content-type", "application/json")], json.dumps(body))
    server = serve(context, handler)
    for endpoint, key, value in (("/v1/embeddings", "data", [{"object": "embedding", "index": 0, "embedding": [0.5]}]),
                                 ("/v1/moderations", "results", [{"flagged": False}])):
        lines = [{"custom_id": "a", "method": "POST", "url": endpoint, "body": {"model": "m", "input": "x"}}]
        done = finished(server, start(server, lines, endpoint=endpoint))
        assert done["status"] == "completed", done
        assert content(server, done["output_file_id"])[0]["response"]["body"][key] == value
