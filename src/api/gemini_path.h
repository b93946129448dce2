#pragma once
// Gemini's paths: /v1beta/models/{model}:{verb}, also under /v1, and Vertex's
// /v1/projects/{project}/locations/{location}/publishers/google/models/{model}:{verb}.

#include <optional>
#include <string>
#include <string_view>

namespace ajar::api {

struct GeminiPath {
  std::string model;  // decoded; may hold slashes and colons
  std::string verb;   // "generateContent", not checked
};
// Nothing when the path is no method of a model.
std::optional<GeminiPath> gemini_path(std::string_view path);
// Whether errors about this path are told in Gemini's form.
bool is_gemini(std::string_view path);

}  // namespace ajar::api
