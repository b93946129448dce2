#include "vectors/stores.h"

#include <algorithm>

namespace ajar::vectors {
namespace {

struct Kind {
  std::string_view name;
  std::initializer_list<std::string_view> schemes, consistencies;
  std::unique_ptr<rag::VectorStore> (*open)(const StoreOptions&, const std::string&, const CallHttp&);
};

const Kind kKinds[] = {
    {"qdrant", {"http://", "https://"}, {"weak", "medium", "strong"}, open_qdrant},
    {"pgvector", {"postgres://", "postgresql://"}, {}, [](const StoreOptions& o, const std::string& c, const CallHttp&) { return open_postgres(o, c); }},
    {"weaviate", {"http://", "https://"}, {"ONE", "QUORUM", "ALL"}, open_weaviate},
    {"milvus", {"http://", "https://"}, {"Strong", "Bounded", "Session", "Eventually"}, open_milvus},
    {"pinecone", {"http://", "https://"}, {}, open_pinecone},
};

const Kind* kind_of(const StoreOptions& options) {
  const auto it = std::ranges::find(kKinds, options.kind, &Kind::name);
  return it == std::end(kKinds) ? nullptr : &*it;
}

}  // namespace

Status check_options(const StoreOptions& options) {
  const Kind* kind = kind_of(options);
  if (kind == nullptr) return invalid("kind", "'kind' must be one of qdrant, pgvector, weaviate, milvus, pinecone");
  if (std::ranges::none_of(kind->schemes, [&](std::string_view scheme) { return options.url.starts_with(scheme); })) {
    return invalid("url", "'url' of a store of kind " + options.kind + " begins with " + std::string(*kind->schemes.begin()));
  }
  if (options.kind == "pgvector") {
    const std::string_view at = std::string_view(options.url).substr(options.url.find("//") + 2);
    const std::string_view user = at.substr(0, std::min(at.find('@'), at.find('/')));
    if ((at.find('@') < at.find('/') && user.find(':') != user.npos) || at.find("password=") != at.npos) {
      return invalid("url", "'url' must not hold the password: name the variable that does with api_key_env");
    }
    if (!std::ranges::all_of(options.database, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; })) {
      return invalid("database", "'database' of a store of kind pgvector is a schema of small letters, digits and _");
    }
  }
  if (!options.consistency.empty() && std::ranges::find(kind->consistencies, options.consistency) == kind->consistencies.end()) {
    std::string known;
    for (const auto one : kind->consistencies) known += (known.empty() ? "one of " : ", ") + std::string(one);
    return invalid("consistency", "'consistency' of a store of kind " + options.kind + " is " + (known.empty() ? "not set" : known));
  }
  if (options.timeout <= Millis(0)) return invalid("timeout", "'timeout' must be longer than nothing");
  return {};
}

Result<std::unique_ptr<rag::VectorStore>> open_store(const StoreOptions& options, const std::string& collection, const CallHttp& http) {
  if (auto fine = check_options(options); !fine) return std::unexpected(std::move(fine).error().in("vector_stores." + options.name));
  return kind_of(options)->open(options, collection, http);
}

}  // namespace ajar::vectors
