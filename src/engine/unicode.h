#pragma once
// What tokenizers need of Unicode: UTF-8, normal forms (UAX #15), lower case and a few properties.

#include <cstdint>
#include <string>
#include <string_view>

namespace ajar::engine::unicode {

// Takes one character off `text` at `at`. A byte that is not UTF-8 is returned as kBadByte + its value, so that
// append() writes it again as it was.
inline constexpr char32_t kBadByte = 0x80000000;
char32_t next(std::string_view text, size_t& at);
void append(std::string& out, char32_t c);
// Bytes of `text` that end in an incomplete character which more bytes could complete.
size_t incomplete_tail(std::string_view text);

std::u32string decode(std::string_view text);
std::string encode(std::u32string_view text);

enum class Form : uint8_t { kNfc, kNfd, kNfkc, kNfkd };
std::string normalize(std::string_view text, Form form);
std::string lower(std::string_view text);  // each character by itself

bool is_mark(char32_t c);          // category M
bool is_nonspacing(char32_t c);    // Mn
bool is_punctuation(char32_t c);   // P
bool is_other(char32_t c);         // C: controls, formats, unassigned
bool is_space(char32_t c);         // White_Space
bool is_cjk(char32_t c);           // what BERT puts spaces around

}  // namespace ajar::engine::unicode
