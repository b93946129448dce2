#include <charconv>

#include "base/text.h"
#include "engine/bpe.h"
#include "engine/mapped_file.h"
#include "engine/pipeline_tokenizer.h"

namespace ajar::engine {

Result<std::shared_ptr<const Tokenizer>> load_tiktoken(const std::string& path, std::string_view family) {
  AJAR_ASSIGN(const auto file, MappedFile::open(path));
  if (family.empty()) {
    const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
    for (const std::string_view known : {"o200k", "cl100k", "p50k", "r50k"}) {
      if (name.starts_with(known)) family = known;
    }
    if (family.empty()) {
      return invalid("family", path + ": the file's name does not tell the family (o200k, cl100k, p50k, r50k)");
    }
  }
  PipelineParts whole;
  BpeParts parts;
  AJAR_ASSIGN(whole.pretokenizer, Pretokenizer::of_family(family));
  const std::string_view text = file->bytes();
  parts.vocabulary.reserve(text.size() / 16, text.size() / 2);
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trim(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    const auto bytes = base64_decode(line.substr(0, space));
    const auto rank = space == line.npos ? std::nullopt : parse_int(line.substr(space + 1));
    if (!bytes || bytes->empty() || !rank || *rank < 0 || *rank > 10'000'000) {
      return invalid("file", path + ":" + std::to_string(number) + ": this is not \"base64 rank\"");
    }
    parts.vocabulary.add(int32_t(*rank), *bytes);
  }
  for (int byte = 0; byte < 256; ++byte) {
    const char c = char(byte);
    if (parts.vocabulary.find({&c, 1}) < 0) {
      return invalid("file", path + ": byte " + std::to_string(byte) + " has no rank; the file is not whole");
    }
  }
  whole.model = make_bpe(std::move(parts));
  return make_tokenizer(std::move(whole));
}

}  // namespace ajar::engine
