#include "wire/gemini/content.h"

#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/outbound.h"

namespace ajar::wire::gemini {
namespace {

using PartKind = Part::Kind;

// https://ai.google.dev/gemini-api/docs/thought-signatures (FAQ: a history from another model)
constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

json::Writer next(std::string& parts) {
  if (!parts.empty()) parts.push_back(',');
  return json::Writer(parts);
}

struct Turn {
  bool model = false;
  std::string responses;  // functionResponse parts, which come first
  std::string parts;
  bool signed_call = false;  // the first call of the turn has been written
};

struct Call {
  std::string id;
  std::string name;
  bool send_id = false;
};

class Builder {
 public:
  Builder(const Request& request, const ModelTraits& traits, std::vector<std::string>& dropped)
      : request_(request), traits_(traits), dropped_(dropped) {}

  Result<Conversation> build() {
    size_t first = 0;
    while (first < request_.messages.size() && is_instruction(request_.messages[first])) ++first;
    const bool only_instructions = first == request_.messages.size();
    for (size_t m = 0; m < request_.messages.size(); ++m) {
      const Message& message = request_.messages[m];
      if (!message.name.empty()) drop(dropped_, "messages.name");
      const bool leading = m < first && !only_instructions;
      for (size_t p = 0; p < message.parts.size(); ++p) {
        const Part& part = message.parts[p];
        const std::string field = part_field(request_.messages, m, p);
        if (!part.cache_control.empty()) drop(dropped_, "cache_control");
        if (!native(part)) drop_part_extra(part, field, dropped_);
        if (is_instruction(message)) {
          AJAR_TRY(instruction(part, leading, only_instructions, field));
        } else if (message.role == Role::kAssistant) {
          AJAR_TRY(said_by_model(part, field));
        } else {
          AJAR_TRY(said_by_user(part, field));
        }
      }
    }
    return finish();
  }

 private:
  bool ours(const Part& part) const { return made_by(DialectId::kGemini, part, request_); }

  Turn& turn(bool model) {
    if (turns_.empty() || turns_.back().model != model) {
      if (model) open_calls_.clear();  // only the turn right before may be answered
      turns_.emplace_back().model = model;
    }
    return turns_.back();
  }

  static void text(std::string& parts, std::string_view text) {
    if (text.empty()) return;
    json::Writer w = next(parts);
    w.begin_object();
    w.field("text", text);
    w.end_object();
  }

  // A Gemini client's own, so that the words that we lack are Gemini's.
  bool native(const Part& part) const { return ours(part) && request_.dialect == DialectId::kGemini; }
  bool signed_by_us(const Part& part) const { return !part.signature.empty() && ours(part); }
  // What a Gemini client said beside the words.
  void rest(json::Writer& w, const Part& part) const {
    if (signed_by_us(part)) w.field("thoughtSignature", part.signature);
    if (native(part)) w.members(part.extra);
  }

  void said(std::string& parts, const Part& part) const {
    json::Writer w = next(parts);
    w.begin_object();
    w.field("text", part.text);
    rest(w, part);
    w.end_object();
  }

  Status instruction(const Part& part, bool leading, bool only, const std::string& field) {
    if (part.kind != PartKind::kText)
      return fail(Code::kUnsupported, "instructions can only be text", field);
    if (blank(part.text)) return {};
    if (leading) {
      text(out_.system, part.text);
    } else if (only) {
      text(turn(false).parts, part.text);
    } else {
      text(turn(false).parts, system_as_user_text(part.text));
    }
    return {};
  }

  Status said_by_user(const Part& part, const std::string& field) {
    switch (part.kind) {
      case PartKind::kText:
      case PartKind::kRefusal:
        if (!part.text.empty()) said(turn(false).parts, part);
        return {};
      case PartKind::kToolResult:
        return response(part, field);
      case PartKind::kToolCall:
      case PartKind::kThought:
        drop(dropped_, field);
        return {};
      default:
        return media(turn(false).parts, part, field);
    }
  }

  Status said_by_model(const Part& part, const std::string& field) {
    switch (part.kind) {
      case PartKind::kText:
      case PartKind::kRefusal:
        if (!part.text.empty() || signed_by_us(part)) said(turn(true).parts, part);
        return {};
      case PartKind::kThought:
        thought(part, field);
        return {};
      case PartKind::kToolCall:
        call(part);
        return {};
      case PartKind::kToolResult:
        drop(dropped_, field);
        return {};
      case PartKind::kOpaque:
        if (ours(part)) {
          next(turn(true).parts).raw(part.raw);
        } else {
          drop(dropped_, field);
        }
        return {};
      default:
        return media(turn(true).parts, part, field);
    }
  }

  // A signature without a thought came on a text or picture part before it; it may stand on an
  // empty one.
  void thought(const Part& part, const std::string& field) {
    const bool as_written = native(part);
    if ((part.signature.empty() && !as_written) || part.redacted || !ours(part)) return drop(dropped_, field);
    json::Writer w = next(turn(true).parts);
    w.begin_object();
    w.field("text", part.text);
    if (!part.text.empty() || as_written) w.field("thought", true);
    rest(w, part);
    w.end_object();
  }

  void call(const Part& part) {
    Turn& turn = this->turn(true);
    // Ids that we or other providers made up mean nothing to Gemini, and Vertex refuses ids
    // altogether.
    const bool send_id = ours(part) && !part.id.empty() && !part.id.starts_with("call_");
    json::Writer w = next(turn.parts);
    w.begin_object();
    w.key("functionCall");
    w.begin_object();
    w.field("name", part.name);
    w.raw_field("args", object_arguments(part.arguments));
    if (send_id) w.field("id", part.id);
    if (native(part)) w.members(part.inner_extra);
    w.end_object();
    if (native(part)) w.members(part.extra);
    if (!part.signature.empty() && ours(part)) {
      w.field("thoughtSignature", part.signature);
    } else if (traits_.needs_signature && !turn.signed_call) {
      w.field("thoughtSignature", kNoSignature);
    }
    turn.signed_call = true;
    w.end_object();
    open_calls_.push_back({part.id, part.name, send_id});
  }

  Status response(const Part& part, const std::string& field) {
    auto call = std::ranges::find(open_calls_, part.id, &Call::id);
    if (part.id.empty()) {
      call = std::ranges::find(open_calls_, part.name, &Call::name);
      if (call == open_calls_.end()) call = open_calls_.begin();
    }
    if (call == open_calls_.end()) return orphan(part, field);
    const Call answered = *call;
    open_calls_.erase(call);

    Turn& turn = this->turn(false);
    std::string pictures;
    for (const Part& inner : part.content) {
      if (inner.kind != PartKind::kText && inner.kind != PartKind::kRefusal)
        AJAR_TRY(media(pictures, inner, field));
    }
    json::Writer w = next(turn.responses);
    w.begin_object();
    w.key("functionResponse");
    w.begin_object();
    w.field("name", answered.name);
    w.raw_field("response", response_object(part));
    if (answered.send_id) w.field("id", answered.id);
    if (!pictures.empty() && traits_.result_parts) {
      w.key("parts");
      w.begin_array();
      w.members(pictures);
      w.end_array();
    }
    if (native(part)) w.members(part.inner_extra);
    w.end_object();
    if (native(part)) w.members(part.extra);
    w.end_object();
    if (!pictures.empty() && !traits_.result_parts) next(turn.parts).members(pictures);
    return {};
  }

  static std::string result_text(const Part& part) {
    std::string said;
    for (const Part& inner : part.content) {
      if (inner.kind != PartKind::kText && inner.kind != PartKind::kRefusal) continue;
      if (!said.empty()) said.push_back('\n');
      said += inner.text;
    }
    return said;
  }

  // A JSON object as it is; other results as {"result": …}, errors as {"error": …}.
  static std::string response_object(const Part& part) {
    const std::string said = result_text(part);
    std::string out;
    const auto value = json::scratch().parse(said);
    if (value && value->is_object() && !part.is_error) {
      json::append_raw(out, *value);
      return out;
    }
    json::Writer w(out);
    w.begin_object();
    w.key(part.is_error ? "error" : "result");
    if (value) {
      w.raw(json::raw(*value));
    } else {
      w.string(said);
    }
    w.end_object();
    return out;
  }

  Status orphan(const Part& part, const std::string& field) {
    Turn& turn = this->turn(false);
    text(turn.parts, "[Result of an earlier tool call" +
                         (part.name.empty() ? "" : " to " + part.name) + "]\n" + result_text(part));
    for (const Part& inner : part.content) {
      if (inner.kind != PartKind::kText && inner.kind != PartKind::kRefusal)
        AJAR_TRY(media(turn.parts, inner, field));
    }
    return {};
  }

  // Images, audio, video and documents.
  Status media(std::string& parts, const Part& part, const std::string& field) {
    if (part.kind == PartKind::kOpaque) {
      if (!ours(part))
        return refuse_block(part, field);
      next(parts).raw(part.raw);
      return {};
    }
    if (part.kind == PartKind::kFile && !part.text.empty()) {
      text(parts, part.name.empty() ? part.text : part.name + ":\n" + part.text);
      return {};
    }
    std::string_view type = part.media_type;
    if (type.empty() || type == "application/octet-stream") type = sniff_media_type(part.data);
    if (type.empty()) type = guess_media_type(part.name.empty() ? part.url : part.name);
    if (type.empty() && part.kind == PartKind::kImage) type = "image/jpeg";
    if (type.empty() && part.kind == PartKind::kAudio) type = "audio/wav";
    if (type.empty()) type = "application/pdf";
    const std::string& uri = part.file_id.empty() ? part.url : part.file_id;
    if (!part.file_id.empty() && !ours(part) && !part.file_id.starts_with("https://")) {
      return fail(Code::kUnsupported, "file ids of another provider mean nothing to the target",
                  field);
    }
    json::Writer w = next(parts);
    w.begin_object();
    w.key(uri.empty() ? "inlineData" : "fileData");
    w.begin_object();
    w.field("mimeType", type);
    if (uri.empty()) {
      w.field("data", part.data);
    } else {
      w.field("fileUri", uri);
    }
    if (native(part)) {
      if (!part.name.empty()) w.field("displayName", part.name);
      w.members(part.inner_extra);
    }
    w.end_object();
    rest(w, part);
    w.end_object();
    return {};
  }

  Result<Conversation> finish() {
    std::erase_if(turns_,
                  [](const Turn& turn) { return turn.responses.empty() && turn.parts.empty(); });
    if (turns_.empty()) return invalid("messages", "there is nothing in them to answer");
    size_t bytes = 0;
    for (const Turn& turn : turns_) bytes += turn.responses.size() + turn.parts.size() + 32;
    out_.contents.reserve(bytes);
    for (const Turn& turn : turns_) {
      json::Writer w = next(out_.contents);
      w.begin_object();
      w.field("role", turn.model ? "model" : "user");
      w.key("parts");
      w.begin_array();
      w.members(turn.responses);
      w.members(turn.parts);
      w.end_array();
      w.end_object();
    }
    return std::move(out_);
  }

  const Request& request_;
  const ModelTraits& traits_;
  std::vector<std::string>& dropped_;
  Conversation out_;
  std::vector<Turn> turns_;
  std::vector<Call> open_calls_;  // of the model's last turn, not answered yet
};

}  // namespace

Result<Conversation> write_conversation(const Request& request, const ModelTraits& traits,
                                        std::vector<std::string>& dropped) {
  return Builder(request, traits, dropped).build();
}

}  // namespace ajar::wire::gemini
