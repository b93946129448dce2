#pragma once
// Values that are not written as JSON: Python's literals and Gemma's quotes, to JSON texts.

#include <string>
#include <string_view>
#include <vector>

namespace ajar::chat {

// A JSON object as compact text; empty: it is none.
std::string object_text(std::string_view json);
// JSON, or Python's True, False, None, lists and dicts, as JSON text; empty: it is neither.
std::string literal_json(std::string_view text);

struct NamedObject {
  std::string name;
  std::string json;  // of an object
};
// [f(key="text", other=1), g()]. False: it is no such list.
bool python_calls(std::string_view text, std::vector<NamedObject>& out);
// call:f{key:<|"|>text<|"|>,other:1}
bool gemma_calls(std::string_view text, std::vector<NamedObject>& out);
// Where `end` stands outside quotes; npos: not yet.
size_t literal_end(std::string_view text, std::string_view end, bool gemma);

}  // namespace ajar::chat
