"""A scripted upstream: a server of plain sockets that answers each request by the next exchange of a script."""
import json
import queue
import select
import socket
import threading
import time


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.closed_after = None      # seconds from the last thing we did until we saw the other side close

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Wire:
    """What a handler writes with."""

    def __init__(self, sock):
        self.sock = sock
        self.keep = True
        self.split = 0

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        step = self.split or len(data) or 1
        for at in range(0, len(data), step):
            self.sock.sendall(data[at:at + step])

    def whole(self, status, headers, body):
        if isinstance(body, str):
            body = body.encode()
        names = [name.lower() for name, _ in headers]
        lines = [f"HTTP/1.1 {status} Status"] + [f"{name}: {value}" for name, value in headers]
        if "content-length" not in names:
            lines.append(f"content-length: {len(body)}")
        elif int(dict((n.lower(), v) for n, v in headers)["content-length"]) != len(body):
            self.keep = False
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def start_stream(self, headers=(), status=200):
        lines = [f"HTTP/1.1 {status} Status", "content-type: text/event-stream", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")

    def chunk(self, data):
        if isinstance(data, str):
            data = data.encode()
        step = self.split or len(data) or 1
        for at in range(0, len(data), step):
            piece = data[at:at + step]
            self.sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))

    def event(self, value):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        kind = value.get("type") if isinstance(value, dict) else None
        self.chunk((f"event: {kind}\n" if kind else "") + f"data: {text}\n\n")

    def end_stream(self):
        self.sock.sendall(b"0\r\n\r\n")

    def cut(self):
        self.keep = False

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.keep = False

    def wait_close(self, seconds):
        """Seconds until the other side closed, or None."""
        began = time.monotonic()
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return time.monotonic() - began if poll.poll(seconds * 1000) else None


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def chat_json(text, model="m", usage=USAGE, **more):
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": usage, **more}


def chat_chunk(text=None, finish=None, **more):
    delta = {} if text is None else {"content": text}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def stream_events(words, usage=USAGE, done=True):
    out = [chat_chunk(word) for word in words] + [chat_chunk(None, "stop")]
    if usage:
        out.append({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m",
                    "choices": [], "usage": usage})
    return out + (["[DONE]"] if done else [])


class Upstream:
    """`handler(request, wire)` answers; without one, the script does: a queue of such callables."""

    def __init__(self, name):
        self.name = name
        self.handler = None
        self.lock = threading.Lock()      # guards requests, faults, idle and generation
        self.requests, self.faults = [], []
        self.script = queue.Queue()
        self.idle = set()
        self.generation = 0               # of the test; a connection belongs to the one that opened it
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self, handler=None):
        with self.lock:
            self.requests, self.faults = [], []
            self.script = queue.Queue()
            self.handler = handler
            # Nothing of the last test is reused: its idle connections end here, and one whose answer the client has
            # read before its thread came around to the next request ends when it does.
            self.generation += 1
            for sock in self.idle:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _read(self, sock, left):
        while b"\r\n\r\n" not in left:
            data = sock.recv(65536)
            if not data:
                return None, b""
            left += data
        head, _, left = left.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", "0"))
        parts, have = [left], len(left)
        while have < size:
            data = sock.recv(1 << 20)
            if not data:
                return None, b""
            parts.append(data)
            have += len(data)
        left = b"".join(parts)
        return Request(method, path, headers, left[:size]), left[size:]

    def _serve(self, sock):
        left = b""
        wire = Wire(sock)
        with self.lock:
            born = self.generation
        try:
            while wire.keep:
                with self.lock:
                    if born != self.generation:
                        break
                    self.idle.add(sock)
                request, left = self._read(sock, left)
                with self.lock:
                    self.idle.discard(sock)
                if request is None:
                    break
                wire.split = 0
                with self.lock:
                    self.requests.append(request)
                    handler = self.handler
                if handler is None:
                    try:
                        handler = self.script.get_nowait()
                    except queue.Empty:
                        self.fault(f"unexpected request {request.method} {request.path}: {request.body[:200]!r}")
                        wire.whole(400, [("content-type", "application/json")],
                                   '{"error":{"message":"the script of this test has no more answers"}}')
                        continue
                handler(request, wire)
        except (OSError, ValueError) as error:
            self.last_error = error
        finally:
            with self.lock:
                self.idle.discard(sock)
            sock.close()

    def fault(self, message):
        with self.lock:
            self.faults.append(message)

    def close(self):
        self.listener.close()


def wait_for(condition, seconds=10, every=0.02):
    """The condition's first true value, or its last one after the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)
