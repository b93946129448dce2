// Any body either is refused or survives being written and read again.
#include <cstdlib>

#include "wire/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar::wire;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto parts = read_form("multipart/form-data; boundary=b", body);
  if (!parts) return 0;
  const std::string boundary = form_boundary(*parts);
  std::string written;
  write_form(written, *parts, boundary);
  const auto again = read_form("multipart/form-data; boundary=" + boundary, written);
  if (!again || again->size() != parts->size()) std::abort();
  for (size_t i = 0; i < parts->size(); ++i) {
    if ((*again)[i].data != (*parts)[i].data || (*again)[i].content_type != (*parts)[i].content_type) std::abort();
  }
  return 0;
}
