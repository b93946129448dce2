#include "wire/multipart.h"

#include <algorithm>

#include "base/random.h"
#include "base/text.h"

namespace ajar::wire {
namespace {

// The value of a parameter such as `boundary=x` or `name="a\"b"` behind the first ';'. Empty: not there.
std::string parameter(std::string_view header, std::string_view wanted) {
  size_t at = header.find(';');
  while (at < header.size()) {
    ++at;
    while (at < header.size() && (header[at] == ' ' || header[at] == '\t')) ++at;
    const size_t equals = header.find_first_of("=;", at);
    if (equals == header.npos) return {};
    if (header[equals] == ';') {
      at = equals;
      continue;
    }
    const std::string_view name = trim(header.substr(at, equals - at));
    std::string value;
    at = equals + 1;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        if (header[at] == '\\' && at + 1 < header.size() && (header[at + 1] == '"' || header[at + 1] == '\\')) ++at;
        value.push_back(header[at]);
      }
      at = header.find(';', at);
    } else {
      const size_t end = std::min(header.find(';', at), header.size());
      value = trim(header.substr(at, end - at));
      at = end;
    }
    if (iequals(name, wanted)) return value;
  }
  return {};
}

Result<FormPart> read_part_head(std::string_view head, size_t number) {
  FormPart part;
  bool named = false;
  while (!head.empty()) {
    const size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const std::string_view name = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
    // It is written into another head later on.
    if (std::ranges::any_of(value, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; })) {
      return fail(Code::kInvalid, "part " + std::to_string(number) + " of the form has a control character in its head");
    }
    if (iequals(name, "content-disposition")) {
      part.name = parameter(value, "name");
      part.filename = parameter(value, "filename");
      named = true;
    } else if (iequals(name, "content-type")) {
      part.content_type = value;
    }
  }
  if (!named || part.name.empty()) {
    return fail(Code::kInvalid, "part " + std::to_string(number) + " of the form has no name");
  }
  return part;
}

// Quoted as browsers do (WHATWG, multipart/form-data encoding algorithm).
void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out += "%22";
    else if (c == '\r') out += "%0D";
    else if (c == '\n') out += "%0A";
    else out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

Result<std::vector<FormPart>> read_form(std::string_view content_type, std::string_view body) {
  const std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) {
    return fail(Code::kInvalid, "a multipart/form-data body needs a boundary of 1 to 70 characters in its content-type");
  }
  const std::string mark = "--" + boundary;
  // Parts stand between delimiter lines; what comes before the first is a preamble without meaning.
  size_t at = body.starts_with(mark) ? 0 : body.find("\r\n" + mark);
  if (at == body.npos) return fail(Code::kInvalid, "the form's first boundary line was not found in the body");
  if (at != 0) at += 2;
  std::vector<FormPart> parts;
  const std::string delimiter = "\r\n" + mark;
  for (;;) {
    at += mark.size();
    if (body.substr(at).starts_with("--")) return parts;
    const size_t line_end = body.find("\r\n", at);
    if (line_end == body.npos || !trim(body.substr(at, line_end - at)).empty()) {
      return fail(Code::kInvalid, "the form ends within a boundary line");
    }
    if (parts.size() == kMaxFormParts) {
      return fail(Code::kTooLarge, "the form has more than " + std::to_string(kMaxFormParts) + " parts");
    }
    // A head may be empty: then the blank line follows at once.
    const size_t head_end = body.find("\r\n\r\n", line_end);
    const size_t data_end = head_end == body.npos ? body.npos : body.find(delimiter, head_end + 2);
    if (data_end == body.npos) {
      return fail(Code::kInvalid, "part " + std::to_string(parts.size() + 1) + " of the form does not end");
    }
    const size_t head_from = std::min(line_end + 2, head_end);
    AJAR_ASSIGN(FormPart part, read_part_head(body.substr(head_from, head_end - head_from), parts.size() + 1));
    const size_t data_from = std::min(head_end + 4, data_end);
    part.data = body.substr(data_from, data_end - data_from);
    parts.push_back(std::move(part));
    at = data_end + 2;
  }
}

void write_form(std::string& out, const std::vector<FormPart>& parts, std::string_view boundary) {
  for (const FormPart& part : parts) {
    out.append("--").append(boundary).append("\r\ncontent-disposition: form-data; name=");
    append_quoted(out, part.name);
    if (!part.filename.empty()) {
      out += "; filename=";
      append_quoted(out, part.filename);
    }
    if (!part.content_type.empty()) out.append("\r\ncontent-type: ").append(part.content_type);
    out.append("\r\n\r\n").append(part.data).append("\r\n");
  }
  out.append("--").append(boundary).append("--\r\n");
}

std::string form_boundary(const std::vector<FormPart>& parts) {
  for (;;) {
    std::string boundary = new_id("ajar-form-");
    const bool taken = std::ranges::any_of(
        parts, [&](const FormPart& part) { return part.data.find(boundary) != std::string::npos; });
    if (!taken) return boundary;
  }
}

}  // namespace ajar::wire
