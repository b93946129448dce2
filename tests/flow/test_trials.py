"""Candidates beside a route, and the class of a key's data, through the real binary: rolled back by itself, also after a restart."""
import json
import os
import subprocess

from lib.client import call, chat
from lib.upstream import chat_json, wait_for

CANARY = """
[providers.a]
base_url = "{a}/v1"
free = true
[providers.b]
base_url = "{b}/v1"
free = true
[routes.r]
retries = 0
breaker_failures = 0
targets = [{ provider = "a", model = "old" }]
[routes.r.canary]
target = { provider = "b", model = "new" }
share = 0.5
min_samples = 5
"""

SHADOW = """
[providers.a]
base_url = "{a}/v1"
free = true
[providers.b]
base_url = "{b}/v1"
site = "outside"
prices.new = { input = 1.0, output = 1.0 }
[routes.r]
targets = [{ provider = "a", model = "old" }]
[routes.r.shadow]
target = { provider = "b", model = "new" }
share = 1
"""


def says(text):
    return lambda request, wire: wire.whole(200, [("content-type", "application/json")], json.dumps(chat_json(text)))


def down(request, wire):
    wire.whole(500, [("content-type", "application/json")], '{"error":{"message":"broken"}}')


def ajar(context, server, *arguments, code=0):
    done = subprocess.run([context.binary, *arguments, "--url", f"http://127.0.0.1:{server.port}", "--data", str(server.data)], capture_output=True, text=True,
                          timeout=60, env={"PATH": os.environ.get("PATH", "")})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def canary(server):
    return server.admin("GET", "canaries").json()["data"][0]


def test_a_canary_that_fails_rolls_back_and_stays_so(context):
    context.upstreams["a"].reset(says("from a"))
    context.upstreams["b"].reset(down)
    server = context.server(CANARY)
    for _ in range(400):
        answer = chat(server.port, server.keys["main"], "r")
        assert answer.status == 200 and answer.content() == "from a", answer.text
        if canary(server)["state"] == "rolled_back":
            break
    state = canary(server)
    assert state["state"] == "rolled_back" and state["candidate"]["errors"]["count"] >= 5, state
    assert "failed or did not pass the checks" in state["reason"], state
    assert "the canary b/new is rolled back" in server.log()
    asked = len(context.upstreams["b"].requests)
    assert server.metrics()['ajar_canary_state{route="r",target="b/new"}'] == 2
    assert server.metrics()['ajar_canary_calls_total{arm="candidate",result="error",route="r",target="b/new"}'] == state["candidate"]["errors"]["count"]

    server.config_file.write_text(server.config_file.read_text().replace("share = 0.5", "share = 1.0"))
    assert server.admin("POST", "reload").status == 200
    assert canary(server)["state"] == "rolled_back"
    assert server.stop() is None
    server.start()
    assert canary(server)["state"] == "rolled_back" and canary(server)["reason"] == state["reason"]
    assert chat(server.port, server.keys["main"], "r").content() == "from a"
    assert len(context.upstreams["b"].requests) == asked, "nobody asks it any more"

    shown = ajar(context, server, "canary")
    assert "rolled back" in shown and "the usual choice" in shown and state["reason"] in shown, shown
    context.upstreams["b"].reset(says("from b"))
    assert "it is asked again" in ajar(context, server, "canary", "restart", "r")
    assert canary(server)["state"] == "running" and canary(server)["candidate"]["errors"]["count"] == 0
    answer = chat(server.port, server.keys["main"], "r")
    assert answer.content() == "from b" and answer.header("x-ajar-target") == "b/new", answer.text
    ajar(context, server, "canary", "rollback", "r")
    assert chat(server.port, server.keys["main"], "r").content() == "from a"
    assert canary(server)["reason"] == "by a person"
    server.kill()  # what a person said is written down at once
    server.start()
    assert canary(server)["state"] == "rolled_back"
    assert server.admin("POST", "canaries/none/restart").status == 404
    assert server.admin("POST", "canaries/r/promote").status == 404


def test_a_shadow_is_compared_and_nobody_pays_for_it(context):
    context.upstreams["a"].reset(says("Forty-two."))
    context.upstreams["b"].reset(says("forty-two"))
    server = context.server(SHADOW)
    key = server.new_key("app", usd_month=1)
    answer = chat(server.port, key, "r")
    assert answer.content() == "Forty-two." and answer.header("x-ajar-cost-usd") == "0.000000000", answer.text

    def shadow():
        return server.admin("GET", "shadows").json()["data"][0]
    wait_for(lambda: shadow()["answered"] == 1, 20)
    context.upstreams["b"].reset(says("forty-three"))
    chat(server.port, key, "r")
    wait_for(lambda: shadow()["answered"] == 2, 20)
    context.upstreams["b"].reset(down)
    chat(server.port, key, "r")
    wait_for(lambda: shadow()["failed"] == 1, 20)
    asked = len(context.upstreams["b"].requests)
    call(server.port, "POST", "/v1/chat/completions", key, {"model": "r", "messages": [{"role": "user", "content": "secret"}]}, [("x-ajar-data-class", "confidential")])
    state = shadow()
    assert state["differs"]["count"] == 2 and state["differs"]["wrong"] == 1 and state["cost_usd"] > 0 and state["given_cost_usd"] == 0, state
    assert len(context.upstreams["b"].requests) == asked, "what may not leave does not"
    assert server.key("app")["spent"]["usd_month"] == 0
    assert server.metrics()['ajar_shadow_spend_usd_total{route="r",target="b/new"}'] > 0
    assert server.stop() is None
    server.start()
    assert shadow()["differs"]["count"] == 2 and shadow()["failed"] == 1
    assert "b/new" in ajar(context, server, "shadow")
    ajar(context, server, "shadow", "restart", "r")
    assert shadow()["answered"] == 0


def test_the_class_of_a_key(context):
    context.upstreams["a"].reset(says("from a"))
    server = context.server("""
[providers.a]
base_url = "{a}/v1"
site = "outside"
free = true
[routes.r]
targets = [{ provider = "a", model = "m" }]
""")
    bad = server.admin("POST", "keys", {"name": "x", "data_class": "confidental"})
    assert bad.status == 400 and "no data class 'confidental'; known are public, internal, confidential, restricted" in bad.text, bad.text
    secret = ajar(context, server, "keys", "create", "--name", "hospital", "--data-class", "confidential").strip()
    server.secrets.add(secret)
    refused = chat(server.port, secret, "r")
    assert refused.status == 403 and "confidential data may not leave own machines" in refused.text, refused.text
    lowered = call(server.port, "POST", "/v1/chat/completions", secret, {"model": "r", "messages": [{"role": "user", "content": "x"}]}, [("x-ajar-data-class", "public")])
    assert lowered.status == 403, lowered.text
    assert "confidential" in ajar(context, server, "keys", "list")
    decision = server.admin("POST", "decide?key=hospital", {"model": "r", "messages": [{"role": "user", "content": "x"}]}).json()
    assert decision["data_class"] == "confidential" and decision["data_class_why"] == "of the key" and not decision["rungs"][0]["allowed"], decision
    assert server.stop() is None
    server.start()
    assert server.key("hospital")["data_class"] == "confidential"
    assert chat(server.port, secret, "r").status == 403
    rotated = server.admin("POST", "keys/hospital/rotate").json()["secret"]
    server.secrets.add(rotated)
    server.kill()
    server.start()
    assert chat(server.port, secret, "r").status == 401, "the old secret is dead, also after a restart"
    assert chat(server.port, rotated, "r").status == 403
    ajar(context, server, "keys", "update", "hospital", "--no-data-class")
    assert chat(server.port, rotated, "r").content() == "from a"
