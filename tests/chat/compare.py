#!/usr/bin/env python3
"""Renders every chat template at hand over conversations.json with Jinja2, set up as transformers does, and compares with
ours byte for byte:  compare.py BINARY [TEMPLATES]. With --record FILE instead of a binary it writes what the unit test
expects: a hash per template and conversation. Needs jinja2 from PyPI; where it is absent it says so and skips."""
import datetime
import functools
import hashlib
import json
import pathlib
import subprocess
import sys

NOW = 1767225600 + 86400 * 45  # 2026-02-15
HERE = pathlib.Path(__file__).parent

try:
    import jinja2
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError:
    print("skip: jinja2 is not installed\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_keep"), [], [], body).set_lineno(line)

    def _keep(self, caller):
        return caller()


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def strftime_now(form):
    return datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).strftime(form)


env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = strftime_now


compiled = functools.cache(env.from_string)


def theirs(source, context):
    try:
        return {"text": compiled(source).render(**context)}
    except jinja2.exceptions.TemplateError as e:
        plain = type(e) is jinja2.exceptions.TemplateError
        return {"error": str(e), "raised": plain}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}", "raised": False}


def same(a, b):
    if "text" in a or "text" in b:
        return a.get("text") == b.get("text")
    return a["raised"] == b["raised"] and (not a["raised"] or a["error"] == b["error"])


def main():
    record = sys.argv[1] == "--record"
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 and not record else HERE / "../../../shared/data/models/chat-templates")
    if not folder.is_dir():
        print(f"skip: {folder} is not at hand\n0 passed, 0 failed, 1 skipped")
        return 0
    conversations = json.loads((HERE / "conversations.json").read_text())
    jobs = []
    # Beside the models' own templates, small ones that try the language.
    small = json.loads((HERE / "snippets.json").read_text())
    for path in sorted(folder.glob("*.jinja")):
        for c in conversations:
            jobs.append((path.stem, path.read_text(), c["name"], str(path), c["context"]))
    results = [theirs(source, context) for _, source, _, _, context in jobs]
    for s in small:
        result = theirs(s["template"], s.get("context", {}))
        s["expected"] = result
    if record:
        lines = []
        for (name, _, conversation, _, _), r in zip(jobs, results):
            what = "text " + r["text"] if "text" in r else "raised " + r["error"] if r["raised"] else "error"
            lines.append(f"{name}\t{conversation}\t{hashlib.sha256(what.encode()).hexdigest()[:16]}\n")
        pathlib.Path(sys.argv[2]).write_text("".join(lines))
        (HERE / "snippets.json").write_text(json.dumps(small, ensure_ascii=False, indent=1) + "\n")
        return 0
    text = "".join(json.dumps({"template": p, "context": c, "now": NOW}, ensure_ascii=False) + "\n" for _, _, _, p, c in jobs)
    ours = [json.loads(x) for x in subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True, check=True).stdout.split("\n") if x]
    failed = 0
    for (name, _, conversation, _, _), a, b in zip(jobs, results, ours):
        if same(a, b):
            continue
        failed += 1
        print(f"--- {name}, {conversation}")
        if "text" in a and "text" in b:
            x, y = a["text"], b["text"]
            at = next((i for i in range(min(len(x), len(y))) if x[i] != y[i]), min(len(x), len(y)))
            print(f"  theirs: {x[max(0, at - 60):at + 60]!r}\n  ours:   {y[max(0, at - 60):at + 60]!r}")
        else:
            print(f"  theirs: {json.dumps(a, ensure_ascii=False)[-300:]}\n  ours:   {json.dumps(b, ensure_ascii=False)[-300:]}")
    print(f"{len(jobs) - failed} passed, {failed} failed, 0 skipped ({sum('text' in r for r in results)} texts, "
          f"{sum('text' not in r for r in results)} errors)")
    return failed != 0


sys.exit(main())
