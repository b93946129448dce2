#pragma once
// What an answer's text says about itself without a model: whether its sums are right, whether it ends, whether it hedges, whether
// its citations exist, and whether several answers agree. Pure functions, any thread.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ajar::learn {

// Every "a + b = c" of a text, recomputed: + - * x / ( ) % and numbers like $1,000.50; several "=" are as many checks. Where words
// stand between numbers they are left out ("3 eggs + 4 eggs = 7 eggs"). A result with decimals may be rounded to them.
struct Arithmetic {
  int checks = 0, wrong = 0;
  int rounded = 0;              // right but for rounding to a whole number: counted in neither
  std::string first_wrong;      // "15+2=25"
  double last_result = 0;       // of the last check
};
Arithmetic check_arithmetic(std::string_view text);

// The number that an answer ends with: after "####", in \boxed{}, after "answer is", or the last of all. Normalised: no
// separators, no currency, no superfluous zeros.
std::optional<std::string> final_number(std::string_view text);
// The same, or what stands alone as a choice ("(B)", "B."), or the text in lower case without marks and spaces at its ends.
std::string normalised_answer(std::string_view text);

// How k answers to one prompt agree.
struct Agreement {
  std::string answer;           // the most frequent, normalised
  double share = 0;             // of the answers that give it
  double entropy = 0;           // of the answers' distribution, by the log of k: 0 all agree, 1 none
};
Agreement agreement(std::span<const std::string> answers);

// How a text uses the numbers of its prompt.
struct NumberUse {
  int in_prompt = 0, used = 0;  // numbers of the prompt, and of these in the answer
  int unexplained = 0;          // numbers of the answer that are neither the prompt's nor a check's result
};
NumberUse number_use(std::string_view prompt, std::string_view answer);

bool refuses(std::string_view answer);        // "I cannot help with", "As an AI": near its beginning
int count_hedges(std::string_view answer);    // "perhaps", "I think", "not sure", "assuming"
bool is_cut(std::string_view answer);         // ends within a word, a sum or a sentence

// Citations as [3] or [3, 4]: how many there are, and how many name none of `sources` or share no word of meaning with it.
struct Citations {
  int count = 0, unknown = 0, unsupported = 0;
};
Citations check_citations(std::string_view answer, std::span<const std::string> sources);

}  // namespace ajar::learn
