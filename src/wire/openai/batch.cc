#include "wire/openai/batch.h"

#include <algorithm>

#include "base/text.h"
#include "json/write.h"
#include "wire/fields.h"

namespace ajar::wire::openai {
namespace {

std::unexpected<Error> line_fault(std::string_view code, std::string message, std::string param) {
  Error error{.code = Code::kInvalid, .message = std::move(message), .field = std::move(param)};
  error.type = code;
  return std::unexpected(std::move(error));
}

void append_file(json::Writer& w, const StoredFile& file) {
  w.begin_object();
  w.field("id", file.id);
  w.field("object", "file");
  w.field("bytes", file.bytes);
  w.field("created_at", file.created_ms / 1000);
  if (file.expires_ms > 0) w.field("expires_at", file.expires_ms / 1000);
  w.field("filename", file.name);
  w.field("purpose", file.purpose);
  w.field("status", "processed");
  w.end_object();
}

void append_batch(json::Writer& w, const Batch& batch) {
  const auto time = [&](const char* name, int64_t ms) {
    if (ms > 0) w.field(name, ms / 1000);
    else w.null_field(name);
  };
  const auto id = [&](const char* name, const std::string& value) {
    if (value.empty()) w.null_field(name);
    else w.field(name, value);
  };
  const auto ended = [&](BatchStatus status) { return batch.status == status ? batch.ended_ms : 0; };
  w.begin_object();
  w.field("id", batch.id);
  w.field("object", "batch");
  w.field("endpoint", batch.endpoint);
  w.key("errors");
  if (batch.faults.empty()) {
    w.null();
  } else {
    w.begin_object();
    w.field("object", "list");
    w.raw_field("data", batch.faults);
    w.end_object();
  }
  w.field("input_file_id", batch.input_file);
  w.field("completion_window", batch.window);
  w.field("status", batch_status_name(batch.status));
  id("output_file_id", batch.output_file);
  id("error_file_id", batch.error_file);
  w.field("created_at", batch.created_ms / 1000);
  time("in_progress_at", batch.in_progress_ms);
  time("expires_at", batch.expires_ms);
  time("finalizing_at", batch.finalizing_ms);
  time("completed_at", ended(BatchStatus::kCompleted));
  time("failed_at", ended(BatchStatus::kFailed));
  time("expired_at", ended(BatchStatus::kExpired));
  time("cancelling_at", batch.cancelling_ms);
  time("cancelled_at", ended(BatchStatus::kCancelled));
  w.key("request_counts");
  w.begin_object();
  w.field("total", batch.total);
  w.field("completed", batch.completed);
  w.field("failed", batch.failed);
  w.end_object();
  if (batch.metadata.empty()) w.null_field("metadata");
  else w.raw_field("metadata", batch.metadata);
  w.end_object();
}

template <class T, class Append>
std::string write_page(const Page<T>& page, Append append) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("object", "list");
  w.key("data");
  w.begin_array();
  for (const T& item : page.items) append(w, item);
  w.end_array();
  if (!page.items.empty()) {
    w.field("first_id", page.items.front().id);
    w.field("last_id", page.items.back().id);
  }
  w.field("has_more", page.has_more);
  w.end_object();
  return out;
}

}  // namespace

Result<FileUpload> read_file_upload(std::vector<FormPart> form) {
  FileUpload upload;
  bool has_file = false;
  for (FormPart& part : form) {
    if (part.name == "file") {
      has_file = true;
      upload.name = part.filename.empty() ? "upload" : std::move(part.filename);
      upload.bytes = std::move(part.data);
    } else if (part.name == "purpose") {
      upload.purpose = std::move(part.data);
    } else if (part.name == "expires_after[seconds]") {
      const auto seconds = parse_int(part.data);
      if (!seconds || *seconds < 3600 || *seconds > 2'592'000) {
        return invalid(part.name, "'expires_after[seconds]' must be between 3600 and 2592000");
      }
      upload.expires_seconds = *seconds;
    } else if (part.name != "expires_after[anchor]") {
      return invalid(part.name, "a file upload has no part '" + part.name + "'");
    }
  }
  const Path root;
  if (!has_file) return missing(root / "file");
  if (upload.purpose.empty()) return missing(root / "purpose");
  return upload;
}

Result<BatchSpec> read_batch_request(std::string_view body) {
  static constexpr std::array<std::string_view, 5> kNames = {"input_file_id", "endpoint", "completion_window",
                                                             "metadata", "output_expires_after"};
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const Fields<5> fields(object, kNames);
  BatchSpec spec;
  std::string* const into[] = {&spec.input_file, &spec.endpoint, &spec.window};
  for (size_t i = 0; i < 3; ++i) {
    if (!fields.has(i)) return missing(root / kNames[i]);
    AJAR_ASSIGN(*into[i], need_string(fields[i], root / kNames[i]));
  }
  if (spec.window != "24h") return invalid("completion_window", "'completion_window' must be \"24h\"");
  if (fields.has(3)) {
    AJAR_TRY(need_object(fields[3], root / "metadata"));
    spec.metadata = json::raw(fields[3]);
  }
  if (fields.has_unknown()) {
    const std::string name(fields.unknown()[0].first);
    return invalid(name, "a batch has no field '" + name + "'");
  }
  return spec;
}

Result<BatchLine> read_batch_line(std::string_view text, std::string_view endpoint) {
  const auto document = json::scratch().parse(text);
  const auto object = document ? json::as_object(*document) : std::nullopt;
  if (!object) {
    return line_fault("invalid_json_line", document ? "a line must be a JSON object" : document.error().message, "");
  }
  BatchLine line;
  line.custom_id = json::string_or(*object, "custom_id");
  if (line.custom_id.empty()) return line_fault("missing_required_parameter", "a line needs a 'custom_id'", "custom_id");
  if (json::string_or(*object, "method") != "POST") {
    return line_fault("invalid_method", "'method' must be \"POST\"", "method");
  }
  const std::string_view url = json::string_or(*object, "url");
  if (url != endpoint) {
    return line_fault("invalid_url", "'url' must be the batch's endpoint \"" + std::string(endpoint) + "\"", "url");
  }
  const auto body = json::find(*object, "body");
  const auto members = body ? json::as_object(*body) : std::nullopt;
  if (!members) return line_fault("missing_required_parameter", "a line needs a 'body' object", "body");
  if (const auto stream = json::find(*members, "stream"); stream && json::as_bool(*stream).value_or(true)) {
    return line_fault("invalid_request", "a line of a batch cannot be streamed", "body.stream");
  }
  line.body = json::raw(*body);
  return line;
}

RawJson write_batch_faults(const std::vector<BatchFault>& faults) {
  std::string out;
  json::Writer w(out);
  w.begin_array();
  for (const BatchFault& fault : faults) {
    w.begin_object();
    w.field("code", fault.code);
    w.field("message", fault.message);
    if (fault.param.empty()) w.null_field("param");
    else w.field("param", fault.param);
    if (fault.line > 0) w.field("line", fault.line);
    else w.null_field("line");
    w.end_object();
  }
  w.end_array();
  return out;
}

std::string write_batch_result(std::string_view id, std::string_view custom_id, int status, std::string_view request_id,
                               std::string_view body) {
  std::string out;
  out.reserve(body.size() + 192);
  json::Writer w(out);
  w.begin_object();
  w.field("id", id);
  w.field("custom_id", custom_id);
  w.key("response");
  w.begin_object();
  w.field("status_code", status);
  w.field("request_id", request_id);
  w.raw_field("body", body);
  w.end_object();
  w.null_field("error");
  w.end_object();
  out.push_back('\n');
  return out;
}

std::string write_batch_unanswered(std::string_view id, std::string_view custom_id, std::string_view code,
                                   std::string_view message) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("id", id);
  w.field("custom_id", custom_id);
  w.null_field("response");
  w.key("error");
  w.begin_object();
  w.field("code", code);
  w.field("message", message);
  w.end_object();
  w.end_object();
  out.push_back('\n');
  return out;
}

std::optional<std::string> result_custom_id(std::string_view line) {
  const auto object = json::scratch().parse_object(line);
  const auto id = object ? json::find(*object, "custom_id") : std::nullopt;
  const auto text = id ? json::as_string(*id) : std::nullopt;
  if (!text) return std::nullopt;
  return std::string(*text);
}

std::string write_file(const StoredFile& file) {
  std::string out;
  json::Writer w(out);
  append_file(w, file);
  return out;
}

std::string write_batch(const Batch& batch) {
  std::string out;
  json::Writer w(out);
  append_batch(w, batch);
  return out;
}

std::string write_files(const Page<StoredFile>& page) { return write_page(page, append_file); }
std::string write_batches(const Page<Batch>& page) { return write_page(page, append_batch); }

std::string write_deleted_file(std::string_view id) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("id", id);
  w.field("object", "file");
  w.field("deleted", true);
  w.end_object();
  return out;
}

}  // namespace ajar::wire::openai
