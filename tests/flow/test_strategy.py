"""Who is asked: by weight, by price, by latency."""
import json
import time

from lib.client import chat
from lib.upstream import chat_json

CONFIG = """
[providers.a]
base_url = "{a}/v1"
prices.m = { input = 9.0, output = 9.0 }
[providers.b]
base_url = "{b}/v1"
prices.m = { input = 1.0, output = 1.0 }
[routes.weighted]
strategy = "weighted"
targets = [{ provider = "a", model = "m", weight = 3 }, { provider = "b", model = "m", weight = 1 }]
[routes.zero]
strategy = "weighted"
targets = [{ provider = "a", model = "m", weight = 0 }, { provider = "b", model = "m", weight = 1 }]
[routes.cheapest]
strategy = "cheapest"
targets = [{ provider = "a", model = "m" }, { provider = "b", model = "m" }]
[routes.quick]
strategy = "least_latency"
targets = [{ provider = "a", model = "m" }, { provider = "b", model = "m" }]
"""


def serve(context, delay=0):
    def answer(request, wire, wait=0):
        time.sleep(wait)
        wire.whole(200, [("content-type", "application/json")], json.dumps(chat_json("x")))
    context.upstreams["a"].reset(lambda request, wire: answer(request, wire, delay))
    context.upstreams["b"].reset(answer)
    return context.shared_server(CONFIG)


def counts(context):
    return len(context.upstreams["a"].requests), len(context.upstreams["b"].requests)


def test_weights_share_the_work(context):
    server = serve(context)
    for _ in range(200):
        assert chat(server.port, server.keys["main"], "weighted").status == 200
    a, b = counts(context)
    # Binomial(200, 3/4): mean 150, standard deviation 6.1; six of them either way.
    assert a + b == 200 and 113 <= a <= 187, (a, b)


def test_weight_zero_is_only_a_reserve(context):
    server = serve(context)
    for _ in range(20):
        assert chat(server.port, server.keys["main"], "zero").status == 200
    assert counts(context) == (0, 20)
    context.upstreams["b"].reset(lambda request, wire: wire.whole(500, [], "down"))
    assert chat(server.port, server.keys["main"], "zero").status == 200
    assert counts(context)[0] == 1


def test_the_cheapest_is_asked(context):
    server = serve(context)
    for _ in range(10):
        assert chat(server.port, server.keys["main"], "cheapest").status == 200
    assert counts(context) == (0, 10)


def test_the_quicker_is_asked_more(context):
    server = serve(context, delay=0.1)
    for _ in range(30):
        assert chat(server.port, server.keys["main"], "quick").status == 200
    a, b = counts(context)
    assert b >= 20, (a, b)
