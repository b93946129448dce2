#!/usr/bin/env python3
"""Folders include only their own files and those of rows strictly below (ARCHITECTURE.md). Prints every breach."""
import pathlib
import re
import sys

ROWS = ("base", "net json", "http core", "wire engine chat index guard learn store govern", "provider rag", "gateway vectors", "eval tune", "api", "app")
RANK = {folder: rank for rank, row in enumerate(ROWS) for folder in row.split()}
UNKNOWN = len(ROWS)
SRC = pathlib.Path(__file__).resolve().parent.parent / "src"

breaches = checked = 0


def breach(path, what):
    global breaches
    breaches += 1
    print(f"src/{path}: {what}")


for path in sorted(p.relative_to(SRC) for p in SRC.rglob("*") if p.suffix in (".h", ".cc")):
    text, folder = (SRC / path).read_text(), path.parts[0]
    for other in sorted(set(re.findall(r'^#include "([a-z_]*)/', text, re.M)) - {folder, "embed"}):
        checked += 1
        if RANK.get(other, UNKNOWN) >= RANK.get(folder, -1):
            breach(path, f"{folder} must not include {other}")
    # Only app reads the environment; only net, http and app know sockets.
    if folder != "app" and not path.name.endswith("_test.cc") and re.search(r"\bgetenv\(", text):
        breach(path, "only app reads the environment")
    if folder not in ("net", "http", "app") and re.search(r"#include <(sys/socket|boost/asio/ip/)", text):
        breach(path, "sockets belong to net, http and app")
    # One dialect does not know another.
    if folder == "wire" and len(path.parts) > 2 and not re.search(r"_(test|fuzz|bench)\.cc$", path.name):
        for dialect in sorted(set(re.findall(r'^#include "wire/([a-z_]*)/', text, re.M)) - {path.parts[1]}):
            breach(path, f"dialect {path.parts[1]} must not include {dialect}")

print(f"layers: {checked} includes across folders checked, {breaches} breaches")
sys.exit(breaches != 0)
