#include "wire/ollama/front.h"

#include "base/random.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/fields.h"

namespace ajar::wire::ollama {

const Front& chat_front() {
  static constexpr Front kFront = {.id = DialectId::kOllama,
                                   .endpoint = "ollama_chat",
                                   .stream_type = "application/x-ndjson",
                                   .read_request = read_chat_request,
                                   .new_encoder = new_chat_encoder,
                                   .write_reply = write_chat_reply,
                                   .write_error = write_error};
  return kFront;
}

const Front& generate_front() {
  static constexpr Front kFront = {.id = DialectId::kOllama,
                                   .endpoint = "ollama_generate",
                                   .stream_type = "application/x-ndjson",
                                   .read_request = read_generate_request,
                                   .new_encoder = new_generate_encoder,
                                   .write_reply = write_generate_reply,
                                   .write_error = write_error};
  return kFront;
}

// The API knows one string; the field stands in the message.
std::string write_error(const Error& error, int, std::string_view) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("error", error.message.empty() ? std::string(code_name(error.code)) : error.message);
  w.end_object();
  return out;
}

Result<EmbeddingRequest> read_embedding_request(std::string_view body) {
  static constexpr std::array<std::string_view, 3> kNames = {"model", "input", "dimensions"};
  json::Document document;
  AJAR_ASSIGN(const auto object, document.parse_object(body));
  const Fields<3> fields(object, kNames);
  const Path root;
  EmbeddingRequest request{.dialect = DialectId::kOllama};
  if (!fields.has(0)) return missing(root / "model");
  AJAR_ASSIGN(request.model, need_string(fields[0], root / "model"));
  if (!fields.has(1)) return missing(root / "input");
  if (const auto one = json::as_string(fields[1])) {
    request.texts.emplace_back(*one);
    request.input_is_single = true;
  } else {
    AJAR_ASSIGN(const auto list, need_array(fields[1], root / "input"));
    size_t i = 0;
    for (const json::Value item : list) {
      AJAR_ASSIGN(const auto text, need_string(item, (root / "input")[i++]));
      request.texts.emplace_back(text);
    }
    if (request.texts.empty()) return invalid("input", "'input' is empty");
  }
  if (fields.has(2)) {
    AJAR_ASSIGN(request.dimensions, need_int(fields[2], root / "dimensions"));
  }
  request.extra = fields.extra();
  return request;
}

Result<EmbeddingRequest> read_single_embedding_request(std::string_view body) {
  static constexpr std::array<std::string_view, 2> kNames = {"model", "prompt"};
  json::Document document;
  AJAR_ASSIGN(const auto object, document.parse_object(body));
  const Fields<2> fields(object, kNames);
  const Path root;
  EmbeddingRequest request{.dialect = DialectId::kOllama, .input_is_single = true};
  if (!fields.has(0)) return missing(root / "model");
  AJAR_ASSIGN(request.model, need_string(fields[0], root / "model"));
  if (!fields.has(1)) return missing(root / "prompt");
  AJAR_ASSIGN(const auto prompt, need_string(fields[1], root / "prompt"));
  request.texts.emplace_back(prompt);
  request.extra = fields.extra();
  return request;
}

namespace {

void write_row(json::Writer& w, const EmbeddingReply& reply, size_t row) {
  w.begin_array();
  for (size_t i = 0; i < reply.dim; ++i) w.number(double(reply.values[row * reply.dim + i]));
  w.end_array();
}

void write_details(json::Writer& w) {
  w.raw_field("details", R"({"parent_model":"","format":"","family":"","families":[],"parameter_size":"","quantization_level":""})");
}

constexpr std::string_view kSomeTime = "2023-11-14T22:13:20Z";

}  // namespace

std::string write_embedding_reply(const EmbeddingReply& reply, const EmbeddingRequest& request) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("model", reply.model.empty() ? request.model : reply.model);
  w.key("embeddings");
  w.begin_array();
  for (size_t row = 0; row < reply.rows(); ++row) write_row(w, reply, row);
  w.end_array();
  if (reply.usage.reported) w.field("prompt_eval_count", reply.usage.input);
  w.end_object();
  return out;
}

std::string write_single_embedding_reply(const EmbeddingReply& reply) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("embedding");
  write_row(w, reply, 0);
  w.end_object();
  return out;
}

std::optional<LoadRequest> read_load_request(std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object) return std::nullopt;
  LoadRequest request;
  request.model = json::string_or(*object, "model");
  if (request.model.empty()) return std::nullopt;
  for (const char* name : {"prompt", "messages", "images", "suffix"}) {
    const auto value = json::find(*object, name);
    if (value && json::raw(*value).size() > 2) return std::nullopt;  // more than "" or []
  }
  if (const auto keep = json::find(*object, "keep_alive")) {
    const std::string raw = json::raw(*keep);
    request.unload = raw == "0" || raw == "\"0\"" || raw == "\"0s\"";
  }
  return request;
}

std::string write_load_reply(const LoadRequest& request, const Front& front) {
  const bool generate = &front == &generate_front();
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("model", request.model);
  w.field("created_at", kSomeTime);
  if (generate) w.field("response", "");
  else w.raw_field("message", R"({"role":"assistant","content":""})");
  w.field("done", true);
  w.field("done_reason", request.unload ? "unload" : "load");
  w.end_object();
  return out;
}

std::string write_tags(const std::vector<std::string>& models) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("models");
  w.begin_array();
  for (const std::string& model : models) {
    w.begin_object();
    w.field("name", model);
    w.field("model", model);
    w.field("modified_at", kSomeTime);
    w.field("size", 0);
    w.field("digest", sha256_hex(model));
    write_details(w);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

std::string write_show(std::string_view model) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("modelfile", "# " + std::string(model) + " is a route of Ajar");
  w.field("parameters", "");
  w.field("template", "");
  write_details(w);
  w.raw_field("model_info", "{}");
  w.raw_field("capabilities", R"(["completion","tools"])");
  w.field("modified_at", kSomeTime);
  w.end_object();
  return out;
}

Result<std::string> read_show_request(std::string_view body) {
  json::Document document;
  AJAR_ASSIGN(const auto object, document.parse_object(body));
  std::string name(json::string_or(object, "model", json::string_or(object, "name")));
  if (name.empty()) return missing(Path() / "model");
  return name;
}

}  // namespace ajar::wire::ollama
