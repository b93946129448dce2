#pragma once
// Tokens that are cut out of the text before anything else: what a model's authors added to a trained vocabulary.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::engine {

struct WholeToken {
  std::string text;
  int32_t id;  // its own: the same bytes may also be a trained token
  bool takes_left = false, takes_right = false;  // the white space beside it goes with it
  bool single_word = false;                      // not within a word
};

// Finds them in one pass: the one that starts first, of those the longest.
class WholeTokens {
 public:
  explicit WholeTokens(std::vector<WholeToken> tokens);

  struct Cut {
    std::string_view text;  // what lies between; empty for a token
    int32_t id = -1;        // of the token
  };
  void split(std::string_view text, std::vector<Cut>& cuts) const;
  bool empty() const { return tokens_.empty(); }

 private:
  std::vector<WholeToken> tokens_;                    // by first byte, then the longest first
  std::array<std::pair<uint32_t, uint32_t>, 256> of_byte_{};  // their range for each first byte
  std::string first_bytes_;                           // that occur; empty when there are many
};

}  // namespace ajar::engine
