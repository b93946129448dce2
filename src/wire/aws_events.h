#pragma once
// AWS event streams (application/vnd.amazon.eventstream): messages of a prelude, headers, a payload and two checksums.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
// https://smithy.io/2.0/aws/amazon-eventstream.html
//
// An event is a frame named by its :event-type. An exception is a frame named by its :exception-type; an unmodelled
// error one named by its :error-code whose data is {"message": …}: their names do not occur as names of events.

#include <cstdint>
#include <string>

#include "wire/framer.h"

namespace ajar::wire {

class AwsEventFramer final : public Framer {
 public:
  explicit AwsEventFramer(size_t max_frame) : max_frame_(max_frame) {}
  Status feed(std::string_view bytes, const OnFrame& on_frame) override;
  Status finish(const OnFrame& on_frame) override;

 private:
  // The size of the message that begins here, once its prelude is there and right; 0: more bytes are needed.
  Result<size_t> size_at(std::string_view bytes) const;
  Status message(std::string_view bytes, const OnFrame& on_frame);

  const size_t max_frame_;
  std::string partial_;
};

// CRC-32 of IEEE 802.3, as zlib's.
uint32_t crc32(std::string_view bytes);

}  // namespace ajar::wire
