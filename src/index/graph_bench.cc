// The graph beside the scan: recall, CPU time a question, time and memory of making it. Has a main of its own:
//   graph_bench ROWS [THREADS [CENTRES [DEGREE [BUILDING [SLACK]]]]]   384 numbers around so many centres (1,000); groups differ in size by a factor of 50
//   graph_bench FILE [THREADS]                      embeddings: rows of 384 floats; the last 200 are the questions

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "base/clock.h"
#include "index/vectors.h"

namespace ajar::index {
namespace {

constexpr uint32_t kWidth = 384;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void memory(const char* when) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("RssAnon:")) std::printf("%s: %s\n", when, line.c_str());
}

class Source {
 public:
  virtual ~Source() = default;
  virtual bool next(float* out) = 0;      // a row, of length 1
  virtual void question(float* out) = 0;
};

class Clusters : public Source {
 public:
  Clusters(size_t rows, size_t centres) : left_(rows), centres_(centres * kWidth), count_(centres) {
    std::normal_distribution<float> normal;
    for (float& x : centres_) x = normal(random_);
  }
  bool next(float* out) override {
    if (left_ == 0) return false;
    --left_;
    question(out);
    return true;
  }
  void question(float* out) override {
    // Every second centre has a fiftieth of the others' rows.
    size_t centre = random_() % count_;
    if (centre % 2 == 1 && random_() % 50 != 0) --centre;
    for (uint32_t d = 0; d < kWidth; ++d) out[d] = centres_[centre * kWidth + d] + 0.8f * (static_cast<float>(random_() % 2000) / 1000 - 1);
    if (!normalize({out, kWidth})) std::abort();
  }

 private:
  std::mt19937 random_{1};
  size_t left_;
  std::vector<float> centres_;
  size_t count_;
};

class File : public Source {
 public:
  explicit File(const std::string& path) : in_(path, std::ios::binary) {
    in_.seekg(0, std::ios::end);
    const auto rows = static_cast<size_t>(in_.tellg()) / (kWidth * sizeof(float));
    left_ = rows - 200;
    std::vector<float> row(kWidth);
    in_.seekg(static_cast<std::streamoff>(left_ * kWidth * sizeof(float)));
    for (size_t i = 0; i < 200; ++i) in_.read(reinterpret_cast<char*>(row.data()), kWidth * sizeof(float)), questions_.insert(questions_.end(), row.begin(), row.end());
    in_.seekg(0);
  }
  bool next(float* out) override {
    if (left_ == 0) return false;
    --left_;
    in_.read(reinterpret_cast<char*>(out), kWidth * sizeof(float));
    return normalize({out, kWidth}).has_value();
  }
  void question(float* out) override { std::copy_n(&questions_[(asked_++ % 200) * kWidth], kWidth, out); }

 private:
  std::ifstream in_;
  size_t left_ = 0, asked_ = 0;
  std::vector<float> questions_;
};

int run(Source& source, GraphOptions options) {
  std::vector<float> all, row(kWidth);
  VectorIndex index(kWidth, options);
  uint32_t rows = 0;
  {
    std::vector<uint32_t> ids;
    std::vector<float> block;
    const auto flush = [&] {
      if (!ids.empty() && !index.add(ids, block)) std::abort();
      ids.clear(), block.clear();
    };
    while (source.next(row.data())) {
      ids.push_back(rows++), block.insert(block.end(), row.begin(), row.end());
      all.insert(all.end(), row.begin(), row.end());
      if (ids.size() == 131'072) flush();
    }
    flush();
  }
  // One segment, as a checkpoint makes it.
  std::vector<std::shared_ptr<const VectorSegment>> parts = index.segments().snapshot()->segments;
  const auto alive = index.segments().snapshot()->alive;
  if (!index.reset() || !index.segments().add(VectorSegment::merge(parts, *alive))) std::abort();
  parts.clear();
  const FetchVectors fetch = [&](std::span<const uint32_t> places, std::span<float> out) -> Status {
    for (size_t i = 0; i < places.size(); ++i) std::copy_n(&all[size_t{places[i]} * kWidth], kWidth, &out[i * kWidth]);
    return {};
  };
  constexpr size_t kQuestions = 200;
  std::vector<float> questions(kQuestions * kWidth);
  for (size_t q = 0; q < kQuestions; ++q) source.question(&questions[q * kWidth]);
  std::mt19937 random(9);
  std::vector<Bitmap> filters;
  for (const unsigned percent : {100u, 50u, 20u, 10u, 5u, 1u}) {
    Bitmap kept(rows);
    for (uint32_t i = 0; i < rows; ++i)
      if (random() % 100 < percent) kept.set(i);
    filters.push_back(std::move(kept));
  }
  std::vector<std::vector<std::vector<Scored>>> truth(filters.size());
  for (size_t f = 0; f < filters.size(); ++f) {
    for (size_t q = 0; q < kQuestions; ++q) {
      Best best(10);
      const float* query = &questions[q * kWidth];
      filters[f].each([&](uint32_t i) {
        float sum = 0;
        for (uint32_t d = 0; d < kWidth; ++d) sum += query[d] * all[size_t{i} * kWidth + d];
        best.offer({i, sum});
      });
      truth[f].push_back(best.take());
      if (f == 0 && q == 0) std::printf("%u rows\n", rows);
      if (q == 49) break;
    }
  }
  const auto measure = [&](const char* what, size_t limit, size_t effort = 0) {
    for (size_t f = 0; f < filters.size(); ++f) {
      std::vector<double> times;
      size_t same = 0, wanted = 0;
      for (size_t q = 0; q < kQuestions; ++q) {
        const double from = cpu_seconds();
        const auto found = index.reader(effort).search({&questions[q * kWidth], kWidth}, &filters[f], limit, fetch);
        times.push_back(1e3 * (cpu_seconds() - from));
        if (!found) std::abort();
        if (q >= truth[f].size()) continue;
        for (const Scored& one : truth[f][q]) {
          ++wanted;
          for (size_t i = 0; i < 10 && i < found->size(); ++i) same += (*found)[i].row == one.row ? 1 : 0;
        }
      }
      std::sort(times.begin(), times.end());
      std::printf("%s, %3.0f %% of rows, limit %zu, effort %zu: p50 %.3f ms p99 %.3f ms, recall@10 %.4f\n", what, 100.0 * static_cast<double>(filters[f].count()) / rows, limit, effort,
                  times[times.size() / 2], times[times.size() * 99 / 100], static_cast<double>(same) / static_cast<double>(wanted));
    }
    std::fflush(stdout);
  };
  measure("scan", 10);
  memory("before the graph");
  const double from = cpu_seconds();
  const TimePoint wall = now();
  uint64_t shown = 0;
  if (!index.build_graph({}, [&](uint64_t done, uint64_t of) {
        if (done * 5 / of > shown) shown = done * 5 / of, std::printf("  %zu rows after %.1f s of CPU\n", size_t{done}, cpu_seconds() - from), std::fflush(stdout);
      })) std::abort();
  std::printf("graph of %zu rows, degree %u: %.1f s of CPU, %.1f s on the wall, %u threads\n", size_t{index.graph_rows()}, options.degree, cpu_seconds() - from,
              seconds_between(wall, now()), options.threads);
  memory("with the graph");
  for (const size_t effort : {100u, 200u, 300u, 400u, 600u}) measure("graph", 10, effort);
  measure("graph", 100);
  return 0;
}

}  // namespace
}  // namespace ajar::index

int main(int argc, char** argv) {
  using namespace ajar::index;
  if (argc < 2) return std::fprintf(stderr, "usage: graph_bench ROWS|FILE [THREADS [CENTRES [DEGREE [BUILDING [SLACK]]]]]\n"), 2;
  GraphOptions options{.from_rows = 1000};
  if (argc > 2) options.threads = static_cast<unsigned>(std::atoi(argv[2]));
  if (argc > 4) options.degree = static_cast<uint32_t>(std::atoi(argv[4]));
  if (argc > 5) options.building = static_cast<uint32_t>(std::atoi(argv[5]));
  if (argc > 6) options.slack = static_cast<float>(std::atof(argv[6]));
  const auto rows = static_cast<size_t>(std::strtoull(argv[1], nullptr, 10));
  options.from_rows = rows > 0 ? static_cast<uint32_t>(std::min<size_t>(rows, 200'000)) : 1000;
  if (rows > 0) {
    Clusters source(rows, argc > 3 ? static_cast<size_t>(std::atoi(argv[3])) : 1000);
    return run(source, options);
  }
  File source(argv[1]);
  return run(source, options);
}
