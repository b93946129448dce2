#pragma once
// What a file says: its text and where its parts are. A place in a document is a byte of this text, which is UTF-8.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::rag {

struct Block {
  enum class Kind : uint8_t { kParagraph, kHeading, kRow, kCode };
  Kind kind = Kind::kParagraph;
  uint8_t level = 0;    // of a heading, 1..9
  uint32_t page = 0;    // from 1 (slides and sheets count as pages); 0: the format has none
  uint32_t begin = 0, end = 0;
};

struct Extracted {
  std::string format;   // "pdf", "docx", ...
  std::string title;    // may be empty
  std::string text;
  std::vector<Block> blocks;  // in order, without overlap
  uint32_t pages = 0;
  std::string note;     // what was left out, for a person; may be empty
};

inline constexpr size_t kMaxText = 64 << 20;    // of one document
inline constexpr size_t kMaxBlocks = 2'000'000;

// Builds a text block by block. White space within a block is made single; what is not UTF-8 becomes U+FFFD; controls go.
class TextBuilder {
 public:
  void page(uint32_t number);
  void heading(int level, std::string_view text);
  void paragraph(std::string_view text) { block(Block::Kind::kParagraph, 0, text); }
  void row(const std::vector<std::string>& cells);  // "a | b | c"
  void code(std::string_view text);                 // line ends and spaces are kept
  bool full() const { return full_; }               // the limit is reached; what follows is dropped and noted
  bool empty() const { return out_.blocks.empty(); }
  void note(std::string_view text);
  void title(std::string_view text);
  // kInvalid: nothing was said.
  Result<Extracted> finish(std::string_view format);

 private:
  void block(Block::Kind kind, int level, std::string_view text);
  void add(Block::Kind kind, int level, std::string clean);
  Extracted out_;
  uint32_t page_ = 0;
  bool full_ = false;
};

std::string clean_text(std::string_view text, bool keep_lines);

// Between the helper process and us. What is read is not trusted.
std::string write_result(const Result<Extracted>& result);
Result<Extracted> read_result(std::string_view bytes);  // the result that was written; kInvalid: it is none

}  // namespace ajar::rag
