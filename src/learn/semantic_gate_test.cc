#include "learn/semantic_gate.h"

#include <gtest/gtest.h>

namespace ajar::learn {
namespace {

struct Case {
  const char *a, *b;
  Difference difference;
};

// Both ways round.
void expect_all(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    const Comparison one = compare_prompts(c.a, c.b), other = compare_prompts(c.b, c.a);
    EXPECT_EQ(difference_name(one.difference), difference_name(c.difference)) << c.a << " | " << c.b << ": " << one.detail;
    EXPECT_EQ(one.difference, other.difference) << c.a << " | " << c.b;
  }
}

TEST(SemanticGate, Negations) {
  using enum Difference;
  expect_all({{"Cancel my order", "Do not cancel my order", kNegation},
              {"Is aspirin safe during pregnancy?", "Is aspirin not safe during pregnancy?", kNegation},
              {"Recipes with nuts", "Recipes without nuts", kNegation},
              {"Can I bring liquids on the plane?", "Can't I bring liquids on the plane?", kNegation},
              {"Which countries require a visa?", "Which countries don’t require a visa?", kNegation},
              {"Show all customers who paid", "Show all customers who never paid", kNegation},
              {"List files in the folder", "List only files in the folder", kNegation},
              {"Delete every user except admins", "Delete every user and admins", kNegation},
              {"Ist das giftig?", "Ist das nicht giftig?", kNegation},
              {"Puis-je annuler?", "Puis-je ne pas annuler?", kNegation}});
}

TEST(SemanticGate, Opposites) {
  using enum Difference;
  expect_all({{"How do I enable two-factor login?", "How do I disable two-factor login?", kOpposite},
              {"Turn the lights on", "Turn the lights off", kOpposite},
              {"What is the highest mountain in Asia?", "What is the lowest mountain in Asia?", kOpposite},
              {"Should I take it before meals?", "Should I take it after meals?", kOpposite},
              {"advantages of solar power", "disadvantages of solar power", kOpposite},
              {"block my card", "unblock my card", kOpposite},
              {"how to buy shares", "how to sell shares", kOpposite}});
}

TEST(SemanticGate, Directions) {
  using enum Difference;
  expect_all({{"Convert EUR to USD", "Convert USD to EUR", kDirection},
              {"convert euros to dollars", "convert dollars to euros", kDirection},
              {"flights from Paris to Rome", "flights from Rome to Paris", kDirection},
              {"Translate from French into German", "Translate from German into French", kDirection},
              {"Is gold heavier than lead?", "Is lead heavier than gold?", kDirection},
              {"dog bites man", "man bites dog", kDirection},
              {"Did Alice sue Bob?", "Did Bob sue Alice?", kDirection}});
}

TEST(SemanticGate, NumbersUnitsDatesAndCodes) {
  using enum Difference;
  expect_all({{"What is 15 percent of 80?", "What is 15 percent of 90?", kNumber},
              {"Book a table for two", "Book a table for three", kNumber},
              {"Transfer $1,000.50", "Transfer $1,000.05", kNumber},
              {"Is -5 positive?", "Is 5 positive?", kNumber},
              {"the 3rd chapter", "the 4th chapter", kNumber},
              {"How long is 5 km?", "How long is 5 miles?", kUnit},
              {"take 5mg", "take 5g", kUnit},
              {"20 dollars in cash", "20 euros in cash", kUnit},
              {"wake me at 7am", "wake me at 7pm", kUnit},
              {"Weather on Monday", "Weather on Tuesday", kDate},
              {"What happened yesterday?", "What happened today?", kDate},
              {"Report for 2024-05-01", "Report for 2024-06-01", kNumber},
              {"Status of order A-1029X", "Status of order A-1028X", kIdentifier},
              {"bugs of v1.2.3", "bugs of v1.2.4", kIdentifier},
              {"mail bob@example.com", "mail rob@example.com", kIdentifier},
              {"what does \"gift\" mean", "what does \"Gift\" mean", kIdentifier}});
}

TEST(SemanticGate, NamesAndSingleWords) {
  using enum Difference;
  expect_all({{"What is the capital of France?", "What is the capital of Spain?", kEntity},
              {"Who wrote the novel Emma?", "Who wrote the novel?", kEntity},
              {"weather in paris", "weather in london", kWord},
              {"how do i cook rice", "how do i cook pasta", kWord}});
}

TEST(SemanticGate, LetsParaphrasesPass) {
  using enum Difference;
  expect_all({{"How do I reset my password?", "how can I reset the password", kNone},
              {"Please cancel my order", "I want to cancel my order", kNone},
              {"What's the capital of France?", "What is the capital of france", kNone},
              {"flights from Paris to Rome", "flights to Rome from Paris", kNone},
              {"Where is my card?", "Where is my new card, it has still to arrive", kNone},
              {"Transfer 1,000 dollars", "Transfer $1000", kNone},
              {"Book a table for 2", "Book a table for two", kNone},
              {"What is the distance of 5km", "what is the distance of 5 kilometers", kNone},
              {"", "", kNone}});
}

TEST(SemanticGate, BearsAnyBytes) {
  for (const char* text : {"\xff\xfe", "\"", "'''", "€", "\xe2\x80", "-", "%%%", "5", "a\0b"}) EXPECT_TRUE(compare_prompts(text, text).same()) << text;
}

}  // namespace
}  // namespace ajar::learn
