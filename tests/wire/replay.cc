#include "replay.h"

#include "json/write.h"
#include "sse_split.h"

namespace ajar::wiretest {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string with_line_ends(std::string_view bytes, std::string_view line_end) {
  std::string out;
  for (const char c : bytes) {
    if (c == '\n') {
      out += line_end;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string_view kind_name(Event::Kind kind) {
  static constexpr std::string_view kNames[] = {
      "start", "text",     "refusal",    "thought", "thought_end", "tool_call", "tool_args",
      "media", "logprobs", "annotation", "opaque",  "usage",       "stop",      "extra"};
  return kNames[size_t(kind)];
}

}  // namespace

Replay replay_stream(const NewDecoder& new_decoder, std::string_view bytes, size_t cut,
                     size_t step) {
  Replay out;
  const auto decoder = new_decoder();
  SseSplitter splitter([&](std::string_view name, std::string_view data) {
    if (!out.end || decoder->done()) return;
    EventBatch batch;
    out.end = decoder->on_event(name, data, batch);
    out.events.insert(out.events.end(), batch.begin(), batch.end());
    out.batches.push_back(std::move(batch));
  });
  if (step > 0) {
    for (size_t at = 0; at < bytes.size(); at += step) splitter.feed(bytes.substr(at, step));
  } else {
    splitter.feed(bytes.substr(0, cut));
    splitter.feed(bytes.substr(cut));
  }
  if (out.end) {
    EventBatch batch;
    out.end = decoder->on_end(batch);
    out.events.insert(out.events.end(), batch.begin(), batch.end());
    out.batches.push_back(std::move(batch));
  }
  out.done = decoder->done();
  return out;
}

Replay replay_body(const NewDecoder& new_decoder, std::string_view body) {
  Replay out;
  const auto decoder = new_decoder();
  out.end = decoder->on_body(body, out.events);
  out.batches.push_back(out.events);
  out.done = decoder->done();
  return out;
}

std::string describe(const EventBatch& events) {
  std::string out;
  for (const Event& e : events) {
    out += kind_name(e.kind);
    const auto number = [&](std::string_view name, int64_t value) {
      if (value != 0) out.append(" ").append(name).append("=").append(std::to_string(value));
    };
    const auto text = [&](std::string_view name, std::string_view value) {
      if (!value.empty()) out.append(" ").append(name).append("=").append(quoted(value));
    };
    number("choice", e.choice);
    number("index", e.index);
    number("created", e.created);
    number("redacted", e.redacted);
    number("origin", int64_t(e.origin));
    text("finish", finish_name(e.finish));
    text("text", e.text);
    text("id", e.id);
    text("name", e.name);
    text("raw", e.raw);
    text("top_extra", e.top_extra);
    text("choice_extra", e.choice_extra);
    text("part_extra", e.part_extra);
    number("in", e.usage.input);
    number("out", e.usage.output);
    number("cached_read", e.usage.cached_read);
    number("cached_write", e.usage.cached_write);
    number("cached_write_1h", e.usage.cached_write_1h);
    number("reasoning", e.usage.reasoning);
    number("audio_in", e.usage.audio_input);
    number("audio_out", e.usage.audio_output);
    number("reported", e.usage.reported);
    out.push_back('\n');
  }
  return out;
}

std::string describe(const Status& status) {
  if (status) return "complete";
  const Error& e = status.error();
  return std::string(code_name(e.code)) + " field=" + quoted(e.field) + " type=" + quoted(e.type) +
         " status=" + std::to_string(e.upstream_status) + " " + quoted(e.message);
}

std::vector<std::string> payloads(std::string_view bytes) {
  std::vector<std::string> out;
  SseSplitter splitter([&](std::string_view, std::string_view data) { out.emplace_back(data); });
  splitter.feed(bytes);
  return out;
}

std::string check_splits(const NewDecoder& new_decoder, std::string_view bytes,
                         const Replay& whole) {
  const std::string expected = describe(whole.events) + describe(whole.end);
  const auto differs = [&](const Replay& replay) {
    return describe(replay.events) + describe(replay.end) != expected;
  };
  const size_t stride = std::max<size_t>(1, bytes.size() * bytes.size() / 3'000'000);
  for (size_t cut = 1; cut < bytes.size(); cut += stride) {
    if (differs(replay_stream(new_decoder, bytes, cut))) {
      return "decodes differently when split at byte " + std::to_string(cut);
    }
  }
  if (differs(replay_stream(new_decoder, bytes, 0, 1))) return "decodes differently byte by byte";
  for (const std::string_view line_end : {"\r\n", "\r"}) {
    const std::string changed = with_line_ends(bytes, line_end);
    if (differs(replay_stream(new_decoder, changed)))
      return "decodes differently with CR line ends";
    if (differs(replay_stream(new_decoder, changed, 0, 1))) {
      return "decodes differently with CR line ends, byte by byte";
    }
  }
  return {};
}

}  // namespace ajar::wiretest
