// ajar rag: documents that can be asked, in the data folder; without a server.
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/app.h"
#include "app/cmd_rag.h"
#include "app/commands.h"
#include "app/local_models.h"
#include "app/rag_context.h"
#include "app/rag_rerank.h"
#include "app/terminal.h"
#include "base/text.h"
#include "rag/ask.h"
#include "rag/ingest.h"
#include "rag/write.h"

namespace ajar::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBatchBytes = 4 << 20, kBatchFiles = 64;  // of one transaction

struct RagArgs {
  std::string config, data, owner, embedder, store, collection, folder, query, filter, metadata, context_route, rerank, own_rerank, url, key;
  std::vector<std::string> files, allow;
  size_t limit = 0;
  bool all = false, hidden = false, preview = false;
};

const rag::Reader kAdministrator{.everything = true};

class Rag {
 public:
  static Result<Rag> open(const CommandContext& context, const RagArgs& args) {
    Config config;  // without a file: no other stores
    config.store.path = "data";
    if (const std::string file = args.config.empty() ? context.environment("AJAR_CONFIG").value_or("") : args.config; !file.empty()) {
      auto read = read_config_file(file, context.environment);
      if (!read) return fail(Code::kInvalid, read.error().text());
      config = std::move(*read);
    }
    const std::string data = args.data.empty() ? context.environment("AJAR_DATA").value_or(config.store.path) : args.data;
    Rag out;
    AJAR_ASSIGN(out.host_, rag_host(data));
    rag::LibraryOptions options = library_options(data, config.rag, config.vector_stores, proxies(context.environment), *out.host_);
    options.collection.rerank.route.clear();  // a route is a server's; here only what the command names
    if (!args.rerank.empty()) {
      options.collection.rerank.score = local_score(*out.host_, server_url(context, args.url), api_key(context, args.key));
      options.collection.rerank.timeout = Millis(60'000);  // the model may have to be loaded
    }
    options.collection.graph_in_background = false;  // this ends when its command does: `ajar rag index` makes one
    if (!args.context_route.empty()) {
      options.collection.context = http_context_writer(args.context_route, server_url(context, args.url), api_key(context, args.key));
      options.collection.context->progress = [bar = std::make_shared<std::unique_ptr<Progress>>()](const std::string&, size_t done, size_t all) {
        if (!*bar) *bar = std::make_unique<Progress>("describing", int64_t(all));
        (*bar)->update(int64_t(done));
        if (done >= all) bar->reset();
      };
    }
    AJAR_ASSIGN(out.library_, rag::Library::open(std::move(options)));
    return out;
  }
  rag::Library* operator->() const { return library_.get(); }

  // The collection, made when it is missing, with the re-ranking that the command names.
  Result<rag::Library::Opened> open_or_make(const RagArgs& args) const {
    if (const auto there = library_->about(args.owner, args.collection); there) {
      if (!args.store.empty()) return fail(Code::kConflict, "the collection is there already: it keeps the store that it was made with");
      if (!args.embedder.empty()) return fail(Code::kConflict, "the collection is there already: `ajar rag reembed` changes its embedder");
    } else if (there.error().code != Code::kNotFound) {
      return std::unexpected(there.error());
    } else {
      AJAR_TRY(library_->create(args.owner, {.id = args.collection, .name = args.collection}, args.embedder, args.store));
    }
    if (!args.own_rerank.empty()) {
      AJAR_ASSIGN(rag::About about, library_->about(args.owner, args.collection));
      about.rerank = args.own_rerank == "default" ? "" : args.own_rerank;
      AJAR_TRY(library_->describe(args.owner, about));
    }
    return library_->get(args.owner, args.collection);
  }

 private:
  std::unique_ptr<ModelHost> host_;
  std::unique_ptr<rag::Library> library_;
};

std::string how_searched(rag::Collection& collection) {
  if (collection.embedded_with().empty()) return "words alone: no embedder";
  std::string out = "words, and meaning by " + collection.embedded_with();
  if (!collection.store().empty()) out += " in the store '" + collection.store() + "'";
  if (collection.waiting() > 0) out += yellow("; " + count(int64_t(collection.waiting())) + " rows wait until it takes them (`ajar rag repair`)");
  return out;
}

// Documents by where they lie, so that `add` and `sync` speak of the same ones.
std::string id_of(const std::string& path) {
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(path, failed);
  return failed ? path : whole.string();
}

// Collects what became of each file, for people at once and for JSON at the end.
class FileReport {
 public:
  explicit FileReport(bool json) : json_(json), w_(out_) {
    w_.begin_object();
    w_.key("files");
    w_.begin_array();
  }
  void add(const std::string& file, std::string_view status, const std::string& reason, size_t chunks) {
    if (json_) {
      w_.begin_object();
      w_.field("file", file);
      w_.field("status", status);
      if (!reason.empty()) w_.field("reason", reason);
      w_.field("chunks", int64_t(chunks));
      w_.end_object();
    } else if (status == "failed") {
      std::printf("%s %s: %s\n", red("failed   ").c_str(), file.c_str(), reason.c_str());
    } else {
      std::printf("%-9s %s%s\n", std::string(status).c_str(), file.c_str(), chunks > 0 ? dim("  " + count(int64_t(chunks)) + " chunks").c_str() : "");
    }
  }
  void end(rag::Collection& collection, const std::function<void(json::Writer&)>& more = {}) {
    const auto stats = collection.stats();
    if (!json_) {
      std::printf("%s documents, %s chunks; %s\n", count(int64_t(stats.documents)).c_str(), count(int64_t(stats.chunks)).c_str(), how_searched(collection).c_str());
      return;
    }
    w_.end_array();
    if (more) more(w_);
    w_.field("documents", int64_t(stats.documents));
    w_.field("chunks", int64_t(stats.chunks));
    w_.field("embedder", collection.embedded_with());
    if (!collection.store().empty()) {
      w_.field("store", collection.store());
      w_.field("waiting", int64_t(collection.waiting()));
    }
    w_.end_object();
    std::puts(out_.c_str());
  }

 private:
  const bool json_;
  std::string out_;
  json::Writer w_;
};

Result<std::string> read_file(const std::string& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) return fail(Code::kInvalid, "it is a folder: `ajar rag sync` keeps folders");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in) return fail(Code::kUnavailable, std::string("it cannot be read: ") + std::strerror(errno));
  text << in.rdbuf();
  return std::move(text).str();
}

std::optional<std::vector<std::string>> allow_of(const RagArgs& args) {
  return args.allow.empty() ? std::nullopt : std::optional(args.allow);
}

// What chunks the files would become.
int preview(const CommandContext& context, const RagArgs& args) {
  const auto host = rag_host({});
  if (!host) return complain(context, host.error());
  const rag::CollectionOptions options = library_options({}, {}, {}, {}, **host).collection;
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("files");
  w.begin_array();
  size_t failed = 0;
  for (const std::string& file : args.files) {
    auto bytes = read_file(file);
    Result<rag::Preview> seen = std::unexpected(bytes ? Error{} : bytes.error());
    if (bytes) seen = rag::preview({.id = id_of(file), .name = fs::path(file).filename().string(), .bytes = std::move(*bytes), .read = {}}, options);
    w.begin_object();
    w.field("file", file);
    if (!seen) {
      ++failed;
      w.field("reason", seen.error().message);
      w.end_object();
      if (!context.json) std::printf("%s %s: %s\n", red("failed   ").c_str(), file.c_str(), seen.error().message.c_str());
      continue;
    }
    w.field("format", seen->read.format);
    w.field("title", seen->read.title);
    w.field("note", seen->read.note);
    w.key("chunks");
    w.begin_array();
    if (!context.json) std::printf("%s  %s, %zu chunks%s\n", bold(file).c_str(), seen->read.format.c_str(), seen->chunks.size(), seen->read.note.empty() ? "" : ("; " + seen->read.note).c_str());
    for (size_t i = 0; i < seen->chunks.size(); ++i) {
      const rag::Chunk& chunk = seen->chunks[i];
      const std::string text = seen->read.text.substr(chunk.begin, chunk.end - chunk.begin);
      w.begin_object();
      w.field("tokens", int64_t(seen->tokens[i]));
      w.field("headings", chunk.headings);
      w.field("page", int64_t{chunk.page});
      w.field("begin", int64_t{chunk.begin});
      w.field("end", int64_t{chunk.end});
      w.field("text", text);
      w.end_object();
      if (!context.json) {
        std::printf("%s %s\n%s\n", dim("── " + std::to_string(i + 1) + "  " + std::to_string(seen->tokens[i]) + " tokens" + (chunk.page > 0 ? ", page " + std::to_string(chunk.page) : "")).c_str(),
                    dim(chunk.headings).c_str(), std::string(trim(text)).c_str());
      }
    }
    w.end_array();
    w.end_object();
  }
  w.end_array();
  w.end_object();
  if (context.json) std::puts(out.c_str());
  return failed > 0 ? 1 : 0;
}

int add(const CommandContext& context, const RagArgs& args) {
  if (args.preview) return preview(context, args);
  auto metadata = rag::read_metadata(args.metadata);
  if (!metadata) return complain(context, metadata.error());
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  auto collection = library->open_or_make(args);
  if (!collection) return complain(context, collection.error());
  FileReport report(context.json);
  Progress bar("reading", int64_t(args.files.size()));
  size_t failed = 0, bytes = 0, done = 0;
  std::vector<rag::DocumentInput> batch;
  std::vector<std::string> names;
  const auto flush = [&]() -> Status {
    if (batch.empty()) return {};
    bytes = 0;
    AJAR_ASSIGN(const auto results, (*collection)->add_all(std::exchange(batch, {})));
    for (size_t i = 0; i < results.size(); ++i) {
      failed += results[i].outcome == rag::Outcome::kFailed;
      report.add(names[i], rag::outcome_name(results[i].outcome), results[i].reason, results[i].chunks);
    }
    names.clear();
    bar.update(int64_t(done));
    return {};
  };
  std::set<std::string> seen;
  for (const std::string& file : args.files) {
    ++done;
    if (!seen.insert(id_of(file)).second) continue;
    auto text = read_file(file);
    if (!text) {
      ++failed;
      report.add(file, "failed", text.error().message, 0);
      continue;
    }
    bytes += text->size();
    batch.push_back({.id = id_of(file), .name = fs::path(file).filename().string(), .bytes = std::move(*text), .metadata = *metadata, .allow = allow_of(args), .read = {}});
    names.push_back(file);
    if (bytes < kBatchBytes && batch.size() < kBatchFiles) continue;
    if (auto added = flush(); !added) return complain(context, added.error());
  }
  if (auto added = flush(); !added) return complain(context, added.error());
  report.end(**collection);
  return failed > 0 ? 1 : 0;
}

int sync(const CommandContext& context, const RagArgs& args) {
  auto metadata = rag::read_metadata(args.metadata);
  if (!metadata) return complain(context, metadata.error());
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  auto collection = library->open_or_make(args);
  if (!collection) return complain(context, collection.error());
  FileReport report(context.json);
  std::unique_ptr<Progress> bar;
  rag::SyncOptions options;
  options.prefix = id_of(args.folder);
  if (!options.prefix.ends_with('/')) options.prefix += '/';
  options.allow = allow_of(args);
  options.metadata = std::move(*metadata);
  options.hidden = args.hidden;
  const auto done = rag::sync_folder(**collection, args.folder, options, [&](const rag::SyncProgress& at) {
    if (!bar) bar = std::make_unique<Progress>("reading", int64_t(at.all));
    bar->update(int64_t(at.done));
    if (at.result.outcome != rag::Outcome::kUnchanged) {
      report.add(at.id.substr(options.prefix.size()), rag::outcome_name(at.result.outcome), at.result.reason, at.result.chunks);
    }
    return true;
  });
  bar.reset();
  if (!done) return complain(context, done.error());
  if (!context.json) {
    std::printf("%zu added, %zu replaced, %zu unchanged, %zu removed, %zu failed\n", done->added, done->replaced, done->unchanged, done->removed, done->failed);
  }
  report.end(**collection, [&](json::Writer& w) {
    w.field("added", int64_t(done->added));
    w.field("replaced", int64_t(done->replaced));
    w.field("unchanged", int64_t(done->unchanged));
    w.field("removed", int64_t(done->removed));
    w.field("failed", int64_t(done->failed));
  });
  return 0;
}

int remove(const CommandContext& context, const RagArgs& args) {
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  if (args.files.empty() != args.all) return complain(context, {.message = "name documents, or --all for the whole collection"});
  size_t removed = 0;
  if (args.all) {
    const auto usage = (*library)->usage(args.owner, args.collection);
    if (!usage) return complain(context, usage.error());
    if (auto gone = (*library)->remove(args.owner, args.collection); !gone) return complain(context, gone.error());
    removed = size_t(usage->ready + usage->failed);
  } else {
    auto collection = (*library)->get(args.owner, args.collection);
    if (!collection) return complain(context, collection.error());
    std::vector<std::string> ids;
    for (const std::string& file : args.files) {
      const bool as_named = (*collection)->document(file, kAdministrator).has_value();
      ids.push_back(as_named ? file : id_of(file));
    }
    const auto gone = (*collection)->remove(ids);
    if (!gone) return complain(context, gone.error());
    removed = *gone;
  }
  if (context.json) std::printf("{\"removed\":%zu}\n", removed);
  else std::printf("%zu documents are removed\n", removed);
  return removed > 0 || args.all ? 0 : 1;
}

int list_collections(const CommandContext& context, const RagArgs& args, const Rag& library) {
  const auto all = library->list(args.owner);
  if (!all) return complain(context, all.error());
  std::string out;
  json::Writer w(out);
  std::vector<std::vector<std::string>> rows;
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const rag::About& about : *all) {
    const auto usage = library->usage(args.owner, about.id);
    if (!usage) return complain(context, usage.error());
    rows.push_back({about.id, about.name == about.id ? "" : about.name, count(usage->ready), count(usage->failed), bytes_text(usage->bytes),
                    (usage->embedder.empty() ? "words alone" : usage->embedder + (usage->store.empty() ? "" : " in " + usage->store)) +
                        (about.rerank.empty() ? "" : ", re-ranked by " + about.rerank)});
    w.begin_object();
    w.field("collection", about.id);
    w.field("name", about.name);
    w.field("ready", usage->ready);
    w.field("failed", usage->failed);
    w.field("bytes", usage->bytes);
    w.field("embedder", usage->embedder);
    if (!about.rerank.empty()) w.field("rerank", about.rerank);
    if (!usage->store.empty()) {
      w.field("store", usage->store);
      w.field("waiting", usage->waiting);
    }
    w.end_object();
  }
  w.end_array();
  w.end_object();
  if (context.json) std::puts(out.c_str());
  else if (rows.empty()) std::puts("no collections; `ajar rag add NAME FILES…` makes one");
  else std::fputs(table({"collection", "name", "documents", "failed", "size", "searched by"}, rows).c_str(), stdout);
  return 0;
}

int list(const CommandContext& context, const RagArgs& args) {
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  if (args.collection.empty()) return list_collections(context, args, *library);
  auto collection = (*library)->get(args.owner, args.collection);
  if (!collection) return complain(context, collection.error());
  std::string out;
  json::Writer w(out);
  std::vector<std::vector<std::string>> rows;
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (std::string after;;) {
    const auto some = (*collection)->list(after, 1000, kAdministrator);
    if (!some) return complain(context, some.error());
    if (some->empty()) break;
    after = some->back().id;
    for (const rag::DocumentInfo& one : *some) {
      if (context.json) rag::write_document(w, one);
      else rows.push_back({one.id, one.status, one.format, one.language, count(one.pages), count(one.chunks), bytes_text(one.bytes), one.reason + one.note});
    }
  }
  w.end_array();
  w.end_object();
  if (context.json) std::puts(out.c_str());
  else std::fputs(table({"document", "status", "format", "language", "pages", "chunks", "size", "note"}, rows).c_str(), stdout);
  return 0;
}

Result<rag::Question> question_of(const RagArgs& args, size_t limit) {
  rag::Question question{.text = args.query, .reader = kAdministrator, .limit = args.limit > 0 ? args.limit : limit,
                         .rerank = args.rerank, .rerank_asked = !args.rerank.empty()};
  if (!args.filter.empty()) {
    AJAR_ASSIGN(question.filter, rag::read_filter(args.filter));
  }
  return question;
}

std::string place(const std::string& document, uint32_t page, uint32_t begin, uint32_t end) {
  return document + (page > 0 ? ", page " + std::to_string(page) : "") + ", bytes " + std::to_string(begin) + "–" + std::to_string(end);
}

int search(const CommandContext& context, const RagArgs& args) {
  const auto question = question_of(args, 5);
  if (!question) return complain(context, question.error());
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  auto collection = (*library)->get(args.owner, args.collection);
  if (!collection) return complain(context, collection.error());
  const auto found = rag::find_passages(**collection, *question);
  if (!found) return complain(context, found.error());
  const auto* hits = &found->hits;
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.key("data");
    w.begin_array();
    for (const rag::Hit& hit : *hits) rag::write_hit(w, hit);
    w.end_array();
    if (!found->degraded.empty()) w.field("degraded", found->degraded);
    w.end_object();
    return std::puts(out.c_str()), 0;
  }
  for (size_t i = 0; i < hits->size(); ++i) {
    const rag::Hit& hit = (*hits)[i];
    std::printf("%s %s  %s\n%s\n\n", bold(std::to_string(i + 1) + ".").c_str(), place(hit.document, hit.page, hit.begin, hit.end).c_str(),
                dim(hit.headings).c_str(), hit.text.c_str());
  }
  if (hits->empty()) std::puts("nothing was found");
  if (!found->degraded.empty()) std::fprintf(stderr, "%s\n", yellow(found->degraded).c_str());
  return 0;
}

int ask(const CommandContext& context, const RagArgs& args) {
  const auto question = question_of(args, 10);
  if (!question) return complain(context, question.error());
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  auto collection = (*library)->get(args.owner, args.collection);
  if (!collection) return complain(context, collection.error());
  const auto answer = rag::ask(**collection, *question);
  if (!answer) return complain(context, answer.error());
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    rag::write_answer(w, *answer);
    w.end_object();
    return std::puts(out.c_str()), 0;
  }
  if (!answer->degraded.empty()) std::fprintf(stderr, "%s\n", yellow(answer->degraded).c_str());
  if (!answer->found) return std::puts(std::string(rag::kNotInDocuments).c_str()), 0;
  for (const rag::AnswerSentence& sentence : answer->sentences) {
    std::printf("%s\n", sentence.text.c_str());
    for (const rag::Evidence& one : sentence.evidence) std::printf("    %s\n", dim(place(one.document, one.page, one.begin, one.end)).c_str());
  }
  return 0;
}

int reembed(const CommandContext& context, const RagArgs& args) {
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  std::unique_ptr<Progress> bar;
  const auto done = (*library)->reembed(args.owner, args.collection, args.embedder, [&](size_t at, size_t all) {
    if (!bar) bar = std::make_unique<Progress>("embedding", int64_t(all));
    bar->update(int64_t(at));
  });
  bar.reset();
  if (!done) return complain(context, done.error());
  if (context.json) std::puts("{\"reembedded\":true}");
  else std::printf("%s is searched by words, and meaning by %s\n", args.collection.c_str(), args.embedder.c_str());
  return 0;
}

int repair(const CommandContext& context, const RagArgs& args) {
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  auto collection = (*library)->get(args.owner, args.collection);
  if (!collection) return complain(context, collection.error());
  std::unique_ptr<Progress> bar;
  const auto done = (*collection)->repair(args.all, [&](size_t at, size_t all) {
    if (!bar) bar = std::make_unique<Progress>("comparing", int64_t(all));
    bar->update(int64_t(at));
  });
  bar.reset();
  if (!done) return complain(context, done.error());
  (void)(*library)->finish_removals();
  if (context.json) {
    std::printf("{\"rows\":%zu,\"lacked\":%zu,\"extra\":%zu,\"waiting\":%zu}\n", done->rows, done->lacked, done->extra, (*collection)->waiting());
  } else {
    std::printf("%s rows; the store '%s' lacked %s and had %s too many\n", count(int64_t(done->rows)).c_str(), (*collection)->store().c_str(),
                count(int64_t(done->lacked)).c_str(), count(int64_t(done->extra)).c_str());
  }
  return 0;
}

int make_graph(const CommandContext& context, const RagArgs& args) {
  auto library = Rag::open(context, args);
  if (!library) return complain(context, library.error());
  auto collection = (*library)->get(args.owner, args.collection);
  if (!collection) return complain(context, collection.error());
  std::unique_ptr<Progress> bar;
  const auto done = (*collection)->build_graph({}, [&](uint64_t at, uint64_t all) {
    if (!bar) bar = std::make_unique<Progress>("indexing", int64_t(all));
    bar->update(int64_t(at));
  });
  bar.reset();
  if (!done) return complain(context, done.error());
  const auto stats = (*collection)->stats();
  if (context.json) std::printf("{\"chunks\":%zu,\"graph\":%zu}\n", stats.chunks, size_t{stats.graph_rows});
  else if (stats.graph_rows > 0) std::printf("%s of %s chunks are in the graph\n", count(int64_t(stats.graph_rows)).c_str(), count(int64_t(stats.chunks)).c_str());
  else std::printf("%s chunks are scanned: a graph is for more\n", count(int64_t(stats.chunks)).c_str());
  return 0;
}

}  // namespace

Result<std::unique_ptr<ModelHost>> rag_host(const std::string& data) {
  return ModelHost::make({}, [data](const std::string& name) -> Result<std::string> {
    AJAR_ASSIGN(const auto local, find_local_model(data, name));
    return local.path;
  });
}

void add_rag(CommandContext& context) {
  auto command = context.root.add_subcommand("rag", "Documents that can be asked: add, search, ask; answers are quotes with their place");
  command.require_subcommand(1);
  auto args = std::make_shared<RagArgs>();
  const auto sub = [&](const char* name, const char* what, int (*run)(const CommandContext&, const RagArgs&)) {
    auto part = command.add_subcommand(name, what);
    part.add_option("-d,--data", args->data, "Data folder (or AJAR_DATA; default: store.path of the configuration, or data)");
    part.add_option("-c,--config", args->config, "Configuration file (or AJAR_CONFIG): for vectors in other stores");
    part.add_option("--owner", args->owner, "Whose collections: team:NAME or key:ID, as a server sees them; without it those of an open server");
    context.add(part, [&context, args, run] { return run(context, *args); });
    return part;
  };
  const auto collection = [&](CommandLine part, bool required = true) { part.add_option("collection", args->collection, "Its name").required(required); };
  const auto adding = [&](CommandLine part) {
    part.add_option("--embedder", args->embedder, "For a new collection: a pulled model of embeddings, or none (default: " + RagConfig().embedder + " where it was pulled)");
    part.add_option("--store", args->store, "For a new collection: a [vector_stores.NAME] that searches its vectors, or here (default: rag.store of the configuration)");
    part.add_option("--rerank", args->own_rerank, "Who puts in order what servers find in this collection: a route of theirs, none, or default (rag.rerank); kept with the collection");
    part.add_option("--metadata", args->metadata, "Of all files: {\"year\":2024,\"team\":\"x\"}");
    part.add_option("--allow", args->allow, "Who may find them, of those who may use the collection: team:NAME, key:ID (default: all of them)");
  };
  const auto server = [&](CommandLine part) {
    part.add_option("-u,--url", args->url, "That server (or AJAR_URL; default http://127.0.0.1:8080)");
    part.add_option("-k,--key", args->key, "Its API key (or AJAR_API_KEY)");
  };
  const auto describing = [&](CommandLine part) {
    part.add_option("--context-route", args->context_route, "A route of a running server that writes a line about every chunk, which is searched and never quoted");
    server(part);
  };
  const auto asking = [&](CommandLine part) {
    part.add_option("query", args->query, "The question").required();
    part.add_option("-n,--limit", args->limit, "Passages").between(1, 100);
    part.add_option("--filter", args->filter, "On metadata: {\"type\":\"eq\",\"key\":\"year\",\"value\":2024}");
    part.add_option("--rerank", args->rerank, "Who puts what was found in order: a pulled cross-encoder, or a route of a running server");
    server(part);
  };
  auto part = sub("add", "Add files, or replace them", add);
  collection(part);
  part.add_option("files", args->files, "PDF, DOCX, PPTX, XLSX, OpenDocument, EPUB, RTF, HTML, Markdown, text, CSV, JSON, XML, mail, scans and pictures").required();
  part.add_flag("--preview", args->preview, "Show the chunks that they would become, with their tokens; store nothing");
  adding(part);
  describing(part);
  part = sub("sync", "Keep a folder and a collection the same: adds, replaces, removes", sync);
  collection(part);
  part.add_option("folder", args->folder, "The folder").required().existing_directory();
  part.add_flag("--hidden", args->hidden, "Also files and folders whose name begins with a dot");
  adding(part);
  describing(part);
  part = sub("rm", "Remove documents, or with --all the collection", remove);
  collection(part);
  part.add_option("documents", args->files, "As `ls` names them, or files");
  part.add_flag("--all", args->all, "The whole collection");
  part = sub("ls", "List collections, or a collection's documents", list);
  collection(part, false);
  part = sub("search", "Find passages", search);
  collection(part);
  asking(part);
  part = sub("ask", "Answer with quotes, or say that it is not in the documents", ask);
  collection(part);
  asking(part);
  part = sub("reembed", "Make all vectors anew with another embedder", reembed);
  collection(part);
  part.add_option("--embedder", args->embedder, "A pulled model of embeddings").required();
  part = sub("repair", "Compare the store of a collection's vectors with the collection; sends what it lacks, deletes what it has too much", repair);
  collection(part);
  part.add_flag("--all", args->all, "Make it anew");
  part = sub("index", "Make the graph of a large collection's vectors now; a server makes it by itself", make_graph);
  collection(part);
  add_rag_bench(context, command);
}

}  // namespace ajar::app
