#include "chat/literals.h"

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::chat {
namespace {

constexpr std::string_view kQuote = "<|\"|>";  // Gemma's
constexpr int kMaxDepth = 64;

// Writes the value that comes next as JSON; false: there is none.
class Literals {
 public:
  Literals(std::string_view text, bool gemma) : text_(text), gemma_(gemma) {}

  void spaces() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool over() const { return at_ == text_.size(); }

  std::string_view name(std::string_view stops) {
    const size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
    const std::string_view out = trim(text_.substr(at_, end - at_));
    at_ = end;
    return out;
  }

  bool value(std::string& out, int depth = 0) {
    spaces();
    if (depth > kMaxDepth || over()) return false;
    if (take("{")) return members(out, '}', depth);
    if (take("[")) return list(out, "]", depth);
    if (!gemma_ && take("(")) return list(out, ")", depth);
    if (gemma_ && take(kQuote)) {
      const size_t end = text_.find(kQuote, at_);
      if (end == std::string_view::npos) return false;
      json::append_string(out, text_.substr(at_, end - at_));
      at_ = end + kQuote.size();
      return true;
    }
    if (text_[at_] == '"' || text_[at_] == '\'') return quoted(out);
    const std::string_view word = name(",}])");
    if (word == "True" || word == "true") return out += "true", true;
    if (word == "False" || word == "false") return out += "false", true;
    if (word == "None" || word == "null") return out += "null", true;
    json::Document document;
    const auto number = document.parse(word);
    if (number && (json::as_int(*number) || json::as_double(*number))) return json::append_raw(out, *number), true;
    if (!gemma_ || word.empty()) return false;
    json::append_string(out, word);
    return true;
  }

  // key: value, up to the closing bracket.
  bool members(std::string& out, char close, int depth) {
    out += '{';
    bool first = true;
    while (true) {
      spaces();
      if (take(std::string_view(&close, 1))) break;
      if (!first && !take(",")) return false;
      spaces();
      if (take(std::string_view(&close, 1))) break;
      if (!std::exchange(first, false)) out += ',';
      if (over()) return false;
      const bool is_quoted = text_[at_] == '"' || text_[at_] == '\'';
      if (gemma_ && text_.substr(at_).starts_with(kQuote)) {
        if (!value(out, depth + 1)) return false;
      } else if (is_quoted) {
        if (!quoted(out)) return false;
      } else {
        const std::string_view key = name(":=,})");
        if (key.empty()) return false;
        json::append_string(out, key);
      }
      spaces();
      if (!take(close == ')' ? "=" : ":")) return false;
      out += ':';
      if (!value(out, depth + 1)) return false;
    }
    out += '}';
    return true;
  }

 private:
  bool list(std::string& out, std::string_view close, int depth) {
    out += '[';
    bool first = true;
    while (true) {
      spaces();
      if (take(close)) break;
      if (!first && !take(",")) return false;
      spaces();
      if (take(close)) break;
      if (!std::exchange(first, false)) out += ',';
      if (!value(out, depth + 1)) return false;
    }
    out += ']';
    return true;
  }

  bool quoted(std::string& out) {
    const char quote = text_[at_++];
    std::string inner;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size()) {
        inner += text_[at_];
        continue;
      }
      const char c = text_[++at_];
      constexpr std::string_view kFrom = "nrtbf", kTo = "\n\r\t\b\f";
      const size_t known = kFrom.find(c);
      if (known != kFrom.npos) {
        inner += kTo[known];
      } else if (c == 'u' && at_ + 4 < text_.size()) {
        std::string escape = "\\u" + std::string(text_.substr(at_ + 1, 4));
        if (text_.substr(at_ + 5).starts_with("\\u") && (escape[2] == 'd' || escape[2] == 'D')) escape += text_.substr(at_ + 5, 6);  // a pair of surrogates
        json::Document document;
        const auto letter = document.parse('"' + escape + '"');
        if (!letter) return false;
        inner += json::as_string(*letter).value_or("");
        at_ += escape.size() - 2;
      } else {
        inner += c;
      }
    }
    if (at_ >= text_.size()) return false;
    ++at_;
    json::append_string(out, inner);
    return true;
  }

  std::string_view text_;
  bool gemma_;
  size_t at_ = 0;
};

}  // namespace

std::string object_text(std::string_view text) {
  json::Document document;
  const auto object = document.parse(text);
  return object && json::as_object(*object) ? json::raw(*object) : std::string();
}

std::string literal_json(std::string_view text) {
  text = trim(text);
  if (text.empty()) return {};
  json::Document document;
  if (const auto value = document.parse(text)) return json::raw(*value);
  Literals reader(text, false);
  std::string out;
  const bool structure = text[0] == '{' || text[0] == '[' || text == "True" || text == "False" || text == "None";
  if (!structure || !reader.value(out)) return {};
  reader.spaces();
  return reader.over() && document.parse(out) ? out : std::string();
}

bool python_calls(std::string_view text, std::vector<NamedObject>& out) {
  Literals reader(text, false);
  reader.spaces();
  const bool bracket = reader.take("[");
  while (true) {
    reader.spaces();
    NamedObject call;
    call.name = reader.name("(),]");
    if (!reader.take("(") || !reader.members(call.json, ')', 0) || object_text(call.json).empty()) return false;
    out.push_back(std::move(call));
    reader.spaces();
    if (bracket && reader.take("]")) break;
    if (!bracket && reader.over()) break;
    if (!reader.take(",")) return false;
  }
  reader.spaces();
  return reader.over();
}

bool gemma_calls(std::string_view text, std::vector<NamedObject>& out) {
  Literals reader(text, true);
  reader.spaces();
  if (!reader.take("call:")) return false;
  NamedObject call;
  call.name = reader.name("{");
  if (!reader.take("{") || !reader.members(call.json, '}', 0) || object_text(call.json).empty()) return false;
  reader.spaces();
  if (!reader.over()) return false;
  out.push_back(std::move(call));
  return true;
}

size_t literal_end(std::string_view text, std::string_view end, bool gemma) {
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (gemma) {
      if (rest.starts_with(kQuote)) quote = quote == '\0' ? '"' : '\0', i += kQuote.size() - 1;
      else if (quote == '\0' && rest.starts_with(end)) return i;
    } else if (quote != '\0') {
      if (text[i] == '\\') ++i;
      else if (text[i] == quote) quote = '\0';
    } else if (rest.starts_with(end)) {
      return i;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    }
  }
  return std::string_view::npos;
}

}  // namespace ajar::chat
