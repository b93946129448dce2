"""Endpoints whose requests keep their form (moderations, images, audio), and reranking."""
import json

from lib.client import Connection
from lib.upstream import wait_for

CONFIG = """
[providers.a]
base_url = "{a}/v1"
api_key = "${UPSTREAM_KEY}"
prices.draw = { image = 0.04 }
prices.draw-tokens = { input = 1000.0, output = 2000.0 }
prices.say = { characters = 1000000.0 }
prices.write = { audio_minute = 0.6 }
prices.order = { search = 2.0 }
prices.mod = { input = 0.0 }
[providers.b]
base_url = "{b}/v1"
free = true
[providers.n]
preset = "custom-anthropic"
base_url = "{n}"
[routes."*"]
retries = 0
breaker_failures = 0
targets = [{ provider = "a" }]
[routes.two]
retries = 0
breaker_failures = 0
targets = [{ provider = "a", model = "draw" }, { provider = "b", model = "draw" }]
[routes.claude]
targets = [{ provider = "n", model = "claude-x" }]
"""

BOUNDARY = "xyzzy"


def form(parts):
    out = b""
    for name, value, *rest in parts:
        filename = f'; filename="{rest[0]}"' if rest else ""
        kind = f"content-type: {rest[1]}\r\n" if len(rest) > 1 else ""
        out += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n{kind}\r\n'.encode()
        out += (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return out + f"--{BOUNDARY}--\r\n".encode()


def ask(server, path, body, content_type="application/json", method="POST", key="main"):
    connection = Connection(server.port)
    if isinstance(body, dict):
        body = json.dumps(body)
    connection.request(method, path, [("content-type", content_type)], body, server.keys[key])
    return connection.answer()


def answers(status, headers, body):
    return lambda request, wire: wire.whole(status, headers, body)


def serve(context, a=None, b=None):
    context.upstreams["a"].reset(a)
    context.upstreams["b"].reset(b)
    return context.shared_server(CONFIG)


def row_of(server, answer):
    """The row of the call that was answered so; it is written a moment after the answer."""
    name = answer.header("x-request-id")
    assert name, answer.headers
    row = wait_for(lambda: next((row for row in server.calls() if row["id"] == name), None))
    assert row, name
    return row


JSON = [("content-type", "application/json")]


def test_moderations_pass_with_a_default_model_and_unknown_members(context):
    server = serve(context, answers(200, JSON, '{"id":"modr-1","model":"omni","results":[{"flagged":true,"x":[1.5]}]}'))
    answer = ask(server, "/v1/moderations", {"input": ["a", {"type": "text", "text": "b"}], "future": {"k": [1]}})
    assert answer.status == 200, answer.text
    assert answer.json() == {"id": "modr-1", "model": "omni", "results": [{"flagged": True, "x": [1.5]}]}
    sent = context.upstreams["a"].requests[0]
    assert sent.path == "/v1/moderations"
    assert sent.json() == {"model": "omni-moderation-latest", "input": ["a", {"type": "text", "text": "b"}],
                           "future": {"k": [1]}}


def test_images_are_paid_by_the_picture_or_by_tokens(context):
    body = {"created": 1, "data": [{"url": "u1"}, {"url": "u2"}]}
    server = serve(context, answers(200, JSON, json.dumps(body)))
    answer = ask(server, "/v1/images/generations", {"model": "draw", "prompt": "a cat", "n": 2})
    assert answer.status == 200 and answer.json() == body, answer.text
    assert answer.header("x-ajar-cost-usd") == "0.080000000", answer.headers
    context.upstreams["a"].reset(answers(200, JSON, json.dumps(body | {"usage": {"input_tokens": 3, "output_tokens": 4}})))
    answer = ask(server, "/v1/images/generations", {"model": "draw-tokens", "prompt": "a cat"})
    assert answer.header("x-ajar-cost-usd") == "0.011000000", answer.headers
    call = row_of(server, answer)
    assert call["input"] == 3 and call["output"] == 4 and call["end"] == "complete", call


def test_a_form_with_a_picture_arrives_byte_for_byte(context):
    picture = bytes(range(256)) * 40 + b"\r\n--xyzz\r\n"
    server = serve(context, answers(200, JSON, '{"created":1,"data":[{"b64_json":"AA=="}]}'))
    answer = ask(server, "/v1/images/edits",
                 form([("model", "draw"), ("prompt", "gr\u00fcn"), ("image[]", picture, 'a "b".png', "image/png"), ("n", "1")]),
                 f"multipart/form-data; boundary={BOUNDARY}")
    assert answer.status == 200, answer.text
    sent = context.upstreams["a"].requests[0]
    kind = sent.headers["content-type"]
    assert kind.startswith("multipart/form-data; boundary=") and kind.split("=")[1].encode() in sent.body
    assert sent.headers.get("authorization", "").startswith("Bearer ")
    assert picture in sent.body and "gr\u00fcn".encode() in sent.body and b'filename="a ' in sent.body
    assert sent.body.count(b'name="model"') == 1 and b'name="n"' in sent.body
    assert b"content-type: image/png" in sent.body.lower()


def test_speech_flows_and_is_paid_by_the_character(context):
    sound = bytes(range(256)) * 1000

    def in_pieces(request, wire):
        wire.send("HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n")
        for at in range(0, len(sound), 50_000):
            wire.chunk(sound[at:at + 50_000])
        wire.end_stream()
    for say in (lambda request, wire: wire.whole(200, [("content-type", "audio/mpeg")], sound), in_pieces):
        server = serve(context, say)
        answer = ask(server, "/v1/audio/speech", {"model": "say", "input": "\u00fcber", "voice": "alloy"})
        assert answer.status == 200 and bytes(answer.body) == sound and answer.complete, (answer.status, len(answer.body))
        assert answer.header("content-type") == "audio/mpeg"
        call = row_of(server, answer)
        assert abs(call["cost"] - 4.0) < 1e-9 and call["end"] == "complete", call      # four characters, not five bytes


def test_sound_that_breaks_off_does_not_look_whole(context):
    def broken(request, wire):
        wire.send("HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 200000\r\n\r\n" + "x" * 100_000)
        wire.cut()
    server = serve(context, broken)
    answer = ask(server, "/v1/audio/speech", {"model": "say", "input": "a", "voice": "v"})
    assert not answer.complete, answer.status
    call = row_of(server, answer)
    assert call["end"] == "cut", call
    assert abs(call["cost"] - 1.0) < 1e-9, call      # the provider had taken the text when it began to speak


def test_a_listener_who_leaves_pays_for_the_text(context):
    def speak(request, wire):
        if request.json()["input"] == "ab":
            wire.send("HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 200000\r\n\r\n" + "x" * 100_000)
        wire.wait_close(10)
        wire.cut()
    server = serve(context, speak)
    for text, cost in (("ab", 2.0), ("abc", 3.0)):      # while it hears, and before
        seen = {row["id"] for row in server.calls()}
        connection = Connection(server.port)
        connection.request("POST", "/v1/audio/speech", [("content-type", "application/json")],
                           json.dumps({"model": "say", "input": text, "voice": "v"}), server.keys["main"])
        if text == "ab":
            assert connection.answer(until=b"x").status == 200
        else:
            assert wait_for(lambda: len(context.upstreams["a"].requests) == 2)
        connection.close()
        rows = server.calls(seen, 1)
        assert len(rows) == 1 and rows[0]["end"] == "cancelled", rows
        assert abs(rows[0]["cost"] - cost) < 1e-9, rows


def test_events_that_break_off_end_with_an_error(context):
    def broken(request, wire):
        wire.start_stream()
        for i in range(3):
            wire.event({"type": "image_generation.partial_image", "b64_json": "A" * 40_000})
        wire.cut()
    server = serve(context, broken)
    answer = ask(server, "/v1/images/generations", {"model": "draw", "prompt": "p", "stream": True})
    assert answer.status == 200 and answer.complete and answer.error(), answer.text[-300:]


def test_events_tell_their_usage(context):
    def stream(request, wire):
        wire.start_stream()
        wire.event({"type": "image_generation.partial_image", "b64_json": "AAAA"})
        wire.event({"type": "image_generation.completed", "b64_json": "BBBB", "usage": {"input_tokens": 5, "output_tokens": 7}})
        wire.end_stream()
    server = serve(context, stream)
    answer = ask(server, "/v1/images/generations", {"model": "draw-tokens", "prompt": "p", "stream": True})
    assert [item["b64_json"] for item in answer.data()] == ["AAAA", "BBBB"], answer.text
    call = row_of(server, answer)
    assert call["input"] == 5 and call["output"] == 7 and call["stream"] is True, call


def test_transcriptions_are_paid_by_the_minute(context):
    server = serve(context, answers(200, JSON, '{"text":"The sun rises.","usage":{"type":"duration","seconds":30}}'))
    parts = [("file", b"RIFF\x00\x01\xff", "a.wav", "audio/wav"), ("model", "write"), ("language", "en")]
    answer = ask(server, "/v1/audio/transcriptions", form(parts), f'multipart/form-data; boundary="{BOUNDARY}"')
    assert answer.status == 200 and answer.json()["text"] == "The sun rises.", answer.text
    assert answer.header("x-ajar-cost-usd") == "0.300000000", answer.headers
    # Plain text, as response_format=text asks for, passes as it is.
    context.upstreams["a"].reset(answers(200, [("content-type", "text/plain")], "The sun rises.\n"))
    answer = ask(server, "/v1/audio/translations", form(parts), f"multipart/form-data; boundary={BOUNDARY}")
    assert answer.text == "The sun rises.\n" and answer.header("content-type") == "text/plain"
    assert context.upstreams["a"].requests[0].path == "/v1/audio/translations"


def test_rerank_in_the_forms_of_cohere_and_jina(context):
    told = {"id": "r1", "results": [{"index": 1, "relevance_score": 0.2}, {"index": 0, "relevance_score": 0.9}],
            "meta": {"billed_units": {"search_units": 1}}}
    server = serve(context, answers(200, JSON, json.dumps(told)))
    answer = ask(server, "/v1/rerank", {"model": "order", "query": "q", "documents": ["a", {"text": "b", "id": 7}],
                                        "return_documents": True, "top_n": 5, "rank_fields": ["text"]})
    assert answer.status == 200, answer.text
    got = answer.json()
    assert [(r["index"], r["relevance_score"], r["document"]) for r in got["results"]] == [
        (0, 0.9, {"text": "a"}), (1, 0.2, {"text": "b", "id": 7})], got
    assert got["meta"]["billed_units"]["search_units"] == 1
    assert answer.header("x-ajar-cost-usd") == "0.002000000", answer.headers
    assert context.upstreams["a"].requests[0].path == "/v1/rerank"
    assert context.upstreams["a"].requests[0].json() == {"model": "order", "query": "q", "documents": ["a", "b"], "top_n": 2,
                                                         "rank_fields": ["text"]}
    context.upstreams["a"].reset(answers(200, JSON, '[{"index":0,"score":0.5},{"index":1,"score":0.75}]'))   # TEI
    answer = ask(server, "/v2/rerank", {"model": "order", "query": "q", "documents": ["a", "b"], "top_n": 1})
    assert [r["index"] for r in answer.json()["results"]] == [1], answer.text


def test_a_ranking_of_unknown_documents_is_an_error(context):
    server = serve(context, answers(200, JSON, '{"results":[{"index":9,"relevance_score":1}]}'))
    answer = ask(server, "/v1/rerank", {"model": "order", "query": "q", "documents": ["a"]})
    assert answer.status == 502 and "index" in answer.error()["message"], answer.text


def test_another_target_answers_when_the_first_fails(context):
    server = serve(context, answers(500, JSON, '{"error":{"message":"down"}}'),
                   answers(200, JSON, '{"created":1,"data":[{"url":"u"}]}'))
    answer = ask(server, "/v1/images/generations", {"model": "two", "prompt": "p"})
    assert answer.status == 200 and answer.header("x-ajar-attempts") == "2", (answer.status, answer.headers)
    # An error inside a 200 is a failure, too.
    context.upstreams["a"].reset(answers(200, JSON, '{"error":{"message":"no","type":"server_error"}}'))
    answer = ask(server, "/v1/images/generations", {"model": "two", "prompt": "p"})
    assert answer.status == 200 and answer.header("x-ajar-target") == "b/draw", answer.text


def test_bad_requests_name_the_field(context):
    server = serve(context)
    multipart = f"multipart/form-data; boundary={BOUNDARY}"
    for path, body, kind, status, said in (
            ("/v1/moderations", {}, "application/json", 400, "input"),
            ("/v1/audio/speech", {"input": "x"}, "application/json", 400, "model"),
            ("/v1/images/generations", {"prompt": "x", "n": 0}, "application/json", 400, "n"),
            ("/v1/images/generations", {"prompt": "x", "n": "two"}, "application/json", 400, "n"),
            ("/v1/images/generations", "{", "application/json", 400, "JSON"),
            ("/v1/audio/transcriptions", {"model": "x"}, "application/json", 400, "multipart/form-data"),
            ("/v1/moderations", form([("input", "x")]), multipart, 400, "application/json"),
            ("/v1/audio/transcriptions", form([("model", "x")]), multipart, 400, "file"),
            ("/v1/audio/transcriptions", form([("file", "x", "f")]), multipart, 400, "model"),
            ("/v1/audio/transcriptions", b"--xyzzy\r\nno end", multipart, 400, "form"),
            ("/v1/audio/transcriptions", b"nothing", multipart, 400, "boundary"),
            ("/v1/audio/transcriptions", b"x", "multipart/form-data", 400, "boundary"),
            ("/v1/rerank", {"model": "m", "query": "q", "documents": []}, "application/json", 400, "documents"),
            ("/v1/rerank", {"model": "m", "query": "q", "documents": [1]}, "application/json", 400, "documents[0]"),
            ("/v1/rerank", {"model": "m", "documents": ["a"]}, "application/json", 400, "query"),
            ("/v1/rerank", {"model": "claude", "query": "q", "documents": ["a"]}, "application/json", 400, "rerank"),
            ("/v1/images/generations", {"model": "claude", "prompt": "q"}, "application/json", 400, "images")):
        answer = ask(server, path, body, kind)
        assert answer.status == status and said in answer.text, (path, body, answer.status, answer.text)
    answer = ask(server, "/v1/moderations", None, method="GET")
    assert answer.status == 405, answer.status
    assert context.upstreams["a"].requests == []


def test_a_budget_covers_pictures(context):
    server = serve(context, answers(200, JSON, '{"created":1,"data":[{"url":"u"}]}'))
    server.new_key("painter", usd_day=0.1)
    statuses = [ask(server, "/v1/images/generations", {"model": "draw", "prompt": "p"}, key="painter").status
                for _ in range(4)]
    assert statuses == [200, 200, 402, 402], statuses
