#pragma once
// Reversible pseudonyms. Before a request goes where its data may not, personal data become placeholders (PERSON_7F3A);
// in the answer they become the data again (restorer.h). One Pseudonyms is the map of one conversation; whoever keeps
// it between turns keeps it sealed. Not shared between threads.
//
// A placeholder is HMAC-SHA256(tenant key, entity, normalised value), so the same person keeps theirs in every turn,
// another tenant's differs, and nobody computes it back. What stands in a map is restored from that map only: never
// from another conversation's.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "core/request.h"
#include "guard/scanner.h"
#include "guard/texts.h"
#include "guard/word_table.h"

namespace ajar::guard {

struct PseudonymOptions {
  // Pictures, sound and PDFs cannot be masked. False: a request with one is refused.
  bool allow_media = false;
};

class Pseudonyms {
 public:
  static constexpr size_t kMaxEntries = 20'000;  // values of one conversation
  static constexpr size_t kMinKeyBytes = 16;

  // `scanner` outlives this; its options say what is masked. `tenant_key`: secret, at least kMinKeyBytes.
  Pseudonyms(const Scanner& scanner, std::string tenant_key, PseudonymOptions options = {});

  // Masks every text that a model would read: messages, tool calls and their results, documents, declarations, extra
  // members. On an error `request` is half masked and must not be sent: kUnsupported (media), kTooLarge (more values
  // than kMaxEntries), kInternal (a known value is still in it).
  Status mask(Request& request);
  // One text by itself.
  Result<std::string> mask_text(std::string_view text);

  // The value behind a placeholder in its canonical form; empty: not of this conversation.
  std::string_view original(std::string_view placeholder) const;
  size_t size() const { return by_placeholder_.size(); }
  // True: a value of this conversation stands in `text`, in any case, as whole words. What must hold for nothing sent.
  bool leaks(std::string_view text) const;

  // For keeping: AES-256-GCM under a key derived from `key` (32 bytes or more, not the tenant's), bound to
  // `conversation`, readable until `expires` (unix seconds). Layout: "AJP1", expiry (8 bytes, big-endian), nonce (12),
  // ciphertext, tag (16). Empty: the system gave no random bytes.
  std::string seal(std::string_view key, std::string_view conversation, int64_t expires) const;
  // Reads what seal made. kNotFound: expired at `now`. kInvalid: another key, another conversation, or not intact.
  Status open(std::string_view sealed, std::string_view key, std::string_view conversation, int64_t now);

 private:
  friend class MaskVisitor;
  struct Entry {
    Entity entity;
    std::string value;  // as it was written first
    bool exact;         // only this case: parts of names, which may be words
  };
  Result<std::string> placeholder_for(Entity entity, std::string_view value, bool exact);
  Status learn(std::string_view text, const Findings& findings);
  std::string replace_known(std::string_view text) const;
  void index(const std::string& placeholder, const Entry& entry);
  std::string digest(Entity entity, std::string_view normalised) const;  // upper-case hex

  const Scanner& scanner_;
  std::string key_;
  PseudonymOptions options_;
  std::map<std::string, Entry, std::less<>> by_placeholder_;
  // Every spelling that was seen → its placeholder; and, by the first word of a spelling in lower case, the spellings
  // that begin so.
  struct Spelling {
    std::string text;
    std::string placeholder;
    bool exact;
  };
  std::vector<Spelling> spellings_;
  WordTable by_first_word_;                                // 1 + place in beginning_
  std::vector<std::vector<uint32_t>> beginning_;           // spellings that begin with the same word
  std::unordered_map<std::string, uint32_t> spelling_of_;  // entity and text → place in spellings_
  std::vector<std::string> foreign_;  // what looks like a placeholder in this request and is none of ours
};

}  // namespace ajar::guard
