#!/usr/bin/env python3
"""The embedded engine beside llama.cpp: the same random-weight models, the same prompts, in turns.

    bench/engine.py AJAR LLAMA_BIN [--models FOLDER] [--rounds N] [--quick] [--write]

AJAR is our binary, LLAMA_BIN a folder with llama.cpp's llama-bench and llama-batched-bench, built for this machine. Models are
made once in FOLDER (about 5 GB; default /tmp/ajar-bench-models). --write puts the table into bench/README.md, which has one for each kind of machine.
Each round measures both, one after the other; the table has the best of each, since what else runs on a machine only takes."""
import argparse
import json
import os
import pathlib
import platform
import re
import subprocess

SHAPES = {"llama-3.2-1b": "Llama-3.2-1B", "qwen2.5-0.5b": "Qwen2.5-0.5B", "smollm2-135m": "SmolLM2-135M"}
TYPES = ["Q4_0", "Q4_K_M", "Q8_0"]


def run(*command, quiet=True):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def model(ajar, folder, shape, kind):
    path = folder / f"{shape}-{kind}.gguf"
    if not path.exists():
        master = folder / f"{shape}-F16.gguf"
        if not master.exists():
            run(ajar, "quantize", "--random", shape, master)
        run(ajar, "quantize", master, path, kind)
    return path


def ours(ajar, path, threads, generate):
    report = json.loads(run(ajar, "--json", "bench", "--engine", path, "--engine-threads", threads, "--generate", generate, "--repeat", 2,
                            "--streams", "1,8"))
    found = {"limit_gops": report["limit_gops"], "limit_gbps": report["limit_gbps"], "kernels": report["kernels"]}
    for figure in report["figures"]:
        key = {"prefill": "prefill", "1 stream": "one", "8 streams": "eight", "load to": "first"}
        for begin, name in key.items():
            if figure["what"].startswith(begin):
                found[name] = figure["value"]
                if "of_limit" in figure:
                    found[name + "_of"] = figure["of_limit"]
    return found


def theirs(folder, path, threads, generate):
    rows = json.loads(run(folder / "llama-bench", "-m", path, "-p", 512, "-n", generate, "-t", threads, "-r", 2, "-o", "json"))
    found = {}
    for row in rows:
        found["prefill" if row["n_prompt"] else "one"] = max(row["samples_ts"])
    text = run(folder / "llama-batched-bench", "-m", path, "-c", 8192, "-b", 2048, "-npp", 64, "-ntg", generate, "-npl", 8, "-t", threads)
    line = [l for l in text.splitlines() if re.match(r"\|\s+64 \|", l)][-1]
    found["eight"] = float(line.split("|")[8])
    return found


def best(rounds):
    out = dict(rounds[0])
    for found in rounds[1:]:
        for name, value in found.items():
            if isinstance(value, (int, float)):
                out[name] = min(out[name], value) if name == "first" else max(out[name], value)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ajar", type=pathlib.Path)
    parser.add_argument("llama", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("/tmp/ajar-bench-models"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="Q4_0 only, shorter answers")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.models.mkdir(parents=True, exist_ok=True)
    threads, generate = os.cpu_count(), 32 if options.quick else 64
    load = os.getloadavg()[0]
    lines, machine = [], {}
    for shape, name in SHAPES.items():
        for kind in TYPES[:1] if options.quick else TYPES:
            path = model(options.ajar, options.models, shape, kind)
            a, b = [], []
            for _ in range(options.rounds):
                b.append(theirs(options.llama, path, threads, generate))
                a.append(ours(options.ajar, path, threads, generate))
            a, b = best(a), best(b)
            machine = a
            cells = [name, kind]
            for what in ("prefill", "one", "eight"):
                share = f" ({a[what + '_of'] * 100:.0f} %)" if what + "_of" in a else ""
                cells.append(f"{a[what]:.0f}{share} / {b[what]:.0f} = {a[what] / b[what]:.2f}x")
            cells.append(f"{a['first']:.2f} s")
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    table = [f"{threads} threads, {cpu}, {machine['kernels']} kernels; load at the start {load:.1f}; best of {options.rounds} rounds in turns. Limits measured in "
             f"the same runs: {machine['limit_gops']:.0f} Gop/s, {machine['limit_gbps']:.0f} GB/s.", "",
             "| model | format | prefill of 512, tokens/s | one stream | eight streams | load to first token |", "|---|---|---|---|---|---:|", *lines]
    if options.write:
        page = pathlib.Path(__file__).with_name("README.md")
        text = page.read_text()
        begins, ends = (f"<!-- engine.py {machine['kernels']} {mark} -->" for mark in ("begins", "ends"))
        if begins not in text:
            raise SystemExit(f"{page} has no place for the table of a machine with {machine['kernels']} kernels: {begins}")
        head, rest = text.split(begins + "\n")
        page.write_text(head + begins + "\n" + "\n".join(table) + "\n" + ends + rest.split(ends)[1])


if __name__ == "__main__":
    main()
