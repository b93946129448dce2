#pragma once
// The admin API's JSON: keys, teams, usage, routes. Money stands in dollars outside and in nano-dollars inside.

#include <string>
#include <vector>

#include "gateway/decide.h"
#include "gateway/gateway.h"
#include "http/server.h"
#include "json/write.h"

namespace ajar::api {

// {"name","team","routes":[…],"rpm","tpm","concurrency","usd_day","usd_month","tokens_day","tokens_month",
//  "expires_ms","data_class"}. Members that are absent keep what `spec` has. Unknown members and wrong types are kInvalid.
Status read_key_spec(std::string_view body, KeySpec& spec);
Status read_limits(std::string_view body, store::Limits& limits);

void write_key(json::Writer& w, const store::KeyRow& row, Account* account);
void write_team(json::Writer& w, const store::TeamRow& row, Account* account);
std::string write_usage(const std::vector<store::UsageRow>& rows, const std::vector<std::string>& group_by);
std::string write_calls(const std::vector<store::CallRow>& rows);
std::string write_routes(const Snapshot& snapshot);
std::string write_decision(const Decision& decision);

// {"data":[…]}; `write` writes one element.
template <class List, class Write>
std::string list_json(const List& list, Write write) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const auto& item : list) write(w, item);
  w.end_array();
  w.end_object();
  return out;
}

Task<> send_json(Exchange& exchange, int status, std::string body);

}  // namespace ajar::api
