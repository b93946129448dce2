#pragma once
// Access and metadata in the words of other stores (vector_store.h). All of them know lists of words and numbers, and no two
// agree on more: whether a field may hold numbers here and texts there, whether 2024 equals 2024.0, what "not equal" says of a row
// without the field. So equality and access are words:
//   @*               everyone who may use the collection            @=team:legal   this principal
//   @-               nobody but administrators                      year=n:2024, team=s:support, draft=b:true
// and numbers stand beside them once more for ranges. %, =, @, spaces and controls are written %XX; what is longer than 200
// bytes ends in its SHA-256.

#include "rag/vector_store.h"
#include "rag/visible.h"

namespace ajar::rag {

// kTooLarge: a list or metadata beyond what stores take of one row.
Result<std::shared_ptr<const RowFields>> fields_of(const std::string& document, const std::optional<std::vector<std::string>>& allow,
                                                   const Metadata& metadata);
// The same rows as Visible::rows(reader, filter). A range over texts becomes the list of the texts that there are.
// kInvalid: that list is longer than kMaxFilterValues.
Result<Predicate> predicate_of(const Visible& visible, const Reader& reader, const Filter& filter);
bool keeps(const Predicate& predicate, const RowFields& fields);

// A name of small letters (Weaviate does not tell them from capitals), digits and _, one for each field.
std::string number_name(std::string_view field);

}  // namespace ajar::rag
