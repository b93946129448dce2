#include "wire/openai/embeddings.h"

#include <bit>
#include <cstring>

#include "base/text.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/openai_error.h"
#include "wire/openai/presets.h"
#include "wire/openai_usage.h"

namespace ajar::wire::openai {
namespace {

enum Member { kModel, kInput, kFormat, kDimensions, kUser, kCount };
constexpr std::array<std::string_view, kCount> kNames = {"model", "input", "encoding_format",
                                                         "dimensions", "user"};

static_assert(std::endian::native == std::endian::little, "base64 vectors are little-endian");

Result<std::vector<int64_t>> read_tokens(const json::Array& array, const Path& path) {
  std::vector<int64_t> out;
  size_t index = 0;
  for (const auto item : array) {
    AJAR_ASSIGN(const int64_t token, need_int(item, path[index]));
    out.push_back(token);
    ++index;
  }
  return out;
}

// A string, strings, tokens, or lists of tokens.
Status read_input(const json::Value& value, const Path& path, EmbeddingRequest& request) {
  if (const auto text = json::as_string(value)) {
    request.texts.emplace_back(*text);
    request.input_is_single = true;
    return {};
  }
  const auto array = json::as_array(value);
  if (!array) return wrong_type(path, "a string or an array", value);
  if (array->begin() == array->end()) return invalid(path.str(), "'input' must not be empty");
  const json::Value first = *array->begin();
  if (first.is_number()) {
    request.input_is_single = true;
    AJAR_ASSIGN(auto tokens, read_tokens(*array, path));
    request.tokens.push_back(std::move(tokens));
    return {};
  }
  size_t index = 0;
  for (const auto item : *array) {
    const Path at = path[index++];
    if (json::as_array(first)) {
      AJAR_ASSIGN(const auto row, need_array(item, at));
      AJAR_ASSIGN(auto tokens, read_tokens(row, at));
      if (tokens.empty()) return invalid(at.str(), "'" + at.str() + "' must not be empty");
      request.tokens.push_back(std::move(tokens));
    } else {
      AJAR_ASSIGN(const auto text, need_string(item, at));
      request.texts.emplace_back(text);
    }
  }
  return {};
}

// Appends one vector: an array of numbers, or base64 of little-endian float32.
bool read_vector(const json::Value& value, std::vector<float>& out) {
  if (const auto text = json::as_string(value)) {
    const auto bytes = base64_decode(*text);
    if (!bytes || bytes->size() % sizeof(float) != 0) return false;
    const size_t old = out.size();
    out.resize(old + bytes->size() / sizeof(float));
    if (!bytes->empty()) std::memcpy(out.data() + old, bytes->data(), bytes->size());
    return true;
  }
  const auto array = json::as_array(value);
  if (!array) return false;
  for (const auto item : *array) {
    const auto number = json::as_double(item);
    if (!number) return false;
    out.push_back(float(*number));
  }
  return true;
}

void append_float(std::string& out, float number) {
  if (!std::isfinite(number)) {
    out += "0";
    return;
  }
  char digits[32];
  out.append(digits, size_t(std::to_chars(digits, digits + sizeof digits, number).ptr - digits));
}

}  // namespace

Result<EmbeddingRequest> read_embedding_request(std::string_view body) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const Fields<kCount> fields(object, kNames);
  EmbeddingRequest request;
  if (!fields.has(kModel)) return missing(root / "model");
  AJAR_ASSIGN(request.model, need_string(fields[kModel], root / "model"));
  if (request.model.empty()) return invalid("model", "'model' must not be empty");
  if (!fields.has(kInput)) return missing(root / "input");
  AJAR_TRY(read_input(fields[kInput], root / "input", request));
  if (fields.has(kFormat)) {
    AJAR_ASSIGN(const auto format, need_string(fields[kFormat], root / "encoding_format"));
    if (format != "float" && format != "base64") {
      return invalid("encoding_format", "'encoding_format' must be \"float\" or \"base64\"");
    }
    request.base64 = format == "base64";
  }
  if (fields.has(kDimensions)) {
    AJAR_ASSIGN(request.dimensions, need_int(fields[kDimensions], root / "dimensions"));
    AJAR_TRY(check_range(double(*request.dimensions), 1, 1e6, root / "dimensions"));
  }
  if (fields.has(kUser)) {
    AJAR_ASSIGN(request.user, need_string(fields[kUser], root / "user"));
  }
  request.extra = fields.extra();
  return request;
}

Result<WireRequest> write_embedding_request(const EmbeddingRequest& request,
                                            const TargetInfo& target) {
  WireRequest out;
  out.path = endpoint_path(find_preset(target.preset), target, "/embeddings");
  json::Writer w(out.body);
  w.begin_object();
  w.field("model", target.model);
  w.key("input");
  const bool single = request.input_is_single && request.rows() == 1;
  if (!single) w.begin_array();
  for (const std::string& text : request.texts) w.string(text);
  for (const auto& row : request.tokens) {
    w.begin_array();
    for (const int64_t token : row) w.integer(token);
    w.end_array();
  }
  if (!single) w.end_array();
  if (request.base64) w.field("encoding_format", "base64");  // float is everybody's default
  if (request.dimensions) w.field("dimensions", *request.dimensions);
  if (!request.user.empty()) w.field("user", request.user);
  if (request.dialect == DialectId::kOpenAiChat) {
    if (target.keep_unknown)
      w.members(request.extra);
    else
      out.dropped = member_names(request.extra);
  } else {
    out.dropped = member_names(request.extra);
  }
  w.end_object();
  return out;
}

Result<EmbeddingReply> read_embedding_reply(std::string_view body) {
  static constexpr std::array<std::string_view, 4> kReply = {"object", "data", "model", "usage"};
  const auto nonsense = [](std::string_view why) {
    return fail(Code::kUpstream, "the provider's embeddings cannot be read: " + std::string(why));
  };
  const auto document = json::scratch().parse(body);
  const auto object = document ? json::as_object(*document) : std::nullopt;
  if (!object) return nonsense("no JSON object");
  if (auto error = find_error(*object, 0)) return std::unexpected(std::move(*error));
  const Fields<4> fields(*object, kReply);
  const auto data = fields.has(1) ? json::as_array(fields[1]) : std::nullopt;
  if (!data) return nonsense("no data");
  const size_t rows = data->size();
  EmbeddingReply reply;
  std::vector<bool> filled(rows, false);
  std::vector<float> row;
  size_t position = 0;
  for (const auto item : *data) {
    const auto entry = json::as_object(item);
    const auto vector = entry ? json::find(*entry, "embedding") : std::nullopt;
    row.clear();
    if (!vector || !read_vector(*vector, row) || row.empty())
      return nonsense("a row without a vector");
    if (reply.dim == 0) {
      reply.dim = row.size();
      reply.values.resize(rows * reply.dim);
    }
    if (row.size() != reply.dim) return nonsense("rows of different length");
    const int64_t index =
        json::int_or(*entry, "index", int64_t(position));  // rows may come in any order
    if (index < 0 || size_t(index) >= rows || filled[size_t(index)])
      return nonsense("row numbers do not fit");
    filled[size_t(index)] = true;
    std::copy(row.begin(), row.end(), reply.values.begin() + int64_t(size_t(index) * reply.dim));
    ++position;
  }
  if (fields.has(2)) reply.model = json::as_string(fields[2]).value_or("");
  if (fields.has(3)) {
    RawMembers rest;
    if (const auto usage = json::as_object(fields[3])) reply.usage = read_usage(*usage, rest);
  }
  reply.extra = fields.extra();
  return reply;
}

std::string write_embedding_reply(const EmbeddingReply& reply, const EmbeddingRequest& request) {
  std::string out;
  out.reserve(256 + reply.values.size() * (request.base64 ? 6 : 12));
  json::Writer w(out);
  w.begin_object();
  w.field("object", "list");
  w.key("data");
  w.begin_array();
  for (size_t r = 0; r < reply.rows(); ++r) {
    const float* row = reply.values.data() + r * reply.dim;
    w.begin_object();
    w.field("object", "embedding");
    w.field("index", int64_t(r));
    w.key("embedding");
    if (request.base64) {
      w.string(base64_encode({reinterpret_cast<const char*>(row), reply.dim * sizeof(float)}));
    } else {
      std::string numbers = "[";
      for (size_t i = 0; i < reply.dim; ++i) {
        if (i > 0) numbers.push_back(',');
        append_float(numbers, row[i]);
      }
      numbers.push_back(']');
      w.raw(numbers);
    }
    w.end_object();
  }
  w.end_array();
  w.field("model", reply.model.empty() ? request.model : reply.model);
  w.key("usage");
  w.begin_object();
  w.field("prompt_tokens", reply.usage.input);
  w.field("total_tokens", reply.usage.total());
  w.end_object();
  if (request.dialect == DialectId::kOpenAiChat) w.members(reply.extra);
  w.end_object();
  return out;
}

namespace {
void append_model(json::Writer& w, const ModelEntry& model) {
  w.begin_object();
  w.field("id", model.id);
  w.field("object", "model");
  w.field("created", model.created);
  w.field("owned_by", model.owned_by);
  w.end_object();
}
}  // namespace

std::string write_models(const std::vector<ModelEntry>& models) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("object", "list");
  w.key("data");
  w.begin_array();
  for (const ModelEntry& model : models) append_model(w, model);
  w.end_array();
  w.end_object();
  return out;
}

std::string write_model(const ModelEntry& model) {
  std::string out;
  json::Writer w(out);
  append_model(w, model);
  return out;
}

}  // namespace ajar::wire::openai
