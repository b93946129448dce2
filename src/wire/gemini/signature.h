#pragma once
// Signatures of other makers as thoughtSignature. Clients treat it as base64 and give it back; a mark inside the bytes
// says whose it is, so that it goes back to its maker and to nobody else.

#include <string>
#include <string_view>

#include "core/request.h"

namespace ajar::wire::gemini {

// `redacted`: not a signature but the whole of a thought that its provider keeps to itself.
std::string mark_signature(DialectId origin, bool redacted, std::string_view signature);

struct Signature {
  DialectId origin = DialectId::kGemini;
  bool redacted = false;
  std::string text;  // empty when its maker is not known
};
Signature read_signature(std::string_view thought_signature);

}  // namespace ajar::wire::gemini
