// Vocabularies against anything, and anything against vocabularies: a definition that loads gives ids that it has, and a byte-level one
// gives every text back.
#include <sys/mman.h>
#include <unistd.h>

#include "engine/tokenizer.h"
#include "json/write.h"

using namespace ajar;
using namespace ajar::engine;

namespace {

// Loaders read files.
std::string as_file(std::string_view bytes) {
  static const int fd = memfd_create("vocabulary", 0);
  if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes.data(), bytes.size(), 0) != ssize_t(bytes.size())) __builtin_trap();
  return "/proc/self/fd/" + std::to_string(fd);
}

void check(const Tokenizer& tokenizer, std::string_view text, bool lossless) {
  std::vector<int32_t> ids;
  tokenizer.encode(text, ids);
  for (const int32_t id : ids) {
    if (id < 0 || size_t(id) >= tokenizer.size()) __builtin_trap();
    if (lossless && tokenizer.is_control(id)) __builtin_trap();  // what a user writes is never a command
  }
  const std::string back = tokenizer.decode(ids);
  if (lossless && back != text) __builtin_trap();
  std::vector<int32_t> marked;
  tokenizer.encode_with_controls(text, marked);
  for (const int32_t id : marked) {
    if (id < 0 || size_t(id) >= tokenizer.size()) __builtin_trap();
  }
}

// GPT-2's way to write a byte as a character that prints.
std::string printable(int byte) {
  const auto prints = [](int b) { return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae; };
  int code = byte;
  if (!prints(byte)) {
    code = 256;
    for (int b = 0; b < byte; ++b) code += !prints(b);
  }
  if (code < 0x80) return std::string(1, char(code));
  return {char(0xc0 | code >> 6), char(0x80 | (code & 0x3f))};
}

std::shared_ptr<const Tokenizer> byte_level() {
  std::string json = R"({"added_tokens":[{"id":260,"content":"<|end|>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,)"
                     R"("use_regex":true},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{)";
  for (int byte = 0; byte < 256; ++byte) {
    json::append_string(json, printable(byte));
    json += ":" + std::to_string(byte) + ",";
  }
  json += R"("th":256,"the":257,"in":258,"11":259},"merges":["t h","th e","i n","1 1"]}})";
  const auto made = load_hf_tokenizer(as_file(json));
  if (!made) __builtin_trap();
  return *made;
}

std::shared_ptr<const Tokenizer> word_piece() {
  std::string json = R"({"added_tokens":[{"id":0,"content":"[UNK]","special":true}],"normalizer":{"type":"BertNormalizer","lowercase":true},)"
                     R"("pre_tokenizer":{"type":"BertPreTokenizer"},"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","vocab":{"[UNK]":0)";
  int id = 1;
  for (char c = 'a'; c <= 'z'; ++c) {
    json += ",\"" + std::string(1, c) + "\":" + std::to_string(id++);
    json += ",\"##" + std::string(1, c) + "\":" + std::to_string(id++);
  }
  json += "}}}";
  const auto made = load_hf_tokenizer(as_file(json));
  if (!made) __builtin_trap();
  return *made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto bytes = byte_level();
  static const auto words = word_piece();
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      if (const auto made = load_hf_tokenizer(as_file(rest))) check(**made, "The cat 1123, é\xff.", false);
      break;
    case 1:
      if (const auto made = load_tiktoken(as_file(rest), "cl100k")) check(**made, "The cat 1123, é\xff.", false);
      break;
    case 2: check(*bytes, rest, true); break;
    default: check(*words, rest, false); break;
  }
  return 0;
}
