#!/bin/sh
# Folders include only their own files and those of rows strictly below (ARCHITECTURE.md). Prints every breach.
set -eu
cd "$(dirname "$0")/../src"
rank() {
  case $1 in
    base) echo 0 ;;
    net | json) echo 1 ;;
    http | core) echo 2 ;;
    wire | engine | chat | index | guard | learn | store | govern) echo 3 ;;
    provider | rag) echo 4 ;;
    gateway | vectors) echo 5 ;;
    eval | tune) echo 6 ;;
    api) echo 7 ;;
    app) echo 8 ;;
    *) echo unknown ;;
  esac
}
breaches=0
checked=0
for file in $(find . -name '*.h' -o -name '*.cc' | sort); do
  from=$(echo "$file" | cut -d/ -f2)
  for included in $(sed -n 's/^#include "\([a-z_]*\)\/.*/\1/p' "$file" | sort -u); do
    [ "$included" = "$from" ] && continue
    [ "$included" = embed ] && continue
    checked=$((checked + 1))
    a=$(rank "$from"); b=$(rank "$included")
    if [ "$a" = unknown ] || [ "$b" = unknown ] || [ "$b" -ge "$a" ]; then
      echo "src/${file#./}: $from must not include $included"
      breaches=$((breaches + 1))
    fi
  done
  # Only app reads the environment; only net, http and app know sockets.
  case $file in ./app/* | *_test.cc) ;; *)
    if grep -nE '\bgetenv\(' "$file" >/dev/null; then
      echo "src/${file#./}: only app reads the environment"; breaches=$((breaches + 1)); fi ;;
  esac
  case $from in net | http | app) ;; *)
    if grep -nE '#include <(sys/socket|boost/asio/ip/)' "$file" >/dev/null; then
      echo "src/${file#./}: sockets belong to net, http and app"; breaches=$((breaches + 1)); fi ;;
  esac
  # One dialect does not know another.
  case $file in ./wire/*/*)
    dialect=$(echo "$file" | cut -d/ -f3)
    for other in $(sed -n 's/^#include "wire\/\([a-z_]*\)\/.*/\1/p' "$file" | sort -u); do
      case $file in *_test.cc | *_fuzz.cc | *_bench.cc) continue ;; esac
      [ "$other" = "$dialect" ] || { echo "src/${file#./}: dialect $dialect must not include $other"; breaches=$((breaches + 1)); }
    done ;;
  esac
done
echo "layers: $checked includes across folders checked, $breaches breaches"
[ "$breaches" = 0 ]
