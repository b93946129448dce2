#include "rag/zip.h"

#include <zip.h>

#include "base/text.h"

namespace ajar::rag {

void Zip::Close::operator()(::zip* archive) const { zip_discard(archive); }

Result<Zip> Zip::open(std::string_view bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  Zip out;
  if (source != nullptr) {
    out.archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
    if (!out.archive_) zip_source_free(source);
  }
  if (!out.archive_) {
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    return fail(Code::kInvalid, "the file is damaged or cut short (" + why + ")");
  }
  if (zip_get_num_entries(out.archive_.get(), 0) > kMaxEntries) return fail(Code::kTooLarge, "it holds more than 65,536 files");
  return out;
}

bool Zip::has(const std::string& name) const { return zip_name_locate(archive_.get(), name.c_str(), 0) >= 0; }

std::vector<std::string> Zip::names() const {
  std::vector<std::string> out;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive_.get(), 0); ++i)
    if (const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0)) out.emplace_back(name);
  return out;
}

Result<std::string> Zip::read(const std::string& name) const {
  const zip_int64_t at = zip_name_locate(archive_.get(), name.c_str(), 0);
  if (at < 0) return fail(Code::kNotFound, "it lacks " + name);
  zip_file_t* file = zip_fopen_index(archive_.get(), static_cast<zip_uint64_t>(at), 0);
  if (file == nullptr) {
    const int code = zip_error_code_zip(zip_get_error(archive_.get()));
    if (code == ZIP_ER_NOPASSWD || code == ZIP_ER_WRONGPASSWD) return fail(Code::kInvalid, "it is encrypted with a password");
    return fail(Code::kInvalid, name + " in it is damaged (" + zip_strerror(archive_.get()) + ")");
  }
  std::string out;
  char block[65536];
  zip_int64_t n;
  // What the archive says of the size is not believed.
  while ((n = zip_fread(file, block, sizeof block)) > 0) {
    out.append(block, static_cast<size_t>(n));
    read_ += static_cast<size_t>(n);
    if (out.size() > kMaxFile || read_ > kMaxTotal) {
      zip_fclose(file);
      return fail(Code::kTooLarge, name + " in it unpacks to more than is allowed");
    }
  }
  zip_fclose(file);
  if (n < 0) return fail(Code::kInvalid, name + " in it is damaged");
  return out;
}

std::string resolve_part(std::string_view from, std::string_view target) {
  std::vector<std::string_view> parts;
  if (!target.starts_with('/')) {
    parts = split(from, '/');
    if (!parts.empty()) parts.pop_back();
  }
  for (const std::string_view part : split(target, '/')) {
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string out;
  for (const std::string_view part : parts) out += (out.empty() ? "" : "/") + std::string(part);
  return out;
}

}  // namespace ajar::rag
