"""The real binary as a process: started on a free port with its own folder, and looked at when it ends."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .client import call
from .upstream import wait_for

UPSTREAM_KEY = "upstream-secret-9f3b77c1"
START_SECONDS = 60
SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")


class StartFailed(Exception):
    pass


class Server:
    """One `ajar serve`. `folder` survives a restart; remove() deletes it."""
    all = []
    secrets = {UPSTREAM_KEY}

    def __init__(self, binary, config, folder=None, arguments=(), environment=None, program="serve"):
        self.binary = binary
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="ajar-flow-"))
        self.config_file = self.folder / "ajar.toml"
        self.data = self.folder / "data"
        self.arguments, self.environment = list(arguments), dict(environment or {})
        self.program = program
        self.config_file.write_text(config)
        self.keys = {}
        self.process = None
        self.runs = 0
        self.output = ""
        Server.all.append(self)
        self.start()

    def start(self, wait=True):
        self.runs += 1
        self.out = self.folder / f"out{self.runs}.log"
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "UPSTREAM_KEY": UPSTREAM_KEY,
                       "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
                       "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "print_stacktrace=1"), **self.environment}
        command = [self.binary, self.program, "--config", str(self.config_file)]
        for option, value in (("--data", str(self.data)), ("--listen", "127.0.0.1:0")):
            command += [] if option in self.arguments else [option, value]
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen(command + self.arguments, stdout=out, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, env=environment,
                                            restore_signals=False)  # SIGXFSZ stays ignored: see test_crash
        if not wait:
            return
        wait_for(lambda: "Listening on" in self.log() or self.process.poll() is not None, START_SECONDS)
        found = re.search(r"Listening on http://[\d.]+:(\d+)", self.log())
        if not found:
            self.kill()
            raise StartFailed(self.log()[-2000:])
        self.port = int(found.group(1))
        key = re.search(r"^\s+(sk-ajar-\w+)$", self.log(), re.M)
        if key:
            self.keys["main"] = key.group(1)
            Server.secrets.add(key.group(1))
        token = self.data / "admin.token"
        self.admin_token = token.read_text().strip() if token.exists() else ""
        if self.admin_token:
            Server.secrets.add(self.admin_token)

    def log(self):
        return self.out.read_text(errors="replace") if self.out.exists() else ""

    def admin(self, method, path, body=None):
        return call(self.port, method, "/admin/" + path, self.admin_token, body)

    def new_key(self, name, **limits):
        answer = self.admin("POST", "keys", {"name": name, **limits})
        if answer.status != 201:
            raise AssertionError(f"cannot make the key {name}: {answer.status} {answer.text}")
        self.keys[name] = answer.json()["secret"]
        Server.secrets.add(self.keys[name])
        return self.keys[name]

    def key(self, name):
        return self.admin("GET", "keys/" + name).json()

    def calls(self, seen=(), count=0, seconds=10):
        """Call rows that are not in `seen`, oldest first; waits until there are `count`."""
        def rows():
            data = self.admin("GET", "calls?limit=2000").json()["data"]
            # Two loops may write two calls down in another order than they were made in.
            return sorted((row for row in reversed(data) if row["id"] not in seen), key=lambda row: row["time_ms"])
        wait_for(lambda: len(rows()) >= count, seconds)
        return rows()

    def metrics(self):
        out = {}
        for line in call(self.port, "GET", "/metrics", self.admin_token).text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                out[name] = float(value)
        return out

    def rss_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self):
        """Dead, or on its way: both without having been asked to by a test that shares it."""
        return self.process.poll() is not None or "stopping: no new connections" in self.log()

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self, seconds=40):
        """Ends it as a service manager would. What is wrong with how it ended, or None."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            if self.wait(seconds) is None:
                self.kill()
                return "did not end within %d s of SIGTERM" % seconds
        return None

    def faults(self):
        """After the end: sanitizer reports, and secrets where none may be."""
        out = []
        for log in sorted(self.folder.glob("*.log")):
            text = log.read_text(errors="replace")
            found = SANITIZER.search(text)
            if found:
                out.append(f"{log.name}: {text[max(0, found.start() - 200):found.start() + 3000]}")
            # The very first key is printed once, on purpose.
            rest = re.sub(r"First API key.*?\n\n.*?\n", "", text, flags=re.S)
            for secret in Server.secrets:
                if secret in rest:
                    out.append(f"{log.name}: the secret {secret[:12]}… stands in the output")
        return out

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self in Server.all:
            Server.all.remove(self)
