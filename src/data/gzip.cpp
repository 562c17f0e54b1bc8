#include "data/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <new>

#include "core/error.h"

namespace nunchi::data {

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

std::string gunzip(std::span<const std::byte> bytes, std::uint64_t most_bytes, const std::string& name) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const auto end = [](z_stream* open) { inflateEnd(open); };
  const std::unique_ptr<z_stream, decltype(end)> owner(&stream, end);

  std::string content;
  std::array<char, 1 << 16> block;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  auto left = bytes.size();
  int state = Z_OK;
  while (state == Z_OK) {
    const auto given = std::min<std::size_t>(left, std::numeric_limits<uInt>::max());
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    state = inflate(&stream, Z_NO_FLUSH);
    left -= given - stream.avail_in;
    content.append(block.data(), block.size() - stream.avail_out);
    if (content.size() > most_bytes)
      throw Error(ErrorKind::input, fmt::format("{}: unpacks to more than {} bytes", name, most_bytes));
  }
  if (state != Z_STREAM_END || left > 0) {
    throw Error(ErrorKind::input, fmt::format("{}: expected one whole gzip stream, found a damaged or cut file (after "
                                              "{} unpacked bytes); fetch it again",
                                              name, content.size()));
  }
  return content;
}

}  // namespace nunchi::data
