#pragma once
// Every text of a request that a model would read, in one walk: so that whoever masks or judges forgets none.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/request.h"

namespace ajar::guard {

// Whose words they are. Tool results and documents are nobody's: what stands in them is data, whatever it says.
enum class Origin : uint8_t { kSystem, kUser, kAssistant, kTool, kDocument, kDeclaration };
std::string_view origin_name(Origin origin);
inline bool tainted(Origin origin) { return origin == Origin::kTool || origin == Origin::kDocument; }

enum class TextForm : uint8_t {
  kPlain,
  kJson,    // one JSON value, or the members of an object; a model may have written it broken
  kBase64,  // text in base64 (a document of a text type)
  kOpaque,  // base64 that is no text: pictures, sound, PDF
};

struct TextPlace {
  Origin origin = Origin::kUser;
  TextForm form = TextForm::kPlain;
  std::string_view member;    // "content", "arguments", "description": static
  size_t message = SIZE_MAX;  // or SIZE_MAX: of the request itself
  size_t part = SIZE_MAX;
  size_t tool = SIZE_MAX;
  std::string where() const;  // "messages[2].parts[0].arguments"
};

class TextVisitor {
 public:
  virtual ~TextVisitor() = default;
  virtual bool visit(std::string& text, const TextPlace& place) = 0;  // false: stop the walk
};

// Visits what is not empty, in order: messages, tools, the rest. False: the visitor stopped.
bool visit_texts(Request& request, TextVisitor& visitor);

}  // namespace ajar::guard
