#include "engine/grammar/automaton.h"

#include <algorithm>

namespace ajar::engine {
namespace {

using Op = Instruction::Kind;

uint64_t mix(uint64_t x) {
  x ^= x >> 31, x *= 0x7FB5D329728EA185u;
  x ^= x >> 27, x *= 0x81DADEF4BC2DD44Du;
  return x ^ x >> 33;
}

}  // namespace

Automaton::Automaton(std::shared_ptr<const Program> program) : program_(std::move(program)), width_(static_cast<size_t>(program_->classes)), seen_(64) {
  frames_.push_back({.pc = 0, .count = 0, .below = 0, .hash = {1, 1, 1}});
  visit(program_->start, 0);
  close();
  start_ = intern();
}

int32_t Automaton::rounds(const Instruction& repeat, int32_t count) const {
  return repeat.most < 0 ? std::min(count, std::max(repeat.least, 1)) : count;
}

Automaton::Stack Automaton::push(uint32_t pc, int32_t count, Stack below) {
  auto [known, fresh] = frame_ids_.try_emplace({pc, static_cast<uint32_t>(count), below}, static_cast<Stack>(frames_.size()));
  if (!fresh) return known->second;
  const Instruction& at = program_->code[pc];
  Frame frame{.pc = pc, .count = count, .below = below, .hash = {}};
  for (size_t h = 0; h < kHorizons.size(); ++h) {
    int64_t shown = count;
    if (at.kind == Op::kRepeat) {
      if (count + int64_t{kHorizons[h]} < at.least) shown = 1;
      else if (count >= at.least && (at.most < 0 || count + int64_t{kHorizons[h]} < at.most)) shown = std::max(at.least, 1);
    }
    frame.hash[h] = mix(frames_[below].hash[h] * 0x9E3779B97F4A7C15u + (uint64_t{pc} << 32 | static_cast<uint32_t>(shown)));
  }
  frames_.push_back(frame);
  return known->second;
}

void Automaton::visit(uint32_t pc, Stack stack) {
  const uint64_t key = (uint64_t{pc} << 32 | stack) + 1;
  if (2 * (seen_count_ + 1) > seen_.size()) {
    std::vector<uint64_t> old(seen_.size() * 2);
    old.swap(seen_);
    for (uint64_t k : old) {
      if (k == 0) continue;
      size_t at = mix(k) & (seen_.size() - 1);
      while (seen_[at] != 0) at = (at + 1) & (seen_.size() - 1);
      seen_[at] = k;
    }
  }
  size_t at = mix(key) & (seen_.size() - 1);
  for (; seen_[at] != 0; at = (at + 1) & (seen_.size() - 1))
    if (seen_[at] == key) return;
  seen_[at] = key;
  ++seen_count_;
  open_.push_back({pc, stack});
}

// Follows what reads nothing until only bytes are left to be read.
void Automaton::close() {
  while (!open_.empty() && seen_count_ < kMaxVisits && found_.size() < kMaxStacks) {
    auto [pc, stack] = open_.back();
    open_.pop_back();
    ++work_;
    const Instruction& at = program_->code[pc];
    switch (at.kind) {
      case Op::kByte: found_.push_back({pc, stack}); break;
      case Op::kSplit:
        for (uint32_t i = at.a; i < at.b; ++i) visit(program_->targets[i], stack);
        break;
      case Op::kJump: visit(at.a, stack); break;
      case Op::kCall: visit(at.a, push(pc, 0, stack)); break;
      case Op::kRepeat:
        if (at.least == 0) visit(at.next, stack);
        visit(at.a, push(pc, 1, stack));
        break;
      case Op::kReturn: {
        if (stack == 0) {
          end_found_ = true;
          break;
        }
        const Frame frame = frames_[stack];
        const Instruction& back = program_->code[frame.pc];
        if (back.kind == Op::kCall || frame.count >= back.least) visit(back.next, frame.below);
        if (back.kind == Op::kRepeat && (back.most < 0 || frame.count < back.most)) visit(back.a, push(frame.pc, rounds(back, frame.count + 1), frame.below));
        break;
      }
    }
  }
  open_.clear();
  if (seen_.size() > 1024) seen_.assign(64, 0);
  else std::ranges::fill(seen_, 0);
  seen_count_ = 0;
}

// The state of found_ and end_found_, which are cleared.
Automaton::State Automaton::intern() {
  std::ranges::sort(found_);
  uint64_t hash = end_found_;
  for (auto [pc, stack] : found_) hash = mix(hash * 31 + (uint64_t{pc} << 32 | stack));
  auto [from, to] = state_ids_.equal_range(hash);
  State made = kUnknown;
  for (; from != to && made == kUnknown; ++from) {
    const Set& set = states_[static_cast<size_t>(from->second)];
    if (set.may_end == end_found_ && std::equal(found_.begin(), found_.end(), configs_.begin() + set.from, configs_.begin() + set.to)) made = from->second;
  }
  if (made == kUnknown) {
    made = static_cast<State>(states_.size());
    auto at = static_cast<uint32_t>(configs_.size());
    configs_.insert(configs_.end(), found_.begin(), found_.end());
    states_.push_back({at, static_cast<uint32_t>(configs_.size()), end_found_});
    steps_.resize(steps_.size() + width_, kUnknown);
    state_ids_.emplace(hash, made);
  }
  found_.clear();
  end_found_ = false;
  return made;
}

Automaton::State Automaton::step(State from, uint8_t byte_class) {
  const Set set = states_[static_cast<size_t>(from)];
  for (uint32_t i = set.from; i < set.to; ++i) {
    const Instruction& at = program_->code[configs_[i].pc];
    if (program_->has_class(at.a, byte_class)) visit(at.next, configs_[i].stack);
  }
  work_ += 1 + (set.to - set.from) / 8;
  close();
  State to = found_.empty() && !end_found_ ? kDead : intern();
  steps_[static_cast<size_t>(from) * width_ + byte_class] = to;
  return to;
}

int Automaton::only_byte(State state) {
  const Set& set = states_[static_cast<size_t>(state)];
  if (set.may_end || set.from == set.to) return -1;
  ByteSet all;
  for (uint32_t i = set.from; i < set.to; ++i) all |= program_->sets[program_->code[configs_[i].pc].a];
  if (all.count() != 1) return -1;
  for (int b = 0; b < 256; ++b)
    if (all.test(static_cast<size_t>(b))) return b;
  return -1;
}

Automaton::Key Automaton::key(State state, size_t horizon) const {
  const Set& set = states_[static_cast<size_t>(state)];
  Key key{set.may_end, set.to - set.from};
  for (uint32_t i = set.from; i < set.to; ++i) {
    uint64_t hash = mix(frames_[configs_[i].stack].hash[horizon] ^ mix(configs_[i].pc + 1));
    key.a += hash, key.b += mix(hash ^ 0xD6E8FEB86659FD93u);
  }
  return key;
}

Automaton::State Automaton::compact(State live) {
  std::vector<Frame> frames;
  frames.swap(frames_);
  std::vector<Config> configs(configs_.begin() + states_[static_cast<size_t>(live)].from, configs_.begin() + states_[static_cast<size_t>(live)].to);
  end_found_ = states_[static_cast<size_t>(live)].may_end;
  frame_ids_.clear(), configs_.clear(), states_.clear(), steps_.clear(), state_ids_.clear();
  frames_.push_back(frames[0]);
  std::unordered_map<Stack, Stack> moved{{0, 0}};
  std::vector<Stack> path;
  for (Config& config : configs) {
    Stack at = config.stack;
    for (path.clear(); !moved.contains(at); at = frames[at].below) path.push_back(at);
    Stack below = moved.at(at);
    for (size_t i = path.size(); i-- > 0;) {
      below = push(frames[path[i]].pc, frames[path[i]].count, below);
      moved.emplace(path[i], below);
    }
    found_.push_back({config.pc, below});
  }
  start_ = kDead;
  return intern();
}

}  // namespace ajar::engine
