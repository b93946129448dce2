#include "api/gemini_path.h"

#include <gtest/gtest.h>

namespace ajar::api {
namespace {

std::string shown(std::string_view path) {
  const auto found = gemini_path(path);
  return found ? found->model + " | " + found->verb : "none";
}

TEST(GeminiPath, ModelAndVerb) {
  EXPECT_EQ(shown("/v1beta/models/gemini-2.5-flash:generateContent"), "gemini-2.5-flash | generateContent");
  EXPECT_EQ(shown("/v1/models/m:countTokens"), "m | countTokens");
  EXPECT_EQ(shown("/v1beta/models/org/name:generateContent"), "org/name | generateContent");
  EXPECT_EQ(shown("/v1beta/models/org%2Fname%3Afree:embedContent"), "org/name:free | embedContent");
  EXPECT_EQ(shown("/v1beta/models/llama3:8b:generateContent"), "llama3:8b | generateContent");
  EXPECT_EQ(shown("/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent"),
            "g | streamGenerateContent");
  EXPECT_EQ(shown("/v1beta1/publishers/google/models/g:generateContent"), "g | generateContent");
}

TEST(GeminiPath, OtherPaths) {
  for (const char* path : {"/v1/models", "/v1/models/gpt-4", "/v1beta/models/gemini", "/v1beta/models/:generateContent",
                           "/v1/chat/completions", "/v1beta/files/a:b", "/v1/projects/p/locations/l:x", "/v1beta/"}) {
    EXPECT_EQ(shown(path), "none") << path;
  }
}

TEST(GeminiPath, WhoseErrors) {
  EXPECT_TRUE(is_gemini("/v1beta/models"));
  EXPECT_TRUE(is_gemini("/v1/models/m:generateContent"));
  EXPECT_FALSE(is_gemini("/v1/models/m"));
  EXPECT_FALSE(is_gemini("/v1/messages"));
}

}  // namespace
}  // namespace ajar::api
