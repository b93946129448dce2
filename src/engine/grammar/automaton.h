#pragma once
// A program at work on one text. States are sets of stacks with common tails, made as they are met and joined where they are
// equal; a step that was taken once is one look-up. One thread at a time.

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/grammar/program.h"

namespace ajar::engine {

class Automaton {
 public:
  using State = int32_t;
  static constexpr State kDead = -1;
  static constexpr size_t kMaxStacks = 1024;     // of a state; what a grammar means beyond them is left out
  static constexpr size_t kMaxVisits = 8192;     // of instructions in one step, the same
  // Reading ahead so many bytes, states with equal keys behave alike: counts that are far from their ends are not told apart.
  static constexpr std::array<int32_t, 3> kHorizons = {8, 24, 256};
  struct Key {
    uint64_t a = 0, b = 0;
    bool operator==(const Key&) const = default;
  };

  explicit Automaton(std::shared_ptr<const Program> program);

  State start() const { return start_; }
  State next(State from, uint8_t byte) {
    State& to = steps_[static_cast<size_t>(from) * width_ + program_->byte_class[byte]];
    return to != kUnknown ? to : step(from, program_->byte_class[byte]);
  }
  bool may_end(State state) const { return states_[static_cast<size_t>(state)].may_end; }
  bool may_go_on(State state) const { return states_[static_cast<size_t>(state)].to > states_[static_cast<size_t>(state)].from; }
  int only_byte(State state);  // the one byte that may come; -1: several, or the end, or none
  Key key(State state, size_t horizon) const;

  uint64_t work() const { return work_; }  // instructions visited so far: what time was spent on
  // Forgets all states but this one, whose new name is returned. For when large() says so.
  State compact(State live);
  bool large() const { return states_.size() > 4096 || frames_.size() > 65'536 || configs_.size() > 262'144; }

 private:
  static constexpr State kUnknown = -2;
  using Stack = uint32_t;  // index of its top frame; 0: empty
  struct Frame {
    uint32_t pc;       // of a kCall or kRepeat
    int32_t count;     // of a kRepeat: rounds begun; without end it stops counting at `least`
    Stack below;
    std::array<uint64_t, kHorizons.size()> hash;
  };
  struct Config {
    uint32_t pc;  // of a kByte
    Stack stack;
    auto operator<=>(const Config&) const = default;
  };
  struct Set {
    uint32_t from, to;  // configs_
    bool may_end;
  };
  struct FrameHash {
    size_t operator()(const std::array<uint32_t, 3>& key) const {
      return (key[0] * 0x9E3779B97F4A7C15u ^ key[1] * 0xC2B2AE3D27D4EB4Fu) + key[2] * 0x165667B19E3779F9u;
    }
  };

  State step(State from, uint8_t byte_class);
  Stack push(uint32_t pc, int32_t count, Stack below);
  void visit(uint32_t pc, Stack stack);
  void close();
  State intern();
  int32_t rounds(const Instruction& repeat, int32_t count) const;

  std::shared_ptr<const Program> program_;
  size_t width_;
  State start_;
  std::vector<Frame> frames_;
  std::unordered_map<std::array<uint32_t, 3>, Stack, FrameHash> frame_ids_;
  std::vector<Config> configs_;
  std::vector<Set> states_;
  std::vector<State> steps_;  // [state][byte class]
  std::unordered_multimap<uint64_t, State> state_ids_;
  uint64_t work_ = 0;

  // Of the step that is being taken.
  std::vector<Config> open_, found_;
  std::vector<uint64_t> seen_;  // open addressing; 0: free
  size_t seen_count_ = 0;
  bool end_found_ = false;
};

}  // namespace ajar::engine
