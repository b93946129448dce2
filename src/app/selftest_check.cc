#include "app/selftest_check.h"

#include <algorithm>
#include <set>

#include "http/sse.h"
#include "json/read.h"

namespace ajar::app {
namespace {

std::optional<json::Object> member(const json::Object& object, const char* name) {
  const auto value = json::find(object, name);
  return value ? json::as_object(*value) : std::nullopt;
}

void read_error(const json::Object& error, Told& told) {
  ++told.errors;
  told.error_message = json::string_or(error, "message");
  told.error_type = json::string_or(error, "type");
  told.error_param = json::string_or(error, "param");
  told.error_code = json::string_or(error, "code");
  if (told.error_message.empty()) told.fault = "an error without a message";
  if (told.error_type.empty()) told.fault = "an error without a type";
}

// A chunk of a stream, or a whole answer: they differ in "delta" and "message".
void read_piece(const json::Object& piece, Told& told, std::set<int64_t>& choices) {
  if (const auto error = member(piece, "error")) return read_error(*error, told);
  if (const auto model = json::string_or(piece, "model"); !model.empty()) told.model = model;
  if (const auto id = json::string_or(piece, "id"); !id.empty()) told.id = id;
  if (const auto usage = member(piece, "usage")) {
    told.usage = true;
    told.input = json::int_or(*usage, "prompt_tokens", -1);
    told.output = json::int_or(*usage, "completion_tokens", -1);
    told.total = json::int_or(*usage, "total_tokens", -1);
  }
  const auto list = json::find(piece, "choices");
  const auto array = list ? json::as_array(*list) : std::nullopt;
  if (!array) {
    told.fault = "no choices";
    return;
  }
  for (const auto item : *array) {
    const auto choice = json::as_object(item);
    if (!choice) continue;
    const int64_t index = json::int_or(*choice, "index", -1);
    choices.insert(index);
    if (index != 0) continue;
    if (const auto finish = json::string_or(*choice, "finish_reason"); !finish.empty()) {
      if (!told.finish.empty()) told.fault = "two finish reasons";
      told.finish = finish;
    }
    auto message = member(*choice, "delta");
    if (!message) message = member(*choice, "message");
    if (!message) continue;
    told.text += json::string_or(*message, "content");
    const auto calls = json::find(*message, "tool_calls");
    const auto calls_array = calls ? json::as_array(*calls) : std::nullopt;
    if (!calls_array) continue;
    for (const auto one : *calls_array) {
      const auto call = json::as_object(one);
      const auto function = call ? member(*call, "function") : std::nullopt;
      if (!function) continue;
      told.tool += json::string_or(*function, "name");
      told.arguments += json::string_or(*function, "arguments");
    }
  }
}

}  // namespace

void Checks::add(std::string group, std::string name, bool ok, std::string expected, std::string got) {
  all_.push_back({std::move(group), std::move(name), std::move(expected), std::move(got), ok});
  if (on_check_) on_check_(int64_t(all_.size()));
}

void Checks::also(size_t index, bool ok, const std::string& expected, const std::string& got) {
  Check& check = all_[index];
  check.expected += ", " + expected;
  check.got += ", " + got;
  check.ok = check.ok && ok;
}

int64_t Checks::failed() const {
  return std::ranges::count_if(all_, [](const Check& check) { return !check.ok; });
}

Told read_chat(const Heard& heard) {
  Told told;
  std::set<int64_t> choices;
  json::Document document;
  const bool stream = heard.headers.get("content-type").starts_with("text/event-stream");
  if (!stream) {
    const auto root = document.parse_object(heard.body);
    if (!root) told.fault = "the body is not a JSON object: " + root.error().message;
    else read_piece(*root, told, choices);
  } else {
    SseParser sse;
    const Status fed = sse.feed(heard.body, [&](const SseEvent& event) {
      ++told.events;
      if (told.errors > 0) told.after_error = true;
      if (told.done) told.fault = "something came behind [DONE]";
      if (event.data == "[DONE]") {
        told.done = true;
        return;
      }
      const auto root = document.parse_object(event.data);
      if (!root) told.fault = "an event is not a JSON object";
      else read_piece(*root, told, choices);
    });
    if (!fed) told.fault = fed.error().message;
  }
  told.choices = int64_t(choices.size());
  return told;
}

std::string describe(const Heard& heard, const Told& told) {
  if (heard.status == 0) return "no answer: " + heard.trouble;
  std::string out = std::to_string(heard.status);
  if (told.events > 0) out += ", " + std::to_string(told.events) + " events";
  if (!told.finish.empty()) out += ", finish " + told.finish;
  if (told.done) out += ", [DONE]";
  if (told.errors > 0) {
    out += ", error " + told.error_code + (told.error_param.empty() ? "" : " in " + told.error_param) + ": " +
           told.error_message.substr(0, 120);
  }
  if (told.after_error) out += ", goes on behind the error";
  if (!heard.whole) out += ", cut (" + heard.trouble + ")";
  if (!told.fault.empty()) out += ", FORM: " + told.fault;
  if (const auto target = heard.headers.get("x-ajar-target"); !target.empty()) out += ", by " + std::string(target);
  return out;
}

}  // namespace ajar::app
