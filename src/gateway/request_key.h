#pragma once
// The canonical name of a request: equal for two requests exactly when nothing that can change the answer differs
// between them.

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/request.h"

namespace ajar {

// The first 128 bits of a SHA-256: nobody can make two requests that share one.
struct RequestKey {
  std::array<uint8_t, 16> bytes{};

  std::string hex() const;
  static std::optional<RequestKey> from_hex(std::string_view hex);
  bool operator==(const RequestKey&) const = default;
};

struct RequestKeyHash {
  size_t operator()(const RequestKey& key) const {
    size_t hash;
    std::memcpy(&hash, key.bytes.data(), sizeof hash);
    return hash;
  }
};

// `scope` names everything beside the request that can change its answer: who may see it, the route and its policy.
// Left out of the key is what only says how the answer is delivered or accounted for: streaming, usage, `user`, metadata,
// service tier, storing, cache hints to the provider.
RequestKey request_key(const Request& request, std::string_view scope);

// Of any text; to name a policy.
RequestKey text_key(std::string_view text);

}  // namespace ajar
