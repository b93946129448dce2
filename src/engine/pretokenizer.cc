#include "engine/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

namespace ajar::engine {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeStack {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

// What matching needs of memory, per thread: a megabyte of stack holds the longest run that backtracks.
struct Workspace {
  std::unique_ptr<pcre2_match_data, FreeMatch> data{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, FreeContext> context{pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, FreeStack> stack{pcre2_jit_stack_create(32 * 1024, 1024 * 1024, nullptr)};
  Workspace() { pcre2_jit_stack_assign(context.get(), nullptr, stack.get()); }
};

using Regex = std::unique_ptr<pcre2_code, FreeCode>;

Result<Regex> compile(const std::string& expression) {
  int error = 0;
  size_t offset = 0;
  Regex code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                          PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY, &error, &offset, nullptr));
  if (!code) {
    char text[256] = {};
    pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(text), sizeof text);
    return invalid("pre_tokenizer", std::string(text) + " at offset " + std::to_string(offset) + " of '" +
                                        expression + "'");
  }
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where it cannot, the interpreter does the same, slower
  return code;
}

// Calls on(piece, is_match) for each match and for what lies between.
template <class On>
void each_match(const pcre2_code* code, std::string_view text, On&& on) {
  thread_local Workspace workspace;
  const size_t* const found = pcre2_get_ovector_pointer(workspace.data.get());
  const auto* bytes = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t at = 0;
  for (size_t from = 0; from < text.size();) {
    int rc = pcre2_match(code, bytes, text.size(), from, 0, workspace.data.get(), workspace.context.get());
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {  // the interpreter keeps its state on the heap
      rc = pcre2_match(code, bytes, text.size(), from, PCRE2_NO_JIT, workspace.data.get(), nullptr);
    }
    if (rc < 0) break;
    const size_t begin = found[0], end = found[1];
    if (end <= begin) {  // an empty match cuts nothing
      from = begin + 1;
      while (from < text.size() && (uint8_t(text[from]) & 0xc0) == 0x80) ++from;
      continue;
    }
    if (begin > at) on(text.substr(at, begin - at), false);
    on(text.substr(begin, end - begin), true);
    at = from = end;
  }
  if (at < text.size()) on(text.substr(at), false);
}

}  // namespace

struct Pretokenizer::Impl {
  struct Step {
    PretokenizerStep what;
    Regex code;
  };
  std::vector<Step> steps;

  static void split(const Step& step, std::string_view text, std::vector<std::string_view>& out) {
    using enum PretokenizerStep::Behaviour;
    const auto behaviour = step.what.behaviour;
    if (behaviour == kIsolated) {
      return each_match(step.code.get(), text, [&](std::string_view piece, bool) { out.push_back(piece); });
    }
    struct Span {
      std::string_view text;
      bool match;
    };
    std::vector<Span> spans;
    each_match(step.code.get(), text, [&](std::string_view piece, bool match) {
      spans.push_back({piece, match != step.what.invert});
    });
    const auto join = [](std::string_view a, std::string_view b) {
      return std::string_view(a.data(), a.size() + b.size());
    };
    const size_t begin = out.size();
    if (behaviour == kRemoved) {
      for (const Span& span : spans) {
        if (!span.match) out.push_back(span.text);
      }
    } else if (behaviour == kContiguous) {
      for (size_t i = 0; i < spans.size(); ++i) {
        const bool same = i > 0 && spans[i].match == spans[i - 1].match;
        if (same) out.back() = join(out.back(), spans[i].text);
        else out.push_back(spans[i].text);
      }
    } else if (behaviour == kMergedWithPrevious) {
      for (size_t i = 0; i < spans.size(); ++i) {
        const bool hangs_on = i > 0 && spans[i].match && !spans[i - 1].match;
        if (hangs_on) out.back() = join(out.back(), spans[i].text);
        else out.push_back(spans[i].text);
      }
    } else {
      for (size_t i = spans.size(); i-- > 0;) {
        const bool hangs_on = i + 1 < spans.size() && spans[i].match && !spans[i + 1].match;
        if (hangs_on) out.back() = join(spans[i].text, out.back());
        else out.push_back(spans[i].text);
      }
      std::reverse(out.begin() + long(begin), out.end());
    }
  }

  static void space_before(std::string_view text, Pieces& pieces, std::vector<std::string_view>& out) {
    if (text.starts_with(' ')) return out.push_back(text);
    out.push_back(pieces.owned.emplace_back(" " + std::string(text)));
  }

  static void metaspace(const Step& step, std::string_view text, bool first, Pieces& pieces,
                        std::vector<std::string_view>& out) {
    std::string replaced;
    for (const char c : text) {
      if (c == ' ') replaced += step.what.replacement; else replaced += c;
    }
    if (first && !replaced.starts_with(step.what.replacement)) replaced.insert(0, step.what.replacement);
    out.push_back(pieces.owned.emplace_back(std::move(replaced)));
  }
};

Pretokenizer::Pretokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pretokenizer::~Pretokenizer() = default;

Result<std::shared_ptr<const Pretokenizer>> Pretokenizer::make(std::vector<PretokenizerStep> steps) {
  auto impl = std::make_unique<Impl>();
  for (PretokenizerStep& step : steps) {
    Regex code;
    if (step.kind == PretokenizerStep::Kind::kSplit) {
      AJAR_ASSIGN(code, compile(step.expression));
    }
    impl->steps.push_back({std::move(step), std::move(code)});
  }
  return std::shared_ptr<const Pretokenizer>(new Pretokenizer(std::move(impl)));
}

Result<std::shared_ptr<const Pretokenizer>> Pretokenizer::make(const std::vector<std::string>& expressions) {
  std::vector<PretokenizerStep> steps;
  for (const std::string& expression : expressions) steps.push_back({.expression = expression});
  return make(std::move(steps));
}

void Pretokenizer::split(std::string_view text, bool first, Pieces& pieces) const {
  pieces.views.clear();
  pieces.owned.clear();
  if (text.empty()) return;
  using enum PretokenizerStep::Kind;
  using Scheme = PretokenizerStep::Scheme;
  pieces.views.push_back(text);
  std::vector<std::string_view> next;
  for (const auto& step : impl_->steps) {
    next.clear();
    for (size_t i = 0; i < pieces.views.size(); ++i) {
      const std::string_view piece = pieces.views[i];
      const bool prepend = step.what.scheme == Scheme::kAlways || (step.what.scheme == Scheme::kFirst && first && i == 0);
      switch (step.what.kind) {
        case kSplit: Impl::split(step, piece, next); break;
        case kSpaceBefore: Impl::space_before(piece, pieces, next); break;
        case kMetaspace: Impl::metaspace(step, piece, prepend, pieces, next); break;
      }
    }
    pieces.views.swap(next);
  }
}

}  // namespace ajar::engine
