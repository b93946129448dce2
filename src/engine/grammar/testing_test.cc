#include "engine/grammar/testing.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

namespace ajar::engine {
namespace {

class Bytes final : public Tokenizer {
 public:
  Bytes() { special_.end_of_generation = {256}, special_.eos = 256; }
  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    for (char c : text) ids.push_back(static_cast<uint8_t>(c));
  }
  void encode_with_controls(std::string_view text, std::vector<int32_t>& ids) const override { encode(text, ids); }
  void append_bytes(int32_t id, std::string& out) const override { if (id >= 0 && id < 256) out.push_back(static_cast<char>(id)); }
  size_t size() const override { return 257; }
  bool is_control(int32_t id) const override { return id == 256; }
  std::string_view piece(int32_t) const override { return {}; }
  int32_t find(std::string_view) const override { return -1; }
};

}  // namespace

std::shared_ptr<const TokenTrie> byte_trie() {
  static const auto made = TokenTrie::make(std::make_shared<Bytes>(), 257);
  return made;
}

std::shared_ptr<const TokenTrie> gpt2_trie() {
  static const auto made = []() -> std::shared_ptr<const TokenTrie> {
    const char* shared = std::getenv("AJAR_SHARED");
    const auto path = (shared ? std::filesystem::path(shared) : std::filesystem::path(AJAR_SOURCE_DIR) / "../shared/data") / "models/vocab/ggml-vocab-gpt-2.gguf";
    if (!std::filesystem::exists(path)) {
      std::printf("skipped: %s is absent\n", path.c_str());
      return nullptr;
    }
    auto tokenizer = load_gguf_tokenizer(path.string());
    return tokenizer ? TokenTrie::make(*tokenizer, (*tokenizer)->size()) : nullptr;
  }();
  return made;
}

bool takes(const CompiledGrammar& grammar, std::string_view text) {
  Automaton automaton(grammar.program());
  Automaton::State state = automaton.start();
  for (char c : text) {
    state = automaton.next(state, static_cast<uint8_t>(c));
    if (state == Automaton::kDead) return false;
    if (automaton.large()) state = automaton.compact(state);
  }
  return automaton.may_end(state);
}

int32_t any_allowed(const TokenMask& mask, const TokenTrie& trie, std::mt19937_64& random, bool ends) {
  const auto right = [&](int32_t t) { return mask.allowed(t) && (!trie.text(t).empty() || (ends && std::ranges::find(trie.ends(), t) != trie.ends().end())); };
  // Where many are allowed the first tries find one; a list of them all takes longer than the mask itself did.
  for (int i = 0; i < 100; ++i)
    if (const auto t = static_cast<int32_t>(random() % mask.size()); right(t)) return t;
  std::vector<int32_t> allowed;
  for (size_t w = 0; w < mask.words().size(); ++w)
    for (uint64_t left = mask.words()[w]; left != 0; left &= left - 1)
      if (const auto t = static_cast<int32_t>(w * 64) + std::countr_zero(left); right(t)) allowed.push_back(t);
  return allowed.empty() ? -1 : allowed[random() % allowed.size()];
}

namespace {

// The last token of exactly this text; -1: none.
int32_t token_of(const TokenTrie& trie, std::string_view text) {
  static std::map<std::pair<const TokenTrie*, std::string_view>, int32_t> found;  // of the two tries here, which are never destroyed
  auto [at, fresh] = found.try_emplace({&trie, text}, -1);
  for (size_t t = 0; fresh && t < trie.vocabulary(); ++t)
    if (trie.text(static_cast<int32_t>(t)) == text) at->second = static_cast<int32_t>(t);
  return at->second;
}

}  // namespace

std::optional<std::string> random_reply(Constraint& constraint, const TokenTrie& trie, std::mt19937_64& random, int patience, int most) {
  static constexpr std::array<std::string_view, 8> kClosing = {"\"", "}", "]", ",", ":", "0", "a", "b"};
  std::string out;
  TokenMask mask(trie.vocabulary());
  for (int i = 0; i < most; ++i) {
    mask.clear();
    constraint.allow(mask);
    int32_t token = any_allowed(mask, trie, random, true);
    if (token < 0) return out + "<nothing allowed>";
    if (i >= patience || random() % 8 == 0) {
      int32_t closing = -1;
      for (int32_t end : trie.ends())
        if (mask.allowed(end)) closing = end;
      const size_t first = random() % 7;
      for (size_t c = 0; c < kClosing.size() && closing < 0; ++c) {
        const std::string_view wanted = kClosing[c < 1 ? c : 1 + (c + first) % 7];  // quotes first, the others by chance
        if (const int32_t t = token_of(trie, wanted); t >= 0 && mask.allowed(t)) closing = t;
      }
      if (closing >= 0) token = closing;
    }
    if (std::ranges::find(trie.ends(), token) != trie.ends().end()) return out;
    out += trie.text(token);
    if (!constraint.accept(token)) return out + "<refused after it was allowed>";
    if (constraint.finished()) return out;
    std::vector<int32_t> forced;
    constraint.forced(forced);
    for (int32_t f : forced) {
      out += trie.text(f);
      if (!constraint.accept(f)) return out + "<a forced token was refused>";
      if (constraint.finished()) return out;
    }
  }
  return std::nullopt;
}

namespace {

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

bool is_type(std::string_view type, const json::Value& value) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (!value.is_number()) return false;
  return type == "number" || *json::as_double(value) == std::floor(*json::as_double(value));
}

bool date_is_real(std::string_view text) {
  int year = 0, month = 0, day = 0;
  if (std::sscanf(std::string(text).c_str(), "%4d-%2d-%2d", &year, &month, &day) != 3 || month < 1 || month > 12 || day < 1) return false;
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] + (month == 2 && leap);
}

}  // namespace

// For patterns that JSON Schema's dialect and PCRE2's read alike.
bool pattern_found(const std::string& pattern, std::string_view text) {
  int error = 0;
  size_t at = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &error, &at, nullptr);
  if (code == nullptr) return false;
  pcre2_match_data* match = pcre2_match_data_create_from_pattern(code, nullptr);
  const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, match, nullptr);
  pcre2_match_data_free(match);
  pcre2_code_free(code);
  return result >= 0;
}

std::string violation(const json::Value& schema, const json::Value& value, const json::Value& root) {
  if (auto flag = json::as_bool(schema)) return *flag ? "" : "false allows nothing";
  const json::Object object = *json::as_object(schema);
  const std::string shown = json::raw(value);
  auto bad = [&](std::string_view keyword) { return shown.substr(0, 200) + " breaks " + std::string(keyword); };
  auto sub = [&](const json::Value& s, const json::Value& v) { return violation(s, v, root); };
  const auto list_at = [&](std::string_view key) { return json::find(object, key) ? json::as_array(*json::find(object, key)) : std::nullopt; };
  const auto number_at = [&](std::string_view key) { return json::find(object, key) ? json::as_double(*json::find(object, key)) : std::nullopt; };

  if (auto ref = json::find(object, "$ref")) {
    json::Value target = root;
    const std::string path(json::as_string(*ref)->substr(1));
    if (!path.empty() && root.at_pointer(path).get(target) != simdjson::SUCCESS) return "no " + path;
    if (auto why = sub(target, value); !why.empty()) return why;
  }
  if (auto type = json::find(object, "type")) {
    bool fits = false;
    if (auto names = json::as_array(*type)) for (const json::Value name : *names) fits = fits || is_type(*json::as_string(name), value);
    else fits = is_type(*json::as_string(*type), value);
    if (!fits) return bad("type");
  }
  if (auto list = list_at("enum")) {
    bool fits = false;
    for (const json::Value item : *list) fits = fits || json::raw(item) == shown;
    if (!fits) return bad("enum");
  }
  if (json::Value constant; object.at_key("const").get(constant) == simdjson::SUCCESS && json::raw(constant) != shown) return bad("const");
  if (auto list = list_at("allOf"))
    for (const json::Value item : *list)
      if (auto why = sub(item, value); !why.empty()) return why;
  for (const char* keyword : {"anyOf", "oneOf"})
    if (auto list = list_at(keyword)) {
      int fits = 0;
      for (const json::Value item : *list) fits += sub(item, value).empty();
      if (fits == 0 || (keyword[0] == 'o' && fits > 1)) return bad(keyword);
    }
  if (auto number = json::as_double(value)) {
    if (auto bound = number_at("minimum"); bound && *number < *bound) return bad("minimum");
    if (auto bound = number_at("maximum"); bound && *number > *bound) return bad("maximum");
    if (auto bound = number_at("exclusiveMinimum"); bound && *number <= *bound) return bad("exclusiveMinimum");
    if (auto bound = number_at("exclusiveMaximum"); bound && *number >= *bound) return bad("exclusiveMaximum");
    if (auto step = number_at("multipleOf")) {
      const double times = *number / *step;
      if (std::abs(times - std::round(times)) > 1e-6 * std::max(1.0, std::abs(times))) return bad("multipleOf");
    }
  }
  if (auto text = json::as_string(value)) {
    if (auto n = number_at("minLength"); n && static_cast<double>(characters(*text)) < *n) return bad("minLength");
    if (auto n = number_at("maxLength"); n && static_cast<double>(characters(*text)) > *n) return bad("maxLength");
    if (auto pattern = json::find(object, "pattern"))
      if (!pattern_found(std::string(*json::as_string(*pattern)), *text)) return bad("pattern");
    const std::string_view format = json::string_or(object, "format");
    if ((format == "date" || format == "date-time") && !date_is_real(*text)) return bad("format");
    if (format == "uuid" && (text->size() != 36 || (*text)[8] != '-' || (*text)[23] != '-')) return bad("format");
  }
  if (auto items = json::as_array(value)) {
    if (auto n = number_at("minItems"); n && static_cast<double>(items->size()) < *n) return bad("minItems");
    if (auto n = number_at("maxItems"); n && static_cast<double>(items->size()) > *n) return bad("maxItems");
    const auto prefix = list_at("prefixItems");
    size_t i = 0;
    for (const json::Value item : *items) {
      std::string why;
      if (prefix && i < prefix->size()) why = sub(prefix->at(i).value_unsafe(), item);
      else if (auto rest = json::find(object, "items")) why = sub(*rest, item);
      if (!why.empty()) return why;
      ++i;
    }
  }
  if (auto members = json::as_object(value)) {
    std::set<std::string> keys;
    const auto properties = json::find(object, "properties");
    for (const auto member : *members) {
      json::Value property;
      const bool fresh = keys.emplace(member.key).second;
      std::string why;
      if (properties && json::as_object(*properties)->at_key(member.key).get(property) == simdjson::SUCCESS) why = fresh ? sub(property, member.value) : bad("unique keys");
      else if (auto others = json::find(object, "additionalProperties")) why = sub(*others, member.value);
      if (!why.empty()) return why;
    }
    if (auto required = list_at("required"))
      for (const json::Value name : *required)
        if (!keys.contains(std::string(*json::as_string(name)))) return bad("required");
    if (auto n = number_at("minProperties"); n && static_cast<double>(keys.size()) < *n) return bad("minProperties");
    if (auto n = number_at("maxProperties"); n && static_cast<double>(keys.size()) > *n) return bad("maxProperties");
  }
  return "";
}

}  // namespace ajar::engine
