"""What recorded answers say: routers between two models, and a score that tells right answers from wrong ones."""
import json
import os
import pathlib
import subprocess
import tempfile


def ajar(context, *arguments, code=0):
    done = subprocess.run([context.binary, *arguments], capture_output=True, text=True, timeout=120, env={"PATH": os.environ.get("PATH", "")})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_routers_over_recorded_answers(context):
    with tempfile.TemporaryDirectory(prefix="ajar-replay-") as folder:
        path = pathlib.Path(folder) / "answers.csv"
        # The weaker model is right on three of four questions; the stronger on those that the other misses, and on two of the three.
        path.write_text("prompt,small,large\n" + "".join(
            f"{'q' * length},{small},{large}\n" for length, small, large in [(4, True, True), (8, True, True), (2, True, False), (6, False, True)]))
        report = json.loads(ajar(context, "--json", "replay", "--file", str(path)))
        assert report["prompts"] == 4 and report["weak_quality"] == 0.75 and report["strong_quality"] == 0.75, report
        oracle = report["routers"][-1]
        assert oracle["router"] == "oracle" and max(oracle["quality"]) == 1.0 and oracle["quality"][5] == 1.0, oracle
        path.write_text(path.read_text().replace("qq,True,False", "qq,True,True"))
        report = json.loads(ajar(context, "--json", "replay", "--file", str(path)))
        routers = {router["router"]: router for router in report["routers"]}
        assert routers["random mix"]["apgr"] == 0.5 and routers["random mix"]["cpt"]["50"] == 0.5, routers
        assert routers["oracle"]["cpt"]["95"] == 0.25 and routers["oracle"]["apgr"] == 0.875, routers
        assert routers["longer prompts first"]["cpt"]["80"] == 0.5, routers
        shown = ajar(context, "replay", "--file", str(path), "--cost-ratio", "0.1")
        assert "Always small: 75.0 %" in shown and "always large: 100.0 %" in shown and "oracle" in shown, shown
        assert "has no answers of small" in ajar(context, "replay", "--file", str(path), "--learn", code=1)
        assert "there is no column 'none'" in ajar(context, "replay", "--file", str(path), "--weak", "none", code=1)


def test_a_score_is_taught_and_proves_its_threshold(context):
    with tempfile.TemporaryDirectory(prefix="ajar-score-") as folder:
        data, out = pathlib.Path(folder) / "judged.jsonl", pathlib.Path(folder) / "sums.score"
        rows = [{"question": f"How much is {i} and {i % 7}?", "answer": f"{i} + {i % 7} = {i + i % 7 + (i % 3 == 0)}", "correct": i % 3 != 0} for i in range(900)]
        data.write_text("\n".join(json.dumps(row) for row in rows))
        report = json.loads(ajar(context, "--json", "tune", "answers", "--data", str(data), "--out", str(out)))
        assert report["auroc"] > 0.99 and report["share"] > 0.5 and 0 < report["accept"] <= 1 and not report["uses_logprobs"], report
        assert "--force replaces it" in ajar(context, "tune", "answers", "--data", str(data), "--out", str(out), code=1)
        assert 'confidence = "learned"' in ajar(context, "tune", "answers", "--data", str(data), "--out", str(out), "--force")
        config = pathlib.Path(folder) / "ajar.toml"
        config.write_text(f"""
[providers.a]
base_url = "http://127.0.0.1:1/v1"
[routes.r]
strategy = "ladder"
targets = [{{ provider = "a", model = "m", confidence = "learned", score = "{out}", accept = {report["accept"]} }}, {{ provider = "a", model = "n" }}]
""")
        ajar(context, "check", str(config))
        config.write_text(config.read_text().replace(f'score = "{out}", ', ""))
        assert "a learned confidence needs the file" in ajar(context, "check", str(config), code=1)
