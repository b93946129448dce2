#pragma once
// Jinja templates as chat models ship them, rendered as Hugging Face's transformers renders them: Jinja2 with
// trim_blocks, lstrip_blocks and loop controls, in a sandbox where values cannot be changed. A template is not trusted:
// it reads nothing but its context, and its work, memory and depth are limited.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "chat/jinja/value.h"

namespace ajar::jinja {

struct Limits {
  int64_t steps = 20'000'000;       // nodes walked and items handled
  size_t output_bytes = 64u << 20;  // of the whole text
  size_t memory_bytes = 512u << 20;  // of all texts and lists made on the way
  int depth = 400;                  // of nested nodes and calls
};

struct Program;

// Immutable; any thread may render.
class Template {
 public:
  // kInvalid says the line; kUnsupported names a tag that we do not have.
  static Result<Template> parse(std::string_view source);

  // `context` is a dict. `now_unix_s` is what strftime_now tells, in UTC. A template's own raise_exception is kInvalid with
  // its words alone as the message; every other fault begins with the line. A limit that was reached is kTooLarge and named.
  Result<std::string> render(const Value& context, int64_t now_unix_s, const Limits& limits = {}) const;

 private:
  std::shared_ptr<const Program> program_;
};

}  // namespace ajar::jinja
