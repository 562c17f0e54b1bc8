// data/kept_pictures.h: pictures that stay in memory as bytes once they were decoded, up to a limit.
//
//   KeptPictures kept(dataset.samples.size(), /* bytes */ 2 << 30);
//   image::Picture picture = kept.get(index, [&] { return dataset.picture(index, {}); });
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "image/picture.h"

namespace nunchi::data {

// Safe to use from several threads.
class KeptPictures {
 public:
  KeptPictures(std::size_t pictures, std::uint64_t most_bytes) : entries_(pictures), most_bytes_(most_bytes) {}

  // Reads it where it is not kept. What `read` throws passes through, and nothing is kept.
  image::Picture get(std::size_t index, const std::function<image::Picture()>& read);

  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  enum class State : std::uint8_t { absent, written_now, present };
  struct Entry {
    std::atomic<State> state{State::absent};
    int width = 0, height = 0, channels = 0;
    std::vector<std::uint8_t> bytes;
  };
  bool take_room(std::uint64_t size);
  void keep(Entry& entry, const image::Picture& picture);

  std::vector<Entry> entries_;
  std::uint64_t most_bytes_;
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace nunchi::data
