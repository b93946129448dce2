#include "wire/multipart.h"

#include <gtest/gtest.h>

namespace ajar::wire {
namespace {

std::vector<FormPart> must_read(std::string_view type, std::string_view body) {
  auto parts = read_form(type, body);
  EXPECT_TRUE(parts) << (parts ? "" : parts.error().message);
  return parts ? std::move(*parts) : std::vector<FormPart>();
}

TEST(Multipart, ReadsWhatClientsSend) {
  const auto parts = must_read("multipart/form-data; boundary=\"a b\"; charset=utf-8",
                               "preamble\r\n--a b \r\n"
                               "Content-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n"
                               "--a b\r\nCONTENT-TYPE: image/png\r\n"
                               "content-disposition: form-data; filename=\"x \\\"y\\\";z.png\"; name=file\r\n\r\n"
                               "\r\n--a\r\n\x01\xff\r\n"
                               "--a b\r\ncontent-disposition: form-data; name=\"empty\"\r\n\r\n\r\n--a b--\r\nepilogue");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].name, "model");
  EXPECT_EQ(parts[0].data, "whisper-1");
  EXPECT_EQ(parts[1].name, "file");
  EXPECT_EQ(parts[1].filename, "x \"y\";z.png");
  EXPECT_EQ(parts[1].content_type, "image/png");
  EXPECT_EQ(parts[2].name, "empty");
  EXPECT_EQ(parts[2].data, "");
}

TEST(Multipart, WritesWhatItReads) {
  const std::vector<FormPart> parts = {
      {.name = "a\"b", .data = "x"},
      {.name = "file", .filename = "f.wav", .content_type = "audio/wav", .data = std::string("\r\n--\0\r\n", 7)}};
  const std::string boundary = form_boundary(parts);
  std::string body;
  write_form(body, parts, boundary);
  const auto again = must_read("multipart/form-data; boundary=" + boundary, body);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].name, "a%22b");  // as browsers write it
  EXPECT_EQ(again[1].data, parts[1].data);
  EXPECT_EQ(again[1].filename, "f.wav");
  EXPECT_EQ(again[1].content_type, "audio/wav");
}

TEST(Multipart, SaysWhatIsWrong) {
  const std::string type = "multipart/form-data; boundary=b";
  const struct { const char *type, *body, *said; } kCases[] = {
      {"multipart/form-data", "--b--", "boundary"},
      {"multipart/form-data; boundary=b", "", "first boundary"},
      {"multipart/form-data; boundary=b", "--b\r\ncontent-disposition: form-data; name=x\r\n\r\nno end", "part 1"},
      {"multipart/form-data; boundary=b", "--bb\r\n\r\n--bb--", "boundary line"},
      {"multipart/form-data; boundary=b", "--b\r\n\r\nnameless\r\n--b--", "name"},
      {"multipart/form-data; boundary=b", "--b", "boundary line"},
      {"multipart/form-data; boundary=b",
       "--b\r\ncontent-disposition: form-data; name=x\r\ncontent-type: a\x01z\r\n\r\n\r\n--b--", "control character"},
  };
  for (const auto& c : kCases) {
    const auto parts = read_form(c.type, c.body);
    ASSERT_FALSE(parts) << c.body;
    EXPECT_NE(parts.error().message.find(c.said), std::string::npos) << parts.error().message;
  }
  std::string many;
  for (size_t i = 0; i <= kMaxFormParts; ++i) many += "--b\r\ncontent-disposition: form-data; name=x\r\n\r\n\r\n";
  const auto parts = read_form(type, many + "--b--");
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace ajar::wire
