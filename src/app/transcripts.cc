#include "app/transcripts.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/mock_dialects.h"
#include "base/text.h"

namespace ajar::app {
namespace {

namespace fs = std::filesystem;

MockDialect dialect_of_url(std::string_view url) {
  const std::string_view path = url.substr(0, url.find('?'));
  return read_mock_request(path, "", "{}").dialect;
}

// Fixtures carry no URL: the folder says whose they are.
MockDialect dialect_of_path(std::string_view path) {
  const auto has = [&](std::string_view part) { return path.find(part) != path.npos; };
  if (has("amazon-bedrock/src/__fixtures__")) return MockDialect::kBedrock;
  if (has("cohere/src/__fixtures__") && !has("embedding")) return MockDialect::kCohere;
  if (has("anthropic")) return MockDialect::kAnthropic;
  if (has("google")) return MockDialect::kGemini;
  if (has("embedding")) return MockDialect::kEmbeddings;
  for (const char* family : {"openai/src/chat", "openai-compatible/src/chat", "azure", "groq", "mistral",
                             "deepseek", "xai/src/__fixtures__", "moonshotai", "alibaba", "perplexity",
                             "tensorzero"}) {
    if (has(family)) return MockDialect::kOpenAi;
  }
  return MockDialect::kNone;
}

std::string text_of(const YAML::Node& node) {
  if (!node || !node.IsScalar()) return {};
  if (node.Tag() == "!binary" || node.Tag() == "tag:yaml.org,2002:binary") {
    std::string compact;
    for (const char c : node.Scalar()) {
      if (c != '\n' && c != ' ') compact.push_back(c);
    }
    return base64_decode(compact).value_or("");
  }
  return node.Scalar();
}

std::string header(const YAML::Node& headers, std::string_view name) {
  if (!headers || !headers.IsMap()) return {};
  for (const auto& entry : headers) {
    if (!iequals(entry.first.Scalar(), name)) continue;
    if (entry.second.IsSequence()) return entry.second.size() ? entry.second[0].Scalar() : "";
    return entry.second.Scalar();
  }
  return {};
}

void add_interaction(const YAML::Node& item, const std::string& stem, Transcripts& out) {
  const YAML::Node request = item["request"], response = item["response"];
  if (!request || !response) return;
  Transcript one;
  one.url = text_of(request["uri"] ? request["uri"] : request["url"]);
  one.dialect = dialect_of_url(one.url);
  if (one.dialect == MockDialect::kNone || one.url.ends_with("/v2/embed")) return;
  const YAML::Node in = request["body"], got = response["body"];
  one.request = in.IsMap() ? text_of(in["string"]) : text_of(in);
  one.body = got.IsMap() ? text_of(got["string"]) : text_of(got);
  const YAML::Node status = response["status"];
  const std::string code = text_of(status && status.IsMap() ? status["code"] : response["code"]);
  one.status = int(parse_int(code).value_or(200));
  one.content_type = header(response["headers"], "content-type");
  if (one.content_type.empty()) one.content_type = "application/json";
  if (const auto wait = header(response["headers"], "retry-after"); !wait.empty()) {
    one.headers.emplace_back("retry-after", wait);
  }
  one.id = stem + "#" + std::to_string(out.all.size());
  out.all.push_back(std::move(one));
}

void add_yaml(const fs::path& file, const std::string& stem, Transcripts& out) {
  const YAML::Node root = YAML::LoadFile(file.string());
  const size_t before = out.all.size();
  for (const char* name : {"http_interactions", "interactions"}) {
    for (const auto& item : root[name]) add_interaction(item, stem, out);
  }
  for (size_t i = before; i < out.all.size(); ++i) out.all[i].id = stem + "#" + std::to_string(i - before);
}

// Fixtures hold one JSON text per line, whatever the framing was; those of Bedrock are {"NAME": payload}.
std::string frame_of(MockDialect dialect, std::string_view line) {
  if (dialect != MockDialect::kBedrock) return "data: " + std::string(line) + "\n\n";
  json::Document document;
  std::string out;
  if (const auto object = document.parse_object(line)) {
    for (const auto field : *object) out += mock_aws_message(field.key, json::raw(field.value));
  }
  return out;
}

void add_fixture(const fs::path& file, const std::string& stem, Transcripts& out) {
  Transcript one{.id = stem + "#0", .dialect = dialect_of_path(file.string())};
  if (one.dialect == MockDialect::kNone) return;
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  const std::string name = file.filename().string();
  if (name.ends_with(".chunks.txt")) {
    one.content_type = mock_stream_type(one.dialect);
    for (const auto line : split(text.view(), '\n')) {
      if (!trim(line).empty()) one.body += frame_of(one.dialect, trim(line));
    }
    if (one.dialect == MockDialect::kOpenAi) one.body += "data: [DONE]\n\n";
  } else if (name.ends_with(".json")) {
    one.content_type = "application/json";
    one.body = text.str();
    if (one.body.find("\"choices\"") == std::string::npos && one.body.find("\"candidates\"") == std::string::npos &&
        one.body.find("\"stop_reason\"") == std::string::npos && one.body.find("\"stopReason\"") == std::string::npos &&
        (one.dialect != MockDialect::kCohere || one.body.find("\"finish_reason\"") == std::string::npos)) {
      return;  // an error or something else; what status it came with is not known
    }
  } else if (one.dialect == MockDialect::kAnthropic && name.ends_with(".txt")) {
    one.content_type = "text/event-stream";
    one.body = text.str();
    if (!one.body.ends_with("\n\n")) one.body += "\n\n";
  } else {
    return;
  }
  out.all.push_back(std::move(one));
}

}  // namespace

const Transcript* Transcripts::find(std::string_view id) const {
  const auto found = std::ranges::find(all, id, &Transcript::id);
  return found == all.end() ? nullptr : &*found;
}

Result<Transcripts> load_transcripts(const std::string& folder) {
  Transcripts out;
  std::error_code failed;
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    if (it->is_regular_file()) files.push_back(it->path());
  }
  if (failed) return fail(Code::kNotFound, "cannot read transcripts from " + folder + ": " + failed.message());
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    const std::string relative = fs::relative(file, folder).string();
    const std::string ending = file.extension().string();
    std::string stem = relative.substr(0, relative.size() - ending.size());
    if (stem.ends_with(".chunks")) stem += ".txt";
    try {
      if (ending == ".yml" || ending == ".yaml") add_yaml(file, stem, out);
      else if (ending == ".json" || ending == ".txt") add_fixture(file, stem, out);
    } catch (const YAML::Exception& error) {  // yaml-cpp's only way to say so
      out.skipped.push_back(relative + ": " + error.what());
    }
  }
  return out;
}

}  // namespace ajar::app
