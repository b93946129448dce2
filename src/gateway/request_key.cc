#include "gateway/request_key.h"

#include <openssl/sha.h>

#include <concepts>

#include "base/varint.h"

namespace ajar {
namespace {

// Everything with its length before it, so that no two sequences of values make the same bytes.
class Canon {
 public:
  explicit Canon(std::string& out) : out_(out) {}

  void add(std::string_view text) { put_text(out_, text); }
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(const char*) = delete;
  template <class T>
    requires std::integral<T> || std::is_enum_v<T>
  void add(T value) { put_varint(out_, uint64_t(value)); }
  void add(double value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  template <class T>
  void add(const std::optional<T>& value) {
    out_.push_back(value ? 1 : 0);
    if (value) add(*value);
  }
  template <class T>
  void add(const std::vector<T>& values) {
    put_varint(out_, values.size());
    for (const T& value : values) add(value);
  }
  template <class... T>
  void all(const T&... values) { (add(values), ...); }

  void add(const Part& p) {
    all(p.kind, p.is_error, p.redacted, p.origin, p.text, p.id, p.name, p.arguments, p.media_type, p.data, p.url, p.file_id,
        p.detail, p.signature, p.raw, p.citations, p.annotations, p.extra, p.inner_extra, p.content);
  }
  void add(const Message& m) { all(m.role, m.name, m.origin, m.extra, m.parts); }
  void add(const Tool& t) { all(t.name, t.description, t.parameters, t.strict, t.raw, t.origin, t.extra, t.inner_extra); }

 private:
  std::string& out_;
};

}  // namespace

std::string RequestKey::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t byte : bytes) out.push_back(kDigits[byte >> 4]), out.push_back(kDigits[byte & 15]);
  return out;
}

std::optional<RequestKey> RequestKey::from_hex(std::string_view hex) {
  RequestKey key;
  if (hex.size() != 2 * key.bytes.size()) return std::nullopt;
  for (size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    key.bytes[i / 2] = uint8_t(key.bytes[i / 2] << 4 | digit);
  }
  return key;
}

RequestKey text_key(std::string_view text) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest);
  RequestKey key;
  std::memcpy(key.bytes.data(), digest, key.bytes.size());
  return key;
}

RequestKey request_key(const Request& r, std::string_view scope) {
  thread_local std::string bytes;
  bytes.clear();
  Canon canon(bytes);
  canon.add(scope);
  canon.all(r.dialect, r.model, r.messages, r.tools, r.tool_choice.mode, r.tool_choice.name, r.tool_choice.allowed, r.tool_choice.raw,
            r.parallel_tool_calls);
  const Sampling& s = r.sampling;
  canon.all(s.temperature, s.top_p, s.frequency_penalty, s.presence_penalty, s.top_k, s.seed, s.logit_bias);
  canon.all(r.max_tokens, r.stop, r.n, r.logprobs, r.top_logprobs);
  const ResponseFormat& f = r.response_format;
  canon.all(f.kind, f.name, f.description, f.schema, f.strict, f.extra, f.inner_extra);
  const Reasoning& t = r.reasoning;
  canon.all(t.mode, t.effort, t.budget_tokens, t.include_thoughts, t.extra);
  canon.all(r.legacy_functions, r.betas, r.extra, r.previous_id);
  if (bytes.capacity() > (1 << 20)) {  // a rare giant does not stay with the thread
    const RequestKey key = text_key(bytes);
    std::string().swap(bytes);
    return key;
  }
  return text_key(bytes);
}

}  // namespace ajar
