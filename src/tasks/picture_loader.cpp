#include "tasks/picture_loader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <system_error>

namespace nunchi::tasks {

PictureLoader::PictureLoader(std::vector<std::filesystem::path> paths, image::Transform transform,
                             const PictureLoaderOptions& options)
    : paths_(std::move(paths)), transform_(std::move(transform)), options_(options) {
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(options.threads), paths_.size());
  try {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {  // the system gives no more threads: fewer will do
    if (threads_.empty()) throw;
  }
}

PictureLoader::~PictureLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void PictureLoader::work() {
  // Two batches ahead keeps the network busy; more would only hold memory.
  const auto ahead = 2 * static_cast<std::size_t>(options_.batch) + static_cast<std::size_t>(options_.threads);
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || claimed_ == paths_.size() || claimed_ < position_ + ahead; });
    if (stopping_ || claimed_ == paths_.size()) return;
    const auto index = claimed_++;
    lock.unlock();
    Loaded loaded = load(paths_[index]);
    lock.lock();
    loaded_.emplace(index, std::move(loaded));
    changed_.notify_all();
  }
}

PictureLoader::Loaded PictureLoader::load(const std::filesystem::path& path) const {
  try {
    auto decode = options_.decode;
    decode.apply_exif_orientation = decode.apply_exif_orientation && transform_.apply_exif_orientation;
    return {.values = image::apply(transform_, image::read_picture(path, decode))};
  } catch (const std::bad_alloc&) {
    return {.error = path.string() + ": not enough memory for this picture"};
  } catch (const std::exception& error) {
    return {.error = error.what()};
  }
}

PictureLoader::Loaded PictureLoader::take(std::size_t index) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return loaded_.contains(index); });
  return std::move(loaded_.extract(index).mapped());
}

std::optional<Batch> PictureLoader::next() {
  if (position_ == paths_.size()) return std::nullopt;
  Batch batch;
  std::vector<image::PixelValues> pictures;
  while (position_ < paths_.size() && pictures.size() < static_cast<std::size_t>(options_.batch)) {
    Loaded loaded = take(position_);
    const bool fits =
        pictures.empty() || (loaded.values.height == pictures[0].height && loaded.values.width == pictures[0].width);
    if (loaded.error.empty() && !fits) {  // another size begins a batch of its own
      const std::lock_guard lock(mutex_);
      loaded_.emplace(position_, std::move(loaded));
      break;
    }
    if (loaded.error.empty()) {
      batch.indices.push_back(position_);
      pictures.push_back(std::move(loaded.values));
    } else {
      batch.failures.push_back({position_, std::move(loaded.error)});
    }
    const std::lock_guard lock(mutex_);
    ++position_;
    changed_.notify_all();
  }
  if (pictures.empty()) return batch;
  const auto& first = pictures.front();
  batch.pixels =
      at::empty({static_cast<std::int64_t>(pictures.size()), first.channels, first.height, first.width}, at::kFloat);
  auto* out = batch.pixels.mutable_data_ptr<float>();
  for (const auto& picture : pictures) out = std::copy(picture.values.begin(), picture.values.end(), out);
  return batch;
}

}  // namespace nunchi::tasks
