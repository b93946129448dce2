#include "engine/recipe.h"

#include <cstdlib>

#include "base/text.h"

namespace ajar::engine {
namespace {

using Mix = Recipe::Mix;

// Where more bits pay: the first and the last eighth of the layers, and every third between.
bool favoured(int layer, int layers) {
  const int eighth = layers / 8;
  return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
}

int layer_of(std::string_view name) {
  return name.starts_with("blk.") ? std::atoi(std::string(name.substr(4, 5)).c_str()) : -1;
}
// "attn_v" of "blk.3.attn_v.weight", "ffn_down" of "blk.3.ffn_down_exps.weight" and of "blk.3.ffn_down.7.weight".
std::string_view part_of(std::string_view name) {
  if (name.starts_with("blk.")) name.remove_prefix(std::min(name.size(), name.find('.', 4) + 1));
  name = name.substr(0, name.find('.'));
  for (const std::string_view end : {"_exps", "_shexp"}) {
    if (name.ends_with(end)) name.remove_suffix(end.size());
  }
  return name;
}

Dtype layer_dtype(const Recipe& r, const ModelConfig& c, std::string_view part, int layer) {
  const int eighth = c.layers / 8;
  const bool medium = r.mix == Mix::kMedium, small = r.mix == Mix::kSmall, large = r.mix == Mix::kLarge;
  const bool grouped = c.kv_heads > 0 && c.heads / c.kv_heads >= 4;  // V is small then
  const bool eight_experts = c.experts == 8;
  if (part == "attn_v") {
    if (eight_experts && r.mix != Mix::kNone) return Dtype::kQ8_0;
    switch (r.base) {
      case Dtype::kQ2_K: return grouped ? Dtype::kQ4_K : Dtype::kQ3_K;
      case Dtype::kQ3_K: return large || (medium && layer < 2) ? Dtype::kQ5_K : medium ? Dtype::kQ4_K : r.base;
      case Dtype::kQ4_K:
        if (small && layer < 4) return Dtype::kQ5_K;
        [[fallthrough]];
      case Dtype::kQ5_K: return medium && favoured(layer, c.layers) ? Dtype::kQ6_K : r.base;
      case Dtype::kIQ4_NL: return grouped ? Dtype::kQ5_K : r.base;
      default: return r.base;
    }
  }
  if (part == "attn_k" && eight_experts && r.mix != Mix::kNone) return Dtype::kQ8_0;
  if (part == "ffn_down") {
    switch (r.base) {
      case Dtype::kQ2_K: return Dtype::kQ3_K;
      case Dtype::kQ3_K: return large || (medium && layer < c.layers / 16) ? Dtype::kQ5_K : medium ? Dtype::kQ4_K : r.base;
      case Dtype::kQ4_K:
        if (small && layer < eighth) return Dtype::kQ5_K;
        [[fallthrough]];
      case Dtype::kQ5_K: return medium && favoured(layer, c.layers) ? Dtype::kQ6_K : r.base;
      case Dtype::kIQ4_NL: return layer < eighth ? Dtype::kQ5_K : r.base;
      default: return r.base;
    }
  }
  if (part == "attn_output") {
    if (r.base == Dtype::kQ2_K) return Dtype::kQ3_K;
    if (r.base == Dtype::kQ3_K) return large ? Dtype::kQ5_K : medium ? Dtype::kQ4_K : r.base;
  }
  if (part == "attn_qkv") {
    if (r.base == Dtype::kQ3_K && (medium || large)) return Dtype::kQ4_K;
    if (medium) return r.base == Dtype::kQ4_K ? Dtype::kQ5_K : r.base == Dtype::kQ5_K ? Dtype::kQ6_K : r.base;
  }
  return r.base;
}

// The nearest format whose blocks divide a row.
Dtype that_fits(Dtype dtype, int64_t columns) {
  if (columns % dtype_info(dtype).block_elements == 0) return dtype;
  Dtype other = Dtype::kF16;
  switch (dtype) {
    case Dtype::kQ2_K:
    case Dtype::kQ3_K: other = Dtype::kIQ4_NL; break;
    case Dtype::kQ4_K: other = Dtype::kQ5_0; break;
    case Dtype::kQ5_K: other = Dtype::kQ5_1; break;
    case Dtype::kQ6_K: other = Dtype::kQ8_0; break;
    default: break;
  }
  return columns % dtype_info(other).block_elements == 0 ? other : Dtype::kF16;
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = {
      {"F32", Dtype::kF32, Mix::kNone, 0, "as it was trained; 4 bytes a weight"},
      {"F16", Dtype::kF16, Mix::kNone, 1, "half precision"},
      {"BF16", Dtype::kBF16, Mix::kNone, 32, "brain float: half the bytes of F32 with its range"},
      {"Q8_0", Dtype::kQ8_0, Mix::kNone, 7, "8.5 bits a weight; no loss that can be noticed"},
      {"Q6_K", Dtype::kQ6_K, Mix::kNone, 18, "6.6 bits; hardly any loss"},
      {"Q5_K_M", Dtype::kQ5_K, Mix::kMedium, 17, "5.7 bits; very little loss"},
      {"Q5_K_S", Dtype::kQ5_K, Mix::kSmall, 16, "5.5 bits"},
      {"Q4_K_M", Dtype::kQ4_K, Mix::kMedium, 15, "4.9 bits; the usual choice"},
      {"Q4_K_S", Dtype::kQ4_K, Mix::kSmall, 14, "4.6 bits"},
      {"Q3_K_L", Dtype::kQ3_K, Mix::kLarge, 13, "4.3 bits; noticeable loss"},
      {"Q3_K_M", Dtype::kQ3_K, Mix::kMedium, 12, "3.9 bits; noticeable loss"},
      {"Q3_K_S", Dtype::kQ3_K, Mix::kSmall, 11, "3.5 bits; much loss"},
      {"Q2_K", Dtype::kQ2_K, Mix::kMedium, 10, "3 bits; for when nothing else fits"},
      {"Q5_1", Dtype::kQ5_1, Mix::kNone, 9, "6 bits in blocks of 32"},
      {"Q5_0", Dtype::kQ5_0, Mix::kNone, 8, "5.5 bits in blocks of 32"},
      {"Q4_1", Dtype::kQ4_1, Mix::kNone, 3, "5 bits in blocks of 32"},
      {"Q4_0", Dtype::kQ4_0, Mix::kNone, 2, "4.5 bits in blocks of 32; the quickest"},
      {"IQ4_NL", Dtype::kIQ4_NL, Mix::kNone, 25, "4.5 bits with uneven levels; better than Q4_0"},
      {"MXFP4", Dtype::kMXFP4, Mix::kNone, 38, "4.25 bits of OCP's microscaling; of a mixture of experts these only, else Q8_0"},
  };
  return all;
}

Result<const Recipe*> find_recipe(std::string_view name) {
  std::string names;
  for (const Recipe& recipe : recipes()) {
    // "Q4_K" is what people write for "Q4_K_M".
    const bool medium = recipe.mix == Mix::kMedium && iequals(recipe.name, std::string(name) + "_M");
    if (iequals(recipe.name, name) || medium) return &recipe;
    names += (names.empty() ? "" : ", ") + std::string(recipe.name);
  }
  return invalid("type", "'" + std::string(name) + "' is no type; they are " + names);
}

Dtype recipe_dtype(const Recipe& recipe, const ModelConfig& config, bool tied, std::string_view name,
                   const std::array<int64_t, 4>& shape) {
  const std::string_view part = part_of(name);
  const bool vector = shape[1] * shape[2] * shape[3] == 1;
  if (vector || part == "ffn_gate_inp" || part == "position_embd" || part == "token_types" || name.ends_with(".bias")) {
    return Dtype::kF32;
  }
  const bool plain = dtype_info(recipe.base).block_elements == 1;
  if (plain) return recipe.base;
  if (recipe.base == Dtype::kMXFP4) {
    const bool expert = config.experts > 0 && part.starts_with("ffn_") && name.find("_shexp") == std::string_view::npos;
    const bool wanted = config.experts > 0 ? expert : layer_of(name) >= 0;
    return that_fits(wanted ? Dtype::kMXFP4 : Dtype::kQ8_0, shape[0]);
  }
  if (part == "output" || (part == "token_embd" && tied) || part == "cls") {
    const bool coarse = recipe.base != Dtype::kQ8_0;
    return that_fits(coarse ? Dtype::kQ6_K : Dtype::kQ8_0, shape[0]);
  }
  if (part == "token_embd") return that_fits(recipe.base, shape[0]);
  return that_fits(layer_dtype(recipe, config, part, layer_of(name)), shape[0]);
}

}  // namespace ajar::engine
