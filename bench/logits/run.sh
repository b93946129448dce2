#!/bin/bash
# Our logits beside llama.cpp's, on random models of every family: bench/logits/run.sh LLAMA_SOURCE [BUILD]
# LLAMA_SOURCE: llama.cpp with its shared libraries in build/bin. BUILD: our release build (default build).
set -eu
cd "$(dirname "$0")/../.."
llama=$1; build=${2:-build}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
clang++-19 -O2 bench/logits/theirs.cc -I"$llama/include" -I"$llama/ggml/include" -L"$llama/build/bin" -lllama -lggml -lggml-base \
  -Wl,-rpath,"$llama/build/bin" -o "$work/theirs"
clang++-19 -std=c++23 -O2 bench/logits/ours.cc -Isrc "$build/libajar_engine.a" "$build/libajar_json.a" "$build/libajar_base.a" \
  -lsimdjson -lpcre2-8 -lcrypto -lspdlog -lfmt -lpthread -o "$work/ours"
echo "| family | format | same most likely token of 1,000 | rms error | largest error, of the largest logit |"
echo "|---|---|---:|---:|---:|"
for family in llama mixtral qwen2 qwen2moe qwen3 qwen3moe gemma2 gemma3 phi3; do
  for format in F32 F16 Q8_0; do
    "$build/ajar" quantize --random "tiny-$family" "$work/m.gguf" "$format" --force >/dev/null 2>&1
    "$work/theirs" "$work/m.gguf" "$work/logits" 5 200
    echo "| $family | $format | $("$work/ours" "$work/m.gguf" "$work/logits" 5 200) |"
  done
done
