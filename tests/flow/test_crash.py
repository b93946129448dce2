"""What survives kill -9, how SIGTERM ends, and what is said when a start is not possible."""
import json
import pathlib
import resource
import signal
import socket
import threading
import time

from lib.client import Connection, call, chat, chat_body
from lib.server import StartFailed
from lib.upstream import chat_json, stream_events, wait_for

CONFIG = """
[server]
threads = 2
drain_timeout = "20s"
[providers.a]
base_url = "{a}/v1"
prices.m = { input = 1000.0, output = 2000.0 }
[routes.r]
retries = 0
breaker_failures = 0
targets = [{ provider = "a", model = "m" }]
"""
COST = 0.02      # of one answer below


def answer(request, wire):
    wire.whole(200, [("content-type", "application/json")], json.dumps(chat_json("hello")))


def kill_under_load(context, seconds):
    context.upstreams["a"].reset(answer)
    server = context.server(CONFIG)
    key, port = server.keys["main"], server.port
    finished, made, started, stop = [], [], [0], threading.Event()

    def load():
        while not stop.is_set():
            started[0] += 1
            try:
                if chat(port, key, timeout=10).status == 200:
                    finished.append(time.monotonic())
            except OSError:
                return

    def make_keys():
        number = 0
        while not stop.is_set():
            number += 1
            try:
                got = server.admin("POST", "keys", {"name": f"k{number}", "rpm": number})
            except OSError:
                return
            if got.status == 201:
                made.append((f"k{number}", got.json()["secret"], number))

    workers = [threading.Thread(target=load, daemon=True) for _ in range(6)]
    workers.append(threading.Thread(target=make_keys, daemon=True))
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    killed = time.monotonic()
    server.process.kill()
    stop.set()
    for worker in workers:
        worker.join(20)
    server.process.wait()
    sure = sum(1 for at in finished if at <= killed - 0.15)
    assert sure > 0 and made, "there was no load to speak of"
    server.start()
    spent = server.key("default")["spent"]["usd_month"]
    assert spent >= sure * COST - 1e-9, f"{sure} calls had ended 150 ms before the kill, but only ${spent} are booked"
    assert spent <= started[0] * COST + 1e-9, f"${spent} for {started[0]} calls"
    keys = {row["name"]: row for row in server.admin("GET", "keys").json()["data"]}
    for name, secret, rpm in made:
        assert name in keys and keys[name]["rpm"] == rpm, f"the key {name} is forgotten"
    assert call(server.port, "GET", "/v1/models", made[-1][1]).status == 200
    assert chat(server.port, key).status == 200
    rows = len(server.admin("GET", "calls?limit=10000").json()["data"])
    return f"{len(finished)} calls, {sure} surely settled, {round(spent / COST)} booked, {rows} rows, {len(made)} keys"


def test_kill_under_load_loses_no_key_and_no_settled_spend(context):
    for seconds in (0.7, 1.1, 1.6):
        context.note(kill_under_load(context, seconds))


def test_sigterm_lets_streams_end_and_refuses_new_connections(context):
    go = threading.Event()

    def slow(request, wire):
        wire.start_stream()
        events = stream_events(["one ", "two "])
        wire.event(events[0])
        go.wait(30)
        for event in events[1:]:
            wire.event(event)
        wire.end_stream()
    context.upstreams["a"].reset(slow)
    server = context.server(CONFIG)
    idle = Connection(server.port)
    idle.request("GET", "/readyz")
    assert idle.answer().status == 200
    with Connection(server.port) as running:
        running.request("POST", "/v1/chat/completions", body=chat_body("r", True), key=server.keys["main"])
        head = running.head()
        assert head.status == 200
        server.signal(signal.SIGTERM)

        def refused():
            try:
                socket.create_connection(("127.0.0.1", server.port), 2).close()
                return False
            except OSError:
                return True
        assert wait_for(refused, 10), "new connections are still accepted"
        assert server.process.poll() is None, "it did not wait for the running stream"
        idle.sock.settimeout(10)
        assert idle.sock.recv(10) == b"", "an idle connection was not closed"
        go.set()
        running.body(head)
        assert head.complete and head.done() and head.content() == "one two ", head.text
    assert server.wait(20) == 0, f"exit status {server.process.returncode}"
    server.start()
    rows = server.calls(count=1)
    assert [row["end"] for row in rows] == ["complete"], rows


def test_sigterm_cuts_what_does_not_end_in_time_and_says_so(context):
    context.upstreams["a"].reset(lambda request, wire: (
        wire.start_stream(), wire.event(stream_events(["one "])[0]), wire.wait_close(60), wire.cut()))
    server = context.server(CONFIG.replace("20s", "1s"))
    with Connection(server.port) as running:
        running.request("POST", "/v1/chat/completions", body=chat_body("r", True), key=server.keys["main"])
        head = running.head()
        server.signal(signal.SIGTERM)
        try:
            running.body(head)
        except OSError:
            pass
        assert not head.done(), head.text
    assert server.wait(20) == 0, f"exit status {server.process.returncode}"
    server.start()
    rows = server.calls(count=1)
    assert len(rows) == 1 and rows[0]["end"] in ("cancelled", "cut"), rows
    assert rows[0]["input"] > 0, rows


def fails_to_start(context, config=CONFIG, **more):
    try:
        context.server(config, **more)
    except StartFailed as error:
        return str(error)
    raise AssertionError("it started")


def test_a_second_server_on_the_same_data_is_refused(context):
    server = context.server(CONFIG)
    other = fails_to_start(context, CONFIG, arguments=["--data", str(server.data)])
    assert "another ajar is using the data folder" in other and str(server.data) in other, other
    assert chat(server.port, "sk-ajar-none").status == 401


def test_a_port_in_use_is_said(context):
    server = context.server(CONFIG)
    said = fails_to_start(context, CONFIG, arguments=["--listen", f"127.0.0.1:{server.port}"])
    assert str(server.port) in said and "in use" in said.lower(), said


def test_a_data_folder_that_cannot_be_is_said(context):
    said = fails_to_start(context, CONFIG, arguments=["--data", "/dev/null/data"])
    assert "data folder" in said and "/dev/null/data" in said, said


def test_a_database_that_is_none_is_said(context):
    server = context.server(CONFIG)
    assert server.stop() is None
    for extra in ("-wal", "-shm"):
        pathlib.Path(str(server.data / "ajar.db") + extra).unlink(missing_ok=True)
    (server.data / "ajar.db").write_bytes(b"this is not a database at all, but long enough to look at" * 100)
    try:
        server.start()
        raise AssertionError("it started")
    except StartFailed as error:
        assert "ajar.db" in str(error) and "database" in str(error), error


def test_a_bad_configuration_is_said_with_its_place(context):
    said = fails_to_start(context, CONFIG.replace("retries", "retires"))
    assert "ajar.toml:9:1: unknown key 'retires' (did you mean 'retries'?)" in said, said


def test_a_full_disk_stops_no_answers_and_loses_no_spend(context):
    """No file may grow: what a full disk looks like to SQLite. Serving goes on; spend is written once there is room."""
    context.upstreams["a"].reset(answer)
    server = context.server(CONFIG.replace("[server]", '[server]\naccess_log = "off"'))
    key = server.new_key("app", usd_day=100)
    assert chat(server.port, key).status == 200
    server.calls(count=1)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    for _ in range(20):
        assert chat(server.port, key).status == 200
    assert server.key("app")["spent"]["usd_day"] == 21 * COST
    refused = server.admin("POST", "keys", {"name": "later"})
    assert refused.status >= 500 and refused.error()["message"], (refused.status, refused.text)
    assert call(server.port, "GET", "/healthz").status == 200
    assert chat(server.port, key).status == 200
    metrics = server.metrics()
    context.note(f"while full: {metrics['ajar_call_rows_failed_total']:g} rows failed, "
                 f"{metrics['ajar_call_rows_waiting']:g} wait")
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert chat(server.port, key).status == 200
    assert wait_for(lambda: server.admin("POST", "keys", {"name": "later"}).status in (201, 409), 10)
    time.sleep(0.5)
    server.kill()
    server.start()
    spent = server.key("app")["spent"]["usd_day"]
    assert abs(spent - 23 * COST) < 1e-9, f"spent after the restart: {spent}, expected {23 * COST}"
