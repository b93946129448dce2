// What is read from files: segments and manifests, with a right checksum, so that the fuzzer gets behind it. And the analyzer.

#include <cstdlib>
#include <cstring>

#include "index/analyzer.h"
#include "index/bm25.h"
#include "index/vectors.h"

using namespace ajar;
using namespace ajar::index;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view in(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string sealed(in);
  seal(sealed);
  Bitmap even;
  for (uint32_t row = 0; row < 64; row += 2) even.set(row);
  switch (data[0] % 5) {
    case 0:
      if (auto segment = Bm25Segment::open(Buffer::own(sealed))) {
        const std::vector one{*segment};
        if (auto again = Bm25Segment::open(Buffer::own(Bm25Segment::merge(one, even))); (*segment)->terms() > 0 && again) (void)(*again)->find("x");
        Segments<Bm25Segment>::Snapshot snapshot;
        auto alive = std::make_shared<Bitmap>();
        alive->set_range(0, 4096);
        snapshot.segments.push_back(*segment), snapshot.alive = alive, snapshot.live_rows = 10, snapshot.live_weight = 100;
        std::vector<QueryTerm> terms;
        for (uint32_t i = 0; i < std::min(8u, (*segment)->terms()); ++i) terms.push_back({std::string((*segment)->term(i))});
        (void)Bm25Reader(std::make_shared<const Segments<Bm25Segment>::Snapshot>(std::move(snapshot))).search(terms, &even, 5);
      }
      break;
    case 1:
      if (auto segment = VectorSegment::open(Buffer::own(sealed))) {
        Segments<VectorSegment>::Snapshot snapshot;
        auto alive = std::make_shared<Bitmap>();
        alive->set_range(0, 4096);
        snapshot.segments.push_back(*segment), snapshot.alive = alive, snapshot.live_rows = 10;
        const std::vector<float> query((*segment)->width(), 0.5f);
        (void)VectorReader(std::make_shared<const Segments<VectorSegment>::Snapshot>(std::move(snapshot))).search(query, nullptr, 5);
      }
      break;
    case 2: (void)read_manifest(sealed); break;
    case 3: {  // a graph of this segment: only its number must be right
      static const auto segment = *VectorSegment::open(Buffer::own(VectorSegment::build(std::vector<uint32_t>{1, 2, 5, 9}, std::vector<float>(4 * 8, 0.5f), 8)));
      if (in.size() < 32) break;
      std::string graph(in);
      const uint64_t identity = segment->identity();
      std::memcpy(graph.data() + 24, &identity, 8);
      seal(graph);
      if (auto opened = Graph::open(Buffer::own(std::move(graph)), *segment)) {
        Best best(3);
        Bitmap all(4);
        all.set_range(0, 4);
        (void)(*opened)->search(*segment, {.codes = std::vector<int8_t>(segment->stride(), 3)}, all, 1, dot_kernels().front(), best);
      }
      break;
    }
    default: {
      Analyzer analyzer(static_cast<Language>(data[0] / 4 % kLanguages));
      uint32_t last = 0;
      analyzer.each(in, [&](std::string_view term, uint32_t begin, uint32_t end) {
        if (term.empty() || begin >= end || end > in.size() || begin < last) std::abort();
        last = begin;
      });
      (void)detect_language(in);
    }
  }
  return 0;
}
