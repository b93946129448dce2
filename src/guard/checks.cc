#include "guard/checks.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "guard/masks.h"

namespace ajar::guard {
namespace {

int value(char c) { return c - '0'; }
int number(std::string_view digits) {
  int n = 0;
  for (const char c : digits) n = n * 10 + value(c);
  return n;
}
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }
bool same(std::string_view digits) { return digits.find_first_not_of(digits[0]) == std::string_view::npos; }

template <size_t N>
int weighted(std::string_view digits, const std::array<int, N>& weights) {
  int sum = 0;
  for (size_t i = 0; i < N; ++i) sum += value(digits[i]) * weights[i];
  return sum;
}

}  // namespace

bool plausible_day(int year, int month, int day) {
  static constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > kDays[month - 1]) return false;
  return !(month == 2 && day == 29 && year > 0 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)));
}

bool luhn(std::string_view digits) {
  if (digits.empty() || !all_digits(digits) || same(digits)) return false;
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int d = value(digits[digits.size() - 1 - i]);
    if (i % 2 == 1 && (d *= 2) > 9) d -= 9;
    sum += d;
  }
  return sum % 10 == 0;
}

bool verhoeff(std::string_view digits) {
  // Multiplication of the dihedral group D5, and the permutation applied per position.
  static constexpr uint8_t kMul[10][10] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
                                           {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
                                           {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
                                           {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
                                           {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
  static constexpr uint8_t kPermute[10] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int check = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int d = value(digits[digits.size() - 1 - i]);
    for (size_t k = 0; k < i % 8; ++k) d = kPermute[d];
    check = kMul[check][d];
  }
  return check == 0;
}

bool iso7064_mod11_10(std::string_view digits) {
  int product = 10;
  for (size_t i = 0; i + 1 < digits.size(); ++i) {
    int sum = (value(digits[i]) + product) % 10;
    if (sum == 0) sum = 10;
    product = sum * 2 % 11;
  }
  return (11 - product) % 10 == value(digits.back());
}

bool card_brand(std::string_view d) {
  const size_t n = d.size();
  if (n < 12 || n > 19) return false;
  const int p2 = number(d.substr(0, 2)), p3 = number(d.substr(0, 3)), p4 = number(d.substr(0, 4));
  if (d[0] == '4') return n == 13 || n == 16 || n == 19;                                        // Visa
  if ((p2 >= 51 && p2 <= 55) || (p4 >= 2221 && p4 <= 2720)) return n == 16;                     // Mastercard
  if (p2 == 34 || p2 == 37) return n == 15;                                                     // American Express
  if ((p3 >= 300 && p3 <= 305) || p2 == 36 || p2 == 38 || p2 == 39) return n == 14 || n == 16;  // Diners
  if (p4 == 6011 || (p3 >= 644 && p3 <= 649) || p2 == 65) return n >= 16;                       // Discover
  if (p4 >= 3528 && p4 <= 3589) return n >= 16;                                                 // JCB
  if (p4 == 2131 || p4 == 1800) return n == 15;                                                 // JCB, before 2005
  if (p2 == 62 || p2 == 81) return n >= 16;                                                     // UnionPay
  if (p4 == 5018 || p4 == 5020 || p4 == 5038 || p4 == 5893 || p4 == 6304 || p4 == 6759 || (p4 >= 6761 && p4 <= 6763) ||
      p4 == 604)
    return true;                                 // Maestro
  if (p4 >= 2200 && p4 <= 2204) return n >= 16;  // Mir
  if (p2 == 60 || p3 == 508) return n == 16;     // RuPay
  return false;
}

bool iban(std::string_view text) {
  struct Country {
    char code[3];
    uint8_t length;
  };
  static constexpr Country kCountries[] = {
      {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
      {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28},
      {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23},
      {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
      {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20},
      {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30},
      {"NL", 18}, {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22},
      {"SA", 24}, {"SC", 31}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23},
      {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}};
  if (text.size() < 15 || text.size() > 34) return false;
  const auto found = std::find_if(std::begin(kCountries), std::end(kCountries),
                                  [&](const Country& c) { return text.substr(0, 2) == std::string_view(c.code, 2); });
  if (found == std::end(kCountries) || found->length != text.size()) return false;
  int rest = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[(i + 4) % text.size()];
    if (is_digit(c))
      rest = (rest * 10 + value(c)) % 97;
    else if (is_upper(c))
      rest = (rest * 100 + c - 'A' + 10) % 97;
    else
      return false;
  }
  return rest == 1;
}

bool us_ssn(std::string_view d) {
  const int area = number(d.substr(0, 3));
  return d.size() == 9 && area != 0 && area != 666 && area < 900 && d.substr(3, 2) != "00" && d.substr(5) != "0000" &&
         !same(d);
}

bool us_itin(std::string_view d) {
  const int group = d.size() == 9 ? number(d.substr(3, 2)) : 0;
  return d.size() == 9 && d[0] == '9' &&
         ((group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group <= 92) || group >= 94);
}

bool us_aba(std::string_view d) {
  if (d.size() != 9 || same(d)) return false;
  const int bank = number(d.substr(0, 2));
  if (!(bank <= 12 || (bank >= 21 && bank <= 32) || (bank >= 61 && bank <= 72) || bank == 80)) return false;
  return weighted<9>(d, {3, 7, 1, 3, 7, 1, 3, 7, 1}) % 10 == 0;
}

bool us_npi(std::string_view d) {
  if (d.size() != 10 || (d[0] != '1' && d[0] != '2')) return false;
  char full[15];
  std::memcpy(full, "80840", 5);
  std::memcpy(full + 5, d.data(), 10);
  return luhn({full, 15});
}

bool us_mbi(std::string_view t) {
  // C AN N A AN N A A N N ... CMS "Understanding the MBI": letters without S L O I B Z.
  static constexpr std::string_view kShape = "CAXNAXNAANN";
  if (t.size() != 11) return false;
  const auto letter = [](char c) {
    return is_upper(c) && std::string_view("SLOIBZ").find(c) == std::string_view::npos;
  };
  for (size_t i = 0; i < 11; ++i) {
    const char c = t[i];
    const bool ok = kShape[i] == 'C'   ? c >= '1' && c <= '9'
                    : kShape[i] == 'A' ? letter(c)
                    : kShape[i] == 'N' ? is_digit(c)
                                       : is_digit(c) || letter(c);
    if (!ok) return false;
  }
  return true;
}

bool us_dea(std::string_view t) {
  if (t.size() != 9 || !is_upper(t[0]) || !is_upper(t[1]) || !all_digits(t.substr(2))) return false;
  const auto d = t.substr(2);
  return (value(d[0]) + value(d[2]) + value(d[4]) + 2 * (value(d[1]) + value(d[3]) + value(d[5]))) % 10 == value(d[6]);
}

bool uk_nhs(std::string_view d) {
  if (d.size() != 10 || same(d)) return false;
  const int check = (11 - weighted<9>(d, {10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11) % 11;
  return check != 10 && check == value(d[9]);
}

bool uk_nino(std::string_view t) {
  if (t.size() != 9 || !all_digits(t.substr(2, 6)) || t[8] < 'A' || t[8] > 'D') return false;
  if (std::string_view("DFIQUV").find(t[0]) != std::string_view::npos || !is_upper(t[0])) return false;
  if (std::string_view("DFIOQUV").find(t[1]) != std::string_view::npos || !is_upper(t[1])) return false;
  for (const std::string_view no : {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}) {
    if (t.substr(0, 2) == no) return false;
  }
  return true;
}

bool es_nif(std::string_view t) {
  return t.size() == 9 && all_digits(t.substr(0, 8)) && "TRWAGMYFPDXBNJZSQVHLCKE"[number(t.substr(0, 8)) % 23] == t[8];
}

bool es_nie(std::string_view t) {
  if (t.size() != 9 || t[0] < 'X' || t[0] > 'Z' || !all_digits(t.substr(1, 7))) return false;
  return "TRWAGMYFPDXBNJZSQVHLCKE"[((t[0] - 'X') * 10'000'000 + number(t.substr(1, 7))) % 23] == t[8];
}

bool it_fiscal_code(std::string_view t) {
  static constexpr int kOdd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  if (t.size() != 16) return false;
  int sum = 0;
  for (size_t i = 0; i < 15; ++i) {
    const bool letter = i < 6 || i == 8 || i == 11;
    if (letter ? !is_upper(t[i])
               : !is_digit(t[i]) && std::string_view("LMNPQRSTUV").find(t[i]) == std::string_view::npos)
      return false;
    const int code = is_digit(t[i]) ? value(t[i]) : t[i] - 'A';
    sum += i % 2 == 0 ? kOdd[code] : code;
  }
  return std::string_view("ABCDEHLMPRST").find(t[8]) != std::string_view::npos && t[15] == 'A' + sum % 26;
}

bool pl_pesel(std::string_view d) {
  if (d.size() != 11 || same(d)) return false;
  const int month = number(d.substr(2, 2)) % 20;  // the century stands in the tens of the month
  if (!plausible_day(0, month, number(d.substr(4, 2)))) return false;
  return (10 - weighted<10>(d, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3}) % 10) % 10 == value(d[10]);
}

bool de_tax_id(std::string_view d) {
  if (d.size() != 11 || d[0] == '0') return false;
  std::array<int, 10> count{};
  for (const char c : d.substr(0, 10)) ++count[static_cast<size_t>(value(c))];
  int repeated = 0;
  for (const int n : count) {
    if (n > 3) return false;
    repeated += n > 1;
  }
  return repeated == 1 && iso7064_mod11_10(d);
}

bool de_id_card(std::string_view t) {
  if (t.size() != 10 || !is_digit(t[9]) || std::string_view("CFGHJKLMNPRTVWXYZ").find(t[0]) == std::string_view::npos)
    return false;
  static constexpr int kWeights[] = {7, 3, 1};
  int sum = 0;
  for (size_t i = 0; i < 9; ++i) {
    if (!is_digit(t[i]) && !is_upper(t[i])) return false;
    sum += (is_digit(t[i]) ? value(t[i]) : t[i] - 'A' + 10) * kWeights[i % 3];
  }
  return sum % 10 == value(t[9]);
}

bool fr_nir(std::string_view t) {
  if (t.size() != 15 || (t[0] != '1' && t[0] != '2')) return false;
  int64_t n = 0;
  for (size_t i = 0; i < 13; ++i) {
    char c = t[i];
    if (i == 6 && (c == 'A' || c == 'B') && t[5] == '2') c = '0';  // Corsica
    if (!is_digit(c)) return false;
    n = n * 10 + value(c);
  }
  if (t[6] == 'A') n -= 1'000'000;
  if (t[6] == 'B') n -= 2'000'000;
  const int month = number(t.substr(3, 2));
  return month >= 1 && (month <= 12 || month >= 20) && all_digits(t.substr(13)) && 97 - n % 97 == number(t.substr(13));
}

bool nl_bsn(std::string_view d) {
  return d.size() == 9 && !same(d) && weighted<9>(d, {9, 8, 7, 6, 5, 4, 3, 2, -1}) % 11 == 0;
}

bool fi_personal_id(std::string_view t) {
  if (t.size() != 11 || !all_digits(t.substr(0, 6)) || !all_digits(t.substr(7, 3))) return false;
  if (std::string_view("+-ABCDEFYXWVU").find(t[6]) == std::string_view::npos) return false;
  if (!plausible_day(0, number(t.substr(2, 2)), number(t.substr(0, 2)))) return false;
  const int n = number(t.substr(0, 6)) * 1000 + number(t.substr(7, 3));
  return "0123456789ABCDEFHJKLMNPRSTUVWXY"[n % 31] == t[10];
}

bool se_personnummer(std::string_view d) {
  if (d.size() == 12) d.remove_prefix(2);
  if (d.size() != 10) return false;
  int day = number(d.substr(4, 2));
  if (day > 60) day -= 60;  // coordination number
  return plausible_day(0, number(d.substr(2, 2)), day) && luhn(d);
}

bool au_abn(std::string_view d) {
  if (d.size() != 11 || d[0] == '0') return false;
  return (weighted<11>(d, {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19}) - 10) % 89 == 0;
}
bool au_acn(std::string_view d) {
  return d.size() == 9 && !same(d) && (10 - weighted<8>(d, {8, 7, 6, 5, 4, 3, 2, 1}) % 10) % 10 == value(d[8]);
}
bool au_tfn(std::string_view d) {
  return d.size() == 9 && !same(d) && weighted<9>(d, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 == 0;
}
bool au_medicare(std::string_view d) {
  if ((d.size() != 10 && d.size() != 11) || d[0] < '2' || d[0] > '6') return false;
  return weighted<8>(d, {1, 3, 7, 9, 1, 3, 7, 9}) % 10 == value(d[8]) && d[9] != '0';
}

bool in_aadhaar(std::string_view d) { return d.size() == 12 && d[0] >= '2' && !same(d) && verhoeff(d); }
bool in_pan(std::string_view t) {
  if (t.size() != 10 || !is_upper(t[9]) || !all_digits(t.substr(5, 4)) || t.substr(5, 4) == "0000") return false;
  for (size_t i = 0; i < 5; ++i) {
    if (!is_upper(t[i])) return false;
  }
  return std::string_view("ABCFGHLJPT").find(t[3]) != std::string_view::npos;
}

bool sg_nric(std::string_view t) {
  if (t.size() != 9 || !all_digits(t.substr(1, 7))) return false;
  int sum = weighted<7>(t.substr(1, 7), {2, 7, 6, 5, 4, 3, 2});
  if (t[0] == 'T' || t[0] == 'G') sum += 4;
  if (t[0] == 'M') sum += 3;
  const auto at = static_cast<size_t>(sum % 11);
  switch (t[0]) {
    case 'S':
    case 'T':
      return "JZIHGFEDCBA"[at] == t[8];
    case 'F':
    case 'G':
      return "XWUTRQPNMLK"[at] == t[8];
    case 'M':
      return "KLJNPQRTUWX"[10 - at] == t[8];
    default:
      return false;
  }
}

bool kr_rrn(std::string_view d) {
  if (d.size() != 13 || d[6] == '0' || d[6] > '8' || !plausible_day(0, number(d.substr(2, 2)), number(d.substr(4, 2))))
    return false;
  return (11 - weighted<12>(d, {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5}) % 11) % 10 == value(d[12]);
}

bool ca_sin(std::string_view d) { return d.size() == 9 && d[0] != '0' && d[0] != '8' && luhn(d); }

bool br_cpf(std::string_view d) {
  if (d.size() != 11 || same(d)) return false;
  const int first = weighted<9>(d, {10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
  const int second = weighted<10>(d, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
  return first == value(d[9]) && second == value(d[10]);
}

bool tr_id(std::string_view d) {
  if (d.size() != 11 || d[0] == '0') return false;
  const int odd = value(d[0]) + value(d[2]) + value(d[4]) + value(d[6]) + value(d[8]);
  const int even = value(d[1]) + value(d[3]) + value(d[5]) + value(d[7]);
  return ((odd * 7 - even) % 10 + 10) % 10 == value(d[9]) && (odd + even + value(d[9])) % 10 == value(d[10]);
}

bool th_id(std::string_view d) {
  if (d.size() != 13 || d[0] == '0' || d[0] == '9') return false;
  return (11 - weighted<12>(d, {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11) % 10 == value(d[12]);
}

bool za_id(std::string_view d) {
  return d.size() == 13 && plausible_day(0, number(d.substr(2, 2)), number(d.substr(4, 2))) && d[10] <= '1' && luhn(d);
}

bool base58check(std::string_view text) {
  static constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  if (text.size() < 26 || text.size() > 35) return false;
  std::array<uint8_t, 25> bytes{};
  for (const char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return false;
    unsigned carry = static_cast<unsigned>(digit);
    for (size_t i = bytes.size(); i-- > 0;) {
      carry += bytes[i] * 58u;
      bytes[i] = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
    if (carry != 0) return false;
  }
  uint8_t hash[SHA256_DIGEST_LENGTH];
  SHA256(bytes.data(), 21, hash);
  SHA256(hash, sizeof hash, hash);
  return std::memcmp(hash, bytes.data() + 21, 4) == 0;
}

bool bech32(std::string_view text) {
  static constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  const size_t one = text.rfind('1');
  if (text.size() < 14 || text.size() > 90 || one == std::string_view::npos || one == 0 || one + 7 > text.size())
    return false;
  uint32_t sum = 1;
  const auto feed = [&](uint32_t v) {
    static constexpr uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    const uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ v;
    for (int i = 0; i < 5; ++i) sum ^= top >> i & 1 ? kGenerator[i] : 0;
  };
  for (const char c : text.substr(0, one)) feed(static_cast<unsigned char>(c) >> 5);
  feed(0);
  for (const char c : text.substr(0, one)) feed(c & 31);
  for (const char c : text.substr(one + 1)) {
    const size_t v = kAlphabet.find(c);
    if (v == std::string_view::npos) return false;
    feed(static_cast<uint32_t>(v));
  }
  return sum == 1 || sum == 0x2bc830a3;
}

bool eth_address(std::string_view t) {
  return t.size() == 42 && t[0] == '0' && t[1] == 'x' &&
         t.substr(2).find_first_not_of("0123456789abcdefABCDEF") == t.npos &&
         t.substr(2).find_first_not_of(t[2]) != t.npos;
}

}  // namespace ajar::guard
