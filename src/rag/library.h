#pragma once
// The collections of a data folder: which there are, whose they are, and those of them that are open. FOLDER/NAME are those
// without an owner, FOLDER/+OWNER/NAME those of one; beside a collection's own files lie about.json and lock. A collection is
// opened when it is first asked for and stays open until others need its place; while it is open no other process may open it.
//
// Threads: any; everything here blocks. An Opened stays on the thread that got it, which has one at a time.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "rag/collection.h"

namespace ajar::rag {

struct LibraryOptions {
  std::string folder;
  CollectionOptions collection;                     // of all; without an embedder
  // The embedder that new collections get; empty: words alone.
  std::function<Result<std::string>()> choose = [] { return Result<std::string>(std::string()); };
  // An embedder by its name. Called for every batch, so that its model need not stay in memory meanwhile.
  std::function<Result<Embedder>(const std::string&)> embedder;
  std::string store;                                // that new collections with an embedder get; empty: their vectors are searched here
  size_t max_open = 32;                             // those in use do not count
  size_t max_collections = 1000;                    // of one owner
};

struct About {
  std::string id;                                   // its folder's name
  std::string name;                                 // for people; several may have the same
  std::string description;
  std::string metadata;                             // a JSON object, or empty
  std::string rerank;                               // the route of its cross-encoder, "none", or empty: the options'
  int64_t created_ms = 0;
};

// What can be said of a collection without opening it.
struct Usage {
  std::string embedder;                             // empty: words alone
  uint32_t width = 0;
  int64_t ready = 0, failed = 0;                    // documents
  int64_t bytes = 0;                                // of their files
  int64_t last_ms = 0;                              // when the last was added; 0: none
  std::string store;                                // that the vectors are searched in; empty: here
  int64_t waiting = 0;                              // rows that it has not acknowledged
};

class Library {
  struct Slot;

 public:
  // Makes the folder when it is missing.
  static Result<std::unique_ptr<Library>> open(LibraryOptions options);
  ~Library();

  // An open collection. As long as one of these is there the collection is neither closed nor removed.
  class Opened {
   public:
    Collection& operator*() const;
    Collection* operator->() const { return &**this; }

   private:
    friend class Library;
    Opened(std::shared_ptr<Slot> slot, std::shared_lock<std::shared_mutex> use) : slot_(std::move(slot)), use_(std::move(use)) {}
    std::shared_ptr<Slot> slot_;
    std::shared_lock<std::shared_mutex> use_;
  };

  // kInvalid: an id that cannot be a folder's name; kConflict: there is one with this id; kTooLarge: the owner has too many.
  // `embedder`: instead of what `choose` says; "none": words alone. `store`: instead of the options'; "here": none.
  Result<About> create(const std::string& owner, About about, const std::string& embedder = {}, const std::string& store = {});
  Result<Opened> get(const std::string& owner, const std::string& id);      // kNotFound; kConflict: another process has it open
  Result<About> about(const std::string& owner, const std::string& id);     // kNotFound
  // The same by id, or by a name that only one has.
  Result<About> find(const std::string& owner, const std::string& id_or_name);
  Result<std::vector<About>> list(const std::string& owner);                // oldest first
  Result<Usage> usage(const std::string& owner, const std::string& id);
  Status describe(const std::string& owner, const About& about);            // name, description, metadata, rerank
  // Waits until nobody uses it. Gone when it returns, also after a crash; its vectors in another store as soon as that answers.
  Status remove(const std::string& owner, const std::string& id);
  // Drops what removed collections have left in other stores that did not answer then. Done by remove(), too.
  Status finish_removals();
  // All vectors anew with another embedder.
  Status reembed(const std::string& owner, const std::string& id, const std::string& embedder, const std::function<void(size_t, size_t)>& progress);
  size_t open_collections() const { return open_; }

 private:
  explicit Library(LibraryOptions options) : options_(std::move(options)) {}
  std::string folder_of(const std::string& owner) const;
  Result<std::string> folder_of(const std::string& owner, const std::string& id) const;  // kNotFound
  std::shared_ptr<Slot> slot_of(const std::string& folder);
  Status lock_slot(Slot& slot);
  Status open_slot(Slot& slot);
  void close_slot(Slot& slot);
  void make_room(const Slot& but);

  const LibraryOptions options_;
  std::atomic<size_t> open_ = 0;
  std::mutex creating_;                             // one at a time, so that the bound holds
  std::mutex slots_lock_;                           // guards slots_ and clock_
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // by folder
  uint64_t clock_ = 0;
};

}  // namespace ajar::rag
