// Word lists written for this project.
#include "learn/prompt_words.h"

#include <algorithm>
#include <array>

namespace ajar::learn {
namespace {

template <size_t N>
bool in(const std::array<std::string_view, N>& sorted, std::string_view word) {
  return std::ranges::binary_search(sorted, word);
}

template <size_t N>
consteval std::array<std::string_view, N> sorted(std::array<std::string_view, N> words) {
  std::ranges::sort(words);
  return words;
}

using Pair = std::pair<std::string_view, std::string_view>;
template <size_t N>
consteval std::array<Pair, N> sorted(std::array<Pair, N> words) {
  std::ranges::sort(words);
  return words;
}
template <size_t N>
std::string_view find(const std::array<Pair, N>& sorted, std::string_view word) {
  const auto at = std::ranges::lower_bound(sorted, word, {}, &Pair::first);
  return at != sorted.end() && at->first == word ? at->second : std::string_view();
}

constexpr auto kNegations = sorted(std::to_array<std::string_view>(
    {"not", "no", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without", "cannot", "cant", "dont", "doesnt", "didnt",
     "isnt", "arent", "wasnt", "werent", "wont", "wouldnt", "shouldnt", "couldnt", "mustnt", "neednt", "havent", "hasnt", "hadnt", "aint",
     "hardly", "barely", "scarcely", "except", "excluding", "exclude", "unless", "only", "instead", "avoid", "lack", "lacks", "lacking", "refuse",
     "nicht", "kein", "keine", "keinen", "nie", "niemals", "ohne", "pas", "jamais", "sans", "nunca", "sin", "jamás", "не", "нет", "никогда", "без"}));

constexpr auto kFillers = sorted(std::to_array<std::string_view>(
    {"a", "an", "the", "this", "that", "these", "those", "i", "me", "my", "mine", "we", "us", "our", "you", "your", "it", "its", "is", "are", "am", "was",
     "were", "be", "been", "being", "do", "does", "did", "can", "could", "will", "would", "shall", "should", "may", "might", "have", "has", "had",
     "please", "kindly", "just", "so", "well", "hi", "hello", "hey", "thanks", "thank", "ok", "okay", "of", "s", "m", "re", "ve", "ll", "d", "t", "there",
     "want", "need", "like", "tell", "show", "give", "let", "know", "explain", "and", "also", "then", "now", "some", "any", "get", "help"}));

constexpr auto kDirectional = sorted(std::to_array<std::string_view>(
    {"to", "from", "into", "than", "before", "after", "over", "under", "above", "below", "versus", "vs", "against", "beats", "beat", "owes", "by", "onto"}));

constexpr auto kUnits = sorted(std::to_array<Pair>(
    {{"km", "km"}, {"kms", "km"}, {"kilometer", "km"}, {"kilometers", "km"}, {"kilometre", "km"}, {"kilometres", "km"}, {"mi", "mile"}, {"mile", "mile"},
     {"miles", "mile"}, {"m", "m"}, {"meter", "m"}, {"meters", "m"}, {"metre", "m"}, {"metres", "m"}, {"cm", "cm"}, {"centimeter", "cm"}, {"centimeters", "cm"},
     {"mm", "mm"}, {"ft", "foot"}, {"foot", "foot"}, {"feet", "foot"}, {"inch", "inch"}, {"inches", "inch"}, {"yard", "yard"}, {"yards", "yard"},
     {"kg", "kg"}, {"kgs", "kg"}, {"kilo", "kg"}, {"kilos", "kg"}, {"kilogram", "kg"}, {"kilograms", "kg"}, {"g", "g"}, {"gram", "g"}, {"grams", "g"},
     {"mg", "mg"}, {"milligram", "mg"}, {"milligrams", "mg"}, {"lb", "lb"}, {"lbs", "lb"}, {"pound", "lb"}, {"pounds", "lb"}, {"oz", "oz"}, {"ounce", "oz"},
     {"ounces", "oz"}, {"ton", "ton"}, {"tons", "ton"}, {"l", "l"}, {"liter", "l"}, {"liters", "l"}, {"litre", "l"}, {"litres", "l"}, {"ml", "ml"},
     {"gallon", "gallon"}, {"gallons", "gallon"}, {"celsius", "celsius"}, {"fahrenheit", "fahrenheit"}, {"kelvin", "kelvin"}, {"second", "s"},
     {"seconds", "s"}, {"sec", "s"}, {"minute", "min"}, {"minutes", "min"}, {"min", "min"}, {"hour", "h"}, {"hours", "h"}, {"hr", "h"}, {"hrs", "h"},
     {"day", "day"}, {"days", "day"}, {"daily", "day"}, {"week", "week"}, {"weeks", "week"}, {"weekly", "week"}, {"month", "month"}, {"months", "month"},
     {"monthly", "month"}, {"year", "year"}, {"years", "year"}, {"yearly", "year"}, {"annual", "year"}, {"annually", "year"}, {"kb", "kb"}, {"mb", "mb"},
     {"gb", "gb"}, {"tb", "tb"}, {"kib", "kib"}, {"mib", "mib"}, {"gib", "gib"}, {"watt", "w"}, {"watts", "w"}, {"kw", "kw"}, {"kwh", "kwh"},
     {"usd", "usd"}, {"dollar", "usd"}, {"dollars", "usd"}, {"bucks", "usd"}, {"eur", "eur"}, {"euro", "eur"}, {"euros", "eur"}, {"gbp", "gbp"},
     {"sterling", "gbp"}, {"jpy", "jpy"}, {"yen", "jpy"}, {"cny", "cny"}, {"yuan", "cny"}, {"chf", "chf"}, {"franc", "chf"}, {"francs", "chf"}, {"inr", "inr"},
     {"rupee", "inr"}, {"rupees", "inr"}, {"rub", "rub"}, {"ruble", "rub"}, {"rubles", "rub"}, {"cad", "cad"}, {"aud", "aud"}, {"btc", "btc"}, {"bitcoin", "btc"},
     {"eth", "eth"}, {"percent", "%"}, {"percentage", "%"}, {"cent", "cent"}, {"cents", "cent"}, {"dozen", "dozen"}, {"thousand", "thousand"},
     {"million", "million"}, {"billion", "billion"}, {"hundred", "hundred"}}));

constexpr auto kDates = sorted(std::to_array<Pair>(
    {{"monday", "mon"}, {"mon", "mon"}, {"tuesday", "tue"}, {"tue", "tue"}, {"wednesday", "wed"}, {"wed", "wed"}, {"thursday", "thu"}, {"thu", "thu"},
     {"friday", "fri"}, {"fri", "fri"}, {"saturday", "sat"}, {"sat", "sat"}, {"sunday", "sun"}, {"january", "jan"}, {"jan", "jan"}, {"february", "feb"},
     {"feb", "feb"}, {"march", "mar"}, {"april", "apr"}, {"apr", "apr"}, {"june", "jun"}, {"jun", "jun"}, {"july", "jul"}, {"jul", "jul"}, {"august", "aug"},
     {"aug", "aug"}, {"september", "sep"}, {"sept", "sep"}, {"sep", "sep"}, {"october", "oct"}, {"oct", "oct"}, {"november", "nov"}, {"nov", "nov"},
     {"december", "dec"}, {"dec", "dec"}, {"today", "today"}, {"todays", "today"}, {"tonight", "tonight"}, {"tomorrow", "tomorrow"},
     {"tomorrows", "tomorrow"}, {"yesterday", "yesterday"}, {"yesterdays", "yesterday"}, {"weekend", "weekend"}, {"morning", "morning"},
     {"afternoon", "afternoon"}, {"evening", "evening"}, {"noon", "noon"}, {"midnight", "midnight"}, {"spring", "spring"}, {"summer", "summer"},
     {"autumn", "autumn"}, {"winter", "winter"}}));

constexpr auto kNumberWords = std::to_array<std::string_view>(
    {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
     "seventeen", "eighteen", "nineteen", "twenty"});
constexpr auto kOrdinals = std::to_array<std::string_view>({"zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"});

constexpr auto kOpposites = std::to_array<Pair>(
    {{"enable", "disable"}, {"enabled", "disabled"}, {"enabling", "disabling"}, {"activate", "deactivate"}, {"on", "off"}, {"open", "close"}, {"opened", "closed"}, {"opening", "closing"},
     {"start", "stop"}, {"start", "end"}, {"begin", "end"}, {"add", "remove"}, {"add", "delete"}, {"add", "subtract"}, {"adding", "removing"}, {"create", "delete"}, {"insert", "delete"},
     {"include", "exclude"}, {"including", "excluding"}, {"increase", "decrease"}, {"increasing", "decreasing"}, {"increase", "reduce"}, {"raise", "lower"}, {"higher", "lower"}, {"high", "low"},
     {"highest", "lowest"}, {"maximum", "minimum"}, {"max", "min"}, {"maximize", "minimize"}, {"more", "less"}, {"more", "fewer"}, {"most", "least"}, {"all", "none"}, {"all", "any"},
     {"above", "below"}, {"over", "under"}, {"before", "after"}, {"first", "last"}, {"next", "previous"}, {"next", "last"}, {"up", "down"}, {"upgrade", "downgrade"}, {"upload", "download"},
     {"import", "export"}, {"buy", "sell"}, {"buying", "selling"}, {"bought", "sold"}, {"lend", "borrow"}, {"send", "receive"}, {"push", "pull"}, {"deposit", "withdraw"}, {"deposit", "withdrawal"},
     {"credit", "debit"}, {"income", "expense"}, {"profit", "loss"}, {"win", "lose"}, {"winner", "loser"}, {"accept", "reject"}, {"accept", "decline"}, {"approve", "reject"}, {"allow", "deny"},
     {"allow", "block"}, {"allow", "forbid"}, {"allowed", "forbidden"}, {"lock", "unlock"}, {"freeze", "unfreeze"}, {"block", "unblock"}, {"install", "uninstall"}, {"subscribe", "unsubscribe"},
     {"follow", "unfollow"}, {"mute", "unmute"}, {"zip", "unzip"}, {"encrypt", "decrypt"}, {"encode", "decode"}, {"compress", "decompress"}, {"connect", "disconnect"}, {"attach", "detach"},
     {"mount", "unmount"}, {"login", "logout"}, {"in", "out"}, {"into", "from"}, {"to", "from"}, {"with", "without"}, {"inside", "outside"}, {"left", "right"}, {"north", "south"},
     {"east", "west"}, {"top", "bottom"}, {"front", "back"}, {"male", "female"}, {"man", "woman"}, {"men", "women"}, {"boys", "girls"}, {"father", "mother"}, {"hot", "cold"}, {"warm", "cold"},
     {"big", "small"}, {"large", "small"}, {"larger", "smaller"}, {"largest", "smallest"}, {"bigger", "smaller"}, {"long", "short"}, {"longer", "shorter"}, {"longest", "shortest"},
     {"tall", "short"}, {"fast", "slow"}, {"faster", "slower"}, {"fastest", "slowest"}, {"old", "new"}, {"old", "young"}, {"older", "newer"}, {"older", "younger"}, {"oldest", "newest"},
     {"oldest", "youngest"}, {"early", "late"}, {"earliest", "latest"}, {"good", "bad"}, {"better", "worse"}, {"best", "worst"}, {"positive", "negative"}, {"pros", "cons"},
     {"advantages", "disadvantages"}, {"benefits", "risks"}, {"benefits", "drawbacks"}, {"safe", "dangerous"}, {"safe", "unsafe"}, {"legal", "illegal"}, {"valid", "invalid"},
     {"possible", "impossible"}, {"able", "unable"}, {"true", "false"}, {"yes", "no"}, {"correct", "incorrect"}, {"correct", "wrong"}, {"right", "wrong"}, {"same", "different"},
     {"similarities", "differences"}, {"easy", "hard"}, {"easy", "difficult"}, {"cheap", "expensive"}, {"cheapest", "priciest"}, {"free", "paid"}, {"public", "private"}, {"internal", "external"},
     {"input", "output"}, {"ascending", "descending"}, {"horizontal", "vertical"}, {"odd", "even"}, {"wet", "dry"}, {"heavy", "light"}, {"dark", "light"}, {"full", "empty"}, {"gain", "lose"},
     {"love", "hate"}, {"agree", "disagree"}, {"support", "oppose"}, {"for", "against"}, {"cause", "prevent"}, {"save", "spend"}, {"hire", "fire"}, {"arrive", "depart"}, {"arrival", "departure"},
     {"past", "future"}, {"always", "never"}, {"often", "rarely"}, {"required", "optional"}, {"present", "absent"}, {"cancel", "keep"}, {"cancel", "renew"}, {"cancel", "confirm"},
     {"forward", "backward"}, {"clockwise", "counterclockwise"}, {"hide", "show"}, {"expand", "collapse"}, {"grow", "shrink"}, {"merge", "split"}, {"convert", "revert"}});

constexpr auto kSynonyms = sorted(std::to_array<Pair>(
    {{"purchase", "buy"}, {"purchasing", "buying"}, {"delete", "remove"}, {"erase", "remove"}, {"repair", "fix"}, {"mend", "fix"}, {"automobile", "car"}, {"phone", "telephone"},
     {"mobile", "telephone"}, {"cellphone", "telephone"}, {"big", "large"}, {"begin", "start"}, {"launch", "start"}, {"method", "way"}, {"modify", "change"}, {"alter", "change"}, {"picture", "image"},
     {"photo", "image"}, {"mail", "email"}, {"e-mail", "email"}, {"film", "movie"}, {"quick", "fast"}, {"rapid", "fast"}, {"job", "work"}, {"mistake", "error"}, {"fault", "error"}, {"whats", "what"},
     {"hows", "how"}, {"wheres", "where"}, {"movies", "movie"}, {"assist", "help"}, {"obtain", "receive"}, {"locate", "find"}, {"nation", "country"}, {"physician", "doctor"}}));

}  // namespace

bool is_negation(std::string_view word) { return in(kNegations, word); }
bool is_filler(std::string_view word) { return in(kFillers, word); }
bool is_directional(std::string_view word) { return in(kDirectional, word); }
std::string_view unit_of(std::string_view word) { return find(kUnits, word); }
std::string_view date_of(std::string_view word) { return find(kDates, word); }

int number_of(std::string_view word) {
  if (const auto at = std::ranges::find(kNumberWords, word); at != kNumberWords.end()) return static_cast<int>(at - kNumberWords.begin());
  // "second" is a unit of time more often than an ordinal, and then counted as one.
  if (const auto at = std::ranges::find(kOrdinals, word); at != kOrdinals.end() && word != "second") return static_cast<int>(at - kOrdinals.begin());
  return -1;
}

std::string_view synonym_of(std::string_view word) {
  const std::string_view found = find(kSynonyms, word);
  return found.empty() ? word : found;
}

std::span<const Pair> opposites() { return kOpposites; }

}  // namespace ajar::learn
