"""A task model that was trained from labelled texts stands before a route and behind it, as a guard against toxic text."""
import itertools
import json
import pathlib
import subprocess
import tempfile

from lib import upstream as up
from lib.client import chat

CONFIG = """
[providers.a]
base_url = "{a}/v1"
free = true
[tasks.manners]
path = "%s"
[policies.asked]
check = "toxicity"
task = "manners"
deny = ["insult", "threat"]
[policies.answered]
check = "toxicity"
task = "manners"
deny = ["insult", "threat"]
stage = "output"
[routes.polite]
retries = 0
breaker_failures = 0
policies = ["asked", "answered"]
targets = [{ provider = "a", model = "m" }]
"""

# What a label means is not measured here; enough rows for the trainer to hold some out.
WORDS = {
    "insult": (["you are a", "what a", "only a", "shut up you"], ["stupid fool", "worthless idiot", "pathetic moron", "dumb loser"], ["!", " again", " and a liar", ", really"]),
    "threat": (["I will", "we shall", "tomorrow they will", "somebody should"], ["hurt you", "kill you", "burn your house", "break your legs"], ["!", " tonight", " for that", ", believe me"]),
    "fine": (["please tell me", "can you explain", "I would like to know", "where do I find"], ["the opening hours", "my last invoice", "a good recipe", "the way home"], ["?", " please", " today", ", thank you"]),
}


def train(context, folder):
    rows = folder / "manners.csv"
    rows.write_text("text,label\n" + "".join(f'"{a} {b}{c}",{label}\n' for label, parts in WORDS.items() for a, b, c in itertools.product(*parts)))
    task = folder / "manners.task"
    done = subprocess.run([context.binary, "tune", "task", "--data", str(rows), "--out", str(task)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return task


def test_insults_are_refused_on_both_sides(context):
    with tempfile.TemporaryDirectory() as place:
        task = train(context, pathlib.Path(place))
        server = context.server(CONFIG % task)
        a = context.upstreams["a"]
        said = {"text": "Friday at nine."}
        a.handler = lambda request, wire: wire.whole(200, [("content-type", "application/json")], json.dumps(up.chat_json(said["text"])))

        def ask(text):
            return chat(server.port, server.keys["main"], "polite", messages=[{"role": "user", "content": text}])

        fine = ask("Can you tell me the opening hours of the shop?")
        assert fine.status == 200, fine
        for text in ("Shut up, you worthless stupid moron", "I will find you and kill you tonight"):
            before = len(a.requests)
            refused = ask(text)
            assert refused.status == 403 and "the policy 'asked' refuses" in refused.text, refused
            assert len(a.requests) == before
        said["text"] = "You are a stupid worthless fool!"
        held = ask("Where do I find my last invoice?")
        assert held.status == 200 and "fool" not in held.text and '"content_filter"' in held.text, held

        # A label that the model does not have would never be found: the reload says so and the old configuration stays.
        text = server.config_file.read_text()
        server.config_file.write_text(text.replace('"insult", "threat"', '"insults"', 1))
        reload = server.admin("POST", "reload")
        assert reload.status == 400 and 'no label \\"insults\\"' in reload.text, reload
        server.config_file.write_text(text)
        assert ask("I will find you and kill you tonight").status == 403
