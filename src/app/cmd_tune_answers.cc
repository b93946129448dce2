// ajar tune answers: a score of answers, from answers that somebody judged.
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/terminal.h"
#include "json/write.h"
#include "learn/file.h"
#include "learn/judged_answers.h"

namespace ajar::app {
namespace {

struct AnswersArgs {
  std::vector<std::string> data;
  std::string out;
  double alpha = 0.05, delta = 0.05, held_out = 0.3;
  bool force = false;
};

void print_json(const AnswersArgs& args, const learn::AnswerScoreQuality& quality, bool logprobs) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("file", args.out);
  w.field("taught", int64_t(quality.taught));
  w.field("held_out", int64_t(quality.held_out));
  w.field("right", quality.right);
  if (quality.auroc) w.field("auroc", *quality.auroc);
  w.field("ece", quality.calibration_error);
  w.field("uses_logprobs", logprobs);
  if (const auto& found = quality.threshold.found) {
    w.field("accept", found->threshold);
    w.field("bound", found->bound);
    w.field("share", found->share());
  }
  w.end_object();
  std::puts(out.c_str());
}

int tune_answers(const CommandContext& context, const AnswersArgs& args) {
  if (std::filesystem::exists(args.out) && !args.force) return complain(context, {.message = args.out + " is there already; --force replaces it"});
  std::vector<learn::JudgedAnswer> answers;
  for (const std::string& path : args.data) {
    auto rows = learn::read_judged_answers(path);
    if (!rows) return complain(context, rows.error());
    answers.insert(answers.end(), std::make_move_iterator(rows->begin()), std::make_move_iterator(rows->end()));
  }
  const auto fit = learn::fit_answer_score(answers, args.held_out, {.alpha = args.alpha, .delta = args.delta});
  if (!fit) return complain(context, fit.error());
  if (auto saved = learn::write_file(args.out, fit->score.json()); !saved) return complain(context, saved.error());
  const learn::AnswerScoreQuality& quality = fit->quality;
  if (context.json) return print_json(args, quality, fit->score.uses_logprobs()), 0;

  std::printf("%s answers taught the score, %s others judge it:\n\n", count(int64_t(quality.taught)).c_str(), count(int64_t(quality.held_out)).c_str());
  std::printf("  right without it    %s\n", percent(quality.right).c_str());
  if (quality.auroc) std::printf("  right above wrong   %s (area under the curve; 50 %% is a coin)\n", percent(*quality.auroc).c_str());
  std::printf("  calibration error   %s\n", percent(quality.calibration_error).c_str());
  if (const auto& found = quality.threshold.found) {
    std::printf("  accept from         %.3f: %s of the answers, of which at most %s are wrong with probability %s\n", found->threshold, percent(found->share()).c_str(),
                percent(args.alpha).c_str(), percent(1 - args.delta).c_str());
  } else {
    std::printf("  no threshold        can be promised: %s\n", quality.threshold.refusal.reason.c_str());
  }
  std::printf("\n%s %s. To use it on a rung of a route with strategy = \"ladder\":\n\n  { provider = …, model = …, confidence = \"learned\", score = \"%s\", accept = %.3f }\n",
              green("wrote").c_str(), args.out.c_str(), args.out.c_str(), quality.threshold.found ? quality.threshold.found->threshold : 0.95);
  return 0;
}

}  // namespace

void add_tune_answers(CommandContext& context, CommandLine tune) {
  auto args = std::make_shared<AnswersArgs>();
  auto command = tune.add_subcommand("answers", "A score that tells a model's right answers from its wrong ones, for a rung with confidence = \"learned\"");
  command.add_option("-d,--data", args->data, "JSONL of {\"question\", \"answer\", \"correct\"}, perhaps with \"logprobs\" and \"margins\", or CSV; several are joined")
      .required().existing_file();
  command.add_option("-o,--out", args->out, "The score's file").required();
  command.add_option("--alpha", args->alpha, "Share of accepted answers that may be wrong").between(0.0001, 0.9999).capture_default();
  command.add_option("--delta", args->delta, "Probability with which that may fail").between(0.0001, 0.9999).capture_default();
  command.add_option("--held-out", args->held_out, "Share of the questions that judge it").between(0.05, 0.9).capture_default();
  command.add_flag("--force", args->force, "Replace the file");
  context.add(command, [&context, args] { return tune_answers(context, *args); });
}

}  // namespace ajar::app
