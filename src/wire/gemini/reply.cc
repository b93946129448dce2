// generateContent replies, streamed or whole -> events. https://ai.google.dev/api/generate-content
#include "wire/gemini/reply.h"

#include <algorithm>

#include "base/random.h"
#include "core/reply.h"
#include "json/write.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/partial_args.h"

namespace ajar::wire::gemini {
namespace {

using Kind = Event::Kind;

constexpr int64_t kMaxCandidates = 128;

void add_member(RawMembers& members, std::string_view key, const json::Value& value) {
  if (!members.empty()) members.push_back(',');
  json::append_string(members, key);
  members.push_back(':');
  json::append_raw(members, value);
}

struct Candidate {
  int32_t calls = 0;
  bool call_open = false;  // its arguments are still coming
  PartialArgs args;
  std::string text;       // for the positions of citations
  std::string grounding;  // the last groundingMetadata
  RawMembers extra;
  bool stopped = false;
};

class Decoder final : public ReplyDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, EventBatch& out) override {
    if (data.empty() || data == "[DONE]") return {};
    const auto value = document_.parse(data);
    if (!value) return unreadable(value.error());
    return chunks(*value, out);
  }

  Status on_body(std::string_view body, EventBatch& out) override {
    const auto value = document_.parse(body);
    if (!value) return unreadable(value.error());
    AJAR_TRY(chunks(*value, out));
    return on_end(out);
  }

  Status on_end(EventBatch&) override {
    if (done()) return {};
    return fail(Code::kCut, started_ ? "the provider's reply ended before it was finished"
                                     : "the provider's reply ended before it began");
  }

  bool done() const override {
    return !candidates_.empty() &&
           std::ranges::all_of(candidates_, [](const auto& c) { return c->stopped; });
  }

 private:
  static std::unexpected<Error> unreadable(const Error& why) {
    return fail(Code::kUpstream, "the provider's answer is not JSON: " + why.message);
  }
  static std::optional<json::Object> object_at(const json::Object& object, std::string_view key) {
    const auto value = json::find(object, key);
    return value ? json::as_object(*value) : std::nullopt;
  }
  static std::optional<json::Array> array_at(const json::Object& object, std::string_view key) {
    const auto value = json::find(object, key);
    return value ? json::as_array(*value) : std::nullopt;
  }
  static Event& emit(EventBatch& out, Kind kind, int32_t choice) {
    Event& event = out.emplace_back();
    event.kind = kind;
    event.choice = choice;
    event.origin = DialectId::kGemini;
    return event;
  }

  // One GenerateContentResponse, or the array of them that streamGenerateContent gives without
  // alt=sse.
  Status chunks(const json::Value& value, EventBatch& out) {
    if (const auto error = find_error(value)) return std::unexpected(error_of(*error, 0));
    if (const auto list = json::as_array(value)) {
      for (const json::Value item : *list) {
        const auto object = json::as_object(item);
        if (!object) return fail(Code::kUpstream, "the provider's answer is not a list of replies");
        if (json::find(*object, "error")) return std::unexpected(error_of(*object, 0));
        AJAR_TRY(chunk(*object, out));
      }
      return {};
    }
    const auto object = json::as_object(value);
    if (!object) return fail(Code::kUpstream, "the provider's answer is not an object");
    return chunk(*object, out);
  }

  static bool known_of_response(std::string_view key) {
    return key == "candidates" || key == "usageMetadata" || key == "promptFeedback" ||
           key == "modelVersion" || key == "responseId";
  }

  Status chunk(const json::Object& response, EventBatch& out) {
    if (!started_) {
      started_ = true;
      Event& start = emit(out, Kind::kStart, 0);
      start.id = id_ = json::string_or(response, "responseId");
      start.name = json::string_or(response, "modelVersion");
      for (const auto field : response) {
        if (!known_of_response(field.key)) add_member(start.top_extra, field.key, field.value);
      }
    }
    if (const auto list = array_at(response, "candidates")) {
      int64_t position = 0;
      for (const json::Value item : *list) {
        const auto object = json::as_object(item);
        const int64_t index = object ? json::int_or(*object, "index", position) : -1;
        ++position;
        if (!object || index < 0 || index >= kMaxCandidates) continue;
        AJAR_TRY(candidate(*object, int32_t(index), out));
      }
    }
    if (const auto metadata = object_at(response, "usageMetadata")) {
      const Usage usage = usage_of(*metadata);
      if (usage.reported && !(usage == usage_)) {
        Event& event = emit(out, Kind::kUsage, 0);
        event.usage = usage_ = usage;
        for (const auto field : *metadata) {
          if (!is_count(field.key)) add_member(event.part_extra, field.key, field.value);
        }
      }
    }
    if (const auto feedback = object_at(response, "promptFeedback")) {
      const std::string_view reason = json::string_or(*feedback, "blockReason");
      if (!reason.empty() && reason != "BLOCK_REASON_UNSPECIFIED" && candidates_.empty()) {
        at(0).stopped = true;
        Event& stop = emit(out, Kind::kStop, 0);
        stop.finish = Finish::kContentFilter;
        stop.name = reason;
        add_member(stop.choice_extra, "promptFeedback", *json::find(response, "promptFeedback"));
      }
    }
    return {};
  }

  Candidate& at(int32_t index) {
    while (candidates_.size() <= size_t(index))
      candidates_.push_back(std::make_unique<Candidate>());
    return *candidates_[size_t(index)];
  }

  Status candidate(const json::Object& object, int32_t index, EventBatch& out) {
    Candidate& c = at(index);
    if (const auto content = object_at(object, "content")) {
      if (const auto parts = array_at(*content, "parts")) {
        for (const json::Value item : *parts) {
          AJAR_TRY(this->part(item, c, index, out));
        }
      }
    }
    if (const auto result = object_at(object, "logprobsResult")) {
      std::string items = logprobs_of(*result);
      if (!items.empty()) emit(out, Kind::kLogprobs, index).raw = std::move(items);
    }
    if (const auto grounding = json::find(object, "groundingMetadata"))
      c.grounding = json::raw(*grounding);
    for (const std::string_view key :
         {"groundingMetadata", "citationMetadata", "urlContextMetadata", "safetyRatings",
          "finishMessage", "avgLogprobs"}) {
      RawMembers member;
      if (const auto value = json::find(object, key)) add_member(member, key, *value);
      merge_members(c.extra, member);
    }
    finish(json::string_or(object, "finishReason"), c, index, out);
    return {};
  }

  void finish(std::string_view reason, Candidate& c, int32_t index, EventBatch& out) {
    const Finish finish = finish_of(reason, c.calls > 0);
    if (finish == Finish::kNone || c.stopped) return;
    close_call(c, index, out);
    c.stopped = true;
    if (!c.grounding.empty()) {
      json::Document document;
      if (const auto grounding = document.parse_object(c.grounding)) {
        for (std::string& annotation : annotations_of(*grounding, c.text)) {
          emit(out, Kind::kAnnotation, index).raw = std::move(annotation);
        }
      }
    }
    Event& stop = emit(out, Kind::kStop, index);
    stop.finish = finish;
    stop.name = reason;
    stop.choice_extra = std::move(c.extra);
  }

  Status part(const json::Value& value, Candidate& c, int32_t index, EventBatch& out) {
    const auto object = json::as_object(value);
    if (!object) return {};
    const json::Object& part = *object;
    const std::string_view signature = json::string_or(part, "thoughtSignature");
    if (const auto call = object_at(part, "functionCall"))
      return function_call(*call, signature, c, index, out);
    if (const auto text = json::find(part, "text")) {
      const std::string_view said = json::as_string(*text).value_or("");
      const auto thought = json::find(part, "thought");
      if (!said.empty()) {
        close_call(c, index, out);
        if (thought && json::as_bool(*thought).value_or(false)) {
          emit(out, Kind::kThought, index).text = said;
        } else {
          emit(out, Kind::kText, index).text = said;
          c.text += said;
        }
      }
    } else if (const auto media = object_at(part, "inlineData")) {
      close_call(c, index, out);
      Event& event = emit(out, Kind::kMedia, index);
      event.name = json::string_or(*media, "mimeType");
      event.text = json::string_or(*media, "data");
    } else if (part.size() >
               (signature.empty() ? 0u : 1u)) {  // executableCode, codeExecutionResult, ...
      close_call(c, index, out);
      emit(out, Kind::kOpaque, index).raw = json::raw(value);
      return {};
    }
    if (!signature.empty()) emit(out, Kind::kThoughtEnd, index).text = signature;
    return {};
  }

  // A call comes whole ({name, args}), or opens with willContinue, gets partialArgs, and ends with
  // a piece that does not continue; some servers forget that last one.
  Status function_call(const json::Object& call, std::string_view signature, Candidate& c,
                       int32_t index, EventBatch& out) {
    const std::string_view name = json::string_or(call, "name");
    const auto flag = json::find(call, "willContinue");
    const bool more = flag && json::as_bool(*flag).value_or(false);
    if (!name.empty()) {
      close_call(c, index, out);
      Event& open = emit(out, Kind::kToolCall, index);
      open.index = c.calls++;
      open.name = name;
      open.id = json::string_or(call, "id");
      if (open.id.empty()) open.id = made_id(index, open.index);
      open.text = signature;
      c.call_open = true;
    }
    if (!c.call_open) return {};
    if (const auto args = json::find(call, "args"); args && !more) {
      c.args.clear();
      Event& event = emit(out, Kind::kToolArgs, index);
      event.index = c.calls - 1;
      event.text = json::raw(*args);
      c.call_open = false;
      return {};
    }
    if (const auto pieces = array_at(call, "partialArgs")) {
      for (const json::Value item : *pieces) {
        if (const auto piece = json::as_object(item)) AJAR_TRY(c.args.add(*piece));
      }
    }
    if (!more) close_call(c, index, out);
    return {};
  }

  void close_call(Candidate& c, int32_t index, EventBatch& out) {
    if (!c.call_open) return;
    c.call_open = false;
    Event& event = emit(out, Kind::kToolArgs, index);
    event.index = c.calls - 1;
    event.text = c.args.json();
    c.args.clear();
  }

  // Gemini mostly gives calls no id, and every other dialect needs one. The same reply gets the
  // same ids.
  std::string made_id(int32_t choice, int32_t call) {
    if (id_.empty()) id_ = new_id("");
    return "call_" + sha256_hex(id_ + ":" + std::to_string(choice) + ":" + std::to_string(call))
                         .substr(0, 24);
  }

  json::Document document_;
  std::vector<std::unique_ptr<Candidate>> candidates_;
  std::string id_;
  Usage usage_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<Decoder>(); }

}  // namespace ajar::wire::gemini
