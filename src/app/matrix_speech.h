#pragma once
// What clients of each API say and hear, for the conformance matrix. Written apart from src/wire on purpose: a test that
// shared the translators' code would share their mistakes.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/selftest_check.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::app::matrix {

struct SpokenCall {
  std::string id, name, arguments;  // arguments: a JSON object
  std::string signature = {};       // where the API proves calls
};

struct SpokenTurn {
  enum class Who : uint8_t { kSystem, kUser, kAssistant, kTool } who;
  std::string text;
  std::string image;                // kUser: a PNG, base64
  std::vector<SpokenCall> calls;    // kAssistant
  std::vector<SpokenCall> results;  // kTool: `arguments` is the result's text
  std::string thought, signature;   // kAssistant
  std::string maker;                // whose signature it is, where the dialect says so
};

struct SpokenTool {
  std::string name, description, schema;
};

// A request in nobody's dialect.
struct Asked {
  std::string model;
  bool stream = false;
  std::vector<SpokenTurn> turns;
  std::vector<SpokenTool> tools;
  std::string tool_choice;          // "", "none", "required", or a tool's name
  std::string schema;               // of a structured answer
  std::vector<std::string> stop;
  int64_t max_tokens = 512;
  bool think = false;
};

// What the client makes of the answer, streamed or not.
struct Said {
  std::string text, thought, signature, maker, model, error;
  std::string finish;               // "stop", "length", "tool_calls", as the dialect says it
  std::vector<SpokenCall> calls;
  int64_t input = -1, output = -1;  // tokens
  int errors = 0;
  bool ended = false;               // the dialect's own proper end was there
  std::string fault;                // what is wrong with its form, empty: nothing
};

struct Speaker {
  std::string_view name;            // "Anthropic Messages"
  std::string_view id;              // "anthropic", for names of checks
  std::string (*path)(const Asked&);
  std::string (*write)(const Asked&);
  Said (*read)(const Heard&, bool stream);
  // Why the dialect itself cannot say this; empty: it can.
  std::string_view (*lacks)(const Asked&);
};

const Speaker& chat_speaker();
const Speaker& responses_speaker();
const Speaker& anthropic_speaker();
const Speaker& gemini_speaker();
const Speaker& ollama_speaker();
std::vector<const Speaker*> speakers();

// ---- For the speakers

std::optional<json::Object> spoken_member(const json::Object& object, std::string_view name);
std::string spoken_text(const json::Object& object, std::string_view name);
// The proof of a call where Google's OpenAI-compatible endpoint puts it: extra_content.google.thought_signature.
std::string spoken_proof(const json::Object& call);
void write_proof(json::Writer& w, const SpokenCall& call);
// Calls `each` with every object of a list; false when there is no such list.
bool spoken_each(const json::Object& object, std::string_view name, const std::function<void(const json::Object&)>& each);
// Calls `each` with the JSON of a whole body, of every server-sent event, or of every line.
enum class Framing : uint8_t { kBody, kEvents, kLines };
void spoken_pieces(const Heard& heard, Framing framing, Said& said,
                   const std::function<void(std::string_view event, const json::Object&)>& each);

}  // namespace ajar::app::matrix
