#pragma once
// A document's text to chunks: small ones that are found, and around each a parent that is given to the reader. Cut at headings,
// then between paragraphs, then between sentences; a row of a table stays whole while it fits.
//
// Chunks lie side by side: each begins where the one before it ends, so the text of a document is all its chunks in order.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rag/extracted.h"

namespace ajar::rag {

using TokenCounter = std::function<size_t(std::string_view)>;

// About a model's: words, and pieces of long ones; every character of scripts without spaces.
size_t estimate_tokens(std::string_view text);

struct ChunkOptions {
  size_t tokens = 200;           // at most, of a chunk with the headings above it
  size_t parent_tokens = 800;    // at most, of its parent
  TokenCounter count = estimate_tokens;
};

struct Span {
  uint32_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

struct Chunk {
  uint32_t begin = 0, end = 0;                 // of the text that it stands for; the next begins at `end`
  uint32_t parent_begin = 0, parent_end = 0;
  uint32_t page = 0;                           // where it begins
  std::string headings;                        // "Chapter > Section", above it
  std::vector<Span> heads;                     // headings in it, counted from `begin`
};

std::vector<Chunk> make_chunks(const Extracted& document, const ChunkOptions& options);

// "0-6,40-52" and back; what cannot be read is left out.
std::string write_spans(const std::vector<Span>& spans);
std::vector<Span> read_spans(std::string_view text);

// What both legs index of a chunk: the title, the headings above it, a line that was written about it, its text. The same for both.
std::string indexed_text(std::string_view title, std::string_view headings, std::string_view text, std::string_view context = {});

// Sentences of a text as [begin, end) with white space trimmed. Ends at . ! ? and their kin before a space and something that
// can begin a sentence; not after an initial, a number in a list, or a usual abbreviation. A line end within a row is one too.
std::vector<Span> sentences(std::string_view text);

}  // namespace ajar::rag
