#pragma once
// A parsed template: one kind of node for everything, since there is little to each.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/jinja/value.h"

namespace ajar::jinja {

struct Node;
using NodePtr = std::unique_ptr<Node>;
using Nodes = std::vector<NodePtr>;

struct Node {
  enum class Kind : uint8_t {
    // Expressions.
    kConst,    // value
    kName,     // text
    kAttribute,  // kids[0] . text
    kItem,     // kids[0] [ kids[1] ]
    kSlice,    // kids: begin, end, step; each may be null. Within kItem only
    kCall,     // kids[0] ( arguments )
    kFilter,   // kids[0] | text ( arguments ); kids[0] is null in front of a block
    kTest,     // kids[0] is text ( arguments )
    kNot, kNegate, kPlus,  // kids[0]
    kBinary,   // kids[0] text kids[1]
    kCompare,  // kids[0] names[0] kids[1] names[1] kids[2] ...
    kAnd, kOr,
    kConcat,   // kids
    kTernary,  // kids: then, condition, else (may be null)
    kList, kTuple,
    kDict,     // kids: key, value, key, value ...
    // Statements.
    kData,     // text
    kPrint,    // kids[0]
    kIf,       // kids: condition, condition ...; bodies, one more where there is an else
    kFor,      // kids: target, sequence, test (may be null); flag: recursive; bodies: body, else
    kSet,      // kids: target, value
    kSetBlock,  // kids: target, filter (may be null); bodies
    kMacro,    // text, names (parameters), kids (their defaults, null: none); bodies; uses
    kCallBlock,  // kids[0]: the call; names, rest (defaults); bodies; uses
    kFilterBlock,  // kids[0]: filters; bodies
    kWith,     // kids: target, value, target, value ...; bodies
    kScope,    // bodies: {% generation %}
    kBreak, kContinue,
  };
  Kind kind = Kind::kConst;
  bool flag = false;
  uint32_t line = 0;
  uint32_t depth = 1;  // of the tree below
  std::string text;
  Value value;
  Nodes kids;
  std::vector<std::string> names;
  std::vector<Nodes> bodies;
  // Arguments of calls, filters and tests.
  Nodes rest;  // by place
  std::vector<std::pair<std::string, NodePtr>> named;
  NodePtr star, star_star;
  // What a macro's body speaks of.
  bool uses_varargs = false, uses_kwargs = false, uses_caller = false;
};

}  // namespace ajar::jinja
