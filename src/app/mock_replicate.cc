// The simulator as Replicate: predictions that are made, asked for and streamed. It keeps none: an id says all of its
// prediction. A model with "poll" in its name is never done at once.
#include "app/mock_dialects.h"
#include "base/text.h"
#include "json/write.h"

namespace ajar::app {
namespace {

constexpr std::string_view kOne = "/predictions/", kStream = "/prediction-stream/";

bool takes(std::string_view path) {
  return path.ends_with("/predictions") || path.find(kOne) != path.npos || path.find(kStream) != path.npos;
}
bool gets(std::string_view path) { return path.find(kOne) != path.npos || path.find(kStream) != path.npos; }

std::string id_of(const MockRequest& request) {
  // A reply of a set length does not echo: its id is nearly as short as a real one.
  const size_t most = request.tokens > 0 ? 0 : 4096;
  std::string text;
  json::Writer w(text);
  w.begin_object();
  w.field("m", request.model);
  w.field("t", std::string_view(request.last_text).substr(0, most));
  w.field("x", request.max_tokens);
  w.field("n", request.input_tokens);
  w.end_object();
  std::string out = base64_encode(text);
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (out.ends_with('=')) out.pop_back();
  return out;
}

void read(MockRequest& request, std::string_view path, const json::Object& root) {
  const bool stream = path.find(kStream) != path.npos;
  if (stream || path.find(kOne) != path.npos) {
    const size_t from = path.find(stream ? kStream : kOne) + (stream ? kStream : kOne).size();
    json::Document document;
    const auto told = document.parse_object(base64_decode(path.substr(from, path.find('/', from) - from)).value_or(""));
    if (!told) return;
    request.model = std::string(json::string_or(*told, "m"));
    request.last_text = std::string(json::string_or(*told, "t"));
    request.max_tokens = json::int_or(*told, "x");
    request.input_tokens = json::int_or(*told, "n");
    request.stream = stream;
  } else {
    request.model = std::string(json::string_or(root, "version"));
    if (const size_t models = path.find("/models/"); models != path.npos) {
      request.model = percent_decode(path.substr(models + 8, path.rfind('/') - models - 8)).value_or("");
    }
    if (const auto value = json::find(root, "input")) {
      if (const auto input = json::as_object(*value)) {
        request.last_text = std::string(json::string_or(*input, "prompt"));
        request.max_tokens = json::int_or(*input, "max_tokens");
      }
    }
    request.starts = request.stream || request.model.find("poll") != std::string::npos;
    request.stream = false;
  }
  if (const size_t fault = request.model.find("fault-"); fault != std::string::npos) request.model.erase(0, fault);
  mock_model_name(request);
}

std::string body(const MockRequest& request, const MockReply& reply) {
  const std::string id = id_of(request), root = "http://" + request.host + "/v1";
  std::string out = "{\"id\":\"" + id + "\",\"model\":" + mock_quoted(request.model) + ",\"version\":\"hidden\",\"input\":{},";
  if (request.starts) {
    out += "\"output\":null,\"status\":\"starting\",\"metrics\":{},";
  } else {
    out += "\"output\":[";
    for (const auto& token : reply.tokens) out += (out.back() == '[' ? "" : ",") + mock_quoted(token);
    out += "],\"status\":\"succeeded\",\"metrics\":{\"input_token_count\":" + std::to_string(request.input_tokens) +
           ",\"output_token_count\":" + std::to_string(mock_output_tokens(reply)) + ",\"predict_time\":0.1},";
  }
  return out + "\"error\":null,\"urls\":{\"get\":\"" + root + std::string(kOne) + id + "\",\"cancel\":\"" + root +
         std::string(kOne) + id + "/cancel\",\"stream\":\"" + root + std::string(kStream) + id + "\"}}";
}

std::string frame(std::string_view name, std::string_view data) {
  std::string out = "event: " + std::string(name) + "\nid: 1700000000:0\n";
  for (const auto line : split(data, '\n')) out.append("data: ").append(line).append("\n");
  return out + "\n";
}

std::vector<std::string> frames(const MockRequest&, const MockReply& reply) {
  std::vector<std::string> out;
  for (const auto& token : reply.tokens) out.push_back(frame("output", token));
  out.push_back(frame("done", "{}"));
  return out;
}

std::string error(int status, std::string_view message) {
  return "{\"title\":\"Simulated\",\"detail\":" + mock_quoted(message) + ",\"status\":" + std::to_string(status) + "}";
}
std::string stream_error(std::string_view message) { return frame("error", "{\"detail\":" + mock_quoted(message) + "}"); }

}  // namespace

const MockSpeaker& replicate_speaker() {
  static constexpr MockSpeaker kSpeaker{MockDialect::kReplicate, "text/event-stream", 2, takes, read, body, frames, error,
                                        stream_error, "event: output\ndata: \xff\xfe\n\n", gets};
  return kSpeaker;
}

}  // namespace ajar::app
