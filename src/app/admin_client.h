#pragma once
// The command line's way to the admin API.

#include <string>

#include "app/commands.h"
#include "app/http_call.h"
#include "json/read.h"

namespace ajar::app {

struct AdminArgs {
  std::string url, token, data;
};

// The options that every administrative command shares.
void add_admin_options(CommandLine command, AdminArgs& args);

class AdminClient {
 public:
  // Finds server and token: the options, then AJAR_URL and AJAR_ADMIN_TOKEN, then the data folder.
  AdminClient(const CommandContext& context, const AdminArgs& args);

  // The body of a 2xx. Errors carry what the server said; a server that is not there is named, with what to do.
  Result<std::string> call(const std::string& method, const std::string& path, const std::string& body = {});

 private:
  std::string url_, token_, folder_;
  HttpCaller caller_;
};

// What the admin API's lists are made of.
inline double number(const json::Object& row, const char* name, double otherwise = 0) {
  const auto value = json::find(row, name);
  return value ? json::as_double(*value).value_or(otherwise) : otherwise;
}
// Calls with each element of "data"; false when the answer has another form.
template <class F>
bool each_row(const std::string& body, F f) {
  json::Document document;
  const auto root = document.parse_object(body);
  const auto data = root ? json::find(*root, "data") : std::nullopt;
  const auto list = data ? json::as_array(*data) : std::nullopt;
  if (!list) return false;
  for (const auto item : *list) {
    if (const auto row = json::as_object(item)) f(*row);
  }
  return true;
}

}  // namespace ajar::app
