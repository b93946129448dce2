#pragma once
// The data folder: who holds it, and the admin token in it.

#include <memory>
#include <string>

#include "base/error.h"

namespace ajar::app {

// Holds a data folder for one process. The lock goes with the process, also when it is killed.
class DataFolder {
 public:
  // Makes the folder when missing. kConflict: another ajar holds it.
  static Result<std::unique_ptr<DataFolder>> hold(const std::string& path);
  ~DataFolder();

  std::string database() const { return path_ + "/ajar.db"; }
  std::string answers() const { return path_ + "/cache.log"; }
  std::string alike() const { return path_ + "/alike.log"; }
  std::string blobs() const { return path_ + "/files"; }
  // The admin token in the folder; made on first use, mode 0600.
  Result<std::string> admin_token() const;
  // What placeholders of personal data are made with; the same.
  Result<std::string> mask_secret() const;

 private:
  DataFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};

// The token of a folder that somebody else may hold; kNotFound when there is none.
Result<std::string> read_admin_token(const std::string& folder);

}  // namespace ajar::app
