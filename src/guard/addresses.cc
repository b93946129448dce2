// URLs, e-mail addresses, IP and MAC addresses, addresses of coins: what stands in one chunk without white space.
#include <algorithm>
#include <utility>
#include <vector>

#include "guard/checks.h"
#include "guard/detectors.h"

namespace ajar::guard {
namespace {

using Claimed = std::vector<std::pair<size_t, size_t>>;

// The first `count` of the claimed are sorted and apart.
bool within(const Claimed& claimed, size_t count, size_t at) {
  const auto end = claimed.begin() + static_cast<ptrdiff_t>(count);
  const auto next =
      std::upper_bound(claimed.begin(), end, at, [](size_t place, const auto& range) { return place < range.first; });
  return next != claimed.begin() && at < std::prev(next)->second;
}

void find_url(Scan& scan, size_t begin, size_t end, Claimed& claimed) {
  const auto chunk = scan.text.substr(begin, end - begin);
  size_t from = 0;
  while (from < chunk.size()) {
    size_t mark = chunk.find("://", from), start, rest;
    if (mark != chunk.npos) {
      start = mark;
      while (start > from && (is_alnum(chunk[start - 1]) || chunk[start - 1] == '+')) --start;
      rest = mark + 3;
      from = rest;
      if (start == mark) continue;
    } else if (const size_t www = chunk.find("www.", from); www != chunk.npos) {
      from = rest = www + 4;
      start = www;
      if (www > 0 && (is_word(chunk[www - 1]) || chunk[www - 1] == '.' || chunk[www - 1] == '@')) continue;
      if (chunk.find('.', rest) == chunk.npos) continue;
    } else {
      return;
    }
    if (rest >= chunk.size() || !(is_word(chunk[rest]) || chunk[rest] == '[')) continue;
    size_t stop = rest;
    while (stop < chunk.size() && chunk[stop] != '<' && chunk[stop] != '>' && chunk[stop] != '\\' && chunk[stop] != '}')
      ++stop;
    // A bracket that was opened inside belongs to the address.
    const auto inside = chunk.substr(start, stop - start);
    const bool round = inside.find('(') != inside.npos, square = inside.find('[') != inside.npos;
    while (stop > rest && std::string_view(".,;:!?'*)]").find(chunk[stop - 1]) != std::string_view::npos) {
      if ((chunk[stop - 1] == ')' && round) || (chunk[stop - 1] == ']' && square)) break;
      --stop;
    }
    scan.add(begin + start, begin + stop, Entity::kUrl, 0.8f, "url");
    claimed.emplace_back(begin + start, begin + stop);
    from = std::max(from, stop);
  }
}

bool in_local_part(char c) {
  return is_alnum(c) || c == '_' || std::string_view(".+-%&'*/=?^`{|}~!#$").find(c) != std::string_view::npos;
}

void find_emails(Scan& scan, size_t begin, size_t end, Claimed& claimed) {
  const std::string_view text = scan.text;
  const size_t urls = claimed.size();
  for (size_t at = text.substr(0, end).find('@', begin); at < end; at = text.substr(0, end).find('@', at + 1)) {
    // In an address of the web '@' is a user's name before the host, or the path's; behind a '?' or '=' it is
    // somebody's address.
    if (within(claimed, urls, at) && text.substr(begin, at - begin).find_first_of("?=") == text.npos) continue;
    size_t left = at, right = at + 1;
    while (left > begin && at - left < 64 && in_local_part(text[left - 1])) --left;
    // What the local part may hold by RFC 5322 but nobody's begins with: quotes, brackets, `key=`.
    for (size_t i = at; i-- > left;) {
      if (std::string_view("=|{}`*/'?!&$#^~").find(text[i]) != std::string_view::npos) {
        left = i + 1;
        break;
      }
    }
    while (left < at && (text[left] == '.' || text[left] == '-' || text[left] == '%')) ++left;
    size_t dot = 0;
    while (right < end && (is_alnum(text[right]) || text[right] == '-' || text[right] == '.' || is_high(text[right]))) {
      if (text[right] == '.' && right + 1 < end && (is_alnum(text[right + 1]) || is_high(text[right + 1])))
        dot = right;
      else if (text[right] == '.')
        break;
      ++right;
    }
    while (right > at + 1 && text[right - 1] == '-') --right;
    if (left == at || dot == 0 || dot <= at + 1) continue;
    const auto top = text.substr(dot + 1, right - dot - 1);
    if (top.size() < 2 || std::any_of(top.begin(), top.end(), is_digit)) continue;
    scan.add(left, right, Entity::kEmail, 0.95f, "email");
    claimed.emplace_back(left, right);
  }
}

// Four numbers up to 255. Version numbers look the same: words say so.
bool ipv4(std::string_view t, size_t& length) {
  size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (at >= t.size() || t[at++] != '.')) return false;
    const size_t first = at;
    int n = 0;
    while (at < t.size() && is_digit(t[at]) && at - first < 4) n = n * 10 + t[at++] - '0';
    if (at == first || n > 255 || (at - first > 1 && t[first] == '0')) return false;
  }
  length = at;
  return true;
}

// RFC 4291 text forms; `t` is the longest run of its characters.
bool ipv6(std::string_view t) {
  int groups = 0, gaps = 0;
  size_t at = 0;
  if (t.starts_with("::")) gaps = 1, at = 2;
  while (at < t.size()) {
    size_t n = 0;
    while (at + n < t.size() && is_hex(t[at + n]) && n < 5) ++n;
    if (n == 0 || n > 4) return false;
    ++groups;
    at += n;
    if (at == t.size()) break;
    if (t[at] == '.') {  // ::ffff:192.0.2.1
      size_t length = 0;
      if (!ipv4(t.substr(at - n), length) || at - n + length != t.size()) return false;
      ++groups;
      break;
    }
    if (t[at] != ':') return false;
    ++at;
    if (at < t.size() && t[at] == ':') {
      if (++gaps > 1) return false;
      ++at;
    } else if (at == t.size()) {
      return false;
    }
  }
  return gaps == 1 ? groups >= 1 && groups <= 7 : groups == 8;
}

bool mac(std::string_view t) {
  if (t.size() == 14 && t[4] == '.' && t[9] == '.') {
    for (size_t i = 0; i < 14; ++i) {
      if (i != 4 && i != 9 && !is_hex(t[i])) return false;
    }
    return true;
  }
  if (t.size() != 17 || (t[2] != ':' && t[2] != '-')) return false;
  for (size_t i = 0; i < 17; ++i) {
    if (i % 3 == 2 ? t[i] != t[2] : !is_hex(t[i])) return false;
  }
  return true;
}

void find_network(Scan& scan, size_t begin, size_t end, Claimed& claimed) {
  const auto text = scan.text;
  std::sort(claimed.begin(), claimed.end());
  const size_t before = claimed.size();
  const auto in_run = [&](size_t i) {
    return is_alnum(text[i]) || text[i] == '.' || text[i] == ':' || text[i] == '-' || text[i] == '_';
  };
  for (size_t at = begin; at < end;) {
    if (!in_run(at)) {
      ++at;
      continue;
    }
    const size_t first = at;
    while (at < end && in_run(at)) ++at;
    if (within(claimed, before, first)) continue;
    size_t last = at;
    while (last > first &&
           (text[last - 1] == '.' || text[last - 1] == '-' || (text[last - 1] == ':' && scan.before(last - 1) != ':')))
      --last;
    auto run = text.substr(first, last - first);
    if (run.size() < 3 || run.size() > 64) continue;
    size_t length = 0;
    const size_t colon = run.find(':');
    if (mac(run)) {
      scan.add(first, last, Entity::kMacAddress, 0.9f, "mac");
      claimed.emplace_back(first, last);
    } else if (colon != run.npos && run.find(':', colon + 1) != run.npos && ipv6(run)) {
      // "::" and "a::b" are words of programs; an address has more.
      const bool long_enough =
          std::count_if(run.begin(), run.end(), is_hex) >= 4 && std::any_of(run.begin(), run.end(), is_digit);
      scan.add(first, last, Entity::kIpAddress, long_enough ? 0.85f : run == "::1" ? 0.6f : 0.3f, "ipv6");
      claimed.emplace_back(first, last);
    } else {
      size_t skip = 0;
      while (skip < run.size() && !is_digit(run[skip])) ++skip;  // "ip:10.0.0.1"
      if (skip > 0 && skip < run.size() && (is_letter(run[skip - 1]) || run[skip - 1] == '.' || run[skip - 1] == '_'))
        continue;
      if (!ipv4(run.substr(skip), length)) continue;
      const size_t stop = first + skip + length;
      const char next = stop < last ? text[stop] : ' ';
      if (is_alnum(next) || next == '_' || next == '.' || next == '-') continue;
      const auto around = surroundings(text, first, stop, 2);
      float score = 0.7f;
      if (around.has(kNotTopic) && !around.has(kNetworkTopic)) score -= 0.4f;
      if (around.has(kNetworkTopic)) score += 0.25f;
      scan.add(first + skip, stop, Entity::kIpAddress, score, "ipv4");
      claimed.emplace_back(first + skip, stop);
    }
  }
}

void find_coins(Scan& scan, size_t begin, size_t end, Claimed& claimed) {
  const auto text = scan.text;
  for (size_t at = begin; at < end;) {
    if (!is_alnum(text[at])) {
      ++at;
      continue;
    }
    const size_t first = at;
    while (at < end && is_alnum(text[at])) ++at;
    const auto word = text.substr(first, at - first);
    if (word.size() < 26 || word.size() > 90) continue;
    std::string_view rule;
    if (eth_address(word))
      rule = "ethereum";
    else if ((word[0] == '1' || word[0] == '3') && base58check(word))
      rule = "bitcoin_base58";
    else if ((word.starts_with("bc1") || word.starts_with("tb1") || word.starts_with("ltc1")) && bech32(word))
      rule = "bitcoin_bech32";
    if (rule.empty()) continue;
    scan.add(first, at, Entity::kCrypto, 0.95f, rule);
    claimed.emplace_back(first, at);
  }
}

}  // namespace

void find_addresses(Scan& scan, size_t begin, size_t end, Claimed& claimed) {
  const auto chunk = scan.text.substr(begin, end - begin);
  find_url(scan, begin, end, claimed);
  if (chunk.find('@') != chunk.npos) find_emails(scan, begin, end, claimed);
  if (chunk.size() >= 26) find_coins(scan, begin, end, claimed);
  if (chunk.find_first_of(".:-") != chunk.npos) find_network(scan, begin, end, claimed);
}

}  // namespace ajar::guard
