#pragma once
// Known servers: how to reach each, which dialect it speaks, how it wants its key, whose prices hold. Adding one that
// speaks a known dialect is one row in presets.cc, or three lines of configuration.

#include <span>
#include <string_view>

#include "base/error.h"
#include "core/request.h"

namespace ajar {

// How a key is sent. kAws: a bearer key, or a signature over the request. kGoogle: an API key, a given access token, or
// tokens of a service account.
enum class AuthStyle : uint8_t { kBearer, kXApiKey, kApiKey, kGoogApiKey, kAws, kGoogle };

struct Preset {
  std::string_view name;
  DialectId dialect;
  std::string_view base_url;    // empty: must be configured; {region} and {location} are filled in
  AuthStyle auth;
  std::string_view price_list;  // empty: none
  bool free;                    // usually own hardware: no price means no cost
  std::string_view key_env;     // where people keep its key, for help texts
};

std::span<const Preset> presets();
const Preset* find_preset(std::string_view name);  // null: unknown

}  // namespace ajar
