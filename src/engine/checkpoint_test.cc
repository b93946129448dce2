#include "engine/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "engine/gguf.h"
#include "engine/gguf_config.h"
#include "engine/gguf_writer.h"
#include "engine/model_check.h"
#include "engine/random_model.h"
#include "engine/safetensors.h"
#include "engine/test_files.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

fs::path models() {
  const char* shared = std::getenv("AJAR_SHARED");
  return (shared ? fs::path(shared) : fs::path(AJAR_SOURCE_DIR) / "../shared/data") / "models";
}

// Bytes of a GGUF file, piece by piece, so that they can be wrong.
class Bytes {
 public:
  template <class T>
  Bytes& number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& u32(uint32_t value) { return number(value); }
  Bytes& u64(uint64_t value) { return number(value); }
  Bytes& text(std::string_view value) { return u64(value.size()).raw(value); }
  Bytes& raw(std::string_view value) { return out_.append(value), *this; }
  Bytes& head(uint64_t tensors, uint64_t keys) { return raw("GGUF").u32(3).u64(tensors).u64(keys); }
  Bytes& key(std::string_view name, uint32_t value) { return text(name).u32(4).u32(value); }
  Bytes& tensor(std::string_view name, std::vector<uint64_t> shape, uint32_t type, uint64_t offset) {
    text(name).u32(uint32_t(shape.size()));
    for (const uint64_t size : shape) u64(size);
    return u32(type).u64(offset);
  }
  Bytes& data(size_t size) {
    out_.resize((out_.size() + 31) / 32 * 32);
    out_.append(size, 'x');
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

std::string fault_of(std::string_view bytes) {
  const auto metadata = GgufMetadata::read(bytes);
  if (!metadata) return metadata.error().message + " [" + metadata.error().field + "]";
  const auto tensors = metadata->tensors();
  if (!tensors) return tensors.error().message + " [" + tensors.error().field + "]";
  return "good";
}

TEST(Gguf, RefusesCraftedFiles) {
  const auto one = [](std::vector<uint64_t> shape, uint32_t type, uint64_t offset, size_t data) {
    return Bytes().head(1, 0).tensor("w", std::move(shape), type, offset).data(data).str();
  };
  EXPECT_EQ(fault_of(one({32, 2}, 0, 0, 256)), "good");
  EXPECT_EQ(fault_of(one({32, 2}, 2, 32, 68)), "good");
  const uint64_t huge = ~uint64_t(0);
  struct Case {
    std::string bytes, fault;
  };
  const Case cases[] = {
      {one({32, 2}, 0, 0, 255), "beyond the file's end"},
      {one({32, 2}, 0, 32, 256), "beyond the file's end"},
      {one({32, 2}, 0, huge - 31, 256), "beyond the file's end"},
      {one({32, 2}, 0, 8, 512), "not aligned"},
      {one({31, 2}, 2, 0, 512), "no whole blocks of Q4_0"},
      {one({32, 0}, 0, 0, 512), "dimension 1 is 0"},
      {one({huge}, 0, 0, 512), "too large"},
      {one({1u << 31, 1u << 31, 1u << 31, 1u << 31}, 0, 0, 512), "too large"},
      {one({uint64_t(1) << 62, 4}, 0, 0, 512), "too large"},
      {one({uint64_t(1) << 47}, 0, 0, 512), "beyond the file's end"},
      {one({}, 0, 0, 512), "0 dimensions"},
      {one({2, 2, 2, 2, 2}, 0, 0, 512), "5 dimensions"},
      {one({32, 2}, 16, 0, 512), "the number format 16 is not supported [w]"},
      {Bytes().head(1, 0).tensor("", {32}, 0, 0).data(128).str(), "a name of 0 bytes"},
      {Bytes().head(1, 0).tensor(std::string(512, 'n'), {32}, 0, 0).data(128).str(), "a name of 512 bytes"},
      {Bytes().head(2, 0).tensor("w", {32}, 0, 0).tensor("w", {32}, 0, 128).data(256).str(), "given twice [w]"},
      {Bytes().head(2, 0).tensor("v", {32}, 0, 0).tensor("w", {32}, 0, 64).data(256).str(), "lie over those of v [w]"},
      {Bytes().head(2, 0).tensor("v", {32}, 0, 0).tensor("w", {32}, 0, 0).data(256).str(), "lie over those of"},
      {Bytes().head(huge, 0).str(), "tensors are more than"},
      {Bytes().head(0, huge).str(), "metadata entries are more than"},
      {Bytes().head(60000, 0).data(64).str(), "[header]"},
      {Bytes().head(0, 2).key("k", 1).key("k", 2).str(), "given twice [k]"},
      {Bytes().head(0, 1).text("k").u32(13).str(), "unknown type"},
      {Bytes().head(0, 1).text("k").u32(9).u32(9).u64(1).u32(9).u64(1).str(), "unknown kind of array"},
      {Bytes().head(0, 1).text("k").u32(9).u32(8).u64(huge).str(), "longer than the file"},
      {Bytes().head(0, 1).text("k").u32(9).u32(10).u64(huge / 8).str(), "longer than the file"},
      {Bytes().head(0, 1).text("k").u32(8).u64(huge).str(), "longer than the file"},
      {Bytes().head(0, 1).u64(huge).str(), "a key does not fit"},
      {Bytes().head(1, 1).key("general.alignment", 0).tensor("w", {32}, 0, 0).data(128).str(), "[general.alignment]"},
      {Bytes().head(1, 1).key("general.alignment", 48).tensor("w", {32}, 0, 0).data(128).str(), "[general.alignment]"},
      {Bytes().head(1, 1).key("general.alignment", 1u << 31).tensor("w", {32}, 0, 0).data(128).str(), "[general.alignment]"},
      {Bytes().raw("GGUF").u32(1).u64(0).u64(0).str(), "GGUF version 1 is not supported"},
      {Bytes().raw("GGML").u32(3).u64(0).u64(0).str(), "not a GGUF file"},
  };
  for (const Case& c : cases) {
    if (c.fault == "[header]") EXPECT_NE(fault_of(c.bytes), "good");
    else EXPECT_NE(fault_of(c.bytes).find(c.fault), std::string::npos) << c.fault << " | " << fault_of(c.bytes);
  }
}

TEST(Gguf, RefusesTruncatedFiles) {
  const std::string whole = Bytes().head(2, 3).key("a", 1).text("s").u32(8).text("text").text("l").u32(9).u32(8).u64(2)
                                .text("x").text("y").tensor("v", {32, 2}, 8, 0).tensor("w", {3}, 0, 96).data(108).str();
  EXPECT_EQ(fault_of(whole), "good");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(fault_of(std::string_view(whole).substr(0, size)), "good") << size;
  }
}

TEST(Gguf, WritesWhatItReads) {
  const Folder folder;
  GgufWriter writer;
  writer.string("s", "text");
  writer.u32("u", 7);
  writer.u32("u", 8);
  writer.f32("f", 0.5f);
  writer.boolean("b", true);
  writer.strings("ss", std::vector<std::string>{"a", "", "ccc"});
  writer.floats("ff", std::vector<float>{1, 2});
  writer.i32s("ii", std::vector<int32_t>{-1, 2});
  writer.booleans("bb", {true, false});
  writer.floats("none", {});
  writer.tensor("w", Dtype::kQ8_0, {64, 3, 1, 1});
  writer.tensor("v", Dtype::kF32, {5, 1, 1, 1});
  ASSERT_TRUE(writer.begin(folder.at("x.gguf"), GgufWriter::Existing::kKeep));
  const std::string data(6 * 34 + 20, 'd');
  for (const char c : data) ASSERT_TRUE(writer.write(std::as_bytes(std::span(&c, 1))));
  EXPECT_FALSE(fs::exists(folder.at("x.gguf")));
  ASSERT_TRUE(writer.finish());

  const std::string bytes = slurp(folder.at("x.gguf"));
  const auto metadata = GgufMetadata::read(bytes);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->string("s"), "text");
  EXPECT_EQ(metadata->integer("u"), 7);
  EXPECT_EQ(metadata->real("f"), 0.5);
  EXPECT_EQ(metadata->boolean("b"), true);
  EXPECT_EQ(metadata->strings("ss").at(2), "ccc");
  EXPECT_EQ(metadata->floats("ff").at(1), 2);
  EXPECT_EQ(metadata->integers("ii").at(0), -1);
  EXPECT_EQ(metadata->booleans("bb"), (std::vector<bool>{true, false}));
  EXPECT_TRUE(metadata->floats("none").empty());
  const auto tensors = metadata->tensors();
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_EQ(tensors->at(0).bytes, std::string(204, 'd'));
  EXPECT_EQ(tensors->at(1).shape, (std::array<int64_t, 4>{5, 1, 1, 1}));

  GgufWriter again;
  for (const GgufEntry& entry : metadata->entries()) again.copy(entry);
  EXPECT_EQ(again.begin(folder.at("x.gguf"), GgufWriter::Existing::kKeep).error().code, Code::kConflict);
  ASSERT_TRUE(again.begin(folder.at("y.gguf"), GgufWriter::Existing::kReplace));
  ASSERT_TRUE(again.finish());
  EXPECT_EQ(GgufMetadata::read(slurp(folder.at("y.gguf")))->strings("ss").size(), 3u);
  {
    GgufWriter left;
    left.tensor("w", Dtype::kF32, {5, 1, 1, 1});
    ASSERT_TRUE(left.begin(folder.at("z.gguf"), GgufWriter::Existing::kReplace));
    EXPECT_EQ(left.finish().error().code, Code::kInternal);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2);
}

std::string header(const std::string& json, size_t data = 0) {
  return Bytes().text(json).str() + std::string(data, '\0');
}

TEST(Safetensors, RefusesCraftedFiles) {
  const auto fault = [](const std::string& bytes) {
    const auto tensors = read_safetensors(bytes);
    return tensors ? "good"s : tensors.error().message;
  };
  EXPECT_EQ(fault(header(R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"__metadata__":{"format":"pt"}})", 16)), "good");
  EXPECT_EQ(fault(header(R"({"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]},"b":{"dtype":"I64","shape":[0],"data_offsets":[2,2]}})", 2)), "good");
  struct Case {
    std::string bytes, fault;
  };
  const Case cases[] = {
      {"", "ends inside its header"},
      {Bytes().u64(~uint64_t(0)).str(), "more than 100 MB"},
      {Bytes().u64(99'999'999).raw("{}").str(), "longer than the file"},
      {header("{"), "not JSON"},
      {header("[]"), "not JSON"},
      {header(R"({"a":3})"), "not an object"},
      {header(R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}})", 4), "the number format 'Q4' is unknown"},
      {header(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4), "no shape"},
      {header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), "not of whole numbers"},
      {header(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4), "too large"},
      {header(R"({"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}})", 4), "too large"},
      {header(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4), "more than 8"},
      {header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4), "no data_offsets"},
      {header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4), "in order"},
      {header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}})", 4), "in order"},
      {header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})", 4), "end at 5 of 4 bytes"},
      {header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4), "takes 8 bytes"},
      {header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})", 8), "lie over"},
      {header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "given twice"},
  };
  for (const Case& c : cases) EXPECT_NE(fault(c.bytes).find(c.fault), std::string::npos) << c.fault << " | " << fault(c.bytes);
}

TEST(Checkpoint, ReadsStories260K) {
  const fs::path file = models() / "stories260K/stories260K.gguf";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not at hand";
  const auto checkpoint = Checkpoint::open(file);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const ModelConfig& c = (*checkpoint)->config();
  EXPECT_EQ(c.architecture, "llama");
  EXPECT_EQ(c.vocab, 512);
  EXPECT_EQ(c.context, 2048);
  EXPECT_EQ(c.embedding, 64);
  EXPECT_EQ(c.layers, 5);
  EXPECT_EQ(c.feed_forward, 172);
  EXPECT_EQ(c.heads, 8);
  EXPECT_EQ(c.kv_heads, 4);
  EXPECT_EQ(c.head_dim, 8);
  EXPECT_EQ(c.rope.kind, RopeKind::kInterleaved);
  EXPECT_EQ(c.rope.dims, 8);
  EXPECT_EQ((*checkpoint)->tensors().size(), 48u);
  const Tensor* k = (*checkpoint)->find("blk.4.attn_k.weight");
  ASSERT_NE(k, nullptr);
  EXPECT_EQ(shape_text(k->shape), "64 x 32");
  EXPECT_EQ(k->bytes.size(), 64u * 32 * 4);
  EXPECT_EQ((*checkpoint)->find("blk.5.attn_k.weight"), nullptr);
  EXPECT_NE((*checkpoint)->gguf(), nullptr);

  // The file cut anywhere is an error that names it.
  const std::string whole = slurp(file);
  const Folder folder;
  for (size_t size = 0; size < whole.size(); size += 4999) {
    const std::string cut = folder.write("cut.gguf", std::string_view(whole).substr(0, size));
    const auto opened = Checkpoint::open(cut);
    ASSERT_FALSE(opened) << size;
    EXPECT_NE(opened.error().message.find(cut), std::string::npos);
  }
}

TEST(Checkpoint, ReadsTinystories) {
  const fs::path folder = models() / "tinystories-656k";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not at hand";
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const ModelConfig& c = (*checkpoint)->config();
  EXPECT_EQ(c.architecture, "llama");
  EXPECT_EQ(c.name, "tinystories-656k");
  EXPECT_EQ(c.vocab, 2048);
  EXPECT_EQ(c.context, 512);
  EXPECT_EQ(c.embedding, 128);
  EXPECT_EQ(c.kv_heads, 4);
  EXPECT_EQ(c.head_dim, 16);
  EXPECT_EQ(c.rope.kind, RopeKind::kHalves);
  EXPECT_FLOAT_EQ(c.norm_epsilon, 1e-6f);
  EXPECT_EQ((*checkpoint)->find("output.weight"), nullptr);
  EXPECT_EQ(shape_text((*checkpoint)->find("blk.1.ffn_down.weight")->shape), "384 x 128");
  EXPECT_EQ((*checkpoint)->gguf(), nullptr);
  EXPECT_NE(Checkpoint::open(folder / "model.safetensors").error().message.find("name the folder"), std::string::npos);
}

// What a round through a file keeps.
void expect_same(const ModelConfig& a, const ModelConfig& b) {
  EXPECT_EQ(a.architecture, b.architecture);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(std::tie(a.vocab, a.context, a.embedding, a.layers, a.feed_forward, a.heads, a.kv_heads, a.head_dim),
            std::tie(b.vocab, b.context, b.embedding, b.layers, b.feed_forward, b.heads, b.kv_heads, b.head_dim));
  EXPECT_EQ(std::tie(a.norm_epsilon, a.layer_norm, a.norm_plus_one, a.causal, a.activation, a.sliding_window, a.local_layer),
            std::tie(b.norm_epsilon, b.layer_norm, b.norm_plus_one, b.causal, b.activation, b.sliding_window, b.local_layer));
  EXPECT_EQ(std::tie(a.embedding_scale, a.attention_scale, a.attention_softcap, a.logit_softcap),
            std::tie(b.embedding_scale, b.attention_scale, b.attention_softcap, b.logit_softcap));
  EXPECT_EQ(std::tie(a.experts, a.experts_used, a.expert_feed_forward, a.shared_feed_forward, a.normalize_expert_weights),
            std::tie(b.experts, b.experts_used, b.expert_feed_forward, b.shared_feed_forward, b.normalize_expert_weights));
  EXPECT_EQ(std::tie(a.pooling, a.token_types, a.labels), std::tie(b.pooling, b.token_types, b.labels));
  EXPECT_EQ(std::tie(a.rope.kind, a.rope.scaling, a.rope.dims, a.rope.base, a.rope.local_base, a.rope.factors, a.rope.factor),
            std::tie(b.rope.kind, b.rope.scaling, b.rope.dims, b.rope.base, b.rope.local_base, b.rope.factors, b.rope.factor));
}

TEST(Checkpoint, EveryFamilyGoesThroughAFile) {
  const Folder folder;
  for (const std::string& shape : random_shapes()) {
    if (!shape.starts_with("tiny-")) continue;
    SCOPED_TRACE(shape);
    const auto model = random_shape(shape);
    ASSERT_TRUE(model);
    const std::string path = folder.at(shape + ".gguf");
    const auto written = write_random_model(*model, path);
    ASSERT_TRUE(written) << written.error().message;
    const auto checkpoint = Checkpoint::open(path);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    expect_same(model->config, (*checkpoint)->config());
    EXPECT_EQ(write_random_model(*model, path).error().code, Code::kConflict);
    fs::remove(path);
  }
  EXPECT_NE(random_shape("tiny").error().message.find("tiny-gemma3"), std::string::npos);
}

TEST(Checkpoint, RefusesTensorsThatDoNotFit) {
  const Folder folder;
  const RandomModel model = *random_shape("tiny-llama");
  const auto write = [&](const ModelConfig& said, const std::function<void(TensorRule&)>& change, bool with_config = true) {
    GgufWriter writer;
    if (with_config) write_gguf_config(said, writer);
    std::vector<TensorRule> rules = tensor_rules(model.config, [](std::string_view) { return false; });
    for (TensorRule& rule : rules) {
      if (!rule.required) continue;
      change(rule);
      if (!rule.name.empty()) writer.tensor(rule.name, Dtype::kQ4_0, rule.shape);
    }
    const std::string path = folder.at("m.gguf");
    EXPECT_TRUE(writer.begin(path, GgufWriter::Existing::kReplace));
    const std::vector<std::byte> zeroes(size_t(writer.data_bytes()));
    const auto ignored = writer.write(zeroes);  // more than is needed where there is padding
    EXPECT_TRUE(writer.finish());
    const auto opened = Checkpoint::open(path);
    return opened ? "good"s : opened.error().message;
  };
  const auto nothing = [](TensorRule&) {};
  EXPECT_EQ(write(model.config, nothing), "good");
  const auto expect = [&](const std::string& got, const std::string& wanted) {
    EXPECT_NE(got.find(wanted), std::string::npos) << got;
    EXPECT_NE(got.find("m.gguf: "), std::string::npos) << got;
  };
  expect(write(model.config, [](TensorRule& rule) { if (rule.name == "blk.1.attn_k.weight") rule.shape[1] = 64; }),
         "the tensor blk.1.attn_k.weight is 256 x 64, where the configuration says 256 x 128");
  expect(write(model.config, [](TensorRule& rule) { if (rule.name == "blk.2.ffn_up.weight") rule.name = ""; }),
         "the tensor blk.2.ffn_up.weight is missing");
  expect(write(model.config, [](TensorRule& rule) { if (rule.name == "blk.2.ffn_up.weight") rule.name = "odd"; }),
         "the tensor blk.2.ffn_up.weight is missing");
  expect(write(model.config, nothing, false), "architecture");
  const auto with = [&](const std::function<void(ModelConfig&)>& change) {
    ModelConfig changed = model.config;
    change(changed);
    return write(changed, nothing);
  };
  expect(with([](ModelConfig& c) { c.layers = 1'000'000; }), "the number of layers is 1000000, not 1 to 1024");
  expect(with([](ModelConfig& c) { c.layers = 2; }), "has the tensor blk.2.");
  expect(with([](ModelConfig& c) { c.layers = 4; }), "the tensor blk.3.attn_norm.weight is missing");
  expect(with([](ModelConfig& c) { c.heads = 0; }), "head_count is 0");
  expect(with([](ModelConfig& c) { c.kv_heads = 3; }), "8 heads cannot share 3 KV heads");
  expect(with([](ModelConfig& c) { c.kv_heads = 16; }), "the number of KV heads is 16");
  expect(with([](ModelConfig& c) { c.head_dim = 1 << 20; }), "the size of a head");
  expect(with([](ModelConfig& c) { c.rope.dims = 31; }), "odd");
  expect(with([](ModelConfig& c) { c.rope.dims = 64; }), "the rotated dimensions is 64");
  expect(with([](ModelConfig& c) { c.rope.base = 0; }), "the base of the rotation");
  expect(with([](ModelConfig& c) { c.norm_epsilon = NAN; }), "epsilon");
  expect(with([](ModelConfig& c) { c.context = 0; }), "the context is 0");
  expect(with([](ModelConfig& c) { c.experts = 4, c.experts_used = 5, c.expert_feed_forward = 512; }), "experts used is 5");
  expect(with([](ModelConfig& c) { c.experts = 4, c.experts_used = 2, c.expert_feed_forward = 512; }), "blk.0.ffn_gate_inp.weight is missing");
}

TEST(Checkpoint, ReadsSplitFiles) {
  const Folder folder;
  const RandomModel model = *random_shape("tiny-llama");
  const auto rules = tensor_rules(model.config, [](std::string_view) { return false; });
  const auto part = [&](int number, int count, int says_count, int total) {
    GgufWriter writer;
    if (number == 0) write_gguf_config(model.config, writer);
    writer.u32("split.no", uint32_t(number));
    writer.u32("split.count", uint32_t(says_count));
    writer.u32("split.tensors.count", uint32_t(total));
    int at = 0;
    for (const TensorRule& rule : rules) {
      if (rule.required && at++ % count == number) writer.tensor(rule.name, Dtype::kQ4_0, rule.shape);
    }
    char name[64];
    std::snprintf(name, sizeof name, "m-%05d-of-%05d.gguf", number + 1, count);
    ASSERT_TRUE(writer.begin(folder.at(name), GgufWriter::Existing::kReplace));
    const std::vector<std::byte> zeroes(size_t(writer.data_bytes()));
    const auto ignored = writer.write(zeroes);
    ASSERT_TRUE(writer.finish());
  };
  int total = 0;
  for (const TensorRule& rule : rules) total += rule.required;
  const std::string first = folder.at("m-00001-of-00003.gguf");
  const auto fault = [&](const std::string& path) {
    const auto opened = Checkpoint::open(path);
    return opened ? "good"s : opened.error().message;
  };
  for (int i = 0; i < 3; ++i) part(i, 3, 3, total);
  const auto whole = Checkpoint::open(first);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ((*whole)->tensors().size(), size_t(total));
  EXPECT_NE(fault(folder.at("m-00002-of-00003.gguf")).find("architecture"), std::string::npos);
  part(2, 3, 4, total);
  EXPECT_NE(fault(first).find("it is not part 3 of 3"), std::string::npos);
  part(2, 3, 3, total);
  part(0, 3, 3, total + 1);
  EXPECT_NE(fault(first).find("the parts hold"), std::string::npos);
  part(0, 3, 3, total);
  fs::remove(folder.at("m-00003-of-00003.gguf"));
  EXPECT_NE(fault(first).find("m-00003-of-00003.gguf: No such file"), std::string::npos) << fault(first);
  fs::copy(first, folder.at("other.gguf"));
  EXPECT_NE(fault(folder.at("other.gguf")).find("name does not say"), std::string::npos);
}

}  // namespace
}  // namespace ajar::engine
