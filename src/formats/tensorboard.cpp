#include "formats/tensorboard.h"

#include <array>
#include <cstring>

namespace nunchi::formats {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t reflected_polynomial = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? reflected_polynomial : 0);
    table[byte] = crc;
  }
  return table;
}

template <class T>
void append_bytes(std::string& text, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  text.append(bytes, sizeof(T));
}

// TensorFlow's guard against checksums of data that holds checksums.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

// Protocol buffers: each field is its number and wire type in one varint, then its value.
enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void append_varint(std::string& text, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) text.push_back(static_cast<char>((value & 0x7f) | 0x80));
  text.push_back(static_cast<char>(value));
}

void append_tag(std::string& text, std::uint32_t field, Wire wire) {
  append_varint(text, field << 3 | static_cast<std::uint32_t>(wire));
}

void append_bytes_field(std::string& text, std::uint32_t field, std::string_view bytes) {
  append_tag(text, field, Wire::bytes);
  append_varint(text, bytes.size());
  text += bytes;
}

// Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
std::string event_at(double seconds) {
  std::string event;
  append_tag(event, 1, Wire::fixed64);
  append_bytes(event, seconds);
  return event;
}

// Summary.Value { string tag = 1; float simple_value = 2; }
std::string summary_value(const std::string& name, double number) {
  std::string value;
  append_bytes_field(value, 1, name);
  append_tag(value, 2, Wire::fixed32);
  append_bytes(value, static_cast<float>(number));
  return value;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = make_crc_table();
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return ~crc;
}

std::string tfrecord(std::string_view data) {
  std::string record;
  append_bytes(record, static_cast<std::uint64_t>(data.size()));
  append_bytes(record, masked_crc(record));
  record += data;
  append_bytes(record, masked_crc(data));
  return record;
}

std::string event_file_start(double seconds) {
  std::string event = event_at(seconds);
  append_bytes_field(event, 3, "brain.Event:2");
  return tfrecord(event);
}

std::string scalar_event(double seconds, std::int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [name, number] : scalars) append_bytes_field(summary, 1, summary_value(name, number));
  std::string event = event_at(seconds);
  append_tag(event, 2, Wire::varint);
  append_varint(event, static_cast<std::uint64_t>(step));
  append_bytes_field(event, 5, summary);
  return tfrecord(event);
}

}  // namespace nunchi::formats
