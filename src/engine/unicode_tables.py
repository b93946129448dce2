#!/usr/bin/env python3
"""Writes unicode_tables.cc from Python's copy of the Unicode Character Database: python3 unicode_tables.py > unicode_tables.cc"""
import sys
import unicodedata as u

COUNT = 0x110000
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by rule


def ranges(wanted):
    out, start = [], None
    for c in range(COUNT + 1):
        if c < COUNT and wanted(c):
            if start is None:
                start = c
        elif start is not None:
            out.append((start, c - 1))
            start = None
    return out


def emit(name, kind, items):
    print(f"\nstatic constexpr {kind} {name}_data[] = {{")
    line = ""
    for item in items:
        text = item + ","
        if len(line) + len(text) > 118:
            print(line)
            line = ""
        line += text
    print(line + "\n};")
    print(f"const char32_t* const {name} = {name}_data;" if kind == "char32_t" else
          f"constinit const std::span<const {kind}> {name}{{{name}_data}};")


pool, places = [], {}


def place(text):
    if text not in places:
        places[text] = len(pool)
        pool.extend(ord(c) for c in text)
    return places[text]


chars = [c for c in range(COUNT) if not 0xD800 <= c < 0xE000 and c not in HANGUL]
canonical, compatible, lower, pairs, classes = [], [], [], [], []
for c in chars:
    ch = chr(c)
    nfd, nfkd, low = u.normalize("NFD", ch), u.normalize("NFKD", ch), ch.lower()
    if nfd != ch:
        canonical.append((c, place(nfd), len(nfd)))
    if nfkd != nfd:
        compatible.append((c, place(nfkd), len(nfkd)))
    if low != ch:
        lower.append((c, place(low), len(low)))
    step = u.decomposition(ch)
    if step and "<" not in step and len(step.split()) == 2:
        a, b = (int(x, 16) for x in step.split())
        if u.normalize("NFC", chr(a) + chr(b)) == ch:
            pairs.append((a, b, c))
for c in chars:
    if u.combining(chr(c)):
        if classes and classes[-1][1] == c - 1 and classes[-1][2] == u.combining(chr(c)):
            classes[-1][1] = c
        else:
            classes.append([c, c, u.combining(chr(c))])

print(f"// Made by unicode_tables.py of Unicode {u.unidata_version}; not for editing.")
print('#include "engine/unicode_tables.h"\n\nnamespace ajar::engine::unicode {')
for name, rows in (("kCanonical", canonical), ("kCompatible", compatible), ("kLower", lower)):
    emit(name, "Mapping", [f"{{0x{c:x},{at},{n}}}" for c, at, n in rows])
emit("kPool", "char32_t", [f"0x{c:x}" for c in pool])
emit("kPairs", "Pair", [f"{{0x{a:x},0x{b:x},0x{c:x}}}" for a, b, c in sorted(pairs)])
emit("kCombining", "Class", [f"{{0x{a:x},0x{b:x},{n}}}" for a, b, n in classes])
category = [u.category(chr(c)) for c in range(COUNT)]
for name, wanted in (("kMarks", lambda c: category[c][0] == "M"), ("kNonspacing", lambda c: category[c] == "Mn"),
                     ("kPunctuation", lambda c: category[c][0] == "P"), ("kOther", lambda c: category[c][0] == "C")):
    emit(name, "Range", [f"{{0x{a:x},0x{b:x}}}" for a, b in ranges(wanted)])
print("\n}  // namespace ajar::engine::unicode")
