#include "formats/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/in_child.h"
#include "core/json.h"
#include "core/temporary_folder.h"
#include "formats/golden.h"

namespace nunchi::formats {
namespace {

using testing::HasSubstr;

TEST(Npy, ReadsWhatNumpyWrites) {
  const Json expected = read_json(golden("npy.json"));
  ASSERT_GT(expected.size(), 15u);
  for (const auto& [name, row] : expected.items()) {
    const NpyArray array = read_npy(golden(name));
    EXPECT_EQ(array.shape, row["shape"].get<std::vector<std::int64_t>>()) << name;
    EXPECT_EQ(to_hex(array.bytes), row["hex"]) << name;
  }
}

TEST(Npy, WritesTheBytesOfNumpy) {
  const TemporaryFolder folder;
  for (const auto* name : {"npy_f4.npy", "npy_f8.npy", "npy_f2.npy", "npy_i4.npy", "npy_i8.npy", "npy_u1.npy",
                           "npy_b1.npy", "npy_c8.npy", "npy_u8.npy"}) {
    const NpyArray array = read_npy(golden(name));
    write_npy(folder / name, array.dtype, array.shape, array.bytes);
    EXPECT_EQ(read_file(folder / name, 1 << 20), read_golden(name)) << name;
  }
}

TEST(Npy, RefusesToWriteWhatTheCallerGotWrong) {
  const TemporaryFolder folder;
  const auto bytes = std::as_bytes(std::span("abcd", 4));
  EXPECT_THROW(write_npy(folder / "a", Dtype::f32, {2}, bytes), Error);
  EXPECT_THROW(write_npy(folder / "a", Dtype::bf16, {2}, bytes), Error);
}

TEST(Npy, SaysWhyAnArrayIsRefused) {
  const auto message = [](const std::string& name) { return error_of([&] { read_npy(golden(name)); }); };
  EXPECT_THAT(message("refused_big_endian.npy"), HasSubstr("little-endian numbers"));
  EXPECT_THAT(message("refused_structured.npy"), HasSubstr("no structured one"));
  EXPECT_THAT(message("refused_text.npy"), HasSubstr("little-endian numbers"));
  EXPECT_THAT(message("all_dtypes.json"), HasSubstr("found another file"));
  EXPECT_THAT(message("missing.npy"), HasSubstr("No such file"));
}

std::string error_of_header(const std::string& header, std::size_t data_bytes = 4) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 255);
  file += static_cast<char>(header.size() >> 8);
  file += header + std::string(data_bytes, '\1');
  return error_of([&] { parse_npy(std::as_bytes(std::span(file)), "file"); });
}

TEST(Npy, ReadsOtherSpellingsOfTheHeader) {
  EXPECT_EQ(error_of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"), "");
  EXPECT_EQ(error_of_header(R"({"shape":(1L,),"fortran_order":True,"descr":"<f4"})"), "");
  EXPECT_EQ(error_of_header("{'descr': '<u1', 'fortran_order': False, 'shape': (2, 2)}"), "");
}

TEST(Npy, BrokenHeadersAreErrors) {
  const auto with_shape = [](const std::string& shape) {
    return error_of_header("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}");
  };
  EXPECT_THAT(with_shape("(2,)"), HasSubstr("expected 8 bytes for F32 (2), found 4"));
  EXPECT_THAT(with_shape("(-1,)"), HasSubstr("expected a size"));
  EXPECT_THAT(with_shape("(99999999999999999999,)"), HasSubstr("expected a size"));
  EXPECT_THAT(with_shape("(4294967296, 4294967296)"), HasSubstr("larger than any memory"));
  EXPECT_THAT(with_shape("(0, 4294967296, 4294967296)"), HasSubstr("larger than any memory"));
  EXPECT_THAT(with_shape("[1]"), HasSubstr("expected ("));
  EXPECT_THAT(with_shape("(1"), HasSubstr("expected )"));
  EXPECT_THAT(with_shape("(1,), 'shape': (1,)"), HasSubstr("one each of"));
  EXPECT_THAT(with_shape("(" + std::string(400, '1') + ")"), HasSubstr("expected a size"));
  std::string many;
  for (int i = 0; i < 65; ++i) many += "1,";
  EXPECT_THAT(with_shape("(" + many + ")"), HasSubstr("at most 64 axes"));
  EXPECT_THAT(error_of_header("{'descr': '<f4'}"), HasSubstr("one each of"));
  EXPECT_THAT(error_of_header(""), HasSubstr("expected {"));
  EXPECT_THAT(error_of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"),
              HasSubstr("nothing behind"));
}

TEST(Npy, EveryCutIsAnError) {
  const std::string whole = read_golden("npy_version2.npy");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = std::as_bytes(std::span(whole)).first(size);
    EXPECT_NE(error_of([&] { parse_npy(cut, "file"); }), "") << size;
  }
}

}  // namespace
}  // namespace nunchi::formats
