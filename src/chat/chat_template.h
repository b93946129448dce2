#pragma once
// A request to the text that a model is prompted with, by the model's own chat template. What the template can do is found
// by trying it, and what it cannot do is written into the texts that it takes: tools into the system's, a system's text
// into the first user's. Immutable; any thread.

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "chat/jinja/jinja.h"
#include "chat/reply_parser.h"
#include "chat/syntax.h"
#include "core/request.h"

namespace ajar::chat {

// What trying the template showed.
struct Abilities {
  bool system = false;          // a first message of the system is said
  bool late_system = false;     // and one between others
  bool tools = false;           // tools are described
  bool calls = false;           // an assistant's calls are said
  bool parallel_calls = false;  // more than one in a message
  bool results = false;         // messages of the role "tool" are said
  bool thinking = false;        // enable_thinking or thinking changes the prompt
  bool repeated_users = false;  // two messages of the user in a row
  bool parts = false;           // content must be a list of parts, not a string
  bool text_arguments = false;  // arguments of calls must be JSON text, not an object
  bool null_content = false;    // a message with calls must have no content at all
};

struct Prompt {
  // To be encoded with controls. It begins with the bos token where the template writes one, which then must not be
  // added again.
  std::string text;
  ReplyStart start = ReplyStart::kContent;
};

struct TemplateTokens {
  std::string bos, eos;  // as the vocabulary writes them; empty: none
};

class ChatTemplate {
 public:
  // An empty source is plain ChatML. kInvalid gives the line of what is no template; a template that renders no
  // conversation at all is kInvalid too, with its own words.
  static Result<std::shared_ptr<const ChatTemplate>> make(std::string_view source, TemplateTokens tokens);

  // kUnsupported names the part of a message that a text model does not take (an image, ...); kInvalid has the words of a
  // template that refuses the conversation. A last message of the assistant is gone on with.
  Result<Prompt> render(const Request& request, int64_t now_unix_s) const;

  const Abilities& abilities() const { return abilities_; }
  const ReplySyntax& syntax() const { return *syntax_; }  // by which replies are read

 private:
  Result<std::string> try_render(const jinja::Value& messages, const jinja::Value* tools, bool add_prompt, int thinking) const;
  void probe();

  jinja::Template template_;
  std::string source_;
  TemplateTokens tokens_;
  Abilities abilities_;
  const ReplySyntax* syntax_ = nullptr;
};

}  // namespace ajar::chat
