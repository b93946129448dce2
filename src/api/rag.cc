// /v1/vector_stores (OpenAI's form) and /v1/rag: documents that can be asked. An operation runs whole on a thread that may wait: those that
// read files or wait behind such on the pool for documents, searches on their own (they may wait for a model), the others on that for short calls. A vector store is a collection, a
// file in it a document with the file's id; adding answers when the file can be found, or has failed.
#include <algorithm>
#include <map>

#include "api/admin_json.h"
#include "api/api.h"
#include "api/call_sink.h"
#include "api/owner.h"
#include "api/status.h"
#include "api/vector_store.h"
#include "base/random.h"
#include "base/text.h"
#include "rag/write.h"

namespace ajar::api {
namespace {

// What a search found and how long that took, for whoever meters it.
struct Searched {
  rag::SearchTimes times;
  std::string_view outcome = "error";
};

// All that an operation needs; its own.
struct Call {
  rag::Library& library;
  store::Store& store;
  const store::Blobs& blobs;
  std::string owner, payer;
  rag::Reader reader;
  std::vector<std::string> ids;  // what the path has in place of its stars
  std::string query, body;
  std::shared_ptr<Searched> searched;
};

struct ListPage {
  std::string after;
  size_t limit = 20;
};
// `order`: the only one there is.
Result<ListPage> read_list_page(const std::string& query, std::string_view order) {
  ListPage paging{.after = query_value(query, "after")};
  if (const std::string limit = query_value(query, "limit"); !limit.empty()) {
    const auto number = parse_int(limit);
    if (!number || *number < 1 || *number > 100) return invalid("limit", "'limit' must be a number from 1 to 100");
    paging.limit = size_t(*number);
  }
  if (!query_value(query, "before").empty()) return invalid("before", "lists go forward only: use 'after'");
  if (const std::string given = query_value(query, "order"); !given.empty() && given != order) {
    return invalid("order", "this list has the order '" + std::string(order) + "' only");
  }
  return paging;
}

Result<std::string> store_json(const Call& call, const std::string& id) {
  AJAR_ASSIGN(const auto about, call.library.about(call.owner, id));
  AJAR_ASSIGN(const auto usage, call.library.usage(call.owner, id));
  return write_store(about, usage);
}

Status add_file(const Call& call, const std::string& store, const StoreFileSpec& spec) {
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, store));
  AJAR_ASSIGN(const StoredFile file, call.store.find_file(call.owner, spec.file_id));
  AJAR_ASSIGN(std::string bytes, call.blobs.read(file.id));
  AJAR_TRY(collection->add({.id = file.id, .name = file.name, .bytes = std::move(bytes), .metadata = spec.attributes.value_or(rag::Metadata()),
                            .payer = call.payer}));
  return {};
}

Result<std::string> create_store(const Call& call) {
  AJAR_ASSIGN(StoreSpec spec, read_store_spec(call.body, true));
  for (const std::string& file : spec.file_ids) AJAR_TRY(call.store.find_file(call.owner, file));
  AJAR_ASSIGN(const auto about, call.library.create(call.owner, {.id = new_id("vs_"), .name = spec.name.value_or(""), .description = spec.description.value_or(""),
                                                                 .metadata = spec.metadata.value_or(""), .rerank = spec.rerank.value_or("")}, {}, spec.store.value_or("")));
  for (std::string& file : spec.file_ids) {
    if (auto added = add_file(call, about.id, {.file_id = std::move(file), .attributes = {}}); !added) {
      AJAR_TRY(call.library.remove(call.owner, about.id));  // all of it or nothing
      return std::unexpected(std::move(added).error());
    }
  }
  return store_json(call, about.id);
}

Result<std::string> list_stores(const Call& call) {
  AJAR_ASSIGN(const ListPage paging, read_list_page(call.query, "desc"));
  AJAR_ASSIGN(auto all, call.library.list(call.owner));
  std::ranges::reverse(all);
  auto from = all.begin();
  if (!paging.after.empty()) {
    from = std::ranges::find(all, paging.after, &rag::About::id);
    if (from == all.end()) return invalid("after", "there is no vector store '" + paging.after + "'");
    ++from;
  }
  std::vector<std::string> items, ids;
  for (; from != all.end() && ids.size() < paging.limit; ++from) {
    const auto usage = call.library.usage(call.owner, from->id);
    if (!usage && usage.error().code == Code::kNotFound) continue;  // removed meanwhile
    if (!usage) return std::unexpected(usage.error());
    items.push_back(write_store(*from, *usage));
    ids.push_back(from->id);
  }
  return write_list(items, ids, from != all.end());
}

Result<std::string> get_store(const Call& call) { return store_json(call, call.ids[0]); }

Result<std::string> update_store(const Call& call) {
  AJAR_ASSIGN(const StoreSpec spec, read_store_spec(call.body, false));
  AJAR_ASSIGN(auto about, call.library.about(call.owner, call.ids[0]));
  if (spec.name) about.name = *spec.name;
  if (spec.description) about.description = *spec.description;
  if (spec.metadata) about.metadata = *spec.metadata;
  if (spec.rerank) about.rerank = *spec.rerank;
  AJAR_TRY(call.library.describe(call.owner, about));
  return store_json(call, about.id);
}

Result<std::string> delete_store(const Call& call) {
  AJAR_TRY(call.library.remove(call.owner, call.ids[0]));
  return write_deleted(call.ids[0], "vector_store.deleted");
}

Result<std::string> file_json(const Call& call, rag::Collection& collection, const std::string& file) {
  AJAR_ASSIGN(const auto info, collection.document(file, call.reader));
  return write_store_file(call.ids[0], info);
}

Result<std::string> post_file(const Call& call) {
  AJAR_ASSIGN(const StoreFileSpec spec, read_store_file(call.body, true));
  AJAR_TRY(add_file(call, call.ids[0], spec));
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, call.ids[0]));
  return file_json(call, *collection, spec.file_id);
}

Result<std::string> list_files(const Call& call) {
  AJAR_ASSIGN(const ListPage paging, read_list_page(call.query, "asc"));
  const std::string filter = query_value(call.query, "filter");
  const std::string status = filter == "completed" ? "ready" : filter;
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, call.ids[0]));
  std::vector<std::string> items, ids;
  for (std::string after = paging.after;;) {
    AJAR_ASSIGN(const auto some, collection->list(after, 100, call.reader));
    if (some.empty()) return write_list(items, ids, false);
    for (const auto& info : some) {
      after = info.id;
      if (!status.empty() && info.status != status) continue;
      if (ids.size() == paging.limit) return write_list(items, ids, true);
      items.push_back(write_store_file(call.ids[0], info));
      ids.push_back(info.id);
    }
  }
}

Result<std::string> get_file(const Call& call) {
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, call.ids[0]));
  return file_json(call, *collection, call.ids[1]);
}

Result<std::string> update_file(const Call& call) {
  AJAR_ASSIGN(StoreFileSpec spec, read_store_file(call.body, false));
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, call.ids[0]));
  AJAR_ASSIGN(const auto info, collection->document(call.ids[1], call.reader));
  AJAR_TRY(collection->describe(info.id, std::move(*spec.attributes), info.allow));
  return file_json(call, *collection, info.id);
}

Result<std::string> delete_file(const Call& call) {
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, call.ids[0]));
  AJAR_TRY(collection->document(call.ids[1], call.reader));
  AJAR_TRY(collection->remove(std::span(&call.ids[1], 1)));
  return write_deleted(call.ids[1], "vector_store.file.deleted");
}

Result<std::string> file_content(const Call& call) {
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, call.ids[0]));
  AJAR_ASSIGN(const std::string text, collection->text(call.ids[1], call.reader));
  return write_store_content(text);
}

// `asked`: what the question itself names.
void set_rerank(rag::Question& question, const Call& call, const rag::About& about, std::string asked) {
  question.rerank_asked = !asked.empty();
  question.rerank = asked.empty() ? about.rerank : std::move(asked);
  question.payer = call.payer;
}

Result<std::string> search_store(const Call& call) {
  AJAR_ASSIGN(const StoreSearch search, read_store_search(call.body));
  AJAR_ASSIGN(const auto about, call.library.about(call.owner, call.ids[0]));
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, call.ids[0]));
  rag::Question question{.filter = search.filter, .reader = call.reader, .limit = search.limit, .times = &call.searched->times};
  set_rerank(question, call, about, search.rerank);
  question.rerank_until = after(collection->options().rerank.timeout);
  std::vector<rag::Hit> all;
  std::string degraded;
  for (const std::string& query : search.queries) {
    question.text = query;
    AJAR_ASSIGN(auto found, rag::find_passages(*collection, question));
    if (degraded.empty()) degraded = std::move(found.degraded);
    std::ranges::move(found.hits, std::back_inserter(all));
  }
  // Scores of the cross-encoder and of the search do not compare: where one of the questions has none of the former, none counts.
  if (!std::ranges::all_of(all, [](const rag::Hit& hit) { return hit.rerank.has_value(); }))
    for (rag::Hit& hit : all) hit.score = hit.fused, hit.rerank.reset();
  // Of several questions a passage has its best score.
  std::map<uint32_t, rag::Hit> best;
  for (rag::Hit& hit : all) {
    const auto known = best.find(hit.row);
    if (known == best.end() || known->second.score < hit.score) best[hit.row] = std::move(hit);
  }
  std::vector<rag::Hit> order;
  for (auto& [row, hit] : best) order.push_back(std::move(hit));
  std::ranges::sort(order, [](const rag::Hit& a, const rag::Hit& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; });
  if (order.size() > search.limit) order.resize(search.limit);
  std::vector<StoreHit> hits;
  for (rag::Hit& hit : order) {
    const auto info = collection->document(hit.document, call.reader);
    if (info) hits.push_back({std::move(hit), info->metadata});  // otherwise removed meanwhile
  }
  call.searched->outcome = hits.empty() ? "empty" : "found";
  return write_store_hits(search.queries, hits, degraded);
}

Result<std::string> rag_search(const Call& call) {
  AJAR_ASSIGN(RagQuestion read, read_rag_question(call.body));
  AJAR_ASSIGN(const auto about, call.library.find(call.owner, read.collection));
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, about.id));
  read.question.reader = call.reader, read.question.times = &call.searched->times;
  set_rerank(read.question, call, about, std::move(read.question.rerank));
  AJAR_ASSIGN(const auto found, rag::find_passages(*collection, read.question));
  call.searched->outcome = found.hits.empty() ? "empty" : "found";
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("collection", about.id);
  w.key("data");
  w.begin_array();
  for (const rag::Hit& hit : found.hits) rag::write_hit(w, hit);
  w.end_array();
  if (!found.degraded.empty()) w.field("degraded", found.degraded);
  w.end_object();
  return out;
}

// The vectors of a collection in another store, compared with what it should have.
Result<std::string> rag_repair(const Call& call) {
  AJAR_ASSIGN(const RagRepair read, read_rag_repair(call.body));
  AJAR_ASSIGN(const auto about, call.library.find(call.owner, read.collection));
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, about.id));
  AJAR_ASSIGN(const auto done, collection->repair(read.all));
  (void)call.library.finish_removals();
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("collection", about.id);
  w.field("store", collection->store());
  w.field("rows", int64_t(done.rows));
  w.field("lacked", int64_t(done.lacked));
  w.field("extra", int64_t(done.extra));
  w.end_object();
  return out;
}

Result<std::string> rag_ask(const Call& call) {
  AJAR_ASSIGN(RagQuestion read, read_rag_question(call.body));
  AJAR_ASSIGN(const auto about, call.library.find(call.owner, read.collection));
  AJAR_ASSIGN(const auto collection, call.library.get(call.owner, about.id));
  read.question.reader = call.reader, read.question.times = &call.searched->times;
  set_rerank(read.question, call, about, std::move(read.question.rerank));
  AJAR_ASSIGN(const auto answer, rag::ask(*collection, read.question));
  call.searched->outcome = answer.found ? "found" : "not_in_documents";
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("collection", about.id);
  rag::write_answer(w, answer);
  w.end_object();
  return out;
}

struct Operation {
  std::string_view method, path;
  Result<std::string> (*run)(const Call&);
  bool slow;
  std::string_view metered = {};  // the name under which it is a call like others; empty: it is none
};
constexpr Operation kOperations[] = {
    {"POST", "/v1/vector_stores", create_store, true},
    {"GET", "/v1/vector_stores", list_stores, false},
    {"GET", "/v1/vector_stores/*", get_store, false},
    {"POST", "/v1/vector_stores/*", update_store, false},
    {"DELETE", "/v1/vector_stores/*", delete_store, true},
    {"POST", "/v1/vector_stores/*/files", post_file, true},
    {"GET", "/v1/vector_stores/*/files", list_files, false},
    {"GET", "/v1/vector_stores/*/files/*", get_file, false},
    {"POST", "/v1/vector_stores/*/files/*", update_file, true},
    {"DELETE", "/v1/vector_stores/*/files/*", delete_file, true},
    {"GET", "/v1/vector_stores/*/files/*/content", file_content, false},
    {"POST", "/v1/vector_stores/*/search", search_store, false, "vector_store_search"},
    {"POST", "/v1/rag/search", rag_search, false, "rag_search"},
    {"POST", "/v1/rag/ask", rag_ask, false, "rag_ask"},
    {"POST", "/v1/rag/repair", rag_repair, true, ""},
};

// What stands in place of the pattern's stars; nothing: it is another path.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  const auto want = split(pattern, '/'), have = split(path, '/');
  if (want.size() != have.size()) return std::nullopt;
  std::vector<std::string> ids;
  for (size_t i = 0; i < want.size(); ++i) {
    if (want[i] != "*") {
      if (want[i] != have[i]) return std::nullopt;
      continue;
    }
    auto id = percent_decode(have[i]);
    if (!id || id->empty()) return std::nullopt;
    ids.push_back(std::move(*id));
  }
  return ids;
}

}  // namespace

Task<> Api::documents(Exchange& exchange) {
  HttpRequest& request = exchange.request();
  const auto key = admit(request);
  if (!key) co_return co_await send_error(exchange, key.error());
  std::string_view path = request.path;
  while (path.ends_with('/')) path.remove_suffix(1);
  const Operation* chosen = nullptr;
  std::vector<std::string> ids;
  bool known = false;
  for (const Operation& operation : kOperations) {
    auto matched = match(operation.path, path);
    if (!matched) continue;
    known = true;
    if (operation.method != request.method) continue;
    chosen = &operation;
    ids = std::move(*matched);
    break;
  }
  if (chosen == nullptr) {
    co_return co_await send_error(exchange, Error{.code = known ? Code::kMethod : Code::kNotFound, .message = "there is no " + request.method + " " + std::string(path),
                                                  .type = "unknown_path"});
  }
  rag::Reader reader = *key ? reader_of((*key)->row.id, (*key)->row.team) : rag::Reader();
  Call call{.library = parts_.library, .store = parts_.store, .blobs = parts_.blobs, .owner = owner_of(*key), .payer = *key ? "key:" + (*key)->row.id : "", .reader = std::move(reader),
            .ids = std::move(ids), .query = request.query, .body = std::move(request.body), .searched = std::make_shared<Searched>()};
  BlockingPool& pool = chosen->slow ? parts_.documents : chosen->metered.empty() ? parts_.blocking : parts_.searches;
  if (chosen->metered.empty()) {
    const auto body = co_await pool.run([run = chosen->run, call = std::move(call)] { return run(call); });
    if (!body) co_return co_await send_error(exchange, body.error());
    co_return co_await send_json(exchange, 200, *body);
  }
  const Context context = new_context(exchange, *key, chosen->metered);
  auto held = parts_.gateway.admit_free(*key);
  if (!held) {
    parts_.gateway.finish_free({}, context, std::unexpected(held.error()), http_status(held.error()));
    co_return co_await send_error(exchange, held.error());
  }
  const auto searched = call.searched;
  const auto body = co_await pool.run([run = chosen->run, call = std::move(call)] { return run(call); });
  const rag::SearchTimes& times = searched->times;
  parts_.metrics.documents({.endpoint = std::string(chosen->metered), .outcome = body ? searched->outcome : "error",
                            .seconds = {{"embed", times.embed}, {"words", times.words}, {"meaning", times.meaning}, {"texts", times.texts}, {"rerank", times.rerank}, {"answer", times.answer}}});
  // Settled before the client can see the end and come again.
  parts_.gateway.finish_free(std::move(*held), context, body ? Status() : Status(std::unexpected(body.error())),
                              body ? 200 : http_status(body.error()));
  if (!body) co_return co_await send_error(exchange, body.error());
  co_await send_json(exchange, 200, *body);
}

}  // namespace ajar::api
