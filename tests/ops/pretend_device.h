// ops/pretend_device.h: a device for tests of what runs on a GPU, on machines that have none.
//
//   const at::Device device = ops::pretend_device();
//   const Tensor x = at::ones({2, 3}).to(device);  // x.const_data_ptr<float>()[0] ends the process, as a GPU's would
//
// Its memory can be reached by copies alone. What LibTorch computes there is computed by copies to the CPU and back, so
// that mixing devices in one operation throws as it does with CUDA. Nothing about CUDA's own kernels is shown by it.
#pragma once

#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <sys/mman.h>
#include <torch/library.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "core/assert.h"
#include "ops/tensor.h"

namespace nunchi::ops {
namespace pretended {

constexpr auto key = c10::DispatchKey::PrivateUse1;
inline const at::Device device(at::kPrivateUse1, 0);

// Each block is an address range that nobody may touch, and the memory that stands behind it.
class Memory final : public c10::Allocator {
 public:
  at::DataPtr allocate(std::size_t size) override {
    if (size == 0) return {nullptr, nullptr, [](void*) {}, device};
    void* outside = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(outside != MAP_FAILED, "the system gives addresses");
    const std::lock_guard lock(mutex_);
    blocks_[outside] = {.size = size, .inside = std::malloc(size)};
    return {outside, outside, raw_deleter(), device};
  }

  at::DeleterFnPtr raw_deleter() const override {
    return [](void* block) { memory().release(block); };
  }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    std::memcpy(inside(to), inside(from), size);
  }

  void* inside(const void* outside) const {
    const std::lock_guard lock(mutex_);
    return blocks_.at(const_cast<void*>(outside)).inside;
  }

  static Memory& memory() {
    static auto* memory = new Memory;  // tensors may outlive every static object
    return *memory;
  }

 private:
  struct Block {
    std::size_t size;
    void* inside;
  };

  void release(void* outside) {
    const std::lock_guard lock(mutex_);
    const auto block = blocks_.extract(outside).mapped();
    munmap(outside, block.size);
    std::free(block.inside);
  }

  mutable std::mutex mutex_;
  std::map<void*, Block> blocks_;
};

// The same values where the CPU reaches them.
inline Tensor on_cpu(const Tensor& t) {
  const auto options = at::TensorOptions().dtype(t.scalar_type());
  if (t.is_cpu() || t.numel() == 0) return t.is_cpu() ? t : at::empty_strided(t.sizes(), t.strides(), options);
  auto* begin = static_cast<std::byte*>(Memory::memory().inside(t.storage().data()));
  return at::from_blob(begin + static_cast<std::size_t>(t.storage_offset()) * t.itemsize(), t.sizes(), t.strides(),
                       options);
}

inline std::optional<Tensor> on_cpu(const std::optional<Tensor>& t) {
  return t && t->defined() ? std::optional(on_cpu(*t)) : std::nullopt;
}

inline Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                    std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &Memory::memory(), c10::DispatchKeySet(key), dtype.value_or(at::kFloat),
                                   format);
}

inline Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> dtype,
                            std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &Memory::memory(), c10::DispatchKeySet(key),
                                           dtype.value_or(at::kFloat));
}

inline Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  on_cpu(to).copy_(on_cpu(from));
  return to;
}

// For results of operations that were given room for them: what was there is not kept.
inline const Tensor& resize(const Tensor& t, at::IntArrayRef size, std::optional<at::MemoryFormat> format) {
  if (t.sizes() == size) return t;
  const Tensor room = at::empty(size, t.options(), format);
  t.unsafeGetTensorImpl()->set_storage_keep_dtype(room.storage());
  t.unsafeGetTensorImpl()->set_sizes_and_strides(room.sizes(), room.strides());
  return t;
}

inline Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  resize(to, from.sizes(), std::nullopt);
  return copy_from(from, to, false);
}

inline at::Scalar first_value(const Tensor& t) { return on_cpu(t).item(); }

inline Tensor convolution(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
                          at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                          at::IntArrayRef output_padding, std::int64_t groups) {
  return at::convolution(on_cpu(x), on_cpu(weight), on_cpu(bias), stride, padding, dilation, transposed, output_padding,
                         groups)
      .to(device);
}

inline std::tuple<Tensor, Tensor, Tensor> convolution_backward(const Tensor& gradient, const Tensor& x,
                                                               const Tensor& weight, at::IntArrayRef stride,
                                                               at::IntArrayRef padding, at::IntArrayRef dilation,
                                                               bool transposed, at::IntArrayRef output_padding,
                                                               std::int64_t groups, std::array<bool, 3> wanted) {
  const std::array biases{weight.size(0)};
  const auto [of_x, of_weight, of_bias] =
      at::convolution_backward(on_cpu(gradient), on_cpu(x), on_cpu(weight), biases, stride, padding, dilation,
                               transposed, output_padding, groups, wanted);
  const auto back = [](const Tensor& t) { return t.defined() ? t.to(device) : t; };
  return {back(of_x), back(of_weight), back(of_bias)};
}

inline std::int64_t no_fused_attention(const Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&,
                                       double, bool, std::optional<double>, bool) {
  return static_cast<std::int64_t>(at::SDPBackend::math);
}

// One stream, on which nothing is ever under way.
struct Guard final : c10::impl::NoOpDeviceGuardImpl<at::kPrivateUse1> {
  at::Device getDevice() const override { return device; }
  at::Device exchangeDevice(at::Device) const override { return device; }
  c10::Stream getStream(at::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, device); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, device); }
  void record(void**, const c10::Stream&, at::DeviceIndex, c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
};

inline void by_copies(const c10::OperatorHandle& op, torch::jit::Stack* stack) { at::native::cpu_fallback(op, stack); }

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(at::DeviceIndex) const override { return true; }
  at::DeviceIndex deviceCount() const override { return 1; }
};

inline void add_to_libtorch() {
  static Hooks hooks;
  static const Guard guard;
  static const c10::impl::DeviceGuardImplRegistrar registrar(at::kPrivateUse1, &guard);
  c10::register_privateuse1_backend("pretended");
  at::RegisterPrivateUse1HooksInterface(&hooks);
  static torch::Library all(torch::Library::IMPL, "_", key, __FILE__, __LINE__);
  all.fallback(torch::CppFunction::makeFromBoxedFunction<&by_copies>());
  static torch::Library own(torch::Library::IMPL, "aten", key, __FILE__, __LINE__);
  own.impl("empty.memory_format", &empty);
  own.impl("empty_strided", &empty_strided);
  own.impl("as_strided", &at::native::as_strided_tensorimpl);
  own.impl("view", &at::native::view);
  own.impl("_reshape_alias", &at::native::_reshape_alias);
  own.impl("unfold", &at::native::unfold);
  own.impl("resize_", &resize);
  own.impl("_copy_from", &copy_from);
  own.impl("_copy_from_and_resize", &copy_from_and_resize);
  own.impl("_local_scalar_dense", &first_value);
  own.impl("convolution_overrideable", &convolution);
  own.impl("convolution_backward_overrideable", &convolution_backward);
  own.impl("_fused_sdp_choice", &no_fused_attention);
}

}  // namespace pretended

inline at::Device pretend_device() {
  static const bool once = (pretended::add_to_libtorch(), true);
  return once ? pretended::device : at::kCPU;
}

}  // namespace nunchi::ops
