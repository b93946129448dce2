#pragma once
// Text in pictures, by tesseract where it is installed: a program of its own, found at run time and run inside the helper process's
// limits. Scanned pages of a PDF are drawn by pdftoppm of poppler-utils first.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "rag/extracted.h"

namespace ajar::rag {

struct OcrOptions {
  bool on = false;
  std::string languages = "eng";  // as tesseract names them, joined by '+'
  uint32_t pages = 200;           // of one document, at the most; the others are left out, and its note says so
  uint32_t seconds = 300;         // of the wall, for all of them
};
bool valid_languages(std::string_view languages);  // of letters, digits, '_' and '+'

// To the helper and back: "eng+deu/200/300"; anything else: off.
std::string write_ocr(const OcrOptions& options);
OcrOptions read_ocr(std::string_view text);

bool is_picture(std::string_view bytes);  // PNG, JPEG, TIFF

// What is missing, and how to get it; empty: nothing. `drawing`: pages must be drawn too.
std::string ocr_missing(bool drawing);

// kUnsupported: a program is missing, or there is no text; kInvalid: it cannot be read.
Result<Extracted> read_picture(std::string_view bytes, const OcrOptions& options);

// A PDF whose text layer lacks `scanned` (pages from 1, ascending; never empty): with what stands on them. `layer`: what was found
// without; nothing when there is no text on any page.
Result<Extracted> read_scanned_pages(std::string_view pdf, std::span<const uint32_t> scanned, uint32_t pages, const Extracted* layer, const OcrOptions& options);

}  // namespace ajar::rag
