#include "gateway/token_count.h"

#include "gateway/text_features.h"

namespace ajar {
namespace {

// OpenAI Cookbook, "How to count tokens with tiktoken".
constexpr int64_t kPerMessage = 3, kPerName = 1, kBeforeAnswer = 3;
constexpr int64_t kPerTool = 8;

class Counter {
 public:
  explicit Counter(const engine::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void add(const Part& part) {
    switch (part.kind) {
      case Part::Kind::kText:
      case Part::Kind::kRefusal: return add(part.text);
      default: break;
    }
    out.exact = false;
    add(part.text);
    add(part.name);
    add(part.arguments);
    add(part.raw);
    for (const Part& inner : part.content) add(inner);
  }
  void add(std::string_view text) {
    ids_.clear();
    tokenizer_.encode(text, ids_);
    out.tokens += int64_t(ids_.size());
  }

  TokenCount out{.exact = true};

 private:
  const engine::Tokenizer& tokenizer_;
  std::vector<int32_t> ids_;
};

}  // namespace

TokenCount count_tokens(const engine::Tokenizer& tokenizer, const Request& request) {
  Counter counter(tokenizer);
  counter.out.tokens = kBeforeAnswer;
  for (const Message& message : request.messages) {
    counter.out.tokens += kPerMessage + (message.name.empty() ? 0 : kPerName);
    counter.add(role_name(message.role));
    counter.add(message.name);
    for (const Part& part : message.parts) counter.add(part);
  }
  for (const Tool& tool : request.tools) {
    counter.out.exact = false;
    counter.out.tokens += kPerTool;
    for (const std::string* text : {&tool.name, &tool.description, &tool.parameters, &tool.raw}) counter.add(*text);
  }
  if (!request.response_format.schema.empty()) {
    counter.out.exact = false;
    counter.add(request.response_format.schema);
  }
  counter.out.tokens += features_of(request).media_tokens;
  return counter.out;
}

}  // namespace ajar
