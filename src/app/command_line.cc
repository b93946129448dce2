#include "app/command_line.h"

#include <CLI/CLI.hpp>

namespace ajar::app {

Option Option::required(bool value) { return option_->required(value), *this; }
Option Option::capture_default() { return option_->capture_default_str(), *this; }
Option Option::delimiter(char character) { return option_->delimiter(character), *this; }
Option Option::needs(Option other) { return option_->needs(other.option_), *this; }
Option Option::group(std::string_view name) { return option_->group(std::string(name)), *this; }

Option Option::between(int low, int high) { return option_->check(CLI::Range(low, high)), *this; }
Option Option::between(int64_t low, int64_t high) { return option_->check(CLI::Range(low, high)), *this; }
Option Option::between(double low, double high) { return option_->check(CLI::Range(low, high)), *this; }
Option Option::positive() { return option_->check(CLI::PositiveNumber), *this; }
Option Option::at_least_zero() { return option_->check(CLI::NonNegativeNumber), *this; }
Option Option::existing_file() { return option_->check(CLI::ExistingFile), *this; }
Option Option::existing_directory() { return option_->check(CLI::ExistingDirectory), *this; }
Option Option::existing_path() { return option_->check(CLI::ExistingPath), *this; }
Option Option::one_of(std::initializer_list<std::string_view> values) {
  return option_->check(CLI::IsMember(std::vector<std::string>(values.begin(), values.end()))), *this;
}

CommandLine CommandLine::add_subcommand(std::string_view name, std::string_view help) {
  return CommandLine(app_->add_subcommand(std::string(name), std::string(help)));
}

namespace {

// Of any type that CLI11 reads; the header names those in use, so that its callers need no template.
template <class T>
CLI::Option* add_value(CLI::App& app, std::string_view names, T& value, std::string_view help) {
  return app.add_option(std::string(names), value, std::string(help));
}

}  // namespace

Option CommandLine::add_option(std::string_view names, std::string& value, std::string_view help) { return Option(add_value(*app_, names, value, help)); }
Option CommandLine::add_option(std::string_view names, int& value, std::string_view help) { return Option(add_value(*app_, names, value, help)); }
Option CommandLine::add_option(std::string_view names, int64_t& value, std::string_view help) { return Option(add_value(*app_, names, value, help)); }
// CLI11 reads -2 as 2^64 - 2.
Option CommandLine::add_option(std::string_view names, uint64_t& value, std::string_view help) {
  CLI::Option* option = add_value(*app_, names, value, help);
  option->check([](const std::string& text) { return text.starts_with('-') ? text + " is below 0" : std::string(); });
  return Option(option);
}
Option CommandLine::add_option(std::string_view names, double& value, std::string_view help) { return Option(add_value(*app_, names, value, help)); }
Option CommandLine::add_option(std::string_view names, std::vector<std::string>& value, std::string_view help) {
  return Option(add_value(*app_, names, value, help));
}
Option CommandLine::add_option(std::string_view names, std::vector<int>& value, std::string_view help) { return Option(add_value(*app_, names, value, help)); }
Option CommandLine::add_flag(std::string_view names, bool& value, std::string_view help) {
  return Option(app_->add_flag(std::string(names), value, std::string(help)));
}

void CommandLine::footer(std::string_view text) { app_->footer(std::string(text)); }
void CommandLine::require_subcommand(int least, int most) { app_->require_subcommand(size_t(least), size_t(most)); }
void CommandLine::fallthrough() { app_->fallthrough(); }
void CommandLine::column_width(size_t width) { app_->get_formatter()->column_width(width); }

bool CommandLine::parsed() const { return app_->parsed(); }
std::string CommandLine::name() const { return app_->get_name(); }

CommandLineRoot::CommandLineRoot(std::string_view description, std::string_view name)
    : CommandLineRoot(std::make_unique<CLI::App>(std::string(description), std::string(name))) {}
CommandLineRoot::CommandLineRoot(std::unique_ptr<CLI::App> app) : CommandLine(app.get()), owned_(std::move(app)) {}
CommandLineRoot::~CommandLineRoot() = default;

std::optional<int> CommandLineRoot::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    return app_->exit(end);
  }
  return std::nullopt;
}

}  // namespace ajar::app
