#include "provider/cross_encoder.h"

#include <algorithm>
#include <cmath>

namespace ajar {
namespace {

constexpr size_t kPiece = 16;  // pairs at once

}  // namespace

Result<PairScores> score_pairs(LoadedModel& model, const std::string& query, std::span<const std::string> documents,
                               std::optional<int64_t> max_tokens_per_doc, TimePoint until) {
  if (!model.encoder || model.model->classifier().rows != 1) {
    return fail(Code::kUnsupported, "'" + model.spec.name + "' is no cross-encoder and cannot rerank", "model");
  }
  // [CLS] query [SEP] document [SEP]
  std::vector<int32_t> head;
  model.tokenizer->encode_whole(query, head);
  int64_t room = model.encoder->context() - static_cast<int64_t>(head.size()) - 1;
  if (room < 1) {
    return invalid("query", "the query has " + std::to_string(head.size()) + " tokens; the model takes " + std::to_string(model.encoder->context()) + " with the document");
  }
  if (max_tokens_per_doc) room = std::min(room, std::max<int64_t>(1, *max_tokens_per_doc));
  const int32_t sep = model.tokenizer->special().sep;
  PairScores out;
  std::vector<engine::EncoderInput> inputs;
  for (size_t from = 0; from < documents.size(); from += kPiece) {
    if (now() >= until) return fail(Code::kTimeout, "'" + model.spec.name + "' had scored " + std::to_string(from) + " of " + std::to_string(documents.size()) + " documents in time");
    inputs.clear();
    for (const std::string& document : documents.subspan(from, std::min(kPiece, documents.size() - from))) {
      auto& input = inputs.emplace_back();
      input.tokens = head;
      std::vector<int32_t> ids;
      model.tokenizer->encode(document, ids);
      if (static_cast<int64_t>(ids.size()) > room) ids.resize(static_cast<size_t>(room));
      input.types.assign(head.size(), 0);
      input.tokens.insert(input.tokens.end(), ids.begin(), ids.end());
      if (sep >= 0) input.tokens.push_back(sep);
      input.types.resize(input.tokens.size(), 1);
      out.tokens += static_cast<int64_t>(input.tokens.size());
    }
    std::lock_guard lock(model.encoding);
    AJAR_ASSIGN(const auto numbers, model.encoder->run(inputs));
    for (const float number : numbers) out.scores.push_back(1 / (1 + std::exp(-static_cast<double>(number))));
  }
  return out;
}

}  // namespace ajar
