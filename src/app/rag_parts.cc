#include "app/rag_parts.h"

#include <algorithm>

#include "api/owner.h"
#include "rag/ask.h"
#include "vectors/http_caller.h"

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

constexpr size_t kPassages = 8;  // that a model is given

Passage to_passage(const rag::Hit& hit) {
  return {.document = hit.document, .name = hit.name, .title = hit.title, .headings = hit.headings, .text = hit.text,
          .page = hit.page, .begin = hit.begin, .end = hit.end};
}

std::vector<Claim> to_claims(const std::vector<rag::AnswerSentence>& sentences) {
  std::vector<Claim> claims;
  for (const rag::AnswerSentence& sentence : sentences) {
    Claim& claim = claims.emplace_back(Claim{.text = sentence.text, .claims = sentence.claims, .supported = sentence.supported});
    for (const rag::Evidence& one : sentence.evidence) {
      claim.evidence.push_back({.document = one.document, .name = one.name, .title = one.title, .text = one.quote, .page = one.page,
                                .begin = one.begin, .end = one.end});
    }
  }
  return claims;
}

struct Opened {
  rag::About about;
  rag::Library::Opened collection;
  rag::Reader reader;
};
Result<Opened> open_for(rag::Library& library, const std::string& name, const std::string& key, const std::string& team) {
  std::string owner = api::owner_of(key, team);
  auto about = library.find(owner, name);
  if (!about && about.error().code == Code::kNotFound && !owner.empty()) {
    owner.clear();
    about = library.find(owner, name);
  }
  if (!about) return std::unexpected(about.error());
  AJAR_ASSIGN(auto collection, library.get(owner, about->id));
  return Opened{std::move(*about), std::move(collection), api::reader_of(key, team)};
}

}  // namespace

Result<rag::Embedder> host_embedder(ModelHost& host, const std::string& name) {
  AJAR_ASSIGN(const auto model, host.get_blocking(name));
  if (!model->encoder || !model->model->classifier().empty()) return fail(Code::kUnsupported, "'" + name + "' makes no embeddings", "embedder");
  return rag::Embedder{name, uint32_t(model->encoder->dimension()), [model](std::span<const std::string> texts) { return embed(*model, texts); }};
}

vectors::StoreOptions store_options(const VectorStoreConfig& config) {
  return {.name = config.name, .kind = config.kind, .url = config.url, .api_key = config.api_key, .database = config.database, .consistency = config.consistency,
          .api_version = config.api_version, .ca_file = config.ca_file, .timeout = config.timeout};
}

rag::LibraryOptions library_options(const std::string& data, const RagConfig& config, const std::vector<VectorStoreConfig>& stores, ProxyConfig proxy, ModelHost& host) {
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
  options.store = config.store;
  // Without stores there is no loop for their calls either.
  const auto caller = stores.empty() ? nullptr : std::make_shared<vectors::HttpCaller>(std::move(proxy));
  options.collection.open_store = [stores, caller](const std::string& name, const std::string& collection) -> Result<std::unique_ptr<rag::VectorStore>> {
    const auto found = std::ranges::find(stores, name, &VectorStoreConfig::name);
    if (found == stores.end()) return fail(Code::kNotFound, "there is no [vector_stores." + name + "] in the configuration", "store");
    return vectors::open_store(store_options(*found), found->collection_prefix + "_" + collection, [caller](const vectors::HttpAsk& ask) { return caller->call(ask); });
  };
  collection.rerank = {.route = config.rerank, .candidates = size_t(config.rerank_candidates), .timeout = config.rerank_timeout, .score = {}};
  options.max_open = size_t(config.max_open);
  options.max_collections = size_t(config.max_collections);
  return options;
}

Task<Result<Grounds>> LibraryDocuments::look_up(const std::string& collection, const Caller& caller, std::string question) const {
  co_return co_await pool_.run([&library = *library_, &detector = detector_, collection, key = caller.key_id, team = caller.team,
                                question = std::move(question)]() -> Result<Grounds> {
    AJAR_ASSIGN(const Opened opened, open_for(library, collection, key, team));
    AJAR_ASSIGN(auto found, rag::ask_with_passages(*opened.collection, {.text = question, .reader = opened.reader, .limit = kPassages, .rerank = opened.about.rerank,
                                                                              .payer = key.empty() ? "" : "key:" + key}));
    Grounds grounds{.quotes = to_claims(found.answer.sentences), .probability = found.answer.probability};
    for (const rag::Hit& hit : found.passages) {
      if (detector.score(hit.text, true).score >= guard::InjectionDetector::kSuspicious) continue;
      grounds.passages.push_back(to_passage(hit));
    }
    return grounds;
  });
}

Task<Result<std::vector<Claim>>> LibraryDocuments::bear_out(const std::string& collection, const Caller& caller, std::string answer,
                                                            std::vector<Passage> passages) const {
  co_return co_await pool_.run([&library = *library_, collection, key = caller.key_id, team = caller.team, answer = std::move(answer),
                                passages = std::move(passages)]() -> Result<std::vector<Claim>> {
    AJAR_ASSIGN(const Opened opened, open_for(library, collection, key, team));
    std::vector<rag::Hit> hits;
    for (const Passage& passage : passages) {
      rag::Hit hit{.document = passage.document, .name = passage.name, .title = passage.title, .text = passage.text};
      hit.page = passage.page, hit.begin = passage.begin, hit.end = passage.end;
      hits.push_back(std::move(hit));
    }
    return to_claims(rag::cite(answer, hits, opened.collection->term_weights(answer)));
  });
}

}  // namespace ajar::app
