#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/file.h"

namespace nunchi {

// One entry of the table that the signal handler walks. Entries are used again but never freed.
struct MappingSlot {
  std::atomic<std::uintptr_t> begin{0};  // 0: free
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> damaged{false};
};

namespace {

struct SlotBlock {
  std::array<MappingSlot, 64> slots;
  std::atomic<SlotBlock*> next{nullptr};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<SlotBlock*>::is_always_lock_free,
              "the signal handler must not wait for a lock");

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): a signal handler reaches nothing else.
SlotBlock first_block;
std::mutex slots_mutex;  // between the threads that claim slots; the handler does without
struct sigaction previous_action;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

std::uintptr_t page_size() {
  static const auto size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  return size;
}

MappingSlot* claim_slot(const std::byte* data, std::size_t size) {
  const std::lock_guard lock(slots_mutex);
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  for (SlotBlock* block = &first_block;; block = block->next) {
    for (MappingSlot& slot : block->slots) {
      if (slot.begin != 0) continue;
      slot.end = begin + size;
      slot.damaged = false;
      slot.begin = begin;
      return &slot;
    }
    if (!block->next) block->next = new SlotBlock;
  }
}

MappingSlot* find_slot(std::uintptr_t address) {
  for (SlotBlock* block = &first_block; block != nullptr; block = block->next) {
    for (MappingSlot& slot : block->slots) {
      const std::uintptr_t begin = slot.begin;
      const std::uintptr_t end = slot.end;
      const bool unchanged = slot.begin == begin;  // else another thread is just giving the slot a new mapping
      if (begin != 0 && unchanged && begin <= address && address < end) return &slot;
    }
  }
  return nullptr;
}

// Everything behind a lost page is taken as lost too: one call then serves the whole tail.
bool replace_lost_pages(std::uintptr_t address) {
  MappingSlot* slot = find_slot(address);
  if (slot == nullptr) return false;
  slot->damaged = true;
  const std::uintptr_t page = address & ~(page_size() - 1);
  void* const wanted = reinterpret_cast<void*>(page);
  return mmap(wanted, slot->end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == wanted;
}

void forward_to_previous(int signal, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) return previous_action.sa_sigaction(signal, info, context);
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    return previous_action.sa_handler(signal);
  }
  sigaction(signal, &previous_action, nullptr);  // on return the read faults again and the system ends the process
  if (info->si_code <= 0) raise(signal);         // somebody sent it: there is no read that would fault again
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  if (info->si_code <= 0 || !replace_lost_pages(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    forward_to_previous(signal, info, context);
  }
  errno = saved_errno;
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_size();  // its first call is not for a signal handler
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_action);
  });
}

[[noreturn]] void fail(const MapOptions& options, const std::filesystem::path& path, std::string_view reason) {
  throw Error(options.error_kind, fmt::format("{}: {}", path.string(), reason));
}

// The size of a regular file that is not empty.
std::size_t checked_size(int descriptor, const std::filesystem::path& path, const MapOptions& options) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail(options, path, fmt::format("cannot be read: {}", std::strerror(errno)));
  if (S_ISDIR(status.st_mode)) fail(options, path, "expected a file, found a folder");
  if (!S_ISREG(status.st_mode)) fail(options, path, "expected a file, found a pipe or device");
  if (status.st_size == 0) fail(options, path, "the file is empty; was a download or copy broken off?");
  return static_cast<std::size_t>(status.st_size);
}

void advise(void* data, std::size_t size, Access access) {
  if (access == Access::sequential) madvise(data, size, MADV_SEQUENTIAL);
  if (access == Access::huge_pages) madvise(data, size, MADV_HUGEPAGE);
  if (access == Access::will_need || access == Access::huge_pages) madvise(data, size, MADV_WILLNEED);
}

}  // namespace

MappedFile MappedFile::open(const std::filesystem::path& path, const MapOptions& options) {
  install_handler();
  MappedFile file;
  file.path_ = path;
  file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not block the open
  if (file.descriptor_ < 0) fail(options, path, fmt::format("cannot be opened: {}", std::strerror(errno)));
  const std::size_t size = checked_size(file.descriptor_, path, options);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor_, 0);
  if (data == MAP_FAILED) fail(options, path, fmt::format("cannot be mapped: {}", std::strerror(errno)));
  file.data_ = static_cast<const std::byte*>(data);
  file.size_ = size;
  file.slot_ = claim_slot(file.data_, size);
  advise(data, size, options.access);
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(slot_, other.slot_);
  return *this;
}

MappedFile::~MappedFile() {
  if (slot_ != nullptr) slot_->begin = 0;
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
  if (descriptor_ >= 0) close(descriptor_);
}

void MappedFile::check() const {
  if (slot_ == nullptr) return;
  struct stat status {};
  const bool shrank = fstat(descriptor_, &status) == 0 && static_cast<std::size_t>(status.st_size) < size_;
  if (shrank) {
    throw Error(ErrorKind::model, fmt::format("{}: the file shrank while it was read: {} bytes became {}; "
                                              "try again once nobody writes to it",
                                              path_.string(), size_, status.st_size));
  }
  if (slot_->damaged) {
    throw Error(ErrorKind::model, fmt::format("{}: the file shrank while it was read, or its disk fails; "
                                              "try again, or copy it from its source once more",
                                              path_.string()));
  }
}

void MappedFile::release(std::span<const std::byte> part) const noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t begin = (address + page_size() - 1) & ~(page_size() - 1);
  const std::uintptr_t end = (address + part.size()) & ~(page_size() - 1);
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace nunchi
