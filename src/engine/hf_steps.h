#pragma once
// The steps of a tokenizer.json, from its JSON. kUnsupported names the kind of step that we do not have.

#include <vector>

#include "base/error.h"
#include "engine/normalizer.h"
#include "engine/pretokenizer.h"
#include "json/read.h"

namespace ajar::engine {

Result<NormalizerPtr> read_normalizer(const json::Object& step);

struct HfPretokenizer {
  std::vector<PretokenizerStep> steps;
  bool byte_level = false;  // the vocabulary writes bytes as printable characters
  bool adds_space = false;
};
Status read_pretokenizer(const json::Object& step, HfPretokenizer& out);

}  // namespace ajar::engine
