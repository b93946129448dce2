"""Recorded answers of OpenAI, Anthropic, Gemini, Bedrock, Cohere and their kin, through the running server."""
import json
import os
import pathlib
import re
import struct
import subprocess
import urllib.parse

from lib.client import call, chat_body

ROUTE = """
free = true
[routes."replay:*"]
retries = 0
breaker_failures = 0
targets = [{ provider = "p" }]
"""
CONFIGS = {
    "openai": '[providers.p]\npreset = "custom"\nbase_url = "%s/v1"' + ROUTE,
    "anthropic": '[providers.p]\npreset = "custom-anthropic"\nbase_url = "%s"' + ROUTE,
    "gemini": '[providers.p]\npreset = "custom-gemini"\nbase_url = "%s/v1beta"' + ROUTE,
    "bedrock": '[providers.p]\npreset = "bedrock"\nregion = "us-east-1"\napi_key = "${UPSTREAM_KEY}"\nbase_url = "%s"' + ROUTE,
    "cohere": '[providers.p]\npreset = "cohere"\nbase_url = "%s"' + ROUTE,
}
SERVED_BY = {"openai": "openai", "embeddings": "openai", "anthropic": "anthropic", "gemini": "gemini",
             "gemini-embeddings": "gemini", "bedrock": "bedrock", "cohere": "cohere"}


class Mock:
    def __init__(self, context):
        shared = pathlib.Path(os.environ.get("AJAR_SHARED") or pathlib.Path(__file__).parents[3] / "shared" / "data")
        folder = shared / "wire"
        if not folder.is_dir():
            raise context.Skip("there is no recorded traffic (AJAR_SHARED/wire)")
        self.process = subprocess.Popen([context.binary, "mock", "--listen", "127.0.0.1:0", "--transcripts", str(folder)],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://[\d.]+:\d+", line).group(0)
        self.port = int(self.url.rsplit(":", 1)[1])
        self.list = call(self.port, "GET", "/mock/transcripts").json()["data"]

    def recorded(self, one):
        """The recording's own bytes."""
        model = "replay:" + one["id"]
        quoted = urllib.parse.quote(model, safe="")
        verb = "streamGenerateContent" if one["stream"] else "generateContent"
        path = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "embeddings": "/v1/embeddings",
                "gemini": f"/v1beta/models/{quoted}:{verb}",
                "bedrock": f"/model/{quoted}/converse" + ("-stream" if one["stream"] else ""), "cohere": "/v2/chat",
                "gemini-embeddings": f"/v1beta/models/{quoted}:batchEmbedContents"}[one["dialect"]]
        return call(self.port, "POST", path, body={"model": model, "messages": []})

    def stop(self):
        died = self.process.poll()
        self.process.terminate()
        self.process.wait(20)
        said = self.process.stdout.read()
        self.process.stdout.close()
        assert died is None and "Sanitizer" not in said, f"the simulator died: {died}: {said[-6000:]}"


def as_text(content):
    """Text of a content that is a string or a list of parts (Mistral)."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part.get("type") == "text")
    return content or ""


def read_openai(values):
    text, complete = "", False
    for value in values:
        if value == "[DONE]":
            complete = True
            break
        for choice in value.get("choices") or []:
            part = choice.get("delta") or choice.get("message") or {}
            if choice.get("index", 0) == 0:
                text += as_text(part.get("content"))
            complete = complete or bool(choice.get("finish_reason"))
    return text, complete


def read_anthropic(values):
    text, complete = "", False
    for value in values:
        if value.get("type") == "message":
            text += "".join(block.get("text", "") for block in value["content"] if block["type"] == "text")
            complete = bool(value.get("stop_reason"))
        elif value.get("type") == "content_block_start":
            text += value["content_block"].get("text", "") if value["content_block"]["type"] == "text" else ""
        elif value.get("type") == "content_block_delta" and value["delta"]["type"] == "text_delta":
            text += value["delta"]["text"]
        elif value.get("type") == "message_stop":
            return text, True          # some recordings hold the next message, too
    return text, complete


def read_gemini(values):
    text, complete = "", False
    for value in values:
        complete = complete or bool((value.get("promptFeedback") or {}).get("blockReason"))
        for candidate in value.get("candidates") or []:
            if candidate.get("index", 0) == 0:
                for part in (candidate.get("content") or {}).get("parts") or []:
                    text += part.get("text", "") if not part.get("thought") else ""
            complete = complete or bool(candidate.get("finishReason"))
    return text, complete


def aws_frames(data):
    """{name: payload} for each message of an AWS event stream."""
    out, at = [], 0
    while at < len(data):
        size, headers = struct.unpack(">II", data[at:at + 8])
        head = data[at + 12:at + 12 + headers]
        name = re.search(rb":(?:event|exception)-type\x07..(\w+)", head, re.S).group(1).decode()
        out.append({name: json.loads(data[at + 12 + headers:at + size - 4])})
        at += size
    return out


def read_bedrock(values):
    text, complete = "", False
    for value in values:
        for block in value.get("output", {}).get("message", {}).get("content", []):
            text += block.get("text", "") + "".join(part["text"] for part in block.get("citationsContent", {}).get("content", []))
        text += value.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
        complete = complete or "stopReason" in value or "messageStop" in value
    return text, complete


def read_cohere(values):
    text, complete = "", False
    for value in values:
        if value == "[DONE]":
            continue
        content = ((value.get("delta") or {}).get("message") or value.get("message") or {}).get("content") or []
        for block in content if isinstance(content, list) else [content]:
            text += block.get("text", "")
        complete = complete or "finish_reason" in (value.get("delta") or value)
    return text, complete


READERS = {"openai": read_openai, "anthropic": read_anthropic, "gemini": read_gemini, "bedrock": read_bedrock,
           "cohere": read_cohere}


def fault_of_error(raw, answer):
    status = raw.status
    if status in (401, 403) or "API_KEY_INVALID" in raw.text:     # our credential, not the client's
        fits = answer.status == 502
    elif status >= 500:
        fits = answer.status in (502, 503, 504)
    else:
        fits = answer.status == status or (status not in (404, 408, 413, 422, 429) and answer.status == 400)
    if not fits:
        return f"recorded status {status}, answered {answer.status} {answer.text[:200]}"
    return None if answer.error() and answer.error().get("message") else f"no error message: {answer.text[:200]}"


def check_chat(one, raw, answer):
    """(kind, fault)"""
    if raw.status >= 400:
        return "errors", fault_of_error(raw, answer)
    values = aws_frames(raw.body) if one["stream"] and one["dialect"] == "bedrock" else \
        raw.data() if one["stream"] else [raw.json()]
    if any(not isinstance(value, dict) and value != "[DONE]" for value in values):
        return "unreadable", None if answer.error() else "unreadable, but no error was told"
    if any(isinstance(value, dict) and value.get("error") or value != "[DONE]" and value.get("type") == "error"
           for value in values):
        fine = answer.error() and not answer.done()
        return "errors in a 200", None if fine else f"an error in the stream was not told: {answer.text[-300:]}"
    if one["dialect"] == "openai" and not any(value != "[DONE]" and "choices" in value for value in values):
        return "of another API", None if answer.error() else f"not a chat reply, but no error: {answer.text[-300:]}"
    text, complete = READERS[one["dialect"]](values)
    if not complete:
        fine = answer.error() and not answer.done()
        return "incomplete", None if fine else f"incomplete, but told as complete: {answer.status} {answer.text[-300:]}"
    if answer.status != 200:
        return "answers", f"status {answer.status}: {answer.text[:300]}"
    if one["stream"] and not answer.done():
        return "answers", f"no [DONE]: {answer.text[-300:]}"
    if not answer.finish_reason():
        return "answers", f"no finish_reason: {answer.text[-300:]}"
    if (answer.content() or "") != text:
        return "answers", f"text differs:\n  recorded {text[:300]!r}\n  answered {(answer.content() or '')[:300]!r}"
    return "answers", None


def check_embeddings(raw, answer, rows):
    if raw.status >= 400:
        return "errors", fault_of_error(raw, answer)
    if answer.status != 200:
        return "embeddings", f"status {answer.status}: {answer.text[:300]}"
    data = answer.json()["data"]
    if len(data) != rows or [row["index"] for row in data] != list(range(rows)) or not data[0]["embedding"]:
        return "embeddings", f"expected {rows} rows: {answer.text[:200]}"
    return "embeddings", None


def replay(context, dialect):
    mock = Mock(context)
    faults, counts = [], {}
    try:
        config = CONFIGS[dialect] % mock.url
        # A recorded Retry-After holds for its target: each error has a target of its own.
        for one in mock.list:
            if SERVED_BY.get(one["dialect"]) == dialect and one["status"] >= 400:
                model = "replay:" + one["id"]
                config += f'[routes."{model}"]\nretries = 0\ntargets = [{{ provider = "p", model = "{model}" }}]\n'
        server = context.server(config)
        key = server.keys["main"]
        for one in mock.list:
            if SERVED_BY.get(one["dialect"]) != dialect:
                continue
            raw = mock.recorded(one)
            model = "replay:" + one["id"]
            if "embeddings" in one["dialect"]:
                whole = raw.json() or {}
                rows = len(whole.get("data") or whole.get("embeddings") or [0])
                answer = call(server.port, "POST", "/v1/embeddings", key, {"model": model, "input": ["x"] * rows})
                kind, fault = check_embeddings(raw, answer, rows)
            else:
                answer = call(server.port, "POST", "/v1/chat/completions", key, chat_body(model, one["stream"]))
                kind, fault = check_chat(one, raw, answer)
            counts[kind] = counts.get(kind, 0) + 1
            if fault or not answer.complete:
                faults.append(f"{one['id']} ({kind}): {fault or 'the answer broke off'}")
    finally:
        mock.stop()
    assert counts, "there are no recordings of this dialect"
    context.note(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    assert not faults, f"{len(faults)} recordings:\n" + "\n".join(faults[:20])


def test_recorded_openai(context):
    replay(context, "openai")


def test_recorded_anthropic(context):
    replay(context, "anthropic")


def test_recorded_gemini(context):
    replay(context, "gemini")


def test_recorded_bedrock(context):
    replay(context, "bedrock")


def test_recorded_cohere(context):
    replay(context, "cohere")
