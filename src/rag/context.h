#pragma once
// A line about where a chunk stands in its document, written by a model: both legs index it with the chunk, so that "it rose by three
// per cent" is found by the name of what rose. It is not the document's words and is never quoted.

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::rag {

struct ContextQuestion {
  std::string title, headings;
  std::string around;           // the document, or its beginning and what stands around the chunk where it is long
  std::string chunk;
  std::string payer;            // DocumentInput::payer
};

struct ContextWriter {
  std::string name;             // of the route
  size_t at_once = 4;           // questions that wait for their answers
  // Any thread; blocks. What it gives is cut to one line. An error leaves the chunk without one, and its document's note says why.
  std::function<Result<std::string>(const ContextQuestion&)> write;
  std::function<void(const std::string& document, size_t done, size_t all)> progress;  // may be empty
};

inline constexpr size_t kMaxContextAround = 24 << 10;  // bytes
inline constexpr size_t kMaxContextLine = 400;

std::string context_prompt(const ContextQuestion& question);
// The part of a document that the model is shown for the chunk [begin, end).
std::string around_chunk(std::string_view text, size_t begin, size_t end);
// One line of a reply; empty: it said nothing of use.
std::string context_line(std::string_view reply);

}  // namespace ajar::rag
