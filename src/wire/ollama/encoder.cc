// Events -> lines of /api/chat and /api/generate, and whole replies, which are one line.
// https://github.com/ollama/ollama/blob/main/docs/api.md#response-10
#include <algorithm>
#include <ctime>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/ollama/front.h"
#include "wire/outbound.h"

namespace ajar::wire::ollama {
namespace {

using Kind = Event::Kind;

std::string moment(int64_t unix) {
  const std::time_t seconds = unix > 0 ? unix : unix_seconds();
  std::tm utc{};
  char text[40];
  gmtime_r(&seconds, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string_view done_reason(Finish finish) {
  switch (finish) {
    case Finish::kLength: return "length";
    case Finish::kContentFilter:
    case Finish::kRefusal: return "content_filter";
    case Finish::kError: return "error";
    default: return "stop";  // calls of tools, too
  }
}

// What one line says of the answer.
struct Said {
  std::string_view text, thinking;
  std::string calls, images;  // comma-separated
  std::string_view logprobs;  // comma-separated
};

void append_call(std::string& calls, const std::string& id, std::string_view name, std::string_view arguments, int index) {
  if (!calls.empty()) calls.push_back(',');
  json::Writer w(calls);
  w.begin_object();
  w.field("id", id.empty() ? new_id("call_") : id);
  w.key("function");
  w.begin_object();
  w.field("index", index);
  w.field("name", name);
  w.raw_field("arguments", object_arguments(arguments));
  w.end_object();
  w.end_object();
}

class Lines {
 public:
  Lines(bool generate, const ReplyOptions& options) : generate_(generate), options_(options) {}

  void start(std::string_view model, int64_t created) {
    prefix_ = "{\"model\":";
    json::append_string(prefix_, model.empty() ? std::string_view(options_.model) : model);
    prefix_ += ",\"created_at\":\"" + moment(created) + "\",";
  }
  // `end`: members of the last line, empty for all others.
  void line(const Said& said, std::string_view end, std::string& out) {
    if (prefix_.empty()) start({}, 0);
    out += prefix_;
    if (generate_) {
      out += "\"response\":";
      json::append_string(out, said.text);
      rest(said, out);
    } else {
      out += "\"message\":{\"role\":\"assistant\",\"content\":";
      json::append_string(out, said.text);
      rest(said, out);
      out += "}";
    }
    if (!said.logprobs.empty()) out.append(",\"logprobs\":[").append(said.logprobs).append("]");
    out.append(end.empty() ? ",\"done\":false" : ",\"done\":true").append(end).append("}\n");
  }

 private:
  static void rest(const Said& said, std::string& out) {
    if (!said.thinking.empty()) {
      out += ",\"thinking\":";
      json::append_string(out, said.thinking);
    }
    if (!said.images.empty()) out.append(",\"images\":[").append(said.images).append("]");
    if (!said.calls.empty()) out.append(",\"tool_calls\":[").append(said.calls).append("]");
  }

  const bool generate_;
  const ReplyOptions& options_;
  std::string prefix_;
};

std::string end_members(Finish finish, const Usage& usage, std::string_view durations) {
  std::string out = ",\"done_reason\":\"" + std::string(done_reason(finish)) + "\"";
  if (!durations.empty()) out.append(",").append(durations);
  if (usage.reported) {
    out += ",\"prompt_eval_count\":" + std::to_string(usage.input) + ",\"eval_count\":" + std::to_string(usage.output);
  }
  return out;
}

class Encoder final : public ReplyEncoder {
 public:
  Encoder(bool generate, ReplyOptions options) : options_(std::move(options)), lines_(generate, options_) {}

  void encode(const EventBatch& events, std::string& out) override {
    for (const Event& event : events) encode(event, out);
  }

  void finish(StreamEnd end, const Error* error, std::string& out) override {
    if (end == StreamEnd::kComplete) {
      close_call(out);
      return lines_.line({}, end_members(finish_, usage_, durations_), out);
    }
    out += write_error(error ? *error : Error{.message = "the reply broke off"}, 0, {});
    out.push_back('\n');
  }

 private:
  void encode(const Event& event, std::string& out) {
    if (event.kind != Kind::kToolArgs) close_call(out);
    switch (event.kind) {
      case Kind::kStart: lines_.start(event.name, event.created); break;
      case Kind::kText:
      case Kind::kRefusal: lines_.line({.text = event.text}, {}, out); break;
      case Kind::kThought: lines_.line({.thinking = event.text}, {}, out); break;
      case Kind::kToolCall:
        open_ = true;
        id_ = event.id, name_ = event.name, index_ = event.index;
        arguments_.clear();
        break;
      case Kind::kToolArgs: arguments_ += event.text; break;
      case Kind::kMedia: {
        Said said;
        json::append_string(said.images, event.text);
        if (event.name.starts_with("image/")) lines_.line(said, {}, out);
        break;
      }
      case Kind::kLogprobs:
        if (!event.raw.empty()) lines_.line({.logprobs = event.raw}, {}, out);
        break;
      case Kind::kUsage: usage_.merge(event.usage); break;
      case Kind::kStop:
        finish_ = event.finish;
        if (event.origin == DialectId::kOllama) durations_ = event.top_extra;
        break;
      case Kind::kThoughtEnd:  // signatures, citations and blocks of others have no place here
      case Kind::kAnnotation:
      case Kind::kOpaque:
      case Kind::kExtra: break;
    }
  }

  // Arguments are an object here: a call is told when it is whole.
  void close_call(std::string& out) {
    if (!std::exchange(open_, false)) return;
    Said said;
    append_call(said.calls, id_, name_, arguments_, index_);
    lines_.line(said, {}, out);
  }

  const ReplyOptions options_;
  Lines lines_;
  bool open_ = false;
  std::string id_, name_, arguments_;
  int index_ = 0;
  Finish finish_ = Finish::kStop;
  Usage usage_;
  RawMembers durations_;
};

std::string write_whole(bool generate, const Reply& reply, const ReplyOptions& options) {
  Lines lines(generate, options);
  lines.start(reply.model, reply.created);
  std::string text, thinking;
  Said said;
  Finish finish = Finish::kStop;
  if (!reply.choices.empty()) {
    const Choice& choice = reply.choices.front();
    finish = choice.finish;
    int calls = 0;
    for (const Part& part : choice.parts) {
      switch (part.kind) {
        case Part::Kind::kText:
        case Part::Kind::kRefusal: text += part.text; break;
        case Part::Kind::kThought: thinking += part.text; break;
        case Part::Kind::kToolCall: append_call(said.calls, part.id, part.name, part.arguments, calls++); break;
        case Part::Kind::kImage:
          if (!said.images.empty()) said.images.push_back(',');
          json::append_string(said.images, part.data);
          break;
        default: break;
      }
    }
    said.logprobs = choice.logprobs;
  }
  said.text = text, said.thinking = thinking;
  std::string out;
  lines.line(said, end_members(finish, reply.usage, reply.origin == DialectId::kOllama ? reply.extra : RawMembers()), out);
  return out;
}

}  // namespace

std::unique_ptr<ReplyEncoder> new_chat_encoder(ReplyOptions options) {
  return std::make_unique<Encoder>(false, std::move(options));
}
std::unique_ptr<ReplyEncoder> new_generate_encoder(ReplyOptions options) {
  return std::make_unique<Encoder>(true, std::move(options));
}
std::string write_chat_reply(const Reply& reply, const ReplyOptions& options) { return write_whole(false, reply, options); }
std::string write_generate_reply(const Reply& reply, const ReplyOptions& options) { return write_whole(true, reply, options); }

}  // namespace ajar::wire::ollama
