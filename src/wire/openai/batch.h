#pragma once
// OpenAI Files and Batches: https://platform.openai.com/docs/api-reference/{files,batch}

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/batch.h"
#include "core/forward.h"

namespace ajar::wire::openai {

struct FileUpload {
  std::string name, purpose, bytes;
  int64_t expires_seconds = 0;  // after its creation; 0: not given
};
// The parts of a multipart/form-data body. kInvalid names the part.
Result<FileUpload> read_file_upload(std::vector<FormPart> form);

struct BatchSpec {
  std::string input_file, endpoint, window;
  RawJson metadata;
};
Result<BatchSpec> read_batch_request(std::string_view body);

// One line of an input file.
struct BatchLine {
  std::string custom_id;
  RawJson body;
};
// `endpoint` is the batch's; a line for another one is refused, and so is a streamed one. The error's type is OpenAI's
// code ("invalid_url", "missing_required_parameter", …).
Result<BatchLine> read_batch_line(std::string_view line, std::string_view endpoint);

struct BatchFault {
  std::string code, message, param;
  int64_t line = 0;  // 1 is the first
};
RawJson write_batch_faults(const std::vector<BatchFault>& faults);

// One line of an output or error file, with its line end. `body` is JSON.
std::string write_batch_result(std::string_view id, std::string_view custom_id, int status, std::string_view request_id,
                               std::string_view body);
// The same for a line that was never answered.
std::string write_batch_unanswered(std::string_view id, std::string_view custom_id, std::string_view code,
                                   std::string_view message);
// The custom_id of such a line; nothing when it is not one.
std::optional<std::string> result_custom_id(std::string_view line);

std::string write_file(const StoredFile& file);
std::string write_batch(const Batch& batch);
template <class T>
struct Page {
  std::vector<T> items;
  bool has_more = false;
};
std::string write_files(const Page<StoredFile>& page);
std::string write_batches(const Page<Batch>& page);
std::string write_deleted_file(std::string_view id);

}  // namespace ajar::wire::openai
