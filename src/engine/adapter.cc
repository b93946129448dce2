#include "engine/adapter.h"

#include <algorithm>
#include <atomic>
#include <charconv>
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

// Some of the rows of all its matrices.
Result<std::vector<float>> values_of(const AdapterTensor& tensor, int64_t first, int64_t rows) {
  const int64_t stride = row_bytes(tensor.dtype, tensor.columns);
  // The file's bytes may lie at any address.
  const auto part = tensor.bytes.subspan(static_cast<size_t>(first * stride), static_cast<size_t>(rows * stride));
  std::vector<std::byte> bytes(part.begin(), part.end());
  std::vector<float> out(static_cast<size_t>(tensor.columns * rows));
  for (int64_t r = 0; r < rows; ++r) dequantize_row(tensor.dtype, bytes.data() + r * stride, out.data() + r * tensor.columns, tensor.columns);
  for (float v : out)
    if (!std::isfinite(v)) return invalid(tensor.name, "tensor " + tensor.name + " has a number that is not finite");
  return out;
}

// Words for one matrix that all tokens pass, and for those of experts.
struct Word {
  std::string_view name;
  AdapterTarget target;
  Matrix Layer::*matrix;
};
constexpr Word kWords[] = {
    {"attn_q", AdapterTarget::kQ, &Layer::q}, {"attn_k", AdapterTarget::kK, &Layer::k}, {"attn_v", AdapterTarget::kV, &Layer::v},
    {"attn_output", AdapterTarget::kO, &Layer::o}, {"ffn_gate", AdapterTarget::kGate, &Layer::gate}, {"ffn_up", AdapterTarget::kUp, &Layer::up},
    {"ffn_down", AdapterTarget::kDown, &Layer::down}, {"ffn_gate_inp", AdapterTarget::kRouter, &Layer::router},
    {"ffn_gate_inp_shexp", AdapterTarget::kSharedGate, &Layer::shared_gate}};
struct ExpertWord {
  std::string_view name;
  AdapterTarget target;
  Matrix Expert::*matrix;
};
constexpr ExpertWord kExpertWords[] = {
    {"ffn_gate", AdapterTarget::kGate, &Expert::gate}, {"ffn_up", AdapterTarget::kUp, &Expert::up}, {"ffn_down", AdapterTarget::kDown, &Expert::down}};
constexpr std::string_view kAllExperts = "_exps", kSharedExpert = "_shexp";

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
  struct Part {  // of the rows of a tensor in the file: one of the model's matrices
    AdapterTarget target;
    const Matrix* base;
    int32_t expert = kNoExpert;
  };
  struct Pair {
    const AdapterTensor *a = nullptr, *b = nullptr;
    std::vector<Part> parts;  // of one A, or each of its own
    bool stacked = false;     // each of its own
    int64_t rank() const { return a->rows; }
    int64_t matrices() const { return stacked ? static_cast<int64_t>(parts.size()) : 1; }
  };

  static int64_t panels(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

  static std::string another(const AdapterTensor& tensor, const std::string& what) {
    return "tensor " + tensor.name + " " + what + ": it is an adapter for another model";
  }

  // Which of the model's matrices a tensor stands for; phi3's hold several, and one may hold those of all experts. kUnsupported:
  // none that can be adapted; kInvalid: none that the model has.
  Result<std::vector<Part>> parts_of(const AdapterTensor& tensor) const {
    const Layer& layer = model_.layers()[static_cast<size_t>(tensor.layer)];
    using enum AdapterTarget;
    if (tensor.matrix == "attn_qkv") return std::vector<Part>{{kQ, &layer.q}, {kK, &layer.k}, {kV, &layer.v}};
    const Tensor* up = model_.checkpoint().find("blk." + std::to_string(tensor.layer) + ".ffn_up.weight");
    if (tensor.matrix == "ffn_up" && up != nullptr && up->shape[1] == 2 * layer.up.rows) return std::vector<Part>{{kGate, &layer.gate}, {kUp, &layer.up}};
    std::vector<Part> parts;
    for (const Word& word : kWords)
      if (tensor.matrix == word.name) parts = {{word.target, &(layer.*word.matrix)}};
    if (parts.empty()) AJAR_TRY(find_experts(tensor, layer, parts));
    if (parts.empty() || parts.front().base->empty()) return invalid(tensor.name, another(tensor, "adapts a matrix that the model does not have"));
    return parts;
  }

  // "ffn_up_shexp" is of the expert that all tokens pass, "ffn_up_exps" of all others, "ffn_up.3" of one.
  static Status find_experts(const AdapterTensor& tensor, const Layer& layer, std::vector<Part>& parts) {
    const std::string_view matrix = tensor.matrix;
    const auto word = std::ranges::find_if(kExpertWords, [&](const ExpertWord& one) { return matrix.starts_with(one.name); });
    if (word == std::end(kExpertWords)) return not_adaptable(tensor.name);
    const std::string_view which = matrix.substr(word->name.size());
    auto add = [&](const Expert& expert, int32_t number) { parts.push_back({word->target, &(expert.*word->matrix), number}); };
    const auto count = static_cast<int32_t>(layer.experts.size());
    int32_t number = 0;
    if (which == kSharedExpert) {
      add(layer.shared, kNoExpert);
    } else if (which == kAllExperts) {
      for (; number < count; ++number) add(layer.experts[static_cast<size_t>(number)], number);
    } else {
      if (!is_number(which, number)) return not_adaptable(tensor.name);
      if (number >= count)
        return invalid(tensor.name, another(tensor, "belongs to expert " + std::to_string(number) + "; the model has " + std::to_string(count) + " experts"));
      add(layer.experts[static_cast<size_t>(number)], number);
    }
    return {};
  }

  // Of ".3".
  static bool is_number(std::string_view text, int32_t& number) {
    const char* end = text.data() + text.size();
    return text.starts_with('.') && std::from_chars(text.data() + 1, end, number) == std::from_chars_result{end, std::errc()} && number >= 0;
  }

  Status check() {
    if (!c_.causal) return fail(Code::kUnsupported, c_.name + " is an encoder, which cannot be adapted");
    if (!file_.architecture.empty() && file_.architecture != c_.architecture)
      return invalid("general.architecture", "it is an adapter for models of the architecture " + file_.architecture + "; " + c_.name + " is " + c_.architecture);
    for (const AdapterTensor& tensor : file_.tensors) {
      if (tensor.layer >= c_.layers)
        return invalid(tensor.name, another(tensor, "belongs to layer " + std::to_string(tensor.layer) + "; the model has " +
                                                        std::to_string(c_.layers) + " layers"));
      Pair& pair = pairs_[{tensor.layer, tensor.matrix}];
      AJAR_ASSIGN(pair.parts, parts_of(tensor));
      pair.stacked = tensor.matrix.ends_with(kAllExperts);
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
    rows /= pair.matrices();
    for (const AdapterTensor* half : {&a, &b})
      if (half->matrices != pair.matrices())
        return invalid(half->name, another(*half, "holds " + std::to_string(half->matrices) + " matrices; of the model's it adapts " +
                                                      std::to_string(pair.matrices())));
    const std::string model = "; the model's matrix is " + shape_of(columns, rows);
    if (a.columns != columns) return invalid(a.name, another(a, "is " + shape_of(a.columns, a.rows) + model));
    if (b.rows != rows) return invalid(b.name, another(b, "is " + shape_of(b.columns, b.rows) + model));
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

  LowRank& room_of(AdapterLayer& layer, const Part& part) const {
    const auto at = static_cast<size_t>(part.target);
    if (part.expert == kNoExpert) return layer.common[at];
    layer.experts.resize(static_cast<size_t>(c_.experts));
    return layer.experts[static_cast<size_t>(part.expert)][at];
  }

  Status pack(size_t layer, const Pair& pair) {
    const int64_t rank = pair.rank();
    const auto r = static_cast<double>(rank);
    const double scale = file_.alpha == 0 ? 1 : file_.alpha / (file_.root_scale ? std::sqrt(r) : r);
    int64_t begin = 0, begin_a = 0;
    for (const Part& part : pair.parts) {
      LowRank& to = room_of(adapter_->layers_[layer], part);
      if (!to.empty()) return invalid(pair.a->name, "tensor " + pair.a->name + " adapts what another adapts already");
      AJAR_ASSIGN(const auto a, values_of(*pair.a, begin_a, rank));
      AJAR_ASSIGN(const auto b, values_of(*pair.b, begin, part.base->rows));
      std::vector<float> rows(static_cast<size_t>(part.base->rows * rank));
      for (int64_t row = 0; row < part.base->rows; ++row) {
        const float* from = b.data() + source_row(part.target, row) * rank;
        for (int64_t k = 0; k < rank; ++k) rows[static_cast<size_t>(row * rank + k)] = static_cast<float>(from[k] * scale);
      }
      begin += part.base->rows;
      if (pair.stacked) begin_a += rank;
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
