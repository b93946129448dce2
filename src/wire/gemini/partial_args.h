#pragma once
// Arguments of a function call that come in pieces:
// {"jsonPath":"$.items[0].name","stringValue":"ap", "willContinue":true}.
// https://ai.google.dev/api/caching#PartialArg (streamFunctionCallArguments)

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "json/read.h"

namespace ajar::wire::gemini {

class PartialArgs {
 public:
  PartialArgs();
  ~PartialArgs();
  // One element of partialArgs. Fails (kUpstream) on a path that cannot be followed, and on absurd
  // sizes.
  Status add(const json::Object& piece);
  bool empty() const;
  std::string json() const;  // what there is so far, as an object
  void clear();

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace ajar::wire::gemini
