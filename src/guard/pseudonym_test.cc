#include "guard/pseudonym.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include "base/text.h"
#include "core/reply.h"
#include "guard/placeholder.h"
#include "guard/restorer.h"
#include "guard/test_data.h"

namespace ajar::guard {
namespace {

const std::string kTenant = "a tenant's key of 32 bytes......";
const Scanner& scanner() {
  static const Scanner kScanner({.entities = EntitySet::identifying()});
  return kScanner;
}

Part text_part(std::string text) { return {.kind = Part::Kind::kText, .text = std::move(text)}; }
Request asked(std::string text) {
  Request request;
  request.messages.push_back({.role = Role::kUser, .parts = {text_part(std::move(text))}});
  return request;
}
std::string masked(Pseudonyms& map, std::string_view text) {
  auto result = map.mask_text(text);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result.value_or("");
}
// Every byte of a request that a dialect could write.
std::string everything(Request& request) {
  class Collect : public TextVisitor {
   public:
    std::string all;
    bool visit(std::string& text, const TextPlace& place) override {
      all += place.form == TextForm::kBase64 ? base64_decode(text).value_or("") : text;
      all += '\n';
      return true;
    }
  } collect;
  visit_texts(request, collect);
  return collect.all;
}
// The text of a stream that is cut at the given places and restored.
std::string streamed(const Pseudonyms& map, std::string_view text, const std::vector<size_t>& cuts,
                     Event::Kind kind = Event::Kind::kText, size_t* held_most = nullptr) {
  Restorer restorer(map);
  std::string out;
  const auto take = [&](EventBatch events) {
    for (const Event& event : events) {
      if (event.kind == kind) out += event.text;
    }
  };
  size_t from = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t to = i < cuts.size() ? cuts[i] : text.size();
    EventBatch events;
    events.push_back({.kind = kind, .text = std::string(text.substr(from, to - from))});
    restorer.restore(events);
    take(std::move(events));
    from = to;
  }
  EventBatch rest;
  restorer.finish(rest);
  take(std::move(rest));
  if (held_most) *held_most = restorer.stats().held_most;
  return out;
}

// litellm PR #23037, #24291: originals were read with the offsets of the anonymised text.
TEST(Pseudonyms, LiteLlm23037OffsetsAreOfTheOriginal) {
  Pseudonyms map(scanner(), kTenant);
  const std::string text =
      "Mary Johnson (mary@example.com) wrote to Peter Müller, +1 212 555 0187, and Mary Johnson again.";
  const std::string out = masked(map, text);
  for (const char* original : {"Mary", "Johnson", "mary@example.com", "Peter", "Müller", "555"}) {
    EXPECT_EQ(out.find(original), std::string::npos) << out;
  }
  Restorer restorer(map);
  EXPECT_EQ(restorer.restore_text(out), text);
}

TEST(Pseudonyms, OnePersonOnePlaceholderInEveryTurn) {
  Pseudonyms map(scanner(), kTenant);
  const std::string first = masked(map, "My name is Mary Johnson"),
                    second = masked(map, "I am Mary Johnson and MARY  johnson");
  const std::string placeholder = first.substr(first.find("PERSON_"));
  EXPECT_EQ(second, "I am " + placeholder + " and " + placeholder);
  // A later turn without any sign that it is a name.
  EXPECT_EQ(masked(map, "ok mary johnson"), "ok " + placeholder);
  EXPECT_EQ(masked(map, first), first);  // masked text stays
}

TEST(Pseudonyms, TenantsDoNotShare) {
  Pseudonyms a(scanner(), kTenant), b(scanner(), "another tenant's key............");
  EXPECT_NE(masked(a, "My name is Mary Johnson"), masked(b, "My name is Mary Johnson"));
}

// litellm PR #19950: a shared map leaked across requests, the wrong person was restored.
TEST(Pseudonyms, LiteLlm19950NothingOfAnotherConversation) {
  Pseudonyms a(scanner(), kTenant), b(scanner(), kTenant);
  const std::string of_a = masked(a, "My name is Mary Johnson");
  masked(b, "My name is Peter Brown");
  Restorer restorer(b);
  EXPECT_EQ(restorer.restore_text(of_a), of_a);
  EXPECT_EQ(restorer.stats().unknown, 1);
  EXPECT_EQ(restorer.stats().restored, 0);
}

// litellm PR #23037: the map was held on an instance; another one could not restore.
TEST(Pseudonyms, LiteLlm23037AnotherInstanceRestores) {
  Pseudonyms first(scanner(), kTenant);
  const std::string text = "Write to Mary Johnson, mary@example.com, card 4111 1111 1111 1111",
                    out = masked(first, text);
  const std::string key(32, 'k'), sealed = first.seal(key, "conversation 1", 1000);
  ASSERT_FALSE(sealed.empty());
  EXPECT_EQ(sealed.find("Mary"), std::string::npos);
  Pseudonyms second(scanner(), kTenant);
  ASSERT_TRUE(second.open(sealed, key, "conversation 1", 999));
  EXPECT_EQ(second.size(), first.size());
  Restorer restorer(second);
  EXPECT_EQ(restorer.restore_text(out), text);
  EXPECT_EQ(masked(second, text), out);  // and the same placeholders from then on
}

TEST(Pseudonyms, SealedMapsExpireAndAreBound) {
  Pseudonyms map(scanner(), kTenant);
  masked(map, "My name is Mary Johnson");
  const std::string key(32, 'k');
  std::string sealed = map.seal(key, "c1", 1000);
  Pseudonyms other(scanner(), kTenant);
  EXPECT_EQ(other.open(sealed, key, "c1", 1000).error().code, Code::kNotFound);
  EXPECT_EQ(other.open(sealed, key, "c2", 1).error().code, Code::kInvalid);
  EXPECT_EQ(other.open(sealed, std::string(32, 'x'), "c1", 1).error().code, Code::kInvalid);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(other.open(damaged, key, "c1", 1)) << i;  // the expiry, too
    EXPECT_FALSE(other.open(std::string_view(sealed).substr(0, i), key, "c1", 1)) << i;
  }
  EXPECT_EQ(other.size(), 0u);
}

Request full_request() {
  Request request;
  request.messages.push_back({.role = Role::kSystem, .parts = {text_part("You help Mary Johnson.")}});
  Message user{.role = Role::kUser,
               .name = "",
               .parts = {text_part("Call +1 212 555 0187"), text_part("IBAN GB82WEST12345698765432")}};
  user.extra = R"("note":"card 4111 1111 1111 1111")";
  user.parts.push_back({.kind = Part::Kind::kFile,
                        .name = "cv of Mary Johnson.txt",
                        .media_type = "text/plain",
                        .data = base64_encode("Mail: mary@example.com")});
  request.messages.push_back(user);
  request.messages.push_back(
      {.role = Role::kAssistant,
       .parts = {{.kind = Part::Kind::kThought, .text = "Mary Johnson wants help"},
                 {.kind = Part::Kind::kToolCall,
                  .id = "c1",
                  .name = "send",
                  .arguments = R"({"to":"mary@\u0065xample.com","ssn":536904399,"line":"Mary Johnson\n\"home\""})"}}});
  request.messages.push_back(
      {.role = Role::kTool,
       .parts = {{.kind = Part::Kind::kToolResult, .id = "c1", .content = {text_part("sent to mary@example.com")}}}});
  request.tools.push_back({.name = "send",
                           .description = "Sends as Mary Johnson",
                           .parameters = R"({"type":"object","properties":{"to":{"default":"mary@example.com"}}})"});
  request.metadata = R"({"customer":"mary@example.com"})";
  request.user = "mary@example.com";
  request.stop = {"Mary Johnson"};
  return request;
}

// litellm issue #14516: parts of requests in other dialects' shapes were ignored.
TEST(Pseudonyms, LiteLlm14516EveryPlaceIsMasked) {
  Pseudonyms map(scanner(), kTenant);
  Request request = full_request();
  ASSERT_TRUE(map.mask(request));
  const std::string all = everything(request);
  for (const char* original : {"Mary", "Johnson", "mary@", "555 0187", "GB82", "4111", "536904399", "xample.com"}) {
    EXPECT_EQ(all.find(original), std::string::npos) << original << " in\n" << all;
  }
  // Arguments are JSON still, and what was no personal value is as it was.
  json::Document document;
  EXPECT_TRUE(document.parse(request.messages[2].parts[1].arguments)) << request.messages[2].parts[1].arguments;
  EXPECT_NE(request.messages[2].parts[1].arguments.find(R"(\n\"home\")"), std::string::npos);
  Request again = full_request();
  Pseudonyms fresh(scanner(), kTenant);
  ASSERT_TRUE(fresh.mask(again));
  EXPECT_EQ(everything(again), all);  // deterministic: caches and logs may use the masked form
}

TEST(Pseudonyms, FailsClosed) {
  Request picture = asked("look");
  picture.messages[0].parts.push_back({.kind = Part::Kind::kImage, .media_type = "image/png", .data = "iVBORw0KGgo="});
  Pseudonyms map(scanner(), kTenant);
  const Status refused = map.mask(picture);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_EQ(refused.error().field, "messages[0].content[1].data");
  Pseudonyms allowing(scanner(), kTenant, {.allow_media = true});
  EXPECT_TRUE(allowing.mask(picture));
  Request text = asked("hello");
  Pseudonyms short_key(scanner(), "short");
  EXPECT_FALSE(short_key.mask(text));
}

TEST(Pseudonyms, APromptThatNamesAPlaceholderDoesNotCollide) {
  Pseudonyms map(scanner(), kTenant);
  const std::string out = masked(map, "My name is Mary Johnson"), taken = out.substr(out.find("PERSON_"));
  Pseudonyms fresh(scanner(), kTenant);
  Request request = asked("My name is Mary Johnson. Who is " + taken + "?");
  ASSERT_TRUE(fresh.mask(request));
  const std::string& text = request.messages[0].parts[0].text;
  EXPECT_NE(text.find(taken + "?"), std::string::npos);
  const std::string longer = text.substr(text.find("PERSON_"), taken.size() + 2);
  EXPECT_TRUE(longer.starts_with(taken));
  EXPECT_EQ(fresh.original(longer), "Mary Johnson");
  EXPECT_EQ(fresh.original(taken), "");
}

TEST(Restorer, CutAtEveryByte) {
  Pseudonyms map(scanner(), kTenant);
  const std::string text = "Größe: Mary Johnson’s mail is mary@example.com 🙂; the PERSON is Mary Johnson",
                    out = masked(map, text);
  for (size_t i = 0; i <= out.size(); ++i) {
    for (size_t j = i; j <= out.size(); ++j) EXPECT_EQ(streamed(map, out, {i, j}), text) << i << " " << j;
  }
  std::vector<size_t> all;
  for (size_t i = 1; i < out.size(); ++i) all.push_back(i);
  size_t held = 0;
  EXPECT_EQ(streamed(map, out, all, Event::Kind::kText, &held), text);
  EXPECT_LE(held, kMaxPlaceholder);
}

TEST(Restorer, VariantsOfModels) {
  Pseudonyms map(scanner(), kTenant);
  const std::string out = masked(map, "My name is Mary Johnson"), placeholder = out.substr(out.find("PERSON_"));
  const std::string digits = placeholder.substr(7);
  for (const std::string& variant :
       {placeholder, to_lower(placeholder), "Person_" + digits, "PERSON\\_" + digits, "PERSON-" + digits}) {
    for (const auto& [before, behind] : {std::pair{"", ""},
                                         {"**", "**"},
                                         {"`", "`"},
                                         {"_", "_"},
                                         {"(", ")"},
                                         {"\"", "\"."},
                                         {"", "'s book"},
                                         {"", "’s"}}) {
      for (size_t i = 0; i <= variant.size(); ++i) {
        EXPECT_EQ(streamed(map, before + variant + behind, {i}), std::string(before) + "Mary Johnson" + behind);
      }
    }
  }
  // What only looks like it.
  for (const std::string& other : {placeholder + "9", "X" + placeholder, std::string("PERSON_ZZZZ"),
                                   std::string("PERSON_"), std::string("PERSON")}) {
    EXPECT_EQ(streamed(map, other, {}), other);
  }
}

TEST(Restorer, UnknownPlaceholdersAreLeftAndCounted) {
  Pseudonyms map(scanner(), kTenant);
  Restorer restorer(map);
  EXPECT_EQ(restorer.restore_text("ask PERSON_0000 or EMAIL_ADDRESS_12AB"), "ask PERSON_0000 or EMAIL_ADDRESS_12AB");
  EXPECT_EQ(restorer.stats().unknown, 2);
}

TEST(Restorer, EscapesInsideArguments) {
  Pseudonyms map(scanner(), kTenant);
  const std::string out = masked(map, "password: ab\\cd\\d9x");
  const std::string placeholder = out.substr(out.find("SECRET_"), 11);
  const std::string arguments = R"({"p":")" + placeholder + R"(","q":1})";
  for (size_t i = 0; i <= arguments.size(); ++i) {
    const std::string restored = streamed(map, arguments, {i}, Event::Kind::kToolArgs);
    json::Document document;
    const auto value = document.parse_object(restored);
    ASSERT_TRUE(value) << restored;
    EXPECT_EQ(json::string_or(*value, "p"), map.original(placeholder));
  }
}

// litellm PR #29134: the whole stream was held back.
TEST(Restorer, LiteLlm29134OnlyWhatMayBeAPlaceholderIsHeld) {
  Pseudonyms map(scanner(), kTenant);
  masked(map, "My name is Mary Johnson");
  Restorer restorer(map);
  EventBatch events{Event::of_text("Hello there, this is a long text. ")};
  restorer.restore(events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].text, "Hello there, this is a long text. ");
  events = {Event::of_text("Dear PERS")};
  restorer.restore(events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].text, "Dear ");
  EventBatch rest;
  restorer.finish(rest);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].text, "PERS");
}

TEST(Restorer, ChoicesAndCallsHaveStatesOfTheirOwn) {
  Pseudonyms map(scanner(), kTenant);
  const std::string out = masked(map, "My name is Mary Johnson"), placeholder = out.substr(out.find("PERSON_"));
  Restorer restorer(map);
  const auto half = placeholder.size() / 2;
  const std::string a = placeholder.substr(0, half), b = placeholder.substr(half);
  EventBatch events;
  events.push_back(Event::of_text(a, 0));
  events.push_back(Event::of_text(a, 1));
  events.push_back(Event::of_text(b + ".", 1));
  events.push_back(Event::of_text(b + "!", 0));
  events.push_back({.kind = Event::Kind::kToolCall, .choice = 0, .index = 0, .id = "c0", .name = "f"});
  events.push_back({.kind = Event::Kind::kToolCall, .choice = 0, .index = 1, .id = "c1", .name = "g"});
  events.push_back({.kind = Event::Kind::kToolArgs, .choice = 0, .index = 0, .text = "[\"" + a});
  events.push_back({.kind = Event::Kind::kToolArgs, .choice = 0, .index = 1, .text = "{\"n\":\"" + a});
  events.push_back({.kind = Event::Kind::kToolArgs, .choice = 0, .index = 0, .text = b + "\"]"});
  events.push_back({.kind = Event::Kind::kToolArgs, .choice = 0, .index = 1, .text = b + "\"}"});
  events.push_back({.kind = Event::Kind::kThought, .choice = 1, .text = "about " + a});
  events.push_back({.kind = Event::Kind::kThoughtEnd, .choice = 1});
  events.push_back({.kind = Event::Kind::kText, .choice = 1, .text = "end " + placeholder});
  events.push_back({.kind = Event::Kind::kStop, .finish = Finish::kStop, .choice = 1});
  events.push_back({.kind = Event::Kind::kStop, .finish = Finish::kToolCalls, .choice = 0});
  restorer.restore(events);
  EventBatch rest;
  restorer.finish(rest);
  EXPECT_TRUE(rest.empty());  // a stop lets everything go
  ASSERT_EQ(events.back().kind, Event::Kind::kStop);
  Fold fold;
  fold.add(events);
  const Reply reply = fold.take();
  ASSERT_EQ(reply.choices.size(), 2u);
  EXPECT_EQ(reply.choices[0].text(), "Mary Johnson!");
  EXPECT_EQ(reply.choices[1].text(), "Mary Johnson.end Mary Johnson");
  std::vector<std::string> arguments;
  for (const Part& part : reply.choices[0].parts) {
    if (part.kind == Part::Kind::kToolCall) arguments.push_back(part.arguments);
  }
  EXPECT_EQ(arguments, (std::vector<std::string>{R"(["Mary Johnson"])", R"({"n":"Mary Johnson"})"}));
}

// Measured on presidio-research's sentences: nothing that was found leaves, and what an echo brings back is the text
// again.
TEST(Pseudonyms, NothingLeaksAndAnEchoIsRestored) {
  const auto samples = presidio_samples(std::getenv("AJAR_SHARED"));
  if (samples.empty()) GTEST_SKIP() << "presidio-research's data are not at hand (AJAR_SHARED)";
  int values = 0, leaked = 0, placeholders = 0, restored = 0, same = 0;
  for (const Sample& sample : samples) {
    Pseudonyms map(scanner(), kTenant);
    Request request = asked(sample.text);
    ASSERT_TRUE(map.mask(request));
    const std::string& out = request.messages[0].parts[0].text;
    for (const Finding& f : scanner().scan(sample.text)) {
      ++values;
      const bool leak = map.leaks(out) || out.find(sample.text.substr(f.begin, f.end - f.begin)) != std::string::npos;
      if (leak) ADD_FAILURE() << sample.text.substr(f.begin, f.end - f.begin) << " in " << out;
      leaked += leak;
    }
    std::vector<size_t> cuts;
    for (size_t i = 3; i < out.size(); i += 1 + i % 7) cuts.push_back(i);
    Restorer count(map);
    count.restore_text(out);
    placeholders += static_cast<int>(count.stats().restored + count.stats().unknown);
    restored += static_cast<int>(count.stats().restored);
    same += streamed(map, out, cuts) == sample.text;
  }
  std::printf("%d values masked, %d leaked; %d of %d placeholders restored; %d of %zu texts byte for byte\n", values,
              leaked, restored, placeholders, same, samples.size());
  EXPECT_EQ(leaked, 0);
  EXPECT_GE(restored, 0.995 * placeholders);
  EXPECT_GE(same, 0.995 * double(samples.size()));
}

}  // namespace
}  // namespace ajar::guard
