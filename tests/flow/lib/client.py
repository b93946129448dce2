"""A small HTTP/1.1 client that reports exactly what came: complete or cut, and every SSE event."""
import json
import socket
import time


class Answer:
    def __init__(self):
        self.status = 0
        self.headers = {}
        self.body = bytearray()
        self.complete = False     # content-length or the last chunk was reached
        self.arrivals = []        # (seconds since the request, bytes so far)

    def header(self, name):
        return self.headers.get(name.lower())

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    def data(self):
        """The SSE data payloads; JSON where it is JSON, else the string."""
        out = []
        for block in self.text.replace("\r\n", "\n").split("\n\n"):
            lines = [line[5:].lstrip(" ") for line in block.split("\n") if line.startswith("data:")]
            if not lines:
                continue
            payload = "\n".join(lines)
            try:
                out.append(json.loads(payload))
            except ValueError:
                out.append(payload)
        return out

    def done(self):
        data = self.data()
        return bool(data) and data[-1] == "[DONE]"

    def error(self):
        """The error object: of the body, or of the last event in a stream that has one."""
        for item in [self.json()] + list(reversed(self.data())):
            if isinstance(item, dict) and item.get("error"):
                return item["error"]
        return None

    def content(self):
        """All text of choice 0."""
        whole = self.json()
        if isinstance(whole, dict) and whole.get("choices"):
            return whole["choices"][0].get("message", {}).get("content")
        out = ""
        for item in self.data():
            for choice in item.get("choices", []) if isinstance(item, dict) else []:
                if choice.get("index", 0) == 0:
                    out += choice.get("delta", {}).get("content") or ""
        return out

    def finish_reason(self):
        whole = self.json()
        if isinstance(whole, dict) and whole.get("choices"):
            return whole["choices"][0].get("finish_reason")
        found = None
        for item in self.data():
            for choice in item.get("choices", []) if isinstance(item, dict) else []:
                found = choice.get("finish_reason") or found
        return found


class Connection:
    def __init__(self, port, timeout=30):
        self.port = port
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""
        self.began = time.monotonic()

    def send(self, data):
        self.began = time.monotonic()
        self.sock.sendall(data)

    def request(self, method, path, headers=(), body=None, key=None):
        lines = [f"{method} {path} HTTP/1.1", "host: ajar.test"]
        if key:
            lines.append(f"authorization: Bearer {key}")
        if body is not None and not isinstance(body, bytes):
            body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    def _more(self):
        data = self.sock.recv(65536)
        self.left += data
        return bool(data)

    def _line(self):
        while b"\r\n" not in self.left:
            if not self._more():
                raise ConnectionError("closed inside a line")
        line, _, self.left = self.left.partition(b"\r\n")
        return line

    def head(self):
        """Reads status and headers only."""
        answer = Answer()
        answer.status = int(self._line().split(b" ")[1])
        while line := self._line():
            name, _, value = line.decode("latin-1").partition(":")
            answer.headers[name.strip().lower()] = value.strip()
        return answer

    def answer(self, head_only=False, until=None):
        """Reads one answer. A cut leaves `complete` False. `until`: stops once the body holds these bytes."""
        answer = Answer()
        try:
            answer = self.head()
            while 100 <= answer.status < 200:
                answer = self.head()
            if head_only or answer.status in (204, 304):
                answer.complete = True
                return answer
            self.body(answer, until)
        except (ConnectionError, TimeoutError, OSError) as error:
            answer.fault = str(error)
        return answer

    def body(self, answer, until=None):
        if answer.header("transfer-encoding") == "chunked":
            while True:
                size = int(self._line().split(b";")[0], 16)
                while len(self.left) < size + 2:
                    if not self._more():
                        raise ConnectionError("closed inside a chunk")
                answer.body += self.left[:size]
                self.left = self.left[size + 2:]
                answer.arrivals.append((time.monotonic() - self.began, len(answer.body)))
                if size == 0:
                    answer.complete = True
                    return
                if until and until in answer.body:
                    return
        length = answer.header("content-length")
        if length is None:
            while self._more():
                pass
            answer.body, self.left, answer.complete = self.left, b"", True
            return
        while len(self.left) < int(length):
            if not self._more():
                answer.body, self.left = self.left, b""
                raise ConnectionError("closed inside the body")
        answer.body, self.left = self.left[:int(length)], self.left[int(length):]
        answer.complete = True

    def reset(self):
        """Closes with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


def call(port, method, path, key=None, body=None, headers=(), timeout=30):
    with Connection(port, timeout) as connection:
        connection.request(method, path, headers, body, key)
        return connection.answer(head_only=method == "HEAD")


def chat_body(model="r", stream=False, /, **more):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    if stream:
        body["stream"] = True
    return {**body, **more}


def chat(port, key, model="r", stream=False, timeout=30, **more):
    """One chat call; `more` are members of its body."""
    return call(port, "POST", "/v1/chat/completions", key, chat_body(model, stream, **more), timeout=timeout)
