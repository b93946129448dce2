#include "engine/model.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace ajar::engine {
namespace {

std::string shape(int64_t columns, int64_t rows) { return std::to_string(columns) + " x " + std::to_string(rows); }

}  // namespace

// Collects where every matrix comes from, then gives them memory and packs them all at once.
class ModelLoader {
 public:
  ModelLoader(std::shared_ptr<const Checkpoint> checkpoint, ComputePool& pool, const LoadOptions& options)
      : pool_(pool), options_(options), model_(std::make_shared<Model>()) {
    model_->checkpoint_ = std::move(checkpoint);
  }

  Result<std::shared_ptr<const Model>> load();

 private:
  struct Source {
    Matrix* matrix;
    const std::byte* rows;
    int64_t stride;
    Dtype dtype;  // of the rows; the matrix's may be another
  };

  const Checkpoint& checkpoint() const { return *model_->checkpoint_; }
  const ModelConfig& config() const { return checkpoint().config(); }
  std::unexpected<Error> bad(const std::string& name, const std::string& why) const {
    return fail(Code::kInvalid, checkpoint().path() + ": tensor " + name + " " + why);
  }

  // Rows begin..begin+count of a tensor (of expert `slice` where it has several); count -1: all.
  Status matrix(const std::string& name, int64_t columns, int64_t rows, Matrix& out, bool required = true, int64_t slice = 0,
                int64_t begin = 0, int64_t total_rows = 0);
  Status vector(const std::string& name, int64_t size, std::vector<float>& out, bool required);
  Status norm(const std::string& stem, int64_t size, Norm& out, bool required);
  Status attention(const std::string& at, Layer& layer);
  Status feed_forward(const std::string& at, Layer& layer);
  Status experts(const std::string& at, Layer& layer);
  Status ends();
  Status pack();
  static void pack_rounded(const Source& source, int panel, std::byte* to);

  ComputePool& pool_;
  const LoadOptions& options_;
  std::shared_ptr<Model> model_;
  std::vector<Source> sources_;
};

Status ModelLoader::matrix(const std::string& name, int64_t columns, int64_t rows, Matrix& out, bool required, int64_t slice,
                           int64_t begin, int64_t total_rows) {
  const Tensor* tensor = checkpoint().find(name + ".weight");
  if (tensor == nullptr) {
    if (!required) return {};
    return bad(name + ".weight", "is missing");
  }
  if (total_rows == 0) total_rows = rows;
  if (tensor->shape[0] != columns || tensor->shape[1] != total_rows || slice >= tensor->shape[2] * tensor->shape[3])
    return bad(tensor->name, "is " + shape(tensor->shape[0], tensor->shape[1]) + ", not " + shape(columns, total_rows));
  if (!is_float(tensor->dtype) && columns % dtype_info(tensor->dtype).block_elements != 0)
    return bad(tensor->name, "has rows that are no whole number of blocks");
  int64_t stride = row_bytes(tensor->dtype, columns);
  const bool rounded = options_.round_floats && is_float(tensor->dtype) && columns % dtype_info(Dtype::kQ8_0).block_elements == 0;
  out.dtype = rounded ? Dtype::kQ8_0 : tensor->dtype, out.rows = rows, out.columns = columns;
  sources_.push_back({&out, tensor->bytes.data() + (slice * total_rows + begin) * stride, stride, tensor->dtype});
  if (const Tensor* bias = slice == 0 ? checkpoint().find(name + ".bias") : nullptr) {
    std::vector<float> all;
    AJAR_TRY(vector(name + ".bias", bias->shape[0], all, true));
    if (static_cast<int64_t>(all.size()) != total_rows) return bad(bias->name, "has not one value per row");
    out.bias.assign(all.begin() + begin, all.begin() + begin + rows);
  }
  return {};
}

Status ModelLoader::vector(const std::string& name, int64_t size, std::vector<float>& out, bool required) {
  const Tensor* tensor = checkpoint().find(name);
  if (tensor == nullptr) {
    if (!required) return {};
    return bad(name, "is missing");
  }
  if (tensor->shape[0] != size || tensor->rows() != 1) return bad(name, "has not " + std::to_string(size) + " values");
  if (!is_float(tensor->dtype)) return bad(name, "is quantised, which a vector cannot be");
  out.resize(static_cast<size_t>(size));
  dequantize_row(tensor->dtype, tensor->bytes.data(), out.data(), size);
  return {};
}

Status ModelLoader::norm(const std::string& stem, int64_t size, Norm& out, bool required) {
  AJAR_TRY(vector(stem + ".weight", size, out.weight, required));
  AJAR_TRY(vector(stem + ".bias", size, out.bias, false));
  if (config().norm_plus_one)
    for (float& w : out.weight) w += 1;
  return {};
}

Status ModelLoader::attention(const std::string& at, Layer& layer) {
  const ModelConfig& c = config();
  int64_t q = int64_t{c.heads} * c.head_dim, kv = int64_t{c.kv_heads} * c.head_dim;
  if (checkpoint().find(at + "attn_qkv.weight") != nullptr) {  // Phi-3 keeps the three in one
    AJAR_TRY(matrix(at + "attn_qkv", c.embedding, q, layer.q, true, 0, 0, q + 2 * kv));
    AJAR_TRY(matrix(at + "attn_qkv", c.embedding, kv, layer.k, true, 0, q, q + 2 * kv));
    AJAR_TRY(matrix(at + "attn_qkv", c.embedding, kv, layer.v, true, 0, q + kv, q + 2 * kv));
  } else {
    AJAR_TRY(matrix(at + "attn_q", c.embedding, q, layer.q));
    AJAR_TRY(matrix(at + "attn_k", c.embedding, kv, layer.k));
    AJAR_TRY(matrix(at + "attn_v", c.embedding, kv, layer.v));
  }
  AJAR_TRY(matrix(at + "attn_output", q, c.embedding, layer.o));
  AJAR_TRY(norm(at + "attn_q_norm", c.head_dim, layer.q_norm, false));
  return norm(at + "attn_k_norm", c.head_dim, layer.k_norm, false);
}

Status ModelLoader::feed_forward(const std::string& at, Layer& layer) {
  const ModelConfig& c = config();
  const Tensor* up = checkpoint().find(at + "ffn_up.weight");
  bool fused = up != nullptr && up->shape[1] == 2 * int64_t{c.feed_forward};  // Phi-3: gate above up
  if (fused) {
    AJAR_TRY(matrix(at + "ffn_up", c.embedding, c.feed_forward, layer.gate, true, 0, 0, 2 * int64_t{c.feed_forward}));
    AJAR_TRY(matrix(at + "ffn_up", c.embedding, c.feed_forward, layer.up, true, 0, c.feed_forward, 2 * int64_t{c.feed_forward}));
  } else {
    AJAR_TRY(matrix(at + "ffn_gate", c.embedding, c.feed_forward, layer.gate, c.causal));
    AJAR_TRY(matrix(at + "ffn_up", c.embedding, c.feed_forward, layer.up));
  }
  return matrix(at + "ffn_down", c.feed_forward, c.embedding, layer.down);
}

Status ModelLoader::experts(const std::string& at, Layer& layer) {
  const ModelConfig& c = config();
  int64_t width = c.expert_feed_forward > 0 ? c.expert_feed_forward : c.feed_forward;
  AJAR_TRY(matrix(at + "ffn_gate_inp", c.embedding, c.experts, layer.router));
  layer.experts.resize(static_cast<size_t>(c.experts));
  bool stacked = checkpoint().find(at + "ffn_gate_exps.weight") != nullptr;
  for (int e = 0; e < c.experts; ++e) {
    Expert& expert = layer.experts[static_cast<size_t>(e)];
    auto name = [&](const char* which) { return stacked ? at + which + "_exps" : at + which + "." + std::to_string(e); };
    int64_t slice = stacked ? e : 0;
    AJAR_TRY(matrix(name("ffn_gate"), c.embedding, width, expert.gate, true, slice));
    AJAR_TRY(matrix(name("ffn_up"), c.embedding, width, expert.up, true, slice));
    AJAR_TRY(matrix(name("ffn_down"), width, c.embedding, expert.down, true, slice));
  }
  if (c.shared_feed_forward > 0) {
    AJAR_TRY(matrix(at + "ffn_gate_shexp", c.embedding, c.shared_feed_forward, layer.shared.gate));
    AJAR_TRY(matrix(at + "ffn_up_shexp", c.embedding, c.shared_feed_forward, layer.shared.up));
    AJAR_TRY(matrix(at + "ffn_down_shexp", c.shared_feed_forward, c.embedding, layer.shared.down));
    AJAR_TRY(matrix(at + "ffn_gate_inp_shexp", c.embedding, 1, layer.shared_gate, false));
  }
  return {};
}

Status ModelLoader::ends() {
  const ModelConfig& c = config();
  Model& m = *model_;
  m.embedding_ = checkpoint().find("token_embd.weight");
  if (m.embedding_ == nullptr) return bad("token_embd.weight", "is missing");
  if (m.embedding_->shape[0] != c.embedding || m.embedding_->rows() != c.vocab)
    return bad("token_embd.weight", "is not " + shape(c.embedding, c.vocab));
  if (!c.causal) {
    AJAR_TRY(norm("token_embd_norm", c.embedding, m.embedding_norm_, false));
    m.position_embedding_ = checkpoint().find("position_embd.weight");
    m.type_embedding_ = checkpoint().find("token_types.weight");
    for (const Tensor* t : {m.position_embedding_, m.type_embedding_})
      if (t != nullptr && t->shape[0] != c.embedding) return bad(t->name, "has rows of another width than the model");
    AJAR_TRY(matrix("cls", c.embedding, c.embedding, m.pooler_, false));
    return matrix("cls.output", c.embedding, std::max<int64_t>(1, static_cast<int64_t>(c.labels.size())), m.classifier_, false);
  }
  AJAR_TRY(norm("output_norm", c.embedding, m.output_norm_, true));
  bool tied = checkpoint().find("output.weight") == nullptr;
  return matrix(tied ? "token_embd" : "output", c.embedding, c.vocab, m.head_);
}

void ModelLoader::pack_rounded(const Source& source, int panel, std::byte* to) {
  const Matrix& matrix = *source.matrix;
  const int rows = static_cast<int>(std::min<int64_t>(kPanelRows, matrix.rows - int64_t{panel} * kPanelRows));
  const int64_t stride = row_bytes(matrix.dtype, matrix.columns);
  std::vector<float> row(static_cast<size_t>(matrix.columns));
  std::vector<std::byte> rounded(static_cast<size_t>(rows * stride));
  for (int r = 0; r < rows; ++r) {
    dequantize_row(source.dtype, source.rows + (int64_t{panel} * kPanelRows + r) * source.stride, row.data(), matrix.columns);
    quantize_row(matrix.dtype, row.data(), rounded.data() + r * stride, matrix.columns);
  }
  pack_panel(matrix.dtype, rounded.data(), stride, rows, matrix.columns, to);
}

Status ModelLoader::pack() {
  const auto& progress = options_.progress;
  size_t total = 0;
  for (const Source& source : sources_) total += static_cast<size_t>(source.matrix->bytes());
  AJAR_ASSIGN(model_->buffer_, HugeBuffer::make(total));
  struct Piece {
    const Source* source;
    int first, last;
  };
  std::vector<Piece> pieces;
  std::byte* at = model_->buffer_.data();
  for (Source& source : sources_) {
    Matrix& matrix = *source.matrix;
    matrix.panels = at;
    at += matrix.bytes();
    int step = static_cast<int>(std::max<int64_t>(1, (int64_t{1} << 20) / panel_layout(matrix.dtype, matrix.columns).stride));
    for (int n = 0; n < matrix.panel_count(); n += step) pieces.push_back({&source, n, std::min(n + step, matrix.panel_count())});
  }
  // In portions, so that progress can be told in between.
  size_t portion = progress ? std::max<size_t>(pieces.size() / 50, 16) : pieces.size();
  for (size_t done = 0; done < pieces.size(); done += portion) {
    size_t count = std::min(portion, pieces.size() - done);
    std::lock_guard turn(pool_.turn());
    pool_.run(static_cast<int64_t>(count), [&](int64_t task, int) {
      const Piece& piece = pieces[done + static_cast<size_t>(task)];
      const Matrix& matrix = *piece.source->matrix;
      int64_t stride = panel_layout(matrix.dtype, matrix.columns).stride;
      for (int n = piece.first; n < piece.last; ++n) {
        std::byte* const to = const_cast<std::byte*>(matrix.panels) + n * stride;
        if (piece.source->dtype != matrix.dtype) {
          pack_rounded(*piece.source, n, to);
          continue;
        }
        pack_panel(matrix.dtype, piece.source->rows + int64_t{n} * kPanelRows * piece.source->stride, piece.source->stride,
                   static_cast<int>(std::min<int64_t>(kPanelRows, matrix.rows - int64_t{n} * kPanelRows)), matrix.columns, to);
      }
    });
    if (progress) progress(static_cast<double>(done + count) / static_cast<double>(pieces.size()));
  }
  return {};
}

Result<std::shared_ptr<const Model>> ModelLoader::load() {
  const ModelConfig& c = config();
  model_->layers_.resize(static_cast<size_t>(c.layers));
  for (int i = 0; i < c.layers; ++i) {
    std::string at = "blk." + std::to_string(i) + ".";
    Layer& layer = model_->layers_[static_cast<size_t>(i)];
    layer.local = c.sliding_window > 0 && (c.local_layer.empty() || c.local_layer[static_cast<size_t>(i)]);
    AJAR_TRY(norm(at + "attn_norm", c.embedding, layer.attention_norm, c.causal));
    AJAR_TRY(attention(at, layer));
    AJAR_TRY(norm(at + "post_attention_norm", c.embedding, layer.post_attention_norm, false));
    AJAR_TRY(norm(at + "ffn_norm", c.embedding, layer.feed_norm, c.causal));
    AJAR_TRY(norm(at + "post_ffw_norm", c.embedding, layer.post_feed_norm, false));
    if (!c.causal) {
      AJAR_TRY(norm(at + "attn_output_norm", c.embedding, layer.attention_output_norm, true));
      AJAR_TRY(norm(at + "layer_output_norm", c.embedding, layer.layer_output_norm, true));
    }
    bool mixture = c.experts > 0 && checkpoint().find(at + "ffn_gate_inp.weight") != nullptr;
    AJAR_TRY(mixture ? experts(at, layer) : feed_forward(at, layer));
  }
  AJAR_TRY(ends());
  AJAR_TRY(pack());
  for (const Tensor& tensor : checkpoint().tensors()) model_->parameters_ += tensor.columns() * tensor.rows();
  for (const Source& source : sources_) model_->bytes_per_token_ += source.matrix->bytes();
  if (c.experts > 0) {  // a token reads only its own experts
    for (const Layer& layer : model_->layers_)
      for (size_t e = static_cast<size_t>(c.experts_used); e < layer.experts.size(); ++e)
        for (const Matrix* m : {&layer.experts[e].gate, &layer.experts[e].up, &layer.experts[e].down})
          model_->bytes_per_token_ -= m->bytes();
  }
  return std::shared_ptr<const Model>(model_);
}

Result<std::shared_ptr<const Model>> Model::load(std::shared_ptr<const Checkpoint> checkpoint, ComputePool& pool, const LoadOptions& options) {
  return ModelLoader(std::move(checkpoint), pool, options).load();
}

void Model::embed(int32_t token, float* out) const {
  int64_t stride = row_bytes(embedding_->dtype, config().embedding);
  dequantize_row(embedding_->dtype, embedding_->bytes.data() + token * stride, out, config().embedding);
}

}  // namespace ajar::engine
