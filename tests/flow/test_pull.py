"""`ajar pull` and `ajar models` against a hub of our own: ranges, cuts, wrong sums, redirects."""
import hashlib
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.parse

SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
TOKEN = "hf-secret-51c0ffee"


class Hub:
    """A hub with one repository, and a second address that its files may lie at."""

    def __init__(self, files, licence="apache-2.0"):
        self.files, self.licence = dict(files), licence
        self.sums = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
        self.ranges = True            # whether ranges are understood
        self.redirect = False         # whether files lie at the other address
        self.cut_after = None         # bytes of all answers together, then every answer is cut
        self.sent = 0
        self.etag = '"one"'
        self.status = None            # of every file
        self.requests = []            # (port, path, headers)
        self.lock = threading.Lock()
        self.servers = [self.serve(), self.serve()]
        self.url, self.other = (f"http://127.0.0.1:{s.server_port}" for s in self.servers)

    def serve(self):
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                hub.answer(self)

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # cuts are meant
                pass

        server = Quiet(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        path = urllib.parse.unquote(url.path)
        with self.lock:
            self.requests.append((request.server.server_port, path, dict(request.headers.items())))
        if path == "/api/models/org/model":
            siblings = [{"rfilename": name, "size": len(body), "blobId": "0" * 40,
                         **({"lfs": {"sha256": self.sums[name], "size": len(body)}} if len(body) > 1000 else {})}
                        for name, body in self.files.items()]
            siblings.append({"rfilename": "../../escape.gguf", "size": 3})
            return self.whole(request, 200, json.dumps({"id": "org/model", "sha": "c" * 40, "cardData": {"license": self.licence},
                                                        "siblings": siblings}).encode())
        prefix = "/org/model/resolve/main/" if not path.startswith("/cdn/") else "/cdn/"
        name = path[len(prefix):] if path.startswith(prefix) else None
        if name not in self.files:
            return self.whole(request, 404, b'{"error":"not found"}')
        if self.status:
            return self.whole(request, self.status, b"no")
        if self.redirect and not path.startswith("/cdn/"):
            request.send_response(302)
            request.send_header("location", f"{self.other}/cdn/{urllib.parse.quote(name)}?signature=abc")
            request.send_header("content-length", "0")
            return request.end_headers()
        body, start, end = self.files[name], 0, len(self.files[name])
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        same = request.headers.get("if-range") in (None, self.etag)
        if self.ranges and asked and same:
            start, end = int(asked[1]), min(int(asked[2]) + 1, len(body))
            request.send_response(206)
            request.send_header("content-range", f"bytes {start}-{end - 1}/{len(body)}")
        else:
            request.send_response(200)
        request.send_header("etag", self.etag)
        request.send_header("content-length", str(end - start))
        request.end_headers()
        for at in range(start, end, 4096):
            piece = body[at:min(at + 4096, end)]
            with self.lock:
                if self.cut_after is not None and self.sent + len(piece) > self.cut_after:
                    request.close_connection = True
                    return request.connection.close()
                self.sent += len(piece)
            try:
                request.wfile.write(piece)
            except OSError:
                request.close_connection = True
                return

    @staticmethod
    def whole(request, status, body):
        request.send_response(status)
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


class Folder:
    def __init__(self, context, hub):
        self.context, self.hub = context, hub
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="ajar-pull-"))
        self.models = self.path / "models" / "org--model"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hub.close()
        shutil.rmtree(self.path)

    def ajar(self, *arguments, **environment):
        done = subprocess.run([self.context.binary, *arguments], capture_output=True, text=True, timeout=120,
                              env={"PATH": os.environ.get("PATH", ""), "AJAR_DATA": str(self.path), "AJAR_HUB": self.hub.url,
                                   "HF_TOKEN": TOKEN, **environment})
        output = done.stdout + done.stderr
        assert not SANITIZER.search(output), output
        assert TOKEN not in output, "the token is in the output"
        return done.returncode, output

    def pull(self, model="org/model", *more):
        return self.ajar("pull", model, "--chunk", "65536", *more)

    def names(self):
        return sorted(str(p.relative_to(self.models)) for p in self.models.rglob("*") if p.is_file())


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


GGUF = {"model-q4_k_m.gguf": noise(300_000), "model-q8_0.gguf": noise(400_000, 2), "mmproj-model.gguf": noise(2000, 3),
        "model-f16-00001-of-00002.gguf": noise(2000, 4), "model-f16-00002-of-00002.gguf": noise(3000, 5), "README.md": b"# model\n"}


def test_chooses_one_file_and_records_the_licence(context):
    with Folder(context, Hub(GGUF)) as folder:
        code, output = folder.pull()
        assert code == 0, output
        assert "licence: apache-2.0" in output, output
        assert folder.names() == ["ajar-model.json", "model-q4_k_m.gguf"], folder.names()
        assert (folder.models / "model-q4_k_m.gguf").read_bytes() == GGUF["model-q4_k_m.gguf"]
        record = json.loads((folder.models / "ajar-model.json").read_text())
        assert record["licence"] == "apache-2.0" and record["revision"] == "c" * 40, record
        before = len(folder.hub.requests)
        code, output = folder.pull()
        assert code == 0 and "already there" in output, output
        assert len(folder.hub.requests) == before + 1, "a file that is there is not fetched again"
        code, output = folder.pull("org/model:Q8_0")
        assert code == 0, output
        code, output = folder.pull("org/model:f16")
        assert code == 0, output
        assert "model-f16-00002-of-00002.gguf" in folder.names(), folder.names()
        code, output = folder.pull("org/model:Q2_K")
        assert code == 1 and "it has model-f16.gguf, model-q4_k_m.gguf" in output, output
        assert not list(folder.path.rglob("escape*"))

        code, output = folder.ajar("models", "list")
        assert code == 0 and "org/model:model-q8_0.gguf" in output and "apache-2.0" in output, output
        code, output = folder.ajar("--json", "models", "show", "org/model:f16")
        assert code == 0 and len(json.loads(output)["files"]) == 2, output
        code, output = folder.ajar("models", "rm", "org/model")
        assert code == 1 and "may be any of" in output, output
        for name in ("q4_k_m", "q8_0", "f16"):
            code, output = folder.ajar("models", "rm", "org/model:" + name)
            assert code == 0, output
        assert not folder.models.exists()
        code, output = folder.ajar("models", "rm", "org/model")
        assert code == 1 and "there is no model" in output, output


def test_fetches_a_folder(context):
    files = {"config.json": b"{}", "model.safetensors": noise(5000), "tokenizer.json": b"{}", "1_Pooling/config.json": b"{}",
             "pytorch_model.bin": noise(5000, 2), "onnx/model.onnx": noise(100)}
    with Folder(context, Hub(files, licence="mit")) as folder:
        code, output = folder.pull()
        assert code == 0, output
        assert folder.names() == ["1_Pooling/config.json", "ajar-model.json", "config.json", "model.safetensors", "tokenizer.json"]
        code, output = folder.ajar("models", "list")
        assert "org/model" in output and "mit" in output, output


def test_goes_on_after_a_cut(context):
    with Folder(context, Hub({"model-q4_0.gguf": noise(1_000_000)})) as folder:
        folder.hub.cut_after = 600_000
        code, output = folder.pull()
        assert code == 1 and "pull again to go on" in output, output
        assert folder.names() == ["model-q4_0.gguf.part", "model-q4_0.gguf.part.state"], folder.names()
        first = folder.hub.sent
        folder.hub.cut_after = None
        code, output = folder.pull()
        assert code == 0, output
        assert (folder.models / "model-q4_0.gguf").read_bytes() == folder.hub.files["model-q4_0.gguf"]
        assert folder.names() == ["ajar-model.json", "model-q4_0.gguf"], folder.names()
        again = folder.hub.sent - first
        assert again < 600_000, f"{again} bytes were fetched again of 1,000,000 with {first} sent before"


def test_tries_again_by_itself(context):
    with Folder(context, Hub({"model-q4_0.gguf": noise(500_000)})) as folder:
        folder.hub.cut_after = 200_000
        threading.Timer(0.6, lambda: setattr(folder.hub, "cut_after", None)).start()
        code, output = folder.pull()
        assert code == 0, output


def test_starts_again_when_the_file_changed(context):
    with Folder(context, Hub({"model-q4_0.gguf": noise(500_000)})) as folder:
        folder.hub.cut_after = 300_000
        code, output = folder.pull()
        assert code == 1, output
        body = noise(500_000, 9)
        folder.hub.files["model-q4_0.gguf"], folder.hub.etag, folder.hub.cut_after = body, '"two"', None
        folder.hub.sums["model-q4_0.gguf"] = hashlib.sha256(body).hexdigest()
        code, output = folder.pull()
        assert code == 0, output
        assert (folder.models / "model-q4_0.gguf").read_bytes() == body


def test_refuses_a_wrong_sum(context):
    with Folder(context, Hub({"model-q4_0.gguf": noise(200_000)})) as folder:
        folder.hub.sums["model-q4_0.gguf"] = "0" * 64
        code, output = folder.pull()
        assert code == 1 and "has the SHA-256" in output and "it is deleted" in output, output
        assert folder.names() == [], folder.names()


def test_works_without_ranges(context):
    with Folder(context, Hub({"model-q4_0.gguf": noise(300_000)})) as folder:
        folder.hub.ranges = False
        code, output = folder.pull()
        assert code == 0, output
        assert (folder.models / "model-q4_0.gguf").read_bytes() == folder.hub.files["model-q4_0.gguf"]


def test_follows_to_another_address_without_the_token(context):
    with Folder(context, Hub({"model-q4_0.gguf": noise(300_000)})) as folder:
        folder.hub.redirect = True
        code, output = folder.pull()
        assert code == 0, output
        first = folder.hub.servers[0].server_port
        for port, path, headers in folder.hub.requests:
            sent = {name.lower(): value for name, value in headers.items()}.get("authorization")
            assert sent == (f"Bearer {TOKEN}" if port == first else None), (port == first, path, sent)
        assert any(path.startswith("/cdn/") for _, path, _ in folder.hub.requests)


def test_names_what_is_wrong(context):
    with Folder(context, Hub(GGUF)) as folder:
        code, output = folder.pull("org/other")
        assert code == 1 and "the hub has no model org/other" in output, output
        for name in ("model", "../x/y", "org/model:../x", "org/.."):
            code, output = folder.pull(name)
            assert code == 1 and "is no model's name" in output, output
        folder.hub.status = 403
        code, output = folder.pull()
        assert code == 1 and "its licence may have to be accepted" in output, output
        folder.hub.status = 404
        code, output = folder.pull()
        assert code == 1 and "HTTP 404" in output, output
        code, output = folder.ajar("pull", "org/model", AJAR_HUB="http://127.0.0.1:1")
        assert code == 1 and "127.0.0.1:1" in output, output
