#include "rag/extracted.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace ajar::rag {
namespace {

// The length of the UTF-8 character at `at`, 0 for bytes that are none.
size_t char_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const size_t n = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (n == 0 || at + n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  if ((first == 0xE0 && byte(at + 1) < 0xA0) || (first == 0xED && byte(at + 1) > 0x9F) || (first == 0xF0 && byte(at + 1) < 0x90) ||
      (first == 0xF4 && byte(at + 1) > 0x8F)) {
    return 0;
  }
  return n;
}

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_text(std::string& out, std::string_view text) { put(out, static_cast<uint32_t>(text.size())), out += text; }

template <class T>
bool get(std::string_view& in, T& value) {
  if (in.size() < sizeof value) return false;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return true;
}
bool get_text(std::string_view& in, std::string& text) {
  uint32_t size;
  if (!get(in, size) || size > in.size() || size > kMaxText) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return valid_utf8(text);
}

constexpr std::string_view kMagic = "AJARDOC1";

}  // namespace

std::string clean_text(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  for (size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (keep_lines && (c == '\n' || c == ' ' || c == '\t')) {
      out.push_back(text[at++]);
      continue;
    }
    const bool no_break = c == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) == 0xA0;
    if (c <= ' ' || c == 0x7F || no_break) {
      space = space || c == ' ' || (c >= '\t' && c <= '\r') || no_break;
      at += no_break ? 2 : 1;
      if (keep_lines && space) out.push_back(' '), space = false;
      continue;
    }
    if (space && !out.empty()) out.push_back(' ');
    space = false;
    if (const size_t n = char_length(text, at); n > 0) {
      // A byte order mark or a soft hyphen says nothing.
      const std::string_view one = text.substr(at, n);
      if (one != "\xEF\xBB\xBF" && one != "\xC2\xAD" && one != "\xE2\x80\x8B") out += one;
      at += n;
    } else {
      out += "\xEF\xBF\xBD", ++at;
    }
  }
  return out;
}

void TextBuilder::page(uint32_t number) { page_ = number, out_.pages = std::max(out_.pages, number); }

void TextBuilder::heading(int level, std::string_view text) { block(Block::Kind::kHeading, std::clamp(level, 1, 9), text); }

void TextBuilder::row(const std::vector<std::string>& cells) {
  std::string line;
  bool any = false;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = clean_text(cells[i], false);
    any = any || !cell.empty();
    line += (i == 0 ? "" : " | ") + cell;
  }
  while (line.ends_with(" | ")) line.resize(line.size() - 3);
  if (any) add(Block::Kind::kRow, 0, std::move(line));
}

void TextBuilder::code(std::string_view text) {
  std::string clean = clean_text(text, true);
  while (clean.ends_with('\n')) clean.pop_back();
  if (!trim(clean).empty()) add(Block::Kind::kCode, 0, std::move(clean));
}

void TextBuilder::block(Block::Kind kind, int level, std::string_view text) {
  std::string clean = clean_text(text, false);
  if (!clean.empty()) add(kind, level, std::move(clean));
}

void TextBuilder::add(Block::Kind kind, int level, std::string clean) {
  if (full_) return;
  if (out_.text.size() + clean.size() + 2 > kMaxText || out_.blocks.size() >= kMaxBlocks) {
    full_ = true;
    return note("the text is longer than 64 MiB; the rest was left out");
  }
  if (!out_.text.empty()) {
    const bool rows = kind == Block::Kind::kRow && out_.blocks.back().kind == kind;
    out_.text += rows ? "\n" : "\n\n";
  }
  const auto begin = static_cast<uint32_t>(out_.text.size());
  out_.text += clean;
  out_.blocks.push_back({kind, static_cast<uint8_t>(level), page_, begin, static_cast<uint32_t>(out_.text.size())});
}

void TextBuilder::note(std::string_view text) {
  if (out_.note.size() > 1000) return;
  out_.note += (out_.note.empty() ? "" : "; ") + clean_text(text, false);
}

void TextBuilder::title(std::string_view text) {
  if (out_.title.empty()) out_.title = clean_text(text.substr(0, 1000), false);
}

Result<Extracted> TextBuilder::finish(std::string_view format) {
  if (out_.blocks.empty()) return fail(Code::kInvalid, "there is no text in it" + (out_.note.empty() ? "" : " (" + out_.note + ")"));
  out_.format = format;
  return std::move(out_);
}

std::string write_result(const Result<Extracted>& result) {
  std::string out(kMagic);
  put(out, static_cast<uint8_t>(result ? 1 : 0));
  if (!result) {
    put(out, static_cast<uint8_t>(result.error().code));
    put_text(out, clean_text(result.error().message, false));
    return out;
  }
  for (const std::string* text : {&result->format, &result->title, &result->text, &result->note}) put_text(out, *text);
  put(out, result->pages);
  put(out, static_cast<uint32_t>(result->blocks.size()));
  for (const Block& b : result->blocks) {
    put(out, static_cast<uint8_t>(b.kind)), put(out, b.level), put(out, b.page), put(out, b.begin), put(out, b.end);
  }
  return out;
}

Result<Extracted> read_result(std::string_view in) {
  const auto nonsense = [] { return fail(Code::kInvalid, "the converter died or answered nonsense: the file is taken to be hostile or damaged"); };
  uint8_t good = 0, code = 0;
  if (!in.starts_with(kMagic)) return nonsense();
  in.remove_prefix(kMagic.size());
  if (!get(in, good)) return nonsense();
  if (good == 0) {
    std::string message;
    if (!get(in, code) || code > static_cast<uint8_t>(Code::kFiltered) || !get_text(in, message) || message.size() > 10'000) return nonsense();
    return fail(static_cast<Code>(code), std::move(message));
  }
  Extracted out;
  uint32_t blocks = 0, last = 0;
  for (std::string* text : {&out.format, &out.title, &out.text, &out.note})
    if (!get_text(in, *text)) return nonsense();
  if (!get(in, out.pages) || !get(in, blocks) || in.size() != size_t{blocks} * 14) return nonsense();
  out.blocks.reserve(blocks);
  for (uint32_t i = 0; i < blocks; ++i) {
    Block b;
    uint8_t kind = 0;
    if (!get(in, kind) || !get(in, b.level) || !get(in, b.page) || !get(in, b.begin) || !get(in, b.end)) return nonsense();
    b.kind = static_cast<Block::Kind>(kind);
    if (kind > static_cast<uint8_t>(Block::Kind::kCode) || b.begin < last || b.end <= b.begin || b.end > out.text.size()) return nonsense();
    const auto inside = [&](uint32_t at) { return at < out.text.size() && (static_cast<unsigned char>(out.text[at]) & 0xC0) == 0x80; };
    if (inside(b.begin) || inside(b.end)) return nonsense();
    last = b.end;
    out.blocks.push_back(b);
  }
  if (out.blocks.empty()) return nonsense();
  return out;
}

}  // namespace ajar::rag
