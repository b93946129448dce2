#pragma once
// One call's personal data: what class they make the call, and how they are replaced before the call goes where they may not.

#include <memory>
#include <optional>
#include <string>

#include "gateway/call.h"
#include "guard/pseudonym.h"
#include "guard/restorer.h"
#include "guard/scanner.h"

namespace ajar {

// What is looked for where nothing else is said: whatever points to one person or opens a door. Places are left, since answers need them.
guard::EntitySet default_entities();
// kInvalid names what is no entity. Empty: the default.
Result<guard::EntitySet> read_entities(const std::vector<std::string>& names);

// What all calls share; owned by `app`. Immutable.
struct Privacy {
  guard::Scanner scanner{{.entities = default_entities()}};
  std::string secret;  // of placeholders: the same value gets the same one as long as it is kept
};

// Of placeholders: keys that share answers share them, and nobody else does.
std::string tenant_key(const Privacy& privacy, const CallState& call);

// The class that what stands in the request raises it to: the route's pii_class where it has personal data, its secret_class where it has
// credentials; null where neither is set or found.
const DataClassConfig* detected_class(const Privacy& privacy, const Snapshot& snapshot, const Route& route, const Request& request);

// Stands before the client of a call whose data may go further when they are masked: restores what comes back.
class Masking final : public ReplySink {
 public:
  // `request` and `privacy` outlive this.
  Masking(const Privacy& privacy, CallState& call, const Request& request);
  ~Masking() override;

  // The request with personal data replaced, made once. An error says why it cannot be had; then it goes nowhere that the data may not.
  const Result<Request>& masked();
  size_t values() const { return pseudonyms_.size(); }

  void begin(const Answered& answered) override;
  Task<Status> write(EventBatch& events) override;
  Task<Status> keep_alive() override { co_return co_await client_.keep_alive(); }
  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& row) override;

 private:
  CallState& call_;
  ReplySink& client_;
  const Request& request_;
  guard::Pseudonyms pseudonyms_;
  guard::Restorer restorer_;
  std::optional<Result<Request>> masked_;
};

}  // namespace ajar
