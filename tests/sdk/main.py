"""Starts the simulator, a scripted upstream and the server, then runs the suites of all SDKs."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "flow"), str(HERE.parent / "stores")]
sys.dont_write_bytecode = True

import emulator  # noqa: E402
from base import serve  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.upstream import Upstream  # noqa: E402
from upstream import make_handler  # noqa: E402

# Suite -> group of packages (requirements-GROUP.txt, package-GROUP.json): test_NAME.py and test_NAME.mjs, each skipped
# where its group is not installed.
PYTHON = {"openai": "official", "responses": "official", "anthropic": "official", "genai": "official", "ollama": "ollama",
          "langchain": "langchain", "llamaindex": "llamaindex", "litellm": "litellm"}
NODE = {"openai": "official", "responses": "official", "anthropic": "official", "genai": "official", "ollama": "ollama",
        "ai": "ai", "langchain": "langchain", "llamaindex": "llamaindex", "stores": "stores"}
STORES = ("qdrant", "weaviate", "milvus", "pinecone")
DIALECTS = ("openai", "anthropic", "gemini")
BASES = {"openai": ("custom", "/v1"), "anthropic": ("custom-anthropic", ""), "gemini": ("custom-gemini", "/v1beta")}
# Route -> what the upstream is asked for. Every route has its own target, so that no breaker is shared.
MOCK_ROUTES = {"": "mock-small", "-cut": "fault-cut", "-429": "fault-429", "-500": "fault-500", "-400": "fault-400",
               "-422": "fault-422", "-error-mid": "fault-error-mid", "-cut-whole": "fault-truncated-json",
               "-flaky": "fault-flaky-1"}
# No client reports home, and none looks for a newer list of prices.
QUIET = {"LANGSMITH_TRACING": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "OTEL_SDK_DISABLED": "true"}
SCRIPTED_ROUTES = {"-parallel": "parallel", "-endless": "endless", "-thinking": "thinking", "-echo": "echo",
                   "-media": "media"}


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


def start_stores():
    """Emulated vector stores, each with a key of its own."""
    out = {}
    for kind in STORES:
        key = "key-of-" + kind
        http = serve(emulator.make(kind, key))
        threading.Thread(target=http.serve_forever, daemon=True).start()
        out[kind] = {"url": f"http://127.0.0.1:{http.server_address[1]}", "key": key}
    return out


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


def run_suite(report, context, work, language, name):
    """A suite is a process that prints one JSON line per test."""
    group = f"{language}-{(PYTHON if language == 'python' else NODE)[name]}"
    folder, reason = work / group, work / (group + ".reason")
    if not (folder / "installed").exists():
        return report.skip(f"{language} {name}", reason.read_text().strip() if reason.exists() else "is not installed")
    if language == "python":
        command = [str(folder / "bin" / "python"), str(HERE / "suite.py"), name]
    else:
        for file in (f"test_{name}.mjs", "common.mjs"):  # imports are looked up beside the script
            (folder / file).write_text((HERE / file).read_text())
        command = ["node", str(folder / f"test_{name}.mjs")]
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(work / "pycache"), **QUIET}
    try:
        done = subprocess.run(command, input=json.dumps(context), capture_output=True, text=True, timeout=300,
                              env=environment)
    except subprocess.TimeoutExpired as late:
        return report.add(f"{language} {name}", f"not done after 300 s: {(late.stdout or b'')[-1000:]}")
    count = 0
    for line in done.stdout.splitlines():
        if line.startswith('{"name"'):
            result = json.loads(line)
            count += 1
            report.add(f"{language} {name}: " + result["name"], result.get("fault"))
    if done.returncode != 0 or count == 0:
        report.add(f"{language} {name}", f"status {done.returncode}: {done.stdout[-1000:]} {done.stderr[-2000:]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where run.sh has installed the packages")
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
                   "scripted": scripted.url, "dialects": DIALECTS, "stores": start_stores()}
        suites = [("python", name) for name in PYTHON] + [("node", name) for name in NODE]
        for language, name in suites:
            if arguments.only not in f"{language} {name}":
                continue
            began, before = time.monotonic(), report.passed
            run_suite(report, context, arguments.work, language, name)
            if report.passed > before:
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
