// A task model from elsewhere: it is refused, or it answers and survives its own bytes. Inputs without a checksum get a right one, so
// that what lies behind it is reached.
#include <cstdlib>
#include <vector>

#include "base/random.h"
#include "learn/labelled.h"
#include "learn/task_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar::learn;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (parse_labelled(bytes, "fuzz") && size == 0) std::abort();
  for (const std::string& tried : {std::string(bytes), std::string(bytes) + ajar::sha256_hex(bytes)}) {
    const auto model = TaskModel::parse(tried);
    if (!model) continue;
    const std::vector<float> embedding(model->width(), 0.5F);
    if (!model->predict("where is my card?", embedding)) std::abort();
    if (!TaskModel::parse(model->serialize())) std::abort();
  }
  return 0;
}
