#pragma once
// Words and pieces that the readers and writers of this dialect share.

#include <string>
#include <string_view>

#include "core/event.h"
#include "core/request.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::wire::responses {

// Part::detail of the part that begins a message item of the model's; kStringItem: its content was a string.
inline constexpr std::string_view kMessageItem = "message", kStringItem = "string";
// Part::name of the thought that begins a reasoning item.
inline constexpr std::string_view kReasoningItem = "reasoning";
// Part::detail of a kOpaque that is a part of a message's content; without it, it is a whole item.
inline constexpr std::string_view kContentPart = "content";
// Part::detail and Event::name of a thought that stands in a reasoning item's content, not in its summary.
inline constexpr std::string_view kReasoningText = "reasoning_text";
// Part::detail of the text that `instructions` holds.
inline constexpr std::string_view kInstructions = "instructions";
// Stands at the beginning of a custom tool's call and result in `extra`, as in Chat Completions.
inline constexpr std::string_view kCustomMark = "\"type\":\"custom\"";
inline bool is_custom(const RawMembers& extra) { return extra.starts_with(kCustomMark); }
std::string_view custom_rest(std::string_view extra);
// Between the pieces of a reasoning item, so that they read well in dialects that have only one text.
inline constexpr std::string_view kPieceBreak = "\n\n";
std::string_view without_break(std::string_view text);

// Proof of a thought as encrypted_content. What another maker made is marked with its name, so that it comes back as
// what it was: "ajar:anthropic:…", "ajar:anthropic:redacted:…".
std::string seal(std::string_view signature, bool redacted, std::string_view data, DialectId origin);
void unseal(std::string_view sealed, Part& thought);

// Annotations: Chat Completions nests their members, this API has them flat.
std::string flat_annotation(std::string_view nested);
std::string nested_annotation(const json::Object& flat);

// https://platform.openai.com/docs/api-reference/responses/object#responses/object-usage
Usage read_usage(const json::Object& object, RawMembers& extra);
void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra);

}  // namespace ajar::wire::responses
