#include "app/replay_file.h"

#include <cstdio>

#include "app/terminal.h"
#include "base/random.h"
#include "json/write.h"
#include "learn/answer_score.h"
#include "learn/file.h"
#include "learn/metrics.h"
#include "learn/routed.h"

namespace ajar::app {
namespace {

constexpr double kRecovered[] = {0.5, 0.8, 0.95};

struct Router {
  std::string name;
  learn::RoutingCurve curve;
  bool cascade = false;          // asks the weak model always, and looks at its answer
};

std::string percent_of(const std::optional<double>& share) { return share ? percent(*share) : "-"; }

Result<learn::RoutedFile> read_all(const ReplayFileArgs& args) {
  learn::RoutedFile all;
  for (const std::string& path : args.files) {
    AJAR_ASSIGN(const std::string bytes, learn::read_file(path, int64_t{1} << 30));
    AJAR_ASSIGN(auto file, learn::parse_routed(bytes, path, args.weak, args.strong));
    if (!all.rows.empty() && (file.weak != all.weak || file.strong != all.strong)) {
      return invalid("file", path + ": it is of " + file.weak + " and " + file.strong + ", the others are of " + all.weak + " and " + all.strong);
    }
    file.rows.insert(file.rows.begin(), std::make_move_iterator(all.rows.begin()), std::make_move_iterator(all.rows.end()));
    all = std::move(file);
  }
  return all;
}

template <class Score>
Router router(std::string name, const learn::RoutedFile& file, bool cascade, Score score) {
  std::vector<learn::RoutedOutcome> outcomes;
  for (size_t i = 0; i < file.rows.size(); ++i) outcomes.push_back({.score = score(i), .weak = file.rows[i].weak, .strong = file.rows[i].strong});
  return {.name = std::move(name), .curve = learn::RoutingCurve(outcomes), .cascade = cascade};
}

// Each answer's probability of being right, by a score that was taught by the others.
Result<std::vector<double>> learnt(const learn::RoutedFile& file) {
  constexpr size_t kFolds = 5;
  std::vector<double> out(file.rows.size());
  std::vector<size_t> fold_of;
  for (const auto& row : file.rows) fold_of.push_back(size_t(sha256_hex(row.prompt)[0]) % kFolds);  // equal prompts stay together
  for (size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<learn::AnswerScore::Row> rows;
    for (size_t i = 0; i < file.rows.size(); ++i) {
      if (fold_of[i] != fold) rows.push_back({.evidence = {.prompt = file.rows[i].prompt, .answer = file.rows[i].answer}, .right = file.rows[i].weak >= 0.5});
    }
    AJAR_ASSIGN(const auto score, learn::AnswerScore::fit(rows));
    for (size_t i = 0; i < file.rows.size(); ++i) {
      if (fold_of[i] == fold) out[i] = score.score({.prompt = file.rows[i].prompt, .answer = file.rows[i].answer});
    }
  }
  return out;
}

Result<std::vector<Router>> routers(const ReplayFileArgs& args, const learn::RoutedFile& file) {
  std::vector<Router> out;
  out.push_back(router("random mix", file, false, [](size_t) { return 0.0; }));
  out.push_back(router("longer prompts first", file, false, [&](size_t i) { return double(file.rows[i].prompt.size()); }));
  if ((args.learn || !args.score.empty()) && !file.answers) return invalid("file", "the file has no answers of " + file.weak + " (" + file.weak + "_response) that a score could look at");
  if (!args.score.empty()) {
    AJAR_ASSIGN(const auto score, learn::AnswerScore::read(args.score));
    out.push_back(router("score of " + args.score, file, true, [&](size_t i) { return -score.score({.prompt = file.rows[i].prompt, .answer = file.rows[i].answer}); }));
  }
  if (args.learn) {
    AJAR_ASSIGN(const auto scores, learnt(file));
    out.push_back(router("score taught by the others", file, true, [&](size_t i) { return -scores[i]; }));
  }
  out.push_back(router("oracle", file, false, [&](size_t i) { return file.rows[i].strong - file.rows[i].weak; }));
  return out;
}

void print_json(const learn::RoutedFile& file, const std::vector<Router>& routers) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("prompts", int64_t(file.rows.size()));
  w.field("weak", file.weak);
  w.field("strong", file.strong);
  w.field("weak_quality", routers.front().curve.weak());
  w.field("strong_quality", routers.front().curve.strong());
  w.key("routers");
  w.begin_array();
  for (const Router& router : routers) {
    w.begin_object();
    w.field("router", router.name);
    if (const auto apgr = router.curve.apgr()) w.field("apgr", *apgr);
    w.key("cpt");
    w.begin_object();
    for (const double recovered : kRecovered) {
      if (const auto share = router.curve.cpt(recovered)) w.field(std::to_string(int(recovered * 100)), *share);
    }
    w.end_object();
    w.key("quality");  // at 0, 5, …, 100 % of the prompts to the strong model
    w.begin_array();
    for (int i = 0; i <= 20; ++i) w.number(router.curve.quality(i / 20.0));
    w.end_array();
    w.end_object();
  }
  w.end_array();
  w.end_object();
  std::puts(out.c_str());
}

}  // namespace

int replay_file(const CommandContext& context, const ReplayFileArgs& args) {
  const auto file = read_all(args);
  if (!file) return complain(context, file.error());
  const auto all = routers(args, *file);
  if (!all) return complain(context, all.error());
  if (context.json) return print_json(*file, *all), 0;
  const learn::RoutingCurve& curve = all->front().curve;
  std::printf("%s prompts. Always %s: %s of what can be reached; always %s: %s.\n\n", count(int64_t(file->rows.size())).c_str(), file->weak.c_str(),
              percent(curve.weak()).c_str(), file->strong.c_str(), percent(curve.strong()).c_str());
  std::vector<std::string> head = {"router", "APGR", "50 %", "80 %", "95 %", "quality at 25 %", "at 50 %", "at 75 %"};
  if (args.cost_ratio > 0) head.emplace_back("cost at 95 %");
  std::vector<std::vector<std::string>> rows;
  for (const Router& router : *all) {
    char apgr[32] = "-";
    if (const auto area = router.curve.apgr()) std::snprintf(apgr, sizeof apgr, "%.3f", *area);
    auto& row = rows.emplace_back(std::vector<std::string>{router.name, apgr});
    for (const double recovered : kRecovered) row.push_back(percent_of(router.curve.cpt(recovered)));
    for (const double share : {0.25, 0.5, 0.75}) row.push_back(percent(router.curve.quality(share)));
    if (args.cost_ratio > 0) {
      const auto share = router.curve.cpt(0.95);
      row.push_back(share ? percent(*share + args.cost_ratio * (router.cascade ? 1 : 1 - *share)) : "-");
    }
  }
  std::fputs(table(head, rows).c_str(), stdout);
  std::printf("\nAPGR: area under the share of the gap that is recovered, as more prompts go to %s; a random mix has 0.5. 50, 80, 95 %%: the least share of prompts that\n"
              "must go there to recover so much of the gap (CPT). The oracle knows which answers are right and gives each prompt to whom it is worth most.\n", file->strong.c_str());
  return 0;
}

}  // namespace ajar::app
