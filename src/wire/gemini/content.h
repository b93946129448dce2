#pragma once
// Messages as Gemini's contents: instructions apart, roles user and model in turns, function
// responses right after their calls. https://ai.google.dev/api/caching#Content

#include <string>
#include <vector>

#include "base/error.h"
#include "core/request.h"
#include "wire/gemini/models.h"

namespace ajar::wire::gemini {

struct Conversation {
  std::string system;    // text parts, comma-separated; empty: none
  std::string contents;  // comma-separated
};

// Fails with kUnsupported naming the part that cannot be said, kInvalid when nothing is left to
// say.
//
// Decisions: leading system and developer messages become systemInstruction; later ones text in the
// user's turn, inside <system> tags; a thought goes back only with Gemini's own signature; a
// function response that answers no call of the turn before it becomes text. A model that refuses
// calls without a signature gets Google's documented placeholder where the client lost it or
// another provider made the call.
Result<Conversation> write_conversation(const Request& request, const ModelTraits& traits,
                                        std::vector<std::string>& dropped);

}  // namespace ajar::wire::gemini
