#include "wire/openai/forward.h"

#include "base/text.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/multipart.h"
#include "wire/openai/error.h"
#include "wire/openai/presets.h"

namespace ajar::wire::openai {
namespace {

struct Shape {
  std::string_view path;
  std::string_view default_model;  // where the API has one
  std::string_view text;           // the member that is text
  bool takes_json, takes_form;
  std::string_view needs;          // a member that must be there
};
constexpr Shape kShapes[] = {
    {"moderations", "omni-moderation-latest", "input", true, false, "input"},
    {"images/generations", "dall-e-2", "prompt", true, false, "prompt"},
    {"images/edits", "dall-e-2", "prompt", true, true, "prompt"},
    {"images/variations", "dall-e-2", "", false, true, "image"},
    {"audio/speech", "", "input", true, false, "input"},
    {"audio/transcriptions", "", "prompt", false, true, "file"},
    {"audio/translations", "", "prompt", false, true, "file"},
};
const Shape& shape_of(ForwardKind kind) { return kShapes[size_t(kind)]; }

// Strings anywhere inside: a text, a list of texts, content blocks.
void append_text(std::string& out, const json::Value& value) {
  if (const auto text = json::as_string(value)) {
    out.append(*text).push_back('\n');
  } else if (const auto list = json::as_array(value)) {
    for (const auto item : *list) append_text(out, item);
  } else if (const auto object = json::as_object(value)) {
    if (const auto text = json::find(*object, "text")) append_text(out, *text);
  }
}

Status read_json(const Shape& shape, std::string_view body, ForwardRequest& request) {
  static constexpr std::array<std::string_view, 1> kModel = {"model"};
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const Fields<1> fields(object, kModel);
  if (fields.has(0)) {
    AJAR_ASSIGN(request.model, need_string(fields[0], root / "model"));
  }
  if (!json::find(object, shape.needs)) return missing(root / shape.needs);
  for (const auto& [name, value] : fields.unknown()) {
    if (name == shape.text) append_text(request.text, value);
    if (name == "n") {
      AJAR_ASSIGN(request.planned.images, need_int(value, root / "n"));
      AJAR_TRY(check_range(double(request.planned.images), 1, 1000, root / "n"));
    }
    if (name == "stream" && !value.is_null()) {
      AJAR_ASSIGN(request.stream, need_bool(value, root / "stream"));
    }
  }
  request.members = fields.extra();
  return {};
}

Status read_form_body(const Shape& shape, std::string_view content_type, std::string_view body,
                      ForwardRequest& request) {
  AJAR_ASSIGN(request.form, read_form(content_type, body));
  request.is_form = true;
  bool found = false;
  std::erase_if(request.form, [&](FormPart& part) {
    if (part.name == shape.needs || part.name == std::string(shape.needs) + "[]") found = true;
    if (part.name == shape.text) request.text = part.data;
    if (part.name == "n") request.planned.images = parse_int(part.data).value_or(1);
    if (part.name == "stream") request.stream = part.data == "true";
    if (part.name != "model") return false;
    request.model = std::move(part.data);
    return true;
  });
  const Path root;
  if (!found) return missing(root / shape.needs);
  return {};
}

int64_t characters(std::string_view utf8) {
  int64_t count = 0;
  for (const char c : utf8) count += (c & 0xc0) != 0x80;
  return count;
}

bool makes_images(ForwardKind kind) {
  return kind == ForwardKind::kImageGeneration || kind == ForwardKind::kImageEdit ||
         kind == ForwardKind::kImageVariation;
}

}  // namespace

std::string_view forward_path(ForwardKind kind) { return shape_of(kind).path; }

std::optional<ForwardKind> forward_kind(std::string_view path) {
  if (!path.starts_with("/v1/")) return std::nullopt;
  path.remove_prefix(4);
  for (size_t i = 0; i < std::size(kShapes); ++i) {
    if (kShapes[i].path == path) return ForwardKind(i);
  }
  return std::nullopt;
}

Result<ForwardRequest> read_forward_request(ForwardKind kind, std::string_view content_type, std::string_view body) {
  const Shape& shape = shape_of(kind);
  ForwardRequest request;
  request.kind = kind;
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  if (iequals(type, "multipart/form-data")) {
    if (!shape.takes_form) {
      return fail(Code::kUnsupported, "/v1/" + std::string(shape.path) + " takes application/json, not multipart/form-data");
    }
    AJAR_TRY(read_form_body(shape, content_type, body, request));
  } else {
    if (!shape.takes_json) {
      return fail(Code::kUnsupported, "/v1/" + std::string(shape.path) + " takes multipart/form-data, not '" +
                                          std::string(type) + "'");
    }
    AJAR_TRY(read_json(shape, body, request));
  }
  if (request.model.empty()) request.model = shape.default_model;
  const Path root;
  if (request.model.empty()) return missing(root / "model");
  if (kind == ForwardKind::kSpeech) {
    if (!request.text.empty()) request.text.pop_back();  // the line end that append_text() adds
    request.planned.characters = characters(request.text);
  }
  if (makes_images(kind) && request.planned.images == 0) request.planned.images = 1;
  if (!makes_images(kind)) request.planned.images = 0;
  return request;
}

Result<WireRequest> write_forward_request(const ForwardRequest& request, const TargetInfo& target) {
  WireRequest out;
  out.path = endpoint_path(find_preset(target.preset), target, "/" + std::string(forward_path(request.kind)));
  if (request.is_form) {
    std::vector<FormPart> parts{{.name = "model", .data = target.model}};
    parts.insert(parts.end(), request.form.begin(), request.form.end());
    const std::string boundary = form_boundary(parts);
    write_form(out.body, parts, boundary);
    out.headers.emplace_back("content-type", "multipart/form-data; boundary=" + boundary);
    return out;
  }
  json::Writer w(out.body);
  w.begin_object();
  w.field("model", target.model);
  w.members(request.members);
  w.end_object();
  return out;
}

Status check_forward_reply(std::string_view body) {
  const auto document = json::scratch().parse(body);
  if (!document) return fail(Code::kUpstream, "the provider's answer is not JSON");
  const auto object = json::as_object(*document);
  if (!object) return {};
  if (auto error = find_error(*object, 0)) return std::unexpected(std::move(*error));
  return {};
}

bool may_tell_usage(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  return iequals(type, "application/json") || iequals(type, "text/event-stream");
}

// Images: usage {input_tokens, output_tokens, …}. Transcriptions: usage {type: tokens, …} or {type: duration, seconds},
// verbose_json: duration. Others: nothing.
Usage read_forward_usage(const ForwardRequest& request, std::string_view text) {
  Usage usage = request.planned;
  usage.reported = true;  // what was planned has been delivered
  const auto document = json::scratch().parse(text);
  const auto object = document ? json::as_object(*document) : std::nullopt;
  if (!object) return usage;
  if (makes_images(request.kind)) {
    const auto data = json::find(*object, "data");
    const auto list = data ? json::as_array(*data) : std::nullopt;
    if (list) usage.images = int64_t(list->size());
  }
  double seconds = 0;
  if (const auto duration = json::find(*object, "duration")) seconds = json::as_double(*duration).value_or(0);
  const auto member = json::find(*object, "usage");
  if (const auto told = member ? json::as_object(*member) : std::nullopt) {
    usage.input = std::max(json::int_or(*told, "input_tokens"), json::int_or(*told, "prompt_tokens"));
    usage.output = std::max(json::int_or(*told, "output_tokens"), json::int_or(*told, "completion_tokens"));
    if (const auto details = json::find(*told, "input_token_details")) {
      if (const auto inner = json::as_object(*details)) usage.audio_input = json::int_or(*inner, "audio_tokens");
    }
    if (const auto told_seconds = json::find(*told, "seconds")) seconds = json::as_double(*told_seconds).value_or(seconds);
  }
  if (seconds > 0 && seconds < 1e7) usage.audio_ms = int64_t(seconds * 1000);
  usage.clamp();
  return usage;
}

}  // namespace ajar::wire::openai
