#include "provider/grounded.h"

#include <gtest/gtest.h>

namespace ajar {
namespace {

Message turn(Role role, std::string text) { return {.role = role, .parts = {Part{.text = std::move(text)}}, .plain_text = true}; }

TEST(QuestionForDocuments, IsTheLastThingThatTheUserSaid) {
  Request request;
  request.messages = {turn(Role::kSystem, "Be kind."), turn(Role::kUser, "How long does the warranty of the crimson pump last?")};
  EXPECT_EQ(*question_for_documents(request), "How long does the warranty of the crimson pump last?");
  request.messages.push_back(turn(Role::kAssistant, "Seven years."));
  request.messages.push_back(turn(Role::kUser, "And where is the certificate of the azure valve kept?"));
  EXPECT_EQ(*question_for_documents(request), "And where is the certificate of the azure valve kept?");
}

TEST(QuestionForDocuments, ShortOneRefersToWhatWasSaidBefore) {
  Request request;
  request.messages = {turn(Role::kUser, "How long is the warranty?"), turn(Role::kAssistant, "Seven years."), turn(Role::kUser, "And abroad?")};
  EXPECT_EQ(*question_for_documents(request), "How long is the warranty?\nAnd abroad?");
}

TEST(QuestionForDocuments, IsCutBetweenCharacters) {
  Request request;
  std::string text = "a";
  while (text.size() < 20'000) text += "é";
  request.messages = {turn(Role::kUser, text)};
  const auto question = question_for_documents(request);
  EXPECT_EQ(question->size(), 16'383u);
  EXPECT_EQ(text.compare(0, question->size(), *question), 0);
}

TEST(QuestionForDocuments, NeedsWords) {
  Request request;
  EXPECT_EQ(question_for_documents(request).error().code, Code::kUnsupported);
  request.messages = {{.parts = {Part{.kind = Part::Kind::kImage, .url = "x"}}}, turn(Role::kUser, "  ")};
  EXPECT_EQ(question_for_documents(request).error().code, Code::kUnsupported);
}

TEST(WithPassages, StandBeforeTheQuestionAsData) {
  Request request;
  request.messages = {turn(Role::kSystem, "Be kind."), turn(Role::kUser, "Why?"), turn(Role::kAssistant, "So."), turn(Role::kUser, "When?")};
  const Request out = with_passages(request, {{.name = "a.pdf", .text = "In spring.", .page = 3}, {.name = "b.txt", .headings = "Valves", .text = "In May."}}, "m4");
  ASSERT_EQ(out.messages.size(), 5u);
  EXPECT_EQ(out.messages[1].role, Role::kSystem);
  EXPECT_NE(out.messages[1].parts[0].text.find("<passages-m4>"), std::string::npos);
  ASSERT_EQ(out.messages[4].parts.size(), 2u);
  EXPECT_EQ(out.messages[4].parts[0].text, "<passages-m4>\n[1] a.pdf, page 3\nIn spring.\n\n[2] b.txt: Valves\nIn May.\n\n</passages-m4>\n");
  EXPECT_EQ(out.messages[4].parts[1].text, "When?");
  EXPECT_FALSE(out.messages[4].plain_text);
  EXPECT_EQ(request.messages.size(), 4u);
}

}  // namespace
}  // namespace ajar
