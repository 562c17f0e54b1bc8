#include "train/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "formats/tensorboard.h"

namespace nunchi::train {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw Error(ErrorKind::input, fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path, std::uint64_t size) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat status {};
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) fail(path_);
  size_ = std::min(size, static_cast<std::uint64_t>(status.st_size));
  if (ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) {
    const int error = errno;
    ::close(descriptor_);
    errno = error;
    fail(path_);
  }
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_);
    text.remove_prefix(static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
}

Journal::Journal(const std::filesystem::path& run, const JournalSizes& from)
    : lines_(run / "journal.jsonl", from.journal), events_(run / "events.out.tfevents.nunchi", from.events) {
  if (events_.size() == 0) events_.append(formats::event_file_start(now()));
}

void Journal::line(const Json& json) {
  lines_.append(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Journal::scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& scalars) {
  events_.append(formats::scalar_event(now(), step, scalars));
}

}  // namespace nunchi::train
