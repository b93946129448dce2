#include "app/rag_parts.h"

namespace ajar::app {
namespace {

constexpr size_t kStep = 16;  // texts at once: others wait for the encoder meanwhile

Result<std::vector<float>> embed(LoadedModel& model, std::span<const std::string> texts) {
  std::vector<float> out;
  out.reserve(texts.size() * size_t(model.encoder->dimension()));
  for (size_t from = 0; from < texts.size(); from += kStep) {
    std::vector<engine::EncoderInput> inputs;
    for (const std::string& text : texts.subspan(from, std::min(kStep, texts.size() - from))) {
      auto& tokens = inputs.emplace_back().tokens;
      model.tokenizer->encode_whole(text, tokens);
      // Chunks are made to fit; a long word or a long title may not. The last token says that the text ends.
      const auto most = size_t(model.encoder->context());
      if (tokens.size() > most) tokens[most - 1] = tokens.back(), tokens.resize(most);
    }
    std::lock_guard lock(model.encoding);
    AJAR_ASSIGN(const auto rows, model.encoder->run(inputs));
    out.insert(out.end(), rows.begin(), rows.end());
  }
  return out;
}

}  // namespace

Result<rag::Embedder> host_embedder(ModelHost& host, const std::string& name) {
  AJAR_ASSIGN(const auto model, host.get_blocking(name));
  if (!model->encoder || !model->model->classifier().empty()) return fail(Code::kUnsupported, "'" + name + "' makes no embeddings", "embedder");
  return rag::Embedder{name, uint32_t(model->encoder->dimension()), [model](std::span<const std::string> texts) { return embed(*model, texts); }};
}

rag::LibraryOptions library_options(const std::string& data, const RagConfig& config, ModelHost& host) {
  rag::LibraryOptions options;
  options.folder = data + "/rag";
  options.collection.convert.command = {"/proc/self/exe", "convert-child"};
  rag::CollectionOptions& collection = options.collection;
  collection.convert.ocr = {.on = config.ocr == "auto", .languages = config.ocr_languages, .pages = uint32_t(config.ocr_pages), .seconds = uint32_t(config.ocr_seconds)};
  collection.graph.from_rows = config.graph_rows > 0 ? uint32_t(std::min<int64_t>(config.graph_rows, UINT32_MAX)) : UINT32_MAX;
  collection.graph.degree = uint32_t(config.graph_degree);
  options.choose = [name = config.embedder, &host]() -> Result<std::string> {
    if (name == "none") return std::string();
    auto embedder = host_embedder(host, name);
    if (embedder) return name;
    // The default is used where it is; what the configuration names must be there.
    if (name == RagConfig().embedder && embedder.error().code == Code::kNotFound) return std::string();
    return std::unexpected(std::move(embedder).error().in("rag.embedder"));
  };
  options.embedder = [&host](const std::string& name) { return host_embedder(host, name); };
  options.max_open = size_t(config.max_open);
  options.max_collections = size_t(config.max_collections);
  return options;
}

}  // namespace ajar::app
