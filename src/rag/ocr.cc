#include "rag/ocr.h"

#include <sys/wait.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "rag/subprocess.h"

namespace ajar::rag {
namespace {

constexpr size_t kMaxPicture = 256 << 20;  // bytes of a drawn page
constexpr size_t kMaxPageText = 8 << 20;
constexpr const char* kLongSide = "3508";  // points of a drawn page: 300 to the inch on A4, and no more however large it says it is

// One picture, or several in a TIFF: a form feed ends each.
Result<std::string> recognize(const MemoryFile& picture, const OcrOptions& options, TimePoint deadline) {
  AJAR_ASSIGN(ProgramOutput output, run_program({"tesseract", "stdin", "stdout", "-l", options.languages, "--psm", "3"}, &picture, kMaxPageText, deadline));
  if (WIFEXITED(output.status) && WEXITSTATUS(output.status) == 0) return std::move(output.text);
  if (WIFEXITED(output.status) && WEXITSTATUS(output.status) == 127) return fail(Code::kUnsupported, ocr_missing(false));
  if (WIFSIGNALED(output.status)) return fail(Code::kTooLarge, "reading its pictures took more time or memory than is allowed");
  if (const size_t at = output.complaint.find(".traineddata"); at != std::string::npos) {
    const std::string_view before = std::string_view(output.complaint).substr(0, at);
    const std::string language(before.substr(before.find_last_of("/ ") + 1));
    return fail(Code::kUnsupported, "tesseract has no data of the language '" + language + "': install tesseract-ocr-" + language + ", or change rag.ocr_languages");
  }
  const std::string complaint(trim(std::string_view(output.complaint).substr(0, std::min<size_t>(200, output.complaint.find('\n')))));
  return fail(Code::kInvalid, "its picture cannot be read" + (complaint.empty() ? "" : " (" + complaint + ")"));
}

// Lines to paragraphs: an empty line ends one; a word that a line end cut is whole again.
std::vector<std::string> paragraphs_of(std::string_view text) {
  std::vector<std::string> out(1);
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    std::string& last = out.back();
    if (line.empty()) {
      if (!last.empty()) out.emplace_back();
    } else if (last.size() > 1 && last.back() == '-' && line[0] >= 'a' && line[0] <= 'z' && last[last.size() - 2] >= 'a' && last[last.size() - 2] <= 'z') {
      last.pop_back();
      last += line;
    } else {
      if (!last.empty()) last += ' ';
      last += line;
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

std::unexpected<Error> no_text(uint32_t pages) {
  return fail(Code::kUnsupported, pages > 0 ? "no text on any of its pages (" + std::to_string(pages) + "), nor in their pictures" : "there is no text in the picture");
}

}  // namespace

bool valid_languages(std::string_view languages) {
  return !languages.empty() && languages.size() <= 200 && languages.front() != '+' && languages.back() != '+' &&
         languages.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+") == std::string_view::npos;
}

std::string write_ocr(const OcrOptions& options) {
  return options.on ? options.languages + "/" + std::to_string(options.pages) + "/" + std::to_string(options.seconds) : "";
}

OcrOptions read_ocr(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 3 || !valid_languages(parts[0])) return {};
  const auto pages = parse_int(parts[1]), seconds = parse_int(parts[2]);
  if (!pages || !seconds || *pages < 1 || *pages > 100'000 || *seconds < 1 || *seconds > 86'400) return {};
  return {.on = true, .languages = std::string(parts[0]), .pages = static_cast<uint32_t>(*pages), .seconds = static_cast<uint32_t>(*seconds)};
}

bool is_picture(std::string_view bytes) {
  for (const std::string_view magic : {std::string_view("\x89PNG"), std::string_view("\xFF\xD8\xFF"), std::string_view("II*\0", 4), std::string_view("MM\0*", 4)})
    if (bytes.starts_with(magic)) return true;
  return false;
}

std::string ocr_missing(bool drawing) {
  if (find_program("tesseract").empty()) return "its text is in pictures, and tesseract, which reads those, is not installed: install tesseract-ocr";
  if (drawing && find_program("pdftoppm").empty()) return "its text is in pictures, and pdftoppm, which draws its pages, is not installed: install poppler-utils";
  return {};
}

Result<Extracted> read_picture(std::string_view bytes, const OcrOptions& options) {
  if (std::string missing = ocr_missing(false); !missing.empty()) return fail(Code::kUnsupported, std::move(missing));
  AJAR_ASSIGN(const MemoryFile file, MemoryFile::make(bytes));
  AJAR_ASSIGN(const std::string text, recognize(file, options, after(std::chrono::seconds(options.seconds))));
  TextBuilder out;
  uint32_t page = 0;
  const auto pages = split(text, '\f');
  for (const std::string_view part : pages) {
    if (++page > options.pages) {
      out.note("only the first " + std::to_string(options.pages) + " of its pictures are read");
      break;
    }
    if (pages.size() > 2) out.page(page);  // one picture has no pages
    for (const std::string& paragraph : paragraphs_of(part)) out.paragraph(paragraph);
  }
  if (out.empty()) return no_text(0);
  out.note("its text was recognised in a picture");
  return out.finish("image");
}

Result<Extracted> read_scanned_pages(std::string_view pdf, std::span<const uint32_t> scanned, uint32_t pages, const Extracted* layer, const OcrOptions& options) {
  if (std::string missing = ocr_missing(true); !missing.empty()) return fail(Code::kUnsupported, std::move(missing));
  const TimePoint deadline = after(std::chrono::seconds(options.seconds));
  AJAR_ASSIGN(const MemoryFile file, MemoryFile::make(pdf));
  std::map<uint32_t, std::string> texts;
  std::string stopped;
  for (const uint32_t page : scanned) {
    if (texts.size() >= options.pages) {
      stopped = "more than " + std::to_string(options.pages) + " scanned pages: those after page " + std::to_string(texts.rbegin()->first) + " are left out";
      break;
    }
    const std::string number = std::to_string(page);
    auto drawn = run_program({"pdftoppm", "-f", number, "-l", number, "-scale-to", kLongSide, "-gray", file.path()}, nullptr, kMaxPicture, deadline);
    if (drawn && (!WIFEXITED(drawn->status) || WEXITSTATUS(drawn->status) != 0 || drawn->text.empty())) {
      texts[page];  // it cannot be drawn: nothing is on it
      continue;
    }
    Result<std::string> text = std::string();
    if (drawn) {
      AJAR_ASSIGN(const MemoryFile picture, MemoryFile::make(drawn->text));
      drawn->text = {};
      text = recognize(picture, options, deadline);
    }
    const Code code = !drawn ? drawn.error().code : !text ? text.error().code : Code::kInternal;
    if (code == Code::kTimeout) {
      stopped = "reading its pictures took longer than " + std::to_string(options.seconds) + " s: those from page " + number + " on are left out";
      break;
    }
    if (!drawn || (!text && code != Code::kInvalid)) return std::unexpected(!drawn ? drawn.error() : text.error());
    texts[page] = std::move(text).value_or("");
  }
  TextBuilder out;
  size_t block = 0;
  for (uint32_t page = 1; page <= pages; ++page) {
    out.page(page);
    for (; layer != nullptr && block < layer->blocks.size() && layer->blocks[block].page <= page; ++block) {
      const Block& one = layer->blocks[block];
      const std::string_view text = std::string_view(layer->text).substr(one.begin, one.end - one.begin);
      if (one.kind == Block::Kind::kHeading) out.heading(one.level, text);
      else out.paragraph(text);
    }
    if (const auto it = texts.find(page); it != texts.end())
      for (const std::string& paragraph : paragraphs_of(it->second)) out.paragraph(paragraph);
  }
  if (!stopped.empty()) out.note(stopped);
  if (out.empty()) return stopped.empty() ? no_text(pages) : fail(Code::kTooLarge, std::move(stopped));
  const auto said = std::count_if(texts.begin(), texts.end(), [](const auto& one) { return !trim(one.second).empty(); });
  if (said > 0) out.note("the text of " + std::to_string(said) + (said == 1 ? " page" : " pages") + " was recognised in pictures");
  if (layer != nullptr) out.title(layer->title);
  if (layer != nullptr && !layer->note.empty()) out.note(layer->note);
  return out.finish("pdf");
}

}  // namespace ajar::rag
