#pragma once
// A file over HTTP, in parts at once, that goes on where it was broken off: bytes go to PATH.part, what is there stands in
// PATH.part.state, and the file takes its name when it is whole and its SHA-256 is right.

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "net/connect.h"

namespace ajar::app {

struct Download {
  std::string url;
  std::string path;
  int64_t size = -1;    // -1: the server says it
  std::string sha256;   // lower case hex; empty: not known
};

struct DownloadOptions {
  ProxyConfig proxy;
  std::string token;        // sent as a bearer token to the origin of the URL, not to where it redirects
  int connections = 4;
  int64_t chunk = 32 << 20; // bytes of one range
  // New bytes that lie on the disk, also those of an earlier try; from any thread.
  std::function<void(int64_t)> on_bytes;
};

// kNotFound, kForbidden and kUnauthenticated are the server's; kCut: it broke off more often than we try; what came is
// kept. kConflict: the file is not what it was said to be, and nothing is kept. kUnavailable: the disk.
Status download(const Download& file, const DownloadOptions& options);

}  // namespace ajar::app
