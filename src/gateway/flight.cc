#include "gateway/flight.h"

#include <algorithm>

#include "gateway/event_codec.h"

namespace ajar {

void Flight::begin(Facts facts) {
  std::lock_guard guard(lock_);
  facts_ = std::move(facts);
  begun_ = true;
}

void Flight::add(const EventBatch& events) {
  EventWriter writer;
  writer.add(events);
  const std::string bytes = writer.take();
  std::lock_guard guard(lock_);
  for (const Event& event : events) {
    if (event.kind == Event::Kind::kStart) facts_.model = event.name;
  }
  // Those who have joined are owed the rest; nobody joins beyond the limit, and then nothing is kept.
  full_ = full_ || bytes_.size() + bytes.size() > kMaxBytes;
  if (full_ && followers_.empty()) return;
  bytes_ += bytes;
  for (const auto& signal : followers_) signal->ring();
}

void Flight::end(State state, const Error* error) {
  std::lock_guard guard(lock_);
  state_ = state;
  if (error != nullptr) error_ = *error;
  for (const auto& signal : followers_) signal->ring();
}

bool Flight::join(std::shared_ptr<Signal> signal) {
  std::lock_guard guard(lock_);
  if (full_ || state_ == State::kAbandoned) return false;
  followers_.push_back(std::move(signal));
  return true;
}

void Flight::leave(const Signal* signal) {
  std::lock_guard guard(lock_);
  std::erase_if(followers_, [&](const auto& follower) { return follower.get() == signal; });
  if (followers_.empty() && desertion_) desertion_();
}

Flight::News Flight::look(size_t& offset) const {
  std::lock_guard guard(lock_);
  News news{.state = state_, .bytes = bytes_.substr(offset), .begun = begun_, .error = error_};
  if (begun_) news.facts = facts_;
  offset = bytes_.size();
  return news;
}

size_t Flight::followers() const {
  std::lock_guard guard(lock_);
  return followers_.size();
}

void Flight::on_desertion(std::function<void()> call) {
  std::lock_guard guard(lock_);
  desertion_ = std::move(call);
}

std::string Flight::take_events() {
  std::lock_guard guard(lock_);
  if (full_) return {};
  full_ = true;
  return followers_.empty() ? std::move(bytes_) : bytes_;
}

std::pair<std::shared_ptr<Flight>, bool> Flights::enter(const RequestKey& key) {
  Shard& shard = shards_[key.bytes[15] % shards_.size()];
  std::lock_guard guard(shard.lock);
  auto& flight = shard.running[key];
  if (flight) return {flight, false};
  flight = std::make_shared<Flight>();
  return {flight, true};
}

void Flights::leave(const RequestKey& key, const Flight* flight) {
  Shard& shard = shards_[key.bytes[15] % shards_.size()];
  std::lock_guard guard(shard.lock);
  const auto found = shard.running.find(key);
  if (found != shard.running.end() && found->second.get() == flight) shard.running.erase(found);
}

}  // namespace ajar
