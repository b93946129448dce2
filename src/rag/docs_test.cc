// Real files (Apache Tika's and Mozilla Readability's test documents): every one is read or refused with a reason.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>

#include "base/text.h"
#include "index/analyzer.h"
#include "rag/extract.h"
#include "rag/rag_test_helper.h"

namespace ajar::rag {
namespace {

namespace fs = std::filesystem;

TEST(Docs, EveryFileIsReadOrRefusedWithAReason) {
  const std::string data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no shared data";
  const bool verbose = std::getenv("AJAR_RAG_VERBOSE") != nullptr;
  std::map<std::string, std::pair<int, int>> formats;  // read, refused
  int number = 0;
  for (const auto& entry : fs::recursive_directory_iterator(data + "/docs/tika")) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = slurp(entry.path()), name = entry.path().filename(), kind = entry.path().parent_path().filename();
#ifdef AJAR_SANITIZED
    // A sanitized helper starts slowly: in this process, all but a few.
    if (bytes.size() > 300'000 || kind == "pdf") continue;
    const auto read = ++number % 40 == 0 ? convert(bytes, name, test_helper()) : extract(bytes, name);
#else
    const auto read = convert(bytes, name, test_helper());
    ++number;
#endif
    if (read) {
      ++formats[kind].first;
      EXPECT_TRUE(valid_utf8(read->text)) << name;
      if (verbose) std::printf("read    %-4s %-60s %-5s %7zu %3zu %s | %s\n", kind.c_str(), name.c_str(), read->format.c_str(), read->text.size(), read->blocks.size(), read->note.c_str(), read->title.c_str());
    } else {
      ++formats[kind].second;
      EXPECT_FALSE(read.error().message.empty());
      const Code code = read.error().code;
      EXPECT_TRUE(code == Code::kUnsupported || code == Code::kInvalid || code == Code::kTooLarge || code == Code::kForbidden) << name << ": " << read.error().message;
      EXPECT_EQ(read.error().message.find("converter"), std::string::npos) << name << ": " << read.error().message;
      if (verbose) std::printf("refused %-4s %-60s %s\n", kind.c_str(), name.c_str(), read.error().message.c_str());
    }
  }
  EXPECT_GT(number, 200);
  for (const auto& [kind, counts] : formats)
    if (verbose) std::printf("%-5s read %d refused %d\n", kind.c_str(), counts.first, counts.second);
  for (const std::string kind : {"docx", "pptx", "xlsx", "odt", "rtf", "html", "md", "txt", "csv", "json", "eml", "epub"}) EXPECT_GT(formats[kind].first, 0) << kind;
}

std::multiset<std::string> words_of(std::string_view text) {
  std::multiset<std::string> out;
  for (size_t at = 0; const auto word = index::next_word(text, at); at = word->end) out.insert(index::fold(text.substr(word->begin, word->end - word->begin)));
  return out;
}

double f1(const std::multiset<std::string>& found, const std::multiset<std::string>& wanted) {
  std::vector<std::string> both;
  std::set_intersection(found.begin(), found.end(), wanted.begin(), wanted.end(), std::back_inserter(both));
  return found.empty() || wanted.empty() ? 0 : 2.0 * static_cast<double>(both.size()) / static_cast<double>(found.size() + wanted.size());
}

TEST(Docs, MainContentAsReadability) {
  const std::string data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no shared data";
  const bool verbose = std::getenv("AJAR_RAG_VERBOSE") != nullptr;
  double sum = 0, n = 0;
  for (const auto& entry : fs::directory_iterator(data + "/docs/readability")) {
    const auto read = extract_html(slurp(entry.path() / "source.html"));
    TextBuilder expected;
    html_into(slurp(entry.path() / "expected.html"), expected);
    const auto wanted = expected.finish("html");
    if (!wanted) continue;
    const double score = read ? f1(words_of(read->text), words_of(wanted->text)) : 0;
    if (verbose) std::printf("%.3f %s (%zu, expected %zu)\n", score, entry.path().filename().c_str(), read ? read->text.size() : 0, wanted->text.size());
    sum += score, ++n;
  }
  EXPECT_GE(sum / n, 0.9);
  std::printf("token F1 %.4f over %d pages\n", sum / n, static_cast<int>(n));
}

}  // namespace
}  // namespace ajar::rag
