#!/bin/bash
# Takes the profile of the request line anew: an instrumented build (some ten minutes on two cores), a quick run of the load points.
# Needs llvm-profdata-19 (Debian's llvm-19).
set -eu
cd "$(dirname "$0")/../.."
command -v llvm-profdata-19 >/dev/null || { echo "llvm-profdata-19 is missing: apt-get install llvm-19" >&2; exit 1; }
folder=build-profile
counted=$PWD/$folder/counted
cmake -S . -B $folder -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19 -DCMAKE_BUILD_TYPE=Release -DAJAR_TESTS=OFF \
  -DAJAR_UNITY=ON -DAJAR_PROFILE=OFF -DCMAKE_CXX_FLAGS="-fprofile-generate=$counted -mllvm -static-func-full-module-prefix=false"
ninja -C $folder ajar
rm -rf "$counted"
$folder/ajar bench --quick --only whole,tokens,latency,pairs
llvm-profdata-19 merge -sparse -o $folder/request_line.profdata "$counted"/*.profraw
(cd $folder && cmake -E tar cJf ../bench/profile/request_line.tar.xz request_line.profdata)
ls -l bench/profile/request_line.tar.xz
