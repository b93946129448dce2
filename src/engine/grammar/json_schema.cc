#include "engine/grammar/json_schema.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/grammar/json_formats.h"
#include "engine/grammar/json_text.h"
#include "engine/grammar/raw_text.h"
#include "engine/grammar/regex.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::engine {
namespace {

using Node = Grammar::Node;

// A place in the schema; the pointer is its name.
struct Place {
  json::Value value;
  std::string pointer;
  bool from_ref = false;
  bool flat = false;                         // its $ref and allOf stand beside it
  bool any_done = false, one_done = false;   // so does one of its anyOf, oneOf
};
using Places = std::vector<Place>;  // all of them hold

enum TypeBit : unsigned { kNull = 1, kBoolean = 2, kObject = 4, kArray = 8, kInteger = 16, kNumber = 32, kString = 64, kAll = 127 };

unsigned type_bit(std::string_view name) {
  static constexpr std::pair<std::string_view, unsigned> kNames[] = {
      {"null", kNull}, {"boolean", kBoolean}, {"object", kObject}, {"array", kArray},
      {"integer", kInteger}, {"number", kNumber | kInteger}, {"string", kString}};
  for (auto [known, bit] : kNames)
    if (known == name) return bit;
  return 0;
}

unsigned type_of(const json::Value& value) {
  switch (value.type()) {
    case json::Type::NULL_VALUE: return kNull;
    case json::Type::BOOL: return kBoolean;
    case json::Type::OBJECT: return kObject;
    case json::Type::ARRAY: return kArray;
    case json::Type::STRING: return kString;
    default: break;
  }
  auto number = json::as_double(value);
  return number && *number == std::floor(*number) ? kInteger : kNumber;
}

// What is said about a schema, and what is taken apart before.
constexpr std::string_view kSilent[] = {"title", "description", "default", "examples", "example", "$schema", "$id", "id", "$comment", "$defs",
                                        "definitions", "deprecated", "readOnly", "writeOnly", "discriminator", "$ref", "allOf"};
// Keywords that only say something about values of these types. Alone they are taken to mean the type as well.
constexpr std::pair<std::string_view, unsigned> kHints[] = {
    {"properties", kObject}, {"required", kObject}, {"additionalProperties", kObject}, {"minProperties", kObject}, {"maxProperties", kObject},
    {"items", kArray}, {"prefixItems", kArray}, {"minItems", kArray}, {"maxItems", kArray},
    {"pattern", kString}, {"format", kString}, {"minLength", kString}, {"maxLength", kString},
    {"minimum", kNumber | kInteger}, {"maximum", kNumber | kInteger}, {"exclusiveMinimum", kNumber | kInteger},
    {"exclusiveMaximum", kNumber | kInteger}, {"multipleOf", kNumber | kInteger}};
constexpr std::string_view kRefused[] = {"not", "if", "then", "else", "patternProperties", "propertyNames", "dependentRequired",
                                         "dependentSchemas", "dependencies", "contains", "minContains", "maxContains",
                                         "unevaluatedItems", "$dynamicRef", "$recursiveRef", "additionalItems", "extends", "disallow"};

std::string escaped(std::string_view key) {
  std::string out;
  for (char c : key) c == '~' ? out += "~0" : c == '/' ? out += "~1" : out += c;
  return out;
}

class Reader {
 public:
  Reader(Grammar& grammar, const SchemaLimits& limits) : g_(grammar), text_(grammar), limits_(limits) {}

  Result<Node> run(std::string_view schema) {
    AJAR_TRY(open(schema));
    return all_of({{root_, "#"}});
  }

  Result<Node> arguments(std::string_view schema, const ArgumentForm& form) {
    AJAR_TRY(open(schema));
    Places flat;
    bool referred = false;
    AJAR_TRY(flatten({root_, "#"}, flat, referred, 0));
    for (const Place& place : flat) {
      const auto object = json::as_object(place.value);
      if (!object) return g_.nothing();  // false
      AJAR_TRY(check(*object, place.pointer));
      for (const char* keyword : {"anyOf", "oneOf", "enum", "const"})
        if (json::find(*object, keyword)) return error(place.pointer + "/" + keyword, "cannot be enforced where arguments are written one by one", Code::kUnsupported);
    }
    return objects(flat, &form);
  }

 private:
  static std::unexpected<Error> error(const std::string& pointer, std::string_view what, Code code = Code::kInvalid) {
    return fail(code, pointer + ": " + std::string(what));
  }

  Status open(std::string_view schema) {
    if (schema.size() > limits_.bytes) return fail(Code::kTooLarge, "#: the schema has more than " + std::to_string(limits_.bytes) + " bytes");
    auto root = document_.parse(schema);
    if (!root) return std::unexpected(std::move(root).error().in("#"));
    root_ = *root;
    return {};
  }

  // The text that fits every place. Places that came through a reference become rules, so that they may refer to themselves.
  Result<Node> all_of(Places places) {
    if (depth_ >= limits_.depth) return error(places[0].pointer, "schemas nest deeper than " + std::to_string(limits_.depth), Code::kTooLarge);
    if (++read_ > limits_.schemas) return error(places[0].pointer, "more than " + std::to_string(limits_.schemas) + " schemas", Code::kTooLarge);
    if (g_.overflowed()) return error(places[0].pointer, "the grammar has more than " + std::to_string(Grammar::kMaxNodes) + " nodes", Code::kTooLarge);
    Places flat;
    bool referred = false;
    for (Place& place : places) AJAR_TRY(flatten(std::move(place), flat, referred, 0));
    std::string key;
    if (referred || std::ranges::any_of(flat, [](const Place& place) { return place.from_ref; })) {
      if (raw_) key = "raw\n";
      for (const Place& place : flat) key += place.pointer + (place.any_done ? "?" : "") + (place.one_done ? "!" : "") + "\n";
      if (auto known = rules_.find(key); known != rules_.end()) return g_.call(known->second);
      rules_[key] = g_.declare(flat.empty() ? "any value" : flat[0].pointer);
    }
    ++depth_;
    auto made = branches(flat);
    --depth_;
    if (!made || key.empty()) return made;
    g_.define(rules_[key], *made);
    return g_.call(rules_[key]);
  }

  // References and allOf taken apart; `true` and {} say nothing.
  Status flatten(Place place, Places& out, bool& referred, int hops) {
    if (hops > 100) return error(place.pointer, "refers to itself, or allOf nests too deep", Code::kTooLarge);
    if (auto flag = json::as_bool(place.value)) {
      if (!*flag) out.push_back(std::move(place));
      return {};
    }
    auto object = json::as_object(place.value);
    if (!object) return error(place.pointer, "a schema is an object or a boolean");
    if (out.size() > 1000) return error(place.pointer, "more than 1000 schemas in one combination", Code::kTooLarge);
    for (const Place& other : out) {
      if (other.pointer != place.pointer) continue;
      if (other.any_done == place.any_done && other.one_done == place.one_done) return {};
      return error(place.pointer, "refers to itself");
    }
    if (!place.flat) {
      if (auto ref = json::find(*object, "$ref")) {
        auto target = json::as_string(*ref);
        if (!target) return error(place.pointer + "/$ref", "must be a string");
        AJAR_ASSIGN(Place to, resolve(*target, place.pointer));
        referred = true;
        AJAR_TRY(flatten(std::move(to), out, referred, hops + 1));
      }
      if (auto list = json::find(*object, "allOf")) {
        auto array = json::as_array(*list);
        if (!array) return error(place.pointer + "/allOf", "must be a list");
        size_t i = 0;
        for (const json::Value item : *array) AJAR_TRY(flatten({item, place.pointer + "/allOf/" + std::to_string(i++)}, out, referred, hops + 1));
      }
      place.flat = true;
    }
    if (says_something(*object, place)) out.push_back(std::move(place));
    return {};
  }

  static bool says_something(const json::Object& object, const Place& place) {
    for (const auto field : object) {
      const std::string_view key = field.key;
      if ((key == "anyOf" && place.any_done) || (key == "oneOf" && place.one_done)) continue;
      if (std::ranges::find(kSilent, key) == std::end(kSilent)) return true;
    }
    return false;
  }

  Result<Place> resolve(std::string_view target, const std::string& pointer) {
    if (target == "#") return Place{root_, "#", true};
    if (!target.starts_with("#/")) return error(pointer + "/$ref", "only references within the schema (#/...) can be followed", Code::kUnsupported);
    std::string path;
    for (size_t i = 1; i < target.size(); ++i) {
      auto hex = [&](size_t at) { return at < target.size() ? std::string_view("0123456789abcdef").find(static_cast<char>(std::tolower(static_cast<unsigned char>(target[at])))) : std::string_view::npos; };
      if (target[i] == '%' && hex(i + 1) != std::string_view::npos && hex(i + 2) != std::string_view::npos) {
        path += static_cast<char>(hex(i + 1) * 16 + hex(i + 2));
        i += 2;
      } else {
        path += target[i];
      }
    }
    json::Value found;
    if (root_.at_pointer(path).get(found) != simdjson::SUCCESS) return error(pointer + "/$ref", "there is no '" + std::string(target) + "'");
    return Place{found, "#" + path, true};
  }

  // How many combinations the anyOf and oneOf of these places make at least. Lists with what may end a branch early, or bring one of
  // its own, count once.
  size_t combinations(const Places& flat) const {
    size_t product = 1;
    for (const Place& place : flat)
      for (const bool any : {true, false}) {
        const auto object = json::as_object(place.value);
        if (!object || (any ? place.any_done : place.one_done)) continue;
        const auto list = json::find(*object, any ? "anyOf" : "oneOf");
        const auto array = list ? json::as_array(*list) : std::nullopt;
        if (!array) continue;
        bool plain = array->size() > 0;
        for (const json::Value item : *array) {
          const auto option = json::as_object(item);
          plain = plain && option && !json::find(*option, "$ref") && !json::find(*option, "allOf");
        }
        if (plain) product = std::min(product * array->size(), limits_.schemas + 1);
      }
    return product;
  }

  // anyOf and oneOf: each of their schemas together with what stands beside them.
  Result<Node> branches(const Places& flat) {
    for (size_t p = 0; p < flat.size(); ++p) {
      auto object = json::as_object(flat[p].value);
      if (!object) return g_.nothing();  // false
      for (const bool any : {true, false}) {
        if (any ? flat[p].any_done : flat[p].one_done) continue;
        auto list = json::find(*object, any ? "anyOf" : "oneOf");
        if (!list) continue;
        const std::string pointer = flat[p].pointer + (any ? "/anyOf" : "/oneOf");
        auto array = json::as_array(*list);
        if (!array) return error(pointer, "must be a list of schemas");
        if (array->size() == 0) return error(pointer, "is empty: no value would fit");
        if (read_ + combinations(flat) > limits_.schemas)
          return error(pointer, "with what stands beside it makes more than " + std::to_string(limits_.schemas) + " schemas", Code::kTooLarge);
        std::vector<Node> choices;
        size_t i = 0;
        for (const json::Value item : *array) {
          Places with = flat;
          (any ? with[p].any_done : with[p].one_done) = true;
          with.push_back({item, pointer + "/" + std::to_string(i++)});
          AJAR_ASSIGN(Node choice, all_of(std::move(with)));
          choices.push_back(choice);
        }
        return g_.choice(std::move(choices));
      }
    }
    if (flat.empty()) return text_.any();
    return leaf(flat);
  }

  // No references and no branches any more: one set of keywords.
  Result<Node> leaf(const Places& places) {
    unsigned types = kAll, hinted = 0;
    bool typed = false;
    std::optional<std::vector<std::pair<std::string, unsigned>>> values;
    for (const Place& place : places) {
      const json::Object object = *json::as_object(place.value);
      AJAR_TRY(check(object, place.pointer));
      if (auto type = json::find(object, "type")) {
        unsigned these = 0;
        if (auto list = json::as_array(*type)) {
          for (const json::Value item : *list) {
            const unsigned bit = type_bit(json::as_string(item).value_or(""));
            if (bit == 0) return error(place.pointer + "/type", "names an unknown type");
            these |= bit;
          }
        } else {
          these = type_bit(json::as_string(*type).value_or(""));
          if (these == 0) return error(place.pointer + "/type", "names an unknown type");
        }
        if (auto nullable = json::find(object, "nullable"); nullable && json::as_bool(*nullable).value_or(false)) these |= kNull;
        types &= these, typed = true;
      }
      for (auto [keyword, bits] : kHints)
        if (json::find(object, keyword)) hinted |= bits;
      AJAR_TRY(read_values(object, place.pointer, values));
    }
    if (!typed && hinted != 0 && !values) types = hinted;
    if (raw_) types &= kString;  // `nullable`: read back, null would be the text "null"
    if (values) {
      for (const Place& place : places)
        for (auto [keyword, bits] : kHints)
          if (keyword != "format" && json::find(*json::as_object(place.value), keyword)) return error(place.pointer + "/" + std::string(keyword), "cannot be enforced beside enum or const", Code::kUnsupported);
      std::vector<std::string> texts;
      for (const auto& [text, type] : *values)
        if (type & types) texts.push_back(text);
      return raw_ ? raw_literals(texts) : g_.literals(std::move(texts));
    }
    if (types == kAll && hinted == 0) return text_.any();
    std::vector<Node> choices;
    if (types & kNull) choices.push_back(g_.literal("null"));
    if (types & kBoolean) choices.push_back(g_.literals({"true", "false"}));
    if (types & (kNumber | kInteger)) {
      AJAR_ASSIGN(Node number, numbers(places, !(types & kNumber)));
      choices.push_back(number);
    }
    if (types & kString) {
      AJAR_ASSIGN(Node string, strings(places));
      choices.push_back(string);
    }
    if (types & kArray) {
      AJAR_ASSIGN(Node array, arrays(places));
      choices.push_back(array);
    }
    if (types & kObject) {
      AJAR_ASSIGN(Node object, objects(places));
      choices.push_back(object);
    }
    return g_.choice(std::move(choices));
  }

  static Status check(const json::Object& object, const std::string& pointer) {
    for (const auto field : object) {
      const std::string_view key = field.key;
      if (std::ranges::find(kRefused, key) != std::end(kRefused))
        return error(pointer + "/" + std::string(key), "this keyword cannot be enforced", Code::kUnsupported);
      if (key == "uniqueItems" && json::as_bool(field.value).value_or(true))
        return error(pointer + "/uniqueItems", "this keyword cannot be enforced", Code::kUnsupported);
      if (key == "unevaluatedProperties" && json::as_bool(field.value).value_or(true))
        return error(pointer + "/unevaluatedProperties", "only false can be enforced", Code::kUnsupported);
    }
    return {};
  }

  // enum and const, as JSON texts; several lists hold together.
  static Status read_values(const json::Object& object, const std::string& pointer, std::optional<std::vector<std::pair<std::string, unsigned>>>& values) {
    auto meet = [&](const std::vector<std::pair<std::string, unsigned>>& these) {
      if (!values) values = these;
      else std::erase_if(*values, [&](const auto& value) { return std::ranges::find(these, value) == these.end(); });
    };
    json::Value constant;
    if (object.at_key("const").get(constant) == simdjson::SUCCESS) meet({{json::raw(constant), type_of(constant)}});
    if (auto list = json::find(object, "enum")) {
      auto array = json::as_array(*list);
      if (!array || array->size() == 0) return error(pointer + "/enum", "must be a list of values");
      std::vector<std::pair<std::string, unsigned>> these;
      for (const json::Value item : *array) these.emplace_back(json::raw(item), type_of(item));
      meet(these);
    }
    return {};
  }

  // A whole number >= 0 of a keyword, the largest or the smallest of all places.
  static Result<std::optional<int32_t>> count(const Places& places, std::string_view keyword, bool largest) {
    std::optional<int32_t> out;
    for (const Place& place : places) {
      auto value = json::find(*json::as_object(place.value), keyword);
      if (!value) continue;
      auto number = json::as_int(*value);
      if (!number || *number < 0) return error(place.pointer + "/" + std::string(keyword), "must be a whole number >= 0");
      const auto here = static_cast<int32_t>(std::min<int64_t>(*number, 1'000'000'000));
      out = !out ? here : largest ? std::max(*out, here) : std::min(*out, here);
    }
    return out;
  }

  Result<Node> numbers(const Places& places, bool whole) {
    NumberRange range;
    std::optional<int64_t> low, high;
    bool bounded = false, stepped = false;
    for (const Place& place : places) {
      const json::Object object = *json::as_object(place.value);
      for (auto [keyword, lower, open] : {std::tuple{"minimum", true, false}, {"exclusiveMinimum", true, true}, {"maximum", false, false}, {"exclusiveMaximum", false, true}}) {
        auto value = json::find(object, keyword);
        if (!value) continue;
        auto number = json::as_double(*value);
        if (!number) return error(place.pointer + "/" + keyword, json::as_bool(*value) ? "must be a number (its form of draft 4 is not read)" : "must be a number");
        bounded = true;
        const bool is_open = open;
        const auto exact = json::as_int(*value);
        if (lower) {
          if (!range.low || *number > *range.low || (*number == *range.low && is_open)) range.low = number, range.low_open = is_open;
          if (*number > 9.2e18) return g_.nothing();
          const int64_t least = *number < -9.2e18 ? INT64_MIN : exact ? *exact + (is_open ? 1 : 0) : static_cast<int64_t>(std::ceil(*number));
          low = std::max(low.value_or(INT64_MIN), least);
        } else {
          if (!range.high || *number < *range.high || (*number == *range.high && is_open)) range.high = number, range.high_open = is_open;
          if (*number < -9.2e18) return g_.nothing();
          const int64_t most = *number > 9.2e18 ? INT64_MAX : exact ? *exact - (is_open ? 1 : 0) : static_cast<int64_t>(std::floor(*number));
          high = std::min(high.value_or(INT64_MAX), most);
        }
      }
      if (auto value = json::find(object, "multipleOf")) {
        const double step = json::as_double(*value).value_or(0);
        int places_after = -1;
        for (int digits = 0; digits <= 12 && places_after < 0; ++digits)
          if (step == std::strtod(("1e-" + std::to_string(digits)).c_str(), nullptr)) places_after = digits;
        if (places_after < 0) return error(place.pointer + "/multipleOf", "only 1, 0.1, 0.01 and so on can be enforced", Code::kUnsupported);
        range.fraction = std::min(range.fraction, places_after), stepped = true;
      }
    }
    if (whole || (stepped && range.fraction == 0)) return integer_range(g_, low, high);
    return bounded || stepped ? number_range(g_, range) : text_.number();
  }

  Result<Node> strings(const Places& places) {
    AJAR_ASSIGN(const auto least, count(places, "minLength", true));
    AJAR_ASSIGN(const auto most, count(places, "maxLength", false));
    if (least && most && *least > *most) return g_.nothing();
    const RegexForm form{.write = [this](const CharClass& chars) { return raw_ ? raw_->character(chars) : text_.character(chars); }};
    std::optional<RegexGrammar> shape;
    for (const Place& place : places) {
      for (const char* keyword : {"pattern", "format"}) {
        auto value = json::find(*json::as_object(place.value), keyword);
        if (!value) continue;
        const std::string pointer = place.pointer + "/" + keyword;
        auto text = json::as_string(*value);
        if (!text) return error(pointer, "must be a string");
        const bool pattern = keyword[0] == 'p';
        const std::string_view known = pattern ? std::string_view(*text) : format_pattern(*text);
        if (known.empty() && !pattern) continue;
        if (shape) return error(pointer, "only one pattern or format of a string can be enforced", Code::kUnsupported);
        RegexForm this_form = form;
        this_form.search = pattern;
        auto read = add_regex(g_, known, this_form);
        if (!read) return std::unexpected(std::move(read).error().in(pointer));
        shape = *read;
        // A plain x+ or x* takes the lengths as its counts.
        if (g_.item(shape->node).kind == Grammar::Kind::kRepeat && shape->one_character) {
          const auto& repeat = g_.item(shape->node);
          const int32_t from = std::max(repeat.least, least.value_or(0));
          const int32_t to = repeat.most < 0 ? most.value_or(-1) : most ? std::min(*most, repeat.most) : repeat.most;
          if (to >= 0 && from > to) return g_.nothing();
          shape->node = g_.repeat(repeat.a, from, to);
          shape->least = from, shape->most = to;
        }
        if ((least && shape->least < *least) || (most && (shape->most < 0 || shape->most > *most)))
          return error(place.pointer + (least && shape->least < *least ? "/minLength" : "/maxLength"),
                       "cannot be enforced beside this " + std::string(keyword) + "; say the length in a pattern", Code::kUnsupported);
      }
    }
    if (shape) return raw_ ? shape->node : text_.quoted(shape->node);
    if (!most && least.value_or(0) == 0) return raw_ ? raw_->any() : text_.any_string();
    if (raw_) return g_.repeat(raw_->character(CharClass::any()), least.value_or(0), most.value_or(Grammar::kNoMaximum));
    return text_.string(text_.character(), least.value_or(0), most.value_or(Grammar::kNoMaximum));
  }

  Node raw_literals(const std::vector<std::string>& texts) {
    std::vector<Node> choices;
    for (const std::string& text : texts) {
      json::Document document;
      const auto value = document.parse(text);
      choices.push_back(raw_->literal(value ? json::as_string(*value).value_or("") : ""));
    }
    return g_.choice(std::move(choices));
  }

  Result<Node> arrays(const Places& places) {
    AJAR_ASSIGN(const auto least, count(places, "minItems", true));
    AJAR_ASSIGN(const auto most_given, count(places, "maxItems", false));
    const int32_t from = least.value_or(0);
    int32_t most = most_given.value_or(Grammar::kNoMaximum);
    size_t firsts = 0;
    auto prefix_of = [](const Place& place) {
      const json::Object object = *json::as_object(place.value);
      auto list = json::find(object, "prefixItems");
      if (!list && json::find(object, "items")) list = json::as_array(*json::find(object, "items")) ? json::find(object, "items") : std::nullopt;  // older drafts
      return list;
    };
    for (const Place& place : places)
      if (auto list = prefix_of(place)) {
        if (!json::as_array(*list)) return error(place.pointer + "/prefixItems", "must be a list");
        firsts = std::max(firsts, json::as_array(*list)->size());
      }
    // The schemas of the i-th item; firsts is every later one.
    auto item_at = [&](size_t i) -> Result<Node> {
      Places all;
      for (const Place& place : places) {
        auto prefix = prefix_of(place);
        const bool older = prefix && !json::find(*json::as_object(place.value), "prefixItems");
        if (prefix && i < json::as_array(*prefix)->size()) {
          all.push_back({json::as_array(*prefix)->at(i).value_unsafe(), place.pointer + (older ? "/items/" : "/prefixItems/") + std::to_string(i)});
        } else if (auto items = json::find(*json::as_object(place.value), "items"); items && !older) {
          all.push_back({*items, place.pointer + "/items"});
        }
      }
      return all.empty() ? Result<Node>(text_.any()) : all_of(std::move(all));
    };
    AJAR_ASSIGN(const Node rest, item_at(firsts));
    if (most >= 0 && from > most) return g_.nothing();
    const auto first_count = static_cast<int32_t>(std::min<size_t>(firsts, most >= 0 ? static_cast<size_t>(most) : firsts));
    if (first_count == 0) return g_.sequence({g_.literal("["), text_.list(rest, from, most), g_.literal("]")});
    const int32_t after = most < 0 ? most : most - first_count;
    Node tail = g_.repeat(g_.sequence({text_.comma(), rest}), std::max(0, from - first_count), after);
    for (int32_t i = first_count; i-- > 0;) {
      AJAR_ASSIGN(const Node item, item_at(static_cast<size_t>(i)));
      tail = g_.sequence({i > 0 ? text_.comma() : g_.empty(), item, tail});
      if (i >= from) tail = g_.optional(tail);
    }
    return g_.sequence({g_.literal("["), tail, g_.literal("]")});
  }

  // `form`: the members are written so, and without the object's braces.
  Result<Node> objects(const Places& places, const ArgumentForm* form = nullptr) {
    std::vector<std::string> names;
    std::set<std::string> known, required;
    for (const Place& place : places) {
      const json::Object object = *json::as_object(place.value);
      if (auto list = json::find(object, "properties")) {
        auto properties = json::as_object(*list);
        if (!properties) return error(place.pointer + "/properties", "must be an object");
        for (const auto field : *properties)
          if (known.insert(std::string(field.key)).second) names.emplace_back(field.key);
      }
    }
    for (const Place& place : places) {
      auto list = json::find(*json::as_object(place.value), "required");
      if (!list) continue;
      auto array = json::as_array(*list);
      if (!array) return error(place.pointer + "/required", "must be a list of names");
      for (const json::Value item : *array) {
        auto name = json::as_string(item);
        if (!name) return error(place.pointer + "/required", "must be a list of names");
        required.emplace(*name);
        if (known.emplace(*name).second) names.emplace_back(*name);
      }
    }
    // What holds for a name: where a schema does not list it, what it says of others.
    bool others_said = false;
    auto schemas_of = [&](const std::string* name) -> Result<std::optional<Node>> {
      Places all;
      for (const Place& place : places) {
        const json::Object object = *json::as_object(place.value);
        json::Value value;
        auto properties = json::find(object, "properties");
        if (name && properties && json::as_object(*properties)->at_key(*name).get(value) == simdjson::SUCCESS) {
          all.push_back({value, place.pointer + "/properties/" + escaped(*name)});
        } else if (auto others = json::find(object, "additionalProperties")) {
          if (!name) others_said = true;
          all.push_back({*others, place.pointer + "/additionalProperties"});
        } else if (auto unevaluated = json::find(object, "unevaluatedProperties"); unevaluated && !name) {
          return std::optional<Node>(g_.nothing());
        }
      }
      if (all.empty()) return std::optional<Node>();
      AJAR_ASSIGN(const Node made, all_of(std::move(all)));
      return std::optional<Node>(made);
    };
    std::optional<RawText> raw;
    if (form && form->raw) raw.emplace(g_, form->never);
    const auto property_of = [&](const std::string& name) -> Result<Node> {
      const bool as_it_is = raw && is_text(name);
      raw_ = as_it_is ? &*raw : nullptr;
      const auto value = schemas_of(&name);
      raw_ = nullptr;
      if (!value) return std::unexpected(value.error());
      const Node made = *value ? **value : text_.any();
      if (form) {
        if (!plain_name(name)) return error(places[0].pointer + "/properties/" + escaped(name), "this name cannot be written as an argument's", Code::kUnsupported);
        return around(g_.literal(name), made, as_it_is ? form->text : form->json);
      }
      std::string key;
      json::append_string(key, name);
      return g_.sequence({g_.literal(key), text_.colon(), made});
    };
    const Node comma = form ? g_.literal(form->between) : text_.comma();
    AJAR_ASSIGN(const auto other, schemas_of(nullptr));
    const Node other_value = other ? *other : names.empty() ? text_.any() : g_.nothing();
    AJAR_ASSIGN(const auto least, count(places, "minProperties", true));
    AJAR_ASSIGN(const auto most, count(places, "maxProperties", false));
    if (!names.empty() && ((least && *least > static_cast<int32_t>(required.size())) ||
                           (most && (*most < static_cast<int32_t>(names.size()) || other_value != g_.nothing()))))
      return error(places[0].pointer + (least ? "/minProperties" : "/maxProperties"), "cannot be enforced beside named properties", Code::kUnsupported);
    if (form && names.empty()) {
      const CharClass letters{{'a', 'z'}, {'A', 'Z'}, {'_', '_'}};
      CharClass all = letters;
      all.add('0', '9');
      const Node member = g_.rule("argument", around(g_.sequence({g_.chars(letters), g_.repeat(g_.chars(all), 0, 63)}), other_value, form->json));
      const int32_t at_most = most.value_or(kMostArguments);
      if (at_most == 0) return g_.empty();
      const Node some = g_.sequence({member, g_.repeat(g_.sequence({comma, member}), std::max(0, least.value_or(0) - 1), at_most - 1)});
      return least.value_or(0) > 0 ? some : g_.optional(some);
    }
    Node member = g_.nothing();
    if (!form && other_value != g_.nothing()) member = g_.sequence({names.empty() ? text_.any_string() : text_.other_key(names), text_.colon(), other_value});
    if (names.empty()) return g_.sequence({g_.literal("{"), text_.list(member, least.value_or(0), most.value_or(Grammar::kNoMaximum)), g_.literal("}")});

    member = text_.shared(member);
    // From the last to the first: what may follow where no member stands yet (head), and where one does (tail).
    Node more = g_.repeat(g_.sequence({comma, member}), 0, Grammar::kNoMaximum);
    Node tail = more, head = g_.optional(g_.sequence({member, more}));
    for (size_t i = names.size(); i-- > 0;) {
      AJAR_ASSIGN(Node property, property_of(names[i]));
      const bool must = required.contains(names[i]);
      if (form && must && property == g_.nothing())
        return error(places[0].pointer + "/properties/" + escaped(names[i]), "none of its values can be written as an argument", Code::kUnsupported);
      if (property != g_.nothing()) property = g_.rule(names[i], property);
      tail = g_.rule("members", tail);
      Node with_head = g_.sequence({property, tail});
      Node with_tail = g_.sequence({comma, property, tail});
      head = must ? with_head : g_.choice({with_head, g_.rule("members", head)});
      tail = must ? with_tail : g_.choice({with_tail, tail});
    }
    return form ? head : g_.sequence({g_.literal("{"), head, g_.literal("}")});
  }

  Node around(Node key, Node value, const ArgumentForm::Around& with) {
    return g_.sequence({g_.literal(with.key_begin), key, g_.literal(with.key_end), value, g_.literal(with.value_end)});
  }

  static bool plain_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; });
  }

  // As a reader of the call knows it, who has seen no more of the schema than this.
  bool is_text(std::string_view name) const {
    const auto object = json::as_object(root_);
    const auto properties = object ? json::find(*object, "properties") : std::nullopt;
    const auto all = properties ? json::as_object(*properties) : std::nullopt;
    const auto one = all ? json::find(*all, name) : std::nullopt;
    return one && json::as_object(*one) && json::string_or(*json::as_object(*one), "type") == "string";
  }

  static constexpr int32_t kMostArguments = 32;  // where the schema names none

  Grammar& g_;
  JsonText text_;
  const RawText* raw_ = nullptr;  // strings are written so; null: as JSON
  const SchemaLimits& limits_;
  json::Document document_;
  json::Value root_;
  std::map<std::string, Grammar::Rule> rules_;
  int depth_ = 0;
  size_t read_ = 0;
};

}  // namespace

Result<Grammar::Node> add_json_schema(Grammar& grammar, std::string_view schema, const SchemaLimits& limits) {
  return Reader(grammar, limits).run(schema);
}

Result<Grammar::Node> add_json_arguments(Grammar& grammar, std::string_view schema, const ArgumentForm& form, const SchemaLimits& limits) {
  return Reader(grammar, limits).arguments(schema, form);
}

Grammar::Node add_json_object(Grammar& grammar) { return JsonText(grammar).any_object(); }

}  // namespace ajar::engine
