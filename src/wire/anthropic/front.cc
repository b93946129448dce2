#include "base/text.h"
#include "json/write.h"
#include "wire/anthropic/anthropic.h"

namespace ajar::wire::anthropic {

const Front& front() {
  static constexpr Front kFront = {.id = DialectId::kAnthropic,
                                   .endpoint = "messages",
                                   .stream_type = "text/event-stream; charset=utf-8",
                                   .id_header = "request-id",
                                   .read_request = read_request,
                                   .new_encoder = new_encoder,
                                   .write_reply = write_reply,
                                   .write_error = write_error};
  return kFront;
}

std::string write_count(int64_t input_tokens) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("input_tokens", input_tokens);
  w.end_object();
  return out;
}

namespace {

// RFC 3339 in UTC.
std::string date_time(int64_t unix_seconds) {
  const time_t seconds = unix_seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return std::string(text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

void model(json::Writer& w, const ModelEntry& entry) {
  w.begin_object();
  w.field("type", "model");
  w.field("id", entry.id);
  w.field("display_name", entry.id);
  w.field("created_at", date_time(entry.created));
  w.end_object();
}

}  // namespace

std::string write_models(const std::vector<ModelEntry>& models) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const ModelEntry& entry : models) model(w, entry);
  w.end_array();
  w.field("has_more", false);
  for (const auto& [name, entry] :
       {std::pair("first_id", models.empty() ? nullptr : &models.front()),
        std::pair("last_id", models.empty() ? nullptr : &models.back())}) {
    w.key(name);
    if (entry == nullptr) {
      w.null();
    } else {
      w.string(entry->id);
    }
  }
  w.end_object();
  return out;
}

std::string write_model(const ModelEntry& entry) {
  std::string out;
  json::Writer w(out);
  model(w, entry);
  return out;
}

}  // namespace ajar::wire::anthropic
