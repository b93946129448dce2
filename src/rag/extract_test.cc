#include "rag/extract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <map>

#include "rag/zip.h"

namespace ajar::rag {
namespace {

using ::testing::HasSubstr;

std::string text_of(const Result<Extracted>& read) { return read ? read->text : "refused: " + read.error().message; }

// An archive in memory with these files.
std::string zipped(const std::map<std::string, std::string>& files) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(target);
  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  for (const auto& [name, bytes] : files) zip_file_add(archive, name.c_str(), zip_source_buffer(archive, bytes.data(), bytes.size(), 0), ZIP_FL_OVERWRITE);
  zip_close(archive);
  zip_source_open(target);
  zip_source_seek(target, 0, SEEK_END);
  std::string out(static_cast<size_t>(zip_source_tell(target)), '\0');
  zip_source_seek(target, 0, SEEK_SET);
  zip_source_read(target, out.data(), out.size());
  zip_source_close(target);
  zip_source_free(target);
  return out;
}

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Detect, ByContentNotByName) {
  EXPECT_EQ(detect_format("%PDF-1.4\n...", "x.txt"), Format::kPdf);
  EXPECT_EQ(detect_format("{\\rtf1 x}", "x.doc"), Format::kRtf);
  EXPECT_EQ(detect_format("<!DOCTYPE html><html><body>x</body></html>", "x.pdf"), Format::kHtml);
  EXPECT_EQ(detect_format("From: a@b\nTo: c@d\nSubject: x\n\nBody", "x.txt"), Format::kEmail);
  EXPECT_EQ(detect_format("{\"a\": 1}", "x.txt"), Format::kJson);
  EXPECT_EQ(detect_format("a,b,c\n1,2,3\n4,5,6\n", "x.txt"), Format::kCsv);
  EXPECT_EQ(detect_format("# Head\n\n- one\n- two\n", "x"), Format::kMarkdown);
  EXPECT_EQ(detect_format("Just some words. And more of them.", "x.pdf"), Format::kText);
  for (const std::string_view bytes : {std::string_view("\x89PNG\r\n"), std::string_view("\x7F" "ELF\0\0\0\0", 8), std::string_view("\xFF\xD8\xFF\xE0")}) {
    const auto format = detect_format(bytes, "report.pdf");
    ASSERT_FALSE(format);
    EXPECT_EQ(format.error().code, Code::kUnsupported);
  }
  EXPECT_FALSE(detect_format(" \n ", "x"));
}

TEST(Detect, BeginningsOfFilesAreNoCrash) {
  for (const char* bytes : {"\xEF\xBB\xBF", "\xEF\xBB\xBF \n", "RIFF", "RIFF1234", "RIFF1234WEB", "\xFF\xFE", "PK\x03\x04", "{\\rtf", "%PDF-"}) {
    (void)detect_format(bytes, "x");
    (void)extract(bytes, "x");
  }
  EXPECT_EQ(detect_format("\xEF\xBB\xBF", "x").error().message, "it is empty");
}

TEST(Docx, HeadingsTablesPagesAndNotWhatWasDeleted) {
  const std::string file = zipped({{"word/document.xml", R"(<w:document xmlns:w="w"><w:body>
      <w:p><w:pPr><w:pStyle w:val="H2"/></w:pPr><w:r><w:t>Section</w:t></w:r></w:p>
      <w:p><w:r><w:t>First </w:t></w:r><w:del><w:r><w:t>gone</w:t></w:r></w:del><w:ins><w:r><w:t>kept</w:t></w:r></w:ins><w:r><w:br w:type="page"/></w:r></w:p>
      <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>)"},
                                  {"word/styles.xml", R"(<w:styles xmlns:w="w"><w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style></w:styles>)"},
                                  {"[Content_Types].xml", "<Types/>"}});
  const auto read = extract(file, "x.bin");
  EXPECT_EQ(text_of(read), "Section\n\nFirst kept\n\na | b");
  EXPECT_EQ(read->blocks[0].level, 2);
  EXPECT_EQ(read->blocks[1].page, 1u);
  EXPECT_EQ(read->blocks[2].page, 2u);
}

TEST(Xlsx, NumbersDatesAndNames) {
  const std::string file = zipped({{"xl/workbook.xml", R"(<workbook xmlns:r="r"><sheets><sheet name="Costs" r:id="a"/></sheets></workbook>)"},
                                  {"xl/_rels/workbook.xml.rels", R"(<R><R Id="a" Target="worksheets/s.xml"/><R Id="b" Target="sharedStrings.xml"/></R>)"},
                                  {"xl/sharedStrings.xml", "<sst><si><t>Day</t></si><si><r><t>To</t></r><r><t>tal</t></r></si></sst>"},
                                  {"xl/styles.xml", R"(<s><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></s>)"},
                                  {"xl/worksheets/s.xml", R"(<w><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>
      <row><c r="A2" s="1"><v>45292</v></c><c r="B2"><v>12.5</v></c></row></sheetData></w>)"}});
  EXPECT_EQ(text_of(extract(file, "x")), "Costs\n\nDay | Total\n2024-01-01 | 12.5");
}

TEST(Pdf, WordsBecomeParagraphsAndHeadings) {
  std::string xhtml = "<doc>\n<page width=\"600\" height=\"800\">\n";
  const auto block = [&](const std::string& text, int height) {
    xhtml += "<block xMin=\"0\">\n<line xMin=\"0\">\n";
    for (size_t at = 0, end; at < text.size(); at = end + 1) {
      end = std::min(text.find(' ', at), text.size());
      const std::string word = text.substr(at, end - at);
      xhtml += word == "/" ? "</line>\n<line xMin=\"0\">\n" : "<word xMin=\"0\" yMin=\"0\" xMax=\"9\" yMax=\"" + std::to_string(height) + "\">" + word + "</word>\n";
    }
    xhtml += "</line>\n</block>\n";
  };
  block("Big Title", 30);
  block("Some text that an exam- / ple cuts &amp; joins.", 10);
  xhtml += "</page>\n<page width=\"600\">\n";
  block("More text here on the second page.", 10);
  const auto read = read_pdf_words(xhtml);
  EXPECT_EQ(text_of(read), "Big Title\n\nSome text that an example cuts & joins.\n\nMore text here on the second page.");
  EXPECT_EQ(read->blocks[0].kind, Block::Kind::kHeading);
  EXPECT_EQ(read->blocks[2].page, 2u);
  EXPECT_THAT(text_of(read_pdf_words("<page width=\"1\">\n</page>\n")), HasSubstr("images"));
}

TEST(Rtf, CodePagesUnicodeAndGroups) {
  EXPECT_EQ(text_of(extract("{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}caf\\'e9 \\u8364?\\u-10179?\\u-8704? {\\*\\unknown x}{\\b bold}\\par next}", "x")),
            "café €\xF0\x9F\x98\x80 bold\n\nnext");
  EXPECT_EQ(text_of(extract("{\\rtf1\\ansicpg1251 \\'cf\\'f0\\'e8}", "x")), "При");
}

TEST(Email, PartsEncodingsAndAttachments) {
  const std::string mail =
      "From: =?utf-8?Q?J=C3=B8rgen?= <j@x>\nTo: a@b\nSubject: =?iso-8859-1?B?R3L832U=?=\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"B\"\n\n"
      "--B\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/html\n\n<p>as HTML</p>\n--C\nContent-Type: text/plain; charset=utf-8\n"
      "Content-Transfer-Encoding: quoted-printable\n\nas t=\next =E2=82=AC5\n--C--\n--B\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"x.pdf\"\n"
      "Content-Transfer-Encoding: base64\n\nAAAA\n--B--\n";
  const auto read = extract(mail, "x.eml");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->title, "Grüße");
  EXPECT_THAT(read->text, HasSubstr("Jørgen"));
  EXPECT_THAT(read->text, HasSubstr("as text €5"));
  EXPECT_THAT(read->text, ::testing::Not(HasSubstr("as HTML")));
  EXPECT_THAT(read->text, HasSubstr("Attachment: x.pdf"));
  EXPECT_THAT(read->note, HasSubstr("x.pdf"));
}

TEST(Markdown, Blocks) {
  const auto read = extract_markdown("---\ntitle: \"T\"\n---\nSetext\n===\n\nA *word* with `code` and [a link](http://x).\n\n```\nx = 1\n  y\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n* item\n");
  EXPECT_EQ(text_of(read), "Setext\n\nA word with code and a link.\n\nx = 1\n  y\n\na | b\n1 | 2\n\n* item");
  EXPECT_EQ(read->title, "T");
}

TEST(Csv, RowsSayWhatTheirCellsAre) {
  EXPECT_EQ(text_of(extract_csv("name;city\n\"A \"\"B\"\"\";\"x\ny\"\nC;\n")), "name | city\nname: A \"B\" | city: x y\nname: C");
}

TEST(Encodings, AreDetected) {
  EXPECT_EQ(to_utf8(std::string_view("\xFF\xFEh\0i\0", 6)), "hi");
  EXPECT_EQ(to_utf8("na\xEFve caf\xE9", "iso-8859-1"), "naïve café");
  EXPECT_EQ(to_utf8("gr\xC3\xBCn", "windows-1252"), "grün") << "valid UTF-8 is UTF-8, whatever it says of itself";
  EXPECT_EQ(to_utf8(std::string_view("t\0e\0x\0t\0 \0h\0e\0r\0e\0", 18)), "text here");
}

TEST(Html, MainContentWithoutWhatIsBesideIt) {
  std::string page = "<html><head><title>T</title><script>var x = '<p>no</p>';</script></head><body><nav><a href=a>Home</a> <a href=b>News</a></nav><div class=article>";
  for (int i = 0; i < 5; ++i) page += "<p>This is a paragraph of the article, with commas, and enough words to be told from what is beside it.</p>";
  page += "<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table></div><div class=sidebar><p>Buy our things, now, today, please, at once, here.</p></div></body></html>";
  const auto read = extract(page, "x");
  ASSERT_TRUE(read);
  EXPECT_THAT(read->text, HasSubstr("paragraph of the article"));
  EXPECT_THAT(read->text, HasSubstr("k | v\n1 | 2"));
  for (const char* beside : {"Buy", "Home", "var x"}) EXPECT_THAT(read->text, ::testing::Not(HasSubstr(beside)));
}

// Deep nesting and other ways to exhaust a reader end as text or as a reason.
TEST(Hostile, NestingHasNoEffectOnTheStack) {
  const size_t n = 100'000;
  for (const std::string& file : {"<html><body>" + repeated("<div>", n) + "deep" + repeated("</div>", n), "{\\rtf1 " + repeated("{", n) + "deep" + repeated("}", n),
                                  "<?xml version=\"1.0\"?>" + repeated("<a>", n) + "deep" + repeated("</a>", n), repeated("[", n) + repeated("]", n), repeated("> ", n) + "deep",
                                  repeated("[", n) + "x](y)", "Subject: x\nFrom: y\n" + repeated("Content-Type: multipart/mixed; boundary=a\n\n--a\n", 2000)}) {
    const auto read = extract(file, "x");
    EXPECT_TRUE(read || !read.error().message.empty());
  }
  const std::string deep = "<w:document xmlns:w=\"w\"><w:body>" + repeated("<w:sdt>", n) + repeated("</w:sdt>", n) + "</w:body></w:document>";
  EXPECT_FALSE(extract(zipped({{"word/document.xml", deep}}), "x"));
}

TEST(Hostile, ABombIsTooLarge) {
  const auto read = extract(zipped({{"word/document.xml", "<a>" + std::string(Zip::kMaxFile + 1, ' ') + "</a>"}}), "x.docx");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kTooLarge);
}

TEST(Hostile, AnEntityIsNotExpanded) {
  const auto read = extract(R"(<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "&x;&x;">]><a>before &y; &x; after</a>)", "x.xml");
  ASSERT_TRUE(read);
  EXPECT_THAT(read->text, ::testing::Not(HasSubstr("root:")));
}

}  // namespace
}  // namespace ajar::rag
