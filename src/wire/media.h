#pragma once
// data: URIs and media types. https://www.rfc-editor.org/rfc/rfc2397

#include <string>
#include <string_view>

namespace ajar::wire {

inline bool is_data_uri(std::string_view url) {
  return url.starts_with("data:") || url.starts_with("DATA:");
}

// Splits a data: URI into its media type and base64 bytes (percent-encoded ones are converted).
// False when it is not one that can be read; the outputs are then untouched.
bool split_data_uri(std::string_view url, std::string& media_type, std::string& base64);
std::string join_data_uri(std::string_view media_type, std::string_view base64);

}  // namespace ajar::wire
