#include "gateway/tenants.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/random.h"

namespace ajar {
namespace {

constexpr std::string_view kSecretPrefix = "sk-ajar-";

std::shared_ptr<Key> make_key(store::KeyRow row, std::shared_ptr<Account> team) {
  auto key = std::make_shared<Key>();
  key->account = std::make_shared<Account>("key '" + row.name + "'", row.limits);
  key->row = std::move(row);
  key->team_account = std::move(team);
  return key;
}

std::shared_ptr<Team> make_team(store::TeamRow row) {
  auto team = std::make_shared<Team>();
  team->account = std::make_shared<Account>("team '" + row.name + "'", row.limits);
  team->row = std::move(row);
  return team;
}

Status check_name(std::string_view what, const std::string& name) {
  if (name.empty()) return invalid("name", std::string(what) + " needs a name");
  if (name.size() > 128) return invalid("name", "a name has at most 128 characters");
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20) {
      return invalid("name", "a name must not contain control characters");
    }
  }
  return {};
}

}  // namespace

bool Key::may_use(std::string_view route) const {
  if (row.routes.empty()) return true;
  return std::ranges::any_of(row.routes, [&](const std::string& allowed) {
    if (allowed.ends_with('*')) return route.starts_with(std::string_view(allowed).substr(0, allowed.size() - 1));
    return route == allowed;
  });
}

bool Key::has_budget() const {
  return account->limits().has_budget() || (team_account && team_account->limits().has_budget());
}
bool Key::has_money_budget() const {
  return account->limits().has_money_budget() ||
         (team_account && team_account->limits().has_money_budget());
}

Result<Reservation> Reservation::make(std::shared_ptr<const Key> key, const Estimate& estimate) {
  Reservation reservation;
  if (!key) return reservation;
  const int64_t now_ms = unix_millis();
  AJAR_TRY(key->account->reserve(estimate, now_ms));
  if (key->team_account) {
    if (auto status = key->team_account->reserve(estimate, now_ms); !status) {
      key->account->settle(estimate, {}, now_ms);
      return std::unexpected(std::move(status).error());
    }
  }
  reservation.key_ = std::move(key);
  reservation.held_ = estimate;
  return reservation;
}

Reservation::Reservation(Reservation&& other) noexcept
    : key_(std::move(other.key_)), held_(std::exchange(other.held_, {})) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    settle({});
    key_ = std::move(other.key_);
    held_ = std::exchange(other.held_, {});
  }
  return *this;
}

Reservation::~Reservation() { settle({}); }

Status Reservation::extend(const Estimate& more) {
  if (!key_) return {};
  const int64_t now_ms = unix_millis();
  AJAR_TRY(key_->account->extend(more, now_ms));
  held_.usd += more.usd;
  held_.tokens += more.tokens;
  if (key_->team_account) {
    if (auto status = key_->team_account->extend(more, now_ms); !status) {
      // Both accounts must hold the same: take it back from the key.
      key_->account->extend({.usd = -more.usd, .tokens = -more.tokens}, now_ms);
      held_.usd -= more.usd;
      held_.tokens -= more.tokens;
      return status;
    }
  }
  return {};
}

void Reservation::settle(const Estimate& spent) {
  if (!key_) return;
  const int64_t now_ms = unix_millis();
  key_->account->settle(held_, spent, now_ms);
  if (key_->team_account) key_->team_account->settle(held_, spent, now_ms);
  key_.reset();
  held_ = {};
}

Result<std::unique_ptr<Tenants>> Tenants::load(store::Store& store) {
  AJAR_ASSIGN(auto key_rows, store.keys());
  AJAR_ASSIGN(auto team_rows, store.teams());
  const int64_t now_ms = unix_millis();
  AJAR_ASSIGN(const auto spend, store.spend(utc_day(now_ms) - 31));

  std::unique_ptr<Tenants> tenants(new Tenants(store));
  std::vector<std::shared_ptr<const Team>> teams;
  std::map<std::string, std::shared_ptr<Account>> team_accounts, key_accounts;
  for (auto& row : team_rows) {
    auto team = make_team(std::move(row));
    team_accounts[team->row.name] = team->account;
    teams.push_back(std::move(team));
  }
  std::vector<std::shared_ptr<const Key>> keys;
  for (auto& row : key_rows) {
    const auto team = team_accounts.find(row.team);
    auto key = make_key(std::move(row), team == team_accounts.end() ? nullptr : team->second);
    key_accounts[key->row.id] = key->account;
    keys.push_back(std::move(key));
  }
  for (const auto& row : spend) {
    const auto& accounts = row.team ? team_accounts : key_accounts;
    if (const auto account = accounts.find(row.id); account != accounts.end()) {
      account->second->restore(row.day, row.usd, row.tokens, now_ms);
    }
  }
  tenants->publish(std::move(keys), std::move(teams));
  return tenants;
}

void Tenants::publish(std::vector<std::shared_ptr<const Key>> keys,
                      std::vector<std::shared_ptr<const Team>> teams) {
  auto snapshot = std::make_shared<Snapshot>();
  for (const auto& key : keys) {
    if (key->row.revoked_ms == 0) snapshot->by_hash[key->row.hash] = key;
  }
  snapshot->keys = std::move(keys);
  snapshot->teams = std::move(teams);
  snapshot_.store(std::move(snapshot));
}

Result<std::shared_ptr<const Key>> Tenants::authenticate(std::string_view secret) const {
  const auto snapshot = snapshot_.load();
  // Looked up by hash, so nothing is compared byte by byte with a secret.
  const auto found = snapshot->by_hash.find(sha256_hex(secret));
  if (found == snapshot->by_hash.end()) {
    return fail(Code::kUnauthenticated, "the API key is not known here, or has been revoked");
  }
  if (found->second->row.expires_ms != 0 && found->second->row.expires_ms <= unix_millis()) {
    return fail(Code::kUnauthenticated, "the API key has expired");
  }
  return found->second;
}

Result<std::shared_ptr<const Key>> Tenants::find(const std::string& id_or_name) const {
  const auto snapshot = snapshot_.load();
  std::shared_ptr<const Key> match;
  for (const auto& key : snapshot->keys) {
    if (key->row.id == id_or_name) return key;
    if (key->row.name == id_or_name && key->row.revoked_ms == 0) match = key;
  }
  if (match) return match;
  return fail(Code::kNotFound, "there is no key '" + id_or_name + "'");
}

std::shared_ptr<Account> Tenants::team_account(const std::string& name) {
  const auto snapshot = snapshot_.load();
  for (const auto& team : snapshot->teams) {
    if (team->row.name == name) return team->account;
  }
  return nullptr;
}

Status Tenants::store_and_publish(std::shared_ptr<const Key> key) {
  AJAR_TRY(store_.put_key(key->row));
  const auto snapshot = snapshot_.load();
  auto keys = snapshot->keys;
  const auto old = std::ranges::find_if(keys, [&](const auto& k) { return k->row.id == key->row.id; });
  if (old == keys.end()) keys.push_back(std::move(key));
  else *old = std::move(key);
  publish(std::move(keys), snapshot->teams);
  return {};
}

Result<Tenants::NewKey> Tenants::create_key(const KeySpec& spec) {
  AJAR_TRY(check_name("a key", spec.name));
  std::lock_guard lock(change_lock_);
  if (!spec.team.empty() && !team_account(spec.team)) {
    return fail(Code::kNotFound, "there is no team '" + spec.team + "'", "team");
  }
  NewKey made{.secret = std::string(kSecretPrefix) + secure_base62(40)};
  made.row = {.id = new_id("key_"), .name = spec.name, .hash = sha256_hex(made.secret),
              .hint = made.secret.substr(made.secret.size() - 4), .team = spec.team,
              .routes = spec.routes, .limits = spec.limits, .data_class = spec.data_class, .created_ms = unix_millis(),
              .expires_ms = spec.expires_ms};
  AJAR_TRY(store_and_publish(make_key(made.row, team_account(spec.team))));
  return made;
}

std::string Tenants::add_guest(const std::string& name) {
  std::lock_guard lock(change_lock_);
  const std::string secret = std::string(kSecretPrefix) + secure_base62(40);
  const auto snapshot = snapshot_.load();
  auto keys = snapshot->keys;
  keys.push_back(make_key({.id = "guest_" + name, .name = name, .hash = sha256_hex(secret),
                           .created_ms = unix_millis()}, nullptr));
  publish(std::move(keys), snapshot->teams);
  return secret;
}

Result<Tenants::NewKey> Tenants::rotate_key(const std::string& id_or_name) {
  std::lock_guard lock(change_lock_);
  AJAR_ASSIGN(const auto old, find(id_or_name));
  if (old->row.revoked_ms != 0) return fail(Code::kConflict, "the key is revoked");
  NewKey made{.secret = std::string(kSecretPrefix) + secure_base62(40), .row = old->row};
  made.row.hash = sha256_hex(made.secret);
  made.row.hint = made.secret.substr(made.secret.size() - 4);
  auto key = std::make_shared<Key>(*old);  // the account, with all it has spent, stays
  key->row = made.row;
  AJAR_TRY(store_and_publish(std::move(key)));
  return made;
}

Result<store::KeyRow> Tenants::update_key(const std::string& id_or_name, const KeySpec& spec) {
  AJAR_TRY(check_name("a key", spec.name));
  std::lock_guard lock(change_lock_);
  AJAR_ASSIGN(const auto old, find(id_or_name));
  if (!spec.team.empty() && !team_account(spec.team)) {
    return fail(Code::kNotFound, "there is no team '" + spec.team + "'", "team");
  }
  auto key = std::make_shared<Key>(*old);
  key->row.name = spec.name;
  key->row.team = spec.team;
  key->row.routes = spec.routes;
  key->row.limits = spec.limits;
  key->row.data_class = spec.data_class;
  key->row.expires_ms = spec.expires_ms;
  key->team_account = team_account(spec.team);
  const auto row = key->row;
  AJAR_TRY(store_and_publish(std::move(key)));
  old->account->set_limits(spec.limits);
  return row;
}

Status Tenants::revoke_key(const std::string& id_or_name) {
  std::lock_guard lock(change_lock_);
  AJAR_ASSIGN(const auto old, find(id_or_name));
  auto key = std::make_shared<Key>(*old);
  key->row.revoked_ms = unix_millis();
  return store_and_publish(std::move(key));
}

Result<store::TeamRow> Tenants::put_team(const std::string& name, const store::Limits& limits) {
  AJAR_TRY(check_name("a team", name));
  std::lock_guard lock(change_lock_);
  const auto snapshot = snapshot_.load();
  auto teams = snapshot->teams;
  const auto old = std::ranges::find_if(teams, [&](const auto& t) { return t->row.name == name; });
  store::TeamRow row{.name = name, .limits = limits,
                     .created_ms = old == teams.end() ? unix_millis() : (*old)->row.created_ms};
  AJAR_TRY(store_.put_team(row));
  if (old == teams.end()) {
    teams.push_back(make_team(row));
  } else {
    (*old)->account->set_limits(limits);
    auto team = std::make_shared<Team>(**old);
    team->row = row;
    *old = std::move(team);
  }
  publish(snapshot->keys, std::move(teams));
  return row;
}

Status Tenants::delete_team(const std::string& name) {
  std::lock_guard lock(change_lock_);
  const auto snapshot = snapshot_.load();
  for (const auto& key : snapshot->keys) {
    if (key->row.team == name && key->row.revoked_ms == 0) {
      return fail(Code::kConflict, "key '" + key->row.name + "' belongs to team '" + name + "'");
    }
  }
  AJAR_ASSIGN(const bool deleted, store_.delete_team(name));
  if (!deleted) return fail(Code::kNotFound, "there is no team '" + name + "'");
  auto teams = snapshot->teams;
  std::erase_if(teams, [&](const auto& team) { return team->row.name == name; });
  publish(snapshot->keys, std::move(teams));
  return {};
}

std::vector<std::shared_ptr<const Key>> Tenants::keys() const { return snapshot_.load()->keys; }
std::vector<std::shared_ptr<const Team>> Tenants::teams() const { return snapshot_.load()->teams; }

}  // namespace ajar
