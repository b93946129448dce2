# Sourced by ./run and ./test: installs what is missing, from Debian's packages, and says what it does.
# Usage: ensure_packages NAME...

say() { if [ -t 1 ]; then printf '\033[1m==>\033[0m %s\n' "$*"; else printf '==> %s\n' "$*"; fi; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else
    echo "This needs root and there is no sudo. As root, run: $*" >&2
    return 1
  fi
}

ensure_packages() {
  missing=""
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  say "installing from Debian (with root rights):$missing"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq || echo "(apt-get update failed; trying with the lists at hand)"
  # shellcheck disable=SC2086
  as_root apt-get install -y -qq --no-install-recommends $missing >/tmp/ajar-apt.$$.log 2>&1 || {
    tail -20 /tmp/ajar-apt.$$.log >&2
    echo "apt-get could not install:$missing" >&2
    return 1
  }
  rm -f /tmp/ajar-apt.$$.log
}

check_system() {
  if ! command -v apt-get >/dev/null; then
    echo "This script installs with apt-get (Debian 12 or later). Elsewhere use the container: deploy/Containerfile" >&2
    exit 1
  fi
}

# What the binary needs to be built and run.
BUILD_PACKAGES="clang-19 lld-19 libclang-rt-19-dev cmake ninja-build ccache pkg-config ca-certificates
  libboost1.81-dev libssl-dev libsimdjson-dev libspdlog-dev libtomlplusplus-dev libcli11-dev prometheus-cpp-dev
  libsqlite3-dev libyaml-cpp-dev libpcre2-dev libre2-dev libicu-dev libstemmer-dev libzip-dev libpugixml-dev
  libgumbo-dev libpq-dev poppler-utils"
# What the tests need beyond that.
TEST_PACKAGES="libgtest-dev libgmock-dev python3 python3-venv curl"

# configure_and_build FOLDER TARGETS... -- CMAKE_OPTIONS...
configure_and_build() {
  folder=$1; shift
  targets=""
  while [ $# -gt 0 ] && [ "$1" != "--" ]; do targets="$targets $1"; shift; done
  [ $# -gt 0 ] && shift
  mkdir -p "$folder"
  cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19 -DAJAR_UNITY=ON "$@" >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2; return 1
  }
  terminal=""; [ -t 1 ] && terminal=1
  # shellcheck disable=SC2086
  ninja -C "$folder" $targets | awk -v tty="$terminal" '
    # On a terminal one moving line; in a log one line in fifty. Warnings and errors always.
    /^\[[0-9]+\/[0-9]+\]/ { if (tty) { printf "\r\033[K%s", substr($0, 1, 100); fflush() }
                            else if (++n % 50 == 1) { print substr($0, 1, 100); fflush() } next }
    /^ninja: (Entering|no work)/ { next }
    { if (tty) printf "\r\033[K"; print; fflush() }
    END { if (tty) printf "\r\033[K" }'
  # sh has no pipefail: ask ninja whether anything is left to do.
  # shellcheck disable=SC2086
  ninja -C "$folder" $targets >/dev/null
}
