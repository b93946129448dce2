#pragma once
// Input items to messages. https://platform.openai.com/docs/api-reference/responses/create#responses-create-input

#include <string>
#include <utility>
#include <vector>

#include "wire/fields.h"

namespace ajar::wire::responses {

class ItemReader {
 public:
  explicit ItemReader(std::vector<Message>& out) : out_(out) {}
  Status read_all(const json::Value& items, const Path& path);
  Status read(const json::Value& item, const Path& path);

 private:
  Status message(const json::Object& item, const Path& path);
  Status reasoning(const json::Object& item, const Path& path);
  Status call(const json::Object& item, const Path& path, bool custom);
  Status result(const json::Object& item, const Path& path, bool custom);
  void opaque(const json::Value& item, std::string_view type);
  Message& assistant();
  Message& add(Role role);

  std::vector<Message>& out_;
  std::vector<std::pair<std::string, std::string>> calls_;  // id, name
};

// Names of results whose call stands before them, where they lack one: some dialects answer by name.
void name_results(std::vector<Message>& messages);

}  // namespace ajar::wire::responses
