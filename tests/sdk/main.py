"""Starts the simulator, a scripted upstream and the server, then runs the suites of all SDKs."""
import argparse
import importlib
import importlib.util
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

# One per SDK and language: test_NAME.py and test_NAME.mjs, each skipped where its package is not installed.
PYTHON = {"openai": "openai", "responses": "openai", "anthropic": "anthropic", "genai": "google.genai"}
NODE = {"openai": "openai", "responses": "openai", "anthropic": "@anthropic-ai/sdk", "genai": "@google/genai"}
DIALECTS = ("openai", "anthropic", "gemini")
BASES = {"openai": ("custom", "/v1"), "anthropic": ("custom-anthropic", ""), "gemini": ("custom-gemini", "/v1beta")}
# Route -> what the upstream is asked for. Every route has its own target, so that no breaker is shared.
MOCK_ROUTES = {"": "mock-small", "-cut": "fault-cut", "-429": "fault-429", "-500": "fault-500", "-400": "fault-400",
               "-422": "fault-422", "-error-mid": "fault-error-mid", "-cut-whole": "fault-truncated-json",
               "-flaky": "fault-flaky-1"}
SCRIPTED_ROUTES = {"-parallel": "parallel", "-endless": "endless", "-thinking": "thinking", "-echo": "echo"}


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


def installed(package):
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def run_python(report, context, name):
    """The module's tests(context) gives (name, function) pairs."""
    if not installed(PYTHON[name]):
        return report.skip(f"python {name}", f"the package {PYTHON[name]} is not installed")
    for test_name, test in importlib.import_module("test_" + name).tests(context):
        try:
            test()
            report.add(f"python {name}: {test_name}")
        except Exception:
            report.add(f"python {name}: {test_name}", traceback.format_exc())


def run_node(report, context, folder, name):
    """The script prints one JSON line per test."""
    if not (folder / "node_modules" / NODE[name] / "package.json").exists():
        return report.skip(f"node {name}", f"the package {NODE[name]} is not installed")
    for file in (f"test_{name}.mjs", "common.mjs"):  # imports are looked up beside the script
        (folder / file).write_text((HERE / file).read_text())
    done = subprocess.run(["node", str(folder / f"test_{name}.mjs")], input=json.dumps(context), capture_output=True,
                          text=True, timeout=300)
    count = 0
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            result = json.loads(line)
            count += 1
            report.add(f"node {name}: " + result["name"], result.get("fault"))
    if done.returncode != 0 or count == 0:
        report.add(f"node {name}", f"status {done.returncode}: {done.stdout[-1000:]} {done.stderr[-2000:]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--node", type=pathlib.Path)
    parser.add_argument("--skip-python", default="")
    parser.add_argument("--skip-node", default="")
    parser.add_argument("--only", default="", help="only suites whose name holds this, such as `python anthropic`")
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
        context = {"base": f"http://127.0.0.1:{server.port}/v1", "root": f"http://127.0.0.1:{server.port}", "key": server.keys["main"],
                   "admin": f"http://127.0.0.1:{server.port}/admin", "token": server.admin_token,
                   "scripted": scripted.url, "dialects": DIALECTS}
        suites = [("python", name, arguments.skip_python, lambda n=name: run_python(report, context, n))
                  for name in PYTHON]
        suites += [("node", name, arguments.skip_node, lambda n=name: run_node(report, context, arguments.node, n))
                   for name in NODE]
        for language, name, reason, run in suites:
            if arguments.only not in f"{language} {name}":
                continue
            if reason:
                report.skip(f"{language} {name}", reason)
                continue
            began, before = time.monotonic(), report.passed
            run()
            print(f"{language} {name}: {report.passed - before} passed, took {time.monotonic() - began:.1f} s", flush=True)
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
