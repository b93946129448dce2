#!/bin/sh
# Measures Ajar and, beside it, nginx (proxy_pass, the floor of any HTTP proxy) and Portkey's gateway, all with the same
# simulator behind them and the same load client before them; then writes the table into bench/README.md.
#   bench/run.sh            three runs (RUNS=N for others), medians
#   bench/run.sh --quick    one shorter run without the pairs, the table is printed only
# The binary is build/ajar (AJAR=… for another). Runs on a machine that should have nothing else to do.
set -eu
cd "$(dirname "$0")/.."
AJAR=${AJAR:-build/ajar}
RUNS=${RUNS:-3}
QUICK=
if [ "${1:-}" = "--quick" ]; then RUNS=1 QUICK=--quick; fi
[ -x "$AJAR" ] || { echo "bench/run.sh: build $AJAR first" >&2; exit 1; }

WORK=$(mktemp -d)
PIDS=
cleanup() {
  for pid in $PIDS; do kill "$pid" 2> /dev/null || true; done
  rm -rf "$WORK"
}
trap cleanup EXIT INT TERM
say() { echo "$*" >&2; }
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
# wait_for URL SECONDS: until anything answers there.
wait_for() {
  tries=$(($2 * 10))
  while [ $tries -gt 0 ]; do
    if curl -s -o /dev/null --max-time 1 "$1"; then return 0; fi
    tries=$((tries - 1))
    sleep 0.1
  done
  return 1
}

# The upstream of the peers; Ajar's own runs start another one like it.
"$AJAR" mock --listen 127.0.0.1:0 > "$WORK/mock.log" 2>&1 &
PIDS="$PIDS $!"
tries=100
while ! grep -q 'http://127' "$WORK/mock.log" && [ $tries -gt 0 ]; do tries=$((tries - 1)); sleep 0.05; done
MOCK=$(sed -n 's|.*\(http://127\.0\.0\.1:[0-9]*\).*|\1|p' "$WORK/mock.log" | head -1)
MOCK_PORT=${MOCK##*:}

# ---- nginx
NGINX_NOTE=
if ! command -v nginx > /dev/null; then
  say "installing nginx-light"
  if [ "$(id -u)" = 0 ]; then apt-get install -y -qq nginx-light > "$WORK/apt.log" 2>&1 || true
  else sudo -n apt-get install -y -qq nginx-light > "$WORK/apt.log" 2>&1 || true; fi
fi
if command -v nginx > /dev/null; then
  NGINX_PORT=$(free_port)
  sed -e "s|@WORK@|$WORK|g" -e "s|@PORT@|$NGINX_PORT|" -e "s|@UPSTREAM@|127.0.0.1:$MOCK_PORT|" bench/nginx.conf > "$WORK/nginx.conf"
  nginx -c "$WORK/nginx.conf" -p "$WORK" 2> "$WORK/nginx.err" &
  NGINX=$!
  PIDS="$PIDS $NGINX"
  wait_for "http://127.0.0.1:$NGINX_PORT/" 10 || NGINX_NOTE="nginx did not start: $(cat "$WORK/nginx.err")"
  NGINX_WORKER=$(cat "/proc/$NGINX/task/$NGINX/children" 2> /dev/null | tr -d ' ' || true)
  NGINX_VERSION=$(nginx -v 2>&1 | sed 's|.*nginx/||')
else
  NGINX_NOTE="nginx could not be installed"
fi

# ---- Portkey
PORTKEY_NOTE=
PORTKEY_HOME=build/portkey
if ! command -v npm > /dev/null; then
  PORTKEY_NOTE="npm is not installed"
else
  if [ ! -d "$PORTKEY_HOME/node_modules/@portkey-ai/gateway" ]; then
    say "installing Portkey's gateway into $PORTKEY_HOME"
    mkdir -p "$PORTKEY_HOME"
    (cd "$PORTKEY_HOME" && echo '{"private":true}' > package.json &&
      npm install --no-audit --no-fund --silent @portkey-ai/gateway@1.15.2) > "$WORK/npm.log" 2>&1 ||
      PORTKEY_NOTE="it could not be installed: $(tail -1 "$WORK/npm.log")"
  fi
fi
if [ -z "$PORTKEY_NOTE" ]; then
  PORTKEY_PORT=$(free_port)
  node "$PORTKEY_HOME/node_modules/@portkey-ai/gateway/build/start-server.js" --port="$PORTKEY_PORT" --headless \
    > "$WORK/portkey.log" 2>&1 &
  PORTKEY=$!
  PIDS="$PIDS $PORTKEY"
  wait_for "http://127.0.0.1:$PORTKEY_PORT/" 20 || PORTKEY_NOTE="it did not start: $(tail -2 "$WORK/portkey.log")"
fi
[ -z "$NGINX_NOTE" ] || say "nginx is left out: $NGINX_NOTE"
[ -z "$PORTKEY_NOTE" ] || say "Portkey is left out: $PORTKEY_NOTE"

# peer NAME RUN ARGS…: one JSON file.
peer() {
  name=$1 run=$2
  shift 2
  say "run $run: $name"
  "$AJAR" --json bench --direct "$MOCK" --only whole,tokens,latency,rate,paced $QUICK "$@" > "$WORK/$name.$run.json"
}

run=1
while [ $run -le $RUNS ]; do
  say "run $run: ajar"
  "$AJAR" --json bench $QUICK > "$WORK/ajar.$run.json"
  if [ -z "$NGINX_NOTE" ]; then
    peer nginx $run --url "http://127.0.0.1:$NGINX_PORT/v1" --pid "$NGINX_WORKER"
  fi
  if [ -z "$PORTKEY_NOTE" ] && [ $run = 1 ]; then  # once: it is so far from the others that medians add nothing
    peer portkey $run --url "http://127.0.0.1:$PORTKEY_PORT/v1" --pid "$PORTKEY" --quick \
      --header "x-portkey-provider: openai" --header "x-portkey-custom-host: http://127.0.0.1:$MOCK_PORT/v1" \
      --header "Authorization: Bearer none"
    say "run $run: portkey, translating"
    "$AJAR" --json bench --only whole,tokens --quick --url "http://127.0.0.1:$PORTKEY_PORT/v1" --pid "$PORTKEY" \
      --header "x-portkey-provider: anthropic" --header "x-portkey-custom-host: http://127.0.0.1:$MOCK_PORT/v1" \
      --header "Authorization: Bearer none" > "$WORK/portkey-anthropic.$run.json"
  fi
  run=$((run + 1))
done

NODE_VERSION="$(node --version 2> /dev/null || true)" NGINX_NOTE="$NGINX_NOTE" NGINX_VERSION="${NGINX_VERSION:-}" PORTKEY_NOTE="$PORTKEY_NOTE" \
  python3 bench/table.py "$WORK" > "$WORK/table.md"
if [ -n "$QUICK" ]; then
  cat "$WORK/table.md"
else
  # Everything between the two marks is made; what stands around them is written by hand.
  python3 - "$WORK/table.md" << 'PY'
import sys
text = open("bench/README.md", encoding="utf-8").read()
begin, end = "<!-- run.sh begins -->\n", "<!-- run.sh ends -->\n"
head, rest = text.split(begin, 1)
tail = rest.split(end, 1)[1]
open("bench/README.md", "w", encoding="utf-8").write(head + begin + open(sys.argv[1], encoding="utf-8").read() + end + tail)
PY
  say "written: bench/README.md"
fi
