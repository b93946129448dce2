#include "vectors/rest.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace ajar::vectors {
namespace {

constexpr size_t kShown = 300;  // bytes of an answer in a message

// One line, no controls, whole characters.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kShown)) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (!out.empty() && !valid_utf8(out)) out.pop_back();
  return text.size() > kShown ? out + "…" : out;
}

Code code_of(int status) {
  if (status == 404) return Code::kNotFound;
  if (status == 429) return Code::kRateLimit;
  if (status >= 500) return Code::kUnavailable;
  return Code::kUpstream;
}

}  // namespace

void write_vector(json::Writer& w, std::span<const float> vector) {
  // Shortest digits that read back as the same float: a third of a double's bytes.
  std::string text = "[";
  char digits[32];
  for (const float number : vector) {
    if (text.size() > 1) text += ',';
    text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }
  w.raw(text + "]");
}

void write_strings(json::Writer& w, std::span<const std::string> texts) {
  w.begin_array();
  for (const std::string& text : texts) w.string(text);
  w.end_array();
}

Rest::Rest(const StoreOptions& options, const std::string& collection, CallHttp http, std::vector<std::pair<std::string, std::string>> headers)
    : options_(options), http_(std::move(http)), headers_(std::move(headers)),
      where_("the vector store '" + options.name + "' (" + options.kind + " at " + options.url + ", " + collection + ")") {
  while (options_.url.ends_with('/')) options_.url.pop_back();
}

std::unexpected<Error> Rest::refused(Code code, std::string_view what, std::string_view answer) const {
  return fail(code, where_ + " " + std::string(what) + (answer.empty() ? "" : ": " + shown(answer)));
}

Result<HttpAnswer> Rest::call_raw(const std::string& method, const std::string& path, const std::string& body, std::initializer_list<int> fine) const {
  auto answer = http_({.method = method, .url = options_.url + path, .headers = headers_, .body = body, .ca_file = options_.ca_file, .timeout = options_.timeout});
  if (!answer) return std::unexpected(std::move(answer).error().in(where_));
  if (answer->status >= 300 && std::ranges::find(fine, answer->status) == fine.end()) {
    const bool key = answer->status == 401 || answer->status == 403;
    auto error = refused(code_of(answer->status), (key ? "does not take our key: answered " : "answered ") + std::to_string(answer->status) + " to " + method + " " + path.substr(0, path.find('?')), answer->body);
    error.error().upstream_status = answer->status;
    return error;
  }
  return answer;
}

Result<Reply> Rest::call(const std::string& method, const std::string& path, const std::string& body, std::initializer_list<int> fine) const {
  AJAR_ASSIGN(auto answer, call_raw(method, path, body, fine));
  Reply reply{.status = answer.status, .body = std::move(answer.body)};
  auto object = reply.document->parse_object(reply.body.empty() ? "{}" : reply.body);
  if (object) {
    reply.object = *object;
  } else if (reply.status >= 300) {  // what stands beside a status that is fine need not be JSON
    reply.object = *reply.document->parse_object("{}");
  } else {
    return refused(Code::kUpstream, "answered no JSON object to " + method + " " + path.substr(0, path.find('?')), reply.body);
  }
  return reply;
}

std::optional<json::Value> find_at(const json::Object& object, std::initializer_list<std::string_view> path) {
  json::Object at = object;
  std::optional<json::Value> value;
  for (const std::string_view name : path) {
    if (value) {
      const auto inner = json::as_object(*value);
      if (!inner) return std::nullopt;
      at = *inner;
    }
    value = json::find(at, name);
    if (!value) return std::nullopt;
  }
  return value;
}

std::optional<uint32_t> row_of(const json::Value& value) {
  const auto text = json::as_string(value);
  const auto number = text ? parse_int(*text) : json::as_int(value);
  if (!number || *number < 0 || *number > int64_t{UINT32_MAX}) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

}  // namespace ajar::vectors
