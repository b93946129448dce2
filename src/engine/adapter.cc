#include "engine/adapter.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "engine/adapter_file.h"
#include "engine/model_check.h"

namespace ajar::engine {
namespace {

std::string shape_of(int64_t columns, int64_t rows) { return std::to_string(columns) + " x " + std::to_string(rows); }

uint64_t next_identity() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

Result<std::vector<float>> values_of(const AdapterTensor& tensor) {
  // The file's bytes may lie at any address.
  std::vector<std::byte> bytes(tensor.bytes.begin(), tensor.bytes.end());
  std::vector<float> out(static_cast<size_t>(tensor.columns * tensor.rows));
  for (int64_t r = 0; r < tensor.rows; ++r)
    dequantize_row(tensor.dtype, bytes.data() + r * row_bytes(tensor.dtype, tensor.columns), out.data() + r * tensor.columns, tensor.columns);
  for (float v : out)
    if (!std::isfinite(v)) return invalid(tensor.name, "tensor " + tensor.name + " has a number that is not finite");
  return out;
}

}  // namespace

// Holds a file against the model, gives the matrices memory and packs them.
class AdapterLoader {
 public:
  AdapterLoader(const AdapterFile& file, const Model& model, const std::string& path) : file_(file), model_(model), c_(model.config()) {
    adapter_->path_ = path;
  }

  Result<std::shared_ptr<const Adapter>> load() {
    AJAR_TRY(check());
    adapter_->base_ = &model_;
    adapter_->identity_ = next_identity();
    adapter_->layers_.resize(model_.layers().size());
    int64_t bytes = 0;
    for (const auto& [key, pair] : pairs_)
      for (const Part& part : pair.parts)
        bytes += panels(pair.rank()) * panel_layout(Dtype::kF32, part.base->columns).stride + panels(part.base->rows) * panel_layout(Dtype::kF32, pair.rank()).stride;
    AJAR_ASSIGN(adapter_->buffer_, HugeBuffer::make(static_cast<size_t>(bytes)));
    for (const auto& [key, pair] : pairs_) AJAR_TRY(pack(static_cast<size_t>(key.first), pair));
    return adapter_;
  }

 private:
  struct Part {  // of the rows of a matrix in the file: one of the model's
    AdapterTarget target;
    const Matrix* base;
  };
  struct Pair {
    const AdapterTensor *a = nullptr, *b = nullptr;
    std::vector<Part> parts;
    int64_t rank() const { return a->rows; }
  };

  static int64_t panels(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

  // Which of the model's matrices a name stands for; phi3's hold several. Empty: none that can be adapted.
  std::vector<Part> parts_of(int32_t number, std::string_view matrix) const {
    const Layer& layer = model_.layers()[static_cast<size_t>(number)];
    using enum AdapterTarget;
    if (matrix == "attn_q") return {{kQ, &layer.q}};
    if (matrix == "attn_k") return {{kK, &layer.k}};
    if (matrix == "attn_v") return {{kV, &layer.v}};
    if (matrix == "attn_qkv") return {{kQ, &layer.q}, {kK, &layer.k}, {kV, &layer.v}};
    if (matrix == "attn_output") return {{kO, &layer.o}};
    if (!layer.experts.empty() || layer.up.empty()) return {};
    if (matrix == "ffn_gate") return {{kGate, &layer.gate}};
    if (matrix == "ffn_down") return {{kDown, &layer.down}};
    if (matrix != "ffn_up") return {};
    const Tensor* up = model_.checkpoint().find("blk." + std::to_string(number) + ".ffn_up.weight");
    if (up != nullptr && up->shape[1] == 2 * layer.up.rows) return {{kGate, &layer.gate}, {kUp, &layer.up}};
    return {{kUp, &layer.up}};
  }

  Status check() {
    if (!c_.causal) return fail(Code::kUnsupported, c_.name + " is an encoder, which cannot be adapted");
    if (!file_.architecture.empty() && file_.architecture != c_.architecture)
      return invalid("general.architecture", "it is an adapter for models of the architecture " + file_.architecture + "; " + c_.name + " is " + c_.architecture);
    for (const AdapterTensor& tensor : file_.tensors) {
      if (tensor.layer >= c_.layers)
        return invalid(tensor.name, "tensor " + tensor.name + " belongs to layer " + std::to_string(tensor.layer) + "; the model has " +
                                        std::to_string(c_.layers) + " layers: it is an adapter for another model");
      Pair& pair = pairs_[{tensor.layer, tensor.matrix}];
      if (pair.parts.empty()) pair.parts = parts_of(tensor.layer, tensor.matrix);
      if (pair.parts.empty())
        return not_adaptable(tensor.name);
      auto& half = tensor.b ? pair.b : pair.a;
      if (half != nullptr) return invalid(tensor.name, "tensor " + tensor.name + " is there twice");
      half = &tensor;
    }
    for (const auto& [key, pair] : pairs_) AJAR_TRY(check(pair));
    return {};
  }

  Status check(const Pair& pair) {
    if (pair.a == nullptr || pair.b == nullptr) {
      const AdapterTensor& there = pair.a != nullptr ? *pair.a : *pair.b;
      return invalid(there.name, "tensor " + there.name + " has no counterpart: A and B belong together");
    }
    const AdapterTensor &a = *pair.a, &b = *pair.b;
    int64_t columns = pair.parts.front().base->columns, rows = 0;
    for (const Part& part : pair.parts) rows += part.base->rows;
    const std::string model = "the model's matrix is " + shape_of(columns, rows) + ": it is an adapter for another model";
    if (a.columns != columns) return invalid(a.name, "tensor " + a.name + " is " + shape_of(a.columns, a.rows) + "; " + model);
    if (b.rows != rows) return invalid(b.name, "tensor " + b.name + " is " + shape_of(b.columns, b.rows) + "; " + model);
    if (a.rows != b.columns) return invalid(b.name, "tensors " + a.name + ", " + shape_of(a.columns, a.rows) + ", and " + b.name + ", " +
                                                        shape_of(b.columns, b.rows) + ", differ in rank");
    if (a.rows < 1 || a.rows > kMaxAdapterRank)
      return invalid(a.name, "tensor " + a.name + " has the rank " + std::to_string(a.rows) + "; it may be from 1 to " + std::to_string(kMaxAdapterRank));
    if (file_.rank > 0 && a.rows != file_.rank)
      return invalid(a.name, "tensor " + a.name + " has the rank " + std::to_string(a.rows) + "; the configuration says " + std::to_string(file_.rank));
    return {};
  }

  // GGUF orders the rows of each head of Q and K for pairs that stand together where the family turns them so, Hugging Face in
  // halves. Returns the file's row that belongs in row `r` of the model's matrix.
  int64_t source_row(AdapterTarget target, int64_t r) const {
    if (target != AdapterTarget::kQ && target != AdapterTarget::kK) return r;
    const Family* family = find_family(c_.architecture);
    if (family == nullptr || family->gguf_rope != RopeKind::kInterleaved) return r;
    const bool file_pairs = !file_.peft, model_pairs = c_.rope.kind == RopeKind::kInterleaved;
    if (file_pairs == model_pairs) return r;
    const int64_t dim = c_.head_dim, head = r / dim * dim, i = r % dim;
    return head + (model_pairs ? i % 2 * (dim / 2) + i / 2 : i % (dim / 2) * 2 + i / (dim / 2));
  }

  Matrix place(const std::vector<float>& values, int64_t rows, int64_t columns) {
    Matrix out{.dtype = Dtype::kF32, .rows = rows, .columns = columns, .panels = adapter_->buffer_.data() + used_};
    const int64_t stride = panel_layout(Dtype::kF32, columns).stride;
    for (int64_t n = 0; n < out.panel_count(); ++n) {
      pack_panel(Dtype::kF32, reinterpret_cast<const std::byte*>(values.data() + n * kPanelRows * columns), columns * 4,
                 static_cast<int>(std::min<int64_t>(kPanelRows, rows - n * kPanelRows)), columns, adapter_->buffer_.data() + used_);
      used_ += stride;
    }
    return out;
  }

  Status pack(size_t layer, const Pair& pair) {
    AJAR_ASSIGN(const auto a, values_of(*pair.a));
    AJAR_ASSIGN(const auto b, values_of(*pair.b));
    const int64_t rank = pair.rank();
    const auto r = static_cast<double>(rank);
    const double scale = file_.alpha == 0 ? 1 : file_.alpha / (file_.root_scale ? std::sqrt(r) : r);
    int64_t begin = 0;
    for (const Part& part : pair.parts) {
      LowRank& to = adapter_->layers_[layer][static_cast<size_t>(part.target)];
      if (!to.empty()) return invalid(pair.a->name, "tensor " + pair.a->name + " adapts what another adapts already");
      std::vector<float> rows(static_cast<size_t>(part.base->rows * rank));
      for (int64_t row = 0; row < part.base->rows; ++row) {
        const float* from = b.data() + (begin + source_row(part.target, row)) * rank;
        for (int64_t k = 0; k < rank; ++k) rows[static_cast<size_t>(row * rank + k)] = static_cast<float>(from[k] * scale);
      }
      begin += part.base->rows;
      to.a = place(a, rank, part.base->columns);
      to.b = place(rows, part.base->rows, rank);
    }
    adapter_->rank_ = std::max(adapter_->rank_, rank);
    return {};
  }

  const AdapterFile& file_;
  const Model& model_;
  const ModelConfig& c_;
  std::map<std::pair<int32_t, std::string>, Pair> pairs_;  // by layer and matrix
  std::shared_ptr<Adapter> adapter_ = std::make_shared<Adapter>();
  int64_t used_ = 0;
};

Result<std::shared_ptr<const Adapter>> Adapter::load(const std::string& path, const Model& model) {
  auto file = read_adapter_file(path);
  if (!file) return std::unexpected(std::move(file.error()).in("adapter " + path));
  auto adapter = AdapterLoader(*file, model, path).load();
  if (!adapter) return std::unexpected(std::move(adapter.error()).in("adapter " + path));
  return adapter;
}

}  // namespace ajar::engine
