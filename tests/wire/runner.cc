#include "runner.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "compare.h"
#include "dialects.h"
#include "json/read.h"
#include "replay.h"
#include "wire/openai/embeddings.h"

namespace ajar::wiretest {
namespace {

class Run {
 public:
  explicit Run(const Case& c) : case_(c) {}

  Outcome run() {
    upstream_ = find_upstream(case_.get("target", "openai"));
    front_ = find_front(case_.get("front", "openai"));
    if (front_ == nullptr) {
      complain("front", "unknown dialect '" + case_.get("front") + "'");
    } else if (upstream_ == nullptr) {
      complain("target", "unknown dialect '" + case_.get("target") + "'");
    } else if (case_.get("kind") == "embeddings") {
      embeddings();
    } else {
      chat();
    }
    if (outcome_.complaints.empty() && case_.find("error") && !error_seen_) {
      complain("error", "expected an error, there was none");
    }
    if (outcome_.complaints.empty() && outcome_.checks == 0) complain("case", "it checks nothing");
    return std::move(outcome_);
  }

 private:
  void complain(std::string_view what, std::string_view why) {
    outcome_.complaints.append("    ").append(what).append(": ").append(why);
    if (!outcome_.complaints.ends_with('\n')) outcome_.complaints.push_back('\n');
  }
  void same_json(std::string_view what, std::string_view expected, std::string_view got) {
    ++outcome_.checks;
    if (const std::string diff = json_diff(expected, got, mask()); !diff.empty()) {
      complain(what, "JSON differs\n" + diff);
    }
  }
  std::vector<std::string> mask() const {
    std::vector<std::string> out;
    for (const std::string_view name : split(case_.get("mask"), ' ')) {
      if (!name.empty()) out.emplace_back(name);
    }
    return out;
  }

  wire::TargetInfo target() const {
    wire::TargetInfo info;
    info.model = case_.get("model", "target-model");
    info.preset = case_.get("preset", upstream_->name);
    info.base_path = case_.get("base_path", upstream_->name == "openai" ? "/v1" : "");
    info.api_version = case_.get("api_version");
    info.keep_unknown = case_.get("keep_unknown", "true") == "true";
    info.default_max_tokens = parse_int(case_.get("default_max_tokens", "0")).value_or(0);
    return info;
  }

  wire::Framing client_framing() const {
    return wire::framing_of(front_->stream_type, wire::Framing::kNone, true);
  }

  // True when this error is the one the case asks for.
  void check_error(std::string_view stage, const Error& error) {
    const Section* section = case_.find("error");
    if (section == nullptr)
      return complain(stage, "unexpected error: " + describe(Status(std::unexpected(error))));
    error_seen_ = true;
    ++outcome_.checks;
    const auto want = parse_pairs(section->body);
    const auto get = [&](const std::string& key) {
      const auto found = want.find(key);
      return found == want.end() ? std::optional<std::string>() : found->second;
    };
    const auto equal = [&](const std::string& key, std::string_view got) {
      if (const auto expected = get(key); expected && *expected != got) {
        complain(stage,
                 "error " + key + ": expected '" + *expected + "', got '" + std::string(got) + "'");
      }
    };
    equal("code", code_name(error.code));
    equal("field", error.field);
    equal("type", error.type);
    equal("upstream_status", std::to_string(error.upstream_status));
    equal("retry_after_ms", std::to_string(error.retry_after_ms));
    if (const auto part = get("message"); part && error.message.find(*part) == std::string::npos) {
      complain(stage, "error message lacks '" + *part + "': " + error.message);
    }
    if (const Section* body = case_.find("error_body")) {
      const int status = int(parse_int(body->arg(0)).value_or(400));
      same_json("error_body", body->body, front_->write_error(error, status, "req_test"));
    }
  }

  void check_upstream(const wire::WireRequest& request) {
    const Section* section = case_.find("upstream");
    if (section == nullptr) return;
    std::string_view rest = section->body;
    const auto next_line = [&] {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      return line;
    };
    ++outcome_.checks;
    if (const std::string_view path = next_line(); path != request.path) {
      complain("upstream",
               "path: expected '" + std::string(path) + "', got '" + request.path + "'");
    }
    std::vector<std::pair<std::string, std::string>> headers;
    while (!rest.empty() && rest.front() != '{') {
      const std::string_view line = next_line();
      if (line.empty()) continue;
      const size_t colon = std::min(line.find(':'), line.size());
      headers.emplace_back(to_lower(trim(line.substr(0, colon))),
                           trim(line.substr(std::min(colon + 1, line.size()))));
    }
    auto got = request.headers;
    for (auto& header : got) header.first = to_lower(header.first);
    std::ranges::sort(headers);
    std::ranges::sort(got);
    if (headers != got) {
      std::string list;
      for (const auto& [name, value] : got) list += "      " + name + ": " + value + "\n";
      complain("upstream", "headers differ, got\n" + list);
    }
    same_json("upstream", rest, request.body);

    std::vector<std::string> dropped = request.dropped, expected;
    if (const Section* list = case_.find("dropped")) expected = lines_of(list->body);
    std::ranges::sort(dropped);
    std::ranges::sort(expected);
    if (dropped != expected) {
      std::string list;
      for (const std::string& name : dropped) list += " " + name;
      complain("dropped", "got [" + list + " ]");
    }
  }

  // The bytes of a `reply` section.
  std::string reply_bytes(const Section& section) const {
    if (section.arg(0) != "chunks") return section.body;
    return framed(lines_of(section.body), upstream_->framing, upstream_->named_events);
  }

  void chat() {
    Request request;
    wire::ReplyOptions options;
    options.dialect = front_->id;
    options.include_usage = case_.get("include_usage") == "true";
    if (const Section* client = case_.find("client")) {
      auto read = front_->read_request(client->body);
      if (!read) return check_error("client", read.error());
      request = std::move(*read);
      options.include_usage = request.include_usage;
      options.model = request.model;
      options.legacy_functions = request.legacy_functions;
      ++outcome_.checks;
      const auto written = upstream_->write_request(request, target());
      if (!written) return check_error("upstream", written.error());
      check_upstream(*written);
    }
    bool any_stream = false;
    for (const Section& s : case_.sections) {
      any_stream = any_stream || (s.name == "reply" && (s.arg(0) == "chunks" || s.arg(0) == "sse"));
    }
    std::string first_reply;
    for (const Section& section : case_.sections) {
      if (section.name == "reply") reply(section, options, any_stream, first_reply);
    }
  }

  void reply(const Section& section, const wire::ReplyOptions& options, bool any_stream,
             std::string& first_reply) {
    const std::string bytes = reply_bytes(section);
    const std::string form = section.arg(0);
    const int status = int(parse_int(section.arg(1)).value_or(200));
    if (status >= 400) {
      const std::string type = form == "json" ? "application/json" : form;
      return check_error("reply", upstream_->read_error(status, type, trim(bytes)));
    }
    const bool streamed = form == "chunks" || form == "sse";
    const wire::Framing framing = form == "chunks" ? upstream_->framing : wire::Framing::kSse;
    const Replay replay = streamed ? replay_stream(upstream_->new_decoder, bytes, 0, 0, framing)
                                   : replay_body(upstream_->new_decoder, bytes);
    if (streamed) {
      ++outcome_.checks;
      const std::string complaint = check_splits(upstream_->new_decoder, bytes, replay, framing);
      if (!complaint.empty()) complain("reply", complaint);
    }
    if (!replay.end) check_error("reply", replay.end.error());

    if (const Section* stream = case_.find("stream"); stream && (streamed || !any_stream)) {
      check_client_stream(*stream, replay, options);
    }
    if (!replay.end) return;
    Fold fold;
    fold.add(replay.events);
    const Reply whole = fold.take();
    const std::string written = front_->write_reply(whole, options);
    if (const Section* json = case_.find("json")) same_json("json", json->body, written);
    if (first_reply.empty()) {
      first_reply = written;
    } else {
      same_json("stream and whole reply", first_reply, written);
    }
    check_refold(replay, whole, options);
  }

  void check_client_stream(const Section& section, const Replay& replay,
                           const wire::ReplyOptions& options) {
    const auto encoder = front_->new_encoder(options);
    std::string bytes;
    for (const EventBatch& batch : replay.batches) encoder->encode(batch, bytes);
    StreamEnd end = StreamEnd::kComplete;
    Error error;
    if (!replay.end) {
      error = replay.end.error();
      end = error.code == Code::kCut ? StreamEnd::kCut : StreamEnd::kUpstreamError;
    }
    if (case_.get("end") == "cancelled") {
      end = StreamEnd::kCancelled;
      error = Error{.code = Code::kCancelled, .message = "the client left"};
    } else if (case_.get("end") == "filtered") {
      end = StreamEnd::kFiltered;
      error = Error{.code = Code::kFiltered, .message = "a policy stopped the reply"};
    } else if (case_.get("end") == "timeout") {
      end = StreamEnd::kUpstreamError;
      error = Error{.code = Code::kTimeout, .message = "the deadline passed"};
    }
    encoder->finish(end, end == StreamEnd::kComplete ? nullptr : &error, bytes);

    const std::vector<std::string> got = payloads(bytes, client_framing()), expected = lines_of(section.body);
    for (size_t i = 0; i < std::max(got.size(), expected.size()); ++i) {
      const std::string what = "stream[" + std::to_string(i) + "]";
      ++outcome_.checks;
      if (i >= got.size()) {
        complain(what, "expected " + expected[i] + ", the stream ended");
      } else if (i >= expected.size()) {
        complain(what, "nothing more expected, got " + got[i]);
      } else if (expected[i] == "[DONE]" || got[i] == "[DONE]") {
        if (expected[i] != got[i]) complain(what, "expected " + expected[i] + ", got " + got[i]);
      } else {
        same_json(what, expected[i], got[i]);
      }
    }
  }

  // What a client puts together from our stream is what our whole reply says; and unfold undoes
  // fold.
  void check_refold(const Replay& replay, const Reply& whole, wire::ReplyOptions options) {
    options.include_usage = true;
    const std::string expected = front_->write_reply(whole, options);
    Fold again;
    again.add(unfold(whole));
    ++outcome_.checks;
    if (const auto diff = json_diff(expected, front_->write_reply(again.take(), options),
                                    {"id", "created"});
        !diff.empty()) {
      complain("fold(unfold(reply))", "differs\n" + diff);
    }
    const Upstream* same = find_upstream(dialect_name(front_->id));
    if (same == nullptr || case_.get("refold") == "no") return;
    const auto encoder = front_->new_encoder(options);
    std::string bytes;
    for (const EventBatch& batch : replay.batches) encoder->encode(batch, bytes);
    encoder->finish(StreamEnd::kComplete, nullptr, bytes);
    const Replay seen = replay_stream(same->new_decoder, bytes, 0, 0, client_framing());
    if (!seen.end) return complain("our own stream", describe(seen.end));
    Fold fold;
    fold.add(seen.events);
    ++outcome_.checks;
    if (const auto diff =
            json_diff(expected, front_->write_reply(fold.take(), options), {"id", "created"});
        !diff.empty()) {
      complain("our own stream, folded", "is not our whole reply\n" + diff);
    }
  }

  void embeddings() {
    EmbeddingRequest request;
    if (const Section* client = case_.find("client")) {
      auto read = wire::openai::read_embedding_request(client->body);
      if (!read) return check_error("client", read.error());
      request = std::move(*read);
      const auto written = upstream_->write_embedding_request(request, target());
      if (!written) return check_error("upstream", written.error());
      ++outcome_.checks;
      check_upstream(*written);
    }
    const Section* reply = case_.find("reply");
    if (reply == nullptr) return;
    const auto read = upstream_->read_embedding_reply(reply->body);
    if (!read) return check_error("reply", read.error());
    ++outcome_.checks;
    if (const Section* json = case_.find("json")) {
      same_json("json", json->body, wire::openai::write_embedding_reply(*read, request));
    }
  }

  const Case& case_;
  const Upstream* upstream_ = nullptr;
  const wire::Front* front_ = nullptr;
  Outcome outcome_;
  bool error_seen_ = false;
};

}  // namespace

Outcome run_case(const Case& c) { return Run(c).run(); }

}  // namespace ajar::wiretest
