#pragma once
// Whose files, batches and collections a key sees: its team's, where it has one.

#include <memory>
#include <string>

#include "gateway/gateway.h"

namespace ajar::api {

inline std::string owner_of(const std::shared_ptr<const Key>& key) {
  if (!key) return "";
  return key->row.team.empty() ? "key:" + key->row.id : "team:" + key->row.team;
}

}  // namespace ajar::api
