"""What the Python suites share: the admin API, keys, the scripted upstream, and how to expect an error."""
import json
import time
import urllib.request


def call(url, token=None, body=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def raises(kind, function):
    try:
        function()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


class Gateway:
    """The server's other side. `suite` names the keys, so that no two suites share one."""

    def __init__(self, context, suite):
        self.context, self.suite, self.number = context, suite, 0

    def new_key(self, **limits):
        self.number += 1
        name = f"{self.suite}-{self.number}"
        made = call(self.context["admin"] + "/keys", self.context["token"], {"name": name, **limits})
        return name, made["secret"]

    def rows(self, key, least=1):
        """The key's calls, the latest first; a call is written a moment after its answer."""
        began = time.monotonic()
        while True:
            rows = call(f"{self.context['admin']}/calls?key={key}", self.context["token"])["data"]
            if len(rows) >= least or time.monotonic() - began > 10:
                return rows
            time.sleep(0.05)

    def closed(self):
        return call(self.context["scripted"] + "/closed")["closed"]

    def wait_for_abort(self, closed_before, key):
        """The upstream learns of the client's leaving within a second, and the call is booked as cancelled."""
        began = time.monotonic()
        while self.closed() == closed_before and time.monotonic() - began < 10:
            time.sleep(0.02)
        assert time.monotonic() - began < 1, "the upstream was not cancelled within a second"
        row = self.rows(key)[0]
        assert row["end"] == "cancelled" and row["output"] > 0, row
