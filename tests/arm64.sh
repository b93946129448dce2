#!/bin/sh
# The engine's files that differ by processor compile for 64-bit ARM too. Only their syntax and types are looked at, with this
# machine's own headers, so that nothing need be installed; CONTRIBUTING.md says how the tests are run in an emulator.
set -eu
cd "$(dirname "$0")/.."
[ "$(uname -m)" = x86_64 ] || { echo "skipped: only beside the headers of x86_64"; exit 0; }
missing=$(mktemp -d)
trap 'rm -rf "$missing"' EXIT
mkdir "$missing/gnu" "$missing/bits"  # what glibc's headers here get wrong for another processor
: >"$missing/gnu/stubs-32.h"
echo '#define __WORDSIZE 64' >"$missing/bits/wordsize.h"
for name in kernels kernels_portable kernels_neon kernels_dotprod panel compute_pool; do
  march=armv8-a
  [ $name = kernels_dotprod ] && march=armv8.2-a+dotprod
  clang++-19 --target=aarch64-linux-gnu -march=$march -std=c++23 -Wall -Wextra -Wno-psabi -Wno-missing-designated-field-initializers -Werror -fsyntax-only \
    -nostdinc++ -isystem "$missing" -isystem /usr/include/c++/12 -isystem /usr/include/x86_64-linux-gnu/c++/12 -isystem /usr/include/x86_64-linux-gnu -Isrc \
    "src/engine/$name.cc"
done
echo "6 files of the engine compile for arm64"
