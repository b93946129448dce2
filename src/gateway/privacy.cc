#include "gateway/privacy.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace ajar {

std::string tenant_key(const Privacy& privacy, const CallState& call) {
  const Caller& caller = call.context.caller;
  std::string tenant;
  switch (call.route->config.cache_scope) {
    case CacheScope::kTeam: tenant = caller.team.empty() ? "key " + caller.key_id : "team " + caller.team; break;
    case CacheScope::kKey: tenant = "key " + caller.key_id; break;
    case CacheScope::kRoute: tenant = "route " + call.route->config.name; break;
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), privacy.secret.data(), int(privacy.secret.size()), reinterpret_cast<const unsigned char*>(tenant.data()), tenant.size(), digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

namespace {

// Looks at every text that a model would read.
class Detector final : public guard::TextVisitor {
 public:
  Detector(const guard::Scanner& scanner, bool personal, bool secret) : scanner_(scanner), wants_personal_(personal), wants_secret_(secret) {}
  bool visit(std::string& text, const guard::TextPlace& place) override {
    if (place.form == guard::TextForm::kOpaque) return true;
    scanner_.scan(text, findings_);
    for (const guard::Finding& finding : findings_) (finding.entity == guard::Entity::kSecret ? secret : personal) = true;
    return !((personal || !wants_personal_) && (secret || !wants_secret_));
  }
  bool personal = false, secret = false;

 private:
  const guard::Scanner& scanner_;
  const bool wants_personal_, wants_secret_;
  guard::Findings findings_;
};

}  // namespace

guard::EntitySet default_entities() {
  guard::EntitySet set = guard::EntitySet::identifying();
  set.remove(guard::Entity::kLocation);
  return set;
}

Result<guard::EntitySet> read_entities(const std::vector<std::string>& names) {
  if (names.empty()) return default_entities();
  guard::EntitySet set;
  for (const std::string& name : names) {
    const auto entity = guard::entity_of_name(name);
    if (!entity) return invalid("privacy.entities", "privacy.entities: there is no entity '" + name + "'");
    set.add(*entity);
  }
  return set;
}

const DataClassConfig* detected_class(const Privacy& privacy, const Snapshot& snapshot, const Route& route, const Request& request) {
  const DataClassConfig* of_personal = route.config.pii_class.empty() ? nullptr : snapshot.data_class(route.config.pii_class);
  const DataClassConfig* of_secret = route.config.secret_class.empty() ? nullptr : snapshot.data_class(route.config.secret_class);
  if (of_personal == nullptr && of_secret == nullptr) return nullptr;
  Detector detector(privacy.scanner, of_personal != nullptr, of_secret != nullptr);
  // The visitor may change texts; this one does not.
  guard::visit_texts(const_cast<Request&>(request), detector);
  const DataClassConfig* found = detector.personal ? of_personal : nullptr;
  if (detector.secret && of_secret != nullptr && (found == nullptr || of_secret->rank > found->rank)) found = of_secret;
  return found;
}

Masking::Masking(const Privacy& privacy, CallState& call, const Request& request)
    : call_(call), client_(*call.client), request_(request), pseudonyms_(privacy.scanner, tenant_key(privacy, call)), restorer_(pseudonyms_) {
  call_.client = this;
}

Masking::~Masking() { call_.client = &client_; }

const Result<Request>& Masking::masked() {
  if (!masked_) {
    Request copy = request_;
    const Status status = pseudonyms_.mask(copy);
    masked_ = status ? Result<Request>(std::move(copy)) : std::unexpected(status.error());
  }
  return *masked_;
}

void Masking::begin(const Answered& answered) {
  Answered told = answered;
  told.masked = pseudonyms_.size();
  client_.begin(told);
}

Task<Status> Masking::write(EventBatch& events) {
  restorer_.restore(events);
  if (events.empty()) co_return Status();
  co_return co_await client_.write(events);
}

Task<int> Masking::finish(StreamEnd end, const Error* error, const store::CallRow& row) {
  EventBatch rest;
  restorer_.finish(rest);
  if (!rest.empty() && end != StreamEnd::kCancelled) (void)co_await client_.write(rest);  // a client that is gone is told so by finish
  co_return co_await client_.finish(end, error, row);
}

}  // namespace ajar
