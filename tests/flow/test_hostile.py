"""Clients that hold connections, send too much, or too deep: others are served, and all is given back."""
import socket
import time

from lib.client import Connection, call, chat_body
from lib.upstream import wait_for


def quick(server):
    began = time.monotonic()
    answer = call(server.port, "GET", "/healthz")
    assert answer.status == 200, answer.status
    return time.monotonic() - began


def test_a_thousand_half_open_connections_disturb_nobody(context):
    server = context.common()
    held = []
    try:
        for i in range(1000):
            connection = socket.create_connection(("127.0.0.1", server.port), 10)
            if i % 2:
                connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-half: ")
            held.append(connection)
        slowest = max(quick(server) for _ in range(20))
        assert slowest < 5, f"{slowest:.2f} s for /healthz beside 1,000 half-open connections"
        context.note(f"slowest of 20 healthz beside them: {slowest * 1000:.0f} ms")
        # header_timeout is 2 s here: those that began a request are told 408, all are let go.
        held[1].settimeout(30)
        first = held[1].recv(100)
        assert b" 408 " in first, first
        assert wait_for(lambda: server.metrics()["ajar_client_connections"] <= 2, 30), "connections stay open"
    finally:
        for connection in held:
            connection.close()


def test_slow_readers_of_heads_do_not_hold_a_place_forever(context):
    """A slowloris: one byte now and then never resets the deadline of the head."""
    server = context.common()
    with Connection(server.port) as slow:
        slow.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        began = time.monotonic()
        try:
            while time.monotonic() - began < 20:
                slow.sock.sendall(b"x")
                time.sleep(0.2)
                quick(server)
        except OSError:
            pass
        took = time.monotonic() - began
        assert took < 15, f"still open after {took:.0f} s"


def test_a_body_over_the_limit_is_413_before_it_is_read(context):
    server = context.common()
    with Connection(server.port) as connection:
        connection.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " +
                        server.keys["main"].encode() + b"\r\ncontent-length: 2000000\r\n\r\n")
        answer = connection.answer()
    assert answer.status == 413, answer.status
    assert answer.error()["message"], answer.text
    body = chat_body()
    body["messages"][0]["content"] = "x" * 1_100_000
    answer = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], body)
    assert answer.status == 413, (answer.status, answer.text)
    # Chunked, so that the length is not known before.
    with Connection(server.port) as connection:
        connection.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        try:
            for _ in range(20):
                connection.sock.sendall(piece)
        except OSError:
            pass
        assert connection.answer().status == 413


def test_a_body_just_under_the_limit_goes_through_byte_for_byte(context):
    server = context.common()
    text = "ü" * 200_000 + "x" * 500_000
    seen = []

    def answer(request, wire):
        seen.append(request.json()["messages"][0]["content"] == text)
        wire.whole(200, [("content-type", "application/json")],
                   '{"choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}')
    context.upstreams["a"].reset(answer)
    body = chat_body()
    body["messages"][0]["content"] = text
    import json
    data = json.dumps(body, ensure_ascii=False).encode()
    answer = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], data)
    assert answer.status == 200 and seen == [True], (answer.status, seen)


def test_a_head_over_the_limit_is_431(context):
    server = context.common()
    answer = call(server.port, "GET", "/healthz", headers=[("x-big", "y" * 40_000)])
    assert answer.status == 431, answer.status
    answer = call(server.port, "GET", "/" + "y" * 20_000)
    assert answer.status in (414, 431), answer.status
    answer = call(server.port, "GET", "/healthz", headers=[(f"x-{i}", "y") for i in range(3000)])
    assert answer.status == 431, answer.status


def test_json_nested_ten_thousand_deep_is_400(context):
    server = context.common()
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * 10_000 + "1" + closing * 10_000
        for body in (deep, '{"model":"r","messages":%s}' % deep, '{"model":"r","messages":[],"x":%s}' % deep):
            answer = call(server.port, "POST", "/v1/chat/completions", server.keys["main"], body)
            assert answer.status == 400, (answer.status, answer.text[:200])
            assert "deep" in answer.text or "depth" in answer.text or "nest" in answer.text, answer.text[:300]
    assert quick(server) < 5


def test_more_connections_than_allowed_are_503_and_then_fine_again(context):
    server = context.server("""
[server]
max_connections = 20
idle_timeout = "60s"
header_timeout = "60s"
[providers.a]
base_url = "{a}/v1"
[routes.r]
targets = [{ provider = "a" }]
""")
    held = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(20)]

    def refused():
        try:
            return call(server.port, "GET", "/healthz").status == 503
        except OSError:
            return False
    assert wait_for(refused, 10), "the 21st connection was not refused with 503"
    for connection in held:
        connection.close()
    assert wait_for(lambda: call(server.port, "GET", "/healthz").status == 200, 10)
