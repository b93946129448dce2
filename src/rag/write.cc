#include "rag/write.h"

#include "rag/ask.h"

namespace ajar::rag {
namespace {

// Where a quote stands: page where the format has pages, bytes of the document's text.
void write_place(json::Writer& w, uint32_t page, uint32_t begin, uint32_t end) {
  if (page > 0) w.field("page", int64_t{page});
  else w.null_field("page");
  w.field("begin", int64_t{begin});
  w.field("end", int64_t{end});
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAdded: return "added";
    case Outcome::kReplaced: return "replaced";
    case Outcome::kUnchanged: return "unchanged";
    case Outcome::kFailed: return "failed";
  }
  return "failed";
}

void write_hit(json::Writer& w, const Hit& hit) {
  const auto score = [&](json::Name name, const std::optional<float>& value) {
    if (value) w.field(name, double{*value});
    else w.null_field(name);
  };
  w.begin_object();
  w.field("document", hit.document);
  w.field("name", hit.name);
  w.field("title", hit.title);
  w.field("headings", hit.headings);
  write_place(w, hit.page, hit.begin, hit.end);
  w.field("text", hit.text);
  if (!hit.context.empty()) w.field("context", hit.context);
  w.field("score", double{hit.score});
  score("words", hit.words);
  score("meaning", hit.meaning);
  if (hit.rerank) w.field("rerank", double{*hit.rerank});
  w.end_object();
}

void write_answer(json::Writer& w, const Answer& answer) {
  w.field("found", answer.found);
  w.field("probability", double{answer.probability});
  std::string whole;
  for (const AnswerSentence& sentence : answer.sentences) whole += (whole.empty() ? "" : " ") + sentence.text;
  w.field("answer", whole.empty() ? kNotInDocuments : std::string_view(whole));
  w.key("sentences");
  w.begin_array();
  for (const AnswerSentence& sentence : answer.sentences) {
    w.begin_object();
    w.field("text", sentence.text);
    w.key("citations");
    w.begin_array();
    for (const Evidence& one : sentence.evidence) {
      w.begin_object();
      w.field("document", one.document);
      w.field("name", one.name);
      w.field("title", one.title);
      write_place(w, one.page, one.begin, one.end);
      w.field("quote", one.quote);
      w.end_object();
    }
    w.end_array();
    w.end_object();
  }
  w.end_array();
  if (!answer.degraded.empty()) w.field("degraded", answer.degraded);
}

void write_document(json::Writer& w, const DocumentInfo& document) {
  w.begin_object();
  w.field("document", document.id);
  w.field("name", document.name);
  w.field("status", document.status);
  if (!document.reason.empty()) w.field("reason", document.reason);
  if (!document.note.empty()) w.field("note", document.note);
  w.field("format", document.format);
  w.field("title", document.title);
  w.field("language", document.language);
  w.field("bytes", document.bytes);
  w.field("pages", document.pages);
  w.field("chunks", document.chunks);
  w.field("added_ms", document.added_ms);
  w.raw_field("metadata", write_metadata(document.metadata));
  w.end_object();
}

}  // namespace ajar::rag
