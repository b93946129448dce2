#include "engine/testing.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <numeric>

#include "engine/rope.h"

namespace ajar::engine {
namespace {

using Vector = std::vector<double>;

class Reference {
 public:
  explicit Reference(const Checkpoint& checkpoint) : checkpoint_(checkpoint), c_(checkpoint.config()) {}

  std::vector<std::vector<float>> run(std::span<const int32_t> tokens) {
    Rope rope(c_.rope, false, c_.context), local(c_.rope, true, c_.context);
    keys_.resize(static_cast<size_t>(c_.layers)), values_.resize(keys_.size());
    std::vector<std::vector<float>> out;
    for (size_t t = 0; t < tokens.size(); ++t) {
      Vector x = row("token_embd.weight", tokens[t]);
      for (double& v : x) v *= c_.embedding_scale;
      for (int i = 0; i < c_.layers; ++i) {
        std::string at = "blk." + std::to_string(i) + ".";
        bool is_local = c_.sliding_window > 0 && (c_.local_layer.empty() || c_.local_layer[static_cast<size_t>(i)]);
        Vector a = attention(at, i, norm(at + "attn_norm", x), static_cast<int>(t), is_local, is_local ? local : rope);
        add(x, norm_if(at + "post_attention_norm", a));
        Vector f = feed_forward(at, norm(at + "ffn_norm", x));
        add(x, norm_if(at + "post_ffw_norm", f));
      }
      Vector logits = times(checkpoint_.find("output.weight") ? "output" : "token_embd", norm("output_norm", x));
      std::vector<float> line;
      for (double v : logits) line.push_back(static_cast<float>(c_.logit_softcap > 0 ? c_.logit_softcap * std::tanh(v / c_.logit_softcap) : v));
      out.push_back(std::move(line));
    }
    return out;
  }

 private:
  Vector row(const std::string& name, int64_t r) {
    const Tensor* t = checkpoint_.find(name);
    assert(t != nullptr);
    std::vector<float> f(static_cast<size_t>(t->columns()));
    dequantize_row(t->dtype, t->bytes.data() + r * row_bytes(t->dtype, t->columns()), f.data(), t->columns());
    return {f.begin(), f.end()};
  }
  const std::vector<float>& matrix(const std::string& name) {
    auto& floats = matrices_[name];
    if (floats.empty()) {
      const Tensor* t = checkpoint_.find(name);
      assert(t != nullptr);
      floats.resize(static_cast<size_t>(t->columns() * t->rows()));
      dequantize_row(t->dtype, t->bytes.data(), floats.data(), t->columns() * t->rows());
    }
    return floats;
  }
  // Rows begin..begin+count of a tensor times x; count 0: all of slice 0.
  Vector times(const std::string& name, const Vector& x, int64_t begin = 0, int64_t count = 0) {
    const Tensor* t = checkpoint_.find(name + ".weight");
    assert(t != nullptr && t->columns() == static_cast<int64_t>(x.size()));
    if (count == 0) count = t->shape[1];
    const float* w = matrix(name + ".weight").data() + begin * t->columns();
    Vector y;
    for (int64_t r = 0; r < count; ++r, w += t->columns()) {
      double sum = 0;
      const double* from = x.data();  // by pointers, in a test that is not optimized
      for (const float *at = w, *end = w + x.size(); at != end; ++at, ++from) sum += *at * *from;
      y.push_back(sum);
    }
    if (checkpoint_.find(name + ".bias") != nullptr) {
      Vector b = row(name + ".bias", 0);
      for (size_t k = 0; k < y.size(); ++k) y[k] += b[static_cast<size_t>(begin) + k];
    }
    return y;
  }
  Vector norm(const std::string& name, const Vector& x) {
    double square = 0;
    for (double v : x) square += v * v / static_cast<double>(x.size());
    Vector w = row(name + ".weight", 0), y;
    for (size_t i = 0; i < x.size(); ++i) y.push_back(x[i] / std::sqrt(square + c_.norm_epsilon) * (w[i] + (c_.norm_plus_one ? 1 : 0)));
    return y;
  }
  Vector norm_if(const std::string& name, const Vector& x) { return checkpoint_.find(name + ".weight") ? norm(name, x) : x; }
  static void add(Vector& x, const Vector& y) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }

  void turn(Vector& head, const Rope& rope, int position) {
    std::vector<float> cosines(head.size()), sines(head.size());
    rope.angles(position, cosines.data(), sines.data());
    size_t half = static_cast<size_t>(rope.dims() / 2);
    for (size_t i = 0; i < half; ++i) {
      bool interleaved = c_.rope.kind == RopeKind::kInterleaved;
      double &a = head[interleaved ? 2 * i : i], &b = head[interleaved ? 2 * i + 1 : i + half];
      double x = a * cosines[i] - b * sines[i], y = a * sines[i] + b * cosines[i];
      a = x, b = y;
    }
  }

  Vector attention(const std::string& at, int layer, const Vector& x, int position, bool local, const Rope& rope) {
    int64_t nq = int64_t{c_.heads} * c_.head_dim, nkv = int64_t{c_.kv_heads} * c_.head_dim;
    bool fused = checkpoint_.find(at + "attn_qkv.weight") != nullptr;
    Vector q = fused ? times(at + "attn_qkv", x, 0, nq) : times(at + "attn_q", x);
    Vector k = fused ? times(at + "attn_qkv", x, nq, nkv) : times(at + "attn_k", x);
    Vector v = fused ? times(at + "attn_qkv", x, nq + nkv, nkv) : times(at + "attn_v", x);
    auto head = [&](const Vector& all, int h) {
      return Vector(all.begin() + h * c_.head_dim, all.begin() + (h + 1) * c_.head_dim);
    };
    auto& keys = keys_[static_cast<size_t>(layer)];
    auto& values = values_[static_cast<size_t>(layer)];
    std::vector<Vector> now_k, now_v;
    for (int h = 0; h < c_.kv_heads; ++h) {
      Vector kh = head(k, h);
      kh = norm_if(at + "attn_k_norm", kh);
      turn(kh, rope, position);
      now_k.push_back(kh), now_v.push_back(head(v, h));
    }
    keys.push_back(now_k), values.push_back(now_v);
    double scale = c_.attention_scale > 0 ? c_.attention_scale : 1 / std::sqrt(static_cast<double>(c_.head_dim));
    Vector mixed;
    for (int h = 0; h < c_.heads; ++h) {
      size_t kv = static_cast<size_t>(h / (c_.heads / c_.kv_heads));
      Vector qh = norm_if(at + "attn_q_norm", head(q, h)), out(static_cast<size_t>(c_.head_dim));
      turn(qh, rope, position);
      int begin = local ? std::max(0, position - c_.sliding_window + 1) : 0;
      Vector weights;
      double total = 0;
      for (int t = begin; t <= position; ++t) {
        const Vector& kt = keys[static_cast<size_t>(t)][kv];
        double s = std::inner_product(qh.begin(), qh.end(), kt.begin(), 0.0) * scale;
        if (c_.attention_softcap > 0) s = c_.attention_softcap * std::tanh(s / c_.attention_softcap);
        weights.push_back(std::exp(s));
        total += weights.back();
      }
      for (int t = begin; t <= position; ++t)
        for (size_t d = 0; d < out.size(); ++d) out[d] += weights[static_cast<size_t>(t - begin)] / total * values[static_cast<size_t>(t)][kv][d];
      mixed.insert(mixed.end(), out.begin(), out.end());
    }
    return times(at + "attn_output", mixed);
  }

  double activate(double x) const {
    if (c_.activation == Activation::kSilu) return x / (1 + std::exp(-x));
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }

  Vector gated(const Vector& gate, Vector up) {
    for (size_t i = 0; i < up.size(); ++i) up[i] *= activate(gate[i]);
    return up;
  }

  Vector feed_forward(const std::string& at, const Vector& x) {
    if (checkpoint_.find(at + "ffn_gate_inp.weight") == nullptr) {
      int64_t ff = c_.feed_forward;
      if (checkpoint_.find(at + "ffn_gate.weight") == nullptr)
        return times(at + "ffn_down", gated(times(at + "ffn_up", x, 0, ff), times(at + "ffn_up", x, ff, ff)));
      return times(at + "ffn_down", gated(times(at + "ffn_gate", x), times(at + "ffn_up", x)));
    }
    Vector scores = times(at + "ffn_gate_inp", x);
    double total = 0;
    for (double& s : scores) total += s = std::exp(s);
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](int a, int b) { return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)]; });
    order.resize(static_cast<size_t>(c_.experts_used));
    double chosen = 0;
    for (int e : order) chosen += scores[static_cast<size_t>(e)];
    Vector out(x.size());
    int64_t width = c_.expert_feed_forward > 0 ? c_.expert_feed_forward : c_.feed_forward;
    for (int e : order) {
      double weight = scores[static_cast<size_t>(e)] / (c_.normalize_expert_weights ? chosen : total) * c_.expert_weights_scale;
      Vector y = times(at + "ffn_down_exps", gated(times(at + "ffn_gate_exps", x, e * width, width), times(at + "ffn_up_exps", x, e * width, width)),
                       e * c_.embedding, c_.embedding);
      for (size_t i = 0; i < y.size(); ++i) out[i] += weight * y[i];
    }
    if (checkpoint_.find(at + "ffn_gate_shexp.weight") != nullptr) {
      Vector y = times(at + "ffn_down_shexp", gated(times(at + "ffn_gate_shexp", x), times(at + "ffn_up_shexp", x)));
      double gate = 1;
      if (checkpoint_.find(at + "ffn_gate_inp_shexp.weight") != nullptr) {
        Vector w = row(at + "ffn_gate_inp_shexp.weight", 0);
        gate = 1 / (1 + std::exp(-std::inner_product(w.begin(), w.end(), x.begin(), 0.0)));
      }
      for (size_t i = 0; i < y.size(); ++i) out[i] += gate * y[i];
    }
    return out;
  }

  const Checkpoint& checkpoint_;
  const ModelConfig& c_;
  std::map<std::string, std::vector<float>> matrices_;
  std::vector<std::vector<std::vector<Vector>>> keys_, values_;  // [layer][token][head]
};

}  // namespace

std::vector<std::vector<float>> reference_logits(const Checkpoint& checkpoint, std::span<const int32_t> tokens) {
  return Reference(checkpoint).run(tokens);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "ajar-engine-XXXXXX";
  path_ = mkdtemp(pattern.data());
}
TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

}  // namespace ajar::engine
