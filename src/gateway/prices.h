#pragma once
// The price catalogue: what a token costs, by price list and model. Immutable once read; any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "core/event.h"

namespace ajar {

// Dollars per million tokens, and per what else is sold. A figure below zero was not given: see Price::cost for what then holds.
struct Rates {
  double input = -1, output = -1;
  double cached_read = -1, cached_write = -1, cached_write_1h = -1;
  double audio_input = -1, audio_output = -1, reasoning = -1;
  double image = -1;         // one picture
  double characters = -1;    // a million characters to be spoken
  double audio_minute = -1;  // a minute of sound to be written down
  double search = -1;        // a thousand rerankings
};

struct Price {
  Rates base;
  int64_t above = 0;  // input tokens beyond which `tier` holds for the whole request; 0: never
  Rates tier;

  // Nano-dollars for this usage. cached_read and cached_write not given cost as much as input, cached_write_1h
  // 1.6 times cached_write (Anthropic's 2 : 1.25), audio as much as text, reasoning as output,
  // pictures, characters, minutes and searches nothing.
  int64_t cost(const Usage& usage) const;
  static Price free() { return {.base = {.input = 0, .output = 0}}; }
};

class Prices {
 public:
  // Reads a catalogue in the form of models/prices.toml. Errors carry line and column.
  static Result<Prices> read(std::string_view toml, std::string_view name);
  static const Prices& builtin();

  // The price of a model in a list: its own name, or the longest name of which it is a dated or tagged form.
  std::optional<Price> find(std::string_view list, std::string_view model) const;
  const std::string& version() const { return version_; }
  size_t size() const;

 private:
  std::string version_;
  std::map<std::string, std::map<std::string, Price, std::less<>>, std::less<>> lists_;
};

// True when `model` is `name` itself or a dated or tagged form: "gpt-4o-2024-08-06", "x-latest", "y:free".
bool is_form_of(std::string_view model, std::string_view name);

}  // namespace ajar
