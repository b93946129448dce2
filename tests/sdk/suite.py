"""Runs one Python suite, in the environment of its packages: suite.py NAME. The context comes as JSON on stdin; one JSON line
per test goes to stdout, as from the JavaScript suites."""
import importlib
import json
import sys
import traceback


def main():
    context = json.load(sys.stdin)
    for name, test in importlib.import_module("test_" + sys.argv[1]).tests(context):
        fault = {}
        try:
            test()
        except Exception:
            fault = {"fault": traceback.format_exc()}
        print(json.dumps({"name": name, **fault}), flush=True)


main()
