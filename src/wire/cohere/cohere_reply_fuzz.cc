// The reply decoder against any bytes; what must hold stands in wire/reply_fuzz.h.
#include "wire/cohere/cohere.h"
#include "wire/reply_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ajar::wire::fuzz::reply(data, size, ajar::wire::cohere::new_decoder, ajar::wire::cohere::read_error);
  return 0;
}
