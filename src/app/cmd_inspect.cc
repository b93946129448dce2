// ajar inspect: what is in a model's files.
#include <algorithm>
#include <cstdio>
#include <map>

#include "app/commands.h"
#include "app/terminal.h"
#include "base/text.h"
#include "engine/checkpoint.h"
#include "engine/gguf.h"
#include "engine/mapped_file.h"
#include "engine/model_check.h"
#include "json/write.h"

namespace ajar::app {
namespace {

using namespace engine;

struct InspectArgs {
  std::string path;
  bool tensors = false, metadata = false;
};

struct Row {  // a tensor
  std::string name, format, shape;
  int64_t parameters = 0, bytes = 0;
};

// What is known of the model. Of one that the engine does not support there is no configuration.
struct Findings {
  std::string architecture, name, licence, tokenizer, why_not;
  std::shared_ptr<const Checkpoint> checkpoint;
  std::shared_ptr<const MappedFile> file;   // of a GGUF file
  std::optional<GgufMetadata> metadata;
  std::vector<Row> tensors;
  bool chat_template = false;
};

Row row_of(std::string_view name, Dtype dtype, const std::array<int64_t, 4>& shape, size_t bytes) {
  return {std::string(name), std::string(dtype_info(dtype).name), shape_text(shape),
          shape[0] * shape[1] * shape[2] * shape[3], int64_t(bytes)};
}

Result<Findings> look(const std::string& path) {
  Findings out;
  auto checkpoint = Checkpoint::open(path);
  if (checkpoint) {
    out.checkpoint = *checkpoint;
    const ModelConfig& config = out.checkpoint->config();
    out.architecture = config.architecture;
    out.name = config.name;
    out.licence = config.licence;
    out.chat_template = !out.checkpoint->chat_template().empty();
    for (const Tensor& tensor : out.checkpoint->tensors()) {
      out.tensors.push_back(row_of(tensor.name, tensor.dtype, tensor.shape, tensor.bytes.size()));
    }
    if (out.checkpoint->gguf() == nullptr) return out;
    out.metadata = *out.checkpoint->gguf();
  } else {
    // A GGUF file of a kind that the engine cannot run still says what it is.
    const bool unknown = checkpoint.error().code == Code::kUnsupported && path.ends_with(".gguf");
    auto file = unknown ? MappedFile::open(path) : fail(Code::kInvalid, "");
    auto metadata = file ? GgufMetadata::read((*file)->bytes()) : fail(Code::kInvalid, "");
    if (!metadata) return std::unexpected(std::move(checkpoint.error()));
    out.file = *file;
    out.why_not = checkpoint.error().message;
    out.metadata = std::move(*metadata);
    out.architecture = out.metadata->string("general.architecture").value_or("unknown");
    out.name = out.metadata->string("general.name").value_or("");
    out.licence = out.metadata->string("general.license").value_or("");
    out.chat_template = out.metadata->string("tokenizer.chat_template").has_value();
    if (const auto tensors = out.metadata->tensors()) {
      for (const GgufTensor& tensor : *tensors) {
        out.tensors.push_back(row_of(tensor.name, tensor.dtype, tensor.shape, tensor.bytes.size()));
      }
    }
  }
  const auto tokens = out.metadata->strings("tokenizer.ggml.tokens");
  if (const auto model = out.metadata->string("tokenizer.ggml.model")) {
    const auto pre = out.metadata->string("tokenizer.ggml.pre");
    out.tokenizer = std::string(*model) + (pre ? "/" + std::string(*pre) : "") + ", " + count(int64_t(tokens.size())) + " tokens";
  }
  return out;
}

// Printable and short: metadata come from anywhere.
std::string shown(std::string_view text, size_t most = 100) {
  std::string out;
  for (const char c : text.substr(0, most)) {
    if (c == '\n') out += "\\n";
    else if (uint8_t(c) < 0x20 || c == 0x7f) out += ' ';
    else out += c;
  }
  while (!out.empty() && !valid_utf8(out)) out.pop_back();
  return text.size() > most ? out + " …" : out;
}

std::string value_text(const GgufMetadata& metadata, const GgufEntry& entry) {
  switch (entry.type) {
    case GgufType::kString: return shown(entry.value);
    case GgufType::kBool: return entry.value[0] ? "true" : "false";
    case GgufType::kFloat32:
    case GgufType::kFloat64: {
      char text[32];
      std::snprintf(text, sizeof text, "%.9g", metadata.real(entry.key).value_or(0));
      return text;
    }
    case GgufType::kArray: break;
    default: {
      const auto number = metadata.integer(entry.key);
      return number ? std::to_string(*number) : "beyond 64 bits";
    }
  }
  std::string first;
  const auto add = [&](const auto& values) {
    for (size_t i = 0; i < std::min<size_t>(values.size(), 6); ++i) {
      std::string text;
      if constexpr (requires { std::string_view(values[i]); }) text = shown(values[i], 20);
      else text = std::to_string(values[i]);
      first += (i > 0 ? ", " : "") + text;
    }
  };
  if (entry.item == GgufType::kString) add(metadata.strings(entry.key));
  else if (entry.item == GgufType::kFloat32) add(metadata.floats(entry.key));
  else if (entry.item == GgufType::kInt32 || entry.item == GgufType::kUint32) add(metadata.integers(entry.key));
  return count(int64_t(entry.count)) + " items" + (first.empty() ? "" : ": " + first + (entry.count > 6 ? ", …" : ""));
}

struct Total {
  int64_t tensors = 0, parameters = 0, bytes = 0;
};
std::map<std::string, Total> totals_of(const Findings& findings, Total& all) {
  std::map<std::string, Total> out;
  for (const Row& row : findings.tensors) {
    for (Total* total : {&out[row.format], &all}) ++total->tensors, total->parameters += row.parameters, total->bytes += row.bytes;
  }
  return out;
}

void print_json(const Findings& findings, const InspectArgs& args) {
  Total all;
  const auto totals = totals_of(findings, all);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("architecture", shown(findings.architecture));
  w.field("supported", findings.why_not.empty());
  if (!findings.why_not.empty()) w.field("reason", shown(findings.why_not, 1000));
  w.field("name", shown(findings.name));
  w.field("licence", shown(findings.licence));
  w.field("parameters", all.parameters);
  w.field("bytes", all.bytes);
  if (findings.checkpoint) {
    const ModelConfig& c = findings.checkpoint->config();
    w.field("context", c.context);
    w.field("vocabulary", c.vocab);
    w.field("layers", c.layers);
    w.field("embedding", c.embedding);
    w.field("feed_forward", c.feed_forward);
    w.field("heads", c.heads);
    w.field("kv_heads", c.kv_heads);
    w.field("head_dim", c.head_dim);
    w.field("experts", c.experts);
    w.field("experts_used", c.experts_used);
    w.field("sliding_window", c.sliding_window);
  }
  w.field("tokenizer", shown(findings.tokenizer));
  w.field("chat_template", findings.chat_template);
  w.key("formats");
  w.begin_array();
  for (const auto& [name, total] : totals) {
    w.begin_object();
    w.field("format", name);
    w.field("tensors", total.tensors);
    w.field("parameters", total.parameters);
    w.field("bytes", total.bytes);
    w.end_object();
  }
  w.end_array();
  if (args.tensors) {
    w.key("tensors");
    w.begin_array();
    for (const Row& row : findings.tensors) {
      w.begin_object();
      w.field("name", shown(row.name, 512));
      w.field("format", row.format);
      w.field("shape", row.shape);
      w.field("bytes", row.bytes);
      w.end_object();
    }
    w.end_array();
  }
  if (args.metadata && findings.metadata) {
    w.key("metadata");
    w.begin_object();
    for (const GgufEntry& entry : findings.metadata->entries()) {
      w.field(shown(entry.key, 512), value_text(*findings.metadata, entry));
    }
    w.end_object();
  }
  w.end_object();
  std::puts(out.c_str());
}

void print_text(const Findings& findings, const InspectArgs& args) {
  Total all;
  const auto totals = totals_of(findings, all);
  const auto line = [](const char* what, const std::string& value) {
    if (!value.empty()) std::printf("%-16s %s\n", what, value.c_str());
  };
  line("name", shown(findings.name));
  line("architecture", shown(findings.architecture));
  if (!findings.why_not.empty()) line("not supported", yellow(shown(findings.why_not, 1000)));
  line("licence", findings.licence.empty() ? dim("not said") : shown(findings.licence));
  line("parameters", count(all.parameters));
  if (findings.checkpoint) {
    const ModelConfig& c = findings.checkpoint->config();
    line("context", count(c.context) + " tokens");
    line("vocabulary", count(c.vocab) + " tokens");
    line("layers", std::to_string(c.layers) + ", " + count(c.embedding) + " wide");
    line("heads", std::to_string(c.heads) + " of " + std::to_string(c.head_dim) +
                      (c.kv_heads != c.heads ? ", " + std::to_string(c.kv_heads) + " for K and V" : ""));
    if (c.sliding_window > 0) line("window", count(c.sliding_window) + " tokens" + (c.local_layer.empty() ? "" : " in some layers"));
    if (c.experts > 0) line("experts", std::to_string(c.experts) + ", " + std::to_string(c.experts_used) + " per token");
    for (const std::string& label : c.labels) line("label", shown(label));
  }
  line("tokenizer", shown(findings.tokenizer));
  line("chat template", findings.chat_template ? "yes" : "no");
  std::puts("");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, total] : totals) {
    char bits[16];
    std::snprintf(bits, sizeof bits, "%.2f", double(total.bytes) * 8 / double(total.parameters));
    rows.push_back({name, count(total.tensors), count(total.parameters), bytes_text(total.bytes), bits});
  }
  rows.push_back({"all", count(all.tensors), count(all.parameters), bytes_text(all.bytes), ""});
  std::fputs(table({"format", "tensors", "parameters", "size", "bits each"}, rows).c_str(), stdout);
  if (args.tensors) {
    std::vector<std::vector<std::string>> list;
    for (const Row& row : findings.tensors) list.push_back({shown(row.name), row.format, row.shape, bytes_text(row.bytes)});
    std::printf("\n%s", table({"tensor", "format", "shape", "size"}, list).c_str());
  }
  if (args.metadata) {
    if (!findings.metadata) std::puts("\nA folder has no metadata; see its config.json.");
    else std::puts("");
    for (const GgufEntry& entry : findings.metadata ? findings.metadata->entries() : std::vector<GgufEntry>()) {
      std::printf("%-40s %s\n", shown(entry.key).c_str(), value_text(*findings.metadata, entry).c_str());
    }
  }
}

int inspect(const CommandContext& context, const InspectArgs& args) {
  const auto findings = look(args.path);
  if (!findings) return complain(context, findings.error());
  if (context.json) print_json(*findings, args);
  else print_text(*findings, args);
  return 0;
}

}  // namespace

void add_inspect(CommandContext& context) {
  auto command = context.root.add_subcommand("inspect", "Show what is in a model's files");
  auto args = std::make_shared<InspectArgs>();
  command.add_option("path", args->path, "A GGUF file (of a split one the first part) or a Hugging Face folder").required();
  command.add_flag("--tensors", args->tensors, "List the tensors");
  command.add_flag("--metadata", args->metadata, "List the metadata of a GGUF file");
  command.footer("Checks the files as the engine does before it runs a model: the exit status is 1 when they are broken.\n"
                 "A GGUF file of an architecture that the engine does not know is shown as far as it can be.");
  context.add(command, [&context, args] { return inspect(context, *args); });
}

}  // namespace ajar::app
