#pragma once
// The access log: one JSON object per call and line. Buffered, flushed once a second and at the end. Holds ids, names,
// counts and times; never a message, a key or a header.

#include <memory>
#include <string>

#include "base/error.h"
#include "store/rows.h"

namespace ajar {

class AccessLog {
 public:
  // "stdout", "off", or a path that is appended to.
  static Result<std::unique_ptr<AccessLog>> open(const std::string& where);
  ~AccessLog();

  void write(const store::CallRow& call);  // any thread

  // The line itself, without its end.
  static std::string line(const store::CallRow& call);

 private:
  struct Impl;
  explicit AccessLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;  // null: off
};

}  // namespace ajar
