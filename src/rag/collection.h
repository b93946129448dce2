#pragma once
// Documents that can be asked: their chunks, the words and vectors of these, who may read them. One folder; SQLite in it is the
// log of truth: a document, its access, its chunks and vectors are one transaction, and what a call has acknowledged survives
// a crash and a power failure. The indexes beside it are derived: what they lack is added again when the collection is
// opened, and a damaged one is made anew. Where the vectors are searched in another store (vector_store.h), what that store
// has not acknowledged stands in a journal in SQLite and is sent again until it has.
//
// Threads: search, list and the like from any thread, also while documents are added; they see a document whole or not at all,
// and never one whose removal has returned. add, remove and reembed block each other, for as long as reading, embedding and
// the disk take. Nothing here may run on a loop.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "index/analyzer.h"
#include "index/bm25.h"
#include "index/fusion.h"
#include "index/vectors.h"
#include "rag/chunk.h"
#include "rag/context.h"
#include "rag/convert.h"
#include "rag/rerank.h"
#include "rag/vector_store.h"
#include "rag/visible.h"
#include "store/sqlite.h"

namespace ajar::rag {

// Texts to vectors: rows x width, row-major, not necessarily of length 1.
using Embed = std::function<Result<std::vector<float>>(std::span<const std::string>)>;

struct Embedder {
  std::string name;     // of the model; another name means other vectors
  uint32_t width = 0;
  Embed embed;
};

struct CollectionOptions {
  ConvertOptions convert;
  ChunkOptions chunks;
  std::optional<Embedder> embedder;                 // nothing: words alone
  std::optional<ContextWriter> context;             // nothing: chunks get no line of context
  Reranking rerank;
  std::optional<index::Language> language;          // nothing: of each document by its text
  index::Bm25Options bm25;
  index::GraphOptions graph;                        // of vectors, when there are many
  bool graph_in_background = true;                  // false: only build_graph() makes one
  uint32_t checkpoint_rows = 2048;                  // that may have to be added again when it is opened
  // For a new collection: the store that its vectors are searched in, by name; empty: here. It is kept with the collection.
  std::string store;
  // Opens one collection of a store by the store's name. Asks nothing of it yet.
  std::function<Result<std::unique_ptr<VectorStore>>(const std::string& store, const std::string& collection)> open_store;
  // Called when a store has failed ("failed"), and when an answer had to do without it ("degraded"). Any thread.
  std::function<void(const std::string& store, std::string_view event)> on_store;
  uint32_t table_changes = 8192;                    // documents that change before their table is written, at the least
};

struct DocumentInput {
  std::string id;                                   // the caller's; one that is there is replaced
  std::string name;                                 // of the file
  std::string bytes;
  Metadata metadata;
  std::optional<std::vector<std::string>> allow;    // nothing: everyone who may use the collection
  std::optional<Extracted> read;                    // the text, where the caller has it; then `bytes` says nothing
  std::string payer = {};                           // for whom a ContextWriter asks
};
inline constexpr size_t kMaxDocumentId = 1024;

// What a document's chunks would be; nothing is stored.
struct Preview {
  Extracted read;
  std::vector<Chunk> chunks;
  std::vector<size_t> tokens;                       // of each, by ChunkOptions::count
};
Result<Preview> preview(DocumentInput document, const CollectionOptions& options);

enum class Outcome : uint8_t { kAdded, kReplaced, kUnchanged, kFailed };

struct AddResult {
  Outcome outcome;
  std::string reason;      // of kFailed
  size_t chunks = 0;
};

struct DocumentInfo {
  std::string id, name, hash, format, title, language, status, reason, note;  // status: "ready" or "failed"
  Metadata metadata;
  std::optional<std::vector<std::string>> allow;
  int64_t bytes = 0, pages = 0, chunks = 0, added_ms = 0;
};

// Seconds of a search's parts; each call adds its own.
struct SearchTimes {
  double embed = 0, words = 0, meaning = 0, texts = 0, rerank = 0, answer = 0;
};

// How answers of both legs become one. Tuned per collection (bench.h) and kept in it.
struct Weights {
  float words = 1, meaning = 1;
  index::Fusion how = index::Fusion::kScores;
};

struct SearchRequest {
  std::string text;
  std::vector<float> embedding;     // of the text; empty: words alone
  Filter filter;
  Reader reader;
  size_t limit = 10;
  size_t candidates = 100;          // of each leg
  std::optional<Weights> weights;   // nothing: the collection's
  float least_meaning = -1;         // cosine below which a row is not found by meaning
  float diversity = 1;              // lambda of maximal marginal relevance; 1: off
  bool parents = false;             // also the text around
  std::string* degraded = nullptr;  // set to what the answer lacks, where the store of the vectors did not give all it should
  SearchTimes* times = nullptr;     // the caller's, where it wants to know
  // Scores of (text, passage) pairs by a cross-encoder, higher is better; empty: none. Of the first `rerank_candidates`, or of as many as
  // are asked for. Where it fails the order stays and `rerank_failed` says why; without that the search fails.
  std::function<Result<std::vector<float>>(const std::string&, std::span<const std::string>)> rerank;
  size_t rerank_candidates = 50;
  std::optional<Error>* rerank_failed = nullptr;
};

struct Hit {
  std::string document, name, title, headings, language;
  std::string text;                       // the chunk: a quote of the document
  std::vector<Span> heads;                // headings in it
  std::string context;                    // what a model wrote about where it stands; not the document's words
  std::string parent;                     // what stands around it, when asked for
  uint32_t row = 0, page = 0;             // page 0: the format has none
  uint32_t begin = 0, end = 0;            // bytes of the document's text
  float score = 0;                        // of all together; of the cross-encoder where that was asked
  float fused = 0;                        // of both legs together
  std::optional<float> words, meaning, rerank;  // of each leg that found it: BM25, cosine, cross-encoder
};

class Collection {
 public:
  // Opens or makes. kUnavailable names the file and the cause.
  static Result<std::unique_ptr<Collection>> open(const std::string& folder, CollectionOptions options);
  ~Collection();  // checkpoints

  // Reads, cuts, embeds, commits. A file that cannot be read becomes a document with status "failed" and the reason, and
  // what it said before is gone; only errors of ours (disk, embedder) are an Error, and change nothing.
  Result<AddResult> add(DocumentInput document);
  // Several in one transaction: faster by far for small ones.
  Result<std::vector<AddResult>> add_all(std::vector<DocumentInput> documents);
  // Gone from every later read when it returns. The number of those that were there.
  Result<size_t> remove(std::span<const std::string> ids);
  // The same document for other readers or with other metadata. kNotFound.
  Status describe(const std::string& id, Metadata metadata, std::optional<std::vector<std::string>> allow);

  // kInvalid: a field that no document has; an embedding of another width.
  Result<std::vector<Hit>> search(const SearchRequest& request);

  Result<DocumentInfo> document(const std::string& id, const Reader& reader);              // kNotFound, also without access
  Result<std::vector<DocumentInfo>> list(const std::string& after, size_t limit, const Reader& reader);  // by id
  Result<std::string> text(const std::string& id, const Reader& reader);                   // all of it
  bool has(const std::string& id, const std::string& hash);                                // ready with this content

  // The embedder's name and width that the vectors were made with differ from the options': search goes on with
  // the old ones, adding is refused with kConflict, until reembed() has run.
  bool needs_reembedding() const;
  std::string embedded_with() const;
  // All chunks anew with the options' embedder; progress(done, all). The old vectors serve until the end. Goes on where
  // it was when it is interrupted.
  Status reembed(const std::function<void(size_t, size_t)>& progress = {});

  // Makes what is missing of the graph of vectors, now; progress(done, all).
  Status build_graph(std::stop_token stop, const std::function<void(uint64_t, uint64_t)>& progress = {});

  Weights weights() const;
  Status set_weights(const Weights& weights);
  struct Stats {
    size_t documents = 0, chunks = 0;
    uint64_t rebuilt = 0;                         // indexes made anew at opening
    uint64_t graph_rows = 0, graph_missing = 0;   // rows in the graph of vectors; rows that will be
  };
  Stats stats() const;
  // How much a term tells: its idf here.
  std::unordered_map<std::string, float> term_weights(std::string_view text);
  const CollectionOptions& options() const { return options_; }
  Status checkpoint();

  std::string store() const;                        // that the vectors are searched in; empty: here
  size_t waiting() const;                           // rows that it has not acknowledged yet
  void settle();                                    // sends these, as far as it takes them now; they are sent again by themselves, too
  // Compares the store with the log: sends what it lacks, deletes what it has too much. `all`: makes it anew.
  struct Repair { size_t rows = 0, lacked = 0, extra = 0; };
  Result<Repair> repair(bool all = false, const std::function<void(size_t, size_t)>& progress = {});

 private:
  struct Prepared;      // a document read, cut and embedded
  struct Connection;    // of a reader
  struct Lease;
  struct Outside;       // the store of the vectors (collection_outside.cc)
  Status migrate();
  std::vector<index::Language> languages() const;  // most documents first; with state_lock_ held
  explicit Collection(std::string folder, CollectionOptions options);
  Status recover();
  Status replay_words();
  Status replay_vectors();
  Status read_documents();
  Status read_documents_from(store::Statement rows);  // id, first_row, rows, allow, metadata, language
  enum When : uint8_t { kServing, kClosing };
  Status keep_documents(When when);                   // their table anew when enough has changed
  Prepared prepare(DocumentInput document);
  Status embed(std::vector<Prepared>& documents);
  Status write_contexts(Prepared& document);
  Status forget_contexts(const Prepared& document);
  std::string context_key(const Prepared& document, size_t chunk) const;
  bool lacks_context(const std::string& id);
  Status write(Prepared& document, std::vector<uint32_t>& gone);
  Status publish(std::vector<Prepared>& documents, const std::vector<uint32_t>& gone);
  Status checkpoint_locked();
  void grow_graph();                                  // in the background; with writer_lock_ held
  Result<Lease> lease();
  Result<std::vector<index::QueryTerm>> query_terms(std::string_view text) const;
  index::FetchVectors fetcher();
  Result<std::optional<std::string>> meta(const char* key);
  Status set_meta(const char* key, const std::string& value);
  Status transaction(const std::function<Status()>& body);
  Status open_outside();
  Status journal(int64_t first, int64_t rows, bool send);  // within a transaction: what the store is to be told
  Status journal_all();
  Status leave_generation();                               // the next takes its place, within the transaction that says so
  Status send_journal();
  void drop_unreadable(std::vector<Hit>& hits, const Reader& reader) const;  // and names the documents of the others
  static Status rerank_hits(const SearchRequest& request, std::vector<Hit>& hits);
  std::vector<index::Scored> nearest_outside(const SearchRequest& request, const Predicate& predicate, const index::Bitmap& rows, size_t limit, const index::FetchVectors& fetch);
  std::string vectors_table(int64_t generation) const { return "vectors_" + std::to_string(generation); }

  const std::string folder_;
  const CollectionOptions options_;

  std::mutex writer_lock_;                // one writer; guards all up to state_lock_
  std::optional<store::Database> writer_;
  uint32_t next_row_ = 1;
  std::unordered_map<int, std::unique_ptr<index::Analyzer>> analyzers_;
  uint64_t rebuilt_ = 0;
  int64_t documents_file_ = 0;            // number of the table of documents; 0: none
  bool documents_lost_ = false;           // it is gone or damaged

  mutable std::shared_mutex state_lock_;  // guards all up to pool_lock_; changed with both locks held
  Visible visible_;
  std::map<index::Language, size_t> language_counts_;     // documents with chunks
  index::Bm25Index words_;
  std::shared_ptr<index::VectorIndex> vectors_;           // null: words alone
  int64_t generation_ = 0;
  std::string embedded_name_;
  uint32_t embedded_width_ = 0;
  Weights weights_;

  std::jthread graph_thread_;             // the writer's
  std::atomic<bool> graph_growing_ = false;

  std::mutex pool_lock_;                  // guards pool_
  std::vector<std::unique_ptr<Connection>> pool_;
  std::unique_ptr<Outside> outside_;      // null: the vectors are searched here; set while it is opened
};

}  // namespace ajar::rag
