#include "rag/library.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::rag {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxId = 64;
constexpr size_t kMaxOwnerFolder = 200;
constexpr std::string_view kUnfinished = ".new-", kRemoved = ".gone-";

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxId && id[0] != '.' && id[0] != '+' &&
         std::ranges::all_of(id, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; });
}

std::unexpected<Error> no_collection(const std::string& id) { return fail(Code::kNotFound, "there is no collection '" + id + "'"); }

Status sync_path(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int cause = errno;
  if (fd >= 0) ::close(fd);
  if (!synced) return fail(Code::kUnavailable, "cannot write " + path + ": " + std::strerror(cause));
  return {};
}

Status make_folder(const std::string& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) return fail(Code::kUnavailable, "cannot make the folder " + path + ": " + failed.message());
  return {};
}

Status write_about(const std::string& folder, const About& about) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("name", about.name);
  w.field("description", about.description);
  w.field("created_ms", about.created_ms);
  if (!about.metadata.empty()) w.raw_field("metadata", about.metadata);
  if (!about.rerank.empty()) w.field("rerank", about.rerank);
  w.end_object();
  const std::string file = folder + "/about.json", part = file + "." + new_id("");
  std::ofstream(part, std::ios::binary) << out << '\n';
  AJAR_TRY(sync_path(part));
  if (std::rename(part.c_str(), file.c_str()) != 0) return fail(Code::kUnavailable, "cannot write " + file + ": " + std::strerror(errno));
  return sync_path(folder);
}

Result<About> read_about(const std::string& folder, const std::string& id) {
  std::ifstream in(folder + "/about.json", std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return no_collection(id);
  json::Document document;
  auto object = document.parse_object(text.str());
  if (!object) return std::unexpected(std::move(object).error().in(folder + "/about.json"));
  About about{.id = id, .name = std::string(json::string_or(*object, "name")), .description = std::string(json::string_or(*object, "description")),
              .created_ms = json::int_or(*object, "created_ms")};
  if (const auto metadata = json::find(*object, "metadata")) about.metadata = json::raw(*metadata);
  about.rerank = json::string_or(*object, "rerank");
  return about;
}

// Of a folder that holds a collection.
Result<Usage> read_usage(const std::string& folder) {
  AJAR_ASSIGN(store::Database database, store::Database::open(folder + "/collection.db"));
  AJAR_ASSIGN(store::Statement get, database.prepare(
      "SELECT coalesce((SELECT value FROM meta WHERE key = 'embedder'), ''), coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'width'), 0), "
      "count(*) FILTER (WHERE status = 'ready'), count(*) FILTER (WHERE status <> 'ready'), coalesce(sum(bytes), 0), coalesce(max(added_ms), 0) FROM documents"));
  AJAR_TRY(get.step());
  Usage usage{.embedder = get.text(0), .width = static_cast<uint32_t>(get.integer(1)), .ready = get.integer(2), .failed = get.integer(3),
              .bytes = get.integer(4), .last_ms = get.integer(5)};
  AJAR_ASSIGN(store::Statement store, database.prepare("SELECT value FROM meta WHERE key = 'store'"));
  AJAR_ASSIGN(const bool there, store.step());
  if (!there) return usage;
  usage.store = store.text(0);
  AJAR_ASSIGN(store::Statement waiting, database.prepare("SELECT count(*) FROM outbox"));
  AJAR_TRY(waiting.step());
  usage.waiting = waiting.integer(0);
  return usage;
}

// What a collection has in another store: a file that outlives the rest of it until the store has dropped that.
constexpr const char* kLeft = "/left.txt";  // the store, then its collections, one a line

Status write_left(const std::string& folder) {
  AJAR_ASSIGN(store::Database database, store::Database::open(folder + "/collection.db"));
  AJAR_ASSIGN(store::Statement get, database.prepare(
      "SELECT (SELECT value FROM meta WHERE key = 'store'), (SELECT value FROM meta WHERE key = 'store_collection'), "
      "coalesce((SELECT value FROM meta WHERE key = 'generation'), '0'), coalesce((SELECT value FROM meta WHERE key = 'store_left'), '')"));
  AJAR_TRY(get.step());
  if (get.text(0).empty() || get.text(1).empty()) return {};
  std::string out = get.text(0) + "\n" + get.text(1) + "_g" + get.text(2) + "\n";
  for (const auto name : split(get.text(3), ' '))
    if (!name.empty()) out += std::string(name) + "\n";
  std::ofstream(folder + kLeft, std::ios::binary) << out;
  AJAR_TRY(sync_path(folder + kLeft));
  return sync_path(folder);
}

// Of a folder that is removed all but that file.
void clear_removed(const std::string& folder) {
  std::error_code ignored;
  if (!fs::exists(folder + kLeft, ignored)) {
    fs::remove_all(folder, ignored);
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().filename() != kLeft + 1) fs::remove_all(entry.path(), ignored);
}

}  // namespace

struct Library::Slot {
  const std::string folder;
  std::shared_mutex use;                   // guards all below; alone: to open, close, remove
  std::unique_ptr<Collection> collection;  // null: closed
  int lock = -1;                           // of the file `lock`; goes with the process, also when it is killed
  std::atomic<uint64_t> used = 0;

  explicit Slot(std::string path) : folder(std::move(path)) {}
  ~Slot() {
    collection.reset();
    if (lock >= 0) ::close(lock);
  }
};

Collection& Library::Opened::operator*() const { return *slot_->collection; }

Result<std::unique_ptr<Library>> Library::open(LibraryOptions options) {
  std::unique_ptr<Library> library(new Library(std::move(options)));
  const std::string& root = library->options_.folder;
  AJAR_TRY(make_folder(root));
  // What was begun when a process ended.
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool old = fs::file_time_type::clock::now() - entry.last_write_time(ignored) > std::chrono::hours(1);
    if (name.starts_with(kRemoved)) clear_removed(entry.path().string());
    if (name.starts_with(kUnfinished) && old) fs::remove_all(entry.path(), ignored);
  }
  return library;
}

Library::~Library() = default;

std::string Library::folder_of(const std::string& owner) const {
  if (owner.empty()) return options_.folder;
  const std::string encoded = percent_encode(owner);
  return options_.folder + "/+" + (encoded.size() <= kMaxOwnerFolder ? encoded : sha256_hex(owner));
}

Result<std::string> Library::folder_of(const std::string& owner, const std::string& id) const {
  const std::string folder = folder_of(owner) + "/" + id;
  std::error_code ignored;
  if (!is_id(id) || !fs::exists(folder + "/about.json", ignored)) return no_collection(id);
  return folder;
}

Result<About> Library::create(const std::string& owner, About about, const std::string& embedder, const std::string& store) {
  if (!is_id(about.id)) return invalid("name", "a collection's name has 1 to 64 letters, digits and . _ - and does not begin with a dot");
  std::lock_guard lock(creating_);
  AJAR_ASSIGN(const auto there, list(owner));
  if (there.size() >= options_.max_collections) return fail(Code::kTooLarge, "there are " + std::to_string(there.size()) + " collections already; remove some first");
  const std::string parent = folder_of(owner), folder = parent + "/" + about.id;
  std::error_code ignored;
  if (fs::exists(folder, ignored)) return fail(Code::kConflict, "there is a collection '" + about.id + "' already", "name");
  std::string model = embedder;
  if (model.empty()) {
    AJAR_ASSIGN(model, options_.choose());
  }
  CollectionOptions options = options_.collection;
  if (!model.empty() && model != "none") {
    AJAR_ASSIGN(options.embedder, options_.embedder(model));
  }
  options.store = store.empty() ? options_.store : store == "here" ? "" : store;
  if (!options.store.empty()) {
    if (!store.empty() && !options.embedder) return invalid("store", "a collection that is searched by words alone has no vectors for a store: it needs an embedder");
    if (!options.embedder) options.store.clear();
    else if (!options.open_store) return fail(Code::kNotFound, "there is no vector store '" + options.store + "' here", "store");
    else AJAR_TRY(options.open_store(options.store, "new"));  // it is in the configuration; it may be down
  }
  // Whole before it has its name.
  AJAR_TRY(make_folder(parent));
  const std::string unfinished = options_.folder + "/" + std::string(kUnfinished) + new_id("");
  AJAR_TRY(make_folder(unfinished));
  about.created_ms = unix_millis();
  Status made = write_about(unfinished, about);
  if (made) {
    auto collection = Collection::open(unfinished, options);  // notes the embedder
    if (!collection) made = std::unexpected(std::move(collection).error());
  }
  if (made && std::rename(unfinished.c_str(), folder.c_str()) != 0) made = fail(Code::kUnavailable, "cannot make " + folder + ": " + std::strerror(errno));
  if (made) made = sync_path(parent);
  if (!made) {
    fs::remove_all(unfinished, ignored);
    return std::unexpected(std::move(made).error());
  }
  return about;
}

std::shared_ptr<Library::Slot> Library::slot_of(const std::string& folder) {
  std::lock_guard lock(slots_lock_);
  auto& slot = slots_[folder];
  if (!slot) slot = std::make_shared<Slot>(folder);
  slot->used = ++clock_;
  return slot;
}

Result<Library::Opened> Library::get(const std::string& owner, const std::string& id) {
  AJAR_ASSIGN(const std::string folder, folder_of(owner, id));
  const std::shared_ptr<Slot> slot = slot_of(folder);
  while (true) {
    {
      std::shared_lock use(slot->use);
      if (slot->collection) return Opened(slot, std::move(use));
    }
    {
      std::unique_lock alone(slot->use);
      if (!slot->collection) AJAR_TRY(open_slot(*slot));
    }
    make_room(*slot);
  }
}

// These three with slot.use held alone.
Status Library::lock_slot(Slot& slot) {
  if (slot.lock >= 0) return {};
  std::error_code ignored;
  const std::string id = fs::path(slot.folder).filename().string();
  if (!fs::exists(slot.folder + "/about.json", ignored)) return no_collection(id);  // removed meanwhile
  const std::string file = slot.folder + "/lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return fail(Code::kUnavailable, "cannot write " + file + ": " + std::strerror(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return fail(Code::kConflict, "another ajar has the collection '" + id + "' open");
  }
  slot.lock = lock;
  ++open_;
  return {};
}

Status Library::open_slot(Slot& slot) {
  AJAR_TRY(lock_slot(slot));
  CollectionOptions options = options_.collection;
  auto usage = read_usage(slot.folder);
  if (usage && !usage->embedder.empty()) {
    // The model is looked for when something is to be embedded, not before.
    options.embedder = Embedder{usage->embedder, usage->width,
                                [make = options_.embedder, name = usage->embedder](std::span<const std::string> texts) -> Result<std::vector<float>> {
                                  auto embedder = make(name);
                                  if (!embedder) return fail(Code::kUnavailable, "the collection was embedded with '" + name + "': " + embedder.error().message);
                                  return embedder->embed(texts);
                                }};
  }
  auto collection = usage ? Collection::open(slot.folder, std::move(options)) : std::unexpected(std::move(usage).error());
  if (!collection) {
    close_slot(slot);
    return std::unexpected(std::move(collection).error());
  }
  slot.collection = std::move(*collection);
  return {};
}

void Library::close_slot(Slot& slot) {
  slot.collection.reset();
  if (slot.lock < 0) return;
  ::close(std::exchange(slot.lock, -1));
  --open_;
}

void Library::make_room(const Slot& but) {
  if (open_ <= options_.max_open) return;
  std::vector<std::pair<uint64_t, std::shared_ptr<Slot>>> slots;
  {
    std::lock_guard lock(slots_lock_);
    for (const auto& [folder, slot] : slots_)
      if (slot.get() != &but) slots.emplace_back(slot->used.load(), slot);
  }
  std::ranges::sort(slots, {}, &std::pair<uint64_t, std::shared_ptr<Slot>>::first);
  for (const auto& [used, slot] : slots) {
    if (open_ <= options_.max_open) return;
    const std::unique_lock alone(slot->use, std::try_to_lock);
    if (alone) close_slot(*slot);
  }
}

Result<About> Library::about(const std::string& owner, const std::string& id) {
  AJAR_ASSIGN(const std::string folder, folder_of(owner, id));
  return read_about(folder, id);
}

Result<About> Library::find(const std::string& owner, const std::string& id_or_name) {
  if (auto by_id = about(owner, id_or_name); by_id || by_id.error().code != Code::kNotFound) return by_id;
  AJAR_ASSIGN(auto all, list(owner));
  std::erase_if(all, [&](const About& one) { return one.name != id_or_name; });
  if (all.empty()) return no_collection(id_or_name);
  if (all.size() > 1) return fail(Code::kConflict, std::to_string(all.size()) + " collections are named '" + id_or_name + "': say which by its id", "collection");
  return std::move(all.front());
}

Result<std::vector<About>> Library::list(const std::string& owner) {
  std::vector<About> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder_of(owner), none)) {
    const std::string id = entry.path().filename().string();
    if (!is_id(id)) continue;
    if (auto about = read_about(entry.path().string(), id)) out.push_back(std::move(*about));
  }
  std::ranges::sort(out, [](const About& a, const About& b) { return std::tie(a.created_ms, a.id) < std::tie(b.created_ms, b.id); });
  return out;
}

Result<Usage> Library::usage(const std::string& owner, const std::string& id) {
  AJAR_ASSIGN(const std::string folder, folder_of(owner, id));
  return read_usage(folder);
}

Status Library::describe(const std::string& owner, const About& about) {
  AJAR_ASSIGN(const std::string folder, folder_of(owner, about.id));
  return write_about(folder, about);
}

Status Library::remove(const std::string& owner, const std::string& id) {
  AJAR_ASSIGN(const std::string folder, folder_of(owner, id));
  const std::shared_ptr<Slot> slot = slot_of(folder);
  const std::string removed = options_.folder + "/" + std::string(kRemoved) + new_id("");
  {
    const std::unique_lock alone(slot->use);
    AJAR_TRY(lock_slot(*slot));  // another process may be using it
    slot->collection.reset();
    (void)write_left(folder);  // a damaged collection must go, too
    const bool renamed = std::rename(folder.c_str(), removed.c_str()) == 0;
    const int cause = errno;
    close_slot(*slot);
    if (!renamed) return fail(Code::kUnavailable, "cannot remove " + folder + ": " + std::strerror(cause));
    AJAR_TRY(sync_path(folder_of(owner)));
    std::lock_guard lock(slots_lock_);
    slots_.erase(folder);
  }
  clear_removed(removed);
  (void)finish_removals();  // what is still there is dropped when the store answers
  return {};
}

Status Library::finish_removals() {
  std::error_code ignored;
  Status done;
  for (const auto& entry : fs::directory_iterator(options_.folder, ignored)) {
    const std::string folder = entry.path().string();
    if (!entry.path().filename().string().starts_with(kRemoved)) continue;
    std::ifstream in(folder + kLeft, std::ios::binary);
    std::string store, name;
    Status dropped;
    if (std::getline(in, store) && options_.collection.open_store) {
      while (dropped && std::getline(in, name)) {
        auto opened = options_.collection.open_store(store, name);
        dropped = opened ? (*opened)->drop() : Status(std::unexpected(std::move(opened).error()));
      }
    } else if (in) {
      dropped = fail(Code::kNotFound, "the vector store '" + store + "' is not at hand here");
    }
    if (dropped) fs::remove_all(entry.path(), ignored);
    else done = dropped;
  }
  return done;
}

Status Library::reembed(const std::string& owner, const std::string& id, const std::string& embedder, const std::function<void(size_t, size_t)>& progress) {
  AJAR_ASSIGN(const std::string folder, folder_of(owner, id));
  CollectionOptions options = options_.collection;
  AJAR_ASSIGN(options.embedder, options_.embedder(embedder));
  const std::shared_ptr<Slot> slot = slot_of(folder);
  const std::unique_lock alone(slot->use);
  AJAR_TRY(lock_slot(*slot));
  slot->collection.reset();
  auto collection = Collection::open(folder, std::move(options));
  Status done = collection ? (*collection)->reembed(progress) : Status(std::unexpected(std::move(collection).error()));
  if (collection && done) (*collection)->settle();
  if (collection) collection->reset();
  close_slot(*slot);
  return done;
}

}  // namespace ajar::rag
