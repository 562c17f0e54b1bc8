#include "image/buffer.h"

#include <algorithm>
#include <array>
#include <new>

namespace nunchi::image {
namespace {

constexpr std::size_t header_bytes = 64;  // keeps the pixels aligned for SIMD
constexpr std::size_t least_kept = std::size_t{32} << 10;
constexpr std::size_t most_kept = std::size_t{16} << 20;

struct Header {
  std::size_t capacity;
};

void* allocate(std::size_t capacity) {
  void* memory = ::operator new (header_bytes + capacity, std::align_val_t{header_bytes});
  ::new (memory) Header{capacity};
  return memory;
}

void release(void* memory) noexcept { ::operator delete (memory, std::align_val_t{header_bytes}); }

std::size_t capacity_of(const void* memory) { return static_cast<const Header*>(memory)->capacity; }

// The blocks that a thread freed last. Trivially destructible, so that buffers that die after it may still ask it.
struct Shelf {
  std::array<void*, 6> kept;
  std::size_t next;
  bool closed;
};

constinit thread_local Shelf shelf{};

void empty_shelf() noexcept {
  shelf.closed = true;
  for (void*& memory : shelf.kept) {
    if (memory != nullptr) release(std::exchange(memory, nullptr));
  }
}

struct EmptiedAtThreadExit {
  ~EmptiedAtThreadExit() { empty_shelf(); }
};

void* take_from_shelf(std::size_t bytes) {
  for (void*& memory : shelf.kept) {
    if (memory == nullptr || capacity_of(memory) < bytes || capacity_of(memory) > 4 * bytes) continue;
    return std::exchange(memory, nullptr);
  }
  return nullptr;
}

bool keep_on_shelf(void* memory) noexcept {
  if (shelf.closed || capacity_of(memory) < least_kept || capacity_of(memory) > most_kept) return false;
  thread_local const EmptiedAtThreadExit emptied;
  void* displaced = std::exchange(shelf.kept[shelf.next], memory);
  if (displaced != nullptr) release(displaced);
  shelf.next = (shelf.next + 1) % shelf.kept.size();
  return true;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool recycles = false;  // a recycled block would hide a use after free
#else
constexpr bool recycles = true;
#endif

}  // namespace

void* take_block(std::size_t bytes) {
  void* memory = recycles && bytes >= least_kept ? take_from_shelf(bytes) : nullptr;
  if (memory == nullptr) memory = allocate(bytes);
  return static_cast<std::byte*>(memory) + header_bytes;
}

void give_block(void* block) noexcept {
  void* memory = static_cast<std::byte*>(block) - header_bytes;
  if (!recycles || !keep_on_shelf(memory)) release(memory);
}

}  // namespace nunchi::image
