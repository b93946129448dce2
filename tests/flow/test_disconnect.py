"""Clients that leave, and clients that read slowly."""
import os
import threading
import time

from lib.client import Connection, chat_body
from lib.upstream import chat_chunk, stream_events, wait_for

LIMIT = 1.0      # seconds until the upstream must see the close


def leave(context, how, words, stream=True, wait=0.1):
    """A client that leaves after `words` words; gives the call's row."""
    server = context.common()
    upstream = context.upstreams["a"]
    seen = {row["id"] for row in server.calls()}
    sent = threading.Event()
    closed = []

    def answer(request, wire):
        if words:
            wire.start_stream()
            for word in words:
                wire.event(chat_chunk(word))
        sent.set()
        closed.append((wire.wait_close(30), time.monotonic()))
        wire.cut()
    upstream.reset(answer)
    connection = Connection(server.port)
    connection.request("POST", "/v1/chat/completions", body=chat_body("r", stream), key=server.keys["main"])
    assert sent.wait(20), "the upstream got no request"
    if words and stream:
        head = connection.head()
        try:
            connection.sock.settimeout(0.3)
            connection.body(head)
        except TimeoutError:
            pass
        assert head.content() == "".join(words), head.text
    time.sleep(wait)
    left = time.monotonic()
    getattr(connection, how)()
    assert wait_for(lambda: closed, 40) and closed[0][0] is not None, "the upstream saw no close"
    delay = closed[0][1] - left
    context.note(f"{how} after {len(words)} events: upstream closed {delay * 1000:.1f} ms later")
    assert delay < LIMIT, f"the upstream saw the close only after {delay:.2f} s"
    rows = server.calls(seen, 1)
    assert len(rows) == 1 and rows[0]["end"] == "cancelled", rows
    assert rows[0]["status"] == 499, rows
    return rows[0]


def test_leaving_before_the_first_byte_is_billed_for_the_question(context):
    for how in ("close", "reset"):
        row = leave(context, how, [])
        assert row["input"] > 0 and row["output"] == 0 and row["cost"] > 0 and row["usage_estimated"], row


def test_leaving_before_the_first_byte_of_a_whole_answer(context):
    row = leave(context, "close", [], stream=False)
    assert row["input"] > 0 and row["output"] == 0 and row["cost"] > 0, row


def test_leaving_mid_stream_is_billed_for_what_came(context):
    for how in ("close", "reset"):
        row = leave(context, how, ["hello there, ", "how are you today?"])
        assert row["input"] > 0 and row["output"] > 0 and row["usage_estimated"], row
        assert row["cost"] > 0, row


def test_leaving_a_whole_answer_that_the_upstream_streams(context):
    row = leave(context, "close", ["hello there, ", "how are you today?"], stream=False, wait=0.3)
    assert row["output"] > 0 and row["cost"] > 0, row


def test_nothing_is_left_running(context):
    server = context.common()
    metrics = wait_for(lambda: (m := server.metrics())["ajar_in_flight_requests"] == 0 and m, 10)
    assert metrics, "calls are still counted as running"
    assert server.key("default")["spent"]["active"] == 0
    assert server.key("default")["spent"]["usd_reserved"] == 0


def test_a_client_that_reads_slowly_holds_the_upstream_back_and_loses_nothing(context):
    # A server of its own, without the shelves on which AddressSanitizer keeps what was freed and stacks that were left.
    options = [os.environ.get("ASAN_OPTIONS", ""), "quarantine_size_mb=0", "thread_local_quarantine_size_kb=0", "detect_stack_use_after_return=0"]
    server = context.server(context.common_config(), environment={"ASAN_OPTIONS": ":".join(filter(None, options))})
    piece, count = "x" * 8000, 4000        # 32 MB of text
    progress = [0]

    def answer(request, wire):
        wire.start_stream()
        for i in range(count):
            wire.event(chat_chunk(f"{i:06d}" + piece))
            progress[0] = i + 1
        for event in stream_events([]):
            wire.event(event)
        wire.end_stream()
    context.upstreams["a"].reset(answer)
    with Connection(server.port, timeout=60) as connection:     # what a first stream leaves behind is not this one's
        connection.request("POST", "/v1/chat/completions", body=chat_body("r", True), key=server.keys["main"])
        assert connection.answer().done()
    before = server.rss_kib()
    with Connection(server.port, timeout=60) as connection:
        connection.request("POST", "/v1/chat/completions", body=chat_body("r", True), key=server.keys["main"])
        head = connection.head()
        last = [-1, 0.0]

        def stuck():       # no progress for half a second
            if progress[0] != last[0]:
                last[:] = [progress[0], time.monotonic()]
            return time.monotonic() - last[1] > 0.5
        assert wait_for(stuck, 30), "the upstream could send on and on"
        held = progress[0]
        grown = server.rss_kib() - before
        assert held < count, "the whole stream was taken although nobody read it"
        assert grown < 4 * 1024, f"the server grew by {grown} KiB"
        context.note(f"upstream stopped after {held * 8 // 1000} of {count * 8 // 1000} MB; server grew {grown} KiB")
        connection.body(head)
    text = head.content()
    assert head.complete and head.done()
    assert len(text) == count * (len(piece) + 6), len(text)
    assert all(text[i * 8006:i * 8006 + 6] == f"{i:06d}" for i in range(count)), "pieces are missing or in disorder"


def test_a_client_that_reads_nothing_at_all_is_given_up(context):
    server = context.server("""
[server]
write_timeout = "1s"
[providers.a]
base_url = "{a}/v1"
[routes.r]
retries = 0
targets = [{ provider = "a", model = "m" }]
""")
    ended = []

    def answer(request, wire):
        wire.start_stream()
        try:
            for _ in range(100_000):
                wire.event(chat_chunk("x" * 8000))
        except OSError:
            ended.append(True)
            raise
    context.upstreams["a"].reset(answer)
    with Connection(server.port) as connection:
        connection.request("POST", "/v1/chat/completions", body=chat_body("r", True), key=server.keys["main"])
        assert wait_for(lambda: ended, 30), "the upstream is still sending"
    rows = server.calls(count=1)
    assert rows[0]["end"] == "cancelled", rows


def test_leaving_while_a_retry_waits_sends_nothing_more(context):
    server = context.server("""
[providers.a]
base_url = "{a}/v1"
[routes.r]
retries = 3
max_retry_wait = "10s"
targets = [{ provider = "a", model = "m" }]
""")
    context.upstreams["a"].reset(lambda request, wire: wire.whole(429, [("retry-after", "2")], "{}"))
    connection = Connection(server.port)
    connection.request("POST", "/v1/chat/completions", body=chat_body("r"), key=server.keys["main"])
    assert wait_for(lambda: context.upstreams["a"].requests, 20)
    time.sleep(0.2)
    connection.close()
    rows = server.calls(count=1)
    assert len(rows) == 1 and rows[0]["end"] == "cancelled" and rows[0]["total_s"] < 1.5, rows
    time.sleep(2.5)
    assert len(context.upstreams["a"].requests) == 1
