#include "ops/recorder.h"

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>

#include "core/timing.h"

namespace nunchi::ops {
namespace {

// A packed weight has no storage of its own kind: null.
const void* storage_of(const Tensor& tensor) {
  return tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
}

// An expanded tensor has more elements than memory.
std::int64_t bytes_of(const Tensor& tensor) {
  const auto bytes = tensor.numel() * static_cast<std::int64_t>(tensor.element_size());
  return tensor.has_storage() ? std::min(bytes, static_cast<std::int64_t>(tensor.storage().nbytes())) : bytes;
}

template <class Use>
void for_each_tensor(const c10::IValue& value, const Use& use) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) use(value.toTensor());
  } else if (value.isList()) {
    for (const c10::IValue& item : value.toListRef()) for_each_tensor(item, use);
  }
}

// Memory that nobody has written to yet.
bool is_allocation(const std::string& name) {
  return name.starts_with("aten::empty") || name.starts_with("aten::new_empty");
}

bool works_in_place(const std::string& name) { return name.ends_with('_'); }

}  // namespace

namespace detail {

constinit thread_local RecorderState* recording = nullptr;

class RecorderState {
 public:
  RecorderState() {
    constexpr std::size_t usual = 4096;  // so that the lists do not grow between two readings of the clock
    recorded_.slices.reserve(usual);
    recorded_.memory.reserve(usual);
  }

  void begin(std::string name, bool is_op) {
    open_.push_back({recorded_.slices.size(), {}});
    const auto parent = open_.size() > 1 ? std::optional(open_[open_.size() - 2].slice) : std::nullopt;
    recorded_.slices.push_back({.name = std::move(name), .is_op = is_op, .parent = parent, .inputs = {}});
  }

  void read(const Tensor& tensor) {
    Slice& slice = innermost();
    if (slice.inputs.empty() || tensor.scalar_type() == at::kChar) slice.dtype = tensor.scalar_type();
    slice.inputs.push_back(tensor.sizes().vec());
    slice.bytes_read += bytes_of(tensor);
    open_.back().storages.push_back(storage_of(tensor));
  }

  void start_clock() { innermost().begin = innermost().end = now(); }
  void stop_clock() { innermost().end = now(); }

  void wrote(const Tensor& tensor) {
    const auto& storages = open_.back().storages;
    const bool is_view = tensor.has_storage() && std::ranges::count(storages, storage_of(tensor)) > 0;
    Slice& slice = innermost();
    if (is_view && !works_in_place(slice.name))
      slice.bytes_read = 0;
    else if (!is_allocation(slice.name))
      slice.bytes_written += bytes_of(tensor);
  }

  void close() { open_.pop_back(); }

  void count(std::int64_t macs) {
    if (!open_.empty()) innermost().macs += macs;
  }

  void allocated(std::int64_t bytes) {
    bytes_ += bytes;
    recorded_.memory.push_back(
        {.time = now(), .bytes = bytes_, .slice = open_.empty() ? std::nullopt : std::optional(open_.back().slice)});
  }

  Recording take() {
    ASSERT(open_.empty(), "a recording is taken between the ops");
    recorded_.duration = now();
    bytes_ = 0;
    Recording taken = std::exchange(recorded_, {});
    recorded_.slices.reserve(taken.slices.size());
    recorded_.memory.reserve(taken.memory.size());
    start_ = Clock::now();
    return taken;
  }

 private:
  struct Open {
    std::size_t slice;
    std::vector<const void*> storages;  // of its inputs
  };

  Slice& innermost() { return recorded_.slices[open_.back().slice]; }
  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count();
  }

  Clock::time_point start_ = Clock::now();
  Recording recorded_;
  std::vector<Open> open_;
  std::int64_t bytes_ = 0;
};

}  // namespace detail

namespace {

using detail::recording;

std::unique_ptr<at::ObserverContext> begin_aten(const at::RecordFunction& function) {
  if (recording == nullptr) return nullptr;
  recording->begin(function.name(), /*is_op=*/false);
  for (const auto& input : function.inputs())
    for_each_tensor(input, [](const Tensor& tensor) { recording->read(tensor); });
  recording->start_clock();
  return nullptr;
}

void end_aten(const at::RecordFunction& function, at::ObserverContext* /*context*/) {
  if (recording == nullptr) return;
  recording->stop_clock();
  for (const auto& output : function.outputs())
    for_each_tensor(output, [](const Tensor& tensor) { recording->wrote(tensor); });
  recording->close();
}

struct MemoryListener final : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(void* /*block*/, std::int64_t bytes, std::size_t /*allocated*/, std::size_t /*reserved*/,
                         c10::Device device) override {
    if (recording != nullptr && device.is_cpu()) recording->allocated(bytes);
  }
  bool memoryProfilingEnabled() const override { return true; }
};

}  // namespace

namespace detail {

// What LibTorch calls on this thread while it lives.
class Hooks {
 public:
  Hooks() {
    callback_ = at::addThreadLocalCallback(at::RecordFunctionCallback(begin_aten, end_aten)
                                               .needsInputs(true)
                                               .needsOutputs(true)
                                               .scopes({at::RecordScope::FUNCTION}));
  }
  ~Hooks() { at::removeCallback(callback_); }
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

 private:
  c10::DebugInfoGuard memory_{c10::DebugInfoKind::PROFILER_STATE, std::make_shared<MemoryListener>()};
  at::CallbackHandle callback_;
};

}  // namespace detail

Recorder::Recorder() : state_(std::make_unique<detail::RecorderState>()), hooks_(std::make_unique<detail::Hooks>()) {
  ASSERT(recording == nullptr, "one recorder a thread");
  recording = state_.get();
}

Recorder::~Recorder() { recording = nullptr; }

Recording Recorder::take() { return state_->take(); }

void OpScope::begin(const char* name, std::initializer_list<const Tensor*> inputs) {
  recording->begin(name, /*is_op=*/true);
  for (const Tensor* input : inputs)
    if (input != nullptr && input->defined()) recording->read(*input);
  recording->start_clock();
}

void OpScope::wrote(const Tensor& output) { recording->wrote(output); }

void OpScope::end() {
  recording->stop_clock();
  recording->close();
}

void OpScope::add(std::int64_t macs) { recording->count(macs); }

}  // namespace nunchi::ops
