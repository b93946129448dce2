#include "engine/pipeline_tokenizer.h"

#include <algorithm>
#include <unordered_map>

namespace ajar::engine {
namespace {

constexpr std::string_view kSpace = "\xe2\x96\x81";  // U+2581, what SentencePiece writes for a space

// What chat models say at the end of a turn. Only where the vocabulary has it as a token of its own.
constexpr std::string_view kEnds[] = {
    "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>",
    "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>", "<EOT>", "_<EOT>", "<|EOT|>", "<|return|>", "<|call|>", "<turn|>",
    "<｜end▁of▁sentence｜>", "<|end_of_sentence|>", "<end_of_utterance>", "<eos>", "<|eot|>", "<|eom|>", "<seed:eos>",
};

struct Names {
  std::unordered_map<int32_t, std::string> of_id;
  std::unordered_map<std::string, int32_t> ids;
};

class PipelineTokenizer final : public Tokenizer {
 public:
  explicit PipelineTokenizer(PipelineParts parts)
      : model_(std::move(parts.model)), normalizer_(std::move(parts.normalizer)),
        pretokenizer_(std::move(parts.pretokenizer)), spelling_(parts.spelling), size_(model_->vocabulary().size()) {
    special_ = std::move(parts.special);
    adds_space_ = parts.adds_space;
    for (const auto* list : {&parts.controls, &parts.normalized_controls}) {
      for (const WholeToken& token : *list) {
        if (token.id < 0) continue;
        size_ = std::max(size_, size_t(token.id) + 1);
        if (size_t(token.id) >= control_.size()) control_.resize(size_t(token.id) + 1);
        control_[size_t(token.id)] = true;
        names_.of_id.emplace(token.id, token.text);
        names_.ids.emplace(token.text, token.id);
      }
    }
    const auto both = [](std::vector<WholeToken> a, const std::vector<WholeToken>& b) {
      a.insert(a.end(), b.begin(), b.end());
      return WholeTokens(std::move(a));
    };
    // After normalising, the text has the tokens in their normal form.
    for (auto* list : {&parts.normalized_whole, &parts.normalized_controls}) {
      for (WholeToken& token : *list) {
        if (normalizer_) token.text = normalizer_->apply(std::move(token.text));
      }
    }
    raw_[1] = both(parts.controls, parts.whole);
    raw_[0] = WholeTokens(std::move(parts.whole));
    normalized_[1] = both(parts.normalized_controls, parts.normalized_whole);
    normalized_[0] = WholeTokens(std::move(parts.normalized_whole));
    if (spelling_ == Spelling::kSpaces) {
      const ByteIds bytes = byte_ids_of(model_->vocabulary());
      for (size_t byte = 0; byte < bytes.size(); ++byte) {
        if (bytes[byte] >= 0) byte_of_.emplace(bytes[byte], char(byte));
      }
    }
    complete_ends();
  }

  void encode(std::string_view text, std::vector<int32_t>& ids) const override { encode(text, false, ids); }
  void encode_with_controls(std::string_view text, std::vector<int32_t>& ids) const override { encode(text, true, ids); }

  void append_bytes(int32_t id, std::string& out) const override {
    if (id < 0 || is_control(id)) return;
    const std::string_view bytes = model_->vocabulary().bytes(id);
    if (spelling_ == Spelling::kBytes) {
      out.append(bytes);
    } else if (spelling_ == Spelling::kHashes) {
      if (bytes.starts_with("##") && bytes.size() > 2) out.append(bytes.substr(2));
      else if (!bytes.empty()) out.append(" ").append(bytes);
    } else if (const auto byte = byte_of_.find(id); byte != byte_of_.end()) {
      out.push_back(byte->second);
    } else {
      for (size_t at = 0; at < bytes.size();) {
        if (bytes.substr(at).starts_with(kSpace)) {
          out.push_back(' ');
          at += kSpace.size();
        } else {
          out.push_back(bytes[at++]);
        }
      }
    }
  }

  size_t size() const override { return size_; }
  bool is_control(int32_t id) const override {
    return id >= 0 && size_t(id) < control_.size() && control_[size_t(id)];
  }
  std::string_view piece(int32_t id) const override {
    if (const auto name = names_.of_id.find(id); name != names_.of_id.end()) return name->second;
    return model_->vocabulary().bytes(id);
  }
  int32_t find(std::string_view piece) const override {
    if (const int32_t id = model_->vocabulary().find(piece); id >= 0) return id;
    const auto name = names_.ids.find(std::string(piece));
    return name == names_.ids.end() ? -1 : name->second;
  }

 private:
  void encode(std::string_view text, bool controls, std::vector<int32_t>& ids) const {
    Pieces pieces;
    std::vector<WholeTokens::Cut> cuts, inner;
    raw_[controls].split(text, cuts);
    for (const auto& cut : cuts) {
      if (cut.id >= 0) {
        ids.push_back(cut.id);
        continue;
      }
      const bool first = cut.text.data() == text.data();
      std::string normal;
      std::string_view between = cut.text;
      if (normalizer_) between = normal = normalizer_->apply(std::string(between));
      if (normalized_[controls].empty()) {
        encode_pieces(between, first, pieces, ids);
        continue;
      }
      inner.clear();
      normalized_[controls].split(between, inner);
      for (const auto& part : inner) {
        if (part.id >= 0) ids.push_back(part.id);
        else encode_pieces(part.text, first && part.text.data() == between.data(), pieces, ids);
      }
    }
  }

  void encode_pieces(std::string_view text, bool first, Pieces& pieces, std::vector<int32_t>& ids) const {
    if (!pretokenizer_) return model_->encode(text, ids);
    pretokenizer_->split(text, first, pieces);
    for (const std::string_view piece : pieces.views) model_->encode(piece, ids);
  }

  void complete_ends() {
    auto& ends = special_.end_of_generation;
    if (special_.eos >= 0) ends.push_back(special_.eos);
    // Harmony closes each of its channels with <|end|> and goes on.
    const bool harmony = names_.ids.contains("<|return|>") && names_.ids.contains("<|call|>");
    for (const std::string_view name : kEnds) {
      if (harmony && name == "<|end|>") continue;
      if (const auto found = names_.ids.find(std::string(name)); found != names_.ids.end()) ends.push_back(found->second);
    }
    std::erase_if(ends, [](int32_t id) { return id < 0; });
    std::ranges::sort(ends);
    const auto again = std::ranges::unique(ends);
    ends.erase(again.begin(), again.end());
  }

  std::unique_ptr<const TokenModel> model_;
  NormalizerPtr normalizer_;
  std::shared_ptr<const Pretokenizer> pretokenizer_;
  Spelling spelling_;
  size_t size_;
  WholeTokens raw_[2]{WholeTokens({}), WholeTokens({})};         // without and with controls
  WholeTokens normalized_[2]{WholeTokens({}), WholeTokens({})};
  std::vector<bool> control_;
  Names names_;  // of control tokens
  std::unordered_map<int32_t, char> byte_of_;
};

}  // namespace

std::shared_ptr<const Tokenizer> make_tokenizer(PipelineParts parts) {
  return std::make_shared<PipelineTokenizer>(std::move(parts));
}

ByteIds byte_ids_of(const Vocabulary& vocabulary) {
  ByteIds ids(256, -1);
  bool any = false;
  constexpr char kHex[] = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; ++byte) {
    const char name[] = {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
    ids[byte] = vocabulary.find({name, sizeof name});
    any = any || ids[byte] >= 0;
  }
  return any ? ids : ByteIds{};
}

bool SpecialTokens::ends_generation(int32_t id) const { return std::ranges::binary_search(end_of_generation, id); }

void Tokenizer::encode_whole(std::string_view text, std::vector<int32_t>& ids) const {
  if (special_.add_bos && special_.bos >= 0) ids.push_back(special_.bos);
  encode(text, ids);
  if (special_.add_eos && special_.eos >= 0) ids.push_back(special_.eos);
}

size_t Tokenizer::count(std::string_view text) const {
  std::vector<int32_t> ids;
  encode(text, ids);
  return ids.size();
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string out;
  for (const int32_t id : ids) append_bytes(id, out);
  if (adds_space_ && out.starts_with(' ')) out.erase(0, 1);
  return out;
}

}  // namespace ajar::engine
