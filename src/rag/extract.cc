#include "rag/extract.h"

#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "rag/zip.h"

namespace ajar::rag {
namespace {

std::string extension_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? "" : to_lower(name.substr(dot + 1));
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Names of the streams of an OLE file are UTF-16.
bool contains_wide(std::string_view bytes, std::string_view ascii) {
  std::string wide;
  for (const char c : ascii) wide.push_back(c), wide.push_back('\0');
  return contains(bytes, wide);
}

std::unexpected<Error> unread(std::string what) { return fail(Code::kUnsupported, std::move(what)); }

std::unexpected<Error> refuse_ole(std::string_view bytes) {
  if (contains_wide(bytes, "EncryptedPackage")) return fail(Code::kInvalid, "it is encrypted with a password");
  if (contains_wide(bytes, "WordDocument")) return unread("it is a Word 97-2003 document (.doc); save it as DOCX");
  if (contains_wide(bytes, "Workbook") || contains_wide(bytes, "Book")) return unread("it is an Excel 97-2003 workbook (.xls); save it as XLSX");
  if (contains_wide(bytes, "PowerPoint Document")) return unread("it is a PowerPoint 97-2003 presentation (.ppt); save it as PPTX");
  if (contains_wide(bytes, "__properties_version1.0")) return unread("it is an Outlook message (.msg); save it as EML");
  return unread("it is an OLE compound file of a kind that is not read");
}

Result<Format> detect_zip(std::string_view bytes) {
  AJAR_ASSIGN(const Zip zip, Zip::open(bytes));
  if (const auto mimetype = zip.read("mimetype")) {
    if (contains(*mimetype, "epub")) return Format::kEpub;
    if (contains(*mimetype, "opendocument")) return Format::kOdf;
  }
  if (zip.has("word/document.xml") || zip.has("word/document2.xml")) return Format::kDocx;
  if (zip.has("ppt/presentation.xml")) return Format::kPptx;
  if (zip.has("xl/workbook.xml")) return Format::kXlsx;
  if (zip.has("META-INF/container.xml")) return Format::kEpub;
  if (zip.has("content.xml")) return Format::kOdf;
  if (zip.has("xl/workbook.bin")) return unread("it is a binary Excel workbook (.xlsb); save it as XLSX");
  if (zip.has("[Content_Types].xml")) {
    if (const auto types = zip.read("[Content_Types].xml")) {
      if (contains(*types, "wordprocessingml.document.main")) return Format::kDocx;
      if (contains(*types, "presentationml")) return Format::kPptx;
      if (contains(*types, "spreadsheetml")) return Format::kXlsx;
    }
  }
  return unread("it is a ZIP archive, not a document; unpack it");
}

struct Magic {
  std::string_view bytes, what;
};
constexpr Magic kUnread[] = {
    {"\x89PNG", "a PNG image"}, {"\xFF\xD8\xFF", "a JPEG image"}, {"GIF8", "a GIF image"}, {"II*\0", "a TIFF image"}, {"MM\0*", "a TIFF image"},
    {"BM", "a bitmap"}, {"\x1F\x8B", "a gzip archive"}, {"BZh", "a bzip2 archive"}, {"\xFD" "7zXZ", "an xz archive"}, {"7z\xBC\xAF", "a 7-Zip archive"},
    {"Rar!", "a RAR archive"}, {"\x7F" "ELF", "a program"}, {"MZ", "a program"}, {"SQLite format 3", "a database"}, {"OggS", "audio or video"},
    {"ID3", "audio"}, {"%!PS", "a PostScript file"},
};

// Of the first bytes as text: does a line say "Name: value" as mails do?
bool looks_like_mail(std::string_view text) {
  static constexpr std::string_view kKnown[] = {"from", "to", "subject", "date", "received", "message-id", "mime-version", "return-path",
                                                "content-type", "x-mailer", "delivered-to", "reply-to", "cc", "dkim-signature",
                                                "newsgroups", "path", "organization", "references"};
  int known = 0, lines = 0;
  for (std::string_view line : split(text.substr(0, 8192), '\n')) {
    line = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {
      if (lines == 0) return false;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 60 || contains(line.substr(0, colon), " ")) {
      if (lines == 0) return false;
      break;
    }
    ++lines;
    const std::string field = to_lower(line.substr(0, colon));
    known += std::find(std::begin(kKnown), std::end(kKnown), field) != std::end(kKnown) ? 1 : 0;
  }
  return known >= 2 || (known >= 1 && lines >= 3);
}

bool looks_like_html(std::string_view start) {
  const std::string low = to_lower(start);
  for (const std::string_view tag : {"<!doctype html", "<html", "<head", "<body", "<title", "<meta ", "<div", "<table", "<p>", "<script"})
    if (contains(low, tag)) return true;
  return false;
}

int separators(std::string_view line, char separator) {
  int n = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    n += !quoted && c == separator ? 1 : 0;
  }
  return n;
}

bool looks_like_csv(std::string_view text) {
  const auto lines = split(text.substr(0, 16384), '\n');
  if (lines.size() < 3) return false;
  for (const char separator : {',', ';', '\t'}) {
    const int wanted = separators(lines[0], separator);
    size_t same = 0, seen = 0;
    for (size_t i = 0; i + 1 < lines.size() && i < 20; ++i) ++seen, same += separators(lines[i], separator) == wanted ? 1 : 0;
    if (wanted >= (separator == ',' ? 2 : 1) && same == seen) return true;
  }
  return false;
}

bool looks_like_markdown(std::string_view text) {
  int marks = 0, lines = 0;
  for (const std::string_view line : split(text.substr(0, 16384), '\n')) {
    ++lines;
    marks += line.starts_with("# ") || line.starts_with("## ") || line.starts_with("### ") || line.starts_with("```") ? 3 : 0;
    marks += contains(line, "](http") || line.starts_with("* ") || line.starts_with("- ") ? 1 : 0;
  }
  return marks >= 3 && marks * 10 >= lines;
}

bool binary(std::string_view text) {
  size_t controls = 0;
  text = text.substr(0, 65536);
  for (const char c : text) controls += (static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\x1B') ? 1 : 0;
  return controls * 50 > text.size();
}

bool wide(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return true;
  size_t even = 0, odd = 0;
  bytes = bytes.substr(0, 4096);
  for (size_t i = 0; i < bytes.size(); ++i) (i % 2 == 0 ? even : odd) += bytes[i] == '\0' ? 1 : 0;
  return bytes.size() >= 16 && std::max(even, odd) * 4 > bytes.size() && std::min(even, odd) * 20 < bytes.size();
}

}  // namespace

Result<Format> detect_format(std::string_view bytes, std::string_view name) {
  if (trim(bytes).empty()) return fail(Code::kInvalid, "it is empty");
  if (contains(bytes.substr(0, 1024), "%PDF-")) return Format::kPdf;
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06") || bytes.starts_with("PK\x07\x08")) return detect_zip(bytes);
  if (bytes.starts_with("\xD0\xCF\x11\xE0")) return refuse_ole(bytes);
  if (bytes.starts_with("{\\rtf")) return Format::kRtf;
  if (bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP") return unread("it is a WebP image; text in images is not read");
  for (const Magic& magic : kUnread) {
    if (!bytes.starts_with(magic.bytes) || (magic.bytes.size() == 2 && !binary(bytes))) continue;
    const bool image = contains(magic.what, "image") || contains(magic.what, "bitmap");
    return unread("it is " + std::string(magic.what) + (image ? "; text in images is not read" : ", not a document"));
  }
  if (wide(bytes)) {
    const std::string text = to_utf8(bytes.substr(0, 65536));
    return looks_like_html(std::string_view(text).substr(0, 4096)) ? Format::kHtml : Format::kText;
  }
  if (binary(bytes)) return unread("it is binary data of an unknown kind");
  std::string_view start = bytes.starts_with("\xEF\xBB\xBF") ? bytes.substr(3) : bytes;
  start = trim(start);
  if (start.empty()) return fail(Code::kInvalid, "it is empty");
  const std::string extension = extension_of(name);
  if (start.starts_with("From ") && contains(start.substr(0, start.find('\n')), ":")) return Format::kMailbox;
  if ((start.front() == '{' || start.front() == '[') && (extension == "json" || json::scratch().parse(start))) return Format::kJson;
  if (extension == "md" || extension == "markdown") return Format::kMarkdown;
  if (start.starts_with("<?xml") || (start.front() == '<' && extension == "xml")) {
    const std::string low = to_lower(start.substr(0, 2048));
    return contains(low, "<html") || contains(low, "<!doctype html") ? Format::kHtml : Format::kXml;
  }
  if (start.front() == '<' && looks_like_html(start.substr(0, 65536))) return Format::kHtml;
  if ((extension == "html" || extension == "htm" || extension == "xhtml") && contains(start, "<")) return Format::kHtml;
  if (looks_like_mail(start)) return Format::kEmail;
  if (looks_like_html(start.substr(0, 1024)) && contains(start, "</")) return Format::kHtml;
  if (extension == "csv" || extension == "tsv" || looks_like_csv(start)) return Format::kCsv;
  return looks_like_markdown(start) ? Format::kMarkdown : Format::kText;
}

Result<Extracted> extract(std::string_view bytes, std::string_view name, const OcrOptions& ocr) {
  if (ocr.on && is_picture(bytes)) return read_picture(bytes, ocr);
  AJAR_ASSIGN(const Format format, detect_format(bytes, name));
  switch (format) {
    case Format::kPdf: return extract_pdf(bytes, ocr);
    case Format::kDocx: return extract_docx(bytes);
    case Format::kPptx: return extract_pptx(bytes);
    case Format::kXlsx: return extract_xlsx(bytes);
    case Format::kOdf: return extract_odf(bytes);
    case Format::kEpub: return extract_epub(bytes);
    case Format::kRtf: return extract_rtf(bytes);
    case Format::kHtml: return extract_html(bytes);
    case Format::kMarkdown: return extract_markdown(to_utf8(bytes));
    case Format::kText: return extract_text(to_utf8(bytes));
    case Format::kCsv: return extract_csv(to_utf8(bytes));
    case Format::kJson: return extract_json(to_utf8(bytes));
    case Format::kEmail: return extract_email(bytes);
    case Format::kMailbox: return extract_mailbox(bytes);
    case Format::kXml: return extract_xml(bytes);
  }
  return fail(Code::kInternal, "a format without an extractor");
}

}  // namespace ajar::rag
