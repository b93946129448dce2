#include "guard/policy.h"

#include <algorithm>

#include "base/text.h"
#include "guard/detection.h"
#include "guard/json_text.h"
#include "guard/texts.h"
#include "json/read.h"

namespace ajar::guard {
namespace {

using Kind = CheckConfig::Kind;

bool rewrites(Kind kind) {
  return kind == Kind::kPii || kind == Kind::kSecrets || kind == Kind::kWords || kind == Kind::kRegex ||
         kind == Kind::kHidden;
}

Result<EntitySet> entities_of(const CheckConfig& config) {
  EntitySet set;
  if (config.kind == Kind::kSecrets) return EntitySet{Entity::kSecret};
  if (config.entities.empty()) {
    set = EntitySet::identifying();
    set.remove(Entity::kSecret);
    return set;
  }
  for (const std::string& name : config.entities) {
    const auto entity = entity_of_name(name);
    if (!entity) return fail(Code::kInvalid, "there is no entity \"" + name + "\"");
    set.add(*entity);
  }
  return set;
}

// Of kTopics and kToxicity. A label that the model does not have would never be found.
Status add_model(CompiledCheck& check, const PolicyConfig& policy, const CheckConfig& config) {
  const std::string name(check_name(config.kind));
  if (!config.model) return fail(Code::kInvalid, name + " needs a task model");
  if (policy.stage == Stage::kOutput && policy.mode == Mode::kWindow)
    return fail(Code::kInvalid, name + " is judged of whole answers: observe or block");
  check.allow = config.allow, check.deny = config.deny, check.model = config.model;
  const bool toxicity = config.kind == Kind::kToxicity;
  if (toxicity && check.deny.empty()) check.deny = {"toxic"};
  if (toxicity && check.threshold <= 0) check.threshold = 0.5f;
  for (const auto* list : {&check.allow, &check.deny})
    for (const std::string& label : *list)
      if (std::ranges::find(config.model->labels, label) == config.model->labels.end() && (toxicity || label != "unknown"))
        return fail(Code::kInvalid, name + ": the task model has no label \"" + label + "\"");
  return {};
}

Status add_check(Detectors& stage, const PolicyConfig& policy, const CheckConfig& config) {
  const auto id = static_cast<uint32_t>(stage.checks.size());
  CompiledCheck check{.kind = config.kind,
                      .policy = static_cast<uint16_t>(stage.policies.size() - 1),
                      .minimum = config.minimum_score,
                      .threshold = config.threshold,
                      .limit = config.limit,
                      .replacement = config.replacement};
  if (policy.action == Action::kRewrite && !rewrites(config.kind)) {
    return fail(Code::kInvalid, std::string(check_name(config.kind)) + " cannot rewrite");
  }
  if (check.replacement.empty() && (config.kind == Kind::kWords || config.kind == Kind::kRegex))
    check.replacement = "[removed]";
  switch (config.kind) {
    case Kind::kPii:
    case Kind::kSecrets: {
      AJAR_ASSIGN(check.entities, entities_of(config));
      break;
    }
    case Kind::kWords:
      for (const std::string& phrase : config.patterns) {
        if (!stage.phrases.add(phrase, id)) return fail(Code::kInvalid, "\"" + phrase + "\" is no phrase");
      }
      break;
    case Kind::kRegex:
      for (const std::string& expression : config.patterns) AJAR_TRY(stage.regexes.add(expression, id));
      break;
    case Kind::kTopics:
    case Kind::kToxicity:
      AJAR_TRY(add_model(check, policy, config));
      stage.modelled = true;
      break;
    case Kind::kSchema:
      if (policy.stage == Stage::kInput || policy.mode == Mode::kWindow)
        return fail(Code::kInvalid, "schemas are for whole answers: observe or block");
      if (!json::scratch().parse_object(config.schema)) return fail(Code::kInvalid, "the schema is no JSON object");
      check.schema = config.schema;
      stage.schema = true;
      break;
    case Kind::kInjection:
      if (!stage.injection) InjectionDetector::add_phrases(stage.phrases, Detectors::kInjectionIds);
      stage.injection = true;
      if (check.threshold <= 0) check.threshold = InjectionDetector::kSuspicious;
      break;
    case Kind::kHidden:
      stage.hidden = true;
      break;
    case Kind::kLength:
    case Kind::kRepetition:
      if (config.limit == 0) return fail(Code::kInvalid, std::string(check_name(config.kind)) + " needs a limit");
      stage.shape = true;
      break;
    case Kind::kModeration:
      if (!stage.moderation) Moderator::add_phrases(stage.phrases, Detectors::kModerationIds);
      stage.moderation = true;
      if (check.threshold <= 0) check.threshold = ModerationResult::kFlagged;
      check.categories.fill(config.categories.empty());
      for (const std::string& name : config.categories) {
        size_t c = 0;
        while (c < kCategories && category_name(static_cast<Category>(c)) != name) ++c;
        if (c == kCategories) return fail(Code::kInvalid, "there is no category \"" + name + "\"");
        check.categories[c] = true;
      }
      break;
  }
  stage.checks.push_back(std::move(check));
  return {};
}

// One scan finds what any check looks for.
void add_scanner(Detectors& stage) {
  ScannerOptions options{.entities = {}, .minimum_score = 1};
  for (const CompiledCheck& check : stage.checks) {
    if (check.kind != Kind::kPii && check.kind != Kind::kSecrets) continue;
    options.minimum_score = std::min(options.minimum_score, check.minimum);
    for (size_t e = 0; e < kEntities; ++e) {
      if (check.entities.has(static_cast<Entity>(e))) options.entities.add(static_cast<Entity>(e));
    }
  }
  if (!options.entities.empty()) stage.scanner.emplace(options);
}

class JudgeVisitor : public TextVisitor {
 public:
  JudgeVisitor(const Detectors& detectors, Verdict& verdict) : detectors_(detectors), verdict_(verdict) {}

  bool visit(std::string& text, const TextPlace& place) override {
    switch (place.form) {
      case TextForm::kPlain:
        judge(text, place);
        break;
      case TextForm::kJson:
        rewrite_json(text, [&](std::string& inner, std::string_view, bool) { return judge(inner, place); });
        break;
      case TextForm::kBase64:
        if (auto decoded = base64_decode(text); decoded && judge(*decoded, place)) text = base64_encode(*decoded);
        break;
      case TextForm::kOpaque:
        break;
    }
    return true;
  }

 private:
  // True: `text` was rewritten.
  bool judge(std::string& text, const TextPlace& place) {
    hits_.clear();
    judge_text(detectors_, place.origin, text, hits_);
    if (hits_.empty()) return false;
    std::string out;
    const size_t cut = apply_hits(detectors_, hits_, place.where(), 0, text, out, verdict_);
    if (cut < text.size() || out == text) return false;  // refused as it is
    text = std::move(out);
    return true;
  }

  const Detectors& detectors_;
  Verdict& verdict_;
  std::vector<Hit> hits_;
};

const std::string* last_user_text(const Request& request) {
  for (size_t m = request.messages.size(); m-- > 0;) {
    if (request.messages[m].role != Role::kUser) continue;
    for (size_t p = request.messages[m].parts.size(); p-- > 0;) {
      if (request.messages[m].parts[p].kind == Part::Kind::kText) return &request.messages[m].parts[p].text;
    }
  }
  return nullptr;
}

}  // namespace

std::string_view mode_name(Mode mode) {
  static constexpr std::string_view kNames[] = {"observe", "window", "block"};
  return kNames[static_cast<size_t>(mode)];
}
std::string_view action_name(Action action) {
  static constexpr std::string_view kNames[] = {"allow", "rewrite", "climb", "refuse"};
  return kNames[static_cast<size_t>(action)];
}
std::string_view check_name(CheckConfig::Kind kind) {
  static constexpr std::string_view kNames[] = {"pii",       "secrets", "words",  "regex",      "topics",    "schema",
                                                "injection", "hidden",  "length", "repetition", "moderation", "toxicity"};
  return kNames[static_cast<size_t>(kind)];
}

void Verdict::note(Reason reason) {
  if (reasons.size() < kMaxReasons)
    reasons.push_back(std::move(reason));
  else
    ++more_reasons;
}

void Verdict::merge(Verdict other) {
  action = std::max(action, other.action);
  for (Reason& reason : other.reasons) note(std::move(reason));
  more_reasons += other.more_reasons;
}

Guard::Guard() = default;
Guard::~Guard() = default;

Result<std::shared_ptr<const Guard>> Guard::build(std::vector<PolicyConfig> policies) {
  std::unique_ptr<Detectors> stages[2];
  for (const PolicyConfig& policy : policies) {
    auto& stage = stages[static_cast<size_t>(policy.stage)];
    if (!stage) stage = std::make_unique<Detectors>();
    const Mode mode = policy.stage == Stage::kInput && policy.mode == Mode::kWindow ? Mode::kBlock : policy.mode;
    stage->policies.push_back({policy.name, mode, policy.action});
    // A policy that only allows needs nothing to be held.
    if (policy.action != Action::kAllow) stage->strictest = std::max(stage->strictest, mode);
    for (const CheckConfig& check : policy.checks) {
      if (auto added = add_check(*stage, policy, check); !added)
        return std::unexpected(std::move(added).error().in("policy " + policy.name));
    }
  }
  std::shared_ptr<Guard> guard(new Guard);
  for (auto& stage : stages) {
    if (!stage) continue;
    add_scanner(*stage);
  }
  guard->input_ = std::move(stages[0]);
  guard->output_ = std::move(stages[1]);
  return std::shared_ptr<const Guard>(std::move(guard));
}

Verdict Guard::judge_input(Request& request) const {
  Verdict verdict;
  if (!input_) return verdict;
  JudgeVisitor visitor(*input_, verdict);
  visit_texts(request, visitor);
  if (input_->modelled) {
    if (const std::string* text = last_user_text(request)) judge_by_models(*input_, *text, "messages", verdict);
  }
  return verdict;
}

}  // namespace ajar::guard
