#pragma once
// What the writers and error readers of foreign dialects share. No dialect's words are in here.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/request.h"
#include "json/write.h"

namespace ajar::wire {

// The arguments of a call as the text of a JSON object, for dialects that take nothing else: an
// object stays, another value becomes {"value":…}, what is not JSON becomes {"arguments":"…"},
// nothing becomes {}.
std::string object_arguments(std::string_view arguments);

// Nothing but white space (Unicode's no-break space counts as text).
bool blank(std::string_view text);
std::string_view trim_right(std::string_view text);

// Media type from the first bytes of base64 data, or from the extension of a URL or a file name; ""
// when unknown.
std::string_view sniff_media_type(std::string_view base64);
std::string_view guess_media_type(std::string_view url);

// Adds `name` to a list of dropped features, once.
void drop(std::vector<std::string>& dropped, std::string_view name);
// Refuses (kUnsupported, naming it) what only the client's own dialect can do: items and built-in tools of Responses that
// our words lack, state that another provider keeps; what a chat cannot do for a Completions request. Every writer of another dialect than the client's asks.
Status refuse_foreign(const Request& request);

// Lists the client's unknown top-level members as dropped. Refuses (kUnsupported, naming the field)
// those that would change what the reply is made of, such as audio output.
Status drop_extra(const Request& request, std::vector<std::string>& dropped);

// Writes the client's unknown top-level members where the target speaks the client's dialect (`ours`) and keeps them;
// otherwise they are listed as dropped, or refused as drop_extra() does.
Status write_extra(json::Writer& w, const Request& request, bool ours, bool keep_unknown,
                   std::vector<std::string>& dropped);

// kUnsupported for a block or a built-in tool of another dialect, naming its type.
std::unexpected<Error> refuse_block(const Part& part, std::string field);
std::unexpected<Error> refuse_tool(const Tool& tool, std::string field);

// A turn that instructs the model: system or developer.
bool is_instruction(const Message& message);
// True when `dialect` made this part, so that its signature and raw members may go back there.
bool made_by(DialectId dialect, const Part& part, const Request& request);

// The tools that may be called when OpenAI's tool_choice is "allowed_tools", and whether one must
// be.
struct AllowedTools {
  bool required = false;
  std::vector<std::string> names;
  bool has(std::string_view name) const;
};
// Every declared tool may be called where the choice says nothing else. kUnsupported for a choice
// of another form.
Result<std::optional<AllowedTools>> read_allowed_tools(const ToolChoice& choice);

// The stand-in for the turn that says what a mid-conversation system or developer message says, in
// a dialect where only the beginning may hold instructions.
std::string system_as_user_text(std::string_view text);

// "messages[2].content[0]"
std::string part_field(size_t message, size_t part);
// The same as the client counts: in Anthropic's and Gemini's words instructions stand apart, "system[0]", and
// "contents[1].parts[0]".
std::string message_field(const std::vector<Message>& messages, size_t message);
std::string part_field(const std::vector<Message>& messages, size_t message, size_t part);

// Lists what a client of another dialect said of a part or a tool beside what our words hold.
void drop_part_extra(const Part& part, const std::string& field, std::vector<std::string>& dropped);
void drop_tool_extra(const Tool& tool, const std::string& field, std::vector<std::string>& dropped);

// What an HTTP status of a model server means to us. 401, 402 and 403 are kUpstream: it was our
// credential that failed, not the client's.
Code code_of_status(int status);
// For bodies that are not the dialect's JSON: HTML, plain text, nothing. The message quotes a
// little of it.
Error opaque_error(int status, std::string_view body);
// OpenAI's word for a prompt that does not fit, which clients look for; others say it only in their
// message.
inline constexpr std::string_view kContextTooLong = "context_length_exceeded";

}  // namespace ajar::wire
