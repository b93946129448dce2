// POST /v1/moderations without a route for its model: judged here, in OpenAI's format (guard/moderation.h says how well).
#include "api/admin_json.h"
#include "api/api.h"
#include "base/random.h"
#include "guard/moderation.h"
#include "json/read.h"

namespace ajar::api {
namespace {

struct ModerationRequest {
  std::string model = "omni-moderation-latest";
  std::vector<std::string> texts;
};

Status add_input(const json::Value& value, size_t depth, ModerationRequest& request) {
  if (const auto text = json::as_string(value)) {
    request.texts.emplace_back(*text);
    return {};
  }
  const auto object = json::as_object(value);
  if (depth == 1 && object && json::string_or(*object, "type") == "text") {
    request.texts.emplace_back(json::string_or(*object, "text"));
    return {};
  }
  if (depth == 1 && object) return fail(Code::kUnsupported, "pictures are not judged here: give /v1/moderations a route with a model that can", "input");
  const auto list = depth == 0 ? json::as_array(value) : std::nullopt;
  if (!list) return invalid("input", "input must be a text or a list of texts");
  for (const json::Value item : *list) AJAR_TRY(add_input(item, 1, request));
  return {};
}

Result<ModerationRequest> read_moderation(std::string_view body) {
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body));
  ModerationRequest request;
  if (const auto model = json::string_or(object, "model"); !model.empty()) request.model = model;
  const auto input = json::find(object, "input");
  if (!input) return invalid("input", "input is missing");
  AJAR_TRY(add_input(*input, 0, request));
  return request;
}

}  // namespace

Task<bool> Api::moderate_here(Exchange& exchange) {
  const auto request = read_moderation(exchange.request().body);
  if (!request) {
    // Pictures may be for a route; what is no JSON is for the reader of forwarded requests to refuse.
    if (request.error().code == Code::kUnsupported || request.error().field.empty()) co_return false;
    co_await send_error(exchange, request.error());
    co_return true;
  }
  if (parts_.gateway.snapshot()->find(request->model)) co_return false;
  static const guard::Moderator moderator;
  std::vector<guard::ModerationResult> results;
  for (const std::string& text : request->texts) results.push_back(moderator.judge(text));
  co_await send_json(exchange, 200, guard::moderation_json(results, new_id("modr-"), "ajar-moderation"));
  co_return true;
}

}  // namespace ajar::api
