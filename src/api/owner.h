#pragma once
// Whose files, batches and collections a key sees: its team's, where it has one.

#include <memory>
#include <string>

#include "gateway/gateway.h"
#include "rag/metadata.h"

namespace ajar::api {

// `key` empty: the server runs open, without keys.
inline std::string owner_of(const std::string& key, const std::string& team) {
  if (key.empty()) return "";
  return team.empty() ? "key:" + key : "team:" + team;
}
inline std::string owner_of(const std::shared_ptr<const Key>& key) { return key ? owner_of(key->row.id, key->row.team) : ""; }

// As whom it reads documents that have a list of readers.
inline rag::Reader reader_of(const std::string& key, const std::string& team) {
  rag::Reader reader;
  if (key.empty()) return reader;
  reader.principals = {"key:" + key};
  if (!team.empty()) reader.principals.push_back("team:" + team);
  return reader;
}

}  // namespace ajar::api
