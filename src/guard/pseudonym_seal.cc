// The map of a conversation at rest.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <memory>

#include "guard/pseudonym.h"

namespace ajar::guard {
namespace {

constexpr std::string_view kMagic = "AJP1";
constexpr size_t kNonce = 12, kTag = 16, kHeader = 4 + 8 + kNonce;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
const uint8_t* bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

// A key for this use only, so that the same secret may serve others.
std::array<uint8_t, 32> cipher_key(std::string_view key) {
  static constexpr std::string_view kPurpose = "ajar pseudonyms at rest 1";
  std::array<uint8_t, 32> out{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(kPurpose), kPurpose.size(), out.data(), &length);
  return out;
}

// What is authenticated beside the ciphertext: the head before the nonce, and whose map it is.
std::string associated(std::string_view head, std::string_view conversation) {
  return std::string(head).append(conversation);
}

void put(std::string& out, uint64_t value, int size) {
  for (int i = size - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> 8 * i));
}

// Reads from the front of a text; once something was missing, everything is.
struct Reader {
  std::string_view rest;
  bool ok = true;
  uint64_t number(size_t size) {
    if (rest.size() < size) return ok = false, 0;
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(rest[i]);
    rest.remove_prefix(size);
    return value;
  }
  std::string_view text(size_t size) {
    if (rest.size() < size) return ok = false, std::string_view{};
    const auto out = rest.substr(0, size);
    rest.remove_prefix(size);
    return out;
  }
};

}  // namespace

std::string Pseudonyms::seal(std::string_view key, std::string_view conversation, int64_t expires) const {
  std::string plain;
  put(plain, spellings_.size(), 4);
  for (const Spelling& s : spellings_) {
    const Entry& entry = by_placeholder_.find(s.placeholder)->second;
    put(plain, static_cast<uint64_t>(entry.entity), 1);
    put(plain, s.exact, 1);
    put(plain, s.placeholder.size(), 1);
    plain += s.placeholder;
    put(plain, s.text.size(), 4);
    plain += s.text;
  }
  std::string out(kMagic);
  put(out, static_cast<uint64_t>(expires), 8);
  const std::string aad = associated(out, conversation);
  uint8_t nonce[kNonce];
  if (RAND_bytes(nonce, sizeof nonce) != 1) return {};
  out.append(reinterpret_cast<const char*>(nonce), kNonce);
  out.resize(kHeader + plain.size() + kTag);
  const auto secret = cipher_key(key);
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  auto* cipher = reinterpret_cast<uint8_t*>(out.data()) + kHeader;
  int n = 0;
  const bool ok = EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secret.data(), nonce) == 1 &&
                  EVP_EncryptUpdate(context.get(), nullptr, &n, bytes(aad), static_cast<int>(aad.size())) == 1 &&
                  EVP_EncryptUpdate(context.get(), cipher, &n, bytes(plain), static_cast<int>(plain.size())) == 1 &&
                  EVP_EncryptFinal_ex(context.get(), cipher + n, &n) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, cipher + plain.size()) == 1;
  OPENSSL_cleanse(plain.data(), plain.size());
  return ok ? out : std::string{};
}

Status Pseudonyms::open(std::string_view sealed, std::string_view key, std::string_view conversation, int64_t now) {
  if (sealed.size() < kHeader + kTag || !sealed.starts_with(kMagic))
    return fail(Code::kInvalid, "no sealed map of pseudonyms");
  const auto cipher = sealed.substr(kHeader, sealed.size() - kHeader - kTag);
  std::string tag(sealed.substr(sealed.size() - kTag)), plain(cipher.size(), '\0');
  const std::string aad = associated(sealed.substr(0, 12), conversation);
  const auto secret = cipher_key(key);
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int n = 0;
  const bool ok =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secret.data(), bytes(sealed.substr(12))) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &n, bytes(aad), static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), reinterpret_cast<uint8_t*>(plain.data()), &n, bytes(cipher),
                        static_cast<int>(cipher.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), reinterpret_cast<uint8_t*>(plain.data()) + n, &n) == 1;
  if (!ok) return fail(Code::kInvalid, "the sealed map of pseudonyms is not intact, or of another key or conversation");
  // The expiry is authentic only now.
  Reader head{sealed.substr(4)};
  if (static_cast<int64_t>(head.number(8)) <= now) return fail(Code::kNotFound, "the map of pseudonyms has expired");

  by_placeholder_.clear(), spellings_.clear(), spelling_of_.clear(), beginning_.clear();
  by_first_word_ = {};
  Reader reader{plain};
  const uint64_t count = reader.number(4);
  for (uint64_t i = 0; reader.ok && i < count && i < kMaxEntries; ++i) {
    const uint64_t entity = reader.number(1);
    const bool exact = reader.number(1) != 0;
    const std::string placeholder(reader.text(reader.number(1)));
    const std::string value(reader.text(reader.number(4)));
    if (!reader.ok || entity >= kEntities || value.empty())
      return fail(Code::kInvalid, "the map of pseudonyms is not ours");
    const Entry entry{static_cast<Entity>(entity), value, exact};
    by_placeholder_.emplace(placeholder, entry);
    index(placeholder, entry);
  }
  OPENSSL_cleanse(plain.data(), plain.size());
  if (!reader.ok) return fail(Code::kInvalid, "the map of pseudonyms is not ours");
  return {};
}

}  // namespace ajar::guard
