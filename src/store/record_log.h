#pragma once
// Records of bytes in one file that only grows: for what may be lost but must not be wrong, such as a cache.
//
// The file: "AJARLOG1", then per record its length (u32, little-endian), the CRC-32 of its bytes (u32), its bytes. What does not
// read as that ends the file: a record that was being written when the process ended is cut off at the next start.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"

namespace ajar::store {

class RecordLog {
 public:
  static constexpr size_t kMaxRecord = 64 << 20;
  static constexpr size_t kMaxWaiting = 64 << 20;

  struct Opened {
    std::unique_ptr<RecordLog> log;
    int64_t records = 0;
    int64_t cut_bytes = 0;  // at the end, that were no whole record
  };
  // Reads the file from its beginning, a record at a time, and goes on writing behind the last whole one. A file that is no
  // log is set aside as FILE.damaged. kUnavailable: the file cannot be opened. Blocks.
  static Result<Opened> open(const std::string& file, const std::function<void(std::string_view)>& read);
  ~RecordLog();  // writes what waits

  // Queues a record; one thread writes them. False: the queue is full (the disk is slow) or the disk has failed, and the
  // record is dropped. Any thread.
  bool append(std::string record);
  void flush();  // returns when all that was appended before is in the file

  // Replaces the whole file by what `write` appends, by a new file and a rename. Records that come meanwhile wait and follow. Blocks.
  Status rewrite(const std::function<void(const std::function<void(std::string_view)>& put)>& write);

  int64_t file_bytes() const;
  int64_t dropped() const;

 private:
  RecordLog(std::string file, int descriptor, int64_t bytes);
  void run();

  const std::string file_;
  std::mutex file_lock_;  // guards descriptor_; taken before lock_
  int descriptor_;
  mutable std::mutex lock_;  // guards all below
  std::condition_variable wake_, written_;
  std::string waiting_;
  uint64_t appended_ = 0, done_ = 0;
  int64_t bytes_ = 0, dropped_ = 0;
  bool stop_ = false, broken_ = false;
  std::thread thread_;
};

}  // namespace ajar::store
