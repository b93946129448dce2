#pragma once
// Who may ask, and how much: keys and teams in memory, backed by the store. Looking up a key takes no lock that a
// writer holds for long and never touches the file, so a slow or broken disk does not stop serving.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "gateway/account.h"
#include "store/store.h"

namespace ajar {

struct Team {
  store::TeamRow row;
  std::shared_ptr<Account> account;
};

struct Key {
  store::KeyRow row;
  std::shared_ptr<Account> account;
  std::shared_ptr<Account> team_account;  // null: no team, or a team without limits of its own

  // True when this key may use the route. An entry may end in '*'.
  bool may_use(std::string_view route) const;
  bool has_budget() const;        // of its own or its team's
  bool has_money_budget() const;
};

// What one running call holds of its key and team. Settling happens once; a Reservation that dies unsettled gives
// everything back and books nothing.
class Reservation {
 public:
  Reservation() = default;
  // Reserves on the key, then on its team; all or nothing. `key` may be null (open server).
  static Result<Reservation> make(std::shared_ptr<const Key> key, const Estimate& estimate);
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation();

  Status extend(const Estimate& more);
  void settle(const Estimate& spent);
  const Estimate& held() const { return held_; }

 private:
  std::shared_ptr<const Key> key_;
  Estimate held_;
};

// Changes to a key or team; what is not set stays.
struct KeySpec {
  std::string name;
  std::string team;
  std::vector<std::string> routes;
  store::Limits limits;
  int64_t expires_ms = 0;
  std::string data_class;
};

class Tenants {
 public:
  // Loads all from the store. Blocks.
  static Result<std::unique_ptr<Tenants>> load(store::Store& store);

  // The key that this secret belongs to. kUnauthenticated: unknown, revoked or expired. Any thread, no lock.
  Result<std::shared_ptr<const Key>> authenticate(std::string_view secret) const;

  // A key that lives in this process only and has no limits: the server's own first request. Gives its secret.
  std::string add_guest(const std::string& name);
  // By id, or by the name of a valid key. kNotFound.
  Result<std::shared_ptr<const Key>> find(const std::string& id_or_name) const;

  struct NewKey {
    std::string secret;  // shown once, kept nowhere
    store::KeyRow row;
  };
  // These block on the store: call them on a blocking pool.
  Result<NewKey> create_key(const KeySpec& spec);
  Result<NewKey> rotate_key(const std::string& id_or_name);  // a new secret, the old one dies at once
  Result<store::KeyRow> update_key(const std::string& id_or_name, const KeySpec& spec);
  Status revoke_key(const std::string& id_or_name);
  Result<store::TeamRow> put_team(const std::string& name, const store::Limits& limits);
  Status delete_team(const std::string& name);

  std::vector<std::shared_ptr<const Key>> keys() const;  // revoked ones included
  std::vector<std::shared_ptr<const Team>> teams() const;

 private:
  struct Snapshot {
    std::unordered_map<std::string, std::shared_ptr<const Key>> by_hash;  // valid keys only
    std::vector<std::shared_ptr<const Key>> keys;
    std::vector<std::shared_ptr<const Team>> teams;
  };
  explicit Tenants(store::Store& store) : store_(store) {}
  std::shared_ptr<Account> team_account(const std::string& name);
  void publish(std::vector<std::shared_ptr<const Key>> keys,
               std::vector<std::shared_ptr<const Team>> teams);
  Status store_and_publish(std::shared_ptr<const Key> key);

  store::Store& store_;
  std::mutex change_lock_;  // one change at a time; readers never take it
  std::atomic<std::shared_ptr<const Snapshot>> snapshot_{std::make_shared<Snapshot>()};
};

}  // namespace ajar
