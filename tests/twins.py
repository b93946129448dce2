#!/usr/bin/env python3
"""Names that files of one compilation share without knowing it.

Sanitized builds compile the files of a directory as one (cmake/folder.cmake). Two anonymous namespaces then are one: a type that both
define is an error of the compiler, but a function that both define with other parameters is a silent overload, which can be chosen in
place of the file's own. This finds them. usage: twins.py BUILD_FOLDER; ends with a line of counts.
"""
import collections, pathlib, re, sys

DEFINITION = re.compile(r"^(?!return|using|struct|class|enum|namespace|typedef|case|else|if|for|while|switch|#|//|TEST|INSTANTIATE)[A-Za-z_][\w:<>,&*\s\[\]().]*?[\s&*>](\w+)\(")


def functions(path):
    """Names of the functions that the anonymous namespaces of a file define at their top level."""
    names, anonymous = set(), 0
    for line in path.read_text().splitlines():
        if re.match(r"^namespace \{", line):
            anonymous += 1
        elif anonymous and re.match(r"^\}  // namespace$", line):
            anonymous -= 1
        elif found := DEFINITION.match(line) if anonymous or line.startswith("static ") else None:
            names.add(found.group(1))
    return names


bad = units = 0
folder = pathlib.Path(sys.argv[1])
for name in sorted(set(re.findall(r"\S+/Unity/unity_\w+\.cxx(?=\s)", (folder / "build.ninja").read_text()))):
    unit = folder / name  # an absolute name stays what it is
    units += 1
    where = collections.defaultdict(list)
    for source in re.findall(r'#include "(.*\.cc)"', unit.read_text()):
        for name in functions(pathlib.Path(source)):
            where[name].append(pathlib.Path(source))
    for name, files in sorted(where.items()):
        if len(files) > 1:
            bad += 1
            print(f"'{name}' of an anonymous namespace stands in " + " and ".join(f"{f.parent.name}/{f.name}" for f in files)
                  + ": rename one, or put its file into ajar_alone (CMakeLists.txt)")
print(f"{units - (bad > 0)} passed, {bad} failed, 0 skipped")
sys.exit(bad > 0 or units == 0)
