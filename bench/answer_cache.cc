// What kept answers take: fills the cache of exact answers and prints the memory that the process has more for it, and the CPU time of
// keeping and finding one.
//   answer_cache_bench [--entries N] [--bytes N] [--file FILE]
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include <malloc.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/answer_cache.h"
#include "gateway/event_codec.h"

namespace ajar {
namespace {

double cpu_seconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

// Resident bytes of this process.
int64_t resident() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  long long whole = 0, pages = 0;
  const bool read = file != nullptr && std::fscanf(file, "%lld %lld", &whole, &pages) == 2;
  if (file != nullptr) std::fclose(file);
  return read ? pages * sysconf(_SC_PAGESIZE) : -1;
}

// An answer as the request line keeps it: its events, with a text of so many bytes.
std::string events_of(size_t bytes, int64_t number) {
  EventBatch events;
  events.push_back({.kind = Event::Kind::kStart, .created = 1'700'000'000, .id = "chatcmpl-" + std::to_string(number), .name = "gpt-4o-mini"});
  std::string text = "Answer " + std::to_string(number) + ". ";
  while (text.size() < bytes) text += "Most of it is words. ";
  text.resize(bytes);
  events.push_back({.kind = Event::Kind::kText, .text = std::move(text)});
  Event usage{.kind = Event::Kind::kUsage};
  usage.usage = {.input = 120, .output = 80, .reported = true};
  events.push_back(usage);
  events.push_back({.kind = Event::Kind::kStop, .finish = Finish::kStop, .name = "stop"});
  EventWriter writer;
  writer.add(events);
  return writer.take();
}

RequestKey key_of(int64_t number) { return text_key("request " + std::to_string(number)); }

int run(int64_t entries, size_t bytes, const std::string& file) {
  auto cache = AnswerCache::open(int64_t{64} << 30, file);
  if (!cache) return std::fprintf(stderr, "%s\n", cache.error().message.c_str()), 1;
  AnswerCache& answers = **cache;
  const int64_t before = resident();
  double start = cpu_seconds();
  for (int64_t i = 0; i < entries; ++i) {
    answers.put({.key = key_of(i), .created_ms = 1, .expires_ms = INT64_MAX, .cost = 1000, .route = "support", .target = "openai/gpt-4o-mini",
                 .model = "gpt-4o-mini-2024-07-18", .tags = {}, .events = events_of(bytes, i)});
  }
  answers.flush();
  const double put = cpu_seconds() - start;
  malloc_trim(0);
  const int64_t after = resident();
  const AnswerCache::Stats stats = answers.stats();
  start = cpu_seconds();
  int64_t found = 0;
  const int64_t finds = std::min<int64_t>(entries, 200'000);
  for (int64_t i = 0; i < finds; ++i) found += answers.find(key_of((i * 7919) % entries), 2) != nullptr;
  const double find = cpu_seconds() - start;
  std::printf("%lld entries with answers of %zu bytes: %.0f MiB more resident memory, %.0f bytes an entry; counted as %.0f MiB\n", static_cast<long long>(stats.entries), bytes,
              double(after - before) / 1048576, double(after - before) / double(std::max<int64_t>(1, stats.entries)), double(stats.bytes) / 1048576);
  std::printf("keeping one %.2f µs, finding one %.2f µs of CPU time (%lld of %lld found), making the key and the answer included\n", put * 1e6 / double(entries),
              find * 1e6 / double(std::max<int64_t>(1, finds)), static_cast<long long>(found), static_cast<long long>(finds));
  return stats.entries == entries && found == finds ? 0 : 1;
}

}  // namespace
}  // namespace ajar

int main(int argc, char** argv) {
  int64_t entries = 1'000'000, bytes = 300;
  std::string file;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--entries") entries = ajar::parse_int(argv[i + 1]).value_or(0);
    else if (name == "--bytes") bytes = ajar::parse_int(argv[i + 1]).value_or(0);
    else if (name == "--file") file = argv[i + 1];
    else return std::fprintf(stderr, "unknown option %s\n", argv[i]), 2;
  }
  if (argc % 2 == 0 || entries < 1 || bytes < 1) return std::fprintf(stderr, "answer_cache_bench [--entries N] [--bytes N] [--file FILE]\n"), 2;
  return ajar::run(entries, size_t(bytes), file);
}
