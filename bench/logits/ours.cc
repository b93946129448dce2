// Holds our logits against a file of another engine's: ours MODEL LOGITS SEQUENCES LENGTH. See run.sh.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "engine/decoder.h"

using namespace ajar::engine;

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  ComputePool pool(2);
  auto checkpoint = Checkpoint::open(argv[1]);
  if (!checkpoint) return std::fprintf(stderr, "%s\n", checkpoint.error().message.c_str()), 1;
  auto model = Model::load(*checkpoint, pool);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message.c_str()), 1;
  const ModelConfig& config = (*model)->config();
  const int sequences = std::atoi(argv[3]), length = std::atoi(argv[4]), vocab = config.vocab;
  KvPool cache = *KvPool::make(config, KvPool::page_bytes(config) * (length / kPageTokens + 2));
  Decoder decoder(*model, pool, {}, length);
  KvSequence sequence;
  for (int i = 0; i <= length / kPageTokens; ++i) sequence.pages.push_back(cache.take());
  FILE* file = std::fopen(argv[2], "rb");
  if (file == nullptr) return 1;
  std::vector<float> theirs(static_cast<size_t>(vocab));
  double worst = 0, error = 0, spread = 0;
  int same = 0, count = 0;
  for (int s = 0; s < sequences; ++s) {
    std::vector<Row> rows;
    for (int i = 0; i < length; ++i) rows.push_back({(i * 7919 + s * 104729 + 13) % vocab, i, &sequence, true});
    const float* logits = decoder.forward(rows, cache);
    for (int i = 0; i < length; ++i, ++count) {
      if (std::fread(theirs.data(), sizeof(float), theirs.size(), file) != theirs.size()) return 1;
      const float* ours = logits + i * decoder.logit_stride();
      float peak = 0;
      for (float v : theirs) peak = std::max(peak, std::abs(v));
      for (size_t k = 0; k < theirs.size(); ++k) {
        double e = std::abs(ours[k] - theirs[k]);
        worst = std::max(worst, e / peak), error += e * e, spread += static_cast<double>(theirs[k]) * theirs[k];
      }
      same += std::max_element(ours, ours + vocab) - ours == std::max_element(theirs.begin(), theirs.end()) - theirs.begin();
    }
  }
  std::printf("%.1f %% | %.5f | %.5f", 100.0 * same / count, std::sqrt(error / spread), worst);
}
