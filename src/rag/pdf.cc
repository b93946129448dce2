// PDF by pdftotext of poppler-utils, as a process of its own: it is GPL, and it reads what strangers wrote. It gives words with
// boxes, in reading order, in blocks; from these come paragraphs, headings (larger than most of the text) and pages.

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>

#include "base/text.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

constexpr size_t kMaxWords = 512 << 20;  // bytes of what pdftotext writes

struct Output {
  std::string text, complaint;
  int status = -1;
};

Result<Output> run_pdftotext(std::string_view bytes) {
  const int file = memfd_create("pdf", 0);  // inherited
  int out[2], err[2];
  if (file < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return fail(Code::kUnavailable, std::string("no pipe: ") + std::strerror(errno));
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(file, bytes.data() + at, bytes.size() - at);
    if (n <= 0) return fail(Code::kUnavailable, std::string("no memory for the file: ") + std::strerror(errno));
    at += static_cast<size_t>(n);
  }
  const std::string path = "/dev/fd/" + std::to_string(file);
  const char* argv[] = {"pdftotext", "-bbox-layout", "-enc", "UTF-8", path.c_str(), "-", nullptr};
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 1), dup2(err[1], 2);
    execvp(argv[0], const_cast<char**>(argv));
    _exit(127);
  }
  ::close(out[1]), ::close(err[1]), ::close(file);
  if (child < 0) return fail(Code::kUnavailable, std::string("no process: ") + std::strerror(errno));
  Output result;
  pollfd waiting[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  bool too_much = false;
  for (int open = 2; open > 0;) {
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) break;
    for (int i = 0; i < 2; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char block[65536];
      const ssize_t n = ::read(waiting[i].fd, block, sizeof block);
      if (n <= 0) {
        waiting[i].fd = -1, --open;
      } else if (i == 1) {
        if (result.complaint.size() < 4096) result.complaint.append(block, static_cast<size_t>(n));
      } else if (result.text.size() + static_cast<size_t>(n) > kMaxWords) {
        too_much = true, kill(child, SIGKILL);
      } else {
        result.text.append(block, static_cast<size_t>(n));
      }
    }
  }
  ::close(out[0]), ::close(err[0]);
  waitpid(child, &result.status, 0);
  if (too_much) return fail(Code::kTooLarge, "its text with places is larger than 512 MiB");
  return result;
}

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

Result<Extracted> extract_pdf(std::string_view bytes) {
  AJAR_ASSIGN(const Output output, run_pdftotext(bytes));
  const std::string complaint(trim(std::string_view(output.complaint).substr(0, std::min<size_t>(300, output.complaint.find('\n')))));
  if (WIFSIGNALED(output.status)) return fail(Code::kTooLarge, "it took more time or memory than is allowed");
  if (WEXITSTATUS(output.status) == 127) return fail(Code::kUnavailable, "pdftotext of poppler-utils is not installed");
  if (output.complaint.find("Incorrect password") != std::string::npos) return fail(Code::kInvalid, "it is encrypted with a password");
  if (WEXITSTATUS(output.status) == 3) return fail(Code::kForbidden, "its author does not allow its text to be copied");
  if (WEXITSTATUS(output.status) != 0 && output.text.find("<word ") == std::string::npos) {
    return fail(Code::kInvalid, "the PDF is damaged" + (complaint.empty() ? "" : " (" + complaint + ")"));
  }
  return read_pdf_words(output.text);
}

}  // namespace ajar::rag
