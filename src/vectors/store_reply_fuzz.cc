// Whatever a store answers: no crash, and no row that is not a number.
#include "vectors/stores.h"

namespace ajar::vectors {
namespace {

void ask_all(const char* kind, const std::string& answer, int status) {
  const CallHttp http = [&](const HttpAsk&) -> Result<HttpAnswer> { return HttpAnswer{.status = status, .body = answer}; };
  const auto store = open_store({.name = "fuzzed", .kind = kind, .url = "http://h"}, "ajar_c", http);
  const std::vector<float> vector(4, 0.5f);
  auto fields = std::make_shared<rag::RowFields>();
  fields->tags = {"@*"};
  fields->numbers["n_a"] = 1;
  const rag::VectorRow row{.row = 1, .vector = vector, .fields = fields};
  const std::vector<uint32_t> rows{1, 2};
  const rag::Predicate predicate{.kind = rag::Predicate::Kind::kGt, .number = "n_a", .bound = 1};
  (void)(*store)->health();
  (void)(*store)->create(4);
  (void)(*store)->upsert(std::span(&row, 1));
  (void)(*store)->erase(rows);
  if (const auto found = (*store)->search(vector, predicate, 3))
    for (const auto& one : *found)
      if (one.score != one.score) __builtin_trap();
  (void)(*store)->count();
  if (const auto there = (*store)->rows(5, 10))
    for (const uint32_t one : *there)
      if (one < 5 || one >= 15) __builtin_trap();
  (void)(*store)->drop();
}

}  // namespace
}  // namespace ajar::vectors

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  static constexpr const char* kKinds[] = {"qdrant", "weaviate", "milvus", "pinecone"};
  const std::string answer(reinterpret_cast<const char*>(data) + 1, size - 1);
  ajar::vectors::ask_all(kKinds[data[0] % 4], answer, data[0] & 0x80 ? 404 : 200);
  return 0;
}
