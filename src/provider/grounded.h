#pragma once
// Answers drawn from a collection of documents. With a model: the passages go into its request, and each sentence of its answer is
// then held against them. Without one: the answer is quotes. Either way the client gets citations, what no passage bears out is
// said to be so, and Context::confidence says how well the documents answer: the probability that they do, or the share of
// the answer's sentences that they bear out.

#include <memory>
#include <string>

#include "core/documents.h"
#include "core/provider.h"

namespace ajar {

struct GroundedOptions {
  std::string collection;  // its name or id, of the caller's owner or else of the server
  bool in_text = true;     // sources and what is not borne out also stand in the text, for clients that show no annotations
};

class GroundedProvider final : public Provider {
 public:
  // `writer`: null for quotes alone. `documents` must outlive this.
  GroundedProvider(const Documents& documents, GroundedOptions options, std::shared_ptr<Provider> writer)
      : documents_(documents), options_(std::move(options)), writer_(std::move(writer)) {}

  // kUnsupported: without a question in words, or in a shape that quotes cannot have; kNotFound: there is no such collection.
  Task<Status> complete(const Request& request, const AttemptLimits& limits, Context& context, Sink& sink) override;
  Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request, const AttemptLimits& limits, Context& context) override;
  std::optional<Millis> expected_wait(const std::string& model) const override { return writer_ ? writer_->expected_wait(model) : std::nullopt; }

 private:
  Task<Status> quote(const Grounds& grounds, Sink& sink) const;

  const Documents& documents_;
  const GroundedOptions options_;
  const std::shared_ptr<Provider> writer_;
};

// What is looked up for a conversation: the last thing that the user said, and before it, where that is short and refers to it,
// what was said before. kUnsupported: nothing in words.
Result<std::string> question_for_documents(const Request& request);

// The request with passages before the last question: numbered, between marks that nobody can guess, as data.
Request with_passages(const Request& request, const std::vector<Passage>& passages, std::string_view mark);

}  // namespace ajar
