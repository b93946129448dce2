#pragma once
// An owned chat request in our words. Every dialect reads into it and writes from it; nothing of the client's
// bytes is forwarded. What our words do not have survives as `extra`, raw JSON members that only the same
// dialect family may write again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ajar {

// A JSON text that has been parsed and written again by us: compact, valid, one value. Empty means absent.
using RawJson = std::string;
// Comma-separated members without braces: `"a":1,"b":[2]`. Empty means none.
using RawMembers = std::string;

enum class DialectId : uint8_t {
  kNone, kOpenAiChat, kAnthropic, kGemini, kOpenAiResponses, kOllama, kCohere, kBedrock, kReplicate,
  kOpenAiCompletions
};
std::string_view dialect_name(DialectId id);  // "openai", "anthropic", "gemini", "responses", ...
DialectId dialect_of_name(std::string_view name);  // kNone: unknown

enum class Role : uint8_t { kSystem, kDeveloper, kUser, kAssistant, kTool };
std::string_view role_name(Role role);

// One content block of a message. `kind` says which members mean something; the rest stay empty.
struct Part {
  enum class Kind : uint8_t {
    kText,        // text
    kRefusal,     // text
    kImage,       // data+media_type, or url, or file_id; detail
    kAudio,       // data+media_type ("audio/wav"), or url, or file_id
    kFile,        // data+media_type, or url, or file_id, or text (plain-text document); name is the file name
    kThought,     // text + signature; redacted: `data` holds the provider's opaque bytes, text is empty
    kToolCall,    // id, name, arguments; signature (Gemini's thoughtSignature on the call)
    kToolResult,  // id of the call, name where known, content, is_error
    kOpaque,      // raw: a block of `origin` that our words lack (server tools, ...); only for that dialect
  };
  Kind kind = Kind::kText;
  bool is_error = false;  // kToolResult
  bool redacted = false;  // kThought
  DialectId origin = DialectId::kNone;  // who wrote signature / raw / extra; others must not be sent them

  std::string text;
  std::string id;          // calls and results: of the call; otherwise of the item it stands in, in dialects with items
  std::string name;
  std::string arguments;   // kToolCall: the JSON text of the arguments; "{}" when there are none. May be
                           // broken JSON when a model wrote it so: a dialect that needs an object wraps it.
  std::string media_type;  // "image/png"
  std::string data;        // base64, never the data: prefix
  std::string url;
  std::string file_id;
  std::string detail;      // OpenAI's image detail; kThought, kRefusal: the message member it came in, where
                           // the same dialect would write it elsewhere otherwise ("reasoning", "refusal")
  std::string signature;   // proof that the thought is the provider's; opaque
  RawJson raw;             // kOpaque; kFile: the block as `origin` wrote it, where our words hold only its text
  RawJson cache_control;   // Anthropic's {"type":"ephemeral","ttl":"1h"}, kept by OpenAI-compatible too
  RawJson citations;       // Anthropic's citations setting or list on the block, or empty
  std::string annotations; // of a reply's text: OpenAI's annotations of it, comma-separated
  RawMembers extra;        // unknown members of the block
  RawMembers inner_extra;  // unknown members of its inner object (image_url, function, ...)
  std::vector<Part> content;  // kToolResult
};

struct Message {
  Role role = Role::kUser;
  std::string name;         // OpenAI's participant name
  std::vector<Part> parts;  // in order; text, calls and thoughts may interleave
  bool plain_text = false;  // the client wrote `content` as a string: same-dialect writers do so again
  DialectId origin = DialectId::kNone;
  RawMembers extra;         // unknown members of the message (audio, annotations, ...)
};

struct Tool {
  std::string name;         // functions; empty for a built-in tool, which is `raw` of `origin`
  std::string description;
  RawJson parameters;       // JSON Schema; empty: takes no arguments
  std::optional<bool> strict;
  RawJson raw;              // a tool that is not a function (web_search, computer_use, ...), whole
  DialectId origin = DialectId::kNone;
  RawJson cache_control;
  RawMembers extra;
  RawMembers inner_extra;   // unknown members of its `function` object
};

struct ToolChoice {
  enum class Mode : uint8_t { kUnset, kAuto, kNone, kAny, kNamed, kRaw };
  Mode mode = Mode::kUnset;
  std::string name;  // kNamed
  std::vector<std::string> allowed;  // kAuto, kAny: only these functions; empty: all that are declared
  RawJson raw;       // kRaw: a form our words lack (OpenAI's allowed_tools); otherwise the client's own words, where
                     // they say more. Same dialect only
};

struct ResponseFormat {
  enum class Kind : uint8_t { kUnset, kText, kJsonObject, kJsonSchema };
  Kind kind = Kind::kUnset;
  std::string name;
  std::string description;
  RawJson schema;
  std::optional<bool> strict;
  RawMembers extra;        // unknown members of the object
  RawMembers inner_extra;  // unknown members of its json_schema object
};

struct Reasoning {
  enum class Mode : uint8_t { kUnset, kEffort, kBudget, kOff, kAdaptive };
  Mode mode = Mode::kUnset;
  std::string effort;             // kEffort: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | ...
  int64_t budget_tokens = 0;      // kBudget
  std::optional<bool> include_thoughts;  // Gemini's includeThoughts
  std::string form;               // how an OpenAI-compatible client said it: "" (reasoning_effort), "reasoning"
                                  // (OpenRouter's object) or "thinking" (Anthropic's object)
  RawMembers extra;               // unknown members of that object

  bool off() const { return mode == Mode::kOff || (mode == Mode::kEffort && effort == "none"); }
};

struct Sampling {
  std::optional<double> temperature, top_p, frequency_penalty, presence_penalty;
  std::optional<int64_t> top_k, seed;
  RawJson logit_bias;
};

struct Request {
  DialectId dialect = DialectId::kOpenAiChat;  // of the client; owner of every `extra`
  std::string model;                           // the route's public name as the client wrote it
  std::vector<Message> messages;               // system and developer turns stand in place
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  std::optional<bool> parallel_tool_calls;
  Sampling sampling;
  std::optional<int64_t> max_tokens;       // output tokens, reasoning included
  bool max_completion_tokens = false;      // the client used OpenAI's newer spelling
  std::vector<std::string> stop;
  bool stop_is_string = false;             // `"stop": "x"`, written back the same way
  std::optional<int64_t> n;
  std::optional<bool> logprobs;
  std::optional<int64_t> top_logprobs;
  ResponseFormat response_format;
  Reasoning reasoning;
  bool stream = false;
  bool include_usage = false;              // stream_options.include_usage
  bool legacy_functions = false;           // the client used `functions`; it reads `function_call` in replies
  std::string user;                        // OpenAI `user`, Anthropic metadata.user_id
  std::string service_tier;
  std::string betas;                       // Anthropic's anthropic-beta header, comma-separated; for it alone
  RawJson metadata;                        // OpenAI's metadata object, Anthropic's metadata beyond user_id
  RawMembers stream_options_extra;         // unknown members of stream_options
  RawMembers extra;                        // unknown top-level members
  // Responses: whether the reply is to be kept, and the kept reply that this request continues. Ajar keeps replies
  // itself; what is still here when the request is written is the provider's business.
  std::optional<bool> store;
  std::string previous_id;

  int64_t choices() const { return n.value_or(1); }
};

}  // namespace ajar
