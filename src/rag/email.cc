// Mails: RFC 5322 heads, RFC 2045 bodies and multiparts, RFC 2047 words. Of alternatives the plain text; attachments that are text
// or mails are read, others are named.

#include <algorithm>
#include <map>

#include "base/text.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

constexpr int kMaxNesting = 8;
constexpr size_t kMaxParts = 1000;

std::string quoted_printable(std::string_view text, bool word) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (word && text[at] == '_') {
      out += ' ';
    } else if (text[at] != '=') {
      out += text[at];
    } else if (const size_t line = text.substr(at + 1).starts_with("\r\n") ? 2 : text.substr(at + 1).starts_with("\n") ? 1 : 0; line > 0) {
      at += line;
    } else {
      const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1; };
      const int high = at + 1 < text.size() ? digit(text[at + 1]) : -1, low = at + 2 < text.size() ? digit(text[at + 2]) : -1;
      if (high < 0 || low < 0) out += '=';
      else out += static_cast<char>(high * 16 + low), at += 2;
    }
  }
  return out;
}

std::string base64_of(std::string_view text) {
  std::string packed;
  for (const char c : text)
    if (c != '\r' && c != '\n' && c != ' ' && c != '\t') packed += c;
  while (packed.size() % 4 != 0 && !packed.ends_with("====")) packed += '=';
  return base64_decode(packed).value_or("");
}

// =?charset?B?...?= in heads.
std::string decoded_words(std::string_view text) {
  std::string out;
  bool after_word = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find("=?", at);
    const std::string_view between = text.substr(at, begin == std::string_view::npos ? begin : begin - at);
    if (!after_word || !trim(between).empty() || begin == std::string_view::npos) out += between;
    if (begin == std::string_view::npos) break;
    const size_t charset = text.find('?', begin + 2);
    const size_t data = charset == std::string_view::npos ? charset : charset + 3;
    const size_t end = data == std::string_view::npos || data > text.size() ? std::string_view::npos : text.find("?=", data);
    if (end == std::string_view::npos) {
      out += "=?";
      at = begin + 2, after_word = false;
      continue;
    }
    const std::string_view body = text.substr(data, end - data);
    const std::string bytes = lower(text[charset + 1]) == 'b' ? base64_of(body) : quoted_printable(body, true);
    out += to_utf8(bytes, text.substr(begin + 2, charset - begin - 2));
    at = end + 2, after_word = true;
  }
  return out;
}

using Head = std::map<std::string, std::string>;

// Reads the head and leaves `bytes` at the body.
Head read_head(std::string_view& bytes) {
  Head head;
  std::string* last = nullptr;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    const bool more = !line.empty() && (line[0] == ' ' || line[0] == '\t');
    if (!line.empty() && !more && (colon == std::string_view::npos || colon == 0)) {
      if (!head.empty() || !line.starts_with("From ")) break;  // no head any more: a body without an empty line before it
    }
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.empty()) break;
    if (more && last != nullptr) {
      (*last += ' ') += trim(line);
    } else if (colon != std::string_view::npos) {
      last = &head[to_lower(trim(line.substr(0, colon)))];
      if (last->empty()) *last = trim(line.substr(colon + 1));
    }
  }
  return head;
}

// "text/plain; charset=utf-8" to one of its parameters.
std::string parameter(std::string_view field, std::string_view name) {
  for (std::string_view part : split(field, ';')) {
    part = trim(part);
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || !iequals(trim(part.substr(0, equals)), name)) continue;
    std::string_view value = trim(part.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.find('"', 1) - 1);
    return std::string(value);
  }
  return {};
}

class Mail {
 public:
  explicit Mail(TextBuilder& out) : out_(out) {}

  void message(std::string_view bytes, int depth) {
    const Head head = read_head(bytes);
    const auto field = [&](const char* name) {
      const auto it = head.find(name);
      return it == head.end() ? std::string() : decoded_words(to_utf8(it->second));
    };
    const std::string subject = field("subject");
    if (depth == 0) out_.title(subject);
    if (!subject.empty()) out_.heading(depth == 0 ? 1 : 2, subject);
    for (const auto& [name, label] : {std::pair{"from", "From: "}, {"to", "To: "}, {"cc", "Cc: "}, {"date", "Date: "}})
      if (const std::string value = field(name); !value.empty()) out_.row({label + value});
    part(head, bytes, depth);
  }

 private:
  void part(const Head& head, std::string_view body, int depth) {
    if (++parts_ > kMaxParts || depth > kMaxNesting) return out_.note("parts that nest too deep were left out");
    const auto get = [&](const char* name) {
      const auto it = head.find(name);
      return it == head.end() ? std::string() : it->second;
    };
    const std::string type_field = get("content-type");
    std::string type = to_lower(trim(std::string_view(type_field).substr(0, type_field.find(';'))));
    if (type.find('/') == std::string::npos) type = "text/plain";
    if (type.starts_with("multipart/")) return parts(type, parameter(type_field, "boundary"), body, depth);
    const std::string encoding = to_lower(trim(get("content-transfer-encoding")));
    const std::string bytes = encoding == "base64" ? base64_of(body) : encoding == "quoted-printable" ? quoted_printable(body, false) : std::string(body);
    if (type == "message/rfc822") return message(bytes, depth + 1);
    std::string name = parameter(get("content-disposition"), "filename");
    if (name.empty()) name = parameter(type_field, "name");
    const bool attached = to_lower(get("content-disposition")).starts_with("attachment");
    if (!name.empty() && attached) out_.row({"Attachment: " + decoded_words(name)});
    if (type == "text/html" || type == "application/xhtml+xml") html_into(to_utf8(bytes, parameter(type_field, "charset")), out_);
    else if (type.starts_with("text/")) plain(to_utf8(bytes, parameter(type_field, "charset")));
    else if (attached || !name.empty()) out_.note("an attachment was not read: " + decoded_words(name) + " (" + type + ")");
  }

  void plain(const std::string& text) {
    if (const auto read = extract_text(text))
      for (const Block& block : read->blocks) out_.paragraph(std::string_view(read->text).substr(block.begin, block.end - block.begin));
  }

  void parts(const std::string& type, const std::string& boundary, std::string_view body, int depth) {
    if (boundary.empty()) return plain(to_utf8(body));
    std::vector<std::pair<Head, std::string_view>> found;
    const std::string mark = "--" + boundary;
    size_t at = body.starts_with(mark) ? 0 : body.find("\n" + mark);
    while (at != std::string_view::npos && found.size() < kMaxParts) {
      at += (body[at] == '\n' ? 1 : 0) + mark.size();
      if (body.substr(std::min(at, body.size())).starts_with("--")) break;
      const size_t line = body.find('\n', at);
      if (line == std::string_view::npos) break;
      const size_t next = body.find("\n" + mark, line);
      std::string_view one = body.substr(line + 1, next == std::string_view::npos ? next : next > line ? next - line - 1 : 0);
      Head head = read_head(one);
      found.emplace_back(std::move(head), one);
      at = next;
    }
    if (type == "multipart/alternative") {
      const auto is = [](const auto& p, std::string_view wanted) {
        const auto it = p.first.find("content-type");
        return (it == p.first.end() && wanted == "text/plain") || (it != p.first.end() && to_lower(it->second).starts_with(wanted));
      };
      for (const std::string_view wanted : {"text/plain", "text/html", "multipart/"})
        for (const auto& p : found)
          if (is(p, wanted) && !trim(p.second).empty()) return part(p.first, p.second, depth + 1);
    }
    for (const auto& [head, one] : found) part(head, one, depth + 1);
  }

  TextBuilder& out_;
  size_t parts_ = 0;
};

}  // namespace

void email_into(std::string_view bytes, TextBuilder& out, int depth) { Mail(out).message(bytes, depth); }

Result<Extracted> extract_email(std::string_view bytes) {
  TextBuilder out;
  Mail(out).message(bytes, 0);
  return out.finish("eml");
}

Result<Extracted> extract_mailbox(std::string_view bytes) {
  TextBuilder out;
  uint32_t number = 0;
  for (size_t at = 0; at < bytes.size() && !out.full();) {
    const size_t next = bytes.find("\nFrom ", at);
    const size_t end = next == std::string_view::npos ? bytes.size() : next + 1;
    out.page(++number);
    Mail(out).message(bytes.substr(at, end - at), 0);
    at = end;
  }
  return out.finish("mbox");
}

}  // namespace ajar::rag
