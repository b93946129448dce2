"""A task model over embeddings lets words answer first: what they are sure of costs no embedding, everything else does."""
import itertools
import json
import pathlib
import subprocess
import tempfile

from lib.client import chat

CONFIG = """
[models.bert]
path = "{bert}"
[tasks.first]
path = "{first}"
embedder = "bert"
[tasks.always]
path = "{always}"
embedder = "bert"
[tasks.vectors]
path = "{vectors}"
embedder = "bert"
[providers.tasks]
preset = "task"
[routes.first]
strategy = "ladder"
stay = true
targets = [{ provider = "tasks", model = "first", confidence = "own", accept = 0.01 }]
[routes.always]
strategy = "ladder"
stay = true
targets = [{ provider = "tasks", model = "always", confidence = "own", accept = 0.01 }]
[routes.vectors]
strategy = "ladder"
stay = true
targets = [{ provider = "tasks", model = "vectors", confidence = "own", accept = 0.01 }]
"""

WORDS = {
    "cancel": (["cancel", "stop", "call off", "undo"], ["my order", "the trip", "this booking", "my ticket", "the plan"]),
    "pay": (["pay for", "buy", "settle", "charge me for"], ["my order", "the trip", "this booking", "my ticket", "the plan"]),
    "find": (["where is", "find", "track", "locate"], ["my order", "the trip", "this booking", "my ticket", "the plan"]),
}
ENDS = ["please", "now", "today", "at once", "for me", "again", "if you can", "by friday"]


def run(context, *args):
    done = subprocess.run([context.binary, *args], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_words_answer_first(context):
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        rows, bert = folder / "rows.csv", folder / "bert.gguf"
        first, always, vectors = (folder / f"{name}.task" for name in ("first", "always", "vectors"))
        rows.write_text("text,label\n" + "".join(f"{a} {b} {c},{label}\n" for label, (verbs, things) in WORDS.items() for a, b, c in itertools.product(verbs, things, ENDS)))
        run(context, "quantize", "--random", "tiny-bert", str(bert))
        said = json.loads(run(context, "tune", "task", "--json", "-d", str(rows), "-o", str(first), "-e", str(bert)))
        assert said["by_words"] > 0.2, said
        said = json.loads(run(context, "tune", "task", "--json", "-d", str(rows), "-o", str(always), "-e", str(bert), "--always-embed"))
        assert said["by_words"] == 0, said
        said = json.loads(run(context, "tune", "task", "--json", "-d", str(rows), "-o", str(vectors), "-e", str(bert), "--layers", "0", "--always-embed"))
        assert said["by_words"] == said["by_word_vectors"] == 0, said
        for layers, complaint in (("9", "has 3 layers"), ("half", "a number from 0 on, 'all' or 'usual' is wanted"), ("", "--layers '': a number")):
            refused = subprocess.run([context.binary, "tune", "task", "-d", str(rows), "-o", str(folder / "no.task"), "-e", str(bert), "--layers", layers], capture_output=True, text=True, timeout=300)
            assert refused.returncode != 0 and "--layers" in refused.stderr and layers in refused.stderr and complaint in refused.stderr, refused
        server = context.server(CONFIG.replace("{bert}", str(bert)).replace("{first}", str(first)).replace("{always}", str(always)).replace("{vectors}", str(vectors)))

        def ask(route, text):
            reply = chat(server.port, server.keys["main"], route, messages=[{"role": "user", "content": text}])
            assert reply.status == 200, reply
            answer = json.loads(reply.text)
            return answer["choices"][0]["message"]["content"], answer["usage"]["prompt_tokens"]

        assert ask("first", "cancel the trip please") == ("cancel", 0)
        label, tokens = ask("always", "cancel the trip please")
        assert label == "cancel" and tokens > 0
        label, tokens = ask("vectors", "cancel the trip please")  # before any layer
        assert label == "cancel" and tokens > 0
        assert ask("first", "zebra")[1] > 0  # words know nothing of it
