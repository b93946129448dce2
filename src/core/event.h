#pragma once
// One step of a reply. Every provider's answer, streamed or not, is only a sequence of these.
//
// Grammar per reply:  kStart (kText | kThought | ... | kUsage)* (kStop per choice)  with usage before or after
// the stop. A tool call is one kToolCall (id, name) followed by kToolArgs with the same choice and index until
// another part begins. Text and thoughts come as fragments of any size >= 1, never splitting a UTF-8 character
// (the JSON strings they came from cannot).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.h"

namespace ajar {

// Token counts. Canonical whatever the provider's own habit: input includes what was read from and written to a
// cache, output includes reasoning, so that total() is input + output and nothing is counted twice.
struct Usage {
  int64_t input = 0;
  int64_t output = 0;
  int64_t cached_read = 0;    // part of input
  int64_t cached_write = 0;   // part of input, all lifetimes
  int64_t cached_write_1h = 0;  // part of cached_write
  int64_t reasoning = 0;      // part of output
  int64_t audio_input = 0;    // part of input
  int64_t audio_output = 0;   // part of output
  // What is sold by other measures than tokens.
  int64_t images = 0;         // pictures made
  int64_t characters = 0;     // of text that was spoken
  int64_t audio_ms = 0;       // of sound that was written down
  int64_t searches = 0;       // rerankings, in the provider's search units
  bool reported = false;      // the provider said so; otherwise we estimated

  int64_t total() const { return input + output; }
  // Makes the invariants true (parts never exceed their whole, nothing negative), and takes the larger of two
  // reports of the same stream, because providers send cumulative counts and late zeros.
  void clamp();
  void merge(const Usage& later);
  bool operator==(const Usage&) const = default;
};

enum class Finish : uint8_t { kNone, kStop, kLength, kToolCalls, kContentFilter, kRefusal, kPause, kError };
std::string_view finish_name(Finish finish);  // OpenAI's words: "stop", "length", "tool_calls", ...

struct Event {
  enum class Kind : uint8_t {
    kStart,      // id, name = the model that served, created (unix s); once
    kText,       // text; index = which block of text, where the provider's answer has several in a row
    kRefusal,    // text
    kThought,    // text fragment of reasoning
    kThoughtEnd, // closes the open thought: text = its signature; redacted: raw holds the opaque bytes
    kToolCall,   // index, id, name; text = signature when there is one; opens the call
    kToolArgs,   // index, text = fragment of the JSON text of the arguments
    kMedia,      // part of the answer: name = media type, text = base64
    kLogprobs,   // raw = comma-separated items of OpenAI's logprobs.content
    kAnnotation, // raw = one OpenAI annotation (url_citation, ...); text = the same as `origin` says it, which
                 // belongs to the open block of text
    kOpaque,     // raw = a whole block of `origin` that our words lack; of a forwarded call: bytes of its
                 // body, name = the media type
    kUsage,      // usage, cumulative
    kStop,       // finish, name = the provider's own word for it; text = the stop sequence that matched
    kExtra,      // only carries extra members
  };
  Kind kind = Kind::kText;
  Finish finish = Finish::kNone;
  DialectId origin = DialectId::kNone;  // whose raw / extra members these are
  bool redacted = false;
  int32_t choice = 0;   // n > 1
  int32_t index = 0;    // which tool call within the choice, counted from 0 in order of opening
  int64_t created = 0;
  std::string text;
  std::string id;
  std::string name;
  std::string raw;
  RawMembers top_extra;     // unknown members beside `choices` (system_fingerprint, ...)
  RawMembers choice_extra;  // unknown members of the choice
  RawMembers part_extra;    // unknown members of the delta / message / tool call / usage
  Usage usage;

  static Event of_text(std::string text, int choice = 0);
};

using EventBatch = std::vector<Event>;

// How a stream ended. Only kComplete gets the dialect's normal end ([DONE]), counts as success, is billed in full.
enum class StreamEnd : uint8_t { kComplete, kUpstreamError, kCut, kCancelled, kFiltered };
std::string_view stream_end_name(StreamEnd end);  // "complete", "upstream_error", ...

}  // namespace ajar
