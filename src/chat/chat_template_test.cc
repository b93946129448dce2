#include "chat/chat_template.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "json/read.h"

namespace ajar::chat {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kNow = 1767225600;

fs::path folder() {
  const char* shared = std::getenv("AJAR_SHARED");
  return (shared ? fs::path(shared) : fs::path(AJAR_SOURCE_DIR) / "../shared/data") / "models/chat-templates";
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Message said(Role role, std::string text) {
  Message out{.role = role};
  out.parts.push_back({.text = std::move(text)});
  return out;
}
Message called(std::vector<std::pair<std::string, std::string>> calls) {
  Message out{.role = Role::kAssistant};
  for (size_t i = 0; i < calls.size(); ++i) {
    out.parts.push_back({.kind = Part::Kind::kToolCall, .id = "abcdefgh" + std::to_string(i), .name = calls[i].first, .arguments = calls[i].second});
  }
  return out;
}
Message resulted(int call, std::string text) {
  Message out{.role = Role::kTool};
  Part part{.kind = Part::Kind::kToolResult, .id = "abcdefgh" + std::to_string(call)};
  part.content.push_back({.text = std::move(text)});
  out.parts.push_back(std::move(part));
  return out;
}
Tool weather() {
  return {.name = "get_weather", .description = "Tells the weather",
          .parameters = R"({"type":"object","properties":{"city":{"type":"string","description":"The city"},"days":{"type":"integer","description":"How many"}},"required":["city"]})"};
}

std::shared_ptr<const ChatTemplate> made(std::string_view source) {
  auto out = ChatTemplate::make(source, {.bos = "<s>", .eos = "</s>"});
  EXPECT_TRUE(out) << (out ? "" : out.error().message);
  return out ? *out : nullptr;
}

std::string told(const Abilities& can) {
  std::string out;
  const std::pair<bool, const char*> all[] = {
      {can.system, "system"}, {can.late_system, "late"}, {can.tools, "tools"}, {can.calls, "calls"}, {can.parallel_calls, "parallel"},
      {can.results, "results"}, {can.thinking, "thinking"}, {can.repeated_users, "users"}, {can.parts, "parts"},
      {can.text_arguments, "text-arguments"}, {can.null_content, "null-content"}};
  for (const auto& [is, name] : all) {
    if (is) out += (out.empty() ? "" : " ") + std::string(name);
  }
  return out;
}

TEST(ChatTemplate, ChatMlWhereThereIsNone) {
  const auto chat = made("");
  Request request;
  request.messages = {said(Role::kSystem, "Be kind."), said(Role::kDeveloper, "Be brief."), said(Role::kUser, "Hi")};
  EXPECT_EQ(chat->render(request, kNow)->text,
            "<|im_start|>system\nBe kind.\n\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  // A last answer is gone on with.
  request.messages = {said(Role::kUser, "Hi"), said(Role::kAssistant, "Once upon")};
  EXPECT_EQ(chat->render(request, kNow)->text, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nOnce upon");
  // Tools are told in a text, and called in one.
  request.tools = {weather()};
  request.messages = {said(Role::kUser, "Hi"), called({{"get_weather", R"({"city":"Bern"})"}}), resulted(0, "rain")};
  const std::string text = chat->render(request, kNow)->text;
  EXPECT_NE(text.find("<|im_start|>system\nYou may call functions"), std::string::npos) << text;
  EXPECT_NE(text.find("\"name\": \"get_weather\""), std::string::npos) << text;
  EXPECT_NE(text.find("<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Bern\"}}\n</tool_call>"), std::string::npos) << text;
  EXPECT_NE(text.find("<|im_start|>user\n<tool_response>\nrain\n</tool_response>"), std::string::npos) << text;
  request.tool_choice.mode = ToolChoice::Mode::kNone;
  EXPECT_EQ(chat->render(request, kNow)->text.find("You may call functions"), std::string::npos);
}

TEST(ChatTemplate, RefusesWhatATextModelDoesNotTake) {
  const auto chat = made("");
  Request request;
  request.messages = {said(Role::kUser, "Look:")};
  request.messages[0].parts.push_back({.kind = Part::Kind::kImage, .url = "https://example.com/a.png"});
  const auto refused = chat->render(request, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_EQ(refused.error().field, "messages[0].content[1]");
  EXPECT_NE(refused.error().message.find("images"), std::string::npos);
}

TEST(ChatTemplate, FaultsOfATemplateAreErrors) {
  EXPECT_FALSE(ChatTemplate::make("{% for %}", {}));
  EXPECT_FALSE(ChatTemplate::make("{{ raise_exception('never') }}", {}));
  EXPECT_FALSE(ChatTemplate::make("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", {}));
  const auto strict = made("{% for m in messages %}{% if m.role == 'user' and (loop.index0 % 2) %}{{ raise_exception('alternate!') }}{% endif %}"
                           "{{ m.role + ':' + m.content + ';' }}{% endfor %}");
  ASSERT_TRUE(strict);
  Request request;
  request.messages = {said(Role::kUser, "a"), said(Role::kUser, "b")};
  EXPECT_EQ(strict->render(request, kNow)->text, "user:a\n\nb;");
  request.messages = {said(Role::kAssistant, "a"), said(Role::kUser, "b")};
  EXPECT_EQ(strict->render(request, kNow).error().message, "alternate!");
}

TEST(ChatTemplate, ThinkingAndItsStart) {
  const auto chat = made("{% for m in messages %}{{ m.content }}{% endfor %}{% if enable_thinking is defined and enable_thinking %}<think>\n{% endif %}");
  EXPECT_TRUE(chat->abilities().thinking);
  Request request;
  request.messages = {said(Role::kUser, "a")};
  EXPECT_EQ(chat->render(request, kNow)->start, ReplyStart::kContent);
  request.reasoning = {.mode = Reasoning::Mode::kEffort, .effort = "high"};
  EXPECT_EQ(chat->render(request, kNow)->start, ReplyStart::kThought);
  request.reasoning.effort = "none";
  EXPECT_EQ(chat->render(request, kNow)->start, ReplyStart::kContent);
}

// What every template at hand can do, and by which syntax its replies are read.
TEST(ChatTemplate, AbilitiesOfTheTemplatesAtHand) {
  if (!fs::exists(folder())) GTEST_SKIP() << folder() << " is not at hand";
  std::istringstream lines(slurp(fs::path(AJAR_SOURCE_DIR) / "tests/chat/abilities.txt"));
  std::map<std::string, std::string> expected;
  for (std::string name, rest; std::getline(lines, name, '\t') && std::getline(lines, rest);) expected[name] = rest;
  for (const auto& file : fs::directory_iterator(folder())) {
    const std::string name = file.path().stem();
    const auto chat = made(slurp(file.path()));
    ASSERT_TRUE(chat) << name;
    EXPECT_EQ(std::string(chat->syntax().family) + "\t" + told(chat->abilities()), expected[name]) << name;
  }
}

// What a template writes of an assistant's calls is what its model learnt to write: the parser reads the same calls of it.
TEST(ChatTemplate, CallsAreReadAsTheTemplateWritesThem) {
  if (!fs::exists(folder())) GTEST_SKIP() << folder() << " is not at hand";
  size_t checked = 0;
  for (const auto& file : fs::directory_iterator(folder())) {
    const std::string name = file.path().stem();
    if (name == "MiroThinker") continue;  // changes the messages it is given, which no template may
    const auto chat = made(slurp(file.path()));
    ASSERT_TRUE(chat);
    Request request;
    request.tools = {weather()};
    request.messages = {said(Role::kUser, "How is it?")};
    const auto before = chat->render(request, kNow);
    ASSERT_TRUE(before) << name << ": " << before.error().message;
    EXPECT_NE(before->text.find("get_weather"), std::string::npos) << name;
    const bool two = chat->abilities().parallel_calls || !chat->abilities().calls;
    std::vector<std::pair<std::string, std::string>> calls = {{"get_weather", R"({"city":"Z\"ü\"","days":2})"}};
    if (two) calls.emplace_back("get_weather", R"({"city":"Bern"})");
    request.messages.push_back(called(calls));
    for (size_t i = 0; i < calls.size(); ++i) request.messages.push_back(resulted(int(i), "zqResultzq"));
    request.messages.push_back(said(Role::kAssistant, "It rains."));
    request.messages.push_back(said(Role::kUser, "Thanks"));
    const auto after = chat->render(request, kNow);
    EXPECT_TRUE(after) << name << ": " << after.error().message;
    if (!after) continue;
    // The reply: from where the user ended to where the result begins. What opens a turn before it is no matter: it is said
    // as text.
    const size_t from = after->text.rfind("How is it?") + 10, to = after->text.find("zqResultzq");
    EXPECT_NE(to, std::string::npos) << name << after->text;
    if (to == std::string::npos) continue;
    const ReplySyntax& syntax = chat->syntax();
    std::string reply = after->text.substr(from, to - from);
    size_t start = std::string::npos;
    for (const std::string_view mark : {syntax.tools.section_begin, syntax.tools.begin}) {
      if (!mark.empty() && start == std::string::npos) start = reply.find(mark);
    }
    if (start == std::string::npos) start = reply.find("{\"name\"");
    EXPECT_NE(start, std::string::npos) << name << ": " << reply;
    if (start == std::string::npos) continue;
    ReplyParser parser(syntax, KnownTools::of(request));
    EventBatch events;
    parser.feed(std::string_view(reply).substr(start), events);
    parser.finish(events);
    std::vector<std::pair<std::string, std::string>> read;
    for (const Event& event : events) {
      if (event.kind == Event::Kind::kToolCall) read.emplace_back(event.name, "");
      if (event.kind == Event::Kind::kToolArgs) read.back().second += event.text;
    }
    EXPECT_EQ(read, calls) << name << " (" << syntax.family << "): " << reply.substr(start);
    ++checked;
  }
  EXPECT_GE(checked, 54u);
}

}  // namespace
}  // namespace ajar::chat
