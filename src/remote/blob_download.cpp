#include "remote/blob_download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/assert.h"
#include "core/log.h"
#include "core/progress.h"
#include "remote/hash.h"

namespace nunchi::remote {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t most_bytes_of_unknown = 256u << 20;  // of a file whose size nobody says

// ETAG.incomplete, open for writing at its end.
class PartialFile {
 public:
  explicit PartialFile(fs::path path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    struct stat status {};
    if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) fail(errno);
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() { ::close(descriptor_); }

  const fs::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  void append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(errno);
      size_ += static_cast<std::uint64_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  void clear() {
    if (ftruncate(descriptor_, 0) != 0) fail(errno);
    size_ = 0;
  }

  void rename_to(const fs::path& target) {
    if (fdatasync(descriptor_) != 0 || ::rename(path_.c_str(), target.c_str()) != 0) fail(errno);
  }

 private:
  [[noreturn]] void fail(int error) const {
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    const auto kept = full ? fmt::format(
                                 " after {}. Free some space and pull again: what came is kept and the rest "
                                 "follows; nunchi cache prune removes it",
                                 format_bytes(size_))
                           : "";
    throw Error(ErrorKind::input,
                fmt::format("{}: cannot be written: {}{}", path_.string(), std::strerror(error), kept));
  }

  fs::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// The size of the whole file that an answer to a request from `offset` on belongs to.
std::optional<std::uint64_t> whole_size(const HttpAnswer& answer) {
  if (answer.status == 200) return answer.number("content-length");
  const auto range = answer.header("content-range").value_or("");  // bytes 100-199/200
  const auto slash = range.find('/');
  if (slash == std::string::npos) return std::nullopt;
  return HttpAnswer{.headers = {{"size", range.substr(slash + 1)}}}.number("size");
}

bool continues_at(const HttpAnswer& answer, std::uint64_t offset) {
  return answer.header("content-range").value_or("").starts_with(fmt::format("bytes {}-", offset));
}

class BlobDownload {
 public:
  BlobDownload(HubClient& hub, const HubName& name, const RemoteFile& file, const CachedRepository& cached,
               const BytesHere& bytes_here)
      : hub_(hub), name_(name), file_(file), partial_(cached.partial_blob(file.etag)), bytes_here_(bytes_here) {}

  void run(const fs::path& blob) {
    for (int copy = 1; copy <= 2; ++copy) {
      fetch();
      if (is_intact()) return partial_.rename_to(blob);
      partial_.clear();
      log(LogLevel::warning,
          fmt::format("{}: {} came damaged{}", name_.text(), file_.name, copy == 1 ? "; it is brought once more" : ""));
    }
    fs::remove(partial_.path());
    throw Error(ErrorKind::model,
                fmt::format("{}: {}: expected content whose hash is {}, found other content, twice. It "
                            "is thrown away; try again later or from another network",
                            name_.text(), file_.name, file_.etag));
  }

 private:
  // Until all bytes are there. Five tries in a row without a new byte are too many.
  void fetch() {
    const auto options = hub_.retries();
    if (partial_.size() > limit()) partial_.clear();
    for (int next = 1; !is_whole(); ++next) {
      const auto before = partial_.size();
      std::optional<HttpAnswer> answer;
      std::string reason;
      try {
        answer = request();
        if (answer->status == 200 || answer->status == 206) done_ = !file_.size || is_whole();
        if (done_) return;
        if (answer->status == 416)
          partial_.clear();  // the part is longer than the file
        else if (answer->status >= 300 && !is_passing(answer->status))
          hub_.refuse(*answer, name_, file_.name);
        reason = fmt::format("{}: {} answers {}", file_.name, name_.text(), answer->status);
      } catch (const NetworkError& error) {
        if (next >= options.tries) throw;
        reason = error.what();
      }
      if (next >= options.tries && answer) hub_.refuse(*answer, name_, file_.name);
      if (partial_.size() > before) next = 0;
      wait_before(next + 1, options, answer ? &*answer : nullptr, reason);
    }
  }

  HttpAnswer request() {
    const auto offset = partial_.size();
    const DownloadSink sink = {.begin = [&](const HttpAnswer& answer) { begin(answer, offset); },
                               .accept = [&](std::span<const std::byte> bytes) { accept(bytes); }};
    return hub_.http().download(file_.url, offset, sink);
  }

  void begin(const HttpAnswer& answer, std::uint64_t offset) {
    const auto size = whole_size(answer);
    if (size && file_.size && *size != *file_.size) {
      throw Error(ErrorKind::model, fmt::format("{}: {}: expected {} bytes, the storage offers {}; try again later",
                                                name_.text(), file_.name, *file_.size, *size));
    }
    if (answer.status == 200 || !continues_at(answer, offset)) partial_.clear();  // all of it comes again
    if (answer.status == 206 && partial_.size() != offset) {
      throw NetworkError(
          fmt::format("{}: {}: the storage sends another part than was asked for", name_.text(), file_.name), true);
    }
  }

  void accept(std::span<const std::byte> bytes) {
    if (partial_.size() + bytes.size() > limit()) {
      fs::remove(partial_.path());
      throw Error(ErrorKind::model, fmt::format("{}: {}: expected {} bytes, but more and more come; it is thrown away",
                                                name_.text(), file_.name, limit()));
    }
    partial_.append(bytes);
    bytes_here_(partial_.size());
  }

  bool is_intact() const {
    auto hasher = hasher_for(file_.etag, partial_.size());
    if (!hasher) return true;  // an ETag that says nothing about the content
    hash_file(*hasher, partial_.path(), {});
    return hasher->finish() == file_.etag;
  }

  std::uint64_t limit() const { return file_.size.value_or(most_bytes_of_unknown); }
  bool is_whole() const { return file_.size && partial_.size() == *file_.size; }

  HubClient& hub_;
  const HubName& name_;
  const RemoteFile& file_;
  PartialFile partial_;
  const BytesHere& bytes_here_;
  bool done_ = false;
};

}  // namespace

void bring_blob(HubClient& hub, const HubName& name, const RemoteFile& file, const CachedRepository& cached,
                const BytesHere& bytes_here) {
  std::error_code error;
  if (!fs::exists(cached.blob(file.etag), error)) {
    fs::create_directories(cached.folder() / "blobs", error);
    BlobDownload(hub, name, file, cached, bytes_here).run(cached.blob(file.etag));
  }
  bytes_here(file.size.value_or(0));
}

}  // namespace nunchi::remote
