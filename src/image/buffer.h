// image/buffer.h: vectors for pixels whose memory is taken from the thread's last ones.
//
// A picture takes megabytes, and the system hands out such memory in fresh pages: a fault and 4096 zeros each, a third
// of the time of decoding a JPEG. So each thread keeps the few blocks that it freed last. New elements of a Buffer are
// not set to zero: whoever resizes one writes all of it.
//
//   Buffer<std::uint8_t> pixels(3 * 640 * 480);
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace nunchi::image {

// Throws std::bad_alloc.
void* take_block(std::size_t bytes);
void give_block(void* block) noexcept;

template <class T>
struct RecyclingAllocator {
  using value_type = T;

  RecyclingAllocator() = default;
  template <class U>
  RecyclingAllocator(const RecyclingAllocator<U>&) {}

  T* allocate(std::size_t count) { return static_cast<T*>(take_block(count * sizeof(T))); }
  void deallocate(T* block, std::size_t) noexcept { give_block(block); }

  template <class U, class... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    if constexpr (sizeof...(Arguments) == 0) {
      ::new (static_cast<void*>(place)) U;
    } else {
      ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
    }
  }

  bool operator==(const RecyclingAllocator&) const { return true; }
};

template <class T>
using Buffer = std::vector<T, RecyclingAllocator<T>>;

}  // namespace nunchi::image
