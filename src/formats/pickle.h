// formats/pickle.h: what torch.save pickled, read without running any of it. A pickle is a program: it may name any
// function of Python and call it. Here it may name only what a state dict is made of (formats/pickle_globals.cpp lists
// it); every other name is refused, whether it is called or not.
// (Opcodes: CPython's pickletools, protocols 2 to 5, and those of earlier ones that Python 2 mixed in.)
//
//   const PickleTree tree = unpickle(bytes, "model.pth");
//   const PickleValue& root = tree.values[tree.root];          // root.kind == ValueKind::dict
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dtype.h"

namespace nunchi::formats {

enum class ValueKind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,  // over 64 bits
  real,
  text,
  bytes,
  list,
  tuple,
  set,
  dict,  // also OrderedDict, defaultdict, Counter, and Namespace with its fields
  tensor,
  storage,
  dtype,
  function,  // the name of something that may be called
  object,    // something harmless that weights have no use for: a device, a NumPy scalar
};

using ValueId = std::uint32_t;  // position in PickleTree::values: values may be shared, and hold themselves

struct PickleValue {
  ValueKind kind = ValueKind::none;
  std::int64_t integer = 0;    // of a boolean or integer; a Dtype; the position of a tensor, storage or function
  double real = 0;             // of a real
  std::string_view text;       // of a text, bytes or big integer (little-endian): a view of the pickle
  std::vector<ValueId> items;  // of a list, tuple or set; of a dict: key, value, key, value, ...
};

// An array of elements that tensors share. Its bytes lie elsewhere in the file, under the key.
struct PickledStorage {
  struct Part {
    std::uint64_t offset = 0, count = 0;
  };

  std::string_view key;
  std::optional<Dtype> dtype;  // none: bytes, and each tensor says how it reads them
  std::uint64_t count = 0;     // of elements
  std::optional<Part> part;    // this storage is a part of the one under the key (files before torch 1.6)

  std::size_t element_bytes() const { return dtype ? element_bits(*dtype) / 8 : 1; }
};

// A view of a storage: offset and strides are in elements of `dtype`. Nothing is checked against the storage yet.
struct PickledTensor {
  std::size_t storage = 0;
  Dtype dtype = Dtype::f32;
  std::uint64_t offset = 0;
  std::vector<std::int64_t> shape, strides;  // none of them negative
};

struct PickleTree {
  std::deque<PickleValue> values;
  ValueId root = 0;
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;
  std::size_t size = 0;  // of the pickle; another may follow

  const PickleValue& at(ValueId id) const { return values[id]; }
};

// The tree's texts are views of `bytes`. Memory and time are bounded by the size of the pickle and by fixed limits.
// Throws Error (model) with `name`: for a name that is not allowed, with what to do; for anything damaged, with where.
PickleTree unpickle(std::span<const std::byte> bytes, const std::string& name);

}  // namespace nunchi::formats
