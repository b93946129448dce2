#include "app/admin_client.h"

#include "app/chat_client.h"
#include "app/files.h"

namespace ajar::app {

std::string server_url(const CommandContext& context, const std::string& given) {
  std::string url = given.empty() ? context.environment("AJAR_URL").value_or("http://127.0.0.1:8080") : given;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string api_key(const CommandContext& context, const std::string& given) { return given.empty() ? context.environment("AJAR_API_KEY").value_or("") : given; }

void add_admin_options(CommandLine command, AdminArgs& args) {
  command.add_option("-u,--url", args.url, "Server (or AJAR_URL; default http://127.0.0.1:8080)");
  command.add_option("-t,--token", args.token, "Admin token (or AJAR_ADMIN_TOKEN; default: the data folder's)");
  command.add_option("-d,--data", args.data, "Data folder with admin.token (default: data)");
}

AdminClient::AdminClient(const CommandContext& context, const AdminArgs& args) {
  url_ = server_url(context, args.url);
  folder_ = args.data.empty() ? context.environment("AJAR_DATA").value_or("data") : args.data;
  token_ = args.token.empty() ? context.environment("AJAR_ADMIN_TOKEN").value_or("") : args.token;
  if (token_.empty()) token_ = read_admin_token(folder_).value_or("");
}

Result<std::string> AdminClient::call(const std::string& method, const std::string& path, const std::string& body) {
  if (token_.empty()) {
    return fail(Code::kUnauthenticated, "no admin token: give --token, set AJAR_ADMIN_TOKEN, or name the data folder "
                                        "with --data (there is no admin.token in '" + folder_ + "')");
  }
  auto reply = caller_.call(method, url_ + path, {{"authorization", "Bearer " + token_}}, body);
  if (!reply) {
    return fail(reply.error().code, reply.error().message + " (is the server running? `ajar serve`)");
  }
  if (reply->status >= 300) {
    return fail(Code::kUpstream, "HTTP " + std::to_string(reply->status) + ": " + error_message(reply->body));
  }
  return std::move(reply->body);
}

}  // namespace ajar::app
