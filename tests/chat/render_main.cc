// Renders templates for compare.py: lines of {"template": path, "context": {...}, "now": unix time} in, lines of
// {"text": ...} or {"error": ..., "raised": whether the template did so itself} out.
#include <fstream>
#include <iostream>
#include <sstream>

#include "chat/jinja/from_json.h"
#include "chat/jinja/jinja.h"
#include "json/write.h"

int main() {
  using namespace ajar;
  for (std::string line; std::getline(std::cin, line);) {
    json::Document document;
    const auto call = document.parse_object(line);
    if (!call) return std::cerr << call.error().message << "\n", 1;
    std::ifstream file(std::string(json::string_or(*call, "template")), std::ios::binary);
    std::ostringstream source;
    source << file.rdbuf();
    const auto parsed = jinja::Template::parse(source.str());
    Result<std::string> text = parsed ? parsed->render(jinja::from_json(*json::find(*call, "context")), json::int_or(*call, "now"))
                                      : Result<std::string>(std::unexpected(parsed.error()));
    std::string out;
    json::Writer w(out);
    w.begin_object();
    if (text) w.field("text", *text);
    else w.field("error", text.error().message), w.field("raised", text.error().type == "raise_exception");
    w.end_object();
    std::cout << out << "\n";
  }
}
