#include "guard/texts.h"

namespace ajar::guard {
namespace {

bool textual(std::string_view media_type) {
  return media_type.starts_with("text/") || media_type.starts_with("application/json") ||
         media_type.starts_with("application/xml") || media_type.ends_with("+json") || media_type.ends_with("+xml");
}

class Walk {
 public:
  explicit Walk(TextVisitor& visitor) : visitor_(visitor) {}
  TextPlace place;

  bool give(std::string& text, TextForm form, std::string_view member) {
    if (text.empty()) return true;
    place.form = form;
    place.member = member;
    return visitor_.visit(text, place);
  }

  bool part(Part& part) {
    const Origin outer = place.origin;
    if (part.kind == Part::Kind::kFile) place.origin = tainted(outer) ? outer : Origin::kDocument;
    if (part.kind == Part::Kind::kToolResult) place.origin = Origin::kTool;
    bool ok = give(part.text, TextForm::kPlain, "text") && give(part.arguments, TextForm::kJson, "arguments") &&
              give(part.url, TextForm::kPlain, "url") && give(part.raw, TextForm::kJson, "raw") &&
              give(part.citations, TextForm::kJson, "citations") &&
              give(part.annotations, TextForm::kJson, "annotations") && give(part.extra, TextForm::kJson, "extra") &&
              give(part.inner_extra, TextForm::kJson, "extra");
    // The name of a call is the program's; of a file, the user's.
    if (ok && part.kind == Part::Kind::kFile) ok = give(part.name, TextForm::kPlain, "name");
    // A redacted thought is the provider's own ciphertext.
    if (ok && part.kind != Part::Kind::kThought)
      ok = give(part.data, textual(part.media_type) ? TextForm::kBase64 : TextForm::kOpaque, "data");
    for (size_t i = 0; ok && i < part.content.size(); ++i) ok = this->part(part.content[i]);
    place.origin = outer;
    return ok;
  }

 private:
  TextVisitor& visitor_;
};

Origin origin_of(Role role) {
  switch (role) {
    case Role::kSystem:
    case Role::kDeveloper:
      return Origin::kSystem;
    case Role::kAssistant:
      return Origin::kAssistant;
    case Role::kTool:
      return Origin::kTool;
    case Role::kUser:
      break;
  }
  return Origin::kUser;
}

}  // namespace

std::string_view origin_name(Origin origin) {
  static constexpr std::string_view kNames[] = {"system", "user", "assistant", "tool", "document", "declaration"};
  return kNames[static_cast<size_t>(origin)];
}

std::string TextPlace::where() const {
  std::string out;
  if (message != SIZE_MAX) {
    out = "messages[" + std::to_string(message) + "]";
    if (part != SIZE_MAX) out += ".content[" + std::to_string(part) + "]";
    out += '.';
  } else if (tool != SIZE_MAX) {
    out = "tools[" + std::to_string(tool) + "].";
  }
  return out.append(member);
}

bool visit_texts(Request& request, TextVisitor& visitor) {
  Walk walk(visitor);
  for (size_t m = 0; m < request.messages.size(); ++m) {
    Message& message = request.messages[m];
    walk.place = {.origin = origin_of(message.role), .message = m};
    if (!walk.give(message.name, TextForm::kPlain, "name") || !walk.give(message.extra, TextForm::kJson, "extra"))
      return false;
    for (size_t p = 0; p < message.parts.size(); ++p) {
      walk.place.part = p;
      if (!walk.part(message.parts[p])) return false;
    }
  }
  for (size_t t = 0; t < request.tools.size(); ++t) {
    Tool& tool = request.tools[t];
    walk.place = {.origin = Origin::kDeclaration, .tool = t};
    if (!walk.give(tool.description, TextForm::kPlain, "description") ||
        !walk.give(tool.parameters, TextForm::kJson, "parameters") || !walk.give(tool.raw, TextForm::kJson, "raw") ||
        !walk.give(tool.extra, TextForm::kJson, "extra") || !walk.give(tool.inner_extra, TextForm::kJson, "extra")) {
      return false;
    }
  }
  walk.place = {.origin = Origin::kDeclaration};
  for (std::string& stop : request.stop) {
    if (!walk.give(stop, TextForm::kPlain, "stop")) return false;
  }
  ResponseFormat& format = request.response_format;
  return walk.give(format.description, TextForm::kPlain, "response_format.description") &&
         walk.give(format.schema, TextForm::kJson, "response_format.schema") &&
         walk.give(format.extra, TextForm::kJson, "response_format.extra") &&
         walk.give(format.inner_extra, TextForm::kJson, "response_format.extra") &&
         walk.give(request.user, TextForm::kPlain, "user") &&
         walk.give(request.metadata, TextForm::kJson, "metadata") &&
         walk.give(request.reasoning.extra, TextForm::kJson, "reasoning.extra") &&
         walk.give(request.stream_options_extra, TextForm::kJson, "stream_options") &&
         walk.give(request.extra, TextForm::kJson, "extra");
}

}  // namespace ajar::guard
