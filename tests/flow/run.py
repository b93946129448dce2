#!/usr/bin/env python3
"""Runs every flow test against the real binary: run.py BINARY [--only SUBSTRING] [-v]. See README.md."""
import argparse
import importlib
import inspect
import os
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib.case import Runner, cases_in  # noqa: E402
from lib.server import Server, StartFailed  # noqa: E402
from lib.upstream import Upstream  # noqa: E402

UPSTREAMS = ("a", "b", "n", "g")


class Skip(Exception):
    """A test raises it with the reason."""


class Context:
    """What the tests of a module get: the binary, upstreams, and servers that are ended for them."""

    def __init__(self, binary):
        self.binary = binary
        self.upstreams = {name: Upstream(name) for name in UPSTREAMS}
        self.shared = {}                  # configuration text -> its running server
        self.notes = []
        self.Skip = Skip

    def fill(self, config):
        for name, upstream in self.upstreams.items():
            config = config.replace("{%s}" % name, upstream.url)
        return config

    def server(self, config, **more):
        """A server of the test's own; `config` may hold {a}, {b}, … for the upstreams' addresses."""
        return Server(self.binary, self.fill(config), **more)

    def shared_server(self, config):
        config = self.fill(config)
        server = self.shared.get(config)
        if server is None or server.ended():
            server = self.shared[config] = Server(self.binary, config)
        return server

    def common_config(self):
        return (HERE / "common.toml").read_text()

    def common(self):
        return self.shared_server(self.common_config())

    def note(self, text):
        self.notes.append(text)


class Report:
    def __init__(self, verbose):
        self.passed = self.failed = self.skipped = 0
        self.verbose = verbose

    def line(self, text):
        print(text, flush=True)

    def add(self, name, faults, seconds, notes=()):
        if faults:
            self.failed += 1
            self.line(f"FAIL {name} ({seconds:.1f} s)")
            for fault in faults:
                self.line("    " + fault.replace("\n", "\n    "))
        else:
            self.passed += 1
            if self.verbose:
                self.line(f"ok   {name} ({seconds:.1f} s)")
        for note in notes:
            self.line(f"note {name}: {note}")

    def skip(self, name, reason):
        self.skipped += 1
        self.line(f"skip {name}: {reason}")


def run_cases(context, report, only):
    for path, config, cases in cases_in(HERE):
        for case in cases:
            name = f"{path.stem}: {case.name}"
            if only and only not in name:
                continue
            began = time.monotonic()
            server = context.shared_server(config)
            try:
                faults = Runner(case, server, context.upstreams).run()
            except Exception:  # a test that breaks is a failure, the rest still runs
                faults = [traceback.format_exc()]
            if server.ended():
                faults.append("the server has ended, or is ending; it said:\n" + server.log()[-3000:])
            report.add(name, faults, time.monotonic() - began)


def run_modules(context, report, only):
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for test, function in inspect.getmembers(module, inspect.isfunction):
            if not test.startswith("test_") or function.__module__ != path.stem:
                continue
            name = f"{path.stem[5:]}: {test[5:].replace('_', ' ')}"
            if only and only not in name:
                continue
            for upstream in context.upstreams.values():
                upstream.reset()
            context.notes = []
            began, kept = time.monotonic(), set(Server.all)
            faults = []
            try:
                function(context)
            except Skip as reason:
                report.skip(name, str(reason))
                continue
            except AssertionError as error:
                at = traceback.extract_tb(error.__traceback__)
                place = [frame for frame in at if frame.filename == str(path)][-1]
                faults = [f"{path.name}:{place.lineno}: {place.line}\n{error}".rstrip()]
            except Exception:
                faults = [traceback.format_exc()]
            for server in [s for s in Server.all if s not in kept and s not in context.shared.values()]:
                fault = server.stop()
                faults += ([fault] if fault else []) + server.faults()
                server.remove()
            report.add(name, faults, time.monotonic() - began, context.notes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--only", default="")
    parser.add_argument("-v", action="store_true", dest="verbose")
    arguments = parser.parse_args()
    binary = os.path.abspath(arguments.binary)
    if not os.access(binary, os.X_OK):
        print(f"FAIL there is no program {arguments.binary}")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    context, report = Context(binary), Report(arguments.verbose)
    try:
        run_cases(context, report, arguments.only)
        run_modules(context, report, arguments.only)
        faults = []
        for server in list(Server.all):
            fault = server.stop()
            faults += ([fault] if fault else []) + server.faults()
        if not arguments.only or "at the end" in arguments.only:
            report.add("at the end: clean exits, no sanitizer report, no secret in any output", faults, 0)
        elif faults:
            report.add("at the end", faults, 0)
    except StartFailed as error:
        report.add("start", [str(error)], 0)
    finally:
        for server in list(Server.all):
            server.remove()
        for upstream in context.upstreams.values():
            upstream.close()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped", flush=True)
    return 1 if report.failed else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)   # threads of scripted upstreams may still wait
