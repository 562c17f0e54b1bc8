#include "tasks/picture_loader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <system_error>

namespace nunchi::tasks {

namespace {

bool same_sizes(const std::vector<image::PixelValues>& a, const std::vector<image::PixelValues>& b) {
  return std::ranges::equal(a, b, [](const image::PixelValues& one, const image::PixelValues& other) {
    return one.height == other.height && one.width == other.width;
  });
}

// One view of several pictures.
Tensor stack(const std::vector<std::vector<image::PixelValues>>& pictures, std::size_t view) {
  const auto& first = pictures.front()[view];
  Tensor pixels =
      at::empty({static_cast<std::int64_t>(pictures.size()), first.channels, first.height, first.width}, at::kFloat);
  auto* out = pixels.mutable_data_ptr<float>();
  for (const auto& views : pictures) out = std::copy(views[view].values.begin(), views[view].values.end(), out);
  return pixels;
}

}  // namespace

PictureInputs picture_files(const std::vector<std::filesystem::path>& paths, const image::Transform& transform,
                            image::DecodeOptions decode) {
  decode = image::decoding_for(transform, decode);
  return {.count = paths.size(),
          .name = [paths](std::size_t index) { return paths[index].string(); },
          .load =
              [=](std::size_t index) {
                return std::vector{image::apply(transform, image::read_picture(paths[index], decode))};
              }};
}

PictureLoader::PictureLoader(const std::vector<std::filesystem::path>& paths, const image::Transform& transform,
                             const PictureLoaderOptions& options)
    : PictureLoader(picture_files(paths, transform, options.decode), options) {}

PictureLoader::PictureLoader(PictureInputs inputs, const PictureLoaderOptions& options)
    : inputs_(std::move(inputs)), options_(options) {
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(options.threads), inputs_.count);
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
    changed_.wait(lock, [&] { return stopping_ || claimed_ == inputs_.count || claimed_ < position_ + ahead; });
    if (stopping_ || claimed_ == inputs_.count) return;
    const auto index = claimed_++;
    lock.unlock();
    Loaded loaded = load(index);
    lock.lock();
    loaded_.emplace(index, std::move(loaded));
    changed_.notify_all();
  }
}

PictureLoader::Loaded PictureLoader::load(std::size_t index) const {
  try {
    return {.views = inputs_.load(index), .error = {}};
  } catch (const std::bad_alloc&) {
    return {.views = {}, .error = inputs_.name(index) + ": not enough memory for this picture"};
  } catch (const std::exception& error) {
    const std::string what = error.what(), name = inputs_.name(index);
    return {.views = {}, .error = what.find(name) == std::string::npos ? name + ": " + what : what};
  }
}

PictureLoader::Loaded PictureLoader::take(std::size_t index) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return loaded_.contains(index); });
  return std::move(loaded_.extract(index).mapped());
}

std::optional<Batch> PictureLoader::next() {
  if (position_ == inputs_.count) return std::nullopt;
  Batch batch;
  std::vector<std::vector<image::PixelValues>> pictures;
  while (position_ < inputs_.count && pictures.size() < static_cast<std::size_t>(options_.batch)) {
    Loaded loaded = take(position_);
    const bool fits = pictures.empty() || same_sizes(loaded.views, pictures.front());
    if (loaded.error.empty() && !fits) {  // another size begins a batch of its own
      const std::lock_guard lock(mutex_);
      loaded_.emplace(position_, std::move(loaded));
      break;
    }
    if (loaded.error.empty()) {
      batch.indices.push_back(position_);
      pictures.push_back(std::move(loaded.views));
    } else {
      batch.failures.push_back({position_, std::move(loaded.error)});
    }
    const std::lock_guard lock(mutex_);
    ++position_;
    changed_.notify_all();
  }
  if (pictures.empty()) return batch;
  for (std::size_t view = 0; view < pictures.front().size(); ++view) batch.views.push_back(stack(pictures, view));
  batch.pixels = batch.views.front();
  return batch;
}

}  // namespace nunchi::tasks
