#include "chat/reply_parser.h"

#include <gtest/gtest.h>

#include <random>

#include "json/read.h"

namespace ajar::chat {
namespace {

const ReplySyntax& family(std::string_view name) {
  for (const ReplySyntax& row : all_syntaxes()) {
    if (row.family == name) return row;
  }
  ADD_FAILURE() << name;
  return plain_syntax();
}

KnownTools tools() {
  Request request;
  request.tools.push_back({.name = "get_weather", .parameters = R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"zip":{"type":"string"}}})"});
  request.tools.push_back({.name = "now"});
  return KnownTools::of(request);
}

// The events as one text: T(text) K(thought) C(index name id arguments).
std::string told(const EventBatch& events) {
  std::string out;
  Event::Kind last = Event::Kind::kStop;
  for (const Event& event : events) {
    const bool same = event.kind == last && (event.kind == Event::Kind::kText || event.kind == Event::Kind::kThought);
    if (same) out.pop_back();
    switch (event.kind) {
      case Event::Kind::kText: out += (same ? "" : "T(") + event.text + ")"; break;
      case Event::Kind::kThought: out += (same ? "" : "K(") + event.text + ")"; break;
      case Event::Kind::kToolCall: out += "C(" + std::to_string(event.index) + " " + event.name + " " + event.id + " "; break;
      case Event::Kind::kToolArgs: out += event.text + ")"; break;
      default: out += "?";
    }
    last = event.kind;
  }
  return out;
}

std::string parse(const ReplySyntax& syntax, ReplyStart start, const std::vector<std::string_view>& fragments, bool with_tools = true) {
  int id = 0;
  ReplyParser parser(syntax, with_tools ? tools() : KnownTools{}, start, [&] { return "id" + std::to_string(id++); });
  EventBatch events;
  for (const std::string_view fragment : fragments) parser.feed(fragment, events);
  parser.finish(events);
  for (const Event& event : events) {
    EXPECT_FALSE(event.kind == Event::Kind::kText && event.text.empty());
    if (event.kind == Event::Kind::kToolArgs) {
      json::Document document;
      EXPECT_TRUE(document.parse_object(event.text)) << event.text;
    }
  }
  return told(events);
}

struct Case {
  std::string_view family, text, told;
  ReplyStart start = ReplyStart::kContent;
};

const Case kCases[] = {
    {"hermes", "Hello there\n", "T(Hello there\n)"},
    {"hermes", "", ""},
    {"hermes", "<think>\nhm, 1 < 2\n</think>\n\nFour.", "K(hm, 1 < 2)T(Four.)"},
    {"hermes", "so\n</think>\n\nFour.", "K(so)T(Four.)", ReplyStart::kThought},
    {"hermes", "never closed", "K(never closed)", ReplyStart::kThought},
    {"hermes", "Let me see.\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>", "T(Let me see.)C(0 now id0 {})"},
    {"hermes",
     "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"a </tool_call> \\\" }\"}}\n</tool_call>\n<tool_call>\n"
     "{\"name\": \"now\", \"arguments\": {}}\n</tool_call>",
     "C(0 get_weather id0 {\"city\":\"a </tool_call> \\\" }\"})C(1 now id1 {})"},
    {"hermes", "<think>x</think><tool_call>{\"name\":\"now\",\"arguments\":\"{\\\"a\\\": 1}\"}", "K(x)C(0 now id0 {\"a\":1})"},
    {"hermes", "<tool_call>{\"name\":\"now\",\"arguments\":{\"t\":\"two\nlines\"}}</tool_call> bye", "C(0 now id0 {\"t\":\"two\\nlines\"})T(bye)"},
    // What cannot be read is text, all of it.
    {"hermes", "a <tool_call>{\"name\": broken}</tool_call> b", "T(a <tool_call>{\"name\": broken}</tool_call> b)"},
    {"hermes", "a <tool_call>{\"name\": \"now\", \"argum", "T(a <tool_call>{\"name\": \"now\", \"argum)"},
    {"hermes", "x <tool_call> y <tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>", "T(x <tool_call> y)C(0 now id0 {})"},
    {"hermes", "1 < 2 <tool", "T(1 < 2 <tool)"},
    {"hermes", "```json\n{\"a\": 1}\n```", "T(```json\n{\"a\": 1}\n```)"},
    {"plain", "{\"name\": \"now\", \"parameters\": {}}", "C(0 now id0 {})"},
    {"plain", "{\"name\": \"somebody\", \"parameters\": {}}", "T({\"name\": \"somebody\", \"parameters\": {}})"},
    {"plain", "{\"a\": 1} is JSON", "T({\"a\": 1} is JSON)"},
    {"plain", "[1, 2", "T([1, 2)"},
    {"llama-3", "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Z\u00fcrich\"}}", "C(0 get_weather id0 {\"city\":\"Z\u00fcrich\"})"},
    {"llama-3", "<|python_tag|>{\"name\": \"now\", \"parameters\": {}}", "C(0 now id0 {})"},
    {"llama-3", "{\"type\": \"function\", \"name\": \"now\", \"parameters\": {}}", "C(0 now id0 {})"},
    {"llama-3", "<|python_tag|>print(1)", "T(<|python_tag|>print(1))"},
    {"mistral", "[TOOL_CALLS][{\"name\": \"now\", \"arguments\": {}, \"id\": \"abcdefghi\"}, {\"name\": \"now\", \"arguments\": {\"x\": [1]}}]",
     "C(0 now abcdefghi {})C(1 now id0 {\"x\":[1]})"},
    {"mistral-v13", "Sure.[TOOL_CALLS]get_weather[ARGS]{\"city\": \"Bern\"}[TOOL_CALLS]now[CALL_ID]123456789[ARGS]{}",
     "T(Sure.)C(0 get_weather id0 {\"city\":\"Bern\"})C(1 now 123456789 {})"},
    {"mistral-v13", "[THINK]hm[/THINK]ok", "K(hm)T(ok)"},
    {"deepseek", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{\"a\": 1}\n```<｜tool▁call▁end｜>\n"
                 "<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "C(0 now id0 {\"a\":1})C(1 now id1 {})"},
    {"deepseek", "ok</think>Yes<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"B\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "K(ok)T(Yes)C(0 get_weather id0 {\"city\":\"B\"})", ReplyStart::kThought},
    {"deepseek", "<｜tool▁calls▁begin｜>nothing", "T(<｜tool▁calls▁begin｜>nothing)"},
    {"deepseek-v3.2",
     "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_weather\">\n<｜DSML｜parameter name=\"city\" string=\"true\">2</｜DSML｜parameter>\n"
     "<｜DSML｜parameter name=\"days\" string=\"false\">2</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
     "C(0 get_weather id0 {\"city\":\"2\",\"days\":2})"},
    {"deepseek-v4", "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"now\">\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>", "C(0 now id0 {})"},
    {"kimi", "<|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{\"a\": \"b\"}<|tool_call_end|>"
             "<|tool_call_begin|>functions.now:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
     "C(0 now functions.now:0 {\"a\":\"b\"})C(1 now functions.now:1 {})"},
    {"command-a", "<|START_THINKING|>I look<|END_THINKING|><|START_ACTION|>[\n {\"tool_call_id\": \"0\", \"tool_name\": \"now\", \"parameters\": {}},\n"
                  " {\"tool_call_id\": \"1\", \"tool_name\": \"now\", \"parameters\": {\"a\": 1}}\n]<|END_ACTION|>",
     "K(I look)C(0 now id0 {})C(1 now id1 {\"a\":1})"},
    {"command-a", "<|START_RESPONSE|>Hello<|END_RESPONSE|>", "T(Hello)"},
    {"command-r", "Action:```json\n[{\"tool_name\": \"now\", \"parameters\": {}}]```", "C(0 now id0 {})"},
    {"functionary-v3.1", "<function=get_weather>{\"city\": \"B\"}</function><function=now>{}</function>",
     "C(0 get_weather id0 {\"city\":\"B\"})C(1 now id1 {})"},
    {"functionary-v3.2", "get_weather\n{\"city\": \"B\"}>>>now\n{}", "C(0 get_weather id0 {\"city\":\"B\"})C(1 now id1 {})", ReplyStart::kCall},
    {"functionary-v3.2", "all\nHello>>>now\n{}", "T(Hello)C(0 now id0 {})", ReplyStart::kCall},
    {"functionary-v3.2", "Hello you", "T(Hello you)", ReplyStart::kCall},
    {"glm", "<think>a</think>\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Bern</arg_value>\n<arg_key>days</arg_key>\n"
            "<arg_value>2</arg_value>\n<arg_key>where</arg_key>\n<arg_value>{\"lat\": 1.5}</arg_value>\n</tool_call>",
     "K(a)C(0 get_weather id0 {\"city\":\"Bern\",\"days\":2,\"where\":{\"lat\":1.5}})"},
    {"glm", "<tool_call>now</tool_call><tool_call>now<arg_key>a</arg_key><arg_value>x y</arg_value></tool_call>", "C(0 now id0 {})C(1 now id1 {\"a\":\"x y\"})"},
    {"qwen3-coder",
     "I look.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nBern\nor so\n</parameter>\n<parameter=days>\n2\n</parameter>\n<parameter=zip>\n3000\n"
     "</parameter>\n<parameter=ok>\nTrue\n</parameter>\n<parameter=tags>\n['a', 'b']\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n"
     "</function>\n</tool_call>",
     "T(I look.)C(0 get_weather id0 {\"city\":\"Bern\\nor so\",\"days\":2,\"zip\":\"3000\",\"ok\":true,\"tags\":[\"a\",\"b\"]})C(1 now id1 {})"},
    {"qwen3-coder", "<tool_call>\n<function=now>\n<parameter=a>\nx\n<parameter=b>\ny\n</function>\n</tool_call>", "C(0 now id0 {\"a\":\"x\",\"b\":\"y\"})"},
    // A mark within JSON is none; within a text it ends the text.
    {"qwen3-coder", "<tool_call>\n<function=now>\n<parameter=a>\n[\"</parameter>\", {\"b\": \"\\n<parameter=\"}]\n</parameter>\n<parameter=c>\n\"</function>\"\n</parameter>\n"
                    "</function>\n</tool_call>",
     "C(0 now id0 {\"a\":[\"</parameter>\",{\"b\":\"\\n<parameter=\"}],\"c\":\"</function>\"})"},
    {"glm", "<tool_call>now\n<arg_key>a</arg_key>\n<arg_value>[\"</arg_value>\"]</arg_value>\n<arg_key>b</arg_key>\n<arg_value>[1</arg_value>\n</tool_call>",
     "C(0 now id0 {\"a\":[\"</arg_value>\"],\"b\":\"[1\"})"},
    {"qwen3-coder", "<tool_call><function=now><parameter=>x</parameter></function></tool_call>",
     "T(<tool_call><function=now><parameter=>x</parameter></function></tool_call>)"},
    {"glm", "<tool_call>now<arg_key>a</arg_key><arg_value>\xff</arg_value></tool_call>",
     "T(<tool_call>now<arg_key>a</arg_key><arg_value>\xff</arg_value></tool_call>)"},
    {"qwen3-coder", "<tool_call>{\"name\": \"now\"}</tool_call>", "T(<tool_call>{\"name\": \"now\"}</tool_call>)"},
    {"seed", "<seed:think>hm</seed:think><seed:tool_call>\n<function=now>\n</function>\n</seed:tool_call>", "K(hm)C(0 now id0 {})"},
    {"granite", "<|tool_call|>[{\"name\": \"now\", \"arguments\": {}}]", "C(0 now id0 {})"},
    {"apertus", "<|tools_prefix|>[{\"get_weather\": {\"city\": \"B\"}}, {\"now\": {}}]<|tools_suffix|>", "C(0 get_weather id0 {\"city\":\"B\"})C(1 now id1 {})"},
    {"lfm2", "<|tool_call_start|>[get_weather(city=\"it's ]\", days=2, ok=True, t=[1, 'b'], d={'k': None}), now()]<|tool_call_end|>Done.",
     "C(0 get_weather id0 {\"city\":\"it's ]\",\"days\":2,\"ok\":true,\"t\":[1,\"b\"],\"d\":{\"k\":null}})C(1 now id1 {})T(Done.)"},
    {"lfm2", "<|tool_call_start|>[now(a=\"\\ud83d\\ude00 \\u00fc\")]<|tool_call_end|>", "C(0 now id0 {\"a\":\"\U0001F600 \u00fc\"})"},
    {"gemma-4", "<|channel>thought\nhm\n<channel|>Yes.<|tool_call>call:get_weather{city:<|\"|>Z}ü<tool_call|><|\"|>,days:2,tags:[<|\"|>a<|\"|>],w:{lat:1.5,x:true}}<tool_call|>",
     "K(hm)T(Yes.)C(0 get_weather id0 {\"city\":\"Z}ü<tool_call|>\",\"days\":2,\"tags\":[\"a\"],\"w\":{\"lat\":1.5,\"x\":true}})"},
    {"gigachat-3.1", "<|function_call|>{\"name\": \"now\", \"arguments\": {}}", "C(0 now id0 {})"},
    {"firefunction", " functools[{\"name\": \"now\", \"arguments\": {}}, {\"name\": \"now\", \"arguments\": {}}]", "C(0 now id0 {})C(1 now id1 {})"},
    {"apriel", "I think\n[BEGIN FINAL RESPONSE]\nHello\n[END FINAL RESPONSE]", "K(I think)T(Hello\n)", ReplyStart::kThought},
    {"apriel", "ok[BEGIN FINAL RESPONSE]<tool_calls>[{\"name\": \"now\", \"arguments\": {}}]</tool_calls>", "K(ok)C(0 now id0 {})", ReplyStart::kThought},
    {"gpt-oss", "<|channel|>analysis<|message|>Think.<|end|><|start|>assistant<|channel|>final<|message|>Hello", "K(Think.)T(Hello)"},
    {"gpt-oss", "<|channel|>commentary to=functions.now <|constrain|>json<|message|>{\"a\": \"<|end|>\"}<|call|>", "C(0 now id0 {\"a\":\"<|end|>\"})"},
    {"gpt-oss", "<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{\"city\": \"B\"}<|call|>",
     "K(A)C(0 get_weather id0 {\"city\":\"B\"})"},
    {"gpt-oss", " to=functions.now<|channel|>commentary json<|message|>{}", "C(0 now id0 {})"},
    {"gpt-oss", "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>final<|message|>x<y", "T(I look.x<y)"},
    {"gpt-oss", "no header", "T(no header)"},
    {"gpt-oss", "<|channel|>commentary to=functions.now<|message|>{broken<|call|>", "T(<|channel|>commentary to=functions.now<|message|>{broken)"},
};

TEST(ReplyParser, ReadsEveryFamilyHoweverItIsCut) {
  std::mt19937 random(7);
  for (const Case& c : kCases) {
    const ReplySyntax& syntax = family(c.family);
    EXPECT_EQ(parse(syntax, c.start, {c.text}), c.told) << c.family << ": " << c.text;
    for (size_t at = 0; at <= c.text.size(); ++at) {
      EXPECT_EQ(parse(syntax, c.start, {c.text.substr(0, at), c.text.substr(at)}), c.told) << c.family << " cut at " << at << " of " << c.text;
    }
    for (int round = 0; round < 20; ++round) {
      std::vector<std::string_view> fragments;
      for (size_t at = 0; at < c.text.size();) {
        const size_t n = round == 0 ? 1 : 1 + random() % (round < 10 ? 4 : 30);
        fragments.push_back(c.text.substr(at, n));
        at += fragments.back().size();
      }
      EXPECT_EQ(parse(syntax, c.start, fragments), c.told) << c.family << " in fragments: " << c.text;
    }
  }
}

TEST(ReplyParser, EveryFamilyHasACase) {
  for (const ReplySyntax& row : all_syntaxes()) {
    const bool covered = std::ranges::any_of(kCases, [&](const Case& c) { return c.family == row.family; }) ||
                         row.family == "lfm2.5" || row.family == "gigachat-3";  // as their elders, but for how they are told
    EXPECT_TRUE(covered) << row.family;
  }
}

TEST(ReplyParser, WithoutToolsACallIsText) {
  const std::string_view text = "<think>a</think><tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>";
  EXPECT_EQ(parse(family("hermes"), ReplyStart::kContent, {text}, false), "K(a)T(<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>)");
}

// llama.cpp #20729 and its like: a reply that the parser does not expect must not become an error after all was generated.
TEST(ReplyParser, LosesNothingOfAnyText) {
  std::mt19937 random(11);
  for (const ReplySyntax& syntax : all_syntaxes()) {
    const std::string_view pieces[] = {syntax.think_begin, syntax.think_end, syntax.tools.begin, syntax.tools.end, syntax.tools.section_begin,
                                       syntax.tools.section_end, syntax.tools.name_end, "{\"name\":\"now\",\"arguments\":{}}", "now", "<", "}", "\n", " ",
                                       "word", "\"", "{", "<function=now>", "</function>", "<|message|>", "<|channel|>", "é"};
    for (int round = 0; round < 60; ++round) {
      std::string text;
      std::vector<std::string_view> fragments;
      for (int i = 0; i < 12; ++i) text += pieces[random() % std::size(pieces)];
      const std::string whole = parse(syntax, ReplyStart::kContent, {text});
      for (size_t at = 0; at < text.size(); at += 1 + random() % 5) {
        EXPECT_EQ(parse(syntax, ReplyStart::kContent, {std::string_view(text).substr(0, at), std::string_view(text).substr(at)}), whole)
            << syntax.family << " cut at " << at << ": " << text;
      }
      const auto words = [](std::string_view in) {
        size_t n = 0;
        for (size_t at = 0; (at = in.find("word", at)) != in.npos; at += 4) ++n;
        return n;
      };
      EXPECT_EQ(words(whole), words(text)) << syntax.family << ": " << text << " -> " << whole;
    }
  }
}

TEST(Syntax, IsFoundByTheTemplatesText) {
  EXPECT_EQ(syntax_of("{{ '<|im_start|>' }}").family, "plain");
  EXPECT_EQ(syntax_of("<tool_call>").family, "hermes");
  EXPECT_EQ(syntax_of("<tool_call><function=x><parameter=y>").family, "qwen3-coder");
  EXPECT_EQ(syntax_of("[TOOL_CALLS] [ARGS]").family, "mistral-v13");
  EXPECT_EQ(syntax_of("[TOOL_CALLS]").family, "mistral");
}

TEST(Syntax, KnowsItsMarks) {
  EXPECT_TRUE(is_mark(family("gemma-4"), "<|channel>"));
  EXPECT_TRUE(is_mark(family("gpt-oss"), "<|message|>"));
  EXPECT_TRUE(is_mark(family("mistral-v13"), "[CALL_ID]"));
  EXPECT_TRUE(is_mark(family("hermes"), "</think>"));
  EXPECT_FALSE(is_mark(family("hermes"), "<|im_end|>"));
  EXPECT_FALSE(is_mark(family("gpt-oss"), "<|return|>"));
  EXPECT_FALSE(is_mark(family("hermes"), ""));
}

}  // namespace
}  // namespace ajar::chat
