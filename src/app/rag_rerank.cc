#include "app/rag_rerank.h"

#include <future>
#include <memory>

#include "app/chat_client.h"
#include "app/http_call.h"
#include "base/random.h"
#include "provider/cross_encoder.h"
#include "wire/rerank/rerank.h"

namespace ajar::app {
namespace {

// Nobody is told of the call's end but who waits for its reply.
class SilentSink final : public ReplySink {
 public:
  void begin(const Answered&) override {}
  Task<Status> write(EventBatch&) override { co_return Status(); }
  Task<int> finish(StreamEnd, const Error* error, const store::CallRow&) override { co_return error == nullptr ? 200 : 502; }
};

// One call; whoever waits may have gone before its end.
struct Asked {
  RerankRequest request;
  std::shared_ptr<const Key> key;
  Context context;
  CancelToken cancel;
  std::promise<Result<RerankReply>> replied;
};

Task<> ask(Gateway* gateway, std::shared_ptr<Asked> asked) {
  SilentSink sink;
  asked->context.cancel = &asked->cancel;
  asked->context.data_class = gateway->snapshot()->config().rag.data_class;
  asked->replied.set_value(co_await gateway->rerank(asked->request, asked->key, asked->context, sink));
}

// Scores in the order of the passages, whatever the order of the reply.
Result<std::vector<float>> scores_of(const RerankReply& reply, size_t passages) {
  std::vector<std::optional<float>> found(passages);
  for (const auto& one : reply.results)
    if (one.index < passages) found[one.index] = float(one.score);
  std::vector<float> out;
  for (const auto& score : found) {
    if (!score) return fail(Code::kUpstream, "the reply does not have a score for every passage");
    out.push_back(*score);
  }
  return out;
}

RerankRequest request_of(const rag::RerankQuestion& question) {
  return {.model = question.route, .query = question.query, .documents = {question.passages.begin(), question.passages.end()}};
}

}  // namespace

rag::Score gateway_score(Gateway& gateway, const Tenants& tenants, Metrics& metrics, Loop& loop) {
  return [&gateway, &tenants, &metrics, &loop](const rag::RerankQuestion& question) -> Result<std::vector<float>> {
    auto asked = std::make_shared<Asked>();
    asked->request = request_of(question);
    if (question.payer.starts_with("key:")) {
      AJAR_ASSIGN(asked->key, tenants.find(question.payer.substr(4)));
      const auto& row = asked->key->row;
      asked->context.caller = {.key_id = row.id, .key_name = row.name, .team = row.team};
    }
    asked->context.id = new_id("req_");
    asked->context.endpoint = "rerank";
    asked->context.deadline = question.until;
    auto waiting = asked->replied.get_future();
    loop.spawn(ask(&gateway, asked));
    if (waiting.wait_until(question.until) != std::future_status::ready) {
      loop.post([asked] { asked->cancel.cancel(); });
      metrics.rag_rerank("late");
      return fail(Code::kTimeout, "'" + question.route + "' had not answered in time");
    }
    const Result<RerankReply> reply = waiting.get();
    Result<std::vector<float>> scores = reply ? scores_of(*reply, question.passages.size()) : std::unexpected(reply.error());
    metrics.rag_rerank(scores ? "done" : scores.error().code == Code::kTimeout ? "late" : "failed");
    return scores;
  };
}

rag::Score local_score(ModelHost& host, const std::string& url, const std::string& key) {
  return [&host, url, key, caller = std::make_shared<HttpCaller>()](const rag::RerankQuestion& question) -> Result<std::vector<float>> {
    auto model = host.get_blocking(question.route);
    if (model) {
      AJAR_ASSIGN(const PairScores scored, score_pairs(**model, question.query, question.passages, {}, question.until));
      return std::vector<float>(scored.scores.begin(), scored.scores.end());
    }
    if (model.error().code != Code::kNotFound) return std::unexpected(std::move(model).error());
    HttpCaller::Fields headers = {{"Content-Type", "application/json"}};
    if (!key.empty()) headers.emplace_back("Authorization", "Bearer " + key);
    const RerankRequest request = request_of(question);
    AJAR_ASSIGN(const auto body, wire::rerank::write_request(request, {.model = question.route}, DialectId::kOpenAiChat));
    const auto left = std::chrono::duration_cast<Millis>(question.until - now());
    auto reply = caller->call("POST", url + "/v1/rerank", headers, body.body, left);
    if (!reply) return std::unexpected(std::move(reply).error().in("there is no model '" + question.route + "' in the data folder, and a server"));
    if (reply->status != 200) return fail(reply->status == 404 ? Code::kNotFound : Code::kUpstream, error_message(reply->body));
    AJAR_ASSIGN(const RerankReply read, wire::rerank::read_reply(reply->body, request));
    return scores_of(read, question.passages.size());
  };
}

}  // namespace ajar::app
