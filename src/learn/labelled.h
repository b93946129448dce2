#pragma once
// Labelled texts from a file that somebody else wrote. Errors name the source and the line.
//
//   CSV     RFC 4180; with a header that names the columns (text, prompt, question, input, utterance or query; label, category,
//           intent or class), or two columns without one. Quoted fields may span lines.
//   JSONL   {"text": ..., "label": ...} a line, the same names; a label may be a string, a number, a boolean or any JSON
//           value, which then is the answer itself.
//   JSON    an array of such objects or of [text, label]; or an object of such arrays by split, as CLINC150 has them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::learn {

struct Labelled {
  std::string text;
  std::string label;
  std::string split;   // of an object of arrays: its name; otherwise empty
};

// The form is told by the first bytes. `source` is what errors call the text: a file's name. kInvalid: not readable as any
// of the forms, an empty label, an empty text, not UTF-8, or no rows.
Result<std::vector<Labelled>> parse_labelled(std::string_view bytes, std::string_view source);

struct LabelledFile {
  std::string path, sha256;
  std::vector<Labelled> rows;
};
// kNotFound, kTooLarge (over 1 GB) and the above.
Result<LabelledFile> read_labelled(const std::string& path);

}  // namespace ajar::learn
