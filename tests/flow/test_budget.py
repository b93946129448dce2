"""Budgets hold when many calls race for them."""
import json
import threading
import time

from lib.client import chat
from lib.upstream import chat_json, stream_events, wait_for

CONFIG = """
[providers.a]
base_url = "{a}/v1"
prices.m = { input = 1000.0, output = 2000.0 }
[routes.r]
retries = 0
breaker_failures = 0
targets = [{ provider = "a", model = "m" }]
"""


def answer(request, wire):
    """Uses exactly what it may: 5 output tokens, 8 input tokens (what "hi" is estimated as, or less)."""
    time.sleep(0.02)
    usage = {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}
    if request.json().get("stream"):
        wire.start_stream()
        for event in stream_events(["one ", "two "], usage):
            wire.event(event)
        wire.end_stream()
    else:
        wire.whole(200, [("content-type", "application/json")], json.dumps(chat_json("hello", usage=usage)))


def race(context, server, keys, account, limit, stream):
    """50 calls at once; the account is watched meanwhile. Gives the statuses."""
    context.upstreams["a"].reset(answer)
    statuses, over, done = [], [], threading.Event()

    def watch():
        while not done.is_set():
            spent = account()
            if spent["usd_day"] + spent["usd_reserved"] > limit + 1e-9:
                over.append(spent)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    callers = [threading.Thread(target=lambda i=i: statuses.append(
        chat(server.port, keys[i % len(keys)], stream=stream and i % 2 == 0, max_tokens=5).status)) for i in range(50)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    done.set()
    watcher.join(30)
    assert len(statuses) == 50, f"only {len(statuses)} of 50 calls were answered"
    assert not over, f"spent and reserved were over the budget of {limit}: {over[:3]}"
    assert set(statuses) <= {200, 402}, sorted(set(statuses))
    assert statuses.count(402) > 0 and statuses.count(200) > 0, statuses
    spent = account()
    assert spent["usd_day"] <= limit + 1e-9, spent
    assert abs(spent["usd_day"] - 0.012 * statuses.count(200)) < 1e-9, (spent, statuses.count(200))
    assert spent["usd_reserved"] == 0 and spent["active"] == 0, spent
    return statuses


def test_fifty_calls_at_once_never_pass_the_budget_of_a_key(context):
    server = context.server(CONFIG)
    key = server.new_key("small", usd_day=0.2)
    statuses = race(context, server, [key], lambda: server.key("small")["spent"], 0.2, stream=True)
    context.note(f"{statuses.count(200)} calls fitted into $0.20, {statuses.count(402)} were refused")
    rows = [row for row in server.calls(count=50) if row["status"] == 200]
    spent = server.key("small")["spent"]["usd_day"]
    assert abs(sum(row["cost"] for row in rows) - spent) < 1e-6, (rows, spent)


def test_fifty_calls_of_three_keys_never_pass_the_budget_of_their_team(context):
    server = context.server(CONFIG)
    assert server.admin("PUT", "teams/blue", {"usd_month": 0.15}).status == 200
    keys = [server.new_key(f"blue-{i}", team="blue", usd_day=5) for i in range(3)]

    def team():
        return [t for t in server.admin("GET", "teams").json()["data"] if t["name"] == "blue"][0]["spent"]
    race(context, server, keys, team, 0.15, stream=False)
    each = sum(server.key(f"blue-{i}")["spent"]["usd_day"] for i in range(3))
    assert abs(each - team()["usd_month"]) < 1e-9, (each, team())


def test_concurrency_is_counted_exactly(context):
    server = context.server(CONFIG)
    key = server.new_key("eight", concurrency=8)
    gate, lock, running = threading.Event(), threading.Lock(), []

    def hold(request, wire):
        with lock:
            running.append(1)
        gate.wait(30)
        wire.whole(200, [("content-type", "application/json")], json.dumps(chat_json("x")))
    context.upstreams["a"].reset(hold)
    statuses = []
    callers = [threading.Thread(target=lambda: statuses.append(chat(server.port, key).status)) for _ in range(30)]
    for caller in callers:
        caller.start()
    wait_for(lambda: len(statuses) >= 22, 30)
    assert statuses == [429] * 22, statuses
    assert wait_for(lambda: len(running) >= 8, 10) and len(running) == 8, len(running)
    gate.set()
    for caller in callers:
        caller.join(30)
    assert sorted(statuses) == [200] * 8 + [429] * 22, statuses
    assert server.key("eight")["spent"]["active"] == 0
    assert chat(server.port, key).status == 200


def test_spend_survives_a_restart(context):
    context.upstreams["a"].reset(answer)
    server = context.server(CONFIG)
    key = server.new_key("kept", usd_day=0.05)
    assert chat(server.port, key, max_tokens=5).status == 200
    before = server.key("kept")["spent"]["usd_day"]
    assert server.stop() is None
    server.start()
    assert server.key("kept")["spent"]["usd_day"] == before
    assert chat(server.port, key, max_tokens=50).status == 402
    assert chat(server.port, key, max_tokens=5).status == 200
