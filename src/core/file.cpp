#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "core/progress.h"

namespace nunchi {
namespace fs = std::filesystem;
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close_now(); }

  int get() const { return value_; }
  bool close_now() { return value_ < 0 || ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

// Removes the file unless it was renamed to its final name.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) {
    static std::atomic<unsigned> counter{0};
    const auto name = fmt::format(".{}.{}-{}.tmp", target.filename().string().substr(0, 200), getpid(), ++counter);
    path_ = target.parent_path() / name;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  const fs::path& path() const { return path_; }
  bool rename_to(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) return false;
    path_.clear();
    return true;
  }

 private:
  fs::path path_;
};

[[noreturn]] void fail_to_write(const fs::path& path, std::string_view reason) {
  throw Error(ErrorKind::input, fmt::format("{}: cannot be written: {}", path.string(), reason));
}

std::string free_space(const fs::path& target) {
  struct statvfs info {};
  if (statvfs(target.parent_path().empty() ? "." : target.parent_path().c_str(), &info) != 0) return "unknown";
  return format_bytes(static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize);
}

void write_directly(const fs::path& path, const std::function<void(int)>& fill) {
  Descriptor out(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (out.get() < 0) fail_to_write(path, std::strerror(errno));
  fill(out.get());
  if (!out.close_now()) fail_to_write(path, std::strerror(errno));
}

void flush_folder(const fs::path& folder) {
  const Descriptor opened(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0) fsync(opened.get());  // some file systems refuse it for folders; the file itself is safe
}

void write_and_rename(const fs::path& target, std::optional<mode_t> mode, const std::function<void(int)>& fill) {
  TemporaryFile temporary(target);
  Descriptor out(::open(temporary.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (out.get() < 0) {
    fail_to_write(target, fmt::format("no file can be made in its folder: {}", std::strerror(errno)));
  }
  fill(out.get());
  if (mode && fchmod(out.get(), *mode) != 0) fail_to_write(target, std::strerror(errno));
  if (fsync(out.get()) != 0 || !out.close_now()) fail_to_write(target, std::strerror(errno));
  if (!temporary.rename_to(target)) fail_to_write(target, std::strerror(errno));
  flush_folder(target.parent_path());
}

fs::path followed(const fs::path& path) {
  std::error_code error;
  fs::path target = fs::is_symlink(path, error) ? fs::canonical(path, error) : path;
  return error || target.empty() ? path : target;
}

std::string unreadable(const fs::path& folder, const std::error_code& error) {
  return fmt::format("{}: the folder cannot be read: {}", folder.string(), error.message());
}

// Returns what kept it from reading `folder` itself.
std::error_code list_into(const fs::path& folder, const ListOptions& options, std::vector<fs::path>& files) {
  std::error_code error;
  std::vector<fs::path> subfolders;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::error_code ignored;  // a dangling link is neither file nor folder
    if (entries->is_regular_file(ignored)) {
      if (!options.accept || options.accept(entries->path())) files.push_back(entries->path());
    } else if (options.recursive && entries->is_directory(ignored) && !entries->is_symlink(ignored)) {
      subfolders.push_back(entries->path());
    }
  }
  for (const auto& subfolder : subfolders) {
    const std::error_code failure = list_into(subfolder, options, files);
    if (failure && !options.on_unreadable) throw Error(ErrorKind::input, unreadable(subfolder, failure));
    if (failure) options.on_unreadable(unreadable(subfolder, failure));
  }
  return error;
}

}  // namespace

void Writer::fail(int error, std::uint64_t wanted) const {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  if (!full) fail_to_write(target_, fmt::format("{} after {} bytes", std::strerror(error), written_));
  fail_to_write(target_, fmt::format("{} after {} bytes, {} more were to be written; {} are free there. Free some "
                                     "space or choose another place. No half file is left behind",
                                     std::strerror(error), written_, wanted, free_space(target_)));
}

void Writer::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(errno, bytes.size());
    written_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void Writer::reserve(std::uint64_t size) {
  if (size == 0 || fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) == 0) return;
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) fail(errno, size);  // others: not offered here
}

void write_atomically(const fs::path& path, const std::function<void(Writer&)>& fill) {
  const fs::path target = followed(path);
  const auto fill_descriptor = [&](int descriptor) {
    Writer writer(descriptor, path);
    fill(writer);
  };
  struct stat status {};
  if (stat(target.c_str(), &status) != 0) return write_and_rename(target, std::nullopt, fill_descriptor);
  if (S_ISDIR(status.st_mode)) fail_to_write(path, "it is a folder");
  if (access(target.c_str(), W_OK) != 0) fail_to_write(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return write_directly(target, fill_descriptor);
  write_and_rename(target, status.st_mode & 07777, fill_descriptor);
}

void write_file(const fs::path& path, std::span<const std::byte> bytes) {
  write_atomically(path, [&](Writer& writer) { writer.write(bytes); });
}

void write_file(const fs::path& path, std::string_view text) { write_file(path, std::as_bytes(std::span(text))); }

std::string read_file(const fs::path& path, std::uint64_t max_bytes, ErrorKind kind) {
  const auto fail = [&](const std::string& reason) { throw Error(kind, fmt::format("{}: {}", path.string(), reason)); };
  const Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (in.get() < 0 || fstat(in.get(), &status) != 0) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  const auto expected = static_cast<std::uint64_t>(S_ISREG(status.st_mode) ? status.st_size : 0);
  std::string text;
  std::size_t size = 0;
  while (size <= max_bytes) {
    if (size == text.size()) text.resize(std::min(max_bytes, std::max<std::uint64_t>(expected, 2 * size + 4096)) + 1);
    const ssize_t count = ::read(in.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(fmt::format("cannot be read: {}", std::strerror(errno)));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > max_bytes) fail(fmt::format("longer than the {} bytes that are allowed here", max_bytes));
  text.resize(size);
  return text;
}

std::vector<fs::path> list_files(const fs::path& folder, const ListOptions& options) {
  std::vector<fs::path> files;
  const std::error_code failure = list_into(folder, options, files);
  if (failure) throw Error(ErrorKind::input, unreadable(folder, failure));
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> glob(const std::string& pattern) {
  std::error_code error;
  if (fs::exists(pattern, error)) return {pattern};
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_BRACE | GLOB_TILDE, nullptr, &found);
  std::vector<fs::path> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (result == GLOB_NOSPACE) throw Error(ErrorKind::input, fmt::format("{}: too many files match", pattern));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace nunchi
