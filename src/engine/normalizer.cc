#include "engine/normalizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.h"
#include "engine/unicode.h"

namespace ajar::engine {
namespace {

// A normalizer from a function.
template <class F>
class Step final : public Normalizer {
 public:
  explicit Step(F f) : f_(std::move(f)) {}
  std::string apply(std::string text) const override { return f_(std::move(text)); }

 private:
  F f_;
};
template <class F>
NormalizerPtr make(F f) { return std::make_unique<Step<F>>(std::move(f)); }

template <class Keep>
std::string filter(std::string_view text, Keep&& keep) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (keep(unicode::next(text, at))) out.append(text.substr(begin, at - begin));
  }
  return out;
}

// Google's bert/tokenization.py: _clean_text and _tokenize_chinese_chars.
std::string clean(std::string_view text, const BertNormalizerOptions& options) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t at = 0; at < text.size();) {
    const char32_t c = unicode::next(text, at);
    const bool space = c == '\t' || c == '\n' || c == '\r' || unicode::is_space(c);
    if (options.clean_text && space) {
      out += ' ';
    } else if (options.clean_text && (c == 0 || c == 0xfffd || c >= unicode::kBadByte || unicode::is_other(c))) {
    } else if (options.chinese_chars && unicode::is_cjk(c)) {
      out += ' ';
      unicode::append(out, c);
      out += ' ';
    } else {
      unicode::append(out, c);
    }
  }
  return out;
}

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};

}  // namespace

NormalizerPtr make_sequence(std::vector<NormalizerPtr> steps) {
  return make([steps = std::move(steps)](std::string text) {
    for (const auto& step : steps) text = step->apply(std::move(text));
    return text;
  });
}

NormalizerPtr make_simple_normalizer(std::string_view kind) {
  using unicode::Form;
  const auto form = [](Form f) { return make([f](std::string text) { return unicode::normalize(text, f); }); };
  if (kind == "NFC") return form(Form::kNfc);
  if (kind == "NFD") return form(Form::kNfd);
  if (kind == "NFKC") return form(Form::kNfkc);
  if (kind == "NFKD") return form(Form::kNfkd);
  if (kind == "Lowercase") return make([](std::string text) { return unicode::lower(text); });
  if (kind == "StripAccents") {
    return make([](std::string text) { return filter(text, [](char32_t c) { return !unicode::is_mark(c); }); });
  }
  if (kind == "Nmt") {  // SentencePiece's rules for machine translation: controls go, odd spaces become spaces
    return make([](std::string text) {
      std::string out;
      for (size_t at = 0; at < text.size();) {
        const char32_t c = unicode::next(text, at);
        if ((c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f) continue;
        const bool space = c == 9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || (c >= 0x200b && c <= 0x200f) ||
                           c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xfeff || c == 0xfffd;
        unicode::append(out, space ? U' ' : c);
      }
      return out;
    });
  }
  return nullptr;
}

NormalizerPtr make_bert_normalizer(BertNormalizerOptions options) {
  return make([options](std::string text) {
    if (options.clean_text || options.chinese_chars) text = clean(text, options);
    if (options.strip_accents) {
      text = filter(unicode::normalize(text, unicode::Form::kNfd), [](char32_t c) { return !unicode::is_nonspacing(c); });
    }
    if (options.lowercase) text = unicode::lower(text);
    return text;
  });
}

NormalizerPtr make_prepend(std::string before) {
  return make([before = std::move(before)](std::string text) {
    if (!text.empty()) text.insert(0, before);
    return text;
  });
}

NormalizerPtr make_strip(bool left, bool right) {
  return make([left, right](std::string text) {
    const std::u32string all = unicode::decode(text);
    size_t begin = 0, end = all.size();
    while (left && begin < end && unicode::is_space(all[begin])) ++begin;
    while (right && end > begin && unicode::is_space(all[end - 1])) --end;
    return begin == 0 && end == all.size() ? text : unicode::encode(std::u32string_view(all).substr(begin, end - begin));
  });
}

NormalizerPtr make_replace(std::string what, std::string by) {
  return make([what = std::move(what), by = std::move(by)](std::string text) {
    if (what.empty()) return text;
    std::string out;
    out.reserve(text.size());
    size_t at = 0;
    for (size_t found; (found = text.find(what, at)) != text.npos; at = found + what.size()) {
      out.append(text, at, found - at).append(by);
    }
    return out.append(text, at);
  });
}

Result<NormalizerPtr> make_regex_replace(const std::string& expression, std::string by) {
  int error = 0;
  size_t offset = 0;
  std::shared_ptr<pcre2_code> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY, &error, &offset, nullptr),
      FreeCode());
  if (!code) return invalid("normalizer", "the regular expression '" + expression + "' is not one");
  return make([code = std::move(code), by = std::move(by)](std::string text) {
    const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(pcre2_match_data_create(1, nullptr),
                                                                                  &pcre2_match_data_free);
    const size_t* const found = pcre2_get_ovector_pointer(data.get());
    const auto* bytes = reinterpret_cast<PCRE2_SPTR>(text.data());
    std::string out;
    size_t at = 0;
    while (at < text.size() && pcre2_match(code.get(), bytes, text.size(), at, 0, data.get(), nullptr) > 0) {
      if (found[1] <= found[0]) break;
      out.append(text, at, found[0] - at).append(by);
      at = found[1];
    }
    return out.append(text, at);
  });
}

NormalizerPtr make_collapse_spaces() {
  return make([](std::string text) {
    std::string out;
    for (const char c : text) {
      if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
  });
}

}  // namespace ajar::engine
