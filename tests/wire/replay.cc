#include "replay.h"

#include <algorithm>

#include "json/write.h"
#include "json/read.h"
#include "wire/aws_events.h"

namespace ajar::wiretest {
namespace {

std::string in_quotes(std::string_view text) {
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
                     size_t step, wire::Framing framing) {
  Replay out;
  const auto decoder = new_decoder();
  const auto framer = wire::new_framer(framing);
  const wire::OnFrame on_frame = [&](const wire::Frame& frame) -> Status {
    if (!out.end || decoder->done()) return {};
    EventBatch batch;
    // In memory of its own that ends here: a decoder that held on to it would be caught at every frame, not only where a cut moves it.
    const std::string name(frame.name), data(frame.data);
    out.end = decoder->on_event(name, data, batch);
    out.events.insert(out.events.end(), batch.begin(), batch.end());
    out.batches.push_back(std::move(batch));
    return {};
  };
  bool broken = false;
  const auto feed = [&](std::string_view part) {
    if (broken) return;
    const Status fed = framer->feed(part, on_frame);
    broken = !fed;
    if (!fed && out.end && !decoder->done()) out.end = fed;
  };
  if (step > 0) {
    for (size_t at = 0; at < bytes.size(); at += step) feed(bytes.substr(at, step));
  } else {
    feed(bytes.substr(0, cut));
    feed(bytes.substr(cut));
  }
  if (out.end && !decoder->done()) {
    const Status finished = framer->finish(on_frame);
    if (out.end) out.end = finished;
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
      if (!value.empty()) out.append(" ").append(name).append("=").append(in_quotes(value));
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
  return std::string(code_name(e.code)) + " field=" + in_quotes(e.field) + " type=" + in_quotes(e.type) +
         " status=" + std::to_string(e.upstream_status) + " " + in_quotes(e.message);
}

std::vector<std::string> payloads(std::string_view bytes, wire::Framing framing) {
  std::vector<std::string> out;
  const auto framer = wire::new_framer(framing);
  (void)framer->feed(bytes, [&](const wire::Frame& frame) -> Status {
    out.emplace_back(frame.data);
    return {};
  });
  return out;
}

namespace {

std::string big_endian(size_t value) { return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)}; }

std::string aws_message(std::string_view name, std::string_view payload) {
  std::string headers;
  const auto add = [&](std::string_view key, std::string_view value) {
    headers.push_back(char(key.size()));
    headers.append(key).push_back(7);
    headers.append({char(value.size() >> 8), char(value.size())}).append(value);
  };
  const bool exception = name.ends_with("Exception");
  add(exception ? ":exception-type" : ":event-type", name);
  add(":content-type", "application/json");
  add(":message-type", exception ? "exception" : "event");
  std::string out = big_endian(16 + headers.size() + payload.size()) + big_endian(headers.size());
  out += big_endian(wire::crc32(out));
  out.append(headers).append(payload);
  return out + big_endian(wire::crc32(out));
}

}  // namespace

std::string framed(const std::vector<std::string>& lines, wire::Framing framing, bool named) {
  std::string out = framing == wire::Framing::kJsonArray ? "[" : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    json::Document document;
    const auto object = document.parse_object(line);
    if (framing == wire::Framing::kAwsEvents) {
      if (!object || object->size() == 0) continue;
      for (const auto member : *object) out += aws_message(member.key, json::raw(member.value));
    } else if (framing == wire::Framing::kJsonLines) {
      out.append(line).append("\n");
    } else if (framing == wire::Framing::kJsonArray) {
      out.append(line).append(i + 1 < lines.size() ? "\n,\r\n" : "\n]\n");
    } else {
      if (named && object) out.append("event: ").append(json::string_or(*object, "type")).append("\n");
      out.append("data: ").append(line).append("\n\n");
    }
  }
  return out;
}

namespace {

// A stream as its frames: all that a decoder gets to see of it.
struct Frames {
  std::vector<std::pair<std::string, std::string>> all;  // name, data
  std::string end;                                       // of the framer
};

// Hands on the frames of a stream that comes in two parts; says how the framer ended.
std::string each_frame(std::string_view bytes, size_t cut, wire::Framing framing, const wire::OnFrame& on_frame) {
  const auto framer = wire::new_framer(framing);
  Status end = framer->feed(bytes.substr(0, cut), on_frame);
  if (end) end = framer->feed(bytes.substr(cut), on_frame);
  if (end) end = framer->finish(on_frame);
  return describe(end);
}

Frames frames_of(std::string_view bytes, wire::Framing framing) {
  Frames out;
  out.end = each_frame(bytes, bytes.size(), framing, [&](const wire::Frame& frame) -> Status {
    out.all.emplace_back(frame.name, frame.data);
    return {};
  });
  return out;
}

bool framed_alike(const Frames& whole, std::string_view bytes, size_t cut, wire::Framing framing) {
  size_t seen = 0;
  bool alike = true;
  const std::string end = each_frame(bytes, cut, framing, [&](const wire::Frame& frame) -> Status {
    alike = alike && seen < whole.all.size() && frame.name == whole.all[seen].first && frame.data == whole.all[seen].second;
    ++seen;
    return {};
  });
  return alike && seen == whole.all.size() && end == whole.end;
}

// How far apart the splits of a stream are, so that not more than about `most` bytes are read.
size_t stride_for(size_t bytes, size_t most) { return std::max<size_t>(1, bytes * bytes / most); }

}  // namespace

std::string check_splits(const NewDecoder& new_decoder, std::string_view bytes, const Replay& whole,
                         wire::Framing framing) {
  const std::string expected = describe(whole.events) + describe(whole.end);
  const auto differs = [&](const Replay& replay) {
    return describe(replay.events) + describe(replay.end) != expected;
  };
  const Frames frames = frames_of(bytes, framing);
  for (size_t cut = 1; cut < bytes.size(); cut += stride_for(bytes.size(), 3'000'000)) {
    if (!framed_alike(frames, bytes, cut, framing)) return "is framed differently when split at byte " + std::to_string(cut);
  }
  // Equal frames decode alike, since a decoder sees nothing else and cannot keep them (replay_stream).
  for (size_t cut = 1; cut < bytes.size(); cut += stride_for(bytes.size(), 400'000)) {
    if (differs(replay_stream(new_decoder, bytes, cut, 0, framing))) {
      return "decodes differently when split at byte " + std::to_string(cut);
    }
  }
  if (differs(replay_stream(new_decoder, bytes, 0, 1, framing))) return "decodes differently byte by byte";
  if (framing != wire::Framing::kSse) return {};
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
