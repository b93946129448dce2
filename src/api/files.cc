// /v1/files and /v1/batches. Rows and bytes are touched on the blocking pool only.
#include "api/api.h"
#include "api/batch_runner.h"
#include "api/owner.h"
#include "base/random.h"
#include "base/text.h"
#include "wire/multipart.h"
#include "wire/openai/batch.h"

namespace ajar::api {
namespace {

using namespace wire::openai;

constexpr size_t kPiece = 256 * 1024;
constexpr Millis kWindow{24LL * 3'600'000};

Task<> send_answer(Exchange& exchange, int status, std::string body) {
  Headers headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}};
  co_await exchange.send(status, std::move(headers), body);
}

struct Paging {
  std::string after;
  int64_t limit = 0;
  bool oldest_first = false;
};
Result<Paging> read_paging(const std::string& query, int64_t usual, int64_t most) {
  Paging paging{.after = query_value(query, "after"), .limit = usual,
                .oldest_first = query_value(query, "order") == "asc"};
  if (const std::string limit = query_value(query, "limit"); !limit.empty()) {
    const auto number = parse_int(limit);
    if (!number || *number < 1 || *number > most) {
      return invalid("limit", "'limit' must be a number from 1 to " + std::to_string(most));
    }
    paging.limit = *number;
  }
  return paging;
}

// One more than asked for was fetched, to see whether there is more.
template <class T>
Page<T> page_of(std::vector<T> rows, int64_t limit) {
  const bool more = int64_t(rows.size()) > limit;
  if (more) rows.resize(size_t(limit));
  return {std::move(rows), more};
}

Error no_such_path(const HttpRequest& request) {
  return {.code = Code::kNotFound, .message = "there is no " + request.method + " " + request.path,
          .type = "unknown_path"};
}

}  // namespace

Task<> Api::files(Exchange& exchange, std::string id, std::string verb) {
  const HttpRequest& request = exchange.request();
  const auto key = authenticate(request);
  if (!key) co_return co_await send_error(exchange, key.error());
  const std::string owner = owner_of(*key);
  store::Store& store = parts_.store;
  const store::Blobs& blobs = parts_.blobs;
  if (id.empty() && request.method == "POST") co_return co_await upload_file(exchange, owner);
  if (id.empty() && request.method == "GET") {
    const auto paging = read_paging(request.query, 10'000, 10'000);
    if (!paging) co_return co_await send_error(exchange, paging.error());
    auto rows = co_await parts_.blocking.run([&store, owner, paging = *paging, purpose = query_value(request.query, "purpose")] {
      return store.list_files(owner, purpose, paging.after, paging.limit + 1, paging.oldest_first);
    });
    if (!rows) co_return co_await send_error(exchange, rows.error());
    co_return co_await send_answer(exchange, 200, write_files(page_of(std::move(*rows), paging->limit)));
  }
  if (request.method == "DELETE" && verb.empty()) {
    const auto gone = co_await parts_.blocking.run([&store, &blobs, owner, id]() -> Status {
      AJAR_TRY(store.find_file(owner, id));
      AJAR_TRY(store.delete_file(owner, id));
      return blobs.remove(id);
    });
    if (!gone) co_return co_await send_error(exchange, gone.error());
    co_return co_await send_answer(exchange, 200, write_deleted_file(id));
  }
  if (id.empty() || request.method != "GET" || (!verb.empty() && verb != "content")) {
    co_return co_await send_error(exchange, no_such_path(request));
  }
  const auto file = co_await parts_.blocking.run([&store, owner, id] { return store.find_file(owner, id); });
  if (!file) co_return co_await send_error(exchange, file.error());
  if (verb.empty()) co_return co_await send_answer(exchange, 200, write_file(*file));

  for (int64_t at = 0; at < file->bytes || at == 0;) {
    const auto piece = co_await parts_.blocking.run([&blobs, id, at] { return blobs.read(id, at, kPiece); });
    if (!piece || (piece->empty() && at < file->bytes)) {
      if (exchange.started()) co_return exchange.abort();  // what is missing must not look whole
      co_return co_await send_error(exchange, piece ? Error{.code = Code::kInternal, .message = "the file is cut short"}
                                                    : piece.error());
    }
    if (!exchange.started()) {
      Headers headers{{"content-type", "application/octet-stream"}, {"x-request-id", exchange.id()}};
      if (!co_await exchange.start(200, std::move(headers))) co_return;
    }
    if (piece->empty()) break;
    if (!co_await exchange.write(*piece)) co_return;
    at += int64_t(piece->size());
  }
  co_await exchange.finish();
}

Task<> Api::upload_file(Exchange& exchange, std::string owner) {
  HttpRequest& request = exchange.request();
  auto form = wire::read_form(request.headers.get("content-type"), request.body);
  if (!form) co_return co_await send_error(exchange, form.error());
  std::string().swap(request.body);
  auto upload = read_file_upload(std::move(*form));
  if (!upload) co_return co_await send_error(exchange, upload.error());
  if (upload->purpose != "batch" && upload->purpose != "assistants" && upload->purpose != "user_data") {
    co_return co_await send_error(exchange, Error{.code = Code::kInvalid,
                                                  .message = "'purpose' must be \"batch\", \"assistants\" or \"user_data\": files for '" + upload->purpose +
                                                             "' are not used by anything here",
                                                  .field = "purpose"});
  }
  StoredFile file{.id = new_id("file-"), .owner = std::move(owner), .name = std::move(upload->name),
                  .purpose = std::move(upload->purpose), .bytes = int64_t(upload->bytes.size()),
                  .created_ms = unix_millis()};
  const auto limits = parts_.gateway.snapshot()->config().batches;
  const int64_t keep = upload->expires_seconds > 0 ? upload->expires_seconds * 1000 : limits.keep_files.count();
  file.expires_ms = keep > 0 ? file.created_ms + keep : 0;
  const auto kept = co_await parts_.blocking.run(
      [&store = parts_.store, &blobs = parts_.blobs, &file, &bytes = upload->bytes, most = limits.max_bytes]() -> Status {
        AJAR_ASSIGN(const int64_t have, store.file_bytes());
        if (have + file.bytes > most) {
          return fail(Code::kTooLarge, "all files together may take " + std::to_string(most) +
                                           " bytes (batches.max_bytes); delete some first", "file");
        }
        AJAR_TRY(blobs.put(file.id, bytes));
        return store.put_file(file);
      });
  if (!kept) co_return co_await send_error(exchange, kept.error());
  co_await send_answer(exchange, 200, write_file(file));
}

Task<> Api::batches(Exchange& exchange, std::string id, std::string verb) {
  const HttpRequest& request = exchange.request();
  const auto key = authenticate(request);
  if (!key) co_return co_await send_error(exchange, key.error());
  const std::string owner = owner_of(*key);
  store::Store& store = parts_.store;
  if (id.empty() && request.method == "POST") co_return co_await create_batch(exchange, *key, owner);
  if (id.empty() && request.method == "GET") {
    const auto paging = read_paging(request.query, 20, 100);
    if (!paging) co_return co_await send_error(exchange, paging.error());
    auto rows = co_await parts_.blocking.run([&store, owner, paging = *paging] {
      return store.list_batches(owner, paging.after, paging.limit + 1);
    });
    if (!rows) co_return co_await send_error(exchange, rows.error());
    co_return co_await send_answer(exchange, 200, write_batches(page_of(std::move(*rows), paging->limit)));
  }
  if (!id.empty() && verb.empty() && request.method == "GET") {
    const auto batch = co_await parts_.blocking.run([&store, owner, id] { return store.find_batch(owner, id); });
    if (!batch) co_return co_await send_error(exchange, batch.error());
    co_return co_await send_answer(exchange, 200, write_batch(*batch));
  }
  if (!id.empty() && verb == "cancel" && request.method == "POST") {
    const auto batch = co_await parts_.blocking.run([&store, owner, id] {
      return store.cancel_batch(owner, id, unix_millis());
    });
    if (!batch) co_return co_await send_error(exchange, batch.error());
    if (is_over(batch->status)) {
      co_return co_await send_error(exchange, Error{.code = Code::kConflict,
                                                    .message = "the batch is over: its status is '" +
                                                               std::string(batch_status_name(batch->status)) + "'"});
    }
    parts_.runner->cancel(id);
    co_return co_await send_answer(exchange, 200, write_batch(*batch));
  }
  co_await send_error(exchange, no_such_path(request));
}

Task<> Api::create_batch(Exchange& exchange, std::shared_ptr<const Key> key, std::string owner) {
  auto spec = read_batch_request(exchange.request().body);
  if (!spec) co_return co_await send_error(exchange, spec.error());
  const auto endpoints = answerable();
  if (std::ranges::find(endpoints, spec->endpoint) == endpoints.end()) {
    std::string known;
    for (const auto endpoint : endpoints) known += (known.empty() ? "" : ", ") + std::string(endpoint);
    co_return co_await send_error(exchange, Error{.code = Code::kInvalid,
                                                  .message = "'endpoint' must be one of " + known,
                                                  .field = "endpoint"});
  }
  Batch batch{.id = new_id("batch_"), .owner = std::move(owner), .key_id = key ? key->row.id : "",
              .endpoint = std::move(spec->endpoint), .input_file = std::move(spec->input_file),
              .output_file = new_id("file-"), .error_file = new_id("file-"), .window = std::move(spec->window),
              .metadata = std::move(spec->metadata), .created_ms = unix_millis()};
  batch.expires_ms = batch.created_ms + kWindow.count();
  const auto kept = co_await parts_.blocking.run([&store = parts_.store, batch]() -> Status {
    auto file = store.find_file(batch.owner, batch.input_file);
    if (!file) return invalid("input_file_id", file.error().message);
    if (file->purpose != "batch") return invalid("input_file_id", "the file's purpose is not \"batch\"");
    return store.put_batch(batch);
  });
  if (!kept) co_return co_await send_error(exchange, kept.error());
  std::string body = write_batch(batch);
  parts_.runner->submit(std::move(batch));
  co_await send_answer(exchange, 200, std::move(body));
}

}  // namespace ajar::api
