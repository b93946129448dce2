// The point `pairs`: what every client's API costs over every target's. The conformance matrix's clients write the
// requests, so that nothing here shares code with src/wire.
#include <algorithm>

#include "app/bench_points.h"
#include "app/matrix_speech.h"
#include "json/write.h"

namespace ajar::app {
namespace {

constexpr int kTokens = 1000;
constexpr size_t kBody = 2048;
// The simulator's tokens but the first are " w1", " w2", …: this stands once with each event's text, in every dialect.
constexpr std::string_view kToken = R"(:" w)";

struct Target {
  const char* id;
  const char* name;
  const char* preset;
  const char* path;   // of the base URL
  const char* owner;  // before its models' names
  const char* more;   // configuration lines
};
constexpr Target kTargets[] = {
    // A preset whose models do not take legacy completions: those are to be translated, too.
    {"openai", "OpenAI", "openai", "/v1", "", ""},
    {"responses", "Responses", "custom-responses", "/v1", "", ""},
    {"anthropic", "Anthropic", "custom-anthropic", "", "", ""},
    {"gemini", "Gemini", "custom-gemini", "/v1beta", "", ""},
    // Signed, as most use it; a secret may only come from the environment.
    {"bedrock", "Bedrock", "bedrock", "", "",
     "region = \"eu-west-1\"\naccess_key_id = \"AKIDBENCH\"\nsecret_access_key = \"${PATH}\"\n"},
    {"ollama", "Ollama", "ollama-native", "", "", ""},
    {"cohere", "Cohere", "cohere", "", "", ""},
    {"mistral", "Mistral", "mistral", "/v1", "", ""},
    {"replicate", "Replicate", "replicate", "/v1", "ajar/", ""},
};

std::string write_completions(const matrix::Asked& asked) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("model", asked.model);
  if (asked.stream) w.field("stream", true);
  w.field("max_tokens", asked.max_tokens);
  w.field("prompt", asked.turns.back().text);
  w.end_object();
  return out;
}
std::string completions_path(const matrix::Asked&) { return "/v1/completions"; }

struct Client {
  const char* id;
  const char* name;
  std::string (*path)(const matrix::Asked&);
  std::string (*write)(const matrix::Asked&);
  const char* key;               // the header's line up to the key
  std::string_view whole, end;   // the proper end of an answer and of a stream
  std::string_view token;        // stands once with each token of a stream but the first
  const char* same;              // targets of the same dialect
};

std::vector<Client> clients() {
  const auto& chat = matrix::chat_speaker();
  const auto& responses = matrix::responses_speaker();
  const auto& anthropic = matrix::anthropic_speaker();
  const auto& gemini = matrix::gemini_speaker();
  const auto& ollama = matrix::ollama_speaker();
  const char* bearer = "Authorization: Bearer ";
  return {
      {"openai", "OpenAI", chat.path, chat.write, bearer, R"("finish_reason":"stop")", "data: [DONE]\n\n",
       kToken, "openai mistral"},
      {"responses", "Responses", responses.path, responses.write, bearer, R"("status":"completed")",
       "event: response.completed\n", kToken, "responses"},
      {"completions", "Completions", completions_path, write_completions, bearer, R"("finish_reason":"stop")",
       "data: [DONE]\n\n", kToken, ""},
      {"anthropic", "Anthropic", anthropic.path, anthropic.write, "x-api-key: ", R"("stop_reason":"end_turn")",
       "event: message_stop\n", kToken, "anthropic"},
      // What comes in one burst is one event here.
      {"gemini", "Gemini", gemini.path, gemini.write, "x-goog-api-key: ", R"("finishReason":"STOP")",
       R"("finishReason":"STOP")", " w", "gemini"},
      {"ollama", "Ollama", ollama.path, ollama.write, bearer, R"("done":true)", R"("done":true)", kToken, "ollama"},
  };
}

// The simulator's model names say how long it answers.
std::string config(const std::string& mock) {
  std::string out;
  for (const Target& target : kTargets) {
    const std::string id = target.id, provider = "pair-" + id;
    out += "[providers." + provider + "]\npreset = \"" + target.preset + "\"\nbase_url = \"" + mock + target.path +
           "\"\nfree = true\n" + target.more;
    for (const char* length : {"t200", "t1000"}) {
      out += "[routes.\"" + id + "-" + length + "\"]\nbreaker_failures = 0\ntargets = [{ provider = \"" + provider +
             "\", model = \"" + target.owner + "mock-" + length + "\" }]\n";
    }
  }
  return out;
}

}  // namespace

Result<std::vector<Figure>> Bench::pairs() {
  if (!options_.url.empty()) return fail(Code::kUnsupported, "needs a server of its own");
  AJAR_ASSIGN(const Served served, serve("pairs", config("http://127.0.0.1:" + std::to_string(upstream_->port))));
  const std::vector<pid_t> pids = {served.serve->pid()};
  // Several rounds over all pairs, of which each pair's median counts: what else the machine does comes and goes in
  // seconds, and must not fall on one pair.
  const int rounds = options_.quick ? 1 : 3;
  std::vector<Figure> figures;
  std::vector<std::vector<double>> samples;
  const auto take = [&](size_t at, std::string what, const char* unit_of, double target, double value, std::string note) {
    if (figures.size() <= at) {
      figures.push_back({.point = "pairs", .what = what + ", CPU per " + unit_of, .unit = "µs", .target = target});
      samples.emplace_back();
    }
    samples[at].push_back(value);
    if (figures[at].note.empty()) figures[at].note = std::move(note);
  };
  for (int round = 0; round < rounds; ++round) {
    size_t at = 0;
    for (const Client& client : clients()) {
      for (const Target& target : kTargets) {
        const std::string name = std::string(client.name) + " to " + target.name;
        const bool same = std::string_view(client.same).find(target.id) != std::string_view::npos;
        const auto plan = [&](bool stream) {
          matrix::Asked asked{.model = std::string(target.id) + (stream ? "-t1000" : "-t200"), .stream = stream,
                              .max_tokens = 4096};
          asked.turns = {{.who = matrix::SpokenTurn::Who::kSystem,
                          .text = "You are the support desk of a bicycle shop. Answer briefly."},
                         {.who = matrix::SpokenTurn::Who::kUser}};
          const std::string body = filled(kBody, [&](const std::string& text) {
            asked.turns.back().text = text;
            return client.write(asked);
          });
          return LoadPlan{.to = served.at,
                          .request = request_bytes(served.at, client.path(asked), {client.key + served.key}, body),
                          .connections = stream ? 8 : 32, .stream = stream, .end = stream ? client.end : client.whole,
                          .token = stream ? client.token : ""};
        };
        const auto [whole, whole_cpu] = cost(plan(false), 500, options_.quick ? 4000 : 10'000, pids);
        take(at++, name, "request", same ? 30 : 45,
             whole_cpu.total() * 1e6 / double(std::max<int64_t>(1, whole.answered)), failures(whole));
        const auto [stream, stream_cpu] = cost(plan(true), 20, 100, pids);
        std::string note = failures(stream);
        if (note.empty() && stream.tokens != stream.answered * (kTokens - 1)) {
          note = "TOKENS ARE MISSING OR TOO MANY: " + std::to_string(stream.tokens);
        }
        take(at++, name, "token", same ? 1.5 : 3,
             stream_cpu.total() * 1e6 / double(std::max<int64_t>(1, stream.answered * kTokens)), std::move(note));
      }
    }
  }
  for (size_t i = 0; i < figures.size(); ++i) {
    std::ranges::nth_element(samples[i], samples[i].begin() + int64_t(samples[i].size() / 2));
    figures[i].value = samples[i][samples[i].size() / 2];
  }
  return figures;
}

}  // namespace ajar::app
