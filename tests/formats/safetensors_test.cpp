#include "formats/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/in_child.h"
#include "core/json.h"
#include "core/temporary_folder.h"
#include "formats/golden.h"

namespace nunchi::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
namespace fs = std::filesystem;

std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, '\1');
}

std::string error_of_bytes(const std::string& file) {
  return error_of([&] { parse_safetensors(std::as_bytes(std::span(file)), "file"); });
}

std::string error_of_header(const std::string& header, std::size_t data_bytes = 4) {
  return error_of_bytes(file_of(header, data_bytes));
}

// One tensor "a" with the given fields.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

TEST(Safetensors, ReadsEveryDtypeThatTheReferenceLibraryWrites) {
  const auto file = SafetensorsFile::open(golden("all_dtypes.safetensors"));
  const Json expected = read_json(golden("all_dtypes.json"));
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("format", "pt")));
  ASSERT_EQ(file.tensors().size(), expected["tensors"].size());
  for (const auto& [name, row] : expected["tensors"].items()) {
    const TensorView* tensor = file.find(name);
    ASSERT_NE(tensor, nullptr) << name;
    EXPECT_EQ(dtype_name(tensor->dtype), row["dtype"]) << name;
    EXPECT_EQ(tensor->shape, row["shape"].get<std::vector<std::int64_t>>()) << name;
    EXPECT_EQ(to_hex(tensor->bytes), row["hex"]) << name;
    EXPECT_TRUE(tensor->aligned()) << name;
  }
  EXPECT_EQ(file.find("layer"), nullptr);
}

TEST(Safetensors, WritesTheBytesOfTheReferenceLibrary) {
  const TemporaryFolder folder;
  const auto file = SafetensorsFile::open(golden("all_dtypes.safetensors"));
  auto shuffled = file.tensors();
  std::reverse(shuffled.begin(), shuffled.end());
  write_safetensors(folder / "copy.safetensors", shuffled, file.metadata());
  EXPECT_EQ(read_file(folder / "copy.safetensors", 1 << 20), read_golden("all_dtypes.safetensors"));
  write_safetensors(folder / "none.safetensors", {});
  EXPECT_EQ(read_file(folder / "none.safetensors", 1 << 20), read_golden("no_tensors.safetensors"));
}

TEST(Safetensors, KeepsNamesAndMetadataThatNeedEscapes) {
  const TemporaryFolder folder;
  const std::string name = "눈치 \"quoted\" \\ \n";
  const Metadata metadata{{"", "empty key"}, {"k", name}};
  write_safetensors(folder / "a", {{name, Dtype::u8, {2}, std::as_bytes(std::span("ab", 2))}}, metadata);
  const auto file = SafetensorsFile::open(folder / "a");
  ASSERT_NE(file.find(name), nullptr);
  EXPECT_EQ(file.metadata(), metadata);
}

TEST(Safetensors, RefusesToWriteWhatTheCallerGotWrong) {
  const TemporaryFolder folder;
  const auto bytes = std::as_bytes(std::span("abcd", 4));
  EXPECT_THROW(write_safetensors(folder / "a", {{"x", Dtype::f32, {2}, bytes}}), Error);
  EXPECT_THROW(write_safetensors(folder / "a", {{"x", Dtype::f32, {1}, bytes}, {"x", Dtype::u8, {4}, bytes}}), Error);
  EXPECT_FALSE(fs::exists(folder / "a"));
}

TEST(Safetensors, OldFilesMayBeUnaligned) {
  const auto file = SafetensorsFile::open(golden("unaligned.safetensors"));
  EXPECT_FALSE(file.tensors().front().aligned());
  EXPECT_EQ(to_hex(file.tensors().front().bytes), "0000803f00000040");
}

TEST(Safetensors, AcceptsWhatTheReferenceLibraryAccepts) {
  EXPECT_EQ(error_of_header("{}", 0), "");
  EXPECT_EQ(error_of_header("{}   ", 0), "");
  EXPECT_EQ(error_of_header(" " + one("F32", "[1]", "[0,4]")), "");
  EXPECT_EQ(error_of_header(one("F32", "[]", "[0,4]")), "");
  EXPECT_EQ(error_of_header(one("F32", "[0]", "[0,0]"), 0), "");
  EXPECT_EQ(error_of_header(one("F4", "[4,2]", "[0,4]")), "");
  EXPECT_EQ(error_of_header(R"({"a":{"dtype":"F32","x":[{"y":[1]},null,"s"],"shape":[1],"data_offsets":[0,4]}})"), "");
  EXPECT_EQ(error_of_header(R"({"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"), "");
}

TEST(Safetensors, TensorsOfNoBytesMayLieBetweenOthers) {
  const auto entry = [](const std::string& name, const std::string& shape, const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":"U8","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  const auto header = "{" + entry("z", "[2]", "[0,2]") + "," + entry("b", "[0]", "[2,2]") + "," +
                      entry("a", "[3,0]", "[2,2]") + "," + entry("y", "[2]", "[2,4]") + "}";
  const auto file = file_of(header, 4);
  std::vector<std::string> names;
  for (const auto& tensor : parse_safetensors(std::as_bytes(std::span(file)), "file").tensors)
    names.push_back(tensor.name);
  EXPECT_THAT(names, ElementsAre("z", "a", "b", "y"));
}

TEST(Safetensors, EveryCutIsAnError) {
  const std::string whole = read_golden("all_dtypes.safetensors");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_NE(error_of_bytes(whole.substr(0, size)), "") << size;
  }
  EXPECT_THAT(error_of_bytes(whole.substr(0, 5)), HasSubstr("found only 5 bytes"));
  EXPECT_THAT(error_of_bytes(whole.substr(0, 100)), HasSubstr("cut off"));
  EXPECT_THAT(error_of_bytes(whole.substr(0, whole.size() - 1)), HasSubstr("cut off"));
  EXPECT_THAT(error_of_bytes(whole + "x"), HasSubstr("1 bytes behind the last"));
}

struct BadHeader {
  std::string header;
  std::string message;
};

class SafetensorsBadHeader : public testing::TestWithParam<BadHeader> {};

TEST_P(SafetensorsBadHeader, IsRefusedWithTheReason) {
  const std::string message = error_of_header(GetParam().header);
  EXPECT_THAT(message, HasSubstr(GetParam().message)) << GetParam().header;
  EXPECT_EQ(message.rfind("file: ", 0), 0u) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Text, SafetensorsBadHeader,
    testing::Values(BadHeader{"", "expected JSON"}, BadHeader{"{", "expected JSON"}, BadHeader{"{}{}", "expected JSON"},
                    BadHeader{std::string("{}\0\0", 4), "zero byte at 2"},
                    BadHeader{"{\"\xff\":1}", "expected JSON in UTF-8"},
                    BadHeader{"[]", "expected an object, found a list"}, BadHeader{"7", "expected an object, found 7"},
                    BadHeader{std::string(100000, '['), "found a list"}, BadHeader{"\xef\xbb\xbf{", "expected JSON"},
                    BadHeader{R"({"a":1})", R"("a": expected an object, found 1)"},
                    BadHeader{R"({"a":null})", R"("a": expected an object, found null)"},
                    BadHeader{R"({"a":{},"a":{}})", R"(tensor "a": expected each name once)"},
                    BadHeader{R"({"a":{},"\u0061":{}})", R"(tensor "a": expected each name once)"},
                    BadHeader{R"({"__metadata__":{},"__metadata__":{}})", "__metadata__ is there twice"},
                    BadHeader{R"({"__metadata__":{"k":1}})", R"(__metadata__: "k": expected a string, found 1)"},
                    BadHeader{R"({"__metadata__":{"k":"","k":""}})", R"("k" is there twice)"},
                    BadHeader{R"({"__metadata__":[]})", "expected an object, found a list"}));

INSTANTIATE_TEST_SUITE_P(
    Fields, SafetensorsBadHeader,
    testing::Values(BadHeader{R"({"a":{}})", "expected a dtype, found none"},
                    BadHeader{R"({"a":{"dtype":"F32"}})", "expected a shape, found none"},
                    BadHeader{R"({"a":{"dtype":"F32","shape":[1]}})", "expected two data_offsets, found 0"},
                    BadHeader{R"({"a":{"dtype":"F32","dtype":"F32"}})", "expected one dtype, found it twice"},
                    BadHeader{R"({"a":{"shape":[],"shape":[]}})", "expected one shape, found it twice"},
                    BadHeader{R"({"a":{"dtype":4}})", "dtype: expected a string, found 4"},
                    BadHeader{R"({"a":{"shape":"1"}})", "shape: expected a list of sizes, found the text"},
                    BadHeader{R"({"a":{"shape":{}}})", "shape: expected a list of sizes, found an object"},
                    BadHeader{R"({"a":{"shape":[[1]]}})", "shape: expected a list of sizes, found a list"},
                    BadHeader{one("F33", "[1]", "[0,4]"), R"(expected a dtype such as F32 or BF16, found "F33")"},
                    BadHeader{one("f32", "[1]", "[0,4]"), "expected a dtype such as"},
                    BadHeader{one("F32", "[-1]", "[0,4]"), "expected a list of sizes, found -1"},
                    BadHeader{one("F32", "[1.0]", "[0,4]"), "expected a list of sizes, found 1.0"},
                    BadHeader{one("F32", "[1]", "[0]"), "expected two data_offsets, found 1"},
                    BadHeader{one("F32", "[1]", "[0,4,8]"), "expected two data_offsets, found 3"},
                    BadHeader{one("F32", "[1]", "[0,-4]"), "expected a list of two offsets, found -4"}));

INSTANTIATE_TEST_SUITE_P(
    Sizes, SafetensorsBadHeader,
    testing::Values(BadHeader{one("F32", "[1]", "[4,0]"), "expected data_offsets in order, found [4, 0]"},
                    BadHeader{one("F32", "[2]", "[0,8]"), "its data ends at byte 8 of 4"},
                    BadHeader{one("F32", "[1]", "[0,18446744073709551615]"), "ends at byte 18446744073709551615"},
                    BadHeader{one("F32", "[2]", "[0,4]"), "expected 8 bytes for F32 [2], found 4"},
                    BadHeader{one("F64", "[1]", "[0,4]"), "expected 8 bytes for F64 [1], found 4"},
                    BadHeader{one("F4", "[7]", "[0,4]"), "expected whole bytes, found 28 bits"},
                    BadHeader{one("U8", "[4294967296,4294967296]", "[0,0]"), "larger than any memory"},
                    BadHeader{one("U8", "[0,4294967296,4294967296]", "[0,0]"), "larger than any memory"},
                    BadHeader{one("U8", "[18446744073709551615]", "[0,4]"), "larger than any memory"},
                    BadHeader{one("U8", "[2305843009213693953]", "[0,4]"), "larger than any memory"},
                    BadHeader{one("U8", "[3]", "[1,4]"), "expected its data at offset 0, found 1: a hole"},
                    BadHeader{one("U8", "[3]", "[0,3]"), "1 bytes behind the last"},
                    BadHeader{R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                              R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
                              R"(tensor "b": expected its data at offset 3, found 2: two tensors overlap)"}));

TEST(Safetensors, HeaderLengthIsLimitedAsInTheReferenceLibrary) {
  std::string file(8, '\0');
  const std::uint64_t length = 100000001;
  std::memcpy(file.data(), &length, 8);
  EXPECT_THAT(error_of_bytes(file), HasSubstr("at most 100000000 bytes, found a length of 100000001"));
  EXPECT_THAT(error_of_bytes("PK\3\4 a zip file and more"), HasSubstr("is it a safetensors file?"));
}

TEST(Safetensors, LongAndStrangeNamesAreShortenedInMessages) {
  const std::string header = "{\"" + std::string(5000, 'n') + "\\u001b[31m\":1}";
  EXPECT_LT(error_of_header(header).size(), 300u);
  EXPECT_THAT(error_of_header(R"({"\u001b[31m":1})"), HasSubstr(R"("\u001b[31m")"));
}

TEST(Safetensors, ViewsOutliveTheFileObject) {
  std::shared_ptr<const MappedFile> owner;
  TensorView view;
  {
    const auto file = SafetensorsFile::open(golden("unaligned.safetensors"));
    owner = file.file();
    view = file.tensors().front();
  }
  EXPECT_EQ(to_hex(view.bytes), "0000803f00000040");
}

}  // namespace
}  // namespace nunchi::formats
