"""Framings and credentials of the providers that need their own: what the server sends, and what it makes of the answers."""
import base64
import json
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import zlib

from lib.client import Connection, call, chat_body
from lib.upstream import wait_for

ROUTE = 'retries = 0\nbreaker_failures = 0\nfirst_token_timeout = "10s"\n'


def route(name, provider, model, more=""):
    return f'[routes."{name}"]\n{ROUTE}{more}targets = [{{ provider = "{provider}", model = "{model}" }}]\n'


# ---- AWS event streams and signatures

def message(name, payload, kind="event"):
    headers = b""
    for key, value in ((f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)):
        headers += bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    body = json.dumps(payload).encode()
    head = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    head += struct.pack(">I", zlib.crc32(head))
    return head + headers + body + struct.pack(">I", zlib.crc32(head + headers + body))


def text(words):
    return [message("messageStart", {"role": "assistant"})] + [
        message("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in words]


END = [message("contentBlockStop", {"contentBlockIndex": 0}), message("messageStop", {"stopReason": "end_turn"}),
       message("metadata", {"usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}})]
BEDROCK = """
[providers.w]
preset = "bedrock"
base_url = "{a}"
region = "eu-west-1"
access_key_id = "AKIDEXAMPLE"
secret_access_key = "${UPSTREAM_KEY}"
session_token = "${TOKEN}"
free = true
""" + route("w", "w", "us.amazon.nova-lite-v1:0")


def bedrock(context, frames, split=0):
    """(answer, request) of one streamed call whose upstream sends these frames."""
    server = context.server(BEDROCK, environment={"TOKEN": "session-token-1"})
    upstream = context.upstreams["a"]

    def answer(request, wire):
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n"
                          b"transfer-encoding: chunked\r\n\r\n")
        wire.split = split
        wire.chunk(b"".join(frames))
        wire.split = 0
        wire.end_stream()
    upstream.reset(answer)
    told = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], chat_body("w", True))
    return told, upstream.requests[0]


def test_bedrock_is_signed_and_streams(context):
    told, request = bedrock(context, text(["Hé", "llo"]) + END, split=3)
    assert told.status == 200 and told.done() and told.content() == "Héllo", told.text
    assert request.path == "/model/us.amazon.nova-lite-v1%3A0/converse-stream", request.path
    signed = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-west-1/bedrock/aws4_request, "
                          r"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}",
                          request.headers["authorization"])
    assert signed, request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == "session-token-1"


def test_bedrock_corrupt_frame_keeps_what_came_before(context):
    bad = bytearray(message("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "three"}}))
    bad[-6] ^= 1
    told, _ = bedrock(context, text(["one ", "two "]) + [bytes(bad)] + END)
    assert told.content() == "one two " and not told.done(), told.text
    assert "corrupt: its checksum does not match" in told.error()["message"], told.text


def test_bedrock_stream_that_stops_inside_a_frame(context):
    told, _ = bedrock(context, text(["one"]) + [END[1][:-3]])
    assert told.content() == "one" and not told.done(), told.text
    assert "ended inside a message" in told.error()["message"], told.text


def test_bedrock_exception_in_the_stream(context):
    told, _ = bedrock(context, text(["one"]) + [message("throttlingException", {"message": "slow down"}, "exception")])
    assert told.content() == "one" and not told.done() and "slow down" in told.error()["message"], told.text


# ---- Gemini's array

GEMINI = """
[providers.g]
preset = "custom-gemini"
base_url = "{g}/v1beta"
free = true
""" + route("g", "g", "gemini-2.5-flash")


def gemini_chunk(word, finish=None):
    candidate = {"content": {"role": "model", "parts": [{"text": word}]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2,
                                                         "totalTokenCount": 5}, "modelVersion": "g", "responseId": "r"}


def gemini(context, body, split=0):
    server = context.shared_server(GEMINI)

    def answer(request, wire):
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\n"
                          b"transfer-encoding: chunked\r\n\r\n")
        wire.split = split
        wire.chunk(body)
        wire.split = 0
        wire.end_stream()
    context.upstreams["g"].reset(answer)
    return call(server.port, "POST", "/v1/chat/completions", server.keys["main"], chat_body("g", True))


def test_gemini_array_is_a_stream(context):
    told = gemini(context, json.dumps([gemini_chunk("Hé"), gemini_chunk("llo", "STOP")], ensure_ascii=False, indent=1), split=3)
    assert told.status == 200 and told.done() and told.content() == "Héllo", told.text


def test_gemini_array_cut_in_two(context):
    whole = json.dumps([gemini_chunk("one "), gemini_chunk("two", "STOP")])
    told = gemini(context, whole[:whole.index("two")])
    assert told.content() == "one " and not told.done(), told.text
    assert "ended before its last bracket" in told.error()["message"], told.text


def test_gemini_array_of_an_error(context):
    told = gemini(context, json.dumps([{"error": {"code": 400, "message": "no such thing", "status": "INVALID_ARGUMENT"}}]))
    assert told.status == 400 and "no such thing" in told.error()["message"], told.text


# ---- Google's service accounts

def vertex_config(context, folder, token_uri):
    if not shutil.which("openssl"):
        raise context.Skip("there is no openssl to make a key with")
    key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
    file = pathlib.Path(folder) / "account.json"
    file.write_text(json.dumps({"type": "service_account", "client_email": "a@p.iam.gserviceaccount.com",
                                "private_key": key, "private_key_id": "k1", "token_uri": token_uri}))
    return file, f"""
[providers.v]
preset = "vertex"
base_url = "{{g}}"
project = "p"
location = "europe-west4"
credentials = "{file}"
free = true
""" + route("v", "v", "gemini-2.5-flash")


def test_vertex_fetches_one_token_and_another_when_it_is_refused(context):
    tokens, made = context.upstreams["b"], []

    def give(request, wire):
        claims = request.body.decode().split("assertion=")[1].split(".")[1]
        made.append(json.loads(base64.urlsafe_b64decode(claims + "==")))
        wire.whole(200, [("content-type", "application/json")],
                   json.dumps({"access_token": f"token-{len(made)}", "expires_in": 3600, "token_type": "Bearer"}))
    tokens.reset(give)

    def answer(request, wire):
        known = request.headers.get("authorization") in ("Bearer token-1", "Bearer token-2")
        revoked = request.headers.get("authorization") == "Bearer token-1" and len(context.upstreams["g"].requests) > 4
        if not known or revoked:
            bad = {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "bad " + request.headers["authorization"]}}
            return wire.whole(401, [("content-type", "application/json")], json.dumps(bad))
        wire.whole(200, [("content-type", "application/json")], json.dumps(gemini_chunk("yes", "STOP")))
    context.upstreams["g"].reset(answer)
    with tempfile.TemporaryDirectory() as folder:
        _, config = vertex_config(context, folder, tokens.url + "/token")
        server = context.server(config)
        ask = lambda: call(server.port, "POST", "/v1/chat/completions", server.keys["main"], chat_body("v"))  # noqa: E731
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [a.status for a in answers] == [200] * 4, [a.text for a in answers]
        assert len(made) == 1, f"{len(made)} tokens were fetched for four calls at once"
        assert made[0]["aud"] == tokens.url + "/token" and made[0]["exp"] - made[0]["iat"] == 3600, made
        path = context.upstreams["g"].requests[0].path
        assert path == "/v1/projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent", path
        refused = ask()
        assert refused.status == 502 and "refused Ajar's credentials" in refused.error()["message"], refused.text
        assert "token-1" not in refused.text, "the token was told to the client"
        assert ask().status == 200 and len(made) == 2, made


def test_vertex_token_endpoint_down(context):
    gone = context.upstreams["b"]
    gone.reset(lambda request, wire: wire.whole(400, [("content-type", "application/json")], json.dumps(
        {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})))
    with tempfile.TemporaryDirectory() as folder:
        file, config = vertex_config(context, folder, gone.url + "/token")
        server = context.server(config)
        told = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], chat_body("v"))
        assert told.status == 502, told.text
        assert str(file) in told.error()["message"] and "invalid_grant" in told.error()["message"], told.text
        assert "PRIVATE KEY" not in told.text + server.log()
    with tempfile.TemporaryDirectory() as folder:
        file, config = vertex_config(context, folder, "http://127.0.0.1:9/token")       # the discard port: nobody listens
        server = context.server(config)
        told = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], chat_body("v"))
        assert told.status == 503 and str(file) in told.error()["message"], told.text


# ---- Lines of JSON

OLLAMA = """
[providers.o]
preset = "ollama-native"
base_url = "{a}"
""" + route("o", "o", "qwen3")


def ollama(context, lines, path, body):
    server = context.shared_server(OLLAMA)

    def answer(request, wire):
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n")
        wire.split = 3
        wire.chunk("".join(lines))
        wire.split = 0
        wire.end_stream()
    context.upstreams["a"].reset(answer)
    return call(server.port, "POST", path, server.keys["main"], body)


def line(content, **more):
    return json.dumps({"model": "qwen3", "created_at": "2024-01-01T00:00:00Z",
                       "message": {"role": "assistant", "content": content}, "done": False, **more}, ensure_ascii=False) + "\n"


LAST = line("", done=True, done_reason="stop", prompt_eval_count=3, eval_count=2)


def test_ollama_lines_in_and_out(context):
    told = ollama(context, [line("Hé"), line("llo"), LAST.rstrip("\n")], "/v1/chat/completions", chat_body("o", True))
    assert told.done() and told.content() == "Héllo", told.text
    told = ollama(context, [line("Hé"), line("llo"), LAST], "/api/chat",
                  {"model": "o", "messages": [{"role": "user", "content": "x"}]})
    assert told.header("content-type") == "application/x-ndjson", told.header("content-type")
    values = [json.loads(part) for part in told.text.splitlines()]
    assert "".join(value["message"]["content"] for value in values) == "Héllo", told.text
    assert [value["done"] for value in values] == [False, False, True] and values[-1]["eval_count"] == 2, told.text


def test_ollama_stream_that_breaks_off_ends_with_an_error(context):
    for lines in ([line("one")], [line("one"), LAST[:40]], [line("one"), '{"error":"CUDA error"}\n']):
        told = ollama(context, lines, "/api/generate", {"model": "o", "prompt": "x"})
        values = [json.loads(part) for part in told.text.splitlines()]
        assert values[0]["response"] == "one" and "error" in values[-1], told.text
        assert not any(value.get("done") for value in values), told.text


def test_ollama_errors_and_keys(context):
    server = context.shared_server(OLLAMA)
    told = call(server.port, "POST", "/api/chat", None, {"model": "o", "messages": [{"role": "user", "content": "x"}]})
    assert told.status == 401 and "no API key" in told.json()["error"], told.text
    told = call(server.port, "POST", "/api/chat", server.keys["main"], {"model": "nothing", "messages": [{"role": "user", "content": "x"}]})
    assert told.status == 404 and "nothing" in told.json()["error"], told.text
    told = call(server.port, "POST", "/api/generate", server.keys["main"], {"model": "o", "prompt": "x", "raw": True})
    assert told.status == 400, told.text
    for path, more in (("/api/generate", {"prompt": ""}), ("/api/chat", {"messages": []}), ("/api/generate", {"keep_alive": 0})):
        told = call(server.port, "POST", path, server.keys["main"], {"model": "o", **more})
        assert told.json()["done_reason"] == ("unload" if "keep_alive" in more else "load"), told.text
        assert call(server.port, "POST", path, server.keys["main"], {"model": "x", **more}).status == 404
        assert call(server.port, "POST", path, None, {"model": "o", **more}).status == 401
    told = call(server.port, "GET", "/api/tags", server.keys["main"])
    assert [model["model"] for model in told.json()["models"]] == ["o"], told.text
    assert call(server.port, "POST", "/api/show", server.keys["main"], {"model": "x"}).status == 404


# ---- Replicate

REPLICATE = """
[providers.r]
preset = "replicate"
base_url = "{a}/v1"
api_key = "${UPSTREAM_KEY}"
free = true
""" + route("r", "r", "owner/name")


def prediction(base, status, **more):
    urls = {"get": base + "/v1/predictions/1", "cancel": base + "/v1/predictions/1/cancel", "stream": base + "/v1/stream/1"}
    return json.dumps({"id": "1", "status": status, "output": None, "error": None, "urls": urls, **more})


def test_replicate_is_asked_until_it_has_ended(context):
    server, upstream = context.shared_server(REPLICATE), context.upstreams["a"]
    states = [prediction(upstream.url, "starting"), prediction(upstream.url, "processing"),
              prediction(upstream.url, "succeeded", output=["Hé", "llo"],
                         metrics={"input_token_count": 3, "output_token_count": 2})]
    upstream.reset(lambda request, wire: wire.whole(200, [("content-type", "application/json")], states[len(upstream.requests) - 1]))
    told = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], chat_body("r"))
    assert told.status == 200 and told.content() == "Héllo" and told.json()["usage"]["total_tokens"] == 5, told.text
    assert [(r.method, r.path) for r in upstream.requests] == [
        ("POST", "/v1/models/owner/name/predictions"), ("GET", "/v1/predictions/1"), ("GET", "/v1/predictions/1")]
    assert upstream.requests[0].headers["prefer"] == "wait"


def test_replicate_is_given_up_when_the_client_leaves(context):
    server, upstream = context.shared_server(REPLICATE), context.upstreams["a"]
    streaming, cancelled = threading.Event(), threading.Event()

    def answer(request, wire):
        if request.path.endswith("/cancel"):
            cancelled.set()
            return wire.whole(200, [("content-type", "application/json")], prediction(upstream.url, "canceled"))
        if request.path.startswith("/v1/stream"):
            wire.start_stream()
            wire.chunk("event: output\ndata: one\n\n")
            streaming.set()
            wire.wait_close(20)
            return wire.cut()
        wire.whole(201, [("content-type", "application/json")], prediction(upstream.url, "starting"))
    upstream.reset(answer)
    connection = Connection(server.port)
    connection.request("POST", "/v1/chat/completions", body=chat_body("r", True), key=server.keys["main"])
    assert streaming.wait(20)
    connection.close()
    assert cancelled.wait(20), "the prediction was not cancelled"
    assert wait_for(lambda: upstream.requests[-1].headers.get("authorization", "").startswith("Bearer "))


def test_replicate_key_goes_to_no_other_host(context):
    server, upstream, other = context.shared_server(REPLICATE), context.upstreams["a"], context.upstreams["b"]
    other.reset(lambda request, wire: wire.whole(200, [], "{}"))
    upstream.reset(lambda request, wire: wire.whole(201, [("content-type", "application/json")],
                                                    prediction(other.url, "starting")))
    told = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], chat_body("r", True))
    assert told.status == 502 and "the key is not sent there" in told.error()["message"], told.text
    assert not other.requests, "the key went to another host"
