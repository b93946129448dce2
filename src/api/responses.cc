// POST /v1/responses, and the responses that Ajar keeps: GET and DELETE /v1/responses/{id}, …/input_items, …/cancel.
#include "wire/responses/responses.h"

#include "api/api.h"
#include "api/call_sink.h"
#include "base/random.h"
#include "base/text.h"
#include "json/write.h"

namespace ajar::api {
namespace {

// A conversation that is continued goes to the model whole, so it has a bound.
constexpr size_t kMaxTurns = 500;
constexpr size_t kMaxHistoryBytes = 32 << 20;
constexpr size_t kMaxReferences = 1000;

Error no_response(const std::string& id) {
  return {.code = Code::kNotFound, .message = "there is no response '" + id + "' that this key may see",
          .type = "response_not_found"};
}

using Row = store::ResponseRow;

// The response of that id, seen by this caller. Unknown and another's are the same.
Result<Row> find_response(store::Store& store, const std::string& id, const Caller& caller) {
  AJAR_ASSIGN(auto row, store.response(id));
  if (!row || !row->belongs_to(caller.key_id, caller.team)) return std::unexpected(no_response(id));
  return std::move(*row);
}

// The item arrays of a chain of responses, oldest first.
Result<std::vector<std::string>> history(store::Store& store, const std::string& id, const Caller& caller) {
  std::vector<std::string> newest_first;
  size_t bytes = 0, turns = 0;
  const auto too_long = [](const std::string& what) {
    return invalid("previous_response_id", "the responses that this one continues are more than " + what);
  };
  for (std::string next = id; !next.empty();) {
    if (++turns > kMaxTurns) return too_long(std::to_string(kMaxTurns) + " turns");
    auto row = find_response(store, next, caller);
    if (!row) {
      Error error = std::move(row).error();
      error.field = "previous_response_id";
      if (error.code == Code::kNotFound) error.type = "previous_response_not_found";
      return std::unexpected(std::move(error));
    }
    bytes += row->bytes();
    if (bytes > kMaxHistoryBytes) return too_long(std::to_string(kMaxHistoryBytes >> 20) + " MiB");
    newest_first.push_back(wire::responses::output_of(row->response));
    newest_first.push_back(std::move(row->input));
    next = std::move(row->previous);
  }
  return std::vector<std::string>(std::make_move_iterator(newest_first.rbegin()),
                                  std::make_move_iterator(newest_first.rend()));
}

// The items that the request refers to by id, in the order of the ids.
Result<std::vector<std::string>> find_items(store::Store& store, const std::vector<std::string>& ids,
                                            const Caller& caller) {
  std::vector<std::string> out;
  for (const std::string& id : ids) {
    AJAR_ASSIGN(const auto row, store.response_of_item(id));
    std::string item;
    if (row && row->belongs_to(caller.key_id, caller.team)) {
      item = wire::responses::find_item(wire::responses::output_of(row->response), id);
      if (item.empty()) item = wire::responses::find_item(row->input, id);
    }
    if (item.empty()) {
      return std::unexpected(Error{.code = Code::kNotFound,
                                   .message = "there is no item '" + id + "' that this key may see",
                                   .field = "input", .type = "item_not_found"});
    }
    out.push_back(std::move(item));
  }
  return out;
}

// Keeps the reply before the client has its end, so that no follow-up comes too early.
class KeepingSink final : public ChatSink {
 public:
  KeepingSink(Exchange& exchange, const wire::Front& front, const Context& context, bool stream,
              wire::ReplyOptions options, store::Store& store, Row row)
      : ChatSink(exchange, front, context, stream, std::move(options)), store_(store), row_(std::move(row)) {}

 protected:
  void on_reply(std::string_view reply) override {
    row_.response = reply;
    row_.items = wire::responses::item_ids(row_.input);
    for (std::string& id : wire::responses::item_ids(wire::responses::output_of(reply))) {
      row_.items.push_back(std::move(id));
    }
    store_.keep(std::move(row_));
  }

 private:
  store::Store& store_;
  Row row_;
};

Task<> send_answer(Exchange& exchange, const std::string& body) {
  Headers headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}};
  co_await exchange.send(200, std::move(headers), body);
}

}  // namespace

Task<Result<std::string>> Api::gather(Request& request, const Context& context) {
  store::Store& store = parts_.store;
  const Caller caller = context.caller;
  const auto ids = wire::responses::references(request);
  if (ids.size() > kMaxReferences) {
    co_return invalid("input", "at most " + std::to_string(kMaxReferences) + " items can be referred to by id");
  }
  if (!ids.empty()) {
    auto items = co_await parts_.blocking.run([&store, ids, caller] { return find_items(store, ids, caller); });
    if (!items) co_return std::unexpected(std::move(items).error());
    for (size_t i = 0; i < ids.size(); ++i) AJAR_CO_TRY(wire::responses::resolve(request, ids[i], (*items)[i]));
  }
  std::string own = request.store.value_or(true) ? wire::responses::write_input(request) : std::string();
  if (!request.previous_id.empty()) {
    auto earlier = co_await parts_.blocking.run(
        [&store, id = request.previous_id, caller] { return history(store, id, caller); });
    if (!earlier) co_return std::unexpected(std::move(earlier).error());
    AJAR_CO_TRY(wire::responses::prepend(request, *earlier));
  }
  co_return own;
}

Task<> Api::responses(Exchange& exchange) {
  HttpRequest& http = exchange.request();
  const wire::Front& front = wire::responses::front();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error(), front.write_error);
  auto request = front.read_request(http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error(), front.write_error);
  }
  std::string().swap(http.body);
  Context context = new_context(exchange, *key, front.endpoint);
  const bool keeps = parts_.gateway.snapshot()->config().responses.store;
  if (!keeps) request->store = request->store.value_or(false);
  wire::ReplyOptions options = reply_options(front, *request, exchange);
  if (!keeps) {
    ChatSink sink(exchange, front, context, request->stream, std::move(options));
    co_return co_await parts_.gateway.chat(*request, std::move(*key), context, sink);
  }

  auto own = co_await gather(*request, context);
  if (!own) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, own.error(), front.write_error);
  }
  const bool wanted = request->store.value_or(true);
  Row row{.key_id = context.caller.key_id, .team = context.caller.team, .previous = std::move(request->previous_id),
          .created_ms = unix_millis(), .input = std::move(*own)};
  request->previous_id.clear();
  request->store = false;  // at the provider
  if (!wanted) {
    ChatSink sink(exchange, front, context, request->stream, std::move(options));
    co_return co_await parts_.gateway.chat(*request, std::move(*key), context, sink);
  }
  row.id = options.reply_id = new_id("resp_");
  KeepingSink sink(exchange, front, context, request->stream, std::move(options), parts_.store, std::move(row));
  co_await parts_.gateway.chat(*request, std::move(*key), context, sink);
}

Task<> Api::kept_response(Exchange& exchange) {
  const HttpRequest& http = exchange.request();
  const auto key = authenticate(http);
  if (!key) co_return co_await send_error(exchange, key.error());
  constexpr std::string_view kBefore = "/responses/";
  const auto parts = split(std::string_view(http.path).substr(http.path.find(kBefore) + kBefore.size()), '/');
  const std::string id = percent_decode(parts[0]).value_or("");
  const std::string_view what = parts.size() > 1 ? parts[1] : std::string_view();
  const Caller caller = new_context(exchange, *key, "responses").caller;
  store::Store& store = parts_.store;
  const auto refuse = [&](Code code, std::string message, std::string field = {}) -> Task<> {
    const Error error{.code = code, .message = std::move(message), .field = std::move(field)};
    co_await send_error(exchange, error);
  };
  const bool known = what.empty() || what == "input_items" || what == "cancel";
  if (id.empty() || parts.size() > 2 || !known) {
    co_return co_await refuse(Code::kNotFound, "there is nothing at " + http.path);
  }
  const std::string_view allowed = what == "cancel" ? "POST" : what.empty() ? "GET or DELETE" : "GET";
  const bool takes = http.method == (what == "cancel" ? "POST" : "GET") || (what.empty() && http.method == "DELETE");
  if (!takes) {
    co_return co_await refuse(Code::kMethod, http.path + " takes " + std::string(allowed) + ", not " + http.method);
  }
  auto row = co_await parts_.blocking.run([&store, id, caller] { return find_response(store, id, caller); });
  if (!row) co_return co_await send_error(exchange, row.error());

  if (what == "cancel") {
    co_return co_await refuse(Code::kInvalid, "only responses in the background can be cancelled, and this one has ended");
  }
  if (http.method == "DELETE") {
    const auto gone = co_await parts_.blocking.run([&store, id] { return store.delete_response(id); });
    if (!gone) co_return co_await send_error(exchange, gone.error());
    std::string body;
    json::Writer w(body);
    w.begin_object();
    w.field("id", id);
    w.field("object", "response");
    w.field("deleted", true);
    w.end_object();
    co_return co_await send_answer(exchange, body);
  }
  if (what.empty()) {
    if (query_value(http.query, "stream") == "true") {
      co_return co_await refuse(Code::kUnsupported, "a response that has ended is not streamed again", "stream");
    }
    co_return co_await send_answer(exchange, row->response);
  }
  const std::string limit_text = query_value(http.query, "limit"), order = query_value(http.query, "order");
  const auto limit = limit_text.empty() ? std::optional<int64_t>(20) : parse_int(limit_text);
  if (!limit || *limit < 1 || *limit > 100) {
    co_return co_await refuse(Code::kInvalid, "'limit' must be from 1 to 100", "limit");
  }
  if (!order.empty() && order != "asc" && order != "desc") {
    co_return co_await refuse(Code::kInvalid, "'order' must be asc or desc", "order");
  }
  const auto page = wire::responses::list_items(row->input, size_t(*limit), order != "asc",
                                                query_value(http.query, "after"));
  if (!page) co_return co_await send_error(exchange, page.error());
  co_await send_answer(exchange, *page);
}

}  // namespace ajar::api
