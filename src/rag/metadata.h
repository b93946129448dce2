#pragma once
// What is known of a document beside its text, and questions about it.

#include <compare>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace ajar::rag {

using Value = std::variant<std::string, double, bool>;
using Metadata = std::map<std::string, Value>;

inline constexpr size_t kMaxFields = 64;         // of one document
inline constexpr size_t kMaxFieldName = 128;     // bytes
inline constexpr size_t kMaxFieldValue = 1024;

// {"year": 2024, "team": "x", "draft": false}. kInvalid names the field.
Result<Metadata> read_metadata(std::string_view json);
std::string write_metadata(const Metadata& metadata);

// A condition, or several joined. As OpenAI's vector stores write it:
//   {"type":"eq","key":"year","value":2024}, ne, gt, gte, lt, lte; {"type":"in","key":..,"value":[..]}, nin;
//   {"type":"and","filters":[..]}, or
struct Filter {
  enum class Kind : uint8_t { kAll, kEq, kNe, kGt, kGe, kLt, kLe, kIn, kNotIn, kAnd, kOr };
  Kind kind = Kind::kAll;
  std::string field;
  std::vector<Value> values;
  std::vector<Filter> filters;
};
inline constexpr int kMaxFilterDepth = 8;
inline constexpr size_t kMaxFilterValues = 10'000;

Result<Filter> read_filter(std::string_view json);  // kInvalid says where

// Who reads. A document without an allow-list is for everyone who may use the collection; one with a list is for those
// who have a principal ("user:ada", "group:legal") on it. `everything`: for the collection's administrators.
struct Reader {
  bool everything = false;
  std::vector<std::string> principals;
};

}  // namespace ajar::rag
