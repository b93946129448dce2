#include "api/vector_store.h"

#include "json/read.h"
#include "json/write.h"
#include "rag/write.h"

namespace ajar::api {
namespace {

constexpr size_t kMaxName = 512, kMaxFiles = 500, kMaxQueries = 8;

std::unexpected<Error> wrong(std::string_view name, std::string_view what) { return invalid(std::string(name), "'" + std::string(name) + "' must be " + std::string(what)); }

Result<std::string> text_of(std::string_view name, const json::Value& value, size_t most) {
  const auto text = json::as_string(value);
  if (!text || text->size() > most) return wrong(name, "a string of at most " + std::to_string(most) + " bytes");
  return std::string(*text);
}

Result<std::string> metadata_of(const json::Value& value) {
  std::string raw = json::raw(value);
  AJAR_TRY(rag::read_metadata(raw));
  return raw;
}

Result<rag::Metadata> attributes_of(const json::Value& value) {
  auto read = rag::read_metadata(json::raw(value));
  if (!read) {
    Error error = std::move(read).error();
    if (error.field.starts_with("metadata")) error.field.replace(0, 8, "attributes");
    error.message = "'" + error.field + "': " + error.message;
    return std::unexpected(std::move(error));
  }
  return read;
}

Result<rag::Filter> filter_of(std::string_view name, const json::Value& value) {
  auto read = rag::read_filter(json::raw(value));
  if (!read) {
    Error error = std::move(read).error();
    if (error.field.starts_with("filter")) error.field.replace(0, 6, name);
    error.message = "'" + error.field + "' " + error.message;
    return std::unexpected(std::move(error));
  }
  return read;
}

Result<size_t> limit_of(std::string_view name, const json::Value& value) {
  const auto number = json::as_int(value);
  if (!number || *number < 1 || *number > 50) return wrong(name, "a number from 1 to 50");
  return size_t(*number);
}

// Only what is done anyway may be asked for.
Status check_chunking(const json::Value& value) {
  const auto object = json::as_object(value);
  if (object && json::string_or(*object, "type") == "auto") return {};
  return invalid("chunking_strategy", "'chunking_strategy' can only be {\"type\":\"auto\"} here: documents are cut at headings, paragraphs and sentences");
}

std::unexpected<Error> unknown(std::string_view what, std::string_view name) {
  return invalid(std::string(name), std::string(what) + " has no field '" + std::string(name) + "' here");
}

}  // namespace

Result<StoreSpec> read_store_spec(std::string_view body, bool create) {
  StoreSpec spec;
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body.empty() ? "{}" : body));
  for (const auto& [name, value] : object) {
    if (value.is_null()) continue;
    if (name == "name") {
      AJAR_ASSIGN(spec.name, text_of(name, value, kMaxName));
    } else if (name == "description") {
      AJAR_ASSIGN(spec.description, text_of(name, value, 4096));
    } else if (name == "metadata") {
      AJAR_ASSIGN(spec.metadata, metadata_of(value));
    } else if (name == "chunking_strategy" && create) {
      AJAR_TRY(check_chunking(value));
    } else if (name == "file_ids" && create) {
      const auto list = json::as_array(value);
      if (!list || list->size() > kMaxFiles) return wrong(name, "a list of at most 500 file ids");
      for (const auto& one : *list) {
        AJAR_ASSIGN(spec.file_ids.emplace_back(), text_of(name, one, 256));
      }
    } else if (name == "store" && create) {
      AJAR_ASSIGN(spec.store, text_of(name, value, kMaxName));
    } else if (name == "rerank") {
      AJAR_ASSIGN(spec.rerank, text_of(name, value, kMaxName));
    } else if (name == "expires_after") {
      return invalid("expires_after", "vector stores do not expire here: 'expires_after' cannot be kept");
    } else {
      return unknown("a vector store", name);
    }
  }
  return spec;
}

Result<StoreFileSpec> read_store_file(std::string_view body, bool add) {
  StoreFileSpec spec;
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body));
  for (const auto& [name, value] : object) {
    if (value.is_null()) continue;
    if (name == "file_id" && add) {
      AJAR_ASSIGN(spec.file_id, text_of(name, value, 256));
    } else if (name == "attributes") {
      AJAR_ASSIGN(spec.attributes, attributes_of(value));
    } else if (name == "chunking_strategy" && add) {
      AJAR_TRY(check_chunking(value));
    } else {
      return unknown("a vector store's file", name);
    }
  }
  if (add && spec.file_id.empty()) return invalid("file_id", "'file_id' is missing: the id of a file that was uploaded to /v1/files");
  if (!add && !spec.attributes) return invalid("attributes", "'attributes' is missing");
  return spec;
}

Result<StoreSearch> read_store_search(std::string_view body) {
  StoreSearch search;
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body));
  for (const auto& [name, value] : object) {
    if (value.is_null()) continue;
    if (name == "query") {
      if (const auto list = json::as_array(value)) {
        if (list->size() > kMaxQueries) return wrong(name, "a string, or a list of at most 8");
        for (const auto& one : *list) {
          AJAR_ASSIGN(search.queries.emplace_back(), text_of(name, one, rag::kMaxQuestion));
        }
      } else {
        AJAR_ASSIGN(search.queries.emplace_back(), text_of(name, value, rag::kMaxQuestion));
      }
    } else if (name == "max_num_results") {
      AJAR_ASSIGN(search.limit, limit_of(name, value));
    } else if (name == "filters") {
      AJAR_ASSIGN(search.filter, filter_of(name, value));
    } else if (name == "ranking_options") {
      const auto options = json::as_object(value);
      if (!options) return wrong(name, "an object");
      if (const auto least = json::find(*options, "score_threshold")) {
        const auto number = json::as_double(*least);
        if (!number || *number != 0) {
          return invalid("ranking_options.score_threshold", "'ranking_options.score_threshold' can only be 0: scores compare the passages of one answer");
        }
      }
      if (const auto ranker = json::find(*options, "ranker")) {
        AJAR_ASSIGN(const std::string route, text_of("ranking_options.ranker", *ranker, kMaxName));
        // OpenAI's names of its own rankers mean ours.
        if (route != "auto" && !route.starts_with("default-") && !route.starts_with("default_")) search.rerank = route;
      }
    } else if (name != "rewrite_query") {  // it is searched for as it stands
      return unknown("a search", name);
    }
  }
  if (search.queries.empty()) return invalid("query", "'query' is missing");
  return search;
}

Result<RagQuestion> read_rag_question(std::string_view body) {
  RagQuestion read;
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body));
  for (const auto& [name, value] : object) {
    if (value.is_null()) continue;
    if (name == "collection") {
      AJAR_ASSIGN(read.collection, text_of(name, value, kMaxName));
    } else if (name == "query") {
      AJAR_ASSIGN(read.question.text, text_of(name, value, rag::kMaxQuestion));
    } else if (name == "limit") {
      AJAR_ASSIGN(read.question.limit, limit_of(name, value));
    } else if (name == "filter") {
      AJAR_ASSIGN(read.question.filter, filter_of(name, value));
    } else if (name == "rerank") {
      AJAR_ASSIGN(read.question.rerank, text_of(name, value, kMaxName));
      read.question.rerank_asked = !read.question.rerank.empty();
    } else {
      return unknown("a question", name);
    }
  }
  if (read.collection.empty()) return invalid("collection", "'collection' is missing: a vector store's id or name");
  if (read.question.text.empty()) return invalid("query", "'query' is missing");
  return read;
}

Result<RagRepair> read_rag_repair(std::string_view body) {
  RagRepair read;
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body));
  for (const auto& [name, value] : object) {
    if (value.is_null()) continue;
    if (name == "collection") {
      AJAR_ASSIGN(read.collection, text_of(name, value, kMaxName));
    } else if (name == "all") {
      const auto flag = json::as_bool(value);
      if (!flag) return wrong(name, "true or false");
      read.all = *flag;
    } else {
      return unknown("a repair", name);
    }
  }
  if (read.collection.empty()) return invalid("collection", "'collection' is missing: a vector store's id or name");
  return read;
}

std::string write_store(const rag::About& about, const rag::Usage& usage) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("id", about.id);
  w.field("object", "vector_store");
  w.field("created_at", about.created_ms / 1000);
  w.field("name", about.name);
  w.field("description", about.description);
  w.field("usage_bytes", usage.bytes);
  w.key("file_counts");
  w.begin_object();
  w.field("in_progress", 0);
  w.field("completed", usage.ready);
  w.field("failed", usage.failed);
  w.field("cancelled", 0);
  w.field("total", usage.ready + usage.failed);
  w.end_object();
  w.field("status", "completed");
  w.null_field("expires_after");
  w.null_field("expires_at");
  w.field("last_active_at", std::max(about.created_ms, usage.last_ms) / 1000);
  w.raw_field("metadata", about.metadata.empty() ? std::string_view("{}") : std::string_view(about.metadata));
  // Not OpenAI's: null where words alone are searched.
  if (usage.embedder.empty()) w.null_field("embedder");
  else w.field("embedder", usage.embedder);
  if (!usage.store.empty()) {
    w.field("store", usage.store);
    w.field("waiting", usage.waiting);
  }
  if (!about.rerank.empty()) w.field("rerank", about.rerank);
  w.end_object();
  return out;
}

std::string write_store_file(const std::string& store, const rag::DocumentInfo& document) {
  const bool ready = document.status == "ready";
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("id", document.id);
  w.field("object", "vector_store.file");
  w.field("usage_bytes", document.bytes);
  w.field("created_at", document.added_ms / 1000);
  w.field("vector_store_id", store);
  w.field("status", ready ? "completed" : "failed");
  if (ready) {
    w.null_field("last_error");
  } else {
    w.key("last_error");
    w.begin_object();
    w.field("code", "invalid_file");
    w.field("message", document.reason);
    w.end_object();
  }
  w.raw_field("chunking_strategy", R"({"type":"other"})");
  w.raw_field("attributes", rag::write_metadata(document.metadata));
  w.field("filename", document.name);
  w.end_object();
  return out;
}

std::string write_store_content(std::string_view text) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("object", "vector_store.file_content.page");
  w.key("data");
  w.begin_array();
  w.begin_object();
  w.field("type", "text");
  w.field("text", text);
  w.end_object();
  w.end_array();
  w.field("has_more", false);
  w.null_field("next_page");
  w.end_object();
  return out;
}

std::string write_store_hits(const std::vector<std::string>& queries, const std::vector<StoreHit>& hits, std::string_view degraded) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("object", "vector_store.search_results.page");
  w.key("search_query");
  w.begin_array();
  for (const std::string& query : queries) w.string(query);
  w.end_array();
  w.key("data");
  w.begin_array();
  for (const StoreHit& one : hits) {
    w.begin_object();
    w.field("file_id", one.hit.document);
    w.field("filename", one.hit.name);
    w.field("score", double{one.hit.score});
    w.raw_field("attributes", rag::write_metadata(one.attributes));
    w.key("content");
    w.begin_array();
    w.begin_object();
    w.field("type", "text");
    w.field("text", one.hit.text);
    // Not OpenAI's: where it stands.
    if (one.hit.page > 0) w.field("page", int64_t{one.hit.page});
    w.field("begin", int64_t{one.hit.begin});
    w.field("end", int64_t{one.hit.end});
    w.end_object();
    w.end_array();
    w.end_object();
  }
  w.end_array();
  w.field("has_more", false);
  w.null_field("next_page");
  if (!degraded.empty()) w.field("degraded", degraded);
  w.end_object();
  return out;
}

std::string write_list(const std::vector<std::string>& items, const std::vector<std::string>& ids, bool has_more) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("object", "list");
  w.key("data");
  w.begin_array();
  for (const std::string& item : items) w.raw(item);
  w.end_array();
  if (ids.empty()) {
    w.null_field("first_id");
    w.null_field("last_id");
  } else {
    w.field("first_id", ids.front());
    w.field("last_id", ids.back());
  }
  w.field("has_more", has_more);
  w.end_object();
  return out;
}

std::string write_deleted(std::string_view id, std::string_view object) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("id", id);
  w.field("object", object);
  w.field("deleted", true);
  w.end_object();
  return out;
}

}  // namespace ajar::api
