#pragma once
// Pieces of the reply decoder that stand on their own.

#include <string>
#include <string_view>

#include "core/event.h"
#include "json/read.h"
#include "wire/dialect.h"

namespace ajar::wire::anthropic {

Finish finish_of(std::string_view stop_reason);

// An error object {"type":"error","error":{"type","message"}} as ours. `status` 0: it came inside a
// stream, and its type says the status it stands for. https://docs.claude.com/en/api/errors
Error error_of(const json::Object& body, int status);

// A citation as an OpenAI annotation over the characters [from, to) of the answer. Web pages are
// url_citation; places in a document are file_citation with the citation's own members beside.
std::string annotation_of(const std::string& citation, int64_t from, int64_t to);

// Counts as they are reported: message_start gives the input, message_delta cumulative counts, any
// of which may be missing, zero or larger than before. Never goes down.
class UsageMeter {
 public:
  bool add(const json::Object& usage);  // false when it said nothing new
  // Whether a member of a usage object is a count that usage() gives back in full.
  static bool counts(std::string_view member);
  // Anthropic's input_tokens leave out what the cache read and wrote; ours include them. What a
  // compaction spent is in `iterations` only and is added.
  // https://docs.claude.com/en/docs/build-with-claude/compaction
  Usage usage() const;

 private:
  friend Usage without_compaction(const Usage& usage, const json::Object& usage_members);
  struct Counts {
    int64_t input = 0, output = 0, cache_read = 0, cache_write = 0, cache_write_1h = 0,
            reasoning = 0;
    bool operator==(const Counts&) const = default;
    void raise(const Counts& other);
    void add(const Counts& other);
  };
  static Counts read(const json::Object& usage);
  static Counts read_compaction(const json::Object& usage);
  Counts main_, compaction_;
  bool any_ = false;
};

// Usage as the API tells it at the top of `usage`: less what the compaction passes of `usage.iterations` spent, which
// UsageMeter::usage() has added.
Usage without_compaction(const Usage& usage, const json::Object& usage_members);

}  // namespace ajar::wire::anthropic
