#!/bin/bash
# The SDKs of Python and JavaScript against the running server: run.sh BINARY [--only SUITE]. See README.md.
set -u
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: run.sh BINARY}
[ -x "$binary" ] || { echo "FAIL there is no program $binary"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
work=$(cd "$(dirname "$binary")" && pwd)/sdk
mkdir -p "$work"
arguments=("${@:2}")

python=python3
if ! command -v python3 >/dev/null; then
  echo "skip python and node: python3 is not installed"; echo "0 passed, 0 failed, 2 skipped"; exit 0
fi
# Made again whenever the pinned versions change.
if ! cmp -s "$here/requirements.txt" "$work/venv/installed.txt"; then
  rm -rf "$work/venv"
  if python3 -m venv "$work/venv" >"$work/venv.log" 2>&1 &&
      "$work/venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt" >>"$work/venv.log" 2>&1; then
    cp "$here/requirements.txt" "$work/venv/installed.txt"
  else
    rm -rf "$work/venv"
    arguments+=(--skip-python "the SDKs could not be installed: $(tail -1 "$work/venv.log")")
  fi
fi
[ -x "$work/venv/bin/python" ] && python=$work/venv/bin/python

major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p')
if [ -z "$major" ] || [ "$major" -lt 18 ] || ! command -v npm >/dev/null; then
  arguments+=(--skip-node "needs node 18 or later and npm, found: $(node --version 2>/dev/null || echo none)")
elif ! cmp -s "$here/package.json" "$work/node/installed.json"; then
  rm -rf "$work/node"; mkdir -p "$work/node"
  cp "$here/package.json" "$work/node/"
  if (cd "$work/node" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >"$work/npm.log" 2>&1); then
    cp "$here/package.json" "$work/node/installed.json"
  else
    rm -rf "$work/node"
    arguments+=(--skip-node "the SDKs could not be installed: $(tail -1 "$work/npm.log")")
  fi
fi

exec "$python" "$here/main.py" "$binary" --node "$work/node" "${arguments[@]}"
