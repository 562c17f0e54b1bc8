// formats/tensorboard.h: TensorBoard's event files: TFRecord framing with masked CRC-32C around protocol buffers of
// type Event (tensorflow/core/util/event.proto), both written by hand: protobuf's library would clash with the copy
// inside LibTorch.
//
//   std::string records = event_file_start(now);                      // once, at the beginning of the file
//   records += scalar_event(now, step, {{"train/loss", 1.25}});       // appended, record by record
//
// A reader finds the file by "tfevents" in its name, and reads what is complete while it grows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nunchi::formats {

// The record that says which version of the format follows. `seconds`: since 1970.
std::string event_file_start(double seconds);

// One record with numbers that belong to a step; they are kept as float32.
std::string scalar_event(double seconds, std::int64_t step, const std::vector<std::pair<std::string, double>>& scalars);

// CRC-32C (Castagnoli), as in RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

// Length, masked checksum of the length, data, masked checksum of the data.
std::string tfrecord(std::string_view data);

}  // namespace nunchi::formats
