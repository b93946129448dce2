// The first byte chooses a reader: of requests that keep their form, of what their answers say of usage, of batches.
#include <cstdlib>

#include "wire/multipart.h"
#include "wire/openai/batch.h"
#include "wire/openai/forward.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  using namespace ajar::wire::openai;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::string_view kForm = "multipart/form-data; boundary=b";
  switch (data[0] % 5) {
    case 0:
    case 1: {
      const auto kind = ForwardKind((data[0] / 5) % 7);
      const auto request = read_forward_request(kind, data[0] % 5 == 0 ? "application/json" : kForm, body);
      if (!request) return 0;
      const auto written = write_forward_request(*request, {.model = "m"});
      if (!written) std::abort();
      const Usage usage = read_forward_usage(*request, body);
      if (usage.cached_read > usage.input || usage.input < 0 || usage.output < 0 || usage.images < 0) std::abort();
      if (request->is_form) return 0;
      // What we write of a request is one, and says the same.
      const auto again = read_forward_request(kind, "application/json", written->body);
      if (!again || again->members != request->members || again->text != request->text) std::abort();
      return 0;
    }
    case 2: {
      auto form = wire::read_form(kForm, body);
      if (form) (void)read_file_upload(std::move(*form));
      return 0;
    }
    case 3: {
      const auto spec = read_batch_request(body);
      if (spec && (spec->input_file.data() == nullptr || spec->window != "24h")) std::abort();
      return 0;
    }
    default: {
      const auto line = read_batch_line(body, "/v1/chat/completions");
      if (!line) return 0;
      const std::string written = write_batch_result("batch_req_1", line->custom_id, 200, "req_1", line->body);
      if (written.back() != '\n' || written.find('\n') + 1 != written.size()) std::abort();  // one line
      if (result_custom_id(written) != line->custom_id) std::abort();
      return 0;
    }
  }
}
