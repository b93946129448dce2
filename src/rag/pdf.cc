// PDF by pdftotext of poppler-utils, as a process of its own: it is GPL, and it reads what strangers wrote. It gives words with
// boxes, in reading order, in blocks; from these come paragraphs, headings (larger than most of the text) and pages.

#include <sys/wait.h>

#include <cmath>
#include <map>

#include "base/text.h"
#include "rag/extract.h"
#include "rag/subprocess.h"

namespace ajar::rag {
namespace {

constexpr size_t kMaxWords = 512 << 20;  // bytes of what pdftotext writes

std::string unescape(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '&') {
      out += text[at];
      continue;
    }
    static constexpr std::pair<std::string_view, char> kNames[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&#39;", '\''}};
    bool known = false;
    for (const auto& [name, c] : kNames) {
      if (!text.substr(at).starts_with(name)) continue;
      out += c, at += name.size() - 1, known = true;
      break;
    }
    if (!known) out += '&';
  }
  return out;
}

double number_after(std::string_view line, std::string_view name) {
  const size_t at = line.find(name);
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = line.substr(at + name.size());
  return parse_double(rest.substr(0, rest.find('"'))).value_or(0);
}

std::string_view inside(std::string_view line) {
  const size_t from = line.find('>'), to = line.rfind("</");
  return from == std::string_view::npos || to == std::string_view::npos || to <= from ? std::string_view() : line.substr(from + 1, to - from - 1);
}

struct PdfBlock {
  std::string text;
  double height = 0;  // of its lines
  uint32_t page = 0, lines = 0;
};

// "exam-" "ple" is one word that a line end cut.
void join_line(std::string& text, const std::string& line) {
  if (text.size() > 1 && text.back() == '-' && !line.empty() && line[0] >= 'a' && line[0] <= 'z' && text[text.size() - 2] >= 'a' && text[text.size() - 2] <= 'z') {
    text.pop_back();
  } else if (!text.empty()) {
    text += ' ';
  }
  text += line;
}

std::vector<uint32_t> pages_without_words(std::string_view xhtml) {
  std::vector<uint32_t> out;
  uint32_t page = 0;
  for (size_t at = 0; (at = xhtml.find('<', at)) != std::string_view::npos; ++at) {
    const std::string_view rest = xhtml.substr(at, 6);
    if (rest == "<page ") out.push_back(++page);
    else if (rest == "<word " && !out.empty() && out.back() == page) out.pop_back();
  }
  return out;
}

}  // namespace

Result<Extracted> read_pdf_words(std::string_view xhtml) {
  std::vector<PdfBlock> blocks;
  std::map<int, size_t> heights;  // half points: characters
  TextBuilder out;
  uint32_t page = 0;
  std::string line_text;
  double line_height = 0;
  for (size_t at = 0; at < xhtml.size();) {
    const size_t end = std::min(xhtml.find('\n', at), xhtml.size());
    const std::string_view line = trim(xhtml.substr(at, end - at));
    at = end + 1;
    if (line.starts_with("<word ")) {
      line_text += (line_text.empty() ? "" : " ") + unescape(inside(line));
      line_height = std::max(line_height, number_after(line, "yMax=\"") - number_after(line, "yMin=\""));
    } else if (line.starts_with("<block ")) {
      blocks.push_back({.page = page});
    } else if (line.starts_with("</line>") && !blocks.empty()) {
      PdfBlock& block = blocks.back();
      join_line(block.text, line_text);
      block.height = std::max(block.height, line_height), ++block.lines;
      heights[static_cast<int>(std::min(line_height, 1000.0) * 2)] += line_text.size();
      line_text.clear(), line_height = 0;
    } else if (line.starts_with("<page ")) {
      ++page;
    } else if (line.starts_with("<title>")) {
      out.title(unescape(inside(line)));
    }
  }
  int usual = 0;
  size_t most = 0;
  for (const auto& [height, characters] : heights)
    if (characters > most) most = characters, usual = height;
  for (const PdfBlock& block : blocks) {
    out.page(block.page);
    const double ratio = usual > 0 ? block.height * 2 / usual : 1;
    if (ratio >= 1.15 && block.lines <= 3 && block.text.size() <= 200) out.heading(ratio >= 1.6 ? 1 : ratio >= 1.3 ? 2 : 3, block.text);
    else out.paragraph(block.text);
  }
  out.page(page);
  if (out.empty() && page > 0) {
    return fail(Code::kUnsupported, "no text on any of its pages (" + std::to_string(page) + "): they are scanned, drawn or empty, and text in images is not read");
  }
  return out.finish("pdf");
}

Result<Extracted> extract_pdf(std::string_view bytes, const OcrOptions& ocr) {
  AJAR_ASSIGN(const MemoryFile file, MemoryFile::make(bytes));
  AJAR_ASSIGN(const ProgramOutput output, run_program({"pdftotext", "-bbox-layout", "-enc", "UTF-8", file.path(), "-"}, nullptr, kMaxWords, after(std::chrono::hours(1))));
  const std::string complaint(trim(std::string_view(output.complaint).substr(0, std::min<size_t>(300, output.complaint.find('\n')))));
  if (WIFSIGNALED(output.status)) return fail(Code::kTooLarge, "it took more time or memory than is allowed");
  if (WEXITSTATUS(output.status) == 127) return fail(Code::kUnavailable, "pdftotext of poppler-utils is not installed");
  if (output.complaint.find("Incorrect password") != std::string::npos) return fail(Code::kInvalid, "it is encrypted with a password");
  if (WEXITSTATUS(output.status) == 3) return fail(Code::kForbidden, "its author does not allow its text to be copied");
  if (WEXITSTATUS(output.status) != 0 && output.text.find("<word ") == std::string::npos) {
    return fail(Code::kInvalid, "the PDF is damaged" + (complaint.empty() ? "" : " (" + complaint + ")"));
  }
  auto layer = read_pdf_words(output.text);
  const std::vector<uint32_t> scanned = pages_without_words(output.text);
  if (!ocr.on || scanned.empty() || (!layer && layer.error().code != Code::kUnsupported)) return layer;
  if (layer) {
    // A page or two without words may be empty; only a program that is there looks at them.
    if (!ocr_missing(true).empty()) return layer;
    return read_scanned_pages(bytes, scanned, layer->pages, &*layer, ocr);
  }
  return read_scanned_pages(bytes, scanned, scanned.back(), nullptr, ocr);
}

}  // namespace ajar::rag
