// Items as Ajar keeps them, so that a request can go on where an earlier response ended, whatever model answers.
#include <algorithm>

#include "wire/fields.h"
#include "wire/responses/item_read.h"
#include "wire/responses/item_write.h"
#include "wire/responses/object.h"
#include "wire/responses/responses.h"

namespace ajar::wire::responses {

std::string write_input(const Request& request) {
  std::string out;
  json::Writer w(out);
  std::vector<std::string> dropped;
  w.begin_array();
  // What the request's own dialect read, it can write.
  (void)ItemWriter(w, {.with_ids = true, .sealed = true}, dropped).write(request.messages);
  w.end_array();
  return out;
}

std::string output_of(std::string_view response) {
  json::Document document;
  const auto object = document.parse_object(response);
  const auto output = object ? json::find(*object, "output") : std::nullopt;
  return output ? json::raw(*output) : "[]";
}

namespace {

// Calls `use` with every item and its id until it says stop.
template <class F>
void each_item(std::string_view items, F use) {
  json::Document document;
  const auto value = document.parse(items);
  const auto array = value ? json::as_array(*value) : std::nullopt;
  if (!array) return;
  for (const auto item : *array) {
    const auto object = json::as_object(item);
    if (object && use(item, json::string_or(*object, "id"))) return;
  }
}

}  // namespace

std::vector<std::string> item_ids(std::string_view items) {
  std::vector<std::string> out;
  each_item(items, [&](const json::Value&, std::string_view id) {
    if (!id.empty()) out.emplace_back(id);
    return false;
  });
  return out;
}

std::string find_item(std::string_view items, std::string_view wanted) {
  std::string out;
  each_item(items, [&](const json::Value& item, std::string_view id) {
    if (id == wanted) out = json::raw(item);
    return id == wanted;
  });
  return out;
}

Status prepend(Request& request, const std::vector<std::string>& item_arrays) {
  std::vector<Message> earlier;
  ItemReader reader(earlier);
  const Path root;
  for (const std::string& items : item_arrays) {
    json::Document document;
    AJAR_ASSIGN(const auto value, document.parse(items));
    AJAR_TRY(reader.read_all(value, root / "previous_response_id"));
  }
  std::vector<Message>& messages = request.messages;
  const bool instructed = !messages.empty() && messages[0].parts.size() == 1 && messages[0].parts[0].detail == kInstructions;
  messages.insert(messages.begin() + (instructed ? 1 : 0), std::make_move_iterator(earlier.begin()),
                  std::make_move_iterator(earlier.end()));
  name_results(messages);
  return {};
}

std::vector<std::string> references(const Request& request) {
  std::vector<std::string> out;
  for (const Message& message : request.messages) {
    for (const Part& part : message.parts) {
      if (part.kind == Part::Kind::kOpaque && part.detail == "item_reference") out.push_back(part.id);
    }
  }
  return out;
}

// The items are read again from the first reference on, so that those of one turn come together.
Status resolve(Request& request, std::string_view id, std::string_view item) {
  std::vector<Message> messages;
  messages.reserve(request.messages.size());
  for (Message& message : request.messages) {
    const bool it = message.parts.size() == 1 && message.parts[0].detail == "item_reference" && message.parts[0].id == id;
    if (it) {
      json::Document document;
      AJAR_ASSIGN(const auto value, document.parse(item));
      const Path root;
      AJAR_TRY(ItemReader(messages).read(value, root / "input"));
      continue;
    }
    // An assistant's turn goes on after a reference to its beginning.
    if (!messages.empty() && messages.back().role == Role::kAssistant && message.role == Role::kAssistant) {
      std::ranges::move(message.parts, std::back_inserter(messages.back().parts));
    } else {
      messages.push_back(std::move(message));
    }
  }
  request.messages = std::move(messages);
  name_results(request.messages);
  return {};
}

// https://platform.openai.com/docs/api-reference/responses/input-items
Result<std::string> list_items(std::string_view items, size_t limit, bool descending, std::string_view after) {
  json::Document document;
  AJAR_ASSIGN(const auto value, document.parse(items));
  std::vector<json::Value> all;
  if (const auto array = json::as_array(value)) all.assign(array->begin(), array->end());
  if (descending) std::ranges::reverse(all);
  const auto id_of = [](const json::Value& item) {
    const auto object = json::as_object(item);
    return object ? json::string_or(*object, "id") : std::string_view();
  };
  size_t from = 0;
  if (!after.empty()) {
    const auto found = std::ranges::find(all, after, id_of);
    if (found == all.end()) return invalid("after", "there is no item '" + std::string(after) + "' in this response");
    from = size_t(found - all.begin()) + 1;
  }
  const size_t to = std::min(all.size(), from + limit);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("object", "list");
  w.key("data");
  w.begin_array();
  for (size_t i = from; i < to; ++i) w.raw(json::raw(all[i]));
  w.end_array();
  const auto edge = [&](std::string_view name, size_t at) {
    w.key(name);
    from < to ? w.string(id_of(all[at])) : w.null();
  };
  edge("first_id", from);
  edge("last_id", to - 1);
  w.field("has_more", to < all.size());
  w.end_object();
  return out;
}

}  // namespace ajar::wire::responses
