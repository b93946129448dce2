"""What the emulated vector stores share: an HTTP server, rows with vectors, and faults on demand.

POST /-/fault {"mode": …} (no key needed): "" none; "hang" nothing is answered any more; "500", "429", "nonsense" instead of every answer;
"lag" deletes are acknowledged and not done until the mode ends; "blind" searches pass over their filter. POST /-/lose {"rows": [..]} forgets rows, {} all collections. /-/set sets
what a server has of its own, such as Pinecone's dimension. /-/log gives method, path and body of every request since it was last asked. Standard library only."""
import json
import math
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


class Table:
    """Rows of one collection: id -> (vector, fields)."""

    def __init__(self, width=None):
        self.width, self.rows, self.doomed, self.blind = width, {}, set(), False

    def put(self, key, vector, fields):
        self.doomed.discard(key)
        self.rows[key] = (unit(vector), fields)

    def nearest(self, query, keep, limit):
        query = unit(query)
        found = [(sum(a * b for a, b in zip(query, vector)), key) for key, (vector, fields) in self.rows.items()
                 if self.blind or keep(fields)]
        found.sort(key=lambda one: (-one[0], str(one[1])))
        return found[:limit]


def unit(vector):
    length = math.sqrt(sum(x * x for x in vector))
    if not length or not math.isfinite(length):
        raise Refused(400, "a vector without a direction")
    return [x / length for x in vector]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numbers(value, what="vector"):
    if not isinstance(value, list) or not value or not all(is_number(x) and math.isfinite(x) for x in value):
        raise Refused(400, f"{what} must be a list of numbers")
    return value


def strings(value):
    return isinstance(value, list) and all(isinstance(x, str) for x in value)


def only(body, *names):
    """The fields that are known; others are refused, so that a client does not say what a server would not hear."""
    if not isinstance(body, dict):
        raise Refused(400, "the body must be a JSON object")
    for name in body:
        if name not in names:
            raise Refused(400, f"unknown field `{name}`, expected one of {', '.join(names)}")
    return body


class Store:
    """One emulated server. Subclasses route(method, path, query, body) -> JSON value, text, or (status, value)."""
    most_bytes = 32 << 20
    wants_type = True

    def __init__(self, key=""):
        self.key, self.tables, self.mode, self.log, self.lock = key, {}, "", [], threading.RLock()
        self.released = threading.Event()

    def erase(self, table, key):
        if key not in table.rows:
            return
        if self.mode == "lag":
            table.doomed.add(key)
        else:
            del table.rows[key]

    def set_mode(self, mode):
        with self.lock:
            if self.mode == "lag" and mode != "lag":
                for table in self.tables.values():
                    for key in table.doomed:
                        table.rows.pop(key, None)
                    table.doomed = set()
            self.mode = mode
            for table in self.tables.values():
                table.blind = mode == "blind"
            self.released.set()
            self.released = threading.Event()

    def control(self, path, body):
        if path == "/-/fault":
            self.set_mode(body["mode"])
        elif path == "/-/lose":
            with self.lock:
                if "rows" not in body:
                    self.tables.clear()
                for table in self.tables.values():
                    for row in body.get("rows", []):
                        table.rows.pop(self.key_of(row), None)
        elif path == "/-/set":
            for name, value in body.items():
                setattr(self, name, value)
        elif path == "/-/log":
            with self.lock:
                out, self.log = self.log, []
            return out
        return {}

    def key_of(self, row):
        return row

    def authorized(self, headers):
        raise NotImplementedError

    def failure(self, status, message):
        """The body of an error."""
        raise NotImplementedError


def serve(store, port=0):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes

        def log_message(self, *_):
            pass

        def reply(self, status, value):
            data = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
            self.send_response(status)
            self.send_header("content-type", "text/plain" if isinstance(value, (str, bytes)) else "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle_one(self):
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            url = urllib.parse.urlsplit(self.path)
            path, query = urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query)
            if path.startswith("/-/"):
                return self.reply(200, store.control(path, json.loads(raw or b"{}")))
            with store.lock:
                mode, released = store.mode, store.released
            if mode == "hang":
                released.wait(60)
                self.close_connection = True
                return None
            if mode in ("500", "429"):
                return self.reply(int(mode), store.failure(int(mode), "out of order"))
            if mode == "nonsense":
                return self.reply(200, "<html>a proxy's greeting</html>")
            try:
                with store.lock:
                    if length > store.most_bytes:
                        raise Refused(413, "the request is too large")
                    store.authorized(self.headers)
                    body = None
                    if raw:
                        if store.wants_type and not self.headers.get("content-type", "").startswith("application/json"):
                            raise Refused(415, "content type must be application/json")
                        try:
                            body = json.loads(raw)
                        except ValueError as error:
                            raise Refused(400, f"malformed JSON: {error}")
                    store.log.append({"method": self.command, "path": self.path, "body": body})
                    answer = store.route(self.command, path, query, body)
                status, value = answer if isinstance(answer, tuple) else (200, answer)
                return self.reply(status, value)
            except Refused as refused:
                return self.reply(refused.status, store.failure(refused.status, refused.message))

        def do(self):
            try:
                self.handle_one()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    return Server(("127.0.0.1", port), Handler)
