"""Answers that the simulator does not give: parallel tool calls, thinking, the request itself, and a stream that never
ends, in three dialects; and pictures, sound and judgements that follow from what was sent."""
import base64
import hashlib
import json
import time

TOOLS = [("call_a", "get_weather", {"city": "Bonn"}), ("call_b", "get_time", {"zone": "CET"})]


def dialect_of(path):
    return "anthropic" if "/messages" in path else "gemini" if "enerateContent" in path else "openai"


def openai_parallel(stream):
    usage = {"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17}
    head = {"id": "c1", "created": 1, "model": "m"}
    if not stream:
        calls = [{"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for i, n, a in TOOLS]
        return {**head, "object": "chat.completion", "usage": usage, "choices": [{
            "index": 0, "finish_reason": "tool_calls",
            "message": {"role": "assistant", "content": None, "tool_calls": calls}}]}

    def chunk(delta, finish=None):
        return {**head, "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    out = [chunk({"role": "assistant", "content": None})]
    for at, (i, n, a) in enumerate(TOOLS):
        text = json.dumps(a)
        out.append(chunk({"tool_calls": [{"index": at, "id": i, "type": "function",
                                          "function": {"name": n, "arguments": ""}}]}))
        for part in (text[:5], text[5:]):
            out.append(chunk({"tool_calls": [{"index": at, "function": {"arguments": part}}]}))
    out.append(chunk({}, "tool_calls"))
    return out + [{**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}, "[DONE]"]


def anthropic_parallel(stream):
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
               "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
    if not stream:
        return {**message, "stop_reason": "tool_use", "usage": {"input_tokens": 9, "output_tokens": 8},
                "content": [{"type": "tool_use", "id": i, "name": n, "input": a} for i, n, a in TOOLS]}
    out = [{"type": "message_start", "message": message}]
    for at, (i, n, a) in enumerate(TOOLS):
        text = json.dumps(a)
        out.append({"type": "content_block_start", "index": at,
                    "content_block": {"type": "tool_use", "id": i, "name": n, "input": {}}})
        for part in ("", text[:5], text[5:]):
            out.append({"type": "content_block_delta", "index": at,
                        "delta": {"type": "input_json_delta", "partial_json": part}})
        out.append({"type": "content_block_stop", "index": at})
    return out + [{"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None},
                   "usage": {"output_tokens": 8}}, {"type": "message_stop"}]


def gemini_parallel(stream):
    parts = [{"functionCall": {"name": n, "args": a}} for _, n, a in TOOLS]
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 8, "totalTokenCount": 17}
    if not stream:
        return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
                "usageMetadata": usage, "modelVersion": "m"}
    return [{"candidates": [{"content": {"role": "model", "parts": [parts[0]]}, "index": 0}]},
            {"candidates": [{"content": {"role": "model", "parts": [parts[1]]}, "finishReason": "STOP", "index": 0}],
             "usageMetadata": usage}]


PARALLEL = {"openai": openai_parallel, "anthropic": anthropic_parallel, "gemini": gemini_parallel}


def answer(dialect, stream, text, thought=""):
    """`text` in one piece, after `thought` where there is one; signed where the dialect signs thoughts."""
    if dialect == "openai":
        head = {"id": "c1", "created": 1, "model": "m"}
        usage = {"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17}
        said = ([{"reasoning_content": thought}] if thought else []) + [{"content": text}]
        if not stream:
            message = {"role": "assistant", **{k: v for part in said for k, v in part.items()}}
            return {**head, "object": "chat.completion", "usage": usage,
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
        chunks = [{**head, "object": "chat.completion.chunk",
                   "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
                  for delta, finish in [(d, None) for d in said] + [({}, "stop")]]
        return chunks + [{**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}, "[DONE]"]
    if dialect == "gemini":
        parts = ([{"text": thought, "thought": True}] if thought else []) + [
            {"text": text, **({"thoughtSignature": "c2lnbmVk"} if thought else {})}]
        whole = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
                 "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 8, "totalTokenCount": 17},
                 "modelVersion": "m"}
        return [whole] if stream else whole
    blocks = ([{"type": "thinking", "thinking": thought, "signature": "c2lnbmVk"}] if thought else []) + [
        {"type": "text", "text": text}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": None,
               "stop_sequence": None}
    if not stream:
        return {**message, "content": blocks, "stop_reason": "end_turn",
                "usage": {"input_tokens": 9, "output_tokens": 8}}
    out = [{"type": "message_start", "message": {**message, "content": [],
                                                 "usage": {"input_tokens": 9, "output_tokens": 1}}}]
    for at, block in enumerate(blocks):
        deltas = ([("text_delta", "text")] if block["type"] == "text" else
                  [("thinking_delta", "thinking"), ("signature_delta", "signature")])
        out.append({"type": "content_block_start", "index": at,
                    "content_block": {**block, **{member: "" for _, member in deltas}}})
        out += [{"type": "content_block_delta", "index": at, "delta": {"type": kind, member: block[member]}}
                for kind, member in deltas]
        out.append({"type": "content_block_stop", "index": at})
    return out + [{"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                   "usage": {"output_tokens": 8}}, {"type": "message_stop"}]


def word(dialect, first):
    if dialect == "openai":
        return [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                 "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}]
    if dialect == "gemini":
        return [{"candidates": [{"content": {"role": "model", "parts": [{"text": "word "}]}, "index": 0}]}]
    start = [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "m",
                                                   "content": [], "stop_reason": None,
                                                   "usage": {"input_tokens": 3, "output_tokens": 1}}},
             {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]
    return (start if first else []) + [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}]


def form(request):
    """The parts of a form: name -> (file's name or none, bytes)."""
    boundary = request.headers["content-type"].split("boundary=")[1].strip('"')
    parts = {}
    for part in (b"\r\n" + request.body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        told = dict(pair.split("=", 1) for pair in head.decode().split("\r\n")[1].split("; ")[1:])
        parts[told["name"].strip('"')] = (told.get("filename", "").strip('"'), value)
    return parts


def sound(text):
    return bytes(range(256)) * 700 + text.encode()


def media(request, wire):
    """The endpoints whose requests keep their form."""
    what = request.path.split("/v1/")[1]
    if what == "moderations":
        texts = request.json()["input"]
        reply = {"id": "modr-1", "model": "m", "results": [
            {"flagged": "bad" in text, "categories": {"violence": "bad" in text}, "category_scores": {"violence": 0.5},
             "category_applied_input_types": {}} for text in ([texts] if isinstance(texts, str) else texts)]}
    elif what == "images/generations":
        body = request.json()
        reply = {"created": 1, "data": [{"b64_json": base64.b64encode(body["prompt"].encode()).decode()}] * body.get("n", 1)}
    elif what == "images/edits":
        parts = form(request)
        reply = {"created": 1, "data": [{"b64_json": base64.b64encode(parts["image"][1]).decode(),
                                         "revised_prompt": parts["prompt"][1].decode() + " of " + parts["image"][0]}]}
    elif what == "audio/speech":
        return wire.whole(200, [("content-type", "audio/mpeg")], sound(request.json()["input"]))
    else:
        name, content = form(request)["file"]
        text = f"{name} {hashlib.sha256(content).hexdigest()}"
        if form(request).get("response_format", ("", b""))[1] == b"text":
            return wire.whole(200, [("content-type", "text/plain")], text + "\n")
        reply = {"text": text, "usage": {"type": "duration", "seconds": 30}}
    return wire.whole(200, [("content-type", "application/json")], json.dumps(reply))


def make_handler():
    """The handler, and the list that gets one entry per endless stream that was closed from the other side."""
    closed = []

    def handler(request, wire):
        if request.method == "GET":
            return wire.whole(200, [("content-type", "application/json")], json.dumps({"closed": len(closed)}))
        if any(f"/v1/{kind}" in request.path for kind in ("moderations", "images", "audio")):
            return media(request, wire)
        dialect = dialect_of(request.path)
        body = request.json()
        stream = bool(body.get("stream")) or "streamGenerateContent" in request.path
        if "endless" in request.path + str(body.get("model")):
            wire.start_stream()
            for at in range(10_000):
                for event in word(dialect, at == 0):
                    wire.event(event)
                if wire.wait_close(0.02) is not None:
                    closed.append(time.monotonic())
                    return wire.cut()
            return None
        model = request.path + str(body.get("model"))
        if "thinking" in model:
            reply = answer(dialect, stream, "So it is.", "Let me think.")
        elif "echo" in model:
            headers = {name: value for name, value in request.headers.items() if name.startswith("anthropic")}
            reply = answer(dialect, stream, json.dumps({"body": body, "headers": headers}))
        else:
            reply = PARALLEL[dialect](stream)
        if not stream:
            return wire.whole(200, [("content-type", "application/json")], json.dumps(reply))
        wire.start_stream()
        for event in reply:
            wire.event(event)
        return wire.end_stream()
    return handler, closed
