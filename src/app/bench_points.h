#pragma once
// The load points of `ajar bench`. Each gives figures; none prints.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/bench_child.h"
#include "app/bench_load.h"

namespace ajar::app {

struct BenchOptions {
  std::string url;      // a given server; empty: mock and serve are started here
  std::string direct;   // the upstream behind the given server, for what is measured as a difference
  std::string key, model;
  std::string embedder, no_embedder;  // the path of a model of embeddings; empty: why there is none
  std::vector<std::string> headers;  // "Name: value", sent with every request
  std::vector<int> pids;             // of the given server, for its CPU time
  std::vector<std::string> only;
  bool quick = false, soak = false;
  size_t threads = 1, client_threads = 1;
  int64_t requests = 0;              // of the memory point; 0: 50,000, with soak 1,000,000
};

struct Figure {
  std::string point, what, unit;
  double value = 0;
  std::optional<double> target;
  bool at_least = false;  // the target is a floor, not a ceiling
  std::string note;
  bool met() const { return !target || (at_least ? value >= *target : value <= *target); }
};

struct BenchPoint {
  std::string name, what;
  bool quick;     // also with --quick when no point is named
};
const std::vector<BenchPoint>& bench_points();

class Bench {
 public:
  // Starts what has to run. The error is for a person.
  static Result<std::unique_ptr<Bench>> make(BenchOptions options);

  // The figures of one point; kUnsupported when it cannot be measured against the given server.
  Result<std::vector<Figure>> run(const std::string& point);

 private:
  struct Served {  // mock, serve and a key
    std::unique_ptr<Child> serve;
    Endpoint at;
    std::string key;
  };
  explicit Bench(BenchOptions options) : options_(std::move(options)), client_(options_.client_threads) {}
  Status start();
  // `more`: further configuration.
  Result<Served> serve(const std::string& name, const std::string& more = "") const;

  // A plan against the server, or straight against its upstream.
  LoadPlan plan(const std::string& model, bool stream, size_t bytes) const;
  LoadPlan plan_of(const Served& served, const std::string& model, bool stream, size_t bytes) const;
  LoadPlan direct(const LoadPlan& plan, const std::string& model, bool stream, size_t bytes) const;
  // A load's CPU time at the server, kernel and batched writers included, once a smaller one has warmed it up. It runs in fifths, of
  // which the one that cost least per answer is given, with the failures of all.
  struct Cost {
    LoadResult result;
    Cpu used;
  };
  Cost cost(LoadPlan load, int64_t warm_up, int64_t requests, const std::vector<pid_t>& pids);
  struct Dialect {
    const char* name;
    const char* prefix;
    bool same;
  };
  std::vector<Dialect> dialects() const;

  std::vector<Figure> whole();
  std::vector<Figure> tokens();
  Result<std::vector<Figure>> paced();
  Result<std::vector<Figure>> latency();
  std::vector<Figure> rate();
  Result<std::vector<Figure>> memory();
  Result<std::vector<Figure>> start_time();
  Result<std::vector<Figure>> pairs();  // bench_pairs.cc
  Result<std::vector<Figure>> ladder();  // bench_ladder.cc
  Result<std::vector<Figure>> embedded();  // bench_embedded.cc

  const BenchOptions options_;
  std::unique_ptr<TemporaryPlace> place_;
  std::unique_ptr<Child> mock_;
  Served served_;
  std::string path_ = "/v1/chat/completions";
  std::optional<Endpoint> upstream_;
  std::vector<pid_t> pids_;
  LoadClient client_;
};

}  // namespace ajar::app
