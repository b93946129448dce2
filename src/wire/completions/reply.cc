// Completions' replies and streams, in and out. https://platform.openai.com/docs/api-reference/completions/object
#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "wire/completions/completions.h"
#include "wire/completions/logprobs.h"
#include "wire/error_text.h"
#include "wire/fields.h"
#include "wire/openai_error.h"
#include "wire/openai_usage.h"

namespace ajar::wire::completions {

using Kind = Event::Kind;

std::string items_of(const json::Object& logprobs) {
  const auto list = [&](std::string_view name) {
    const auto value = json::find(logprobs, name);
    return value ? json::as_array(*value) : std::nullopt;
  };
  const auto tokens = list("tokens"), values = list("token_logprobs"), tops = list("top_logprobs"),
             offsets = list("text_offset");
  std::string out;
  if (!tokens) return out;
  json::Writer w(out);
  size_t index = 0;
  for (const auto token : *tokens) {
    const auto at = [&](const std::optional<json::Array>& of) -> std::optional<json::Value> {
      json::Value value;
      if (!of || of->at(index).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
      return value;
    };
    w.begin_object();
    w.field("token", json::as_string(token).value_or(""));
    w.key("logprob");
    const auto value = at(values);
    value && value->is_number() ? w.raw(json::raw(*value)) : w.null();  // the first of an echo has none
    w.null_field("bytes");
    w.key("top_logprobs");
    w.begin_array();
    if (const auto top = at(tops)) {
      if (const auto object = json::as_object(*top)) {
        for (const auto field : *object) {
          w.begin_object();
          w.field("token", field.key);
          w.raw_field("logprob", json::raw(field.value));
          w.end_object();
        }
      }
    }
    w.end_array();
    if (const auto offset = at(offsets); offset && offset->is_number()) w.raw_field("text_offset", json::raw(*offset));
    w.end_object();
    ++index;
  }
  return out;
}

void write_logprobs(json::Writer& w, std::string_view items, int64_t& offset) {
  std::string tokens, values, tops, offsets;
  json::Document document;
  std::string text = "[";
  text.append(items).append("]");
  const auto parsed = document.parse(text);
  const auto list = parsed ? json::as_array(*parsed) : std::nullopt;
  const auto next = [](std::string& out) -> std::string& {
    if (!out.empty()) out.push_back(',');
    return out;
  };
  if (list) {
    for (const auto item : *list) {
      const auto object = json::as_object(item);
      if (!object) continue;
      const std::string_view token = json::string_or(*object, "token");
      json::append_string(next(tokens), token);
      const auto value = json::find(*object, "logprob");
      next(values) += value ? json::raw(*value) : "null";
      offset = json::int_or(*object, "text_offset", offset);
      json::append_int(next(offsets), offset);
      for (const char c : token) offset += (uint8_t(c) & 0xC0) != 0x80;
      RawMembers top;
      if (const auto others = json::find(*object, "top_logprobs")) {
        if (const auto array = json::as_array(*others)) {
          for (const auto other : *array) {
            const auto one = json::as_object(other);
            const auto of = one ? json::find(*one, "logprob") : std::nullopt;
            if (of) add_member(top, json::string_or(*one, "token"), *of);
          }
        }
      }
      next(tops).append("{").append(top).append("}");
    }
  }
  w.begin_object();
  w.raw_field("tokens", "[" + tokens + "]");
  w.raw_field("token_logprobs", "[" + values + "]");
  w.raw_field("top_logprobs", "[" + tops + "]");
  w.raw_field("text_offset", "[" + offsets + "]");
  w.end_object();
}

namespace {

constexpr int64_t kMaxChoices = 16'384;  // prompts times answers

Error nonsense(std::string_view what, std::string_view data) {
  Error error{.code = Code::kUpstream};
  error.message.append("the provider sent ").append(what).append(": ").append(readable_excerpt(data, 120));
  return error;
}

class Decoder final : public ReplyDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, EventBatch& out) override {
    if (done_) return {};
    data = trim(data);
    if (data.empty()) return {};
    if (data == "[DONE]") {
      if (stopped_.empty()) return fail(Code::kUpstream, "the provider's stream ended without any reply");
      done_ = true;
      return {};
    }
    return object(data, out);
  }

  Status on_body(std::string_view body, EventBatch& out) override {
    AJAR_TRY(object(body, out));
    if (stopped_.empty()) return std::unexpected(nonsense("an answer without choices", body));
    for (size_t c = 0; c < stopped_.size(); ++c) {
      if (!stopped_[c]) stop(int(c), "stop", out);  // the body is whole, so this choice is
    }
    done_ = true;
    return {};
  }

  Status on_end(EventBatch&) override {
    if (done_) return {};
    if (!stopped_.empty() && std::ranges::all_of(stopped_, [](bool stopped) { return stopped; })) {
      done_ = true;
      return {};
    }
    return fail(Code::kCut, stopped_.empty() ? "the provider's stream ended before its reply began"
                                             : "the provider's stream ended in the middle of its reply");
  }
  bool done() const override { return done_; }

 private:
  Event& emit(Kind kind, int choice, EventBatch& out) {
    Event& event = out.emplace_back();
    event.kind = kind;
    event.choice = choice;
    event.origin = DialectId::kOpenAiCompletions;
    return event;
  }
  void stop(int choice, std::string_view word, EventBatch& out) {
    stopped_[size_t(choice)] = true;
    Event& event = emit(Kind::kStop, choice, out);
    event.finish = openai::read_finish(word);
    event.name = word;
  }

  Status object(std::string_view data, EventBatch& out) {
    static constexpr std::array<std::string_view, 6> kNames = {"id", "object", "created", "model", "choices", "usage"};
    const auto value = json::scratch().parse(data);
    const auto object = value ? json::as_object(*value) : std::nullopt;
    if (!object) return std::unexpected(nonsense("something that is not a JSON object", data));
    if (auto error = openai::find_error(*object, 0)) return std::unexpected(std::move(*error));
    const Fields<6> fields(*object, kNames);
    if (!started_) {
      started_ = true;
      Event& start = emit(Kind::kStart, 0, out);
      start.id = json::string_or(*object, "id");
      start.name = json::string_or(*object, "model");
      start.created = json::int_or(*object, "created");
      start.top_extra = fields.extra();
    }
    if (const auto list = fields.has(4) ? json::as_array(fields[4]) : std::nullopt) {
      for (const auto item : *list) AJAR_TRY(choice(item, out));
    }
    if (const auto usage = fields.has(5) ? json::as_object(fields[5]) : std::nullopt) {
      RawMembers extra;
      const Usage counts = openai::read_usage(*usage, extra);
      if (counts.reported) {
        Event& event = emit(Kind::kUsage, 0, out);
        event.usage = counts;
        event.part_extra = std::move(extra);
      }
    }
    return {};
  }

  Status choice(const json::Value& value, EventBatch& out) {
    static constexpr std::array<std::string_view, 4> kNames = {"index", "text", "logprobs", "finish_reason"};
    const auto object = json::as_object(value);
    if (!object) return std::unexpected(nonsense("a choice that is not an object", json::raw(value)));
    const Fields<4> fields(*object, kNames);
    const int64_t index = json::int_or(*object, "index");
    if (index < 0 || index >= kMaxChoices) {
      return std::unexpected(nonsense("a choice whose index is out of range", std::to_string(index)));
    }
    if (stopped_.size() <= size_t(index)) stopped_.resize(size_t(index) + 1);
    const size_t first = out.size();
    const std::string_view text = json::string_or(*object, "text");
    if (!text.empty()) emit(Kind::kText, int(index), out).text = text;
    if (const auto logprobs = fields.has(2) ? json::as_object(fields[2]) : std::nullopt) {
      if (std::string items = items_of(*logprobs); !items.empty()) emit(Kind::kLogprobs, int(index), out).raw = std::move(items);
    }
    const std::string_view word = json::string_or(*object, "finish_reason");
    if (!word.empty() && !stopped_[size_t(index)]) {
      stop(int(index), word, out);
      out.back().text = json::string_or(*object, "stop_reason");
    }
    RawMembers extra;
    for (const auto& [name, member] : fields.unknown()) {
      if (!member.is_null()) add_member(extra, name, member);
    }
    if (!extra.empty()) {
      if (out.size() == first) emit(Kind::kExtra, int(index), out);
      out[first].choice_extra = std::move(extra);
    }
    return {};
  }

  std::vector<bool> stopped_;  // by choice
  bool started_ = false, done_ = false;
};

// Text that stands in front of every answer of a model that does not repeat the prompt itself.
std::string prompt_of(const RawMembers& echo) {
  if (echo.empty()) return {};
  json::Document document;
  const auto object = document.parse_object("{" + echo + "}");
  return object ? std::string(json::string_or(*object, "prompt")) : std::string();
}

int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (uint8_t(c) & 0xC0) != 0x80; });
}

std::string_view finish_word(Finish finish) {
  return finish == Finish::kLength                                              ? "length"
         : finish == Finish::kContentFilter || finish == Finish::kRefusal ? "content_filter"
                                                                                : "stop";
}

class Encoder final : public ReplyEncoder {
 public:
  explicit Encoder(ReplyOptions options) : options_(std::move(options)) {}

  void encode(const EventBatch& events, std::string& out) override {
    for (size_t i = 0; i < events.size(); ++i) {
      const Event& event = events[i];
      start(event);
      switch (event.kind) {
        case Kind::kText:
        case Kind::kRefusal: {
          const bool fuse = i + 1 < events.size() && events[i + 1].kind == Kind::kLogprobs &&
                            events[i + 1].choice == event.choice;
          begin(event.choice, out);
          frame(event, event.text, fuse ? &events[i + 1].raw : nullptr, {}, out);
          i += fuse ? 1 : 0;
          break;
        }
        case Kind::kLogprobs:
          begin(event.choice, out);
          frame(event, {}, &event.raw, {}, out);
          break;
        case Kind::kStop:
          begin(event.choice, out);
          frame(event, {}, nullptr, finish_word(event.finish), out);
          break;
        case Kind::kUsage:
          usage_.merge(event.usage);
          usage_seen_ = true;
          if (own_) merge_members(usage_extra_, event.part_extra);
          break;
        default:  // thoughts have no place here, the rest is not asked for
          break;
      }
    }
  }

  void finish(StreamEnd end, const Error* error, std::string& out) override {
    start(Event{});
    if (end == StreamEnd::kComplete) {
      if (options_.include_usage && usage_seen_) {
        out.append(prefix_).append(",\"choices\":[],\"usage\":");
        json::Writer w(out);
        openai::write_usage(w, usage_, usage_extra_);
        out += "}\n\n";
      }
      out += "data: [DONE]\n\n";
      return;
    }
    out.append("data: ").append(openai::write_error(openai::error_at_end(end, error), 200, {})).append("\n\n");
  }

 private:
  void start(const Event& event) {
    if (started_) return;
    started_ = true;
    own_ = event.origin == DialectId::kOpenAiCompletions;
    if (!own_) prompt_ = prompt_of(options_.echo);
    const bool is_start = event.kind == Kind::kStart;
    prefix_ = "data: {\"id\":";
    json::append_string(prefix_, is_start && !event.id.empty() ? event.id : new_id("cmpl-"));
    prefix_ += ",\"object\":\"text_completion\",\"created\":";
    json::append_int(prefix_, is_start && event.created > 0 ? event.created : unix_seconds());
    prefix_ += ",\"model\":";
    json::append_string(prefix_, is_start && !event.name.empty() ? event.name : options_.model);
    if (own_ && is_start && !event.top_extra.empty()) prefix_.append(",").append(event.top_extra);
  }

  // The prompt is said before anything else of a choice.
  void begin(int choice, std::string& out) {
    if (offsets_.size() <= size_t(choice)) offsets_.resize(size_t(choice) + 1, -1);
    int64_t& offset = offsets_[size_t(choice)];
    if (offset >= 0) return;
    offset = 0;
    if (prompt_.empty()) return;
    Event said;
    said.choice = choice;
    frame(said, prompt_, nullptr, {}, out);
    offset = characters(prompt_);
  }

  void frame(const Event& event, std::string_view text, const std::string* logprobs, std::string_view finish,
             std::string& out) {
    out.append(prefix_).append(",\"choices\":[{\"text\":");
    json::append_string(out, text);
    out += ",\"index\":";
    json::append_int(out, event.choice);
    out += ",\"logprobs\":";
    if (logprobs == nullptr) {
      out += "null";
    } else {
      json::Writer w(out);
      write_logprobs(w, *logprobs, offsets_[size_t(event.choice)]);
    }
    if (own_ && !event.choice_extra.empty()) out.append(",").append(event.choice_extra);
    out += ",\"finish_reason\":";
    finish.empty() ? void(out += "null") : json::append_string(out, finish);
    out += options_.include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n";
  }

  const ReplyOptions options_;
  std::string prefix_, prompt_;
  std::vector<int64_t> offsets_;  // by choice: where the next token stands; -1: nothing was said yet
  Usage usage_;
  RawMembers usage_extra_;
  bool started_ = false, own_ = false, usage_seen_ = false;
};

}  // namespace

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<Decoder>(); }
std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options) { return std::make_unique<Encoder>(std::move(options)); }

std::string write_reply(const Reply& reply, const ReplyOptions& options) {
  const bool own = reply.origin == DialectId::kOpenAiCompletions;
  const std::string prompt = own ? std::string() : prompt_of(options.echo);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("id", reply.id.empty() ? new_id("cmpl-") : reply.id);
  w.field("object", "text_completion");
  w.field("created", reply.created > 0 ? reply.created : unix_seconds());
  w.field("model", reply.model.empty() ? options.model : reply.model);
  w.key("choices");
  w.begin_array();
  for (size_t c = 0; c < reply.choices.size(); ++c) {
    const Choice& choice = reply.choices[c];
    std::string text = prompt;
    for (const Part& part : choice.parts) {
      if (part.kind == Part::Kind::kText || part.kind == Part::Kind::kRefusal) text += part.text;
    }
    w.begin_object();
    w.field("text", text);
    w.field("index", int64_t(c));
    w.key("logprobs");
    int64_t offset = characters(prompt);
    choice.logprobs.empty() ? w.null() : write_logprobs(w, choice.logprobs, offset);
    if (own) w.members(choice.extra);
    w.field("finish_reason", finish_word(choice.finish));
    w.end_object();
  }
  w.end_array();
  w.key("usage");
  openai::write_usage(w, reply.usage, own ? reply.usage_extra : RawMembers());
  if (own) w.members(reply.extra);
  w.end_object();
  return out;
}

}  // namespace ajar::wire::completions
