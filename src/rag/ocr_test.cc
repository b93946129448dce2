#include "rag/ocr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "rag/convert.h"
#include "rag/extract.h"
#include "rag/rag_test_helper.h"

namespace ajar::rag {
namespace {

using ::testing::HasSubstr;

// A PDF of so many pages; a text on those that have one.
std::string pdf_of(const std::vector<std::string>& pages) {
  std::string out = "%PDF-1.4\n";
  std::vector<size_t> places;
  const auto object = [&](const std::string& body) {
    places.push_back(out.size());
    out += std::to_string(places.size()) + " 0 obj\n" + body + "\nendobj\n";
  };
  std::string kids;
  for (size_t i = 0; i < pages.size(); ++i) kids += std::to_string(4 + 2 * i) + " 0 R ";
  object("<</Type/Catalog/Pages 2 0 R>>");
  object("<</Type/Pages/Count " + std::to_string(pages.size()) + "/Kids[" + kids + "]>>");
  object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>");
  for (size_t i = 0; i < pages.size(); ++i) {
    object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Resources<</Font<</F 3 0 R>>>>/Contents " + std::to_string(5 + 2 * i) + " 0 R>>");
    // A page without text has a square.
    const std::string content = pages[i].empty() ? "10 10 50 50 re f" : "BT /F 12 Tf 20 200 Td (" + pages[i] + ") Tj ET";
    object("<</Length " + std::to_string(content.size()) + ">>stream\n" + content + "\nendstream");
  }
  const size_t table = out.size();
  out += "xref\n0 " + std::to_string(places.size() + 1) + "\n0000000000 65535 f \n";
  char line[32];
  for (const size_t place : places) std::snprintf(line, sizeof line, "%010zu 00000 n \n", place), out += line;
  return out + "trailer<</Size " + std::to_string(places.size() + 1) + "/Root 1 0 R>>\nstartxref\n" + std::to_string(table) + "\n%%EOF\n";
}

// PATH for a while: a folder of the test's programs before the usual ones.
class Programs {
 public:
  explicit Programs(bool usual) : old_(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "") {
    setenv("PATH", (folder_.path() + (usual ? ":" + old_ : "")).c_str(), 1);
  }
  ~Programs() { setenv("PATH", old_.c_str(), 1); }
  void add(const std::string& name, const std::string& script) const {
    std::filesystem::permissions(folder_.write(name, "#!/bin/sh\n" + script), std::filesystem::perms::owner_all);
  }
  void link(const std::string& name) const { add(name, "exec /usr/bin/" + name + " \"$@\"\n"); }

 private:
  TestFolder folder_;
  std::string old_;
};

ConvertOptions with_ocr() {
  ConvertOptions options = test_helper();
  options.ocr.on = true;
  return options;
}

bool installed(const char* program) { return std::filesystem::exists(std::string("/usr/bin/") + program); }

TEST(Ocr, OptionsGoToTheHelperAndBack) {
  const OcrOptions some{.on = true, .languages = "eng+deu", .pages = 7, .seconds = 9};
  const OcrOptions read = read_ocr(write_ocr(some));
  EXPECT_TRUE(read.on);
  EXPECT_EQ(read.languages, "eng+deu");
  EXPECT_EQ(read.pages, 7u);
  EXPECT_EQ(read.seconds, 9u);
  for (const char* bad : {"", "eng", "eng/0/1", "eng/1/1/1", "../x/1/1", "-l/1/1"}) EXPECT_FALSE(read_ocr(bad).on) << bad;
}

TEST(Ocr, OnlyPagesWithoutTextAreRecognised) {
  if (!installed("pdftotext") || !installed("pdftoppm")) GTEST_SKIP() << "poppler-utils is not installed";
  const Programs programs(true);
  programs.add("tesseract", "head -c 2 | grep -q P5 && printf 'The scanned val-\\nve is azure.\\n\\nSecond.\\n\\f'\n");
  const auto read = convert(pdf_of({"The first page has text.", "", "The third too."}), "x.pdf", with_ocr());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, "The first page has text.\n\nThe scanned valve is azure.\n\nSecond.\n\nThe third too.");
  ASSERT_EQ(read->blocks.size(), 4u);
  EXPECT_EQ(read->blocks[1].page, 2u);
  EXPECT_EQ(read->blocks[3].page, 3u);
  EXPECT_EQ(read->pages, 3u);
  EXPECT_THAT(read->note, HasSubstr("1 page was recognised"));
}

TEST(Ocr, LimitsLeavePagesOutAndSaySo) {
  if (!installed("pdftotext") || !installed("pdftoppm")) GTEST_SKIP() << "poppler-utils is not installed";
  const Programs programs(true);
  programs.add("tesseract", "cat >/dev/null; echo Words.\n");
  ConvertOptions options = with_ocr();
  options.ocr.pages = 2;
  auto read = convert(pdf_of({"", "", ""}), "x.pdf", options);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, "Words.\n\nWords.");
  EXPECT_THAT(read->note, HasSubstr("more than 2 scanned pages"));
  programs.add("tesseract", "sleep 1000\n");  // a child of its own, which outlives it: nobody waits for that
  options.ocr.seconds = 1;
  read = convert(pdf_of({"", ""}), "x.pdf", options);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("longer than 1 s"));
}

TEST(Ocr, AProgramCannotAnswerInTheHelpersName) {
  if (!installed("pdftotext") || !installed("pdftoppm")) GTEST_SKIP() << "poppler-utils is not installed";
  const Programs programs(true);
  programs.add("tesseract", "for fd in 3 4 5 6 7 8 9; do (echo forged >&$fd); done; cat >/dev/null; echo Words.\n");
  auto read = convert(pdf_of({""}), "x.pdf", with_ocr());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, "Words.");
}

TEST(Ocr, WhatIsMissingIsSaid) {
  if (!installed("pdftotext")) GTEST_SKIP() << "poppler-utils is not installed";
  {
    const Programs programs(false);
    programs.link("pdftotext");
    const auto read = convert(pdf_of({""}), "x.pdf", with_ocr());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::kUnsupported);
    EXPECT_THAT(read.error().message, HasSubstr("install tesseract-ocr"));
    EXPECT_THAT(convert("\x89PNG\r\n\x1a\n....", "x.png", with_ocr()).error().message, HasSubstr("install tesseract-ocr"));
    // A text with an empty page is read without.
    const auto mixed = convert(pdf_of({"Text.", ""}), "x.pdf", with_ocr());
    ASSERT_TRUE(mixed) << mixed.error().message;
    EXPECT_EQ(mixed->text, "Text.");
  }
  const Programs programs(true);
  programs.add("tesseract", "echo 'Error opening data file /usr/share/tesseract-ocr/5/tessdata/xyz.traineddata' >&2; exit 1\n");
  EXPECT_THAT(convert("\x89PNG\r\n\x1a\n....", "x.png", with_ocr()).error().message, HasSubstr("install tesseract-ocr-xyz"));
  const auto off = convert(pdf_of({""}), "x.pdf", test_helper());
  ASSERT_FALSE(off);
  EXPECT_THAT(off.error().message, HasSubstr("no text on any of its pages"));
}

TEST(Ocr, TheRealOne) {
  if (!installed("tesseract") || !installed("pdftoppm")) GTEST_SKIP() << "tesseract or poppler-utils is not installed";
  // Text becomes a picture, and text again.
  const TestFolder folder;
  folder.write("page.pdf", pdf_of({"The quick brown fox jumps over the dog."}));
  ASSERT_EQ(std::system(("pdftoppm -r 200 -png -singlefile " + folder.path() + "/page.pdf " + folder.path() + "/page").c_str()), 0);
  const auto read = convert(slurp(folder.path() + "/page.png"), "page.png", with_ocr());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->text, HasSubstr("quick brown fox"));
  EXPECT_EQ(read->format, "image");
}

}  // namespace
}  // namespace ajar::rag
