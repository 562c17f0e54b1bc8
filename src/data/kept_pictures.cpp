#include "data/kept_pictures.h"

#include <algorithm>

namespace nunchi::data {

image::Picture KeptPictures::get(std::size_t index, const std::function<image::Picture()>& read) {
  Entry& entry = entries_[index];
  if (entry.state.load(std::memory_order_acquire) == State::present) {
    auto picture = image::make_picture(entry.width, entry.height, entry.channels);
    std::ranges::copy(entry.bytes, picture.pixels.begin());
    return picture;
  }
  auto picture = read();
  keep(entry, picture);
  return picture;
}

bool KeptPictures::take_room(std::uint64_t size) {
  std::uint64_t taken = bytes_.load(std::memory_order_relaxed);
  do {
    if (size > most_bytes_ || taken > most_bytes_ - size) return false;
  } while (!bytes_.compare_exchange_weak(taken, taken + size, std::memory_order_relaxed));
  return true;
}

// A copy of its own, since a recycled buffer may be four times as large as its picture. Two threads may have read the
// same picture at once: one of them keeps it.
void KeptPictures::keep(Entry& entry, const image::Picture& picture) {
  const std::uint64_t size = picture.pixels.size();
  if (!take_room(size)) return;
  State expected = State::absent;
  if (!entry.state.compare_exchange_strong(expected, State::written_now, std::memory_order_relaxed)) {
    bytes_.fetch_sub(size, std::memory_order_relaxed);
    return;
  }
  entry.bytes.assign(picture.pixels.begin(), picture.pixels.end());
  entry.width = picture.width;
  entry.height = picture.height;
  entry.channels = picture.channels;
  entry.state.store(State::present, std::memory_order_release);
}

}  // namespace nunchi::data
