#pragma once
// Bytes of a file to its text. Runs in the helper process (convert.h): a file may take time and memory here and may kill the
// process; it does no harm beyond that. Told by content; the name decides only between kinds of plain text.
//
// Errors: kUnsupported says what the file is and why it is not read; kInvalid says that it is damaged, encrypted or
// empty; kTooLarge says which limit it broke.

#include <string>
#include <string_view>

#include "rag/extracted.h"
#include "rag/ocr.h"

namespace ajar::rag {

enum class Format : uint8_t {
  kPdf, kDocx, kPptx, kXlsx, kOdf, kEpub, kRtf, kHtml, kMarkdown, kText, kCsv, kJson, kEmail, kMailbox, kXml,
};

Result<Format> detect_format(std::string_view bytes, std::string_view name);

Result<Extracted> extract(std::string_view bytes, std::string_view name, const OcrOptions& ocr = {});

// The extractors; each is given what detect_format() found to be its own.
Result<Extracted> extract_pdf(std::string_view bytes, const OcrOptions& ocr = {});
Result<Extracted> read_pdf_words(std::string_view xhtml);  // what `pdftotext -bbox-layout` wrote
Result<Extracted> extract_docx(std::string_view bytes);
Result<Extracted> extract_pptx(std::string_view bytes);
Result<Extracted> extract_xlsx(std::string_view bytes);
Result<Extracted> extract_odf(std::string_view bytes);     // text, sheets, slides of OpenDocument
Result<Extracted> extract_epub(std::string_view bytes);
Result<Extracted> extract_rtf(std::string_view bytes);
Result<Extracted> extract_html(std::string_view bytes);    // main content
Result<Extracted> extract_markdown(std::string_view utf8);
Result<Extracted> extract_text(std::string_view utf8);
Result<Extracted> extract_csv(std::string_view utf8);
Result<Extracted> extract_json(std::string_view utf8);
Result<Extracted> extract_email(std::string_view bytes);
Result<Extracted> extract_mailbox(std::string_view bytes);
Result<Extracted> extract_xml(std::string_view bytes);

// Any encoding to UTF-8: by byte order mark, by validity, by ICU's statistics. `declared`: what the file says of itself, which
// is believed when it is a known name and the bytes do not contradict it.
std::string to_utf8(std::string_view bytes, std::string_view declared = {});

// All of an HTML text, not only its main content: of chapters and mails.
void html_into(std::string_view html, TextBuilder& out);
// A mail's head and texts.
void email_into(std::string_view bytes, TextBuilder& out, int depth);

}  // namespace ajar::rag
