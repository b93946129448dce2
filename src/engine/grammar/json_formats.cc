#include "engine/grammar/json_formats.h"

namespace ajar::engine {
namespace {

#define AJAR_LEAP "([0-9][0-9](0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
#define AJAR_DATE                                                                                                           \
  "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|" AJAR_LEAP ")"
#define AJAR_TIME "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
#define AJAR_LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define AJAR_BYTE "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

struct Row {
  std::string_view name, pattern;
};
constexpr Row kRows[] = {
    {"date", AJAR_DATE},
    {"time", AJAR_TIME},
    {"date-time", AJAR_DATE "T" AJAR_TIME},
    {"duration", "P([0-9]{1,9}W|[0-9]{1,9}D(T([0-9]{1,9}H)?([0-9]{1,9}M)?[0-9]{1,9}S)?|T[0-9]{1,9}[HMS]|"
                 "[0-9]{1,9}Y([0-9]{1,9}M([0-9]{1,9}D)?)?|[0-9]{1,9}M([0-9]{1,9}D)?)"},
    {"uuid", "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"},
    {"email", "[A-Za-z0-9_%+-]{1,32}(\\.[A-Za-z0-9_%+-]{1,15}){0,2}@(" AJAR_LABEL "\\.){1,3}[A-Za-z]{2,24}"},
    {"hostname", AJAR_LABEL "(\\." AJAR_LABEL "){0,3}"},
    {"ipv4", AJAR_BYTE "(\\." AJAR_BYTE "){3}"},
    {"ipv6", "([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|::([0-9a-fA-F]{1,4})?"},
    {"uri", "[A-Za-z][A-Za-z0-9+.-]{1,15}://[A-Za-z0-9._~:@!$&'()*+,;=-]{1,253}(/[A-Za-z0-9._~:@!$&'()*+,;=-]*)*"
            "(\\?[A-Za-z0-9._~:@!$&'()*+,;=/?-]*)?(#[A-Za-z0-9._~:@!$&'()*+,;=/?-]*)?"},
};

}  // namespace

std::string_view format_pattern(std::string_view format) {
  for (const Row& row : kRows)
    if (row.name == format) return row.pattern;
  return {};
}

}  // namespace ajar::engine
