#!/bin/sh
# The conformance matrix in docs/compatibility.md is what the binary shows: matrix.sh BINARY compares, matrix.sh BINARY
# --write replaces the tables there. Ends with counts.
set -eu
cd "$(dirname "$0")/.."
binary=${1:?usage: matrix.sh BINARY [--write]}
doc=docs/compatibility.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$binary" selftest --matrix >"$work/tables" || { echo "0 passed, 1 failed"; exit 1; }
sed '/<!-- matrix begins/q' "$doc" >"$work/new"
cat "$work/tables" >>"$work/new"
sed -n '/<!-- matrix ends/,$p' "$doc" >>"$work/new"
if [ "${2:-}" = "--write" ]; then cp "$work/new" "$doc"; echo "wrote $doc"; exit 0; fi
if diff -u "$doc" "$work/new"; then
  echo "1 passed, 0 failed"
else
  echo "docs/compatibility.md does not say what the binary does; if that is right: tests/matrix.sh $binary --write"
  echo "0 passed, 1 failed"
  exit 1
fi
