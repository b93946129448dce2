#include "wire/rerank/rerank.h"

#include <algorithm>

#include "base/text.h"
#include "json/write.h"
#include "wire/fields.h"

namespace ajar::wire::rerank {
namespace {

enum Top { kModel, kQuery, kDocuments, kTexts, kTopN, kTopK, kReturn, kMaxTokens, kCount };
constexpr std::array<std::string_view, kCount> kNames = {
    "model", "query", "documents", "texts", "top_n", "top_k", "return_documents", "max_tokens_per_doc"};

constexpr size_t kMaxDocuments = 10'000;  // Cohere's limit

// A document is a text, or an object whose `text` (Cohere v1, Jina) or whole (Cohere v1 with rank_fields) is one.
Status read_documents(const json::Value& value, const Path& path, RerankRequest& request) {
  AJAR_ASSIGN(const auto list, need_array(value, path));
  if (list.size() == 0) return invalid(path.str(), "'" + path.str() + "' must have at least one document");
  if (list.size() > kMaxDocuments) {
    return fail(Code::kTooLarge, "'" + path.str() + "' has more than " + std::to_string(kMaxDocuments) + " documents",
                path.str());
  }
  bool any_object = false;
  for (const auto item : list) {
    const size_t at = request.documents.size();
    std::string& text = request.documents.emplace_back();
    std::string& raw = request.objects.emplace_back();
    if (const auto plain = json::as_string(item)) {
      text = *plain;
      continue;
    }
    const auto object = json::as_object(item);
    if (!object) return wrong_type(path[at], "a string or an object with 'text'", item);
    const auto member = json::find(*object, "text");
    if (!member) return missing(path[at] / "text");
    AJAR_ASSIGN(text, need_string(*member, path[at] / "text"));
    raw = json::raw(item);
    any_object = true;
  }
  if (!any_object) request.objects.clear();
  return {};
}

std::unexpected<Error> nonsense(std::string_view why) {
  return fail(Code::kUpstream, "the provider's ranking cannot be read: " + std::string(why));
}

Usage read_usage(const json::Object& reply) {
  Usage usage;
  if (const auto member = json::find(reply, "usage")) {  // Jina, vLLM, Voyage
    if (const auto told = json::as_object(*member)) {
      usage.input = std::max(json::int_or(*told, "total_tokens"), json::int_or(*told, "prompt_tokens"));
      usage.reported = usage.input > 0;
    }
  }
  if (const auto meta = json::find(reply, "meta")) {  // Cohere, Together
    const auto inner = json::as_object(*meta);
    const auto billed = inner ? json::find(*inner, "billed_units") : std::nullopt;
    if (const auto units = billed ? json::as_object(*billed) : std::nullopt) {
      usage.searches = json::int_or(*units, "search_units");
      usage.input = std::max(usage.input, json::int_or(*units, "input_tokens"));
      usage.reported = true;
    }
  }
  usage.clamp();
  return usage;
}

}  // namespace

Result<RerankRequest> read_request(std::string_view body) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const Fields<kCount> fields(object, kNames);
  RerankRequest request;
  if (!fields.has(kModel)) return missing(root / "model");
  AJAR_ASSIGN(request.model, need_string(fields[kModel], root / "model"));
  if (request.model.empty()) return invalid("model", "'model' must not be empty");
  if (!fields.has(kQuery)) return missing(root / "query");
  AJAR_ASSIGN(request.query, need_string(fields[kQuery], root / "query"));
  const Top documents = fields.has(kDocuments) ? kDocuments : kTexts;  // TEI says texts
  if (!fields.has(documents)) return missing(root / "documents");
  AJAR_TRY(read_documents(fields[documents], root / kNames[documents], request));
  const Top top = fields.has(kTopN) ? kTopN : kTopK;  // Voyage says top_k
  if (fields.has(top)) {
    AJAR_ASSIGN(request.top_n, need_int(fields[top], root / kNames[top]));
    AJAR_TRY(check_range(double(*request.top_n), 1, 100'000, root / kNames[top]));
  }
  if (fields.has(kReturn)) {
    AJAR_ASSIGN(request.return_documents, need_bool(fields[kReturn], root / "return_documents"));
  }
  if (fields.has(kMaxTokens)) {
    AJAR_ASSIGN(request.max_tokens_per_doc, need_int(fields[kMaxTokens], root / "max_tokens_per_doc"));
    AJAR_TRY(check_range(double(*request.max_tokens_per_doc), 1, 100'000, root / "max_tokens_per_doc"));
  }
  request.extra = fields.extra();
  return request;
}

Result<WireRequest> write_request(const RerankRequest& request, const TargetInfo& target, DialectId dialect) {
  WireRequest out;
  const bool cohere = dialect == DialectId::kCohere;
  if (!cohere && dialect != DialectId::kOpenAiChat) {
    return fail(Code::kUnsupported, std::string(dialect_name(dialect)) + " models do not offer reranking");
  }
  out.path = target.base_path + (cohere ? "/v2/rerank" : "/rerank");
  json::Writer w(out.body);
  w.begin_object();
  w.field("model", target.model);
  w.field("query", request.query);
  w.key("documents");
  w.begin_array();
  // Plain texts: objects are not everybody's. Documents that the client wants back are its own, put back by us.
  for (const std::string& text : request.documents) w.string(text);
  w.end_array();
  if (request.top_n) w.field("top_n", std::min(*request.top_n, int64_t(request.documents.size())));
  if (request.max_tokens_per_doc) {
    if (cohere) w.field("max_tokens_per_doc", *request.max_tokens_per_doc);
    else out.dropped.emplace_back("max_tokens_per_doc");
  }
  if (target.keep_unknown) w.members(request.extra);
  else out.dropped = member_names(request.extra);
  w.end_object();
  return out;
}

Result<RerankReply> read_reply(std::string_view body, const RerankRequest& request) {
  const auto document = json::scratch().parse(body);
  if (!document) return nonsense("it is not JSON");
  RerankReply reply;
  std::optional<json::Array> list = json::as_array(*document);  // TEI: the list alone
  if (!list) {
    const auto object = json::as_object(*document);
    if (!object) return nonsense("no JSON object");
    auto rows = json::find(*object, "results");
    if (!rows) rows = json::find(*object, "data");  // Voyage
    list = rows ? json::as_array(*rows) : std::nullopt;
    if (!list) return nonsense("no results");
    reply.id = json::string_or(*object, "id");
    reply.model = json::string_or(*object, "model");
    reply.usage = read_usage(*object);
  }
  std::vector<bool> seen(request.documents.size(), false);
  for (const auto item : *list) {
    const auto row = json::as_object(item);
    const auto index = row ? json::find(*row, "index") : std::nullopt;
    auto score = row ? json::find(*row, "relevance_score") : std::nullopt;
    if (row && !score) score = json::find(*row, "score");
    const auto number = index ? json::as_int(*index) : std::nullopt;
    const auto value = score ? json::as_double(*score) : std::nullopt;
    if (!number || !value) return nonsense("a result without index or score");
    if (*number < 0 || size_t(*number) >= seen.size() || seen[size_t(*number)]) {
      return nonsense("a result's index does not fit the documents");
    }
    seen[size_t(*number)] = true;
    reply.results.push_back({.index = size_t(*number), .score = *value});
  }
  std::ranges::sort(reply.results, [](const auto& a, const auto& b) {
    return a.score != b.score ? a.score > b.score : a.index < b.index;
  });
  if (request.top_n && reply.results.size() > size_t(*request.top_n)) reply.results.resize(size_t(*request.top_n));
  return reply;
}

std::string write_reply(const RerankReply& reply, const RerankRequest& request) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  if (!reply.id.empty()) w.field("id", reply.id);
  w.field("model", reply.model.empty() ? request.model : reply.model);
  w.key("results");
  w.begin_array();
  for (const auto& result : reply.results) {
    w.begin_object();
    w.field("index", int64_t(result.index));
    w.field("relevance_score", result.score);
    if (request.return_documents) {
      const bool raw = !request.objects.empty() && !request.objects[result.index].empty();
      w.key("document");
      if (raw) {
        w.raw(request.objects[result.index]);
      } else {
        w.begin_object();
        w.field("text", request.documents[result.index]);
        w.end_object();
      }
    }
    w.end_object();
  }
  w.end_array();
  w.key("usage");
  w.begin_object();
  w.field("total_tokens", reply.usage.total());
  w.field("prompt_tokens", reply.usage.input);
  w.end_object();
  w.key("meta");
  w.begin_object();
  w.key("billed_units");
  w.begin_object();
  w.field("search_units", reply.usage.searches);
  w.end_object();
  w.end_object();
  w.end_object();
  return out;
}

}  // namespace ajar::wire::rerank
