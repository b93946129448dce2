#include "gateway/prices.h"

#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "embed/prices.toml.h"
#include "gateway/prices_toml.h"

namespace ajar {
namespace {

double or_else(double rate, double otherwise) { return rate >= 0 ? rate : otherwise; }

struct Field {
  std::string_view name;
  double Rates::* rate;
};
constexpr Field kFields[] = {
    {"input", &Rates::input},           {"output", &Rates::output},
    {"cached_read", &Rates::cached_read}, {"cached_write", &Rates::cached_write},
    {"cached_write_1h", &Rates::cached_write_1h}, {"audio_input", &Rates::audio_input},
    {"audio_output", &Rates::audio_output}, {"reasoning", &Rates::reasoning},
    {"image", &Rates::image},           {"characters", &Rates::characters},
    {"audio_minute", &Rates::audio_minute}, {"search", &Rates::search},
};

std::string at(std::string_view file, const toml::node& node) {
  return std::string(file) + ":" + std::to_string(node.source().begin.line) + ":" +
         std::to_string(node.source().begin.column);
}

Status read_rates(const toml::table& table, std::string_view file, Rates& rates) {
  for (const auto& [key, node] : table) {
    if (key.str() == "above" || key.str() == "tier") continue;
    bool known = false;
    for (const Field& field : kFields) {
      if (key.str() != field.name) continue;
      known = true;
      const auto number = node.value<double>();
      if (!number || !(*number >= 0) || *number > 1e6) {
        return fail(Code::kInvalid, at(file, node) + ": '" + std::string(key.str()) +
                                        "' must be dollars (per million tokens; image: each; characters: per million; "
                                        "audio_minute: per minute; search: per thousand), 0 or more");
      }
      rates.*field.rate = *number;
    }
    if (!known) {
      return fail(Code::kInvalid, at(file, node) + ": unknown price '" + std::string(key.str()) + "'");
    }
  }
  return {};
}

}  // namespace

int64_t Price::cost(const Usage& usage) const {
  Rates r = base;
  if (above > 0 && usage.input > above) {
    for (const Field& field : kFields) {
      if (tier.*field.rate >= 0) r.*field.rate = tier.*field.rate;
    }
  }
  const double input = or_else(r.input, 0), output = or_else(r.output, 0);
  const double write = or_else(r.cached_write, input);
  const int64_t plain_input = usage.input - usage.cached_read - usage.cached_write - usage.audio_input;
  const int64_t write_5m = usage.cached_write - usage.cached_write_1h;
  const int64_t plain_output = usage.output - usage.reasoning - usage.audio_output;
  double dollars_per_million = 0;
  const auto add = [&](int64_t tokens, double rate) {
    dollars_per_million += double(std::max<int64_t>(tokens, 0)) * rate;
  };
  add(plain_input, input);
  add(usage.cached_read, or_else(r.cached_read, input));
  add(write_5m, write);
  add(usage.cached_write_1h, or_else(r.cached_write_1h, write * 1.6));
  add(usage.audio_input, or_else(r.audio_input, input));
  add(plain_output, output);
  add(usage.reasoning, or_else(r.reasoning, output));
  add(usage.audio_output, or_else(r.audio_output, output));
  add(usage.characters, or_else(r.characters, 0));
  add(usage.images, or_else(r.image, 0) * 1e6);
  add(usage.searches, or_else(r.search, 0) * 1e3);
  add(usage.audio_ms, or_else(r.audio_minute, 0) * 1e6 / 60'000);
  return int64_t(std::llround(dollars_per_million * 1000));  // $/M tokens = 1000 nano-dollars per token
}

bool is_form_of(std::string_view model, std::string_view name) {
  if (!model.starts_with(name)) return false;
  std::string_view rest = model.substr(name.size());
  if (rest.empty()) return true;
  if (rest[0] != '-' && rest[0] != '@' && rest[0] != ':') return false;
  const bool tag = rest[0] == ':';
  rest.remove_prefix(1);
  if (tag || rest.starts_with("latest") || rest.starts_with("preview") || rest.starts_with("exp")) {
    return true;
  }
  return rest.size() >= 3 && rest.substr(0, 3).find_first_not_of("0123456789") == rest.npos;
}

Result<Prices> Prices::read(std::string_view text, std::string_view name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(Code::kInvalid, std::string(name) + ":" + std::to_string(error.source().begin.line) + ":" +
                                    std::to_string(error.source().begin.column) + ": " +
                                    std::string(error.description()));
  }
  Prices prices;
  for (const auto& [list, node] : parsed.table()) {
    if (list.str() == "version") {
      prices.version_ = node.value_or(std::string());
      continue;
    }
    const toml::table* models = node.as_table();
    if (!models) return fail(Code::kInvalid, at(name, node) + ": expected a table of models");
    for (const auto& [model, entry] : *models) {
      const toml::table* table = entry.as_table();
      if (!table) return fail(Code::kInvalid, at(name, entry) + ": expected a table of prices");
      AJAR_ASSIGN(const Price price, read_price(*table, name));
      prices.lists_[std::string(list.str())][std::string(model.str())] = price;
    }
  }
  return prices;
}

Result<Price> read_price(const toml::table& table, std::string_view file) {
  Price price;
  AJAR_TRY(read_rates(table, file, price.base));
  if (const auto above = table["above"].value<int64_t>()) price.above = *above;
  if (const toml::table* tier = table["tier"].as_table()) AJAR_TRY(read_rates(*tier, file, price.tier));
  return price;
}

const Prices& Prices::builtin() {
  static const Prices prices = [] {
    auto read = Prices::read(embed::prices_toml, "models/prices.toml");
    if (!read) std::abort();  // a test reads the same text
    return std::move(*read);
  }();
  return prices;
}

std::optional<Price> Prices::find(std::string_view list, std::string_view model) const {
  const auto models = lists_.find(list);
  if (models == lists_.end()) return std::nullopt;
  const std::string wanted = to_lower(model);
  const Price* best = nullptr;
  size_t length = 0;
  for (const auto& [name, price] : models->second) {
    if (name.size() > length && is_form_of(wanted, name)) {
      best = &price;
      length = name.size();
    }
  }
  if (!best) return std::nullopt;
  return *best;
}

size_t Prices::size() const {
  size_t count = 0;
  for (const auto& [list, models] : lists_) count += models.size();
  return count;
}

}  // namespace ajar
