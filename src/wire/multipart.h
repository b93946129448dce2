#pragma once
// multipart/form-data: RFC 7578 (and RFC 2046, section 5.1).

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/forward.h"

namespace ajar::wire {

// Errors are kInvalid and say what is wrong with the body. At most kMaxFormParts parts.
Result<std::vector<FormPart>> read_form(std::string_view content_type, std::string_view body);
inline constexpr size_t kMaxFormParts = 256;

// Appends a body of these parts; `boundary` must stand in none of them (form_boundary() gives such a one).
void write_form(std::string& out, const std::vector<FormPart>& parts, std::string_view boundary);
std::string form_boundary(const std::vector<FormPart>& parts);

}  // namespace ajar::wire
