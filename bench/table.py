"""Reads the JSON of `ajar bench` runs in a folder and prints the tables of bench/README.md: medians over the runs."""
import collections
import datetime
import glob
import json
import os
import statistics
import subprocess
import sys

folder = sys.argv[1]
runs = collections.defaultdict(list)
for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
    with open(path, encoding="utf-8") as file:
        runs[os.path.basename(path).split(".")[0]].append(json.load(file))


def number(value, unit):
    if unit in ("", "/s", "requests/s"):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def medians(who):
    """{(point, what): (median, least, most, unit, target, at_least)} over the runs."""
    found = collections.OrderedDict()
    for run in runs[who]:
        for figure in run["figures"]:
            found.setdefault((figure["point"], figure["what"]), []).append(figure)
    out = collections.OrderedDict()
    for key, figures in found.items():
        values = [figure["value"] for figure in figures]
        first = figures[0]
        out[key] = (statistics.median(values), min(values), max(values), first["unit"], first.get("target"),
                    first.get("target_is") == "at_least", figures[-1].get("note", ""))
    return out


machine = runs["ajar"][0]["machine"]
loads = ", ".join(run["machine"]["load_at_start"] for run in runs["ajar"])
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
print(f"Measured {datetime.date.today().isoformat()} at commit {commit}: {machine['cores']} cores, {machine['cpu']}, "
      f"{machine['kernel']}; load average at the start of each run: {loads}. Medians of {len(runs['ajar'])} run(s); "
      "the range behind them. One loop (`--threads 1`); keys with all kinds of limits, metrics, call log and access "
      "log on.\n")
print("| point | measure | median | range | target | |")
print("|---|---|---:|---|---:|---|")
for (point, what), (median, least, most, unit, target, at_least, note) in medians("ajar").items():
    if point == "pairs":
        continue
    goal, verdict = "", ""
    if target is not None:
        goal = ("≥ " if at_least else "≤ ") + f"{target:,g}"
        verdict = "met" if (median >= target if at_least else median <= target) else "**missed**"
    print(f"| {point} | {what} | {number(median, unit)} {unit} | {number(least, unit)} to {number(most, unit)} | {goal} | {verdict} |")



def pairs(measure, unit):
    """A table with clients down and targets across, of the point `pairs`; missed targets are bold."""
    cells = collections.OrderedDict()
    for (point, what), (median, _, _, _, target, _, note) in medians("ajar").items():
        if point != "pairs" or not what.endswith(measure):
            continue
        client, upstream = what.split(",")[0].split(" to ")
        shown = "fails" if "FAILED" in note or "MISSING" in note else number(median, unit)
        cells.setdefault(client, collections.OrderedDict())[upstream] = (shown, median, target)
    if not cells:
        return
    upstreams = list(next(iter(cells.values())))
    ceilings = sorted({target for row in cells.values() for _, _, target in row.values()})
    missed = sum(median > target for row in cells.values() for _, median, target in row.values())
    print(f"\n{measure} in {unit}, clients' APIs down, targets' across. Targets: ≤ {ceilings[0]:g} in the same dialect, "
          f"≤ {ceilings[-1]:g} translated; " + (f"**{missed} missed**, in bold.\n" if missed else "all met.\n"))
    print("| | " + " | ".join(upstreams) + " |")
    print("|---|" + "---:|" * len(upstreams))
    for client, row in cells.items():
        print(f"| {client} | " + " | ".join(f"**{shown}**" if median > target or shown == "fails" else shown
                                            for shown, median, target in (row[upstream] for upstream in upstreams)) + " |")


pairs("CPU per request", "µs")
pairs("CPU per token", "µs")
print("\nBeside it, the same load through the peers (CPU of their own processes):\n")
own = medians("ajar")
rows = [
    ("CPU per request of 2 KB, same dialect", ("whole", "OpenAI to OpenAI, CPU per request"), ("whole", "as given, CPU per request"), False),
    ("CPU per request, OpenAI to Anthropic", ("whole", "OpenAI to Anthropic, CPU per request"), ("whole", "as given, CPU per request"), True),
    ("CPU per token in bursts, same dialect", ("tokens", "OpenAI to OpenAI, CPU per token"), ("tokens", "as given, CPU per token"), False),
    ("CPU per token in bursts, OpenAI to Anthropic", ("tokens", "OpenAI to Anthropic, CPU per token"), ("tokens", "as given, CPU per token"), True),
    ("requests per second", ("rate", "requests per second, 64 connections"), None, False),
    ("requests per second of CPU", ("rate", "the same by CPU time: per second of CPU"), None, False),
    ("delay added at one connection, p50", ("latency", "delay added to an answer, p50"), None, False),
    ("delay added at one connection, p99", ("latency", "delay added to an answer, p99"), None, False),
    ("time to the first token added, p50", ("latency", "time to the first token added, p50"), None, False),
    ("streams kept of 512", ("paced", "streams kept of 512"), None, False),
    ("delay added per paced token, p50", ("paced", "delay added per token, p50"), None, False),
    ("delay added per paced token, p99", ("paced", "delay added per token, p99"), None, False),
    ("CPU per paced token", ("paced", "CPU per token"), None, False),
]
nginx, portkey, translated = medians("nginx"), medians("portkey"), medians("portkey-anthropic")
print("| measure | Ajar | nginx proxy_pass | Portkey |")
print("|---|---:|---:|---:|")
for name, key, theirs, translating in rows:
    def cell(table, at):
        if at not in table:
            return "–"
        note = table[at][6]
        if "FAILED" in note or "MISSING" in note:
            return "0" if key[1].startswith("streams kept") and table[at][0] == 0 else "fails"
        return f"{number(table[at][0], table[at][3])} {table[at][3]}".strip()
    at = theirs or key
    print(f"| {name} | {cell(own, key)} | {'–' if translating else cell(nginx, at)} | "
          f"{cell(translated if translating else portkey, at)} |")
notes = []
if os.environ.get("NGINX_NOTE"):
    notes.append("nginx is left out: " + os.environ["NGINX_NOTE"])
elif os.environ.get("NGINX_VERSION"):
    notes.append(f"nginx {os.environ['NGINX_VERSION']}, one worker, kept upstream connections, no log, no keys; it only moves bytes")
if os.environ.get("PORTKEY_NOTE"):
    notes.append("Portkey is left out: " + os.environ["PORTKEY_NOTE"])
elif portkey:
    notes.append("Portkey 1.15.2 under node " + os.environ.get("NODE_VERSION", "") + ", as `npm` installs it, without keys and limits; one run, shorter"
                 + "".join(f". It answers streams with an error here: {why}" for why in
                           {figure["note"].split("FAILED: ")[1][:90] for run in runs["portkey"] for figure in run["figures"]
                            if figure["point"] == "tokens" and "FAILED: " in figure.get("note", "")}))
print("\n" + ".\n".join(notes) + ("." if notes else ""))
