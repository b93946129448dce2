// Any text as a schema (of a value, or of arguments that are written one by one), a regular expression or GBNF: no crash, no endless work, and what is compiled is never stuck: a text of
// random allowed bytes can always go on or end.
#include <chrono>
#include <cstdlib>

#include "engine/grammar/compile.h"
#include "engine/grammar/json_schema.h"

using namespace ajar::engine;

namespace {

class Bytes final : public Tokenizer {
 public:
  Bytes() { special_.end_of_generation = {256}; }
  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    for (char c : text) ids.push_back(static_cast<uint8_t>(c));
  }
  void encode_with_controls(std::string_view text, std::vector<int32_t>& ids) const override { encode(text, ids); }
  void append_bytes(int32_t id, std::string& out) const override {
    if (id < 256) out.push_back(static_cast<char>(id));
    else if (id > 256) out += id == 257 ? "\":" : id == 258 ? "},{" : "aaaaaaaaaaaa";
  }
  size_t size() const override { return 260; }
  bool is_control(int32_t id) const override { return id == 256; }
  std::string_view piece(int32_t) const override { return {}; }
  int32_t find(std::string_view) const override { return -1; }
};

Compiled compile_arguments(std::string_view schema, std::shared_ptr<const TokenTrie> trie, bool raw) {
  const ArgumentForm::Around around{"<p=", ">", "</p>"};
  Grammar grammar;
  AJAR_ASSIGN(const Grammar::Node node, add_json_arguments(grammar, schema, {.json = around, .text = around, .raw = raw, .never = {"</p>", "<p="}, .between = ","}));
  return CompiledGrammar::make(std::move(grammar), node, std::move(trie));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto trie = TokenTrie::make(std::make_shared<Bytes>(), 260);
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  auto grammar = data[0] % 4 == 0   ? compile_json_schema(text, trie, data[0] & 4)
                 : data[0] % 4 == 1 ? compile_regex(text, trie)
                 : data[0] % 4 == 2 ? compile_gbnf(text, trie)
                                    : compile_arguments(text, trie, data[0] & 4);
  if (!grammar) {
    if (grammar.error().message.empty()) __builtin_trap();
    return 0;
  }
  Automaton automaton((*grammar)->program());
  Automaton::State state = automaton.start();
  uint64_t random = data[1] + 1;
  for (int i = 0; i < 64 && automaton.may_go_on(state); ++i) {
    TokenMask mask(trie->vocabulary());
    (*grammar)->allow(automaton, state, mask);
    int32_t allowed[260];
    size_t count = 0;
    for (int32_t t = 0; t < 260; ++t)
      if (mask.allowed(t) && t != 256) allowed[count++] = t;
    if (count == 0) __builtin_trap();
    random = random * 6364136223846793005u + 1442695040888963407u;
    for (char c : trie->text(allowed[(random >> 33) % count])) {
      state = automaton.next(state, static_cast<uint8_t>(c));
      if (state == Automaton::kDead) __builtin_trap();
    }
    if (i % 16 == 15) state = automaton.compact(state);
  }
  if (!automaton.may_go_on(state) && !automaton.may_end(state)) __builtin_trap();
  return 0;
}
