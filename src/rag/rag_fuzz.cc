// Every extractor on bytes of its own kind, what the helper answers, filters, sentences, chunks. What PDF needs another process for is
// fuzzed at its output.

#include <cstdlib>

#include "base/text.h"
#include "rag/chunk.h"
#include "rag/cite.h"
#include "rag/extract.h"
#include "rag/visible.h"

using namespace ajar;
using namespace ajar::rag;

namespace {

void check(const Result<Extracted>& read) {
  if (!read) {
    if (read.error().message.empty()) std::abort();
    return;
  }
  if (!valid_utf8(read->text) || !valid_utf8(read->title)) std::abort();
  uint32_t last = 0;
  for (const Block& block : read->blocks) {
    if (block.begin < last || block.end <= block.begin || block.end > read->text.size()) std::abort();
    last = block.end;
  }
  const auto again = read_result(write_result(read));
  if (!again || again->text != read->text || again->blocks.size() != read->blocks.size()) std::abort();
  uint32_t end = 0;
  for (const Chunk& chunk : make_chunks(*read, {.tokens = 20, .parent_tokens = 60})) {
    if (chunk.begin != end || chunk.end <= chunk.begin) std::abort();
    end = chunk.end;
  }
  if (!read->blocks.empty() && end != read->text.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view in(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 17) {
    case 0: check(read_pdf_words(in)); break;
    case 1: check(extract_docx(in)); break;
    case 2: check(extract_pptx(in)); break;
    case 3: check(extract_xlsx(in)); break;
    case 4: check(extract_odf(in)); break;
    case 5: check(extract_epub(in)); break;
    case 6: check(extract_rtf(in)); break;
    case 7: check(extract_html(in)); break;
    case 8: check(extract_markdown(to_utf8(in))); break;
    case 9: check(extract_csv(to_utf8(in))); break;
    case 10: check(extract_json(to_utf8(in))); break;
    case 11: check(extract_email(in)); break;
    case 12: check(extract_xml(in)); break;
    case 13: check(read_result(in)); break;
    case 14:
      (void)read_filter(in);
      if (const auto metadata = read_metadata(in))
        if (const auto again = read_metadata(write_metadata(*metadata)); !again || *again != *metadata) std::abort();
      break;
    case 15: {
      std::string sealed(in);
      index::seal(sealed);
      auto table = DocumentsTable::open(index::Buffer::own(std::move(sealed)));
      if (!table) break;
      Visible visible;
      visible.adopt(*table);
      (void)visible.rows({.principals = {"a"}}, {.kind = Filter::Kind::kGt, .field = "f", .values = {1.0}});
      (void)visible.of_row(3), visible.remove("d");
      (void)DocumentsTable::open(index::Buffer::own(visible.table()));
      break;
    }
    default: {
      if (const auto format = detect_format(in, "x"); format && *format != Format::kPdf) check(extract(in, "x"));
      const Hit hit{.language = "en", .text = std::string(in)};
      for (const AnswerSentence& sentence : cite(in.substr(0, 200), std::span(&hit, 1), {}))
        for (const Evidence& e : sentence.evidence)
          if (hit.text.substr(e.begin, e.end - e.begin) != e.quote) std::abort();
    }
  }
  return 0;
}
