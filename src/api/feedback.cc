// POST /v1/feedback: what a client says of an answer: {"id", "score", "label", "correction"}.
//
// The id is the answer's own or x-request-id. Feedback on an answer that was accepted on its confidence becomes evidence about that rung;
// nobody can speak about answers of others, and a later word of the same key replaces its earlier one.
#include "api/admin_json.h"
#include "api/api.h"
#include "json/read.h"

namespace ajar::api {
namespace {

constexpr size_t kMaxText = 64 << 10;

Result<store::FeedbackRow> read_feedback(std::string_view body) {
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body));
  store::FeedbackRow row;
  for (const auto [name, value] : object) {
    const auto text = json::as_string(value);
    if (name == "id" && text && !text->empty() && text->size() <= 256) {
      row.id = *text;
    } else if (name == "score") {
      const auto number = json::as_double(value);
      const auto flag = json::as_bool(value);
      if (!flag && !(number && *number >= 0 && *number <= 1)) return invalid("score", "score must be a number from 0 (bad) to 1 (good), or true or false");
      row.score = flag ? double(*flag) : *number;
    } else if ((name == "label" || name == "correction") && text && text->size() <= kMaxText) {
      (name == "label" ? row.label : row.correction) = *text;
    } else {
      const bool known = name == "id" || name == "label" || name == "correction";
      return invalid(std::string(name), known ? std::string(name) + " must be a text that is not too long" : "feedback has no '" + std::string(name) + "': id, score, label, correction");
    }
  }
  if (row.id.empty()) return invalid("id", "id is missing: the id of the answer, or its x-request-id");
  if (!row.score && row.label.empty() && row.correction.empty()) return invalid("score", "say something: score, label or correction");
  row.time_ms = unix_millis();
  return row;
}

}  // namespace

Task<> Api::feedback(Exchange& exchange) {
  const auto key = admit(exchange.request());
  if (!key) co_return co_await send_error(exchange, key.error());
  auto row = read_feedback(exchange.request().body);
  if (!row) co_return co_await send_error(exchange, row.error());
  row->key_id = *key ? (*key)->row.id : "";

  struct Kept {
    Status status;
    bool judged = false;
  };
  const Kept kept = co_await parts_.blocking.run([&store = parts_.store, row = *row]() -> Kept {
    store.flush();  // the answer may be a moment old
    auto answer = store.judged_answer(row.id);
    if (!answer) return {std::unexpected(answer.error())};
    if (*answer && (*answer)->key_id != row.key_id) {
      return {fail(Code::kNotFound, "this key has no answer '" + row.id + "'", "id")};
    }
    if (auto status = store.put_feedback(row); !status) return {status};
    if (!*answer || !row.score) return {};
    const store::JudgedAnswer& a = **answer;
    return {store.put_evidence({.time_ms = row.time_ms, .call_id = a.id, .key_id = row.key_id, .route = a.route, .target = a.target,
                                .source = "feedback", .raw = a.raw, .confidence = a.confidence, .accepted = true, .loss = 1 - *row.score}),
            true};
  });
  if (!kept.status) co_return co_await send_error(exchange, kept.status.error());
  co_await send_json(exchange, 200, std::string("{\"recorded\":true,\"judged\":") + (kept.judged ? "true" : "false") + "}");
}

}  // namespace ajar::api
