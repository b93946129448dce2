"""Requests as large and as crowded as coding agents send them, through every upstream dialect."""
import base64
import json

from lib.client import call
from lib.upstream import chat_json

CONFIG = """
[providers.a]
preset = "vllm"
base_url = "{a}/v1"
free = true
[providers.n]
preset = "custom-anthropic"
base_url = "{n}"
free = true
[providers.g]
preset = "custom-gemini"
base_url = "{g}/v1beta"
free = true
[routes.open]
targets = [{ provider = "a", model = "m" }]
[routes.claude]
targets = [{ provider = "n", model = "claude-sonnet-4-5" }]
[routes.gemini]
targets = [{ provider = "g", model = "gemini-2.5-flash" }]
"""
PICTURE = base64.b64encode(bytes(range(256)) * 1200).decode()      # 400 KB
TURNS = 40


def agent_request(model):
    """1.5 MB: long cached instructions, 60 tools, forty rounds of calls and results, one of them a picture."""
    tools = [{"name": f"tool_{i}", "description": "Does one thing. " * 40,
              "input_schema": {"type": "object", "properties": {f"p{j}": {"type": "string", "description": "A text."}
                                                                for j in range(6)}, "required": ["p0"]}}
             for i in range(60)]
    tools[-1]["cache_control"] = {"type": "ephemeral"}
    messages = [{"role": "user", "content": [{"type": "text", "text": "<system-reminder>\nx\n</system-reminder>"},
                                             {"type": "text", "text": "Fix it. "}]}]
    for i in range(TURNS):
        messages.append({"role": "assistant", "content": [
            {"type": "text", "text": f"Step {i}."},
            {"type": "tool_use", "id": f"toolu_{i}_a", "name": "tool_0", "input": {"p0": f"/file{i}"}},
            {"type": "tool_use", "id": f"toolu_{i}_b", "name": "tool_1", "input": {}}]})
        picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
        messages.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": f"toolu_{i}_a",
             "content": [picture] if i == TURNS - 1 else [{"type": "text", "text": f"line {i} äö\n" * 1500}]},
            {"type": "tool_result", "tool_use_id": f"toolu_{i}_b", "content": "failed", "is_error": True}]})
    return {"model": model, "max_tokens": 32000, "stream": False, "tools": tools, "messages": messages,
            "system": [{"type": "text", "text": "You are an agent."},
                       {"type": "text", "text": "Rules. " * 3000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "metadata": {"user_id": "user_" + "0" * 64 + "_account__session_" + "1" * 36}}


def ask(context, upstream, model, reply):
    seen = []

    def answer(request, wire):
        seen.append(request.json())
        wire.whole(200, [("content-type", "application/json")], json.dumps(reply))
    context.upstreams[upstream].reset(answer)
    server = context.shared_server(CONFIG)
    body = agent_request(model)
    assert len(json.dumps(body)) > 1_400_000
    answer = call(server.port, "POST", "/v1/messages", server.keys["main"], body,
                  [("anthropic-beta", "context-1m-2025-08-07")])
    assert answer.status == 200, (answer.status, answer.text[:300])
    assert answer.json()["content"] == [{"type": "text", "text": "done"}], answer.text[:300]
    return body, seen[0]


def test_a_large_request_to_an_open_model(context):
    body, got = ask(context, "a", "open", chat_json("done"))
    assert len(got["tools"]) == 60 and got["tools"][7]["function"]["parameters"] == body["tools"][7]["input_schema"]
    results = [m for m in got["messages"] if m["role"] == "tool"]
    assert len(results) == 2 * TURNS and results[0]["content"] == "line 0 äö\n" * 1500
    calls = [c for m in got["messages"] for c in m.get("tool_calls", [])]
    assert [c["id"] for c in calls] == [m["tool_call_id"] for m in results]
    assert got["messages"][-1]["content"][0]["image_url"]["url"] == "data:image/png;base64," + PICTURE


def test_a_large_request_to_anthropic_loses_nothing(context):
    reply = {"id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
             "stop_sequence": None, "content": [{"type": "text", "text": "done"}],
             "usage": {"input_tokens": 1, "output_tokens": 1}}
    body, got = ask(context, "n", "claude", reply)
    for message in body["messages"]:      # a result of one text says the same as a string
        for block in message["content"]:
            inner = block.get("content")
            if isinstance(inner, list) and inner[0]["type"] == "text":
                block["content"] = inner[0]["text"]
    for name in ("system", "tools", "metadata", "max_tokens", "messages"):
        assert got[name] == body[name], name


def test_a_large_request_to_gemini(context):
    reply = {"candidates": [{"content": {"role": "model", "parts": [{"text": "done"}]}, "finishReason": "STOP"}],
             "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}
    body, got = ask(context, "g", "gemini", reply)
    assert len(got["tools"][0]["functionDeclarations"]) == 60
    answers = [p["functionResponse"] for c in got["contents"] for p in c["parts"] if "functionResponse" in p]
    assert len(answers) == 2 * TURNS and answers[1] == {"name": "tool_1", "response": {"error": "failed"}}, answers[1]
    assert any(p.get("inlineData", {}).get("data") == PICTURE for c in got["contents"] for p in c["parts"])
