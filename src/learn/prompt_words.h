#pragma once
// Words that change what a prompt asks for, by class. For semantic_gate.cc.

#include <span>
#include <string_view>
#include <utility>

namespace ajar::learn {

bool is_negation(std::string_view word);
bool is_filler(std::string_view word);       // articles, pronouns, auxiliaries, politeness
bool is_directional(std::string_view word);  // to, from, than, before: their sides are not to be exchanged
// One name for all spellings of a unit, a currency or a date word; empty: none.
std::string_view unit_of(std::string_view word);
std::string_view date_of(std::string_view word);
// The value of "seven" or "third"; negative: none.
int number_of(std::string_view word);
// One name for words that may stand for each other; the word itself where there are none.
std::string_view synonym_of(std::string_view word);
std::span<const std::pair<std::string_view, std::string_view>> opposites();

}  // namespace ajar::learn
