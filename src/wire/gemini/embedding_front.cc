// A client's :embedContent and :batchEmbedContents. https://ai.google.dev/api/embeddings
#include <charconv>
#include <cmath>

#include "json/write.h"
#include "wire/fields.h"
#include "wire/gemini/gemini.h"

namespace ajar::wire::gemini {
namespace {

// The text of a content; several parts are one text.
Status read_text(const json::Value& value, const Path& path, std::string& out) {
  AJAR_ASSIGN(const auto content, need_object(value, path));
  const auto found = json::find(content, "parts");
  if (!found) return missing(path / "parts");
  const Path at = path / "parts";
  AJAR_ASSIGN(const auto parts, need_array(*found, at));
  size_t index = 0;
  for (const auto item : parts) {
    const Path here = at[index++];
    AJAR_ASSIGN(const auto part, need_object(item, here));
    const auto text = json::find(part, "text");
    if (!text) return fail(Code::kUnsupported, "only text can be embedded", here.str());
    AJAR_ASSIGN(const auto words, need_string(*text, here / "text"));
    if (!out.empty()) out.push_back('\n');
    out += words;
  }
  return {};
}

Status read_one(const json::Value& value, const Path& path, bool first, EmbeddingRequest& request) {
  static constexpr std::array<std::string_view, 3> kNames = {"model", "content", "outputDimensionality"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<3, CamelName> fields(object, kNames);
  if (!fields.has(1)) return missing(path / "content");
  AJAR_TRY(read_text(fields[1], path / "content", request.texts.emplace_back()));
  std::optional<int64_t> dimensions;
  if (fields.has(2)) {
    AJAR_ASSIGN(dimensions, need_int(fields[2], path / "outputDimensionality"));
    AJAR_TRY(check_range(double(*dimensions), 1, 1e6, path / "outputDimensionality"));
  }
  RawMembers extra = fields.extra();
  if (first) {
    request.dimensions = dimensions;
    request.extra = std::move(extra);
  } else if (dimensions != request.dimensions || extra != request.extra) {
    return fail(Code::kUnsupported, "all requests of a batch must ask for the same but for their content",
                path.str());
  }
  return {};
}

void write_vector(json::Writer& w, const EmbeddingReply& reply, size_t row) {
  w.begin_object();
  w.key("values");
  w.begin_array();
  for (size_t i = 0; i < reply.dim; ++i) {
    const float number = reply.values[row * reply.dim + i];
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, std::isfinite(number) ? number : 0.0f).ptr;
    w.raw({digits, size_t(end - digits)});
  }
  w.end_array();
  w.end_object();
}

}  // namespace

Result<EmbeddingRequest> read_embedding_request(std::string_view body, bool batch) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  EmbeddingRequest request;
  request.dialect = DialectId::kGemini;
  if (!batch) {
    request.input_is_single = true;
    AJAR_TRY(read_one(document, root, true, request));
    return request;
  }
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const auto found = json::find(object, "requests");
  if (!found) return missing(root / "requests");
  const Path at = root / "requests";
  AJAR_ASSIGN(const auto list, need_array(*found, at));
  if (list.size() == 0) return invalid("requests", "'requests' must not be empty");
  size_t index = 0;
  for (const auto item : list) {
    AJAR_TRY(read_one(item, at[index], index == 0, request));
    ++index;
  }
  return request;
}

std::string write_embedding_reply(const EmbeddingReply& reply, bool batch) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key(batch ? "embeddings" : "embedding");
  if (batch) w.begin_array();
  for (size_t row = 0; row < (batch ? reply.rows() : 1); ++row) write_vector(w, reply, row);
  if (batch) w.end_array();
  if (reply.usage.reported) w.raw_field("usageMetadata", "{\"promptTokenCount\":" + std::to_string(reply.usage.input) + "}");
  w.end_object();
  return out;
}

}  // namespace ajar::wire::gemini
