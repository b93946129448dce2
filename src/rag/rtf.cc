// Rich Text Format (Microsoft's specification 1.9.1): groups, control words, characters of code pages and of Unicode.

#include <unicode/ucnv.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

constexpr std::string_view kSilent[] = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "fldinst", "xmlnstbl", "listtable", "listoverridetable", "rsidtbl", "generator",
                                        "themedata", "colorschememapping", "datastore", "latentstyles", "mmathPr", "bkmkstart", "bkmkend", "pntxta",
                                        "pntxtb", "pnseclvl", "nonshppict", "filetbl", "revtbl", "userprops", "template", "panose", "falt", "objdata",
                                        "listtext", "themedata", "wgrffmtfilter", "private", "xe", "tc"};

// Windows code pages of \fcharset.
int code_page_of_charset(int charset) {
  switch (charset) {
    case 77: return 10000; case 128: return 932; case 129: return 949; case 130: return 1361; case 134: return 936; case 136: return 950;
    case 161: return 1253; case 162: return 1254; case 163: return 1258; case 177: return 1255; case 178: return 1256; case 186: return 1257;
    case 204: return 1251; case 222: return 874; case 238: return 1250; case 0: case 1: return 1252;
    default: return 0;
  }
}

std::string encoding_of(int page) {
  switch (page) {
    case 10000: return "macintosh"; case 932: return "Shift_JIS"; case 936: return "GBK"; case 949: return "windows-949"; case 950: return "Big5";
    case 65001: return "UTF-8"; case 1361: return "johab"; case 437: case 850: case 852: case 866: return "ibm-" + std::to_string(page);
    default: return "windows-" + std::to_string(page);
  }
}

class Rtf {
 public:
  explicit Rtf(std::string_view in) : in_(in) {}

  Result<Extracted> run() {
    states_.push_back({});
    while (at_ < in_.size() && !out_.full()) {
      const char c = in_[at_];
      if (c == '\\') control();
      else if (c == '{') ++at_, open();
      else if (c == '}') ++at_, close();
      else if (c == '\r' || c == '\n') ++at_;
      else ++at_, byte(static_cast<unsigned char>(c));
    }
    paragraph();
    return out_.finish("rtf");
  }

 private:
  static constexpr size_t kMaxGroups = 5000;
  struct State {
    bool silent = false, hidden = false, fonts = false, title = false;
    int unicode_skip = 1;
    int page = 0;  // 0: the document's
  };
  State& state() { return states_.back(); }

  void open() {
    flush_bytes();
    if (states_.size() < kMaxGroups) states_.push_back(states_.back());
    else ++too_deep_;
  }
  void close() {
    flush_bytes();
    skip_ = 0;
    if (too_deep_ > 0) return void(--too_deep_);
    if (state().title && (states_.size() < 2 || !states_[states_.size() - 2].title)) out_.title(title_);
    if (states_.size() > 1) states_.pop_back();
  }

  void control() {
    const bool opened = at_ > 0 && in_[at_ - 1] == '{';
    ++at_;
    if (at_ >= in_.size()) return;
    const char c = in_[at_];
    if (c == '\'') {
      unsigned value = 0;
      const auto digits = in_.substr(std::min(at_ + 1, in_.size()), 2);
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      at_ += 3;
      return byte(static_cast<unsigned char>(value));
    }
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
      ++at_;
      if (c == '*') return void(state().silent = state().silent || opened);  // elsewhere than at a group's start it says nothing
      if (c == '~') return say(" ");
      if (c == '_') return say("-");
      if (c == '\\' || c == '{' || c == '}') return byte(static_cast<unsigned char>(c));
      if (c == '\n' || c == '\r') return paragraph();
      return;
    }
    size_t end = at_;
    while (end < in_.size() && ((in_[end] >= 'a' && in_[end] <= 'z') || (in_[end] >= 'A' && in_[end] <= 'Z'))) ++end;
    const std::string_view word = in_.substr(at_, end - at_);
    int number = -1;
    const auto [stop, error] = std::from_chars(in_.data() + end, in_.data() + in_.size(), number);
    const bool has_number = error == std::errc();
    at_ = has_number ? static_cast<size_t>(stop - in_.data()) : end;
    if (at_ < in_.size() && in_[at_] == ' ') ++at_;
    flush_bytes();
    apply(word, number, has_number);
  }

  void apply(std::string_view word, int number, bool has_number) {
    if (word == "bin" && number > 0) at_ = std::min(in_.size(), at_ + static_cast<size_t>(number));
    else if (word == "u" && has_number) unicode(number);
    else if (word == "uc") state().unicode_skip = std::clamp(number, 0, 8);
    else if (word == "ansicpg" && number > 0) page_ = number;
    else if (word == "mac") page_ = 10000;
    else if (word == "pc") page_ = 437;
    else if (word == "pca") page_ = 850;
    else if (word == "f" && has_number) font_ = number, state().page = fonts_.contains(number) ? fonts_[number] : 0;
    else if (word == "fcharset" && state().fonts) fonts_[font_] = code_page_of_charset(number);
    else if (word == "fonttbl") state().silent = state().fonts = true;
    else if (word == "info") state().silent = true;
    else if (word == "title") state().title = true;
    else if (word == "shptxt" || word == "footnote" || word == "annotation" || word == "shppict") state().silent = word == "shppict";
    else if (word == "v") state().hidden = !has_number || number != 0;
    else if (word == "plain") state().hidden = false;
    else if (word == "par" || word == "sect") cells_.empty() ? paragraph() : say(" ");
    else if (word == "page") paragraph(), out_.page(++page_number_);
    else if (word == "line" || word == "tab") say(" ");
    else if (word == "pard") level_ = 0, in_table_ = false;
    else if (word == "intbl") in_table_ = true;
    else if (word == "outlinelevel") level_ = number >= 0 && number < 9 ? number + 1 : 0;
    else if (word == "cell" || word == "nestcell") cells_.push_back(std::exchange(text_, {}));
    else if (word == "row" || word == "nestrow") out_.row(std::exchange(cells_, {}));
    else if (word == "emdash") say("\xE2\x80\x94");
    else if (word == "endash") say("\xE2\x80\x93");
    else if (word == "lquote") say("\xE2\x80\x98");
    else if (word == "rquote") say("\xE2\x80\x99");
    else if (word == "ldblquote") say("\xE2\x80\x9C");
    else if (word == "rdblquote") say("\xE2\x80\x9D");
    else if (word == "bullet") say("\xE2\x80\xA2");
    else if (std::find(std::begin(kSilent), std::end(kSilent), word) != std::end(kSilent)) state().silent = true;
  }

  void unicode(int number) {
    uint32_t c = static_cast<uint32_t>(number < 0 ? number + 65536 : number) & 0xFFFF;
    skip_ = state().unicode_skip;
    if (c >= 0xD800 && c < 0xDC00) return void(high_ = c);
    if (c >= 0xDC00 && c < 0xE000) c = high_ != 0 ? 0x10000 + ((high_ - 0xD800) << 10) + (c - 0xDC00) : 0xFFFD;
    high_ = 0;
    std::string utf8;
    if (c < 0x80) utf8 = {static_cast<char>(c)};
    else if (c < 0x800) utf8 = {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
    else if (c < 0x10000) utf8 = {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
    else utf8 = {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)), static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
    say(utf8);
  }

  void byte(unsigned char c) {
    if (skip_ > 0) return void(--skip_);
    if (state().silent && !state().title) return;
    bytes_.push_back(static_cast<char>(c));
    if (bytes_.size() > 4096) flush_bytes();
  }
  void flush_bytes() {
    if (bytes_.empty()) return;
    const int page = state().page != 0 ? state().page : page_;
    bool ascii = true;
    for (const char c : bytes_) ascii = ascii && static_cast<unsigned char>(c) < 128;
    std::string text = bytes_;
    if (!ascii) {
      UErrorCode error = U_ZERO_ERROR;
      text.assign(bytes_.size() * 4 + 16, '\0');
      const int32_t n = ucnv_convert("UTF-8", encoding_of(page).c_str(), text.data(), static_cast<int32_t>(text.size()), bytes_.data(),
                                     static_cast<int32_t>(bytes_.size()), &error);
      if (U_FAILURE(error)) text = bytes_;
      else text.resize(static_cast<size_t>(n));
    }
    bytes_.clear();
    say(text);
  }
  void say(std::string_view text) {
    if (!bytes_.empty()) flush_bytes();
    if (state().title) title_ += text;
    else if (!state().silent && !state().hidden && text_.size() < kMaxText) text_ += text;
  }
  void paragraph() {
    flush_bytes();
    if (!cells_.empty() && !in_table_) out_.row(std::exchange(cells_, {}));
    if (level_ > 0) out_.heading(level_, text_);
    else out_.paragraph(text_);
    text_.clear();
  }

  std::string_view in_;
  size_t at_ = 0, too_deep_ = 0;
  std::vector<State> states_;
  std::map<int, int> fonts_;  // to code pages
  int font_ = 0, page_ = 1252, skip_ = 0, level_ = 0;
  uint32_t high_ = 0, page_number_ = 1;
  bool in_table_ = false;
  std::string bytes_, text_, title_;
  std::vector<std::string> cells_;
  TextBuilder out_;
};

}  // namespace

Result<Extracted> extract_rtf(std::string_view bytes) { return Rtf(bytes).run(); }

}  // namespace ajar::rag
