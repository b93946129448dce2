#!/bin/bash
# The SDKs of Python and JavaScript against the running server: run.sh BINARY [--only SUITE]. See README.md.
# run.sh BINARY --install only fetches the SDKs; the program need not be there yet.
set -u
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: run.sh BINARY}
[ -x "$binary" ] || [ "${2:-}" = --install ] || { echo "FAIL there is no program $binary"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
work=$(cd "$(dirname "$binary")" && pwd)/sdk
mkdir -p "$work"

if ! command -v python3 >/dev/null; then
  echo "skip python and node: python3 is not installed"; echo "0 passed, 0 failed, 2 skipped"; exit 0
fi

# install LANGUAGE GROUP PINS: into $work/LANGUAGE-GROUP, made again whenever the pinned versions change. A group that cannot
# be installed leaves its reason in $work/LANGUAGE-GROUP.reason, and takes no other group down.
install() {
  local folder=$work/$1-$2 log=$work/$1-$2.log
  cmp -s "$3" "$folder/installed" && return
  rm -rf "$folder" "$folder.reason"; mkdir -p "$folder"
  if "install_$1" "$folder" "$3" >"$log" 2>&1; then
    cp "$3" "$folder/installed"
  else
    rm -rf "$folder"
    local why; why=$(grep -m2 '^npm error' "$log") || why=$(tail -1 "$log")
    echo "could not be installed: ${why//$'\n'/ }" >"$folder.reason"
  fi
}
# Both try again once only and wait a minute at most, so that a machine without a network is through in a minute or two.
# One pip serves all environments; bytecode is made when a suite first needs it, which is a tenth of what is installed.
install_python() {
  if [ -x "$work/pip/bin/pip" ]; then
    python3 -m venv --without-pip "$1" && "$work/pip/bin/pip" --python "$1/bin/python" --retries 1 --timeout 15 \
      install -q --no-compile --disable-pip-version-check -r "$2"
  else
    tail -1 "$work/pip.log"; return 1
  fi
}
install_node() {
  local major; major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p')
  if [ -z "$major" ] || [ "$major" -lt 20 ] || ! command -v npm >/dev/null; then
    echo "needs node 20 or later and npm, found: $(node --version 2>/dev/null || echo none)"; return 1
  fi
  cp "$2" "$1/package.json" && cd "$1" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
    --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 --fetch-timeout=60000
}

[ -x "$work/pip/bin/pip" ] || python3 -m venv "$work/pip" >"$work/pip.log" 2>&1 || rm -rf "$work/pip"
groups() {  # LANGUAGE GROUP PINS, one a line: requirements.txt and package.json are the group `official`
  local pins group
  for pins in "$here"/requirements*.txt "$here"/package*.json; do
    group=$(basename "${pins%.*}"); group=${group#requirements}; group=${group#package}; group=${group#-}
    case $pins in *.txt) echo "python ${group:-official} $pins" ;; *) echo "node ${group:-official} $pins" ;; esac
  done
}
while read -r language group pins; do
  while [ "$(jobs -rp | wc -l)" -ge 3 ]; do wait -n; done
  install "$language" "$group" "$pins" &
done < <(groups)
wait
[ "${2:-}" = --install ] && exit

exec python3 "$here/main.py" "$binary" --work "$work" "${@:2}"
