#pragma once
// Documents that answers are drawn from, as the request line sees them: whoever keeps them looks passages up and says which of
// them bear out what an answer claims.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/context.h"
#include "net/task.h"

namespace ajar {

// Bytes [begin, end) of a document's text; page 0: its format has none.
struct Passage {
  std::string document, name, title, headings, text;
  uint32_t page = 0, begin = 0, end = 0;
};

// One sentence of an answer and the quotes that bear it out, the best first.
struct Claim {
  std::string text;
  std::vector<Passage> evidence;  // `text` is the quote
  bool claims = true;             // false: it says nothing that could be borne out ("In short:")
  bool supported = false;
};

// What a collection says to a question.
struct Grounds {
  std::vector<Passage> passages;  // the best first
  std::vector<Claim> quotes;      // an answer of sentences of the documents; empty: they do not answer it
  double probability = 0;         // that they do
};

// Shared by all threads; every call runs on the loop that makes it and waits elsewhere.
class Documents {
 public:
  virtual ~Documents() = default;
  // What this caller may read. kNotFound: neither the caller's owner nor the server has such a collection.
  virtual Task<Result<Grounds>> look_up(const std::string& collection, const Caller& caller, std::string question) const = 0;
  // The sentences of `answer` against passages that look_up gave.
  virtual Task<Result<std::vector<Claim>>> bear_out(const std::string& collection, const Caller& caller, std::string answer,
                                                    std::vector<Passage> passages) const = 0;
};

}  // namespace ajar
