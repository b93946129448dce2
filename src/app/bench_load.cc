#include "app/bench_load.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <future>

#include "base/text.h"
#include "json/write.h"

namespace ajar::app {
namespace {

// One answer: finds its end, counts its events, reads its clocks. Trusts its peer as far as framing goes.
class Answer {
 public:
  Answer(LoadResult& into, const LoadPlan& plan) : into_(into), plan_(plan), stream_(plan.stream) {}

  void begin(TimePoint at) {
    begun_ = at;
    head_.clear(), tail_.clear();
    status_ = 0, left_ = 0;
    in_head_ = true, chunked_ = false, done_ = false, first_ = true, first_clock_ = true, ended_ = false;
    chunk_ = Chunk::kSize;
  }
  bool done() const { return done_; }
  bool good() const {
    if (status_ != 200) return false;
    return plan_.end.empty() ? !stream_ || tail_.ends_with("data: [DONE]\n\n") : ended_;
  }
  std::string words() const { return "status " + std::to_string(status_) + ", ends with: " + tail_; }

  // False: these bytes are no HTTP.
  bool feed(std::string_view bytes, TimePoint at) {
    if (in_head_) {
      head_ += bytes;
      const size_t end = head_.find("\r\n\r\n");
      if (end == head_.npos) return head_.size() < 65536;
      rest_ = head_.substr(end + 4);
      head_.resize(end + 2);
      if (!read_head()) return false;
      in_head_ = false;
      bytes = rest_;
      if (!chunked_ && left_ == 0) done_ = true;
    }
    if (!chunked_) {
      left_ -= std::min(left_, bytes.size());
      payload(bytes, at);
      done_ = left_ == 0;
      return true;
    }
    return feed_chunks(bytes, at);
  }

 private:
  enum class Chunk { kSize, kData, kDataEnd, kTrailer };

  bool read_head() {
    for (char& c : head_) c = lower(c);
    if (head_.size() < 12) return false;
    status_ = int(parse_int(std::string_view(head_).substr(9, 3)).value_or(0));
    const size_t length = head_.find("\r\ncontent-length:");
    chunked_ = head_.find("\r\ntransfer-encoding: chunked") != head_.npos;
    if (length != head_.npos) {
      const size_t from = length + 17;
      left_ = size_t(parse_int(trim(std::string_view(head_).substr(from, head_.find('\r', from) - from))).value_or(0));
    }
    return status_ != 0 && (chunked_ || length != head_.npos);
  }

  bool feed_chunks(std::string_view bytes, TimePoint at) {
    while (!bytes.empty() && !done_) {
      switch (chunk_) {
        case Chunk::kSize: {
          const size_t line = bytes.find('\n');
          size_text_ += bytes.substr(0, line);
          if (line == bytes.npos) return size_text_.size() < 64;
          bytes.remove_prefix(line + 1);
          size_t size = 0;
          const auto read = std::from_chars(size_text_.data(), size_text_.data() + size_text_.size(), size, 16);
          if (read.ec != std::errc()) return false;
          size_text_.clear();
          left_ = size;
          chunk_ = size == 0 ? Chunk::kTrailer : Chunk::kData;
          break;
        }
        case Chunk::kData: {
          const auto piece = bytes.substr(0, left_);
          payload(piece, at);
          left_ -= piece.size();
          bytes.remove_prefix(piece.size());
          if (left_ == 0) chunk_ = Chunk::kDataEnd;
          break;
        }
        case Chunk::kDataEnd:
          if (bytes.front() == '\n') chunk_ = Chunk::kSize;
          bytes.remove_prefix(1);
          break;
        case Chunk::kTrailer:
          if (bytes.front() == '\n') done_ = true;  // no trailers are expected
          bytes.remove_prefix(1);
          break;
      }
    }
    return true;
  }

  void payload(std::string_view bytes, TimePoint at) {
    if (bytes.empty()) return;
    if (first_) {
      first_ = false;
      into_.first_us.push_back(float(seconds_between(begun_, at) * 1e6));
    }
    if (!plan_.end.empty()) ended_ = ended_ || times(plan_.end, bytes) > 0;
    if (!plan_.token.empty()) into_.tokens += times(plan_.token, bytes);
    if (!stream_ && plan_.end.empty()) return;
    bool after_newline = tail_.ends_with('\n');
    for (const char* from = bytes.data(), *end = from + bytes.size(); from != end;) {
      const char* hit = static_cast<const char*>(std::memchr(from, '\n', size_t(end - from)));
      if (hit == nullptr) break;
      into_.events += hit == from && after_newline;
      after_newline = true;
      from = hit + 1;
      if (from != end && *from != '\n') after_newline = false;
    }
    clocks(bytes, at);
    if (bytes.size() >= 40) tail_.assign(bytes.substr(bytes.size() - 40));
    else (tail_ += bytes).erase(0, tail_.size() - std::min<size_t>(tail_.size(), 40));
  }

  // How often `mark` ends in these bytes; it may begin in the ones before.
  int64_t times(std::string_view mark, std::string_view bytes) const {
    const size_t before = std::min(tail_.size(), mark.size() - 1);
    const std::string seam = tail_.substr(tail_.size() - before).append(bytes.substr(0, mark.size() - 1));
    int64_t found = seam.find(mark) != seam.npos;
    for (const char* from = bytes.data(), *end = from + bytes.size();; from += mark.size(), ++found) {
      from = static_cast<const char*>(memmem(from, size_t(end - from), mark.data(), mark.size()));
      if (from == nullptr) return found;
    }
  }

  // "t=0000001234567890": written by the mock at that time of the clock that both share. Each event arrives in one
  // piece in a paced stream; one that is split is not counted.
  void clocks(std::string_view bytes, TimePoint at) {
    for (size_t from = 0; (from = bytes.find("t=0", from)) != bytes.npos; from += 3) {
      if (bytes.size() - from < 18) return;
      const auto written = parse_int(bytes.substr(from + 2, 16));
      if (!written) continue;
      const auto us = std::chrono::duration<double, std::micro>(at.time_since_epoch()).count();
      into_.delay_us.push_back(float(us - double(*written)));
      if (first_clock_) into_.first_delay_us.push_back(into_.delay_us.back());
      first_clock_ = false;
    }
  }

  LoadResult& into_;
  const LoadPlan& plan_;
  const bool stream_;
  TimePoint begun_;
  std::string head_, rest_, tail_, size_text_;
  int status_ = 0;
  size_t left_ = 0;
  bool in_head_ = true, chunked_ = false, done_ = false, first_ = true, first_clock_ = true, ended_ = false;
  Chunk chunk_ = Chunk::kSize;
};

// One kept connection and its results.
struct Line {
  Line(const LoadPlan& the_plan) : plan(the_plan), answer(result, the_plan) {}
  const LoadPlan& plan;
  LoadResult result;
  Answer answer;
  Stream stream;

  // One request and its answer. False: the connection is of no use any more.
  Task<bool> ask(Connector& connector) {
    const TimePoint deadline = after(plan.patience);
    if (!stream.is_open()) {
      CancelToken token;
      auto made = co_await connector.connect(plan.to, {}, deadline, token);
      if (!made) co_return failed(made.error().message);
      stream = std::move(*made);
    }
    const TimePoint begun = now();
    answer.begin(begun);
    const auto sent = co_await stream.write(plan.request);
    if (!sent) co_return failed("cannot write: " + sent.error().message);
    while (!answer.done()) {
      char* buffer = Loop::current().scratch();
      const auto got = co_await stream.read_some({buffer, Loop::kScratch}, deadline);
      if (!got) co_return failed("cannot read: " + got.error().message);
      if (*got == 0) co_return failed("the connection ended inside an answer");
      if (!answer.feed({buffer, *got}, now())) co_return failed("an answer is not HTTP");
    }
    if (!answer.good()) co_return failed(answer.words());
    ++result.answered;
    result.latency_us.push_back(float(seconds_between(begun, now()) * 1e6));
    co_return true;
  }

  bool failed(std::string why) {
    ++result.failed;
    if (result.failure.empty()) result.failure = std::move(why);
    stream = Stream();
    return false;
  }
};

void add(LoadResult& sum, LoadResult&& one) {
  sum.answered += one.answered;
  sum.failed += one.failed;
  sum.events += one.events;
  sum.tokens += one.tokens;
  if (sum.failure.empty()) sum.failure = std::move(one.failure);
  const auto append = [](std::vector<float>& to, const std::vector<float>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(sum.latency_us, one.latency_us);
  append(sum.first_us, one.first_us);
  append(sum.delay_us, one.delay_us);
  append(sum.first_delay_us, one.first_delay_us);
}

}  // namespace

std::string failures(const LoadResult& result) {
  return result.failed == 0 ? "" : std::to_string(result.failed) + " FAILED: " + result.failure;
}

double quantile(std::vector<float>& values, double q) {
  if (values.empty()) return 0;
  const size_t at = std::min(values.size() - 1, size_t(q * double(values.size())));
  std::nth_element(values.begin(), values.begin() + ptrdiff_t(at), values.end());
  return double(values[at]);
}

std::string request_bytes(const Endpoint& to, std::string_view path, const std::vector<std::string>& headers,
                          std::string_view body) {
  std::string out = "POST " + std::string(path) + " HTTP/1.1\r\nHost: " + to.host + ":" + std::to_string(to.port) +
                    "\r\nContent-Type: application/json\r\nUser-Agent: ajar-bench\r\n";
  for (const auto& line : headers) out += line + "\r\n";
  out += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return out.append(body);
}

std::string filled(size_t size, const std::function<std::string(const std::string& text)>& make) {
  const size_t least = make("").size();
  std::string text;
  const size_t wanted = size > least ? (size - least) * 20 / 21 : 0;  // escapes take a few bytes more
  while (text.size() < wanted) text += "My \"chain\" slips in third gear\nand the brake squeals. ";
  text.resize(wanted);
  return make(text);
}

std::string chat_body(std::string_view model, bool stream, size_t size) {
  return filled(size, [&](const std::string& text) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("model", model);
    if (stream) w.field("stream", true);
    w.field("temperature", 0.7);
    w.field("max_tokens", 4096);
    w.key("messages");
    w.begin_array();
    w.raw(R"({"role":"system","content":"You are the support desk of a bicycle shop. Answer briefly."})");
    w.begin_object();
    w.field("role", "user");
    w.field("content", text);
    w.end_object();
    w.end_array();
    w.end_object();
    return out;
  });
}

LoadResult LoadClient::run(const LoadPlan& plan) {
  std::atomic<int64_t> left = plan.requests;
  std::atomic<int> running = plan.connections;
  std::promise<void> all_done;
  std::vector<std::unique_ptr<Connector>> connectors;
  for (size_t i = 0; i < loops_.size(); ++i) connectors.push_back(std::move(*Connector::create(loops_[i], {})));
  std::vector<std::unique_ptr<Line>> lines;
  const TimePoint begun = now();
  const auto drive = [&](Line& line, Connector& connector, TimePoint begin) -> Task<> {
    if (begin > now()) co_await sleep_until(begin);
    while (--left >= 0) co_await line.ask(connector);
    line.stream = Stream();  // on its own loop
    if (--running == 0) all_done.set_value();
  };
  for (int i = 0; i < plan.connections; ++i) lines.push_back(std::make_unique<Line>(plan));
  for (int i = 0; i < plan.connections; ++i) {
    const size_t loop = size_t(i) % loops_.size();
    loops_[loop].spawn(drive(*lines[size_t(i)], *connectors[loop], begun + plan.ramp * i / plan.connections));
  }
  all_done.get_future().wait();
  LoadResult sum;
  sum.seconds = seconds_between(begun, now());
  for (auto& line : lines) add(sum, std::move(line->result));
  // The last coroutine may still be leaving its frame, which refers to what dies here.
  for (size_t i = 0; i < loops_.size(); ++i) {
    std::promise<void> passed;
    loops_[i].post([&] { connectors[i].reset(), passed.set_value(); });
    passed.get_future().wait();
  }
  return sum;
}

std::pair<LoadResult, LoadResult> LoadClient::alternate(const LoadPlan& a, const LoadPlan& b) {
  Line first(a), second(b);
  auto connector = std::move(*Connector::create(loops_[0], {}));
  std::promise<void> done;
  const auto drive = [&]() -> Task<> {
    for (int64_t i = 0; i < a.requests; ++i) {
      co_await first.ask(*connector);
      co_await second.ask(*connector);
    }
    first.stream = Stream(), second.stream = Stream();
    done.set_value();
  };
  loops_[0].spawn(drive());
  done.get_future().wait();
  std::promise<void> passed;
  loops_[0].post([&] { connector.reset(), passed.set_value(); });
  passed.get_future().wait();
  return {std::move(first.result), std::move(second.result)};
}

}  // namespace ajar::app
