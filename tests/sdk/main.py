"""Starts the simulator, a scripted upstream and the server, then runs the tests of both SDKs."""
import argparse
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "flow")]
sys.dont_write_bytecode = True

from lib.server import Server  # noqa: E402
from lib.upstream import Upstream  # noqa: E402
from upstream import make_handler  # noqa: E402

DIALECTS = ("openai", "anthropic", "gemini")
BASES = {"openai": ("custom", "/v1"), "anthropic": ("custom-anthropic", ""), "gemini": ("custom-gemini", "/v1beta")}
# Route -> what the upstream is asked for. Every route has its own target, so that no breaker is shared.
MOCK_ROUTES = {"": "mock-small", "-cut": "fault-cut", "-429": "fault-429", "-500": "fault-500", "-400": "fault-400",
               "-422": "fault-422", "-error-mid": "fault-error-mid", "-cut-whole": "fault-truncated-json",
               "-flaky": "fault-flaky-1"}
SCRIPTED_ROUTES = {"-parallel": "parallel", "-endless": "endless"}


def config(mock, scripted):
    out = ["[server]", "threads = 2"]
    for dialect in DIALECTS:
        preset, path = BASES[dialect]
        for name, url in ((dialect, mock), (dialect + "-scripted", scripted)):
            out += [f"[providers.{name}]", f'preset = "{preset}"', f'base_url = "{url}{path}"',
                    "prices.mock-small = { input = 1000.0, output = 1000.0 }"]
        for routes, provider in ((MOCK_ROUTES, dialect), (SCRIPTED_ROUTES, dialect + "-scripted")):
            for name, model in routes.items():
                if name == "-flaky":     # the simulator counts by name: 1, 01, 001 are three names
                    model = "fault-flaky-" + "0" * DIALECTS.index(dialect) + "1"
                out += [f'[routes."{dialect}{name}"]', "retries = 0", "breaker_failures = 0",
                        f'targets = [{{ provider = "{provider}", model = "{model}" }}]']
    out += ["[providers.responses]", 'preset = "custom-responses"', f'base_url = "{mock}/v1"',
            "[routes.responses]", "retries = 0", 'targets = [{ provider = "responses", model = "mock-small" }]']
    return "\n".join(out) + "\n"


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, name, fault=None):
        if fault:
            self.failed += 1
            print(f"FAIL {name}\n    " + fault.strip().replace("\n", "\n    "), flush=True)
        else:
            self.passed += 1

    def skip(self, name, reason):
        self.skipped += 1
        print(f"skip {name}: {reason}", flush=True)


def run_python(report, context):
    import test_openai
    import test_responses
    for name, test in itertools.chain(test_openai.tests(context), test_responses.tests(context)):
        try:
            test()
            report.add("python " + name)
        except Exception:
            report.add("python " + name, traceback.format_exc())


def run_node(report, context, folder):
    for name in ("test_openai.mjs", "test_responses.mjs"):
        run_script(report, context, folder, name)


def run_script(report, context, folder, name):
    """The script prints one JSON line per test."""
    script = folder / name
    script.write_text((HERE / name).read_text())
    done = subprocess.run(["node", str(script)], input=json.dumps(context), capture_output=True, text=True, timeout=300)
    count = 0
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            result = json.loads(line)
            count += 1
            report.add("node " + result["name"], result.get("fault"))
    if done.returncode != 0 or count == 0:
        report.add("node", f"status {done.returncode}: {done.stdout[-1000:]} {done.stderr[-2000:]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--node", type=pathlib.Path)
    parser.add_argument("--skip-python", default="")
    parser.add_argument("--skip-node", default="")
    arguments = parser.parse_args()
    binary, report = os.path.abspath(arguments.binary), Report()
    mock = subprocess.Popen([binary, "mock", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    server = None
    try:
        mock_url = re.search(r"http://[\d.]+:\d+", mock.stdout.readline()).group(0)
        scripted = Upstream("scripted")
        scripted.handler, _ = make_handler()
        server = Server(binary, config(mock_url, scripted.url))
        context = {"base": f"http://127.0.0.1:{server.port}/v1", "key": server.keys["main"],
                   "admin": f"http://127.0.0.1:{server.port}/admin", "token": server.admin_token,
                   "scripted": scripted.url, "dialects": DIALECTS}
        for name, reason, run in (("python", arguments.skip_python, lambda: run_python(report, context)),
                                  ("node", arguments.skip_node, lambda: run_node(report, context, arguments.node))):
            began = time.monotonic()
            if reason:
                report.skip(name, reason)
                continue
            before = report.passed
            run()
            print(f"{name}: {report.passed - before} passed, took {time.monotonic() - began:.1f} s", flush=True)
        fault = server.stop()
        faults = ([fault] if fault else []) + server.faults()
        report.add("the server ends cleanly, without a sanitizer report", "\n".join(faults))
    except Exception:
        report.add("start", traceback.format_exc())
    finally:
        mock.terminate()
        mock.wait(20)
        if server:
            server.remove()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped", flush=True)
    sys.stdout.flush()
    os._exit(1 if report.failed else 0)


main()
