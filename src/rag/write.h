#pragma once
// What was found as JSON, the same on the command line and over HTTP.

#include <span>
#include <string>

#include "json/write.h"
#include "rag/answer.h"
#include "rag/collection.h"

namespace ajar::rag {

void write_hit(json::Writer& w, const Hit& hit);
// Members of an object that is begun: found, probability, answer, sentences with their citations.
void write_answer(json::Writer& w, const Answer& answer);
void write_document(json::Writer& w, const DocumentInfo& document);
std::string_view outcome_name(Outcome outcome);  // "added", "replaced", "unchanged", "failed"

}  // namespace ajar::rag
