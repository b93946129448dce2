#pragma once
// A grammar made ready to run: instructions of a pushdown automaton that reads bytes. Every instruction can reach an end, so
// whatever automaton state is left by a byte that was allowed can go on.

#include <array>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "engine/grammar/grammar.h"

namespace ajar::engine {

struct Instruction {
  enum class Kind : uint8_t {
    kByte,    // reads one byte of set `a`, goes on at `next`
    kSplit,   // goes on at each of targets[a, b)
    kCall,    // runs from `a` until kReturn, then goes on at `next`
    kRepeat,  // runs from `a` until kReturn, `least` to `most` times, then goes on at `next`
    kJump,    // goes on at `a`
    kReturn,
  };
  Kind kind;
  uint32_t a = 0, b = 0, next = 0;
  int32_t least = 0, most = 0;  // most < 0: without end
};

struct Program {
  static constexpr size_t kMaxInstructions = 400'000;

  std::vector<Instruction> code;
  std::vector<uint32_t> targets;
  std::vector<ByteSet> sets;
  uint32_t start = 0;
  // Bytes that no instruction tells apart have the same class.
  std::array<uint8_t, 256> byte_class{};
  int classes = 0;
  std::vector<std::array<uint64_t, 4>> class_sets;  // of each set: its classes
  bool has_class(uint32_t set, uint8_t c) const { return class_sets[set][c / 64] >> c % 64 & 1; }

  // `writable`: bytes that the vocabulary can write one by one; others are taken out of the grammar. kInvalid: nothing matches,
  // or a rule begins with itself; kTooLarge names the limit.
  static Result<Program> compile(const Grammar& grammar, Grammar::Rule start, const ByteSet& writable);
};

}  // namespace ajar::engine
