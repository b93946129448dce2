// Which encoding a text has (RFC 3629, the WHATWG's labels by ICU's aliases), and the way to UTF-8.

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include <memory>

#include "base/text.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

std::string converted(std::string_view bytes, const char* encoding) {
  UErrorCode error = U_ZERO_ERROR;
  const auto length = static_cast<int32_t>(bytes.size());
  const int32_t needed = ucnv_convert("UTF-8", encoding, nullptr, 0, bytes.data(), length, &error);
  if (error != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(error)) return {};
  std::string out(static_cast<size_t>(needed), '\0');
  error = U_ZERO_ERROR;
  ucnv_convert("UTF-8", encoding, out.data(), needed, bytes.data(), length, &error);
  return U_FAILURE(error) ? std::string() : out;
}

bool known(const std::string& encoding) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(encoding.c_str(), &error), &ucnv_close);
  return U_SUCCESS(error);
}

// NULs at every other byte.
const char* wide_encoding(std::string_view bytes) {
  size_t even = 0, odd = 0;
  bytes = bytes.substr(0, 4096);
  for (size_t i = 0; i < bytes.size(); ++i) (i % 2 == 0 ? even : odd) += bytes[i] == '\0' ? 1 : 0;
  if (bytes.size() < 16) return nullptr;
  if (odd * 4 > bytes.size() && even * 20 < bytes.size()) return "UTF-16LE";
  if (even * 4 > bytes.size() && odd * 20 < bytes.size()) return "UTF-16BE";
  return nullptr;
}

std::string detected(std::string_view bytes) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&error), &ucsdet_close);
  const std::string_view part = bytes.substr(0, 65536);
  ucsdet_setText(detector.get(), part.data(), static_cast<int32_t>(part.size()), &error);
  const UCharsetMatch* match = ucsdet_detect(detector.get(), &error);
  if (U_FAILURE(error) || match == nullptr) return "windows-1252";
  const char* name = ucsdet_getName(match, &error);
  if (U_FAILURE(error) || ucsdet_getConfidence(match, &error) < 10) return "windows-1252";
  return std::string_view(name) == "ISO-8859-1" ? "windows-1252" : name;  // as browsers do
}

}  // namespace

std::string to_utf8(std::string_view bytes, std::string_view declared) {
  bytes = bytes.substr(0, 1 << 30);
  if (bytes.starts_with("\xEF\xBB\xBF")) return clean_text(bytes.substr(3), true);
  std::string encoding;
  if (bytes.starts_with("\xFF\xFE")) encoding = "UTF-16LE", bytes.remove_prefix(2);
  else if (bytes.starts_with("\xFE\xFF")) encoding = "UTF-16BE", bytes.remove_prefix(2);
  else if (const char* wide = wide_encoding(bytes)) encoding = wide;
  if (encoding.empty()) {
    const std::string label = to_lower(trim(declared));
    // ISO-2022 is ASCII on the outside.
    if (valid_utf8(bytes) && !label.starts_with("iso-2022") && bytes.find('\x1B') == std::string_view::npos) return std::string(bytes);
    if (!label.empty() && !label.starts_with("utf") && label != "unicode" && known(label)) {
      encoding = label == "iso-8859-1" || label == "us-ascii" || label == "latin1" ? "windows-1252" : label;
    } else {
      encoding = detected(bytes);
    }
  }
  std::string out = converted(bytes, encoding.c_str());
  return out.empty() ? clean_text(bytes, true) : out;
}

}  // namespace ajar::rag
