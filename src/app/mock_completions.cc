#include "app/mock_dialects.h"
#include "json/write.h"

namespace ajar::app {
namespace {

using json::Writer;

// A token's log probability is made up from its place, so that a test can tell them apart.
void logprobs(Writer& w, const std::vector<std::string>& tokens, size_t from, size_t to, size_t& offset, bool first_is_null) {
  w.begin_object();
  for (const char* name : {"tokens", "token_logprobs", "top_logprobs", "text_offset"}) {
    const std::string_view what = name;
    size_t at = offset;
    w.key(name);
    w.begin_array();
    for (size_t i = from; i < to; ++i) {
      const bool null = first_is_null && i == 0;
      if (what == "tokens") {
        w.string(tokens[i]);
      } else if (what == "text_offset") {
        w.integer(int64_t(at));
      } else if (null) {
        w.null();
      } else if (what == "token_logprobs") {
        w.number(-0.5 - double(i));
      } else {
        w.begin_object();
        w.field(tokens[i], -0.5 - double(i));
        w.end_object();
      }
      at += tokens[i].size();
    }
    w.end_array();
    if (what == "text_offset") offset = at;
  }
  w.end_object();
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find(' ', at + 1);
    if (end == text.npos) end = text.size();
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

// All that one prompt is answered with, in tokens; an echo comes first.
std::vector<std::string> tokens_of(const MockRequest& request, const MockReply& reply, size_t prompt) {
  std::vector<std::string> tokens = request.echo ? words_of(request.inputs[prompt]) : std::vector<std::string>();
  if (request.max_tokens_given && request.max_tokens == 0) return tokens;
  tokens.insert(tokens.end(), reply.tokens.begin(), reply.tokens.end());
  return tokens;
}

void head(Writer& w, const MockRequest& request) {
  w.begin_object();
  w.field("id", "cmpl-mock");
  w.field("object", "text_completion");
  w.field("created", 1'700'000'000);
  w.field("model", request.model);
}

void usage(Writer& w, const MockRequest& request, const MockReply& reply) {
  const auto output = int64_t(reply.tokens.size()) * request.choices * int64_t(request.inputs.size());
  w.key("usage");
  w.raw("{\"prompt_tokens\":" + std::to_string(request.input_tokens) + ",\"completion_tokens\":" +
        std::to_string(output) + ",\"total_tokens\":" + std::to_string(request.input_tokens + output) + "}");
}

void choice(Writer& w, const MockRequest& request, const std::vector<std::string>& tokens, size_t from, size_t to,
            int64_t index, size_t& offset, const char* finish) {
  std::string text;
  for (size_t i = from; i < to; ++i) text += tokens[i];
  w.begin_object();
  w.field("text", text);
  w.field("index", index);
  w.key("logprobs");
  if (request.logprobs) logprobs(w, tokens, from, to, offset, request.echo);
  else w.null();
  w.key("finish_reason");
  if (finish != nullptr) w.string(finish);
  else w.null();
  w.end_object();
}

}  // namespace

void read_mock_completions(const json::Object& root, MockRequest& request) {
  request.inputs.clear();
  const auto prompt = json::find(root, "prompt");
  if (prompt) {
    const auto list = json::as_array(*prompt);
    const bool tokens = list && list->size() > 0 && list->at(0).value_unsafe().is_number();
    if (!list || tokens) {
      request.inputs.emplace_back(json::as_string(*prompt).value_or(json::raw(*prompt)));
    } else {
      for (const auto item : *list) request.inputs.emplace_back(json::as_string(item).value_or(json::raw(item)));
    }
  }
  if (request.inputs.empty()) request.inputs.emplace_back();
  request.last_text = request.inputs[0];
  request.logprobs = json::find(root, "logprobs").has_value();
  request.max_tokens_given = json::find(root, "max_tokens").has_value();
  const auto echo = json::find(root, "echo");
  request.echo = echo && json::as_bool(*echo).value_or(false);
}

std::string mock_completions_body(const MockRequest& request, const MockReply& reply) {
  std::string out;
  Writer w(out);
  head(w, request);
  w.key("choices");
  w.begin_array();
  int64_t index = 0;
  for (size_t p = 0; p < request.inputs.size(); ++p) {
    const auto tokens = tokens_of(request, reply, p);
    for (int64_t n = 0; n < request.choices; ++n) {
      size_t offset = 0;
      choice(w, request, tokens, 0, tokens.size(), index++, offset, reply.cut_by_length ? "length" : "stop");
    }
  }
  w.end_array();
  usage(w, request, reply);
  w.end_object();
  return out;
}

std::vector<std::string> mock_completions_frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> frames;
  int64_t index = 0;
  for (size_t p = 0; p < request.inputs.size(); ++p) {
    const auto tokens = tokens_of(request, reply, p);
    for (int64_t n = 0; n < request.choices; ++n, ++index) {
      size_t offset = 0;
      for (size_t i = 0; i <= tokens.size(); ++i) {
        const bool last = i == tokens.size();
        std::string out = "data: ";
        Writer w(out);
        head(w, request);
        w.key("choices");
        w.begin_array();
        choice(w, request, tokens, i, last ? i : i + 1, index, offset,
               !last ? nullptr : reply.cut_by_length ? "length" : "stop");
        w.end_array();
        w.end_object();
        frames.push_back(out + "\n\n");
      }
    }
  }
  if (request.include_usage) {
    std::string out = "data: ";
    Writer w(out);
    head(w, request);
    w.raw_field("choices", "[]");
    usage(w, request, reply);
    w.end_object();
    frames.push_back(out + "\n\n");
  }
  frames.push_back("data: [DONE]\n\n");
  return frames;
}

}  // namespace ajar::app
