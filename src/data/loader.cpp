#include "data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "core/assert.h"
#include "data/kept_pictures.h"

namespace nunchi::data {
namespace {

// Samples that a worker takes at a time: few enough that all work on the batch that is wanted next.
constexpr std::size_t samples_at_once = 8;

// A batch in work. Its samples are written without a lock, each by the worker that took it.
struct Slot {
  std::size_t first = 0, count = 0;     // its samples in the order of the epoch
  std::size_t taken = 0, finished = 0;  // of count; guarded by the loader's mutex
  std::vector<std::size_t> broken;      // places of batch.failures; guarded by the loader's mutex
  std::once_flag allocated;
  Batch batch;
};

// One pass over the samples. A worker that still works on an older one writes there and harms nothing.
struct Epoch {
  std::uint64_t number = 0;
  std::vector<std::size_t> order;           // of Dataset::samples
  std::size_t next_batch = 0;               // that next() returns
  std::deque<std::shared_ptr<Slot>> slots;  // next_batch, next_batch + 1, ...
  std::exception_ptr error;
  std::atomic<bool> dropped = false;
};

// Samples `first` to `first + count` of a slot.
struct Portion {
  std::shared_ptr<Epoch> epoch;
  std::shared_ptr<Slot> slot;
  std::size_t first = 0, count = 0;
};

void check(const LoaderOptions& options, std::size_t pictures) {
  const auto expect = [](bool condition, const std::string& what) {
    if (!condition) throw Error(ErrorKind::usage, "loader: expected " + what);
  };
  expect(options.batch > 0, "a batch of at least 1 picture, found 0");
  expect(options.prefetch > 0, "a prefetch of at least 1 batch, found 0");
  expect(options.workers >= 0, fmt::format("at least 0 workers, found {}", options.workers));
  expect(std::ranges::all_of(options.shape, [](std::int64_t side) { return side > 0; }), "a shape above 0 x 0 x 0");
  const std::size_t least = options.drop_last ? options.batch : 1;
  expect(pictures >= least, fmt::format("at least one batch of {} pictures, found {} pictures; make the batch smaller, "
                                        "or keep incomplete batches",
                                        options.batch, pictures));
}

// Closes the gaps that broken pictures left.
void remove_broken(Slot& slot, std::size_t values) {
  if (slot.broken.empty()) return;
  Batch& batch = slot.batch;
  std::ranges::sort(batch.failures, {}, [&](const Failure& failure) {
    return std::ranges::find(batch.indices, failure.index) - batch.indices.begin();
  });
  std::ranges::sort(slot.broken);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < slot.count; ++i) {
    if (std::ranges::binary_search(slot.broken, i)) continue;
    batch.labels[kept] = batch.labels[i];
    batch.indices[kept] = batch.indices[i];
    if (kept != i) std::copy_n(batch.pixels.begin() + i * values, values, batch.pixels.begin() + kept * values);
    ++kept;
  }
  batch.labels.resize(kept);
  batch.indices.resize(kept);
  batch.pixels.resize(kept * values);
}

}  // namespace

class Loader::Workers {
 public:
  Workers(const Dataset& dataset, std::vector<std::size_t> indices, PixelSource source, const LoaderOptions& options)
      : dataset_(dataset), indices_(std::move(indices)), source_(std::move(source)), options_(options) {
    check(options_, indices_.size());
    for (const std::size_t index : indices_) ASSERT(index < dataset_.samples.size(), "an index names a sample");
    if (options_.keep_decoded) kept_.emplace(dataset_.samples.size(), options_.keep_bytes);
  }

  ~Workers() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      if (epoch_) epoch_->dropped = true;
    }
    work_.notify_all();
  }

  std::size_t batches() const {
    return options_.drop_last ? indices_.size() / options_.batch
                              : (indices_.size() + options_.batch - 1) / options_.batch;
  }

  void start(std::uint64_t number, std::size_t first_batch);
  std::optional<Batch> next();

 private:
  void run();
  std::optional<Portion> take(Epoch& epoch);
  bool wait_for_batch(Epoch& epoch, std::unique_lock<std::mutex>& lock);
  std::shared_ptr<Slot> make_slot(std::size_t batch) const;
  void process(const Portion& portion);
  std::optional<std::string> read_sample(const Epoch& epoch, std::size_t index, std::span<float> out);
  void finish(const Portion& portion, const std::vector<std::size_t>& broken, std::vector<Failure> failures);
  void fail(Epoch& epoch);
  std::size_t values() const {
    return static_cast<std::size_t>(options_.shape[0] * options_.shape[1] * options_.shape[2]);
  }

  const Dataset& dataset_;
  const std::vector<std::size_t> indices_;
  const PixelSource source_;
  const LoaderOptions options_;
  std::optional<KeptPictures> kept_;

  std::mutex mutex_;
  std::condition_variable work_, finished_;
  std::shared_ptr<Epoch> epoch_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;  // the last member: joined before the others go
};

void Loader::Workers::start(std::uint64_t number, std::size_t first_batch) {
  ASSERT(first_batch <= batches(), "an epoch is started at one of its batches");
  auto epoch = std::make_shared<Epoch>();
  epoch->number = number;
  epoch->next_batch = first_batch;
  epoch->order = indices_;
  if (options_.shuffle) {
    const auto order = permutation(indices_.size(), options_.seed, number);
    std::ranges::transform(order, epoch->order.begin(), [&](std::size_t place) { return indices_[place]; });
  }
  {
    const std::scoped_lock lock(mutex_);
    if (epoch_) epoch_->dropped = true;
    epoch_ = std::move(epoch);
  }
  while (threads_.size() < static_cast<std::size_t>(options_.workers)) threads_.emplace_back([this] { run(); });
  work_.notify_all();
}

std::shared_ptr<Slot> Loader::Workers::make_slot(std::size_t batch) const {
  auto slot = std::make_shared<Slot>();
  slot->first = batch * options_.batch;
  slot->count = std::min(options_.batch, indices_.size() - slot->first);
  return slot;
}

// With the mutex held.
std::optional<Portion> Loader::Workers::take(Epoch& epoch) {
  if (epoch.dropped) return {};
  auto open = std::ranges::find_if(epoch.slots, [](const auto& slot) { return slot->taken < slot->count; });
  if (open == epoch.slots.end()) {
    const std::size_t batch = epoch.next_batch + epoch.slots.size();
    if (epoch.slots.size() == options_.prefetch || batch >= batches()) return {};
    epoch.slots.push_back(make_slot(batch));
    open = epoch.slots.end() - 1;
  }
  Slot& slot = **open;
  const std::size_t count = std::min(samples_at_once, slot.count - slot.taken);
  slot.taken += count;
  return Portion{.epoch = epoch_, .slot = *open, .first = slot.taken - count, .count = count};
}

void Loader::Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    std::optional<Portion> portion;
    work_.wait(lock, [&] { return stopping_ || (epoch_ && (portion = take(*epoch_))); });
    if (stopping_) return;
    lock.unlock();
    process(*portion);
    portion.reset();  // may free an epoch that was dropped
    lock.lock();
  }
}

// What is wrong with the picture, or nothing.
std::optional<std::string> Loader::Workers::read_sample(const Epoch& epoch, std::size_t index, std::span<float> out) {
  try {
    const auto read = [&] { return dataset_.picture(index, options_.decode); };
    const image::Picture picture = kept_ ? kept_->get(index, read) : read();
    Random random(options_.seed, epoch.number, index);
    source_(picture, random, out);
    return {};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    return error.what();
  }
}

void Loader::Workers::process(const Portion& portion) {
  Slot& slot = *portion.slot;
  std::vector<std::size_t> broken;
  std::vector<Failure> failures;
  try {
    std::call_once(slot.allocated, [&] {
      slot.batch.pixels.resize(slot.count * values());
      slot.batch.labels.resize(slot.count);
      slot.batch.indices.resize(slot.count);
    });
    for (std::size_t place = portion.first; place < portion.first + portion.count; ++place) {
      if (portion.epoch->dropped) return;
      const std::size_t index = portion.epoch->order[slot.first + place];
      slot.batch.indices[place] = index;
      slot.batch.labels[place] = dataset_.samples[index].label;
      const auto out = std::span(slot.batch.pixels).subspan(place * values(), values());
      if (const auto wrong = read_sample(*portion.epoch, index, out)) {
        broken.push_back(place);
        failures.push_back({index, *wrong});
      }
    }
  } catch (...) {
    fail(*portion.epoch);
    return;
  }
  finish(portion, broken, std::move(failures));
}

void Loader::Workers::finish(const Portion& portion, const std::vector<std::size_t>& broken,
                             std::vector<Failure> failures) {
  Slot& slot = *portion.slot;
  const std::scoped_lock lock(mutex_);
  slot.broken.insert(slot.broken.end(), broken.begin(), broken.end());
  std::ranges::move(failures, std::back_inserter(slot.batch.failures));
  slot.finished += portion.count;
  if (slot.finished == slot.count) finished_.notify_all();
}

void Loader::Workers::fail(Epoch& epoch) {
  const std::scoped_lock lock(mutex_);
  if (!epoch.error) epoch.error = std::current_exception();
  epoch.dropped = true;
  finished_.notify_all();
}

// With the mutex held by `lock`: until the next batch is whole, or a worker failed.
bool Loader::Workers::wait_for_batch(Epoch& epoch, std::unique_lock<std::mutex>& lock) {
  const auto is_whole = [&] {
    return !epoch.slots.empty() && epoch.slots.front()->finished == epoch.slots.front()->count;
  };
  while (!is_whole() && !epoch.error) {
    if (options_.workers > 0) {
      finished_.wait(lock);
      continue;
    }
    const auto portion = take(epoch);
    lock.unlock();
    process(*portion);
    lock.lock();
  }
  return is_whole();
}

std::optional<Batch> Loader::Workers::next() {
  std::unique_lock lock(mutex_);
  const auto epoch = epoch_;
  if (!epoch || epoch->next_batch == batches()) return {};
  if (!wait_for_batch(*epoch, lock)) {
    epoch->next_batch = batches();
    epoch->slots.clear();
    std::rethrow_exception(std::exchange(epoch->error, nullptr));
  }
  const auto slot = epoch->slots.front();
  epoch->slots.pop_front();
  ++epoch->next_batch;
  lock.unlock();
  work_.notify_all();
  remove_broken(*slot, values());
  return std::move(slot->batch);
}

Loader::Loader(const Dataset& dataset, std::vector<std::size_t> indices, PixelSource source,
               const LoaderOptions& options)
    : workers_(std::make_unique<Workers>(dataset, std::move(indices), std::move(source), options)) {}

Loader::~Loader() = default;

std::size_t Loader::batches() const { return workers_->batches(); }

void Loader::start(std::uint64_t epoch, std::size_t first_batch) { workers_->start(epoch, first_batch); }

std::optional<Batch> Loader::next() { return workers_->next(); }

}  // namespace nunchi::data
