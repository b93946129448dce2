#!/usr/bin/env python3
"""Writes conversations.json: contexts as a server hands them to a chat template.  python3 conversations.py > conversations.json"""
import json

weather = {"type": "function", "function": {
    "name": "get_weather", "description": "Gets the weather of a city.\nSecond line with \"quotes\" & <tags>.",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "The city, e.g. Zürich"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        "days": {"type": "integer", "minimum": 1, "maximum": 14, "description": "How many days"},
        "where": {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}}, "required": ["lat"]},
        "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags"}},
        "required": ["city"]}}}
search = {"type": "function", "function": {
    "name": "search", "description": "Searches the web", "parameters": {
        "type": "object", "properties": {"query": {"type": "string"}, "opts": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["query"]}}}
empty = {"type": "function", "function": {"name": "now", "description": "Tells the time", "parameters": {"type": "object", "properties": {}}}}


def call(name, arguments, id="abcd12345", as_text=False):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments) if as_text else arguments}}


system = {"role": "system", "content": "You are helpful.  \n"}
hello = {"role": "user", "content": "Hello! <b>Ünïcödé</b> 🚀"}
hi = {"role": "assistant", "content": "Hi, what can I do?"}
ask = {"role": "user", "content": "What is the weather in Zürich and Bern?"}
base = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
out = []


def add(name, messages, **more):
    out.append({"name": name, "context": {**base, "messages": messages, **more}})


def tool_turns(as_text, ids=("abcd12345", "efgh67890")):
    return [ask,
            {"role": "assistant", "content": "", "tool_calls": [call("get_weather", {"city": "Zürich", "days": 2, "tags": ["a", "b"]}, ids[0], as_text),
                                                              call("get_weather", {"city": "Bern", "where": {"lat": 1.5}, "ok": True}, ids[1], as_text)]},
            {"role": "tool", "tool_call_id": ids[0], "name": "get_weather", "content": "{\"temperature\": 21}"},
            {"role": "tool", "tool_call_id": ids[1], "name": "get_weather", "content": "rain"}]


add("one turn", [hello])
add("system", [system, hello])
add("no prompt to go on", [system, hello, hi], add_generation_prompt=False)
add("turns", [system, hello, hi, {"role": "user", "content": "  Tell me more\n"}])
add("two users", [hello, {"role": "user", "content": "again"}])
add("developer", [{"role": "developer", "content": "Be brief."}, hello])
add("late system", [hello, hi, system, ask])
add("tools", [system, ask], tools=[weather, search])
add("tools without system", [ask], tools=[weather, empty])
add("calls", [system] + tool_turns(False), tools=[weather, search])
add("calls as text", [system] + tool_turns(True), tools=[weather, search])
add("calls, answered", tool_turns(False) + [{"role": "assistant", "content": "21 degrees; rain."}, {"role": "user", "content": "Thanks"}],
    tools=[weather])
add("one call", [ask, {"role": "assistant", "content": None, "tool_calls": [call("search", {"query": "it's \"so\"\n"})]},
                 {"role": "tool", "tool_call_id": "abcd12345", "content": "found"}], tools=[search])
add("text and call", [ask, {"role": "assistant", "content": "Let me see.", "tool_calls": [call("now", {})]},
                      {"role": "tool", "tool_call_id": "abcd12345", "content": "12:00"}], tools=[empty])
add("call to go on", [ask, {"role": "assistant", "content": "", "tool_calls": [call("now", {})]}], tools=[empty], add_generation_prompt=False)
add("thinking on", [system, hello], enable_thinking=True, thinking=True, reasoning_effort="high")
add("thinking off", [system, hello], enable_thinking=False, thinking=False, reasoning_effort="low")
thought = {"role": "assistant", "content": "4", "reasoning_content": "2 and 2 is 4", "thinking": "2 and 2 is 4", "reasoning": "2 and 2 is 4"}
add("thought before", [{"role": "user", "content": "2+2"}, thought, {"role": "user", "content": "and 3+3?"}], enable_thinking=True)
add("thought in text", [{"role": "user", "content": "2+2"}, {"role": "assistant", "content": "<think>\nfour\n</think>\n\n4"},
                        {"role": "user", "content": "and 3+3?"}])
add("thought and calls", [ask, {"role": "assistant", "content": "", "reasoning_content": "I need it", "thinking": "I need it",
                                "tool_calls": [call("now", {})]}, {"role": "tool", "tool_call_id": "abcd12345", "content": "12:00"}],
    tools=[empty, weather], enable_thinking=True)
add("parts", [{"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
              {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]}])
add("part answer", [{"role": "user", "content": [{"type": "text", "text": "One"}]}, {"role": "assistant", "content": [{"type": "text", "text": "Two"}]},
                    {"role": "user", "content": "Three"}])
add("image", [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}])
add("documents", [hello], documents=[{"title": "A", "text": "alpha"}, {"title": "B", "text": "beta"}])
add("no messages", [])
add("system alone", [system])
add("empty texts", [{"role": "system", "content": ""}, {"role": "user", "content": ""}])
add("go on", [hello, {"role": "assistant", "content": "Once upon"}], add_generation_prompt=False, continue_final_message=True)
add("date", [system, hello], date_string="01 Jan 2026", tools_in_user_message=False, tools=[search])
add("no tokens", [hello], bos_token=None, eos_token=None, tools=None)
add("odd role", [{"role": "narrator", "content": "x"}, hello])
print(json.dumps(out, ensure_ascii=False, indent=1))
