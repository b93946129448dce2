#pragma once
// Prompts from a file that somebody else wrote: attacks, and what only looks like one. Errors name the source and the line.
//
//   JSON    an array of strings or of objects with a text (prompt, text, question, input, goal, behavior, query or instruction) and perhaps a
//           label; or an object of such arrays by category, of which `payloads`, `prompts` or `data` alone counts where it is there.
//   JSONL   such an object or a string a line.
//   CSV     RFC 4180 with a header that names the text's column and perhaps the label's.
//   plain   a prompt a line.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::learn {

struct Prompt {
  std::string text;
  std::optional<bool> benign;  // where a label says so: safe, benign, harmless, normal, 0, false, or their contraries
  std::string category;        // where the file has some
};

// The form is told by the first bytes. kInvalid: not readable as any of the forms, not UTF-8, or no prompts.
Result<std::vector<Prompt>> parse_prompts(std::string_view bytes, std::string_view source);
// kNotFound, kTooLarge (over 256 MB) and the above.
Result<std::vector<Prompt>> read_prompts(const std::string& path);

}  // namespace ajar::learn
