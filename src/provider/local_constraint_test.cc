// Whatever a model is allowed to write when it must call a function, its family's reader reads as calls of known functions
// with arguments that are objects.
#include "provider/local_constraint.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <random>

#include "engine/grammar/automaton.h"
#include "engine/grammar/compiled.h"
#include "engine/random_model.h"
#include "json/read.h"
#include "provider/call_grammar.h"

namespace ajar {
namespace {

class Bytes final : public engine::Tokenizer {
 public:
  Bytes() { special_.end_of_generation = {256}; }
  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    for (char c : text) ids.push_back(static_cast<uint8_t>(c));
  }
  void encode_with_controls(std::string_view text, std::vector<int32_t>& ids) const override { encode(text, ids); }
  void append_bytes(int32_t id, std::string& out) const override { if (id < 256) out.push_back(static_cast<char>(id)); }
  size_t size() const override { return 258; }
  bool is_control(int32_t id) const override { return id >= 256; }
  std::string_view piece(int32_t id) const override { return id == 257 ? "[TOOL_CALLS]" : ""; }
  int32_t find(std::string_view piece) const override { return piece == "[TOOL_CALLS]" ? 257 : -1; }
};

Request calling() {
  Request request;
  request.tools.push_back({.name = "get_weather", .parameters = R"({"type":"object","properties":{"city":{"type":"string","maxLength":9},"days":{"type":"integer","minimum":1,"maximum":14},"unit":{"type":"string","enum":["7","true","a \"b\""]}},"required":["city"]})"});
  request.tools.push_back({.name = "write", .parameters = R"({"type":"object","properties":{"code":{"type":"string"},"tags":{"type":"array","items":{"$ref":"#/$defs/tag"}},"when":{"type":"string","format":"date"},
      "on":{"type":"boolean"},"either":{"type":["string","null"]}},"required":["code","when"],"$defs":{"tag":{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"string"}}}]}}})"});
  request.tools.push_back({.name = "now"});
  request.tools.push_back({.name = "odd", .parameters = R"({"type":"object","properties":{"a":{"not":{}}}})"});  // cannot be enforced: any object
  request.tool_choice.mode = ToolChoice::Mode::kAny;
  return request;
}

// What ends a text that has no quotes.
std::string_view end_of_text(chat::CallLayout layout) {
  using enum chat::CallLayout;
  switch (layout) {
    case kXml: return "</parameter>";
    case kArgKeys: return "</arg_value>";
    case kInvoke: return "</｜DSML｜parameter>";
    case kGemma: return "<|\"|>";
    case kHarmony: return "<|end|>";
    default: return "\"";
  }
}

// Random texts of a grammar. They like what may become a mark; after a while what closes comes first.
class RandomTexts {
 public:
  explicit RandomTexts(const engine::CompiledGrammar& grammar, chat::CallLayout layout = chat::CallLayout::kJson)
      : automaton_(grammar.program()), mark_(end_of_text(layout)) {}

  std::string next(std::mt19937_64& random) {
    const std::string closing[] = {mark_, "\n" + mark_, "\"", "}", "]", ")"};
    constexpr std::string_view kTempting[] = {"</parameter", "</par", "</arg_value", "</｜DSML｜par", "<|\"|", "<parameter", "</functio", "<|end|", "<", "\"", "{", "\\u", "\n"};
    auto state = automaton_.start();
    std::string out;
    const auto take = [&](std::string_view text) {
      auto next = state;
      for (const char c : text)
        if (next = automaton_.next(next, static_cast<uint8_t>(c)); next == engine::Automaton::kDead) return false;
      state = next, out += text;
      return true;
    };
    for (int i = 0; i < 5000; ++i) {
      if (automaton_.may_end(state) && (i > 150 || !automaton_.may_go_on(state) || random() % 3 == 0)) return out;
      if (i > 150 && take(closing[random() % std::size(closing)])) continue;
      if (random() % 6 == 0 && take(kTempting[random() % std::size(kTempting)])) continue;
      const std::string& allowed = allowed_in(state);
      if (allowed.empty()) return "<stuck>" + out;
      take({&allowed[random() % allowed.size()], 1});
    }
    return "<endless>" + out;
  }

 private:
  const std::string& allowed_in(engine::Automaton::State state) {
    auto [at, fresh] = allowed_.try_emplace(state);
    for (int b = 0; fresh && b < 256; ++b)
      if (automaton_.next(state, static_cast<uint8_t>(b)) != engine::Automaton::kDead) at->second += static_cast<char>(b);
    return at->second;
  }

  engine::Automaton automaton_;
  std::string mark_;
  std::map<engine::Automaton::State, std::string> allowed_;  // bytes
};

// The arguments are those of the schema of calling(): a reader that takes one for another would show here.
void expect_fitting(const std::string& name, const json::Object& arguments, const std::string& where) {
  for (const auto [key, value] : arguments) {
    const auto text = json::as_string(value);
    if (name == "get_weather") {
      if (key == "city") EXPECT_TRUE(text && std::ranges::count_if(*text, [](char c) { return (c & 0xC0) != 0x80; }) <= 9) << where;
      else if (key == "days") EXPECT_TRUE(json::as_int(value).value_or(0) >= 1 && json::as_int(value).value_or(99) <= 14) << where;
      else if (key == "unit") EXPECT_TRUE(text && (*text == "7" || *text == "true" || *text == "a \"b\"")) << where;
      else ADD_FAILURE() << where << "\nhas " << key;
    } else if (name == "write") {
      if (key == "code") EXPECT_TRUE(text) << where;
      else if (key == "tags") EXPECT_TRUE(json::as_array(value)) << where;
      else if (key == "when") EXPECT_TRUE(text && text->size() == 10) << where;
      else if (key == "on") EXPECT_TRUE(json::as_bool(value)) << where;
      else if (key == "either") EXPECT_TRUE(text || value.is_null()) << where;
      else ADD_FAILURE() << where << "\nhas " << key;
    } else {
      EXPECT_TRUE(name == "odd" || arguments.size() == 0) << where;
    }
  }
  if (name == "get_weather") EXPECT_TRUE(json::find(arguments, "city")) << where;
  if (name == "write") EXPECT_TRUE(json::find(arguments, "code") && json::find(arguments, "when")) << where;
}

TEST(LocalConstraint, ForcedCallsAreReadAsCalls) {
  std::mt19937_64 random(4);
  const Request request = calling();
  auto trie = engine::TokenTrie::make(std::make_shared<Bytes>(), 258);
  int several = 0;
  for (const chat::ReplySyntax& syntax : chat::all_syntaxes()) {
    for (auto start : {chat::ReplyStart::kContent, chat::ReplyStart::kCall}) {
      if (start == chat::ReplyStart::kCall && (syntax.tools.layout != chat::CallLayout::kNameThenJson || !syntax.tools.end.empty())) continue;
      engine::Grammar grammar;
      auto node = add_calls(grammar, syntax, request, *trie, start);
      ASSERT_TRUE(node) << node.error().message;
      auto compiled = engine::CompiledGrammar::make(grammar, *node, trie);
      ASSERT_TRUE(compiled) << syntax.family << ": " << compiled.error().message;
      RandomTexts texts(**compiled, syntax.tools.layout);
      for (int i = 0; i < 60; ++i) {
        const std::string text = texts.next(random), where = std::string(syntax.family) + ": " + text;
        chat::ReplyParser parser(syntax, chat::KnownTools::of(request), start);
        EventBatch events;
        const size_t cut = random() % (text.size() + 1);
        parser.feed(std::string_view(text).substr(0, cut), events);
        parser.feed(std::string_view(text).substr(cut), events);
        parser.finish(events);
        EXPECT_GT(parser.calls(), 0) << where;
        several += parser.calls() > 1;
        std::string name;
        for (const Event& event : events) {
          EXPECT_FALSE(event.kind == Event::Kind::kText && event.text.find_first_not_of(" \n") != std::string::npos) << where << "\nsays " << event.text;
          if (event.kind == Event::Kind::kToolCall) name = event.name;
          if (event.kind != Event::Kind::kToolArgs) continue;
          json::Document document;
          const auto arguments = document.parse_object(event.text);
          ASSERT_TRUE(arguments) << where;
          expect_fitting(name, *arguments, where + "\nas " + event.text);
        }
      }
    }
  }
  EXPECT_GT(several, 20);
}

TEST(LocalConstraint, MarksAreTheirTokens) {
  const Request request = calling();
  auto trie = engine::TokenTrie::make(std::make_shared<Bytes>(), 258, {"[TOOL_CALLS]"});
  for (const chat::ReplySyntax& syntax : chat::all_syntaxes()) {
    if (syntax.family != "mistral") continue;
    engine::Grammar grammar;
    auto node = add_calls(grammar, syntax, request, *trie, chat::ReplyStart::kContent);
    engine::GrammarConstraint constraint(*engine::CompiledGrammar::make(grammar, *node, trie));
    engine::TokenMask mask(258);
    constraint.allow(mask);
    EXPECT_TRUE(mask.allowed(257));
    EXPECT_FALSE(mask.allowed('['));
    EXPECT_TRUE(constraint.accept(257));
  }
}

TEST(LocalConstraint, OnlyWhatIsAllowedMayBeCalled) {
  Request request = calling();
  request.tool_choice = {.mode = ToolChoice::Mode::kNamed, .name = "now"};
  auto trie = engine::TokenTrie::make(std::make_shared<Bytes>(), 258);
  engine::Grammar grammar;
  auto node = add_calls(grammar, chat::plain_syntax(), request, *trie, chat::ReplyStart::kContent);
  auto compiled = *engine::CompiledGrammar::make(grammar, *node, trie);
  std::mt19937_64 random(1);
  RandomTexts texts(*compiled);
  for (int i = 0; i < 20; ++i) EXPECT_NE(texts.next(random).find("\"now\""), std::string::npos);
  request.tool_choice.name = "other";
  EXPECT_EQ(add_calls(grammar, chat::plain_syntax(), request, *trie, chat::ReplyStart::kContent).error().field, "tool_choice");
  request = calling();
  request.tools[3].strict = true;
  EXPECT_EQ(add_calls(grammar, chat::plain_syntax(), request, *trie, chat::ReplyStart::kContent).error().field, "tools[3].function.parameters");
}

TEST(LocalConstraint, ArgumentsThatCannotBeWrittenAreNamed) {
  auto trie = engine::TokenTrie::make(std::make_shared<Bytes>(), 258);
  for (const auto& [parameters, place] : {std::pair{R"({"anyOf":[{"properties":{"a":{"type":"integer"}}}]})", "#/anyOf"},
                                          {R"({"properties":{"a b>":{"type":"string"}}})", "#/properties/a b>"},
                                          {R"({"properties":{"a":{"type":"string","enum":["</parameter>"]}},"required":["a"]})", "#/properties/a"}}) {
    Request request;
    request.tools.push_back({.name = "f", .parameters = parameters, .strict = true});
    request.tool_choice.mode = ToolChoice::Mode::kAny;
    for (const bool strict : {true, false}) {
      request.tools[0].strict = strict;
      engine::Grammar grammar;
      const auto made = add_calls(grammar, chat::syntax_of("<function= <parameter="), request, *trie, chat::ReplyStart::kContent);
      if (!strict) {
        EXPECT_TRUE(made && engine::CompiledGrammar::make(grammar, *made, trie)) << parameters;
        continue;
      }
      ASSERT_FALSE(made) << parameters;
      EXPECT_EQ(made.error().field, "tools[0].function.parameters");
      EXPECT_NE(made.error().message.find(std::string(place) + ":"), std::string::npos) << made.error().message;
    }
  }
}

class Forms : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / ("ajar-forms-" + std::to_string(getpid()) + ".gguf")).string();
    auto shape = engine::random_shape("tiny-llama");
    ASSERT_TRUE(shape);
    ASSERT_TRUE(engine::write_random_model(*shape, path_, true));
    engine::ComputePool pool(1);
    model_.model = *engine::Model::load(*engine::Checkpoint::open(path_), pool);
    model_.tokenizer = *engine::load_gguf_tokenizer(path_);
    model_.chat = *chat::ChatTemplate::make("", {});
    request_.messages.push_back({.role = Role::kUser, .parts = {{.text = "Hi"}}});
  }
  void TearDown() override { std::filesystem::remove(path_); }
  auto form(chat::ReplyStart start = chat::ReplyStart::kContent) { return read_form(request_, model_, start); }

  std::string path_;
  LoadedModel model_;
  Request request_;
};

TEST_F(Forms, EveryWayToAskForOne) {
  EXPECT_FALSE(demands_form(request_));
  std::mt19937_64 random(8);
  auto starts = [&](std::string_view with) {
    EXPECT_TRUE(demands_form(request_));
    auto made = form();
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(*made);
    const std::string text = RandomTexts(*(*made)->grammar).next(random);
    EXPECT_EQ(text.substr(text.find_first_not_of(" \n")).find(with), 0u) << text;
  };
  request_.response_format.kind = ResponseFormat::Kind::kJsonObject;
  starts("{");
  request_.response_format = {.kind = ResponseFormat::Kind::kJsonSchema, .schema = R"({"type":"object","properties":{"zip":{"type":"integer"}},"required":["zip"]})"};
  starts("{\"zip\":");
  EXPECT_EQ((*form())->grammar, (*form())->grammar) << "compiled once";
  request_.response_format = {};
  for (auto [extra, with] : {std::pair{R"("guided_regex":"x[0-9]{3}")", "x"}, {R"("guided_choice":["left"])", "left"}, {R"("guided_json":{"const":5})", "5"},
                             {R"("guided_json":"{\"const\":5}")", "5"}, {R"("guided_grammar":"root ::= \"yes\"")", "yes"}, {R"("grammar":"root ::= \"yes\"")", "yes"}}) {
    request_.extra = extra;
    starts(with);
  }
}

TEST_F(Forms, ErrorsNameTheField) {
  request_.response_format = {.kind = ResponseFormat::Kind::kJsonSchema, .schema = R"({"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}})"};
  auto made = form();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kInvalid);
  EXPECT_EQ(made.error().field, "response_format");
  EXPECT_NE(made.error().message.find("#/properties/a/uniqueItems"), std::string::npos) << made.error().message;
  request_.response_format = {};
  request_.extra = R"g("guided_regex":"(?=x)")g";
  EXPECT_EQ(form().error().field, "guided_regex");
  request_.extra = R"("guided_regex":"x","guided_grammar":"root ::= \"x\"")";
  EXPECT_EQ(form().error().code, Code::kInvalid);
}

TEST_F(Forms, ThoughtsComeFirst) {
  request_.response_format.kind = ResponseFormat::Kind::kJsonObject;
  EXPECT_FALSE((*form())->thought.open);
  auto made = form(chat::ReplyStart::kThought);
  EXPECT_TRUE((*made)->thought.open);
  EXPECT_EQ((*made)->thought.end, "</think>");
  request_.reasoning.mode = Reasoning::Mode::kOff;
  EXPECT_EQ((*form())->thought.begin, "");
}

TEST_F(Forms, ToolsAndAFormAreEitherOr) {
  request_ = calling();
  request_.tool_choice.mode = ToolChoice::Mode::kAuto;
  EXPECT_FALSE(demands_form(request_));
  request_.response_format = {.kind = ResponseFormat::Kind::kJsonSchema, .schema = R"({"type":"object","properties":{"zip":{"type":"integer"}},"required":["zip"]})"};
  auto made = form();
  ASSERT_TRUE(made) << made.error().message;
  std::mt19937_64 random(8);
  int calls = 0, answers = 0;
  RandomTexts texts(*(*made)->grammar);
  for (int i = 0; i < 60; ++i) {
    const std::string text = texts.next(random);
    ++(text.find("\"zip\":") == std::string::npos ? calls : answers);
  }
  EXPECT_GT(calls, 0);
  EXPECT_GT(answers, 0);
}

}  // namespace
}  // namespace ajar
