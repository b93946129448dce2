#pragma once
// A task model as a provider: it reads the user's one message and answers with a label, in the shape that the request demands. Says how sure
// it is in Context::confidence; what it cannot be right about (conversations, tools, pictures, other shapes) is kUnsupported.

#include <memory>
#include <string>

#include "core/provider.h"
#include "learn/task_model.h"
#include "provider/local.h"

namespace ajar {

class TaskProvider final : public Provider {
 public:
  // `embedder`: null where the model reads n-grams alone. kInvalid: the model wants an embedder, or none.
  static Result<std::shared_ptr<TaskProvider>> make(std::string name, learn::TaskModel model, std::shared_ptr<LocalProvider> embedder);

  Task<Status> complete(const Request& request, const AttemptLimits& limits, Context& context, Sink& sink) override;
  Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request, const AttemptLimits& limits, Context& context) override;
  std::optional<double> proven_confidence() const override;

 private:
  TaskProvider(std::string name, learn::TaskModel model, std::shared_ptr<LocalProvider> embedder)
      : name_(std::move(name)), model_(std::move(model)), embedder_(std::move(embedder)) {}

  const std::string name_;
  const learn::TaskModel model_;
  const std::shared_ptr<LocalProvider> embedder_;
};

// The text that a task model reads. kUnsupported says what the request has that it cannot answer.
Result<std::string> task_text(const Request& request);

// What is said for this label: the label itself, or a JSON text that fits the request's schema: the label's own JSON, a string, or an object
// whose one string property takes the label (and whose "confidence", if it has one, the number). kUnsupported: nothing fits.
Result<std::string> task_answer(const Request& request, const std::string& label, double confidence);

}  // namespace ajar
