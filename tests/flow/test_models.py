"""`ajar inspect` and `ajar quantize` as a person uses them."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")


class Bench:
    def __init__(self, context):
        self.context = context
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="ajar-models-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def ajar(self, *arguments):
        done = subprocess.run([self.context.binary, *arguments], capture_output=True, text=True, timeout=120, cwd=self.path,
                              env={"PATH": os.environ.get("PATH", "")})
        output = done.stdout + done.stderr
        assert not SANITIZER.search(output), output
        return done.returncode, output

    def files(self):
        return sorted(p.name for p in self.path.iterdir())


def test_quantise_and_inspect(context):
    with Bench(context) as bench:
        code, output = bench.ajar("quantize", "--random", "tiny-llama", "f16.gguf")
        assert code == 0, output
        code, output = bench.ajar("--json", "quantize", "f16.gguf", "q4.gguf", "q4_k_m")
        assert code == 0, output
        report = json.loads(output)
        assert report["type"] == "Q4_K_M" and report["notes"] == [] and report["bytes"] < report["bytes_before"] / 2, report
        code, output = bench.ajar("--json", "inspect", "q4.gguf", "--tensors", "--metadata")
        assert code == 0, output
        shown = json.loads(output)
        assert shown["architecture"] == "llama" and shown["supported"] and shown["layers"] == 3, shown
        assert {f["format"] for f in shown["formats"]} == {"F32", "Q4_K", "Q6_K"}, shown["formats"]
        assert {"name": "blk.0.attn_q.weight", "format": "Q4_K", "shape": "256 x 256", "bytes": 36864} in shown["tensors"]
        assert shown["metadata"]["llama.block_count"] == "3", shown["metadata"]
        code, output = bench.ajar("inspect", "q4.gguf")
        assert code == 0 and "context          256 tokens" in output, output

        before = (bench.path / "q4.gguf").read_bytes()
        code, output = bench.ajar("quantize", "f16.gguf", "q4.gguf", "Q8_0")
        assert code == 1 and "--force replaces it" in output, output
        assert (bench.path / "q4.gguf").read_bytes() == before
        code, output = bench.ajar("quantize", "q4.gguf", "q8.gguf", "Q8_0")
        assert code == 1 and "--requantize" in output, output
        code, output = bench.ajar("quantize", "f16.gguf", "f16.gguf", "Q8_0", "--force")
        assert code == 1 and "the new file would be the old one" in output, output
        code, output = bench.ajar("quantize", "f16.gguf", "x.gguf", "Q9")
        assert code == 1 and "Q4_K_M" in output, output
        code, output = bench.ajar("quantize", "f16.gguf")
        assert code == 1 and "ajar quantize IN OUT Q4_K_M" in output, output
        code, output = bench.ajar("quantize", "f16.gguf", "q4.gguf", "Q8_0", "--force", "--threads", "1")
        assert code == 0, output
        assert bench.files() == ["f16.gguf", "q4.gguf"], bench.files()


def test_broken_files_are_named(context):
    with Bench(context) as bench:
        code, output = bench.ajar("quantize", "--random", "tiny-bert", "bert.gguf")
        assert code == 0, output
        whole = (bench.path / "bert.gguf").read_bytes()
        (bench.path / "cut.gguf").write_bytes(whole[:-100])
        for command in (["inspect", "cut.gguf"], ["quantize", "cut.gguf", "x.gguf", "Q8_0"]):
            code, output = bench.ajar(*command)
            assert code == 1 and "cut.gguf" in output and "beyond the file's end" in output, output
        (bench.path / "cut.gguf").write_bytes(whole[:50])
        code, output = bench.ajar("inspect", "cut.gguf")
        assert code == 1 and "cut.gguf" in output, output
        code, output = bench.ajar("inspect", "none.gguf")
        assert code == 1 and "none.gguf: No such file" in output, output
        (bench.path / "folder").mkdir()
        code, output = bench.ajar("inspect", "folder")
        assert code == 1 and "config.json" in output, output
        assert "x.gguf" not in bench.files()


def test_check_opens_what_a_configuration_names(context):
    with Bench(context) as bench:
        code, output = bench.ajar("quantize", "--random", "tiny-bert", "bert.gguf")
        assert code == 0, output
        file = bench.path / "ajar.toml"
        text = '[models.here]\npath = "%s"\n%s[providers.local]\npreset = "local"\n[routes.r]\ntargets = [{provider = "local", model = "here"}]\n'
        file.write_text(text % (bench.path / "bert.gguf", ""))
        code, output = bench.ajar("check", "ajar.toml")
        assert code == 0 and "note:" not in output, output
        # The server starts without a model, and answers other routes: a note.
        file.write_text(text % (bench.path / "none.gguf", 'adapters = { tone = "tone.gguf" }\n'))
        code, output = bench.ajar("check", "ajar.toml")
        assert code == 0 and "models.here: " in output and "none.gguf: No such file" in output, output
        assert "adapter tone: there is no " in output, output
        # Nor a task model that no route asks; one that is asked must be there.
        task = '[tasks.t]\npath = "t.task"\n[providers.tasks]\npreset = "task"\n'
        file.write_text(text % (bench.path / "bert.gguf", "") + task)
        code, output = bench.ajar("check", "ajar.toml")
        assert code == 0 and "tasks.t: " in output and "t.task" in output, output
        file.write_text(text % (bench.path / "bert.gguf", "") + task + '[routes.asks]\ntargets = [{provider = "tasks", model = "t"}]\n')
        code, output = bench.ajar("check", "ajar.toml")
        assert code == 1 and "ajar.toml: tasks.t: " in output and "t.task" in output, output
        policy = '[policies.topics]\ncheck = "topics"\ntask = "t"\ndeny = ["x"]\n'
        file.write_text(text % (bench.path / "bert.gguf", "") + 'policies = ["topics"]\n' + task + policy)
        code, output = bench.ajar("check", "ajar.toml")
        assert code == 1 and "ajar.toml: tasks.t: " in output and "t.task" in output, output
        # What the server would refuse when it builds its routes.
        for policy, fault in [('check = "pii"\nentities = ["EMAIL"]', "EMAIL"), ('check = "length"\naction = "rewrite"\nlimit = 5', "rewrite"),
                              ('check = "topics"\ndeny = ["x"]', "policies.p.task"), ('check = "schema"\nschema = "{}"', "whole answers")]:
            file.write_text(text % (bench.path / "bert.gguf", "") + 'policies = ["p"]\n[policies.p]\n' + policy + "\n")
            code, output = bench.ajar("check", "ajar.toml")
            assert code == 1 and "ajar.toml: " in output and fault in output, (policy, output)
        file.write_text(text % ("/dev/null", ""))
        code, output = bench.ajar("check", "ajar.toml")
        assert code == 0 and "models.here: /dev/null: No such device" in output, output
