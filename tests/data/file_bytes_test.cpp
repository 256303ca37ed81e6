#include "starling/data/file_bytes.hpp"

#include "image_files.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

std::string noise(std::size_t size) { return random_bytes(size, 256, 0); }

TEST(FileBytesTest, ReadsPlainFilesAsTheyAre) {
  const TempFolder folder;
  for (const std::string& text :
       {std::string(), std::string("\x1f"), std::string("a\0b\n", 4), std::string("\3757zXZ")})
    EXPECT_EQ(text_of(read_bytes(folder.write("file", text))), text);
}

TEST(FileBytesTest, UnpacksGzipWhateverItsName) {
  const TempFolder folder;
  for (const std::string& text :
       {std::string(), std::string("hello"), noise(100000), std::string(1000000, 'x')})
    EXPECT_TRUE(text_of(read_bytes(folder.write_gzip("file", text))) == text) << text.size();
}

TEST(FileBytesTest, UnpacksSeveralMembers) {
  const TempFolder folder;
  const std::string first = stored(folder.write_gzip("a", "one, "));
  const std::string second = stored(folder.write_gzip("b", "two"));
  EXPECT_EQ(text_of(read_bytes(folder.write("both.gz", first + second))), "one, two");
}

TEST(FileBytesTest, NoticesTruncationAnywhere) {
  const TempFolder folder;
  const std::string whole = stored(folder.write_gzip("whole.gz", noise(200)));
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const auto path = folder.write("cut.gz", whole.substr(0, size));
    const std::string error = user_error_of([&] { read_bytes(path); });
    EXPECT_TRUE(says(error, "cut.gz: the gzip file is truncated")) << size;
  }
}

TEST(FileBytesTest, NoticesDamage) {
  const TempFolder folder;
  const std::string whole = stored(folder.write_gzip("whole.gz", noise(5000)));
  // The method, the middle (zlib stores noise as it is), the checksum, the length.
  for (const std::size_t at :
       {std::size_t{2}, whole.size() / 2, whole.size() - 8, whole.size() - 4}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    const auto path = folder.write("bad.gz", bytes);
    const std::string error = user_error_of([&] { read_bytes(path); });
    EXPECT_TRUE(says(error, "bad.gz: the gzip file is corrupt (")) << at;
  }
  const auto path = folder.write("more.gz", whole + "and more");
  EXPECT_TRUE(says(user_error_of([&] { read_bytes(path); }), "more.gz: the gzip file is corrupt"));
}

TEST(FileBytesTest, UnpacksXzWhateverItsName) {
  const TempFolder folder;
  for (const std::string& text :
       {std::string(), std::string("hello"), noise(100000), std::string(1000000, 'x')})
    EXPECT_TRUE(text_of(read_bytes(folder.write("file", xz_of(text)))) == text) << text.size();
}

TEST(FileBytesTest, UnpacksSeveralXzStreams) {
  const TempFolder folder;
  const std::string padding(8, '\0');  // allowed between streams, in fours
  const auto path = folder.write("both.xz", xz_of("one, ") + padding + xz_of("two"));
  EXPECT_EQ(text_of(read_bytes(path)), "one, two");
}

TEST(FileBytesTest, NoticesTruncationOfXzAnywhere) {
  const TempFolder folder;
  const std::string whole = xz_of(noise(200));
  for (std::size_t size = 6; size < whole.size(); ++size) {
    const auto path = folder.write("cut.xz", whole.substr(0, size));
    const std::string error = user_error_of([&] { read_bytes(path); });
    EXPECT_TRUE(says(error, "cut.xz: the xz file is truncated")) << size;
  }
}

TEST(FileBytesTest, NoticesDamageOfXz) {
  const TempFolder folder;
  const std::string whole = xz_of(noise(5000));
  const std::size_t size = whole.size();
  // The header, the middle (liblzma stores noise as it is), the checksum of the data, then the
  // index, the footer's checksum and its last letter.
  for (const std::size_t at :
       {std::size_t{7}, size / 2, size - 30, size - 13, size - 12, size - 1}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    const auto path = folder.write("bad.xz", bytes);
    const std::string error = user_error_of([&] { read_bytes(path); });
    EXPECT_TRUE(says(error, "bad.xz: the xz file is corrupt (damaged data)")) << at;
  }
  const auto path = folder.write("more.xz", whole + "and more than a header");
  EXPECT_TRUE(says(user_error_of([&] { read_bytes(path); }), "more.xz: the xz file is corrupt"));
}

TEST(FileBytesTest, NamesWhatCannotBeRead) {
  const TempFolder folder;
  const std::string missing = user_error_of([&] { read_bytes(folder.path() / "none"); });
  EXPECT_TRUE(says(missing, (folder.path() / "none: no such file").string()));
  const std::string directory = user_error_of([&] { read_bytes(folder.path()); });
  EXPECT_TRUE(says(directory, folder.path().string() + ": is a folder, must be a file"));
}

TEST(FileBytesTest, FindsPlainBeforeGzipBeforeXz) {
  const TempFolder folder;
  const std::string error = user_error_of([&] { find_file(folder.path(), "x"); });
  EXPECT_TRUE(
      says(error, folder.path().string() + ": holds no such file, must hold x, x.gz or x.xz"));
  const auto xz = folder.write("x.xz", xz_of("packed"));
  EXPECT_EQ(find_file(folder.path(), "x"), xz);
  const auto gzip = folder.write_gzip("x.gz", "packed");
  EXPECT_EQ(find_file(folder.path(), "x"), gzip);
  const auto plain = folder.write("x", "plain");
  EXPECT_EQ(find_file(folder.path(), "x"), plain);
  const std::string nowhere = user_error_of([&] { find_file(folder.path() / "no", "x"); });
  EXPECT_TRUE(says(nowhere, "no: no such folder, must hold x, x.gz or x.xz"));
}

}  // namespace
}  // namespace starling
