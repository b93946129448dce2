// ajar rungs, calibrate, replay: how good the rungs of a ladder are, from what the server has seen of them.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "app/admin_client.h"
#include "app/replay_file.h"
#include "app/terminal.h"
#include "app/utc.h"
#include "base/text.h"
#include "gateway/calibration.h"
#include "gateway/request_key.h"
#include "json/write.h"
#include "learn/bounds.h"
#include "learn/threshold.h"
#include "tune/calibrate.h"

namespace ajar::app {
namespace {

struct LadderArgs {
  AdminArgs admin;
  std::string route, target, out, file, from = "30d";
  double alpha = 0.05, delta = 0.05, cost_ratio = 0;
  bool feedback = false;
  std::vector<std::string> accept;
};

std::string fixed(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", number);
  return text;
}

int rungs(const CommandContext& context, const LadderArgs& args) {
  const auto body = AdminClient(context, args.admin).call("GET", "/admin/rungs");
  if (!body) return complain(context, body.error());
  if (context.json) return std::puts(body->c_str()), 0;
  std::vector<std::vector<std::string>> rows;
  each_row(*body, [&](const json::Object& row) {
    const bool alarmed = json::find(row, "alarmed") && json::as_bool(*json::find(row, "alarmed")).value_or(false);
    rows.push_back({std::string(json::string_or(row, "route")), std::string(json::string_or(row, "target")),
                    alarmed ? red("accepts nothing") : fixed(number(row, "accept")), count(int64_t(number(row, "audits"))),
                    percent(number(row, "error_low")) + " to " + percent(number(row, "error_high")), percent(number(row, "alpha"))});
  });
  std::fputs(table({"route", "rung", "accepts from", "audits", "wrong, surely", "promised"}, rows).c_str(), stdout);
  if (rows.empty()) std::puts("no route has a judged rung");
  return 0;
}

struct Evidence {
  std::vector<double> raw, loss;
  std::vector<std::string> call;
};

// A random sample of requests: audits of accepted answers and comparisons of those that climbed. Feedback is what clients chose to say, and
// of one client at most a fifth of it counts.
Result<Evidence> gather(AdminClient& client, const std::string& route, const std::string& target, bool feedback) {
  Evidence evidence;
  std::map<std::string, size_t> by_key;
  size_t said = 0;
  const std::string path = "/admin/evidence?limit=100000&route=" + percent_encode(route) + "&target=" + percent_encode(target);
  AJAR_ASSIGN(const auto body, client.call("GET", path));
  each_row(body, [&](const json::Object& row) { said += json::string_or(row, "source") == "feedback"; });
  each_row(body, [&](const json::Object& row) {
    if (json::string_or(row, "source") == "feedback") {
      if (!feedback || ++by_key[std::string(json::string_or(row, "key"))] > std::max<size_t>(1, said / 5)) return;
    }
    evidence.raw.push_back(number(row, "raw"));
    evidence.loss.push_back(number(row, "loss"));
    evidence.call.emplace_back(json::string_or(row, "call"));
  });
  return evidence;
}

// A threshold from answers that somebody judged elsewhere; nothing is asked of a server.
int calibrate_file(const CommandContext& context, const LadderArgs& args) {
  std::ifstream in(args.file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto judged = tune::parse_judged(bytes, args.file);
  if (!judged) return complain(context, judged.error());
  const auto calibrated = tune::calibrate(*judged, {.guarantee = {.alpha = args.alpha, .delta = args.delta}, .cost_ratio = args.cost_ratio});
  if (!calibrated) return complain(context, calibrated.error());
  std::fputs(calibrated->text.c_str(), stdout);
  return calibrated->calibration.found ? 0 : 1;
}

// Half of the sample shapes the probability, the other half proves the threshold: what was fitted to may not judge itself.
int calibrate(const CommandContext& context, const LadderArgs& args) {
  if (!args.file.empty()) return calibrate_file(context, args);
  if (args.route.empty()) return complain(context, {.message = "name the route, or a file of judged answers (--file)"});
  AdminClient client(context, args.admin);
  const auto known = client.call("GET", "/admin/rungs");
  if (!known) return complain(context, known.error());
  std::vector<std::string> targets;
  each_row(*known, [&](const json::Object& row) {
    if (json::string_or(row, "route") == args.route) targets.emplace_back(json::string_or(row, "target"));
  });
  if (targets.empty()) return complain(context, {.message = "the server has no route '" + args.route + "' with a judged rung"});
  if (args.target.empty() && targets.size() > 1) return complain(context, {.message = "the route has several judged rungs: name one with --target"});
  const std::string target = args.target.empty() ? targets.front() : args.target;
  if (std::ranges::find(targets, target) == targets.end()) return complain(context, {.message = "'" + target + "' is no judged rung of the route"});
  const auto evidence = gather(client, args.route, target, args.feedback);
  if (!evidence) return complain(context, evidence.error());

  std::vector<double> scores, outcomes;
  std::vector<size_t> rest;
  for (size_t i = 0; i < evidence->raw.size(); ++i) {
    if (text_key(evidence->call[i]).bytes[0] % 2 == 0) {
      scores.push_back(evidence->raw[i]);
      outcomes.push_back(1 - evidence->loss[i]);
    } else {
      rest.push_back(i);
    }
  }
  const auto shape = learn::Isotonic::fit(scores, outcomes);
  if (!shape) {
    return complain(context, {.message = "there are " + std::to_string(evidence->raw.size()) + " compared answers of " + target +
                                         ", too few to calibrate on (" + shape.error().message + "); set `audit` on the route and wait"});
  }
  std::vector<learn::Judged> judged;
  for (const size_t i : rest) judged.push_back({.confidence = (*shape)(evidence->raw[i]), .loss = evidence->loss[i]});
  const auto chosen = learn::choose_threshold(judged, {.alpha = args.alpha, .delta = args.delta});
  if (!chosen) return complain(context, chosen.error());
  if (!chosen->found) {
    Error error{.message = "no threshold can be promised: " + chosen->refusal.reason};
    if (chosen->refusal.more > 0) error.message += "; about " + count(2 * chosen->refusal.more) + " more compared answers are needed";
    return complain(context, error);
  }
  const learn::Threshold& threshold = *chosen->found;
  RungCalibration calibration{.route = args.route, .target = target, .source = args.feedback ? "audits and feedback" : "audits", .probability = *shape,
                              .accept = threshold.threshold, .alpha = args.alpha, .delta = args.delta, .bound = threshold.bound,
                              .share = threshold.share(), .samples = int64_t(evidence->raw.size()), .made_at = utc_now()};
  if (context.json || args.out.empty()) std::fputs(calibration.json().c_str(), stdout);
  if (!args.out.empty()) {
    std::ofstream out(args.out, std::ios::trunc);
    if (!(out << calibration.json()) || !out.flush()) return complain(context, {.message = args.out + " cannot be written"});
  }
  if (context.json || args.out.empty()) return 0;
  std::printf("%s answers of %s were compared; %s shaped the probability, %s proved the threshold.\n\n", count(calibration.samples).c_str(), target.c_str(),
              count(int64_t(scores.size())).c_str(), count(int64_t(rest.size())).c_str());
  std::printf("  accept from      %s\n  of all answers   %s\n  of these wrong   %s seen; at most %s (%s promised) with probability %s\n\n", fixed(threshold.threshold).c_str(),
              percent(threshold.share()).c_str(), percent(threshold.loss).c_str(), percent(threshold.bound).c_str(), percent(args.alpha).c_str(),
              percent(1 - args.delta).c_str());
  std::printf("%s %s. To use it, set calibration = \"%s\" on the target, leave accept out, and reload.\n", green("wrote").c_str(), args.out.c_str(), args.out.c_str());
  return 0;
}

// ---- replay

struct Rung {
  std::string target, outcome;
  double confidence = -1, accept = -1, cost = 0;
};
struct Logged {
  std::vector<Rung> rungs;
  double cost = 0;
};

std::vector<Logged> read_calls(const std::string& body) {
  std::vector<Logged> calls;
  each_row(body, [&](const json::Object& row) {
    const auto list = json::find(row, "rungs");
    const auto rungs = list ? json::as_array(*list) : std::nullopt;
    if (!rungs) return;
    Logged& call = calls.emplace_back();
    call.cost = number(row, "cost");
    double known = 0;
    for (const auto item : *rungs) {
      const auto fields = json::as_object(item);
      if (!fields) continue;
      call.rungs.push_back({.target = std::string(json::string_or(*fields, "target")), .outcome = std::string(json::string_or(*fields, "outcome")),
                            .confidence = number(*fields, "confidence", -1), .accept = number(*fields, "accept", -1), .cost = number(*fields, "cost_usd")});
      known += call.rungs.back().cost;
    }
    if (!call.rungs.empty() && call.rungs.back().confidence < 0) call.rungs.back().cost = std::max(0.0, call.cost - known);  // the top's own
  });
  return calls;
}

struct Outcome {
  std::string target;
  double cost = 0;
  bool assumed = false;  // the log cannot say what the next rung would have answered
};

// Where a call ends when the thresholds are these. What was never asked is taken to be accepted, at its usual cost.
Outcome decide_again(const Logged& call, const std::map<std::string, double>& accept, const std::map<std::string, double>& usual, const std::string& top) {
  Outcome outcome;
  for (const Rung& rung : call.rungs) {
    outcome.target = rung.target;
    outcome.cost += rung.cost;
    if (rung.confidence < 0) {
      if (rung.outcome == "complete") return outcome;
      continue;
    }
    const auto changed = accept.find(rung.target);
    if (rung.confidence >= (changed == accept.end() ? rung.accept : changed->second)) return outcome;
  }
  const auto cost = usual.find(top);
  outcome.cost += cost == usual.end() ? 0 : cost->second;
  outcome.target = top;
  outcome.assumed = true;
  return outcome;
}

int replay(const CommandContext& context, const LadderArgs& args) {
  if (args.route.empty()) return complain(context, {.message = "name the route, or a file of recorded answers (--file)"});
  std::map<std::string, double> accept;
  for (const std::string& text : args.accept) {
    const size_t equals = text.rfind('=');
    const auto value = equals == text.npos ? std::nullopt : parse_double(text.substr(equals + 1));
    if (!value || *value < 0 || *value > 1) return complain(context, {.message = "--accept takes TARGET=NUMBER with a number from 0 to 1, not '" + text + "'"});
    accept[text.substr(0, equals)] = *value;
  }
  AdminClient client(context, args.admin);
  const auto body = client.call("GET", "/admin/calls?limit=10000&route=" + percent_encode(args.route) + "&from=" + percent_encode(args.from));
  if (!body) return complain(context, body.error());
  const std::vector<Logged> calls = read_calls(*body);
  if (calls.empty()) return complain(context, {.message = "the log has no decisions of the route '" + args.route + "' since " + args.from});

  // What rungs usually cost, and which of them is the top: the one that is never judged.
  std::map<std::string, double> sum, asked;
  std::string top;
  for (const Logged& call : calls) {
    for (const Rung& rung : call.rungs) {
      if (rung.outcome == "not_allowed") continue;
      sum[rung.target] += rung.cost, ++asked[rung.target];
      if (rung.confidence < 0 && rung.outcome == "complete") top = rung.target;
    }
  }
  for (auto& [target, cost] : sum) cost /= asked[target];
  for (const auto& [target, value] : accept) {
    if (!sum.contains(target)) return complain(context, {.message = "the log has no rung '" + target + "'"});
  }

  std::map<std::string, int64_t> then, now;
  double cost_then = 0, cost_now = 0;
  int64_t moved = 0, assumed = 0, same = 0;
  for (const Logged& call : calls) {
    const Outcome old = decide_again(call, {}, sum, top), fresh = decide_again(call, accept, sum, top);
    ++then[old.target], ++now[fresh.target];
    cost_then += call.cost, cost_now += fresh.target == old.target ? call.cost : fresh.cost;
    moved += old.target != fresh.target;
    assumed += fresh.assumed && !old.assumed;
    same += old.target == call.rungs.back().target;
  }
  std::vector<std::vector<std::string>> rows;
  const auto total = double(calls.size());
  for (const auto& [target, cost] : sum) {
    rows.push_back({target, count(then[target]), percent(double(then[target]) / total), count(now[target]), percent(double(now[target]) / total), dollars(cost)});
  }
  // What audits say of answers that the new threshold would accept.
  std::vector<std::string> notes;
  for (const auto& [target, least] : accept) {
    const auto evidence = client.call("GET", "/admin/evidence?limit=100000&route=" + percent_encode(args.route) + "&target=" + percent_encode(target));
    if (!evidence) return complain(context, evidence.error());
    int64_t compared = 0, wrong = 0;
    each_row(*evidence, [&](const json::Object& row) {
      if (number(row, "confidence") < least || json::string_or(row, "source") == "feedback") return;
      ++compared, wrong += number(row, "loss") > 0.5;
    });
    const auto range = learn::wilson(wrong, compared, 0.95);
    notes.push_back(compared == 0 ? "nothing is known of answers of " + target + " from " + fixed(least) + " on: no audit has compared one"
                                  : "of " + count(compared) + " compared answers of " + target + " from " + fixed(least) + " on, " + percent(1 - double(wrong) / double(compared)) +
                                        " agreed with the top rung (" + percent(1 - range.high) + " to " + percent(1 - range.low) + ")");
  }
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("calls", int64_t(calls.size()));
    w.field("reproduced", same);
    w.field("moved", moved);
    w.field("assumed", assumed);
    w.field("cost_then_usd", cost_then);
    w.field("cost_now_usd", cost_now);
    w.end_object();
    return std::puts(out.c_str()), 0;
  }
  std::fputs(table({"rung", "then", "", "now", "", "usual cost"}, rows).c_str(), stdout);
  std::printf("\n%s decisions; %s of them come out as they did by the thresholds of their time.\n", count(int64_t(calls.size())).c_str(), count(same).c_str());
  if (!accept.empty()) {
    std::printf("With the new thresholds %s calls end elsewhere, and all cost %s instead of %s.\n", count(moved).c_str(), dollars(cost_now).c_str(), dollars(cost_then).c_str());
    if (assumed > 0) std::printf("%s of them climb to a rung that was not asked then; its usual cost is assumed.\n", count(assumed).c_str());
  }
  for (const std::string& note : notes) std::printf("%s\n", note.c_str());
  return 0;
}

}  // namespace

void add_ladder(CommandContext& context) {
  auto args = std::make_shared<LadderArgs>();
  auto rungs_command = context.root.add_subcommand("rungs", "Judged rungs: what they accept, and what audits say of their answers");
  add_admin_options(rungs_command, args->admin);
  context.add(rungs_command, [&context, args] { return rungs(context, *args); });

  auto calibrate_command = context.root.add_subcommand("calibrate", "A threshold with a guarantee for a rung, from audits: at most alpha of what it accepts is wrong");
  calibrate_command.add_option("route", args->route, "The route");
  calibrate_command.add_option("--file", args->file, "Instead of a route: JSON Lines of {\"confidence\", \"right\"} or CSV with these columns").existing_file();
  calibrate_command.add_option("--cost-ratio", args->cost_ratio, "With --file: price of this rung's answer by that of the one above, to tell the saving");
  calibrate_command.add_option("--target", args->target, "The rung, where the route has several that are judged");
  calibrate_command.add_option("--alpha", args->alpha, "Share of accepted answers that may be wrong").between(0.0001, 0.9999).capture_default();
  calibrate_command.add_option("--delta", args->delta, "Probability with which that may fail").between(0.0001, 0.9999).capture_default();
  calibrate_command.add_option("-o,--out", args->out, "File for the target's `calibration`; otherwise it is printed");
  calibrate_command.add_flag("--feedback", args->feedback, "Use what clients said as well");
  add_admin_options(calibrate_command, args->admin);
  context.add(calibrate_command, [&context, args] { return calibrate(context, *args); });

  auto replay_command = context.root.add_subcommand("replay", "What a route's logged decisions would have been under other thresholds, and what they would have cost");
  replay_command.add_option("route", args->route, "The route");
  auto recorded = std::make_shared<ReplayFileArgs>();
  replay_command.add_option("--file", recorded->files, "Instead of a route: CSV of prompts and what two models' answers were worth (prompt,WEAK,STRONG,WEAK_response); several are joined")
      .existing_file();
  replay_command.add_option("--weak", recorded->weak, "With --file: the column of the model that is asked first; otherwise the first");
  replay_command.add_option("--strong", recorded->strong, "With --file: the column of the model above it");
  replay_command.add_option("--score", recorded->score, "With --file: a score of `ajar tune answers` that looks at the first model's answers").existing_file();
  replay_command.add_flag("--learn", recorded->learn, "With --file: teach such a score from these answers, each judged by one that did not see it");
  replay_command.add_option("--cost-ratio", recorded->cost_ratio, "With --file: price of the first model's answer by that of the one above").at_least_zero();
  replay_command.add_option("--from", args->from, "Since when: \"24h\", \"30d\" ago, or Unix milliseconds").capture_default();
  replay_command.add_option("--accept", args->accept, "TARGET=NUMBER: another threshold; may be repeated");
  add_admin_options(replay_command, args->admin);
  context.add(replay_command, [&context, args, recorded] { return recorded->files.empty() ? replay(context, *args) : replay_file(context, *recorded); });
}

}  // namespace ajar::app
