#include "formats/torch_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/error.h"
#include "formats/little_endian.h"
#include "formats/quote_name.h"
#include "formats/state_dict.h"
#include "formats/zip.h"

namespace nunchi::formats {
namespace {

constexpr std::size_t most_copied_above_file = 4 << 20;

bool is_tar(std::span<const std::byte> file) {
  constexpr std::size_t magic_offset = 257;
  constexpr std::string_view magic = "ustar";
  return file.size() >= magic_offset + magic.size() &&
         std::memcmp(file.data() + magic_offset, magic.data(), magic.size()) == 0;
}

// A safetensors file begins with the length of its header, whose lowest byte may be any; as a length, the first eight
// bytes of a pickle are far above what a header may have.
bool is_pickle(std::span<const std::byte> file) {
  constexpr std::uint64_t most_header_bytes = 100000000;
  if (file.size() < sizeof(std::uint64_t) || file[0] != std::byte{0x80}) return false;
  return load<std::uint8_t>(file, 1) <= 5 && load<std::uint64_t>(file) > most_header_bytes;
}

// Makes views of a checkpoint's tensors and counts what has to be copied for them.
class TensorMaker {
 public:
  TensorMaker(const TorchContents& contents, std::size_t file_size, const std::string& file)
      : contents_(contents), most_copied_(file_size + most_copied_above_file), file_(file) {}
  TensorView make(const std::string& name, const PickledTensor& tensor);

 private:
  [[noreturn]] void fail(const std::string& tensor, const std::string& reason) const {
    throw Error(ErrorKind::model, fmt::format("{}: tensor {}: {}", file_, quote_name(tensor), reason));
  }
  std::uint64_t bytes_of(const std::string& name, const PickledTensor& tensor) const;
  void check_inside(const std::string& name, const PickledTensor& tensor, std::size_t available) const;
  std::span<const std::byte> copy(const std::string& name, const PickledTensor& tensor,
                                  std::span<const std::byte> source, std::size_t size);

  const TorchContents& contents_;
  std::size_t most_copied_;
  const std::string& file_;
};

// Zero sizes count as one in the overflow check: strides are products of the other sizes.
std::uint64_t TensorMaker::bytes_of(const std::string& name, const PickledTensor& tensor) const {
  std::uint64_t bytes = element_bits(tensor.dtype) / 8;
  bool empty = false;
  for (const std::int64_t size : tensor.shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1)), &bytes) ||
        bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail(name, fmt::format("the shape [{}] is larger than any memory", fmt::join(tensor.shape, ", ")));
    }
  }
  return empty ? 0 : bytes;
}

// Row-major without holes. Axes of one element may have any stride.
bool is_contiguous(const PickledTensor& tensor) {
  std::int64_t expected = 1;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != expected) return false;
    expected *= tensor.shape[axis];
  }
  return true;
}

void TensorMaker::check_inside(const std::string& name, const PickledTensor& tensor, std::size_t available) const {
  std::uint64_t last = tensor.offset;
  bool overflow = false;
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    std::uint64_t step = 0;
    overflow |= __builtin_mul_overflow(static_cast<std::uint64_t>(tensor.shape[axis] - 1),
                                       static_cast<std::uint64_t>(tensor.strides[axis]), &step);
    overflow |= __builtin_add_overflow(last, step, &last);
  }
  if (!overflow && last < available / (element_bits(tensor.dtype) / 8)) return;
  fail(name, fmt::format("its {} [{}] with strides [{}] at offset {} lies outside of its storage of {} bytes",
                         dtype_name(tensor.dtype), fmt::join(tensor.shape, ", "), fmt::join(tensor.strides, ", "),
                         tensor.offset, available));
}

// Walks the row-major copy in order and keeps the place in the source beside it.
void copy_in_order(const PickledTensor& tensor, std::span<const std::byte> source, std::vector<std::byte>& target) {
  const std::size_t element = element_bits(tensor.dtype) / 8;
  std::vector<std::size_t> index(tensor.shape.size(), 0);
  std::size_t from = tensor.offset * element;
  for (std::size_t to = 0; to < target.size(); to += element) {
    std::memcpy(target.data() + to, source.data() + from, element);
    for (std::size_t axis = index.size(); axis-- > 0;) {
      const std::size_t stride = static_cast<std::size_t>(tensor.strides[axis]) * element;
      from += stride;
      if (++index[axis] < static_cast<std::size_t>(tensor.shape[axis])) break;
      from -= stride * std::exchange(index[axis], 0);
    }
  }
}

// An expanded tensor shows one element many times: a copy may not grow without limit.
std::span<const std::byte> TensorMaker::copy(const std::string& name, const PickledTensor& tensor,
                                             std::span<const std::byte> source, std::size_t size) {
  if (size > most_copied_) {
    fail(name,
         fmt::format("its {} [{}] with strides [{}] would be copied to {} bytes, far more than the file has",
                     dtype_name(tensor.dtype), fmt::join(tensor.shape, ", "), fmt::join(tensor.strides, ", "), size));
  }
  most_copied_ -= size;
  auto target = std::make_shared<std::vector<std::byte>>(size);
  copy_in_order(tensor, source, *target);
  contents_.memory->push_back(target);
  return *target;
}

TensorView TensorMaker::make(const std::string& name, const PickledTensor& tensor) {
  TensorView view{.name = name, .dtype = tensor.dtype, .shape = tensor.shape, .bytes = {}};
  const std::uint64_t size = bytes_of(name, tensor);
  if (size == 0) return view;
  const auto storage = contents_.bytes_of(contents_.tree.storages[tensor.storage]);
  check_inside(name, tensor, storage.size());
  const std::size_t begin = tensor.offset * (element_bits(tensor.dtype) / 8);
  view.bytes = is_contiguous(tensor) ? storage.subspan(begin, size) : copy(name, tensor, storage, size);
  return view;
}

TorchContents read_container(std::span<const std::byte> file, const std::string& name) {
  if (is_zip(file)) return read_torch_zip(file, name);
  if (is_pickle(file)) return read_torch_stream(file, name);
  throw Error(ErrorKind::model,
              fmt::format("{}: expected a file of torch.save, found {}", name,
                          is_tar(file) ? "a tar archive, as torch before 0.1.10 wrote it; load it in Python with a "
                                         "newer torch and save it again"
                                       : "another file"));
}

}  // namespace

bool is_torch_file(std::span<const std::byte> file) { return is_zip(file) || is_pickle(file) || is_tar(file); }

TorchWeights read_torch_file(std::span<const std::byte> file, const std::string& name, const TorchOptions& options) {
  const TorchContents contents = read_container(file, name);
  const StateDict found = find_state_dict(contents.tree, name, options.as_they_are);
  TorchWeights weights;
  TensorMaker maker(contents, file.size(), name);
  for (const auto& [own_name, tensor] : found.tensors) weights.tensors.push_back(maker.make(own_name, *tensor));
  if (!found.path.empty()) weights.metadata["state_dict"] = found.path;
  if (!found.prefix.empty()) weights.metadata["prefix"] = found.prefix;
  weights.memory = contents.memory;
  return weights;
}

}  // namespace nunchi::formats
