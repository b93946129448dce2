// Any text as a template: it is refused or rendered within its limits, and leaves nothing behind.
#include "chat/jinja/from_json.h"
#include "chat/jinja/jinja.h"

using namespace ajar;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const jinja::Value context = jinja::from_json_text(
      R"({"messages":[{"role":"user","content":"Hé"},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"a":[1,2.5,null]}}}]}],
          "tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"bos_token":"<s>","add_generation_prompt":true})");
  const auto parsed = jinja::Template::parse({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  const auto made = parsed->render(context, 1'700'000'000, {.steps = 20'000, .output_bytes = 1 << 18, .memory_bytes = 1 << 22, .depth = 200});
  if (made && made->size() > 1 << 18) __builtin_trap();
  return 0;
}
