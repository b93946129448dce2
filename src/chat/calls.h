#pragma once
// The text of a tool call to its name and arguments, by the layout of its family. The text may not be whole yet: what is
// decided from a beginning holds for every text that begins so.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chat/syntax.h"
#include "core/request.h"

namespace ajar::chat {

// What the request says of its functions: a value that has no type of its own in the reply is read by it.
struct KnownTools {
  std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> types;  // function, argument, JSON type
  static KnownTools of(const Request& request);
  bool has(std::string_view name) const { return types.contains(name); }
};

struct ParsedCall {
  std::string id;         // empty: the model gave none
  std::string name;
  std::string arguments;  // JSON text of an object
};

struct CallText {
  enum class Status : uint8_t { kMore, kDone, kBad };
  Status status = Status::kBad;
  size_t used = 0;  // bytes of the text, the end mark included
  std::vector<ParsedCall> calls;
};

// `text` is what follows the begin mark. `whole`: there will be no more of it, so that a missing end mark is forgiven.
CallText parse_call(const ToolSyntax& syntax, std::string_view text, bool whole, const KnownTools& tools);

// The calls of a JSON text, {"name": ..., "arguments": ...} or a list of them, by any of the usual keys; empty: it is none.
std::vector<ParsedCall> calls_of_json(std::string_view json, const ToolSyntax& syntax);
// Where the JSON object, list or string that `text` begins with ends; 0: it has no end yet; npos: it is none.
size_t json_end(std::string_view text);

}  // namespace ajar::chat
