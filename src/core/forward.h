#pragma once
// A request that is passed on in its own form, because its words mean the same to every server that offers it:
// moderations, pictures, sound. It was parsed and is written again by us; nothing of the client's bytes is copied through.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/request.h"

namespace ajar {

enum class ForwardKind : uint8_t {
  kModeration,
  kImageGeneration,
  kImageEdit,
  kImageVariation,
  kSpeech,
  kTranscription,
  kTranslation,
};

// One part of a multipart/form-data body (RFC 7578).
struct FormPart {
  std::string name;
  std::string filename;      // empty: a plain field
  std::string content_type;  // empty: none was given
  std::string data;
};

struct ForwardRequest {
  ForwardKind kind = ForwardKind::kModeration;
  std::string model;             // the route's public name
  RawMembers members;            // JSON form: every member but `model`
  std::vector<FormPart> form;    // form: every part but `model`, in order
  bool is_form = false;
  bool stream = false;
  std::string text;              // what of it is text, for estimates: the prompt, the text to be spoken
  // What is sold by count and known before the call: pictures asked for, characters to be spoken.
  Usage planned;
};

}  // namespace ajar
