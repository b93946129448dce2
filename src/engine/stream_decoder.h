#pragma once
// Ids of a reply to text as they come: a character that is not whole yet is held back.

#include <string>

#include "engine/tokenizer.h"

namespace ajar::engine {

class StreamDecoder {
 public:
  // `skip_first_space`: the space that an encoder would have put before the text is not the model's own.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_first_space = false)
      : tokenizer_(tokenizer), skip_space_(skip_first_space) {}

  // Appends what `id` completes, always whole UTF-8; bytes that cannot become UTF-8 are U+FFFD, one for each run that
  // no continuation could mend.
  void add(int32_t id, std::string& out);
  // A control token by its name, for who reads replies by them; what was held back comes first.
  void spell(int32_t id, std::string& out);
  void add_bytes(std::string_view bytes, std::string& out);
  // What was held back, as U+FFFD; then it is as new.
  void finish(std::string& out);
  size_t held() const { return held_.size(); }  // bytes

 private:
  const Tokenizer& tokenizer_;
  std::string held_;
  bool skip_space_;
};

}  // namespace ajar::engine
