#pragma once
// Our messages as Chat Completions says them.

#include <string>
#include <vector>

#include "core/request.h"
#include "json/write.h"
#include "wire/openai/presets.h"

namespace ajar::wire::openai {

// Writes the elements of `messages`. What the target cannot say is left out and named in `dropped`.
class MessageWriter {
 public:
  MessageWriter(json::Writer& writer, const Preset& preset, bool keep_unknown,
                std::vector<std::string>& dropped)
      : w_(writer), preset_(preset), keep_unknown_(keep_unknown), dropped_(dropped) {}

  // kUnsupported for what only another dialect knows and an answer may depend on.
  Status write(const std::vector<Message>& messages);

 private:
  void message(const Message& message);
  void tool_results(const Message& message);
  void assistant_members(const Message& message);
  void content(const Message& message, const std::vector<Part>& parts);
  void part(const Message& message, const Part& part);
  void thinking_blocks(const Message& message);
  void tool_call(const Message& message, const Part& call);
  void flush_pictures();
  void extra(const Message& message, const RawMembers& members);
  void cache_control(const Part& part);
  void drop(std::string_view what);
  std::string call_id(const std::string& id) const;
  void refuse(std::unexpected<Error> why);
  std::string field() const;

  json::Writer& w_;
  const Preset& preset_;
  const bool keep_unknown_;
  std::vector<std::string>& dropped_;
  const std::vector<Message>* messages_ = nullptr;
  size_t at_ = 0;                      // index of the message
  Status refused_;                     // the first thing that cannot be said
  std::vector<const Part*> pictures_;  // of tool results, which a user turn must show
};

// `"type":"custom"` leads the extra members of a call of a custom tool.
bool is_custom(const RawMembers& call_extra);
// call_extra without that mark.
std::string_view custom_rest(const RawMembers& call_extra);

}  // namespace ajar::wire::openai
