#pragma once
// For tests: vectors in which texts that share words are near. Deterministic.

#include <functional>
#include <memory>

#include "rag/collection.h"

namespace ajar::rag {

inline Embedder fake_embedder(uint32_t width = 64, std::string name = "fake", std::shared_ptr<size_t> texts_seen = {}) {
  return {name, width, [width, texts_seen](std::span<const std::string> texts) -> Result<std::vector<float>> {
            std::vector<float> out(texts.size() * width, 0.01f);
            if (texts_seen) *texts_seen += texts.size();
            index::Analyzer english(index::Language::kEnglish);
            for (size_t i = 0; i < texts.size(); ++i)
              for (const std::string& term : english.terms(texts[i])) out[i * width + std::hash<std::string>()(term) % width] += 1;
            return out;
          }};
}

}  // namespace ajar::rag
