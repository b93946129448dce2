#pragma once
// Messages as input items.

#include <string>
#include <vector>

#include "base/error.h"
#include "core/request.h"
#include "json/write.h"

namespace ajar::wire::responses {

struct ItemStyle {
  bool keep_unknown = true;  // members that only this dialect knows
  bool with_ids = false;     // every item gets an id: for keeping
  bool sealed = false;       // thoughts of other makers go along, sealed: for keeping. Otherwise they stay out.
};

class ItemWriter {
 public:
  ItemWriter(json::Writer& w, ItemStyle style, std::vector<std::string>& dropped)
      : w_(w), style_(style), dropped_(dropped) {}
  // All but instructions. kUnsupported names what this API has no item for.
  Status write(const std::vector<Message>& messages);

 private:
  Status message(const Message& message, size_t index);
  Status assistant(const Message& message, size_t index);
  Status content_part(const Part& part, bool assistant, size_t index);
  void begin_message(const Message& message, const Part& part);
  size_t reasoning(const Message& message, size_t from);
  void call(const Part& part);
  Status result(const Message& message, const Part& part, size_t index);
  void id(std::string_view given, std::string_view prefix, const RawMembers& extra);
  void extra(const Part& part, std::string_view members);
  bool ours(const Part& part) const { return part.origin == DialectId::kOpenAiResponses; }

  json::Writer& w_;
  const ItemStyle style_;
  std::vector<std::string>& dropped_;
};

// The text of the instructions, where the request has them as such.
const Part* instructions_of(const Request& request);

}  // namespace ajar::wire::responses
