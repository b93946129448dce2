"""Reads and runs .case files. The format is described in ../README.md."""
import json
import pathlib
import re
import signal
import threading
import time

from . import upstream as up
from .client import Connection, chat_body
from .match import header_fault, show, subset
from .upstream import wait_for

HEADER = re.compile(r"^([a-z][a-z0-9-]*): ?(.*)$")
HANG_SECONDS = 60


class Fault(Exception):
    pass


class Section:
    def __init__(self, words, line):
        self.kind, self.words, self.line, self.lines = words[0], words[1:], line, []

    def text(self):
        return "\n".join(self.lines).strip("\n")

    def option(self, name, otherwise=None):
        for word in self.words:
            if word.startswith(name + "="):
                return word[len(name) + 1:]
        return otherwise


class Case:
    """One test of a file: its name and its sections in order."""

    def __init__(self, path, name, line):
        self.path, self.name, self.line, self.sections = path, name, line, []


def read_cases(path):
    """The configuration's text (or the name of a file beside it) and the tests."""
    config, cases, section = None, [], None
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if line.startswith("=== "):
            cases.append(Case(path, line[4:].strip(), number))
            section = None
        elif line.startswith("== "):
            section = Section(line[3:].split(), number)
            if cases:
                cases[-1].sections.append(section)
            elif section.kind == "config":
                config = section
            else:
                raise Fault(f"{path}:{number}: a test starts with '=== NAME'")
        elif section is not None:
            section.lines.append(line)
        elif line.strip() and not line.startswith("#"):
            raise Fault(f"{path}:{number}: expected a section: {line}")
    if config is None:
        raise Fault(f"{path}: there is no '== config'")
    if config.words:
        return (path.parent / config.words[0]).read_text(), cases
    return config.text(), cases


def unescape(text):
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")


def header_lines(lines):
    """Leading `name: value` lines; the rest."""
    headers, at = [], 0
    while at < len(lines) and (found := HEADER.match(lines[at])):
        headers.append((found.group(1), found.group(2)))
        at += 1
    return headers, "\n".join(lines[at:]).strip("\n")


def as_json(text, where):
    try:
        return json.loads(text)
    except ValueError as error:
        raise Fault(f"{where}: not JSON in the case: {error}: {text[:200]}") from error


class Exchange:
    """One `== upstream` section: what is expected of a request, and how it is answered."""

    def __init__(self, section, where, upstream):
        self.where, self.upstream = where, upstream
        expect, self.steps = [], []
        for line in section.lines:
            if line.startswith("-> "):
                self.steps.append((line[3:].strip(), []))
            elif self.steps:
                self.steps[-1][1].append(line)
            else:
                expect.append(line)
        if not self.steps:
            raise Fault(f"{where}: no '-> ' answer")
        self.target = expect.pop(0) if expect and re.match(r"^[A-Z]+ /", expect[0]) else None
        self.headers, body = header_lines(expect)
        self.json = as_json(body, where) if body else None

    def check(self, request):
        if self.target and self.target != f"{request.method} {request.path}":
            self.upstream.fault(f"{self.where}: expected {self.target}, got {request.method} {request.path}")
        for name, want in self.headers:
            fault = header_fault(name, want, request.headers.get(name))
            if fault:
                self.upstream.fault(f"{self.where}: {fault}")
        if self.json is not None:
            fault = subset(self.json, request.json())
            if fault:
                self.upstream.fault(f"{self.where}: request{fault}\n      whole: {show(request.json())}")

    def __call__(self, request, wire):
        self.check(request)
        for words, lines in self.steps:
            self.step(words.split(" ", 1), lines, request, wire)

    def step(self, words, lines, request, wire):
        kind, rest = words[0], words[1] if len(words) > 1 else ""
        if kind.isdigit():
            headers, body = header_lines(lines)
            if rest:
                headers.append(("content-type", rest))
            elif body.lstrip().startswith("{"):
                headers.append(("content-type", "application/json"))
            wire.whole(int(kind), headers, body)
        elif kind == "chat":
            wire.whole(200, [("content-type", "application/json")], json.dumps(up.chat_json(rest)))
        elif kind == "stream":
            wire.start_stream()
            for event in up.stream_events([word + " " for word in rest.split()]):
                wire.event(event)
            wire.end_stream()
        elif kind == "split":
            wire.split = int(rest)
        elif kind == "sse":
            headers, body = header_lines(lines)
            wire.start_stream(headers)
            for line in filter(None, body.split("\n")):
                self.stream_line(line, request, wire)
            if wire.keep:
                wire.end_stream()
        elif kind == "raw":
            wire.send(unescape("\n".join(lines).strip("\n").replace("\\r\\n\n", "\\r\\n")))
            wire.cut()
        elif kind == "pause":
            time.sleep(float(rest))
        elif kind == "close":
            wire.cut()
        elif kind == "reset":
            wire.reset()
        elif kind == "hang":
            request.closed_after = wire.wait_close(HANG_SECONDS)
            wire.cut()
        else:
            self.upstream.fault(f"{self.where}: unknown step '-> {kind}'")

    def stream_line(self, line, request, wire):
        if not line.startswith("!"):
            if line.startswith("{"):
                wire.event(json.loads(line))
            elif line.startswith("word "):
                wire.event(up.chat_chunk(line[5:]))
            elif line == "stop":
                wire.event(up.chat_chunk(None, "stop"))
            else:
                wire.event(line)
            return
        kind, _, rest = line[1:].partition(" ")
        if kind == "pause":
            time.sleep(float(rest))
        elif kind == "raw":
            wire.chunk(unescape(rest))
        elif kind == "split":
            wire.split = int(rest)
        elif kind == "cut":
            wire.cut()
        elif kind == "reset":
            wire.reset()
        elif kind == "hang":
            request.closed_after = wire.wait_close(HANG_SECONDS)
            wire.cut()
        else:
            raise ValueError("unknown stream line " + line)


class Runner:
    """Runs one case on a running server."""

    def __init__(self, case, server, upstreams):
        self.case, self.server, self.upstreams = case, server, upstreams
        self.running, self.answers, self.last = {}, [], None
        self.faults = []

    def run(self):
        for upstream in self.upstreams.values():
            upstream.reset()
        self.seen = {row["id"] for row in self.server.calls()}
        self.before = self.server.metrics() if any(s.kind == "metrics" for s in self.case.sections) else {}
        original = self.server.config_file.read_text()
        try:
            for section in self.case.sections:
                if section.kind == "upstream":
                    upstream = self.upstreams[section.words[0]]
                    upstream.script.put(Exchange(section, self.where(section), upstream))
            for section in self.case.sections:
                if section.kind != "upstream":
                    getattr(self, "do_" + section.kind)(section)
        except Fault as fault:
            self.faults.append(str(fault))
        for thread, _ in self.running.values():
            thread.join(HANG_SECONDS)
        for upstream in self.upstreams.values():
            self.faults += upstream.faults
            if not upstream.script.empty():
                self.faults.append(f"upstream {upstream.name}: {upstream.script.qsize()} scripted exchanges unused")
            upstream.reset()
        self.check_secrets()
        if self.server.config_file.read_text() != original:
            self.server.config_file.write_text(original)
            self.server.admin("POST", "reload")
        return self.faults

    def where(self, section):
        return f"{self.case.path.name}:{section.line}"

    def check_secrets(self):
        """No answer but the one that makes a key may hold a secret."""
        for answer in self.answers:
            whole = answer.text + json.dumps(answer.headers)
            for secret in self.server.secrets:
                if secret in whole and not (answer.status in (200, 201) and '"secret"' in answer.text):
                    self.faults.append(f"an answer holds the secret {secret[:12]}…: {show(whole)}")

    def key_of(self, section):
        name = section.option("key", "main")
        if name == "none":
            return None
        if name == "admin":
            return self.server.admin_token
        return self.server.keys.get(name, name)

    def perform(self, send, head_only=False, count=1):
        def work(box):
            try:
                with Connection(self.server.port) as connection:
                    send(connection)
                    for _ in range(count):
                        box.append(connection.answer(head_only))
            except OSError as error:
                box.append(error)
        return work

    def start(self, section, work):
        box = []
        if name := section.option("as"):
            thread = threading.Thread(target=work, args=(box,), daemon=True)
            thread.start()
            self.running[name] = (thread, box)
            return
        work(box)
        self.collect(section, box)

    def collect(self, section, box):
        if not box:
            raise Fault(f"{self.where(section)}: no answer in time")
        for answer in box:
            if isinstance(answer, OSError):
                raise Fault(f"{self.where(section)}: {answer}")
            self.answers.append(answer)
        self.last = list(box)

    def do_client(self, section):
        lines = list(section.lines)
        first = lines.pop(0)
        headers, body = header_lines(lines)
        if first.startswith("chat "):
            words = first.split(" ", 2)
            rest, stream = words[2] if len(words) > 2 else "", False
            if rest.startswith("stream"):
                rest, stream = rest[6:].strip(), True
            body = chat_body(words[1], stream, **(as_json(rest, self.where(section)) if rest else {}))
            method, path = "POST", "/v1/chat/completions"
        else:
            method, path = first.split(" ")[:2]
            body = body.encode() if body else None
        key = self.key_of(section)
        self.start(section, self.perform(lambda c: c.request(method, path, headers, body, key), method == "HEAD"))

    def do_raw(self, section):
        """Bytes as they are: \\r\\n is written out, line ends of the case are not sent; {key} is the main key."""
        text = "".join(section.lines).replace("{key}", self.server.keys["main"])
        self.start(section, self.perform(lambda c: c.send(unescape(text)), count=int(section.option("answers", "1"))))

    def do_answer(self, section):
        words = [word for word in section.words if "=" not in word]
        if name := section.option("of"):
            thread, box = self.running.pop(name)
            thread.join(HANG_SECONDS)
            self.collect(section, box)
        if not self.last:
            raise Fault(f"{self.where(section)}: there is no answer left")
        answer = self.last.pop(0)
        try:
            self.check(section, int(words[0]), answer)
        except Fault as fault:
            raise Fault(f"{self.where(section)}: {fault}\n      got: {answer.status} {answer.headers}\n"
                        f"      {show(answer.text)}") from fault

    def check(self, section, status, answer):
        if answer.status != status:
            raise Fault(f"expected status {status}, got {answer.status}")
        data, at = answer.data(), 0
        body = []
        for line in section.lines:
            if line == "done" or line == "not done":
                if answer.done() != (line == "done"):
                    raise Fault(f"expected {line}")
            elif line == "cut":
                if answer.complete:
                    raise Fault("expected the connection to break off, but the answer is complete")
            elif line.startswith("text = "):
                if answer.content() != line[7:].replace("\\n", "\n"):
                    raise Fault(f"expected the text {line[7:]!r}, got {answer.content()!r}")
            elif line.startswith("has "):
                if line[4:] not in answer.text:
                    raise Fault(f"expected the body to hold {line[4:]!r}")
            elif line.startswith("lacks "):
                if line[6:] in answer.text:
                    raise Fault(f"expected the body not to hold {line[6:]!r}")
            elif line.startswith("data "):
                want = as_json(line[5:], self.where(section))
                fault = "there are no events"
                while at < len(data) and (fault := subset(want, data[at])):
                    at += 1
                if fault:
                    raise Fault(f"no event (in order) matches {line[5:]}; the last difference: {fault}")
                at += 1
            elif (found := HEADER.match(line)) and not body:
                fault = header_fault(found.group(1), found.group(2), answer.header(found.group(1)))
                if fault:
                    raise Fault(fault)
            elif line.strip():
                body.append(line)
        if "cut" not in section.lines and not answer.complete:
            raise Fault("the answer broke off: " + getattr(answer, "fault", ""))
        if body:
            fault = subset(as_json("\n".join(body), self.where(section)), answer.json())
            if fault:
                raise Fault("body" + fault)

    def do_calls(self, section):
        wanted = [as_json(line, self.where(section)) for line in section.lines if line.strip()]
        rows = self.server.calls(self.seen, len(wanted))
        fault = subset(wanted, rows)
        if fault:
            raise Fault(f"{self.where(section)}: calls{fault}\n      rows: {json.dumps(rows, indent=1)}")

    def do_metrics(self, section):
        """`series +N` since the test began, or `series = N`."""
        lines = [line.rsplit(" ", 2 if " = " in line else 1) for line in section.lines if line.strip()]

        def fault():
            now = self.server.metrics()
            for words in lines:
                value = now.get(words[0], 0.0) - (0 if len(words) == 3 else self.before.get(words[0], 0.0))
                if abs(value - float(words[-1])) > 1e-9:
                    return f"{self.where(section)}: {words[0]}: expected {words[-1]}, got {value:g}"
            return None
        wait_for(lambda: fault() is None, 5)
        if text := fault():
            raise Fault(text)

    def do_key(self, section):
        limits = as_json(section.text(), self.where(section)) if section.text() else {}
        self.server.new_key(section.words[0], **limits)

    def do_config(self, section):
        text = section.text()
        if section.words:   # `== config replace OLD NEW`: one change to what is there
            text = self.server.config_file.read_text()
            for line in filter(None, section.lines):
                old, _, new = line.partition(" => ")
                if old not in text:
                    raise Fault(f"{self.where(section)}: the configuration does not hold {old!r}")
                text = text.replace(old, new, 1)
        self.server.config_file.write_text(text)

    def do_signal(self, section):
        version = self.server.metrics()["ajar_config_version"]
        self.server.signal(getattr(signal, "SIG" + section.words[0]))
        if not wait_for(lambda: self.server.metrics()["ajar_config_version"] > version, 10):
            raise Fault(f"{self.where(section)}: no new configuration after the signal")

    def do_sleep(self, section):
        time.sleep(float(section.words[0]))

    def do_requests(self, section):
        """`== requests NAME N`: so many requests reached the upstream so far."""
        upstream, count = self.upstreams[section.words[0]], int(section.words[1])
        wait_for(lambda: len(upstream.requests) >= count, 10)
        if len(upstream.requests) != count:
            raise Fault(f"{self.where(section)}: expected {count} requests, got {len(upstream.requests)}")

    def do_closed(self, section):
        """`== closed NAME`: the upstream saw its (hanging) connection close."""
        upstream = self.upstreams[section.words[0]]
        if not wait_for(lambda: any(r.closed_after is not None for r in upstream.requests), 10):
            raise Fault(f"{self.where(section)}: upstream {upstream.name} saw no close")


def cases_in(folder):
    for path in sorted(pathlib.Path(folder).glob("*.case")):
        yield path, *read_cases(path)
