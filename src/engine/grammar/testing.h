#pragma once
// For tests of grammars: vocabularies, replies at random, a validator that knows nothing of the automaton.

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "engine/grammar/constraint.h"
#include "json/read.h"

namespace ajar::engine {

// GPT-2's from the shared data; null, with the reason printed, where they are absent.
std::shared_ptr<const TokenTrie> gpt2_trie();
// 256 tokens of a byte each and an end.
std::shared_ptr<const TokenTrie> byte_trie();

// One of the tokens allowed that have a text, by chance (`ends`: also of those that end a reply); -1: there is none.
int32_t any_allowed(const TokenMask& mask, const TokenTrie& trie, std::mt19937_64& random, bool ends = false);

// A reply of random allowed tokens; after `patience` tokens those that close what is open come first. nullopt: it did not end
// within `most` tokens. Checks that something is always allowed and that what is allowed is accepted.
std::optional<std::string> random_reply(Constraint& constraint, const TokenTrie& trie, std::mt19937_64& random, int patience, int most);

// Whether the automaton takes the whole text, byte by byte.
bool takes(const CompiledGrammar& grammar, std::string_view text);

// PCRE2's opinion, the text being UTF-8.
bool pattern_found(const std::string& pattern, std::string_view text);

// "" or what is wrong. Draft 2020-12 as far as the tests use it.
std::string violation(const json::Value& schema, const json::Value& value, const json::Value& root);

}  // namespace ajar::engine
