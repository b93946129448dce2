#include "guard/pseudonym.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/text.h"
#include "guard/gazetteer.h"
#include "guard/json_text.h"
#include "guard/masks.h"
#include "guard/placeholder.h"

namespace ajar::guard {
namespace {

// What makes two spellings the same value: names by case and spaces, numbers by their digits and letters.
std::string normalise(Entity entity, std::string_view value) {
  std::string out;
  const bool words = entity == Entity::kPerson || entity == Entity::kLocation || entity == Entity::kNrp;
  const bool exact =
      entity == Entity::kSecret || entity == Entity::kUrl || entity == Entity::kCrypto || entity == Entity::kDateTime;
  if (exact) return std::string(value);
  for (const char c : value) {
    if (is_upper(c))
      out.push_back(static_cast<char>(c | 0x20));
    else if (is_word(c) || (entity == Entity::kEmail && c > ' '))
      out.push_back(c);
    else if (words && !out.empty() && out.back() != ' ')
      out.push_back(' ');
    else if (entity == Entity::kIpAddress || entity == Entity::kMacAddress)
      out.push_back(c);
    else if (entity == Entity::kPhone && c == '+')
      out.push_back(c);
  }
  return out;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char low(char c) { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }

// The length of `spelling` at the beginning of `text`: case and kind of white space do not count. 0: it is not there.
size_t match_spelling(std::string_view text, std::string_view spelling, bool exact) {
  size_t at = 0;
  for (size_t i = 0; i < spelling.size(); ++i) {
    if (is_space(spelling[i])) {
      const size_t from = at;
      while (at < text.size() && is_space(text[at])) ++at;
      if (at == from) return 0;
      while (i + 1 < spelling.size() && is_space(spelling[i + 1])) ++i;
      continue;
    }
    if (at == text.size() || (exact ? text[at] != spelling[i] : low(text[at]) != low(spelling[i]))) return 0;
    ++at;
  }
  if (at < text.size() && is_word(text[at]) && is_word(text[at - 1])) return 0;
  return at;
}

std::string_view first_word(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && is_word(text[end])) ++end;
  return text.substr(0, end == 0 ? 1 : end);
}

}  // namespace

Pseudonyms::Pseudonyms(const Scanner& scanner, std::string tenant_key, PseudonymOptions options)
    : scanner_(scanner), key_(std::move(tenant_key)), options_(options) {}

std::string Pseudonyms::digest(Entity entity, std::string_view normalised) const {
  const std::string text = std::string(entity_name(entity)).append(1, '\0').append(normalised);
  uint8_t mac[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const uint8_t*>(text.data()),
       text.size(), mac, &length);
  std::string hex;
  for (size_t i = 0; i < kMaxHex / 2; ++i) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    hex += kDigits[mac[i] >> 4];
    hex += kDigits[mac[i] & 15];
  }
  return hex;
}

void Pseudonyms::index(const std::string& placeholder, const Entry& entry) {
  const std::string key = std::string(1, static_cast<char>(entry.entity)) + entry.value;
  if (!spelling_of_.emplace(key, static_cast<uint32_t>(spellings_.size())).second) return;
  const auto word = first_word(entry.value);
  if (by_first_word_.of(word) == 0) {
    beginning_.emplace_back();
    by_first_word_.add(word, beginning_.size());
  }
  beginning_[by_first_word_.of(word) - 1].push_back(static_cast<uint32_t>(spellings_.size()));
  spellings_.push_back({entry.value, placeholder, entry.exact});
}

Result<std::string> Pseudonyms::placeholder_for(Entity entity, std::string_view value, bool exact) {
  const std::string spelled(value), key = std::string(1, static_cast<char>(entity)) + spelled;
  if (const auto seen = spelling_of_.find(key); seen != spelling_of_.end()) return spellings_[seen->second].placeholder;
  if (spellings_.size() >= kMaxEntries) return fail(Code::kTooLarge, "too many personal values in one conversation");
  const std::string normalised = normalise(entity, value), hex = digest(entity, normalised);
  // Four digits unless another value has them or the prompt itself says this; then two more.
  for (size_t n = kMinHex; n <= kMaxHex; n += 2) {
    std::string placeholder = std::string(entity_name(entity)).append(1, '_').append(hex, 0, n);
    if (std::find(foreign_.begin(), foreign_.end(), placeholder) != foreign_.end()) continue;
    const auto taken = by_placeholder_.find(placeholder);
    if (taken != by_placeholder_.end() && normalise(entity, taken->second.value) != normalised) continue;
    const Entry entry{entity, spelled, exact};
    if (taken == by_placeholder_.end()) by_placeholder_.emplace(placeholder, entry);
    index(placeholder, entry);
    return placeholder;
  }
  return fail(Code::kInternal, "no free placeholder");
}

Status Pseudonyms::learn(std::string_view text, const Findings& findings) {
  for (const Finding& f : findings) {
    const auto value = text.substr(f.begin, f.end - f.begin);
    // Our own placeholders are no findings.
    if (const auto ours = match_placeholder(std::string(value) + ' '); ours.state == PlaceholderMatch::State::kYes)
      continue;
    // One word is replaced elsewhere only as it is written: "Turkey" is a place, "turkey" is not.
    const bool word = f.entity == Entity::kLocation || f.entity == Entity::kNrp ||
                      (f.entity == Entity::kPerson && value.find(' ') == value.npos);
    AJAR_TRY(placeholder_for(f.entity, value, word));
    if (f.entity != Entity::kPerson) continue;
    // "John Smith" is also "Smith" later, where nothing says that this is a name. Ordinary words stay.
    for (size_t at = 0; at < value.size();) {
      size_t end = at;
      while (end < value.size() && is_word(value[end])) ++end;
      const auto part = value.substr(at, end - at);
      if (part.size() >= 4 && part.size() < value.size() && (is_upper(part[0]) || is_high(part[0])) &&
          !(gazetteer().of(part) & (kCommon | kAmbiguous | kPlace | kTitle | kNationality | kStreet))) {
        AJAR_TRY(placeholder_for(Entity::kPerson, part, true));
      }
      at = end + 1;
    }
  }
  return {};
}

std::string Pseudonyms::replace_known(std::string_view text) const {
  std::string out;
  size_t copied = 0;
  for (size_t at = 0; at < text.size() && !spellings_.empty();) {
    const bool starts = !is_word(text[at]) || at == 0 || !is_word(text[at - 1]);
    if (starts && !is_space(text[at])) {
      const uint64_t place = by_first_word_.of(first_word(text.substr(at, 128)));
      size_t best = 0;
      const Spelling* which = nullptr;
      if (place != 0) {
        for (const uint32_t c : beginning_[place - 1]) {
          const size_t n = match_spelling(text.substr(at), spellings_[c].text, spellings_[c].exact);
          if (n > best) best = n, which = &spellings_[c];
        }
      }
      if (which != nullptr) {
        out.append(text, copied, at - copied).append(which->placeholder);
        at = copied = at + best;
        continue;
      }
    }
    ++at;
  }
  return out.append(text, copied);
}

bool Pseudonyms::leaks(std::string_view text) const { return replace_known(text) != text; }

std::string_view Pseudonyms::original(std::string_view placeholder) const {
  const auto found = by_placeholder_.find(placeholder);
  return found == by_placeholder_.end() ? std::string_view{} : std::string_view(found->second.value);
}

Result<std::string> Pseudonyms::mask_text(std::string_view text) {
  AJAR_TRY(learn(text, scanner_.scan(text)));
  return replace_known(text);
}

}  // namespace ajar::guard
