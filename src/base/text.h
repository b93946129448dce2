#pragma once
// Small text helpers that the standard library lacks. ASCII only where case matters.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ajar {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }
bool iequals(std::string_view a, std::string_view b);
std::string to_lower(std::string_view text);
std::string_view trim(std::string_view text);  // spaces, tabs, CR, LF
std::vector<std::string_view> split(std::string_view text, char separator);
std::optional<int64_t> parse_int(std::string_view text);  // whole text, decimal
std::optional<double> parse_double(std::string_view text);
bool valid_utf8(std::string_view text);
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // standard or URL alphabet
std::string percent_encode(std::string_view text);                // RFC 3986 unreserved kept
std::optional<std::string> percent_decode(std::string_view text);
// "32MiB", "500 KB", "1048576": bytes, or nothing.
std::optional<int64_t> parse_bytes(std::string_view text);
// "250ms", "30s", "5m", "2h": milliseconds, or nothing.
std::optional<int64_t> parse_duration_ms(std::string_view text);

}  // namespace ajar
