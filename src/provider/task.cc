#include "provider/task.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/text.h"
#include "json/read.h"
#include "json/schema.h"
#include "json/write.h"

namespace ajar {
namespace {

std::unexpected<Error> not_for_tasks(std::string what, std::string field) {
  return fail(Code::kUnsupported, "a task model cannot answer " + std::move(what), std::move(field));
}

bool fits(const json::Value& schema, const std::string& text) {
  json::Document answer;
  const auto value = answer.parse(text);
  return value && json::schema_violation(schema, *value).empty();
}

std::string json_string(const std::string& text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

}  // namespace

Result<std::string> task_text(const Request& request) {
  std::string text;
  int users = 0;
  for (size_t i = 0; i < request.messages.size(); ++i) {
    const Message& message = request.messages[i];
    if (message.role == Role::kSystem || message.role == Role::kDeveloper) continue;  // says what the task is; it is known
    const std::string field = "messages[" + std::to_string(i) + "]";
    if (message.role != Role::kUser || ++users > 1) return not_for_tasks("a conversation of several turns", field);
    for (const Part& part : message.parts) {
      if (part.kind != Part::Kind::kText) return not_for_tasks("anything but text", field);
      if (!text.empty()) text += "\n";
      text += part.text;
    }
  }
  if (trim(text).empty()) return not_for_tasks("an empty text", "messages");
  if (request.choices() > 1) return not_for_tasks("several times", "n");
  if (request.logprobs.value_or(false)) return not_for_tasks("with log probabilities", "logprobs");
  if (!request.tools.empty() && (request.tool_choice.mode == ToolChoice::Mode::kAny || request.tool_choice.mode == ToolChoice::Mode::kNamed)) {
    return not_for_tasks("by calling a tool", "tool_choice");
  }
  return text;
}

Result<std::string> task_answer(const Request& request, const std::string& label, double confidence) {
  using Kind = ResponseFormat::Kind;
  const ResponseFormat& format = request.response_format;
  if (format.kind == Kind::kUnset || format.kind == Kind::kText) return label;
  if (format.kind == Kind::kJsonObject) {
    json::Document own;
    if (own.parse_object(label)) return label;
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("label", label);
    w.end_object();
    return out;
  }
  json::Document document;
  const auto schema = document.parse(format.schema);
  if (!schema) return std::unexpected(schema.error());
  for (const std::string& candidate : {label, json_string(label)}) {
    if (fits(*schema, candidate)) return candidate;
  }
  // An object with one text that may be the label.
  const auto object = json::as_object(*schema);
  const auto declared = object ? json::find(*object, "properties") : std::nullopt;
  const auto properties = declared ? json::as_object(*declared) : std::nullopt;
  if (properties) {
    for (const auto property : *properties) {
      std::string out;
      json::Writer w(out);
      w.begin_object();
      w.field(std::string(property.key), label);
      json::Value other;
      if (property.key != "confidence" && properties->at_key("confidence").get(other) == simdjson::SUCCESS) {
        w.field("confidence", std::round(confidence * 1e4) / 1e4);
      }
      w.end_object();
      if (fits(*schema, out)) return out;
    }
  }
  return not_for_tasks("in the shape of this schema", "response_format");
}

Result<std::shared_ptr<TaskProvider>> TaskProvider::make(std::string name, learn::TaskModel model, std::shared_ptr<LocalProvider> embedder) {
  if (model.width() > 0 && !embedder) {
    return fail(Code::kInvalid, "the task model was trained with embeddings of " + (model.lineage().embedder.empty() ? "some model" : model.lineage().embedder) +
                                    ": name the model that makes them (embedder)");
  }
  if (model.width() == 0) embedder = nullptr;
  return std::shared_ptr<TaskProvider>(new TaskProvider(std::move(name), std::move(model), std::move(embedder)));
}

std::optional<double> TaskProvider::proven_confidence() const {
  return model_.lineage().guaranteed ? std::optional(model_.lineage().threshold) : std::nullopt;
}

Task<Status> TaskProvider::complete(const Request& request, const AttemptLimits& limits, Context& context, Sink& sink) {
  AJAR_CO_ASSIGN(const std::string text, task_text(request));
  Usage usage{.reported = true};
  std::optional<learn::Prediction> prediction;
  for (const learn::TaskModel::Stage& stage : model_.stages()) {
    std::vector<float> embedding;
    if (stage.model->width() > 0) {
      EmbeddingRequest wanted;
      wanted.texts = {text};
      auto embedded = co_await embedder_->embed_early(wanted, stage.model->recipe().layers, limits, context);
      if (!embedded && embedded.error().code == Code::kInvalid) co_return not_for_tasks("a text that is longer than what its embedder reads", "messages");
      if (!embedded) co_return std::unexpected(std::move(embedded).error().in("the embedder of the task model " + name_));
      usage.input = embedded->usage.input;
      embedding = std::move(embedded->values);
    }
    auto said = stage.ask(text, embedding, 1);
    if (!said) co_return std::unexpected(std::move(said).error().in("the task model " + name_));
    prediction = *std::move(said);
    if (prediction) break;
  }
  const std::string& label = model_.labels()[prediction->ranked.front().label];
  const double confidence = prediction->in_scope ? prediction->confidence : 0;
  AJAR_CO_ASSIGN(std::string answer, task_answer(request, label, confidence));
  context.confidence = confidence;
  usage.output = 1;
  EventBatch events;
  events.push_back({.kind = Event::Kind::kStart, .created = unix_millis() / 1000, .id = new_id("task-"), .name = name_});
  events.push_back(Event::of_text(std::move(answer)));
  events.push_back({.kind = Event::Kind::kStop, .finish = Finish::kStop, .name = "stop"});
  events.push_back({.kind = Event::Kind::kUsage, .usage = usage});
  co_return co_await sink.write(events);
}

Task<Result<EmbeddingReply>> TaskProvider::embed(const EmbeddingRequest&, const AttemptLimits&, Context&) {
  co_return fail(Code::kUnsupported, "'" + name_ + "' is a task model and makes no embeddings", "model");
}

}  // namespace ajar
