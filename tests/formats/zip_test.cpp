#include "formats/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/in_child.h"
#include "core/json.h"
#include "core/temporary_folder.h"
#include "formats/golden.h"

namespace nunchi::formats {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t most_bytes = 1 << 20;

#ifdef NUNCHI_WITHOUT_ZLIB
constexpr bool has_zlib = false;
#else
constexpr bool has_zlib = true;
#endif

// Where the fields of the first entry and of the records at the end lie.
constexpr std::size_t local_name = 30;
constexpr std::size_t end_size = 22;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// What stands behind `signature`, for reading and patching; counted from the end of the file.
std::size_t last_of(const std::string& file, const std::string& signature) {
  const auto at = file.rfind(signature);
  EXPECT_NE(at, std::string::npos);
  return at;
}

template <class T>
std::string patched(std::string file, std::size_t at, T value) {
  std::memcpy(file.data() + at, &value, sizeof(T));
  return file;
}

std::size_t first_entry(const std::string& file) { return file.find("PK\x01\x02"); }

std::string error_of_opening(const std::string& file) {
  return error_of([&] { ZipFile::parse(bytes_of(file), "file"); });
}

std::string error_of_reading(const std::string& file, const std::string& entry, std::uint64_t most = most_bytes) {
  const auto archive = ZipFile::parse(bytes_of(file), "file");
  return error_of([&] { static_cast<void>(archive.read(*archive.find(entry), most)); });
}

class ZipGolden : public testing::TestWithParam<const char*> {};

TEST_P(ZipGolden, HoldsWhatPythonPacked) {
  if (!has_zlib) GTEST_SKIP() << "built without zlib";
  const auto archive = ZipFile::open(golden("zip") / GetParam());
  const Json expected = read_json(golden("zip/contents.json"));
  ASSERT_EQ(archive.entries().size(), expected.size());
  for (const auto& [name, row] : expected.items()) {
    const ZipEntry* entry = archive.find(name);
    ASSERT_NE(entry, nullptr) << name;
    EXPECT_EQ(entry->is_folder(), name == "folder/");
    const ZipContent content = archive.read(*entry, most_bytes);
    EXPECT_EQ(content.bytes.size(), row["size"]) << name;
    EXPECT_EQ(to_hex(content.bytes.first(std::min<std::size_t>(content.bytes.size(), 300))), row["hex"]) << name;
  }
  EXPECT_EQ(archive.find("folder"), nullptr);
  EXPECT_EQ(archive.find("zzz"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Files, ZipGolden,
                         testing::Values("stored.zip", "deflated.zip", "streamed.zip", "comment.zip", "zip64.zip"));

TEST(Zip, AnArchiveMayBeEmpty) {
  EXPECT_TRUE(ZipFile::open(golden("zip/no_entries.zip")).entries().empty());
  EXPECT_TRUE(is_zip(bytes_of(read_golden("zip/no_entries.zip"))));
  EXPECT_TRUE(is_zip(bytes_of(read_golden("zip/stored.zip"))));
  EXPECT_FALSE(is_zip(bytes_of("PK")));
  EXPECT_FALSE(is_zip(bytes_of("no archive")));
}

TEST(Zip, StoredEntriesAreViews) {
  const std::string file = read_golden("zip/stored.zip");
  const auto archive = ZipFile::parse(bytes_of(file), "file");
  const auto view = archive.view(*archive.find("folder/zeros"));
  EXPECT_GT(reinterpret_cast<const char*>(view.data()), file.data());
  EXPECT_LT(reinterpret_cast<const char*>(view.data()), file.data() + file.size());
  const auto packed = ZipFile::open(golden("zip/deflated.zip"));
  EXPECT_THROW(static_cast<void>(packed.view(*packed.find("folder/zeros"))), Error);
}

TEST(Zip, ContentOutlivesTheArchive) {
  if (!has_zlib) GTEST_SKIP() << "built without zlib";
  for (const auto* name : {"zip/stored.zip", "zip/deflated.zip"}) {
    ZipContent content;
    {
      const auto archive = ZipFile::open(golden(name));
      content = archive.read(*archive.find("folder/text.txt"), most_bytes);
    }
    EXPECT_EQ(to_hex(content.bytes.first(7)), "6e756e6368690a") << name;
  }
}

TEST(Zip, ErrorsAreOfTheKindThatWasAskedFor) {
  const TemporaryFolder folder;
  write_file(folder / "a.zip", "no archive, whatever its name says");
  for (const auto kind : {ErrorKind::input, ErrorKind::model}) {
    try {
      static_cast<void>(ZipFile::open(folder / "a.zip", {.error_kind = kind}));
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_THAT(error.what(), HasSubstr("a.zip: zip archive: expected a directory at the end"));
    }
  }
}

TEST(Zip, EveryCutIsAnError) {
  for (const auto* name : {"zip/streamed.zip", "zip/zip64.zip"}) {
    const std::string whole = read_golden(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ASSERT_NE(error_of_opening(whole.substr(0, size)), "") << name << " cut to " << size;
    }
  }
}

TEST(Zip, DamagedDirectoriesAreErrors) {
  const std::string file = read_golden("zip/stored.zip");
  const std::size_t end = file.size() - end_size;
  const std::size_t entry = first_entry(file);
  EXPECT_THAT(error_of_opening(patched(file, end + 4, std::uint16_t{1})), HasSubstr("one part of several"));
  EXPECT_THAT(error_of_opening(patched(file, end + 10, std::uint16_t{9999})), HasSubstr("expected 9999 entries"));
  EXPECT_THAT(error_of_opening(patched(file, end + 10, std::uint16_t{6})), HasSubstr("expected an entry"));
  EXPECT_THAT(error_of_opening(patched(file, end + 12, std::uint32_t{1 << 30})), HasSubstr("behind the end record"));
  EXPECT_THAT(error_of_opening(patched(file, end + 16, std::uint32_t{1 << 30})), HasSubstr("behind the end record"));
  EXPECT_THAT(error_of_opening(patched(file, entry + 28, std::uint16_t{9999})), HasSubstr("expected a whole entry"));
  EXPECT_THAT(error_of_opening(patched(file, entry + 8, std::uint16_t{1 << 13})), HasSubstr("encrypted"));
  EXPECT_THAT(error_of_opening(patched(file, entry + 42, std::uint32_t{1 << 30})), HasSubstr("expected 0 bytes at"));
}

TEST(Zip, DamagedZip64RecordsAreErrors) {
  const std::string file = read_golden("zip/zip64.zip");
  const std::size_t locator = last_of(file, "PK\x06\x07");
  const std::size_t record = last_of(file, "PK\x06\x06");
  EXPECT_THAT(error_of_opening(patched(file, locator + 8, ~std::uint64_t{0})), HasSubstr("expected the zip64 record"));
  EXPECT_THAT(error_of_opening(patched(file, locator + 16, 2u)), HasSubstr("one part of several"));
  EXPECT_THAT(error_of_opening(patched(file, record + 32, ~std::uint64_t{0})), HasSubstr("expected 184467"));
  EXPECT_THAT(error_of_opening(patched(file, record + 40, ~std::uint64_t{0})), HasSubstr("behind the end record"));
  EXPECT_THAT(error_of_opening(patched(file, record + 48, ~std::uint64_t{0})), HasSubstr("behind the end record"));
}

TEST(Zip, EntriesMustNotOverlap) {
  const std::string file = read_golden("zip/stored.zip");
  const std::size_t second = file.find("PK\x01\x02", first_entry(file) + 1);
  const std::size_t third = file.find("PK\x01\x02", second + 1);
  std::uint32_t offset = 0;
  std::memcpy(&offset, file.data() + second + 42, 4);
  EXPECT_THAT(error_of_opening(patched(file, third + 42, offset)), HasSubstr("two of its entries overlap"));
  EXPECT_THAT(error_of_opening(patched(file, second + 20, 6000u)), HasSubstr("two of its entries overlap"));
}

TEST(Zip, UnsafeNamesAreRefused) {
  const std::string file = read_golden("zip/stored.zip");
  const auto renamed = [&](std::string name) {
    name.resize(std::strlen("folder/"), '_');
    std::string copy = file;
    copy.replace(first_entry(file) + 46, name.size(), name);
    return error_of_opening(copy);
  };
  EXPECT_THAT(renamed("/x"), HasSubstr("begins at the root"));
  EXPECT_THAT(renamed("../xxxx"), HasSubstr("leads out of the archive"));
  EXPECT_THAT(renamed("a/../xx"), HasSubstr("leads out of the archive"));
  EXPECT_THAT(renamed("abcd/.."), HasSubstr("leads out of the archive"));
  EXPECT_THAT(renamed(std::string("a\0b", 3)), HasSubstr("a zero byte"));
  EXPECT_EQ(renamed("a..b/.c"), "");
}

TEST(Zip, EqualNamesAreRefused) {
  EXPECT_THAT(error_of_opening(read_golden("zip/refused_twice.zip")), HasSubstr("found \"a\" twice"));
}

TEST(Zip, SaysWhyAnEntryCannotBeRead) {
  if (!has_zlib) GTEST_SKIP() << "built without zlib";
  const std::string file = read_golden("zip/deflated.zip");
  const std::size_t entry = file.find("PK\x01\x02", first_entry(file) + 1);  // of folder/zeros
  const auto error = [&](const std::string& changed) { return error_of_reading(changed, "folder/zeros"); };
  EXPECT_EQ(error(file), "");
  EXPECT_THAT(error_of_reading(file, "folder/zeros", 4999), HasSubstr("expected at most 4999 bytes, found 5000"));
  EXPECT_THAT(error(patched(file, entry + 8, std::uint16_t{1})), HasSubstr("encrypted"));
  EXPECT_THAT(error(patched(file, entry + 16, 7u)), HasSubstr("expected the checksum 00000007, found"));
  EXPECT_THAT(error(patched(file, entry + 24, 5001u)), HasSubstr("expected 5001 bytes of content, found 5000"));
  EXPECT_THAT(error(patched(file, entry + 24, 4999u)), HasSubstr("expected 4999 bytes of content"));
  EXPECT_THAT(error(patched(file, entry + 24, 1000000u)), HasSubstr("1000000 bytes cannot come from"));
  EXPECT_THAT(error(patched(file, entry + 10, std::uint16_t{0})), HasSubstr("5000 bytes cannot come from"));
  EXPECT_THAT(error_of_reading(read_golden("zip/refused_method.zip"), "folder/zeros"),
              HasSubstr("found compression method 12"));
}

TEST(Zip, ALocalHeaderMustFitItsEntry) {
  const std::string file = read_golden("zip/stored.zip");
  const std::size_t header = file.find("PK\x03\x04", 4);  // of folder/zeros
  const auto error = [&](const std::string& changed) { return error_of_reading(changed, "folder/zeros"); };
  EXPECT_THAT(error(patched(file, header, 0u)), HasSubstr("expected its header"));
  EXPECT_THAT(error(patched(file, header + local_name, 'F')), HasSubstr("expected the same name in its header"));
  EXPECT_THAT(error(patched(file, header + 28, std::uint16_t{1})), HasSubstr("behind its header"));
}

TEST(Zip, BitErrorsInTheDataAreFound) {
  if (!has_zlib) GTEST_SKIP() << "built without zlib";
  for (const auto* name : {"zip/stored.zip", "zip/deflated.zip"}) {
    std::string file = read_golden(name);
    file[file.find("folder/text.txt") + 20] ^= 1;
    EXPECT_THAT(error_of_reading(file, "folder/text.txt"), HasSubstr("is damaged")) << name;
  }
}

TEST(Zip, AnArchiveThatShrinksWhileItIsReadIsAnError) {
  const TemporaryFolder folder;
  std::filesystem::copy_file(golden("zip/stored.zip"), folder / "a.zip");
  const auto archive = ZipFile::open(folder / "a.zip");
  std::filesystem::resize_file(folder / "a.zip", 100);
  EXPECT_NE(error_of([&] { archive.check(); }), "");
}

}  // namespace
}  // namespace nunchi::formats
