#include "engine/convert.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/gguf.h"
#include "engine/gguf_config.h"
#include "engine/gguf_writer.h"
#include "engine/hf_vocabulary.h"
#include "engine/model_check.h"

namespace ajar::engine {
namespace {

constexpr int64_t kChunkBytes = 8 << 20;  // of the result, between two writes

// A tensor of the result.
struct Job {
  std::string name;
  std::array<int64_t, 4> shape;
  std::vector<const Tensor*> parts;  // stacked; several for experts
  std::vector<float> values;         // instead of parts
  int32_t permuted_heads = 0;        // rows of each head from halves to pairs; 0: as they are
  bool plus_one = false;
  Dtype dtype;
};

int64_t rows_of(const Job& job) { return job.shape[1] * job.shape[2] * job.shape[3]; }

// Where row `row` of a matrix for interleaved rotation lies in one for halves: pair i, member j from half j, place i.
int64_t unpaired(int64_t row, int64_t head_rows) {
  const int64_t head = row / head_rows, in = row % head_rows;
  return head * head_rows + in % 2 * (head_rows / 2) + in / 2;
}

class Converter {
 public:
  Converter(const Checkpoint& from, const ConvertOptions& options) : from_(from), options_(options) {}

  Result<ConvertReport> run(const std::string& to) {
    AJAR_TRY(plan());
    if (const GgufMetadata* metadata = from_.gguf()) copy_keys(*metadata);
    else AJAR_TRY(write_keys());
    writer_.u32("general.file_type", options_.recipe->gguf_file_type);
    writer_.u32("general.quantization_version", 2);
    for (const Job& job : jobs_) writer_.tensor(job.name, job.dtype, job.shape);
    AJAR_TRY(writer_.begin(to, options_.replace ? GgufWriter::Existing::kReplace : GgufWriter::Existing::kKeep));
    total_ = writer_.data_bytes();
    for (const Job& job : jobs_) AJAR_TRY(convert(job));
    AJAR_TRY(writer_.finish());
    return std::move(report_);
  }

 private:
  Status plan() {
    const ModelConfig& c = from_.config();
    const bool hf = from_.gguf() == nullptr;
    const bool tied = from_.find("output.weight") == nullptr;
    for (const Tensor& tensor : from_.tensors()) {
      Job job{.name = tensor.name, .shape = tensor.shape, .parts = {&tensor}};
      if (const std::string together = stacked_name(tensor.name); !together.empty()) {
        if (!tensor.name.ends_with(".0.weight")) continue;
        job.name = together;
        job.shape[2] = c.experts;
        const std::string before = tensor.name.substr(0, tensor.name.size() - 8);
        for (int32_t expert = 1; expert < c.experts; ++expert) {
          job.parts.push_back(from_.find(before + std::to_string(expert) + ".weight"));
        }
      }
      if (hf && c.architecture == "llama") {
        if (job.name.find(".attn_q.") != std::string::npos) job.permuted_heads = c.heads;
        if (job.name.find(".attn_k.") != std::string::npos) job.permuted_heads = c.kv_heads;
      }
      job.plus_one = c.norm_plus_one && job.name.ends_with("norm.weight");
      job.dtype = recipe_dtype(*options_.recipe, c, tied, job.name, job.shape);
      if (dtype_info(tensor.dtype).block_elements > 1 && tensor.dtype != job.dtype && !options_.requantize) {
        return fail(Code::kUnsupported, job.name + " is quantised already (" + std::string(dtype_info(tensor.dtype).name) +
                                            "); quantising again loses twice", job.name);
      }
      report_.parameters += job.shape[0] * rows_of(job);
      for (const Tensor* part : job.parts) report_.bytes_before += int64_t(part->bytes.size());
      jobs_.push_back(std::move(job));
    }
    if (hf) {
      add_factors("rope_freqs.weight", c.rope.factors);
      add_factors("rope_factors_long.weight", c.rope.long_factors);
      add_factors("rope_factors_short.weight", c.rope.short_factors);
    }
    for (const Job& job : jobs_) {
      auto& format = report_.formats[std::string(dtype_info(job.dtype).name)];
      const int64_t bytes = row_bytes(job.dtype, job.shape[0]) * rows_of(job);
      ++format.tensors;
      format.bytes += bytes;
      report_.bytes += bytes;
    }
    note_fallbacks();
    return {};
  }
  // "blk.3.ffn_up_exps.weight" of "blk.3.ffn_up.7.weight"; empty for all else.
  static std::string stacked_name(const std::string& name) {
    for (const char* part : {".ffn_gate.", ".ffn_up.", ".ffn_down."}) {
      const size_t at = name.find(part);
      if (at == std::string::npos || !name.ends_with(".weight")) continue;
      const std::string_view rest = std::string_view(name).substr(at + std::string_view(part).size());
      if (rest == "weight" || rest[0] < '0' || rest[0] > '9') return {};
      return name.substr(0, at + std::string_view(part).size() - 1) + "_exps.weight";
    }
    return {};
  }
  void add_factors(const char* name, const std::vector<float>& factors) {
    if (!factors.empty()) jobs_.push_back({.name = name, .shape = {int64_t(factors.size()), 1, 1, 1}, .values = factors, .dtype = Dtype::kF32});
  }
  void note_fallbacks() {
    int64_t odd = 0, columns = 0;
    for (const Job& job : jobs_) {
      const int32_t block = dtype_info(options_.recipe->base).block_elements;
      if (rows_of(job) > 1 && job.shape[0] % block != 0 && job.dtype != Dtype::kF32) ++odd, columns = job.shape[0];
    }
    if (odd == 0) return;
    report_.notes.push_back(std::to_string(odd) + " tensors have rows (of " + std::to_string(columns) + ") that blocks of " +
                            std::to_string(dtype_info(options_.recipe->base).block_elements) +
                            " do not divide; they take other formats");
  }

  void copy_keys(const GgufMetadata& metadata) {
    for (const GgufEntry& entry : metadata.entries()) {
      if (entry.key == "general.file_type" || entry.key == "general.quantization_version" || entry.key == "general.alignment" ||
          entry.key.starts_with("split.")) {
        continue;
      }
      writer_.copy(entry);
    }
  }
  Status write_keys() {
    write_gguf_config(from_.config(), writer_);
    AJAR_ASSIGN(auto notes, write_hf_vocabulary(from_.path(), from_.config().vocab, writer_));
    report_.notes.insert(report_.notes.end(), notes.begin(), notes.end());
    if (!from_.chat_template().empty()) writer_.string("tokenizer.chat_template", from_.chat_template());
    if (from_.config().rope.scaling == RopeScaling::kNtk) report_.notes.emplace_back("the rotation's dynamic scaling is not carried over");
    return {};
  }

  Status convert(const Job& job) {
    const int64_t rows = rows_of(job), bytes_of_row = row_bytes(job.dtype, job.shape[0]);
    const int64_t chunk = std::max<int64_t>(1, kChunkBytes / bytes_of_row);
    std::vector<std::byte> out;
    for (int64_t row = 0; row < rows; row += chunk) {
      const int64_t count = std::min(chunk, rows - row);
      out.resize(size_t(count * bytes_of_row));
      if (!convert_rows(job, row, count, out.data())) {
        return invalid(job.name, "the tensor " + job.name + " has a number that is not finite");
      }
      AJAR_TRY(writer_.write(out));
      done_ += count * bytes_of_row;
      if (options_.progress) options_.progress(done_, total_);
    }
    return {};
  }

  // On all cores. False: a number is not finite.
  bool convert_rows(const Job& job, int64_t first, int64_t count, std::byte* out) const {
    const int64_t bytes_of_row = row_bytes(job.dtype, job.shape[0]);
    std::atomic<int64_t> next = 0;
    std::atomic<bool> finite = true;
    // Some rows at a time, so that taking them costs nothing.
    const int64_t some = std::max<int64_t>(1, 65536 / job.shape[0]);
    const auto work = [&] {
      std::vector<float> values(size_t(job.shape[0]));
      for (;;) {
        const int64_t from = next.fetch_add(some);
        if (from >= count) return;
        for (int64_t i = from; i < std::min(count, from + some); ++i) {
          if (!convert_row(job, first + i, values, out + i * bytes_of_row)) finite = false;
        }
      }
    };
    const int cores = options_.threads > 0 ? options_.threads : int(std::max(1u, std::thread::hardware_concurrency()));
    const int threads = int(std::min<int64_t>(cores, (count + some - 1) / some));
    std::vector<std::jthread> helpers;
    for (int i = 1; i < threads; ++i) helpers.emplace_back(work);
    work();
    helpers.clear();
    return finite;
  }

  static bool convert_row(const Job& job, int64_t row, std::vector<float>& values, std::byte* out) {
    const int64_t columns = job.shape[0];
    if (!job.values.empty()) {
      values = job.values;
    } else {
      const int64_t rows = rows_of(job) / int64_t(job.parts.size());
      const Tensor& part = *job.parts[size_t(row / rows)];
      int64_t at = row % rows;
      if (job.permuted_heads > 0 && rows > 1) at = unpaired(at, rows / job.permuted_heads);
      const int64_t bytes_of_row = row_bytes(part.dtype, columns);
      const std::byte* from = part.bytes.data() + at * bytes_of_row;
      if (part.dtype == job.dtype && dtype_info(part.dtype).block_elements > 1) {
        std::copy_n(from, bytes_of_row, out);
        return true;
      }
      dequantize_row(part.dtype, from, values.data(), columns);
      if (job.permuted_heads > 0 && rows == 1) {  // a bias
        const std::vector<float> before = values;
        for (int64_t i = 0; i < columns; ++i) values[size_t(i)] = before[size_t(unpaired(i, columns / job.permuted_heads))];
      }
    }
    float nothing = 0;  // stays 0 unless a number is not finite
    for (float& value : values) {
      nothing += value * 0;
      if (job.plus_one) value += 1;
    }
    quantize_row(job.dtype, values.data(), out, columns);
    return nothing == 0;
  }

  const Checkpoint& from_;
  const ConvertOptions& options_;
  GgufWriter writer_;
  std::vector<Job> jobs_;
  ConvertReport report_;
  int64_t done_ = 0, total_ = 0;
};

}  // namespace

Result<ConvertReport> convert_checkpoint(const Checkpoint& from, const std::string& to, const ConvertOptions& options) {
  return Converter(from, options).run(to);
}

}  // namespace ajar::engine
