// Writes llama.cpp's logits: theirs MODEL OUT SEQUENCES LENGTH. See run.sh.
#include <cstdio>
#include <cstdlib>

#include "llama.h"

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_backend_init();
  llama_model* model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (model == nullptr) return 1;
  llama_context_params params = llama_context_default_params();
  params.n_ctx = params.n_batch = params.n_ubatch = 512;
  params.n_threads = params.n_threads_batch = 2;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  llama_context* context = llama_init_from_model(model, params);
  const int vocab = llama_vocab_n_tokens(llama_model_get_vocab(model)), sequences = atoi(argv[3]), length = atoi(argv[4]);
  FILE* out = fopen(argv[2], "wb");
  for (int s = 0; s < sequences; ++s) {
    llama_memory_clear(llama_get_memory(context), true);
    llama_batch batch = llama_batch_init(length, 0, 1);
    for (int i = 0; i < length; ++i) {
      batch.token[i] = (i * 7919 + s * 104729 + 13) % vocab;
      batch.pos[i] = i, batch.n_seq_id[i] = 1, batch.seq_id[i][0] = 0, batch.logits[i] = 1;
    }
    batch.n_tokens = length;
    if (llama_decode(context, batch) != 0) return 1;
    for (int i = 0; i < length; ++i) fwrite(llama_get_logits_ith(context, i), sizeof(float), static_cast<size_t>(vocab), out);
    llama_batch_free(batch);
  }
  fclose(out);
}
