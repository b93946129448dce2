"""Comparing what came with what was expected; a difference is one readable line."""
import json
import re


def show(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else text[:400] + "…"


def subset(expected, got, at=""):
    """The first difference, or None. Objects may have more members than expected; "*" matches any value,
    "~regex" a string (or a number's text), "-" (as a member) an absent one."""
    if expected == "*":
        return None
    if isinstance(expected, str) and expected.startswith("~"):
        text = got if isinstance(got, str) else json.dumps(got)
        return None if re.search(expected[1:], text) else f"{at or '.'}: expected {expected}, got {show(got)}"
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"{at or '.'}: expected an object {show(expected)}, got {show(got)}"
        for name, value in expected.items():
            here = f"{at}.{name}"
            if value == "-":
                if name in got:
                    return f"{here}: expected to be absent, got {show(got[name])}"
            elif name not in got:
                return f"{here}: missing (expected {show(value)}); there are {', '.join(got) or 'no members'}"
            else:
                fault = subset(value, got[name], here)
                if fault:
                    return fault
        return None
    if isinstance(expected, list):
        if not isinstance(got, list):
            return f"{at or '.'}: expected a list {show(expected)}, got {show(got)}"
        if len(got) != len(expected):
            return f"{at or '.'}: expected {len(expected)} items, got {len(got)}: {show(got)}"
        for i, value in enumerate(expected):
            fault = subset(value, got[i], f"{at}[{i}]")
            if fault:
                return fault
        return None
    same = expected == got and isinstance(expected, bool) == isinstance(got, bool)
    if isinstance(expected, float) and isinstance(got, (int, float)):
        same = abs(expected - got) < 1e-9
    return None if same else f"{at or '.'}: expected {show(expected)}, got {show(got)}"


def header_fault(name, want, got):
    """`want`: a value, "*" present, "-" absent, "~regex"."""
    if want == "-":
        return None if got is None else f"header {name}: expected to be absent, got {got!r}"
    if got is None:
        return f"header {name}: missing (expected {want!r})"
    if want == "*":
        return None
    if want.startswith("~"):
        return None if re.search(want[1:], got) else f"header {name}: expected {want}, got {got!r}"
    return None if want == got else f"header {name}: expected {want!r}, got {got!r}"
