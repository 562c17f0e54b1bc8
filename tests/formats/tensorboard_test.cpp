#include "formats/tensorboard.h"

#include <gtest/gtest.h>

namespace nunchi::formats {
namespace {

std::string hex(const std::string& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) text += {digits[byte >> 4], digits[byte & 15]};
  return text;
}

TEST(Tensorboard, ChecksumsAreThoseOfRfc3720) {  // its appendix B.4, and the check value of the CRC catalogues
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(""), 0u);
}

// Bytes that tensorboard 2.20's EventFileWriter wrote for the same events.
TEST(Tensorboard, RecordsAreThoseOfTensorboard) {
  EXPECT_EQ(hex(event_file_start(1.5)),
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  EXPECT_EQ(hex(scalar_event(2.5, 300, {{"train/loss", 1.25}, {"train/accuracy", 0.5}})),
            "3800000000000000a3797d5709000000000000044010ac022a2a0a110a0a747261696e2f6c6f7373150000a03f0a150a0e74726169"
            "6e2f6163637572616379150000003fe24e22b3");
}

}  // namespace
}  // namespace nunchi::formats
