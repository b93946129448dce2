// Credentials: formats with a known beginning, headers, keys between lines, and values beside words that say "secret".
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "guard/detectors.h"

namespace ajar::guard {
namespace {

constexpr size_t kLongestKey = 16 << 10;  // RSA of 16,384 bits takes 12,800 bytes

enum class Chars : uint8_t { kWord, kDashed, kUpper32, kHex, kDotted };

bool of(Chars chars, char c) {
  switch (chars) {
    case Chars::kWord:
      return is_alnum(c) || c == '_';
    case Chars::kDashed:
      return is_alnum(c) || c == '_' || c == '-';
    case Chars::kUpper32:
      return is_upper(c) || (c >= '2' && c <= '7');
    case Chars::kHex:
      return is_hex(c);
    case Chars::kDotted:
      return is_alnum(c) || c == '_' || c == '-' || c == '.';
  }
  return false;
}

// Formats as the issuers document them. Lengths are of what follows the prefix.
struct Format {
  std::string_view prefix, rule;
  Chars chars;
  uint16_t shortest, longest;
  float entropy = 3.0f;  // bits per character at least; placeholders like "xxxx" have less
};
constexpr Format kFormats[] = {
    {"AKIA", "aws_access_key", Chars::kUpper32, 16, 16, 2.5f},
    {"ASIA", "aws_access_key", Chars::kUpper32, 16, 16, 2.5f},
    {"ABIA", "aws_access_key", Chars::kUpper32, 16, 16, 2.5f},
    {"ACCA", "aws_access_key", Chars::kUpper32, 16, 16, 2.5f},
    {"ghp_", "github_token", Chars::kWord, 36, 36},
    {"gho_", "github_token", Chars::kWord, 36, 36},
    {"ghu_", "github_token", Chars::kWord, 36, 36},
    {"ghs_", "github_token", Chars::kWord, 36, 36},
    {"ghr_", "github_token", Chars::kWord, 36, 76},
    {"github_pat_", "github_token", Chars::kWord, 70, 90},
    {"glpat-", "gitlab_token", Chars::kDashed, 20, 64},
    {"sk-ant-", "anthropic_key", Chars::kDashed, 24, 140},
    {"sk-proj-", "openai_key", Chars::kDashed, 32, 220},
    {"sk-svcacct-", "openai_key", Chars::kDashed, 32, 220},
    {"sk-admin-", "openai_key", Chars::kDashed, 32, 220},
    {"sk-or-v1-", "openrouter_key", Chars::kHex, 48, 64},
    {"sk-ajar-", "ajar_key", Chars::kDashed, 20, 80},
    {"sk-", "openai_key", Chars::kWord, 32, 64, 3.5f},
    {"AIza", "google_api_key", Chars::kDashed, 35, 35},
    {"ya29.", "google_oauth_token", Chars::kDashed, 30, 300},
    {"GOCSPX-", "google_client_secret", Chars::kDashed, 28, 28},
    {"xoxb-", "slack_token", Chars::kDashed, 20, 120, 2.5f},
    {"xoxp-", "slack_token", Chars::kDashed, 20, 120, 2.5f},
    {"xoxa-", "slack_token", Chars::kDashed, 20, 120, 2.5f},
    {"xoxe-", "slack_token", Chars::kDashed, 20, 200, 2.5f},
    {"xoxr-", "slack_token", Chars::kDashed, 20, 120, 2.5f},
    {"xoxs-", "slack_token", Chars::kDashed, 20, 120, 2.5f},
    {"xapp-", "slack_token", Chars::kDashed, 30, 140, 2.5f},
    {"sk_live_", "stripe_key", Chars::kWord, 16, 120},
    {"sk_test_", "stripe_key", Chars::kWord, 16, 120},
    {"rk_live_", "stripe_key", Chars::kWord, 16, 120},
    {"rk_test_", "stripe_key", Chars::kWord, 16, 120},
    {"whsec_", "stripe_webhook_secret", Chars::kWord, 24, 64},
    {"npm_", "npm_token", Chars::kWord, 36, 36},
    {"pypi-AgEIcHlwaS5vcmc", "pypi_token", Chars::kDashed, 50, 400},
    {"SG.", "sendgrid_key", Chars::kDotted, 60, 70},
    {"hf_", "huggingface_token", Chars::kWord, 30, 40},
    {"dop_v1_", "digitalocean_token", Chars::kHex, 64, 64},
    {"shpat_", "shopify_token", Chars::kHex, 32, 32},
    {"shpss_", "shopify_token", Chars::kHex, 32, 32},
    {"glsa_", "grafana_token", Chars::kWord, 40, 48},
    {"lin_api_", "linear_key", Chars::kWord, 40, 40},
    {"dapi", "databricks_token", Chars::kHex, 32, 34},
    {"hvs.", "vault_token", Chars::kDashed, 24, 200},
    {"ATATT3", "atlassian_token", Chars::kDashed, 100, 300},
    {"gsk_", "groq_key", Chars::kWord, 48, 56},
    {"xai-", "xai_key", Chars::kWord, 60, 90},
    {"pplx-", "perplexity_key", Chars::kWord, 40, 60},
    {"r8_", "replicate_token", Chars::kWord, 37, 40},
    {"AGE-SECRET-KEY-1", "age_key", Chars::kWord, 58, 58},
    {"dckr_pat_", "docker_token", Chars::kDashed, 27, 36},
    {"sq0csp-", "square_secret", Chars::kDashed, 43, 43},
    {"EAAA", "square_token", Chars::kDashed, 60, 60},
    {"key-", "mailgun_key", Chars::kHex, 32, 32},
    {"rubygems_", "rubygems_key", Chars::kHex, 48, 48},
    {"nvapi-", "nvidia_key", Chars::kDashed, 50, 90},
};

// Shannon entropy in bits per character.
float entropy(std::string_view text) {
  std::array<uint16_t, 256> count{};
  for (const char c : text) ++count[static_cast<unsigned char>(c)];
  float sum = 0;
  for (const uint16_t n : count) {
    if (n > 0) sum -= static_cast<float>(n) * std::log2(static_cast<float>(n) / static_cast<float>(text.size()));
  }
  return sum / static_cast<float>(text.size());
}

// Documentation's own samples and things to be filled in.
bool is_example(std::string_view value) {
  if (value.size() > 512) return false;
  const std::string low = to_lower(value);
  for (const std::string_view word : {"example", "placeholder", "changeme", "your_", "your-", "yourkey", "xxxx",
                                      "redacted", "dummy", "<", "${", "{{", "****", "...."}) {
    if (low.find(word) != low.npos) return true;
  }
  return false;
}

void find_format(Scan& scan, size_t begin, size_t end) {
  const auto token = scan.text.substr(begin, end - begin);
  for (const Format& format : kFormats) {
    if (token[0] != format.prefix[0] || !token.starts_with(format.prefix)) continue;
    size_t n = format.prefix.size();
    // Dots belong to few formats; the token that we were given ends before them.
    const auto text =
        scan.text.substr(begin, std::min<size_t>(scan.text.size() - begin, format.prefix.size() + format.longest + 1u));
    if (!text.starts_with(format.prefix)) continue;
    while (n < text.size() && of(format.chars, text[n])) ++n;
    const size_t length = n - format.prefix.size();
    if (length < format.shortest || length > format.longest) continue;
    const auto value = text.substr(format.prefix.size(), length);
    if (entropy(value) < format.entropy || is_example(text.substr(0, n))) continue;
    return scan.add(begin, begin + n, Entity::kSecret, 0.98f, format.rule);
  }
}

// RFC 7519: three parts of base64url, the first two begin with {" .
void find_jwt(Scan& scan, size_t begin, size_t limit) {
  if (!scan.text.substr(begin).starts_with("eyJ")) return;
  size_t at = begin, dots = 0;
  while (at < limit && of(Chars::kDotted, scan.text[at])) dots += scan.text[at++] == '.';
  if (dots != 2) return;
  const auto token = scan.text.substr(begin, at - begin);
  const size_t first = token.find('.'), second = token.find('.', first + 1);
  if (first < 12 || token.substr(first + 1, 3) != "eyJ" || second + 9 > token.size()) return;
  scan.add(begin, at, Entity::kSecret, 0.95f, "jwt");
}

// Azure AD client secrets: three characters, a digit, "Q~", 31 to 34 more.
void find_azure(Scan& scan, size_t begin, size_t end) {
  const size_t mark = scan.text.substr(0, end).find("Q~", begin);
  if (mark == std::string_view::npos || mark < begin + 4 || !is_digit(scan.text[mark - 1])) return;
  size_t at = mark + 2;
  while (at < scan.text.size() && (of(Chars::kDotted, scan.text[at]) || scan.text[at] == '~')) ++at;
  if (at - mark - 2 >= 31 && at - mark - 2 <= 34) scan.add(mark - 4, at, Entity::kSecret, 0.95f, "azure_client_secret");
}

// "-----BEGIN … PRIVATE KEY-----" to its END, or as far as the longest keys go.
void find_private_key(Scan& scan, size_t begin) {
  const auto rest = scan.text.substr(begin, kLongestKey);
  if (!rest.starts_with("-----BEGIN ")) return;
  const size_t mark = rest.substr(0, 64).find("PRIVATE KEY");
  if (mark == rest.npos || rest.find('\n') < mark) return;
  const size_t stop = rest.find("-----END ", mark);
  const size_t line = stop == rest.npos ? rest.npos : rest.find("-----", stop + 9);
  const size_t end = line == rest.npos ? rest.size() : line + 5;
  scan.add(begin, begin + end, Entity::kSecret, 0.99f, "private_key");
}

enum class Word : uint8_t { kNone, kPassword, kSecret };

// The name that a value is assigned to: letters, digits, '_', '-', '.'.
Word secret_word(std::string_view name) {
  const std::string low = to_lower(name.size() > 64 ? name.substr(name.size() - 64) : name);
  const auto ends = [&](std::string_view word) {
    const size_t at = low.rfind(word);
    return at != low.npos && at + word.size() + 2 >= low.size() &&
           (at == 0 || !is_letter(low[at - 1]) || word.size() > 5);
  };
  for (const std::string_view w : {"password", "passwd", "pwd", "passphrase", "passcode"}) {
    if (ends(w)) return Word::kPassword;
  }
  for (const std::string_view w :
       {"secret",     "token",           "api_key",    "apikey",      "api-key",       "access_key",     "accesskey",
        "access-key", "secret_key",      "secretkey",  "private_key", "client_secret", "auth_key",       "authkey",
        "accountkey", "sharedaccesskey", "credential", "credentials", "signing_key",   "encryption_key", "bearer"}) {
    if (ends(w)) return Word::kSecret;
  }
  return Word::kNone;
}

// What stands before a value: `name = "`, `name: `, `name is `, `--name `.
Word named_by(std::string_view text, size_t begin) {
  size_t at = begin;
  const auto skip = [&](std::string_view chars) {
    const size_t from = at;
    while (at > 0 && from - at < 4 && chars.find(text[at - 1]) != chars.npos) --at;
    return from - at;
  };
  skip(" \"'`");
  if (skip(":=>~,") == 0) {
    if (at > 2 && (text.substr(at - 2, 2) == "is" || text.substr(at - 2, 2) == "IS") && text[at - 3] == ' ' &&
        at < begin)
      at -= 2;
    else if (at == begin)
      return Word::kNone;
    skip(" ");
  }
  skip(" \"'`]");
  const size_t end = at;
  while (at > 0 && end - at < 64 && (is_word(text[at - 1]) || text[at - 1] == '-' || text[at - 1] == '.')) --at;
  if (at == end) return Word::kNone;
  const Word word = secret_word(text.substr(at, end - at));
  if (word != Word::kNone) return word;
  // "API key: …": two words.
  const auto last = text.substr(at, end - at);
  if (iequals(last, "key") || iequals(last, "token") || iequals(last, "secret")) {
    const size_t gap = at;
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '-')) --at;
    const size_t stop = at;
    while (at > 0 && is_letter(text[at - 1])) --at;
    const auto first = text.substr(at, stop - at);
    if (stop < gap) {
      for (const std::string_view w : {"api", "access", "secret", "private", "auth", "account", "client", "signing"}) {
        if (iequals(first, w)) return Word::kSecret;
      }
    }
  }
  return Word::kNone;
}

// A value of any format, where a name says that it is a secret and it looks like no word.
void find_assigned(Scan& scan, size_t begin, size_t end) {
  const auto value = scan.text.substr(begin, end - begin);
  if (value.size() < 6 || value.size() > 512) return;
  const bool digit = std::any_of(value.begin(), value.end(), is_digit);
  const bool letter = std::any_of(value.begin(), value.end(), is_letter);
  if (!letter || !digit) return;
  const Word word = named_by(scan.text, begin);
  if (word == Word::kNone || is_example(value)) return;
  const float bits = entropy(value);
  if (word == Word::kPassword && bits >= 2.3f) scan.add(begin, end, Entity::kSecret, 0.75f, "password");
  if (word == Word::kSecret && value.size() >= 10 && bits >= 3.0f)
    scan.add(begin, end, Entity::kSecret, 0.75f, "assigned_secret");
}

// RFC 7617, 6750: what follows Basic or Bearer in a header; curl's -u.
void find_authorization(Scan& scan, size_t begin, size_t end) {
  const auto text = scan.text;
  const auto value = text.substr(begin, end - begin);
  if (value.size() < 8 || is_example(value)) return;
  size_t at = begin;
  while (at > 0 && text[at - 1] == ' ' && begin - at < 3) --at;
  if (at == begin) return;
  size_t word = at;
  while (word > 0 && is_letter(text[word - 1])) --word;
  const auto scheme = text.substr(word, at - word);
  if (iequals(scheme, "bearer") || iequals(scheme, "basic")) {
    const auto ahead = to_lower(text.substr(word > 24 ? word - 24 : 0, std::min<size_t>(word, 24)));
    if (ahead.find("authorization") != ahead.npos && entropy(value) >= 2.5f) {
      scan.add(begin, end, Entity::kSecret, 0.9f, "authorization_header");
    }
  } else if ((scheme == "u" && word > 0 && text[word - 1] == '-') || scheme == "user") {
    const size_t colon = value.find(':');
    const auto ahead = text.substr(word > 160 ? word - 160 : 0, std::min<size_t>(word, 160));
    if (colon != value.npos && colon > 0 && colon + 4 < value.size() && ahead.find("curl") != ahead.npos) {
      scan.add(begin, end, Entity::kSecret, 0.85f, "curl_user");
    }
  }
}

// RFC 3986: scheme://user:password@host.
void find_url_password(Scan& scan, size_t begin, size_t end) {
  const auto chunk = scan.text.substr(begin, end - begin);
  const size_t scheme = chunk.find("://");
  if (scheme == chunk.npos) return;
  const size_t stop = std::min(chunk.find_first_of("/?#", scheme + 3), chunk.size());
  const size_t at = chunk.substr(0, stop).rfind('@');
  if (at == chunk.npos || at < scheme + 3) return;
  const size_t colon = chunk.find(':', scheme + 3);
  if (colon == chunk.npos || colon + 4 > at) return;
  const auto value = chunk.substr(colon + 1, at - colon - 1);
  if (is_example(value)) return;
  scan.add(begin + colon + 1, begin + at, Entity::kSecret, 0.85f, "url_password");
}

}  // namespace

void find_secrets(Scan& scan, size_t begin, size_t end) {
  if (!scan.wanted.has(Entity::kSecret)) return;
  const auto text = scan.text;
  if (end - begin >= 10) find_url_password(scan, begin, end);
  // Tokens with a known beginning, wherever in the chunk they start.
  for (size_t at = begin; at < end;) {
    if (!of(Chars::kDashed, text[at])) {
      ++at;
      continue;
    }
    if (text.substr(at, 5) == "-----") find_private_key(scan, at);
    while (at < end && text[at] == '-') ++at;
    const size_t first = at;
    while (at < end && of(Chars::kDashed, text[at])) ++at;
    if (at - first >= 12 || (at - first >= 2 && at < end && text[at] == '.')) find_format(scan, first, end);
    if (at - first >= 16) find_jwt(scan, first, end);
  }
  if (end - begin >= 37) find_azure(scan, begin, end);
  // The value of an assignment: behind the last '=' or ':' of the chunk, or the chunk.
  size_t value = begin, stop = end;
  while (stop > value && std::string_view(".,;)]}").find(text[stop - 1]) != std::string_view::npos) --stop;
  find_authorization(scan, value, stop);
  for (size_t i = begin; i + 1 < stop; ++i) {
    if ((text[i] == '=' || text[i] == ':') && text[i + 1] != '=' && text[i + 1] != '/' && i - begin < 80) {
      size_t last = std::min(text.substr(0, stop).find('&', i), stop);
      find_assigned(scan, i + 1, last);
      if (last == stop) return;
      i = last;
    }
  }
  find_assigned(scan, value, stop);
}

}  // namespace ajar::guard
