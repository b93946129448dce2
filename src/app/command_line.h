#pragma once
// The command line: subcommands, their options, help. In front of CLI11, which only command_line.cc includes: it is a library of
// headers, and what each command compiled of it anew was most of the command's own time.
//
// One thread declares, parses and asks. A mistake of ours in a declaration (a name twice, say) throws as CLI11 does and is not caught.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ajar::app {

// A handle to one option or flag; valid as long as its command line's root. Each call changes the option and gives the same
// handle. A check that refuses a value ends the parsing with status 105 and a message that names the option.
class Option {
 public:
  Option required(bool value = true);
  Option capture_default();              // help shows what the variable holds now
  Option delimiter(char character);      // between several values in one argument
  Option needs(Option other);            // is refused without it
  Option group(std::string_view name);   // its heading in help; "": help does not show it

  Option between(int low, int high);     // both included
  Option between(int64_t low, int64_t high);
  Option between(double low, double high);
  Option positive();
  Option at_least_zero();
  Option existing_file();
  Option existing_directory();
  Option existing_path();
  Option one_of(std::initializer_list<std::string_view> values);

 private:
  friend class CommandLine;
  explicit Option(CLI::Option* option) : option_(option) {}

  CLI::Option* option_;
};

// A handle to a command line or to one of its subcommands; a copy means the same one. Valid as long as its root. The variables of
// options and flags are the caller's, who keeps them until parse() is over.
class CommandLine {
 public:
  CommandLine add_subcommand(std::string_view name, std::string_view help);
  // Names: "-l,--long", or without dashes a positional one. A vector takes several values.
  Option add_option(std::string_view names, std::string& value, std::string_view help);
  Option add_option(std::string_view names, int& value, std::string_view help);
  Option add_option(std::string_view names, int64_t& value, std::string_view help);
  Option add_option(std::string_view names, uint64_t& value, std::string_view help);  // refuses what is below 0
  Option add_option(std::string_view names, double& value, std::string_view help);
  Option add_option(std::string_view names, std::vector<std::string>& value, std::string_view help);
  Option add_option(std::string_view names, std::vector<int>& value, std::string_view help);
  Option add_flag(std::string_view names, bool& value, std::string_view help);

  void footer(std::string_view text);              // the end of its help
  void require_subcommand(int least, int most);
  void require_subcommand(int count) { require_subcommand(count, count); }
  void fallthrough();                              // what a subcommand does not know is asked of this; subcommands made later inherit it
  void column_width(size_t width);                 // of the names in help; subcommands made later inherit it

  bool parsed() const;                             // it is among what the last parse() was given
  std::string name() const;

 protected:
  explicit CommandLine(CLI::App* app) : app_(app) {}

  CLI::App* app_;
};

// The whole, which it owns.
class CommandLineRoot : public CommandLine {
 public:
  // What it is for, and the program's name in help.
  CommandLineRoot(std::string_view description, std::string_view name);
  CommandLineRoot(const CommandLineRoot&) = delete;
  CommandLineRoot& operator=(const CommandLineRoot&) = delete;
  ~CommandLineRoot();

  // Reads the arguments into the variables. Where that ends the program, with help that was asked for or with a fault, it is
  // printed and the exit status given.
  std::optional<int> parse(int argc, const char* const* argv);

 private:
  explicit CommandLineRoot(std::unique_ptr<CLI::App> app);

  std::unique_ptr<CLI::App> owned_;
};

}  // namespace ajar::app
