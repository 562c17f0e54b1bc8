// formats/torch_file.h: the weights in a file of torch.save (.pth, .pt, .bin), in either of its containers: the zip
// archive of torch 1.6 and later (NAME/data.pkl beside NAME/data/KEY) and the stream of earlier ones (five pickles,
// then the storages one after another). TorchScript programs and the tar archives before torch 0.1.10 are named and
// refused.
//
//   const TorchWeights weights = read_torch_file(file.bytes(), "dino_vits16.pth");
//   for (const TensorView& tensor : weights.tensors) ...
#pragma once

#include <functional>
#include <memory>

#include "formats/pickle.h"
#include "formats/tensor_view.h"

namespace nunchi::formats {

struct TorchOptions {
  bool as_they_are = false;  // names and wrappers as in the file, see formats/state_dict.h
};

struct TorchWeights {
  std::vector<TensorView> tensors;     // sorted by name
  Metadata metadata;                   // "state_dict": where in the file it was; "prefix": what was taken off the names
  std::shared_ptr<const void> memory;  // of the tensors that do not lie in the file as they are
};

// Whether the file is one that read_torch_file reads or names: a zip or tar archive, or a pickle.
bool is_torch_file(std::span<const std::byte> file);

// Views that lie in one piece are views of `file`; others (transposed, expanded, compressed) are copied. Reads the
// pickle and nothing of the tensors' data, but for those copies. Throws Error (model) with `name`.
TorchWeights read_torch_file(std::span<const std::byte> file, const std::string& name,
                             const TorchOptions& options = {});

// What a container holds: the tree, and where the bytes of a storage lie.
struct TorchContents {
  using Memory = std::vector<std::shared_ptr<const void>>;

  PickleTree tree;
  std::function<std::span<const std::byte>(const PickledStorage&)> bytes_of;  // throws Error where there are too few
  std::shared_ptr<Memory> memory = std::make_shared<Memory>();  // of what does not lie in the file as it is
};
TorchContents read_torch_zip(std::span<const std::byte> file, const std::string& name);
TorchContents read_torch_stream(std::span<const std::byte> file, const std::string& name);

}  // namespace nunchi::formats
