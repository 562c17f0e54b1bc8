#include <fmt/format.h>

#include <unordered_map>

#include "core/error.h"
#include "formats/little_endian.h"
#include "formats/quote_name.h"
#include "formats/torch_file.h"

namespace nunchi::formats {
namespace {

constexpr std::string_view magic_number = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // 0x1950a86a20f9469cfc6c
constexpr std::int64_t format_version = 1001;

// Of the array in the file, not of a part of it.
struct StoredArray {
  std::size_t element_bytes = 1;
  std::span<const std::byte> bytes;
};

using Arrays = std::unordered_map<std::string_view, StoredArray>;  // the keys are views of the file

class StreamReader {
 public:
  StreamReader(std::span<const std::byte> file, const std::string& name) : file_(file), rest_(file), name_(name) {}
  TorchContents read();

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(ErrorKind::model, fmt::format("{}: {}", name_, reason));
  }
  PickleTree next_pickle();
  void check_start();
  void check_system(const PickleTree& system) const;
  std::span<const std::byte> take_array(std::string_view key, std::size_t element_bytes);
  Arrays take_arrays(const PickleTree& object);

  std::span<const std::byte> file_, rest_;
  const std::string& name_;
};

PickleTree StreamReader::next_pickle() {
  PickleTree tree = unpickle(rest_, name_);
  rest_ = rest_.subspan(tree.size);
  return tree;
}

void StreamReader::check_start() {
  const PickleTree magic = next_pickle();
  const PickleValue& number = magic.at(magic.root);
  if (number.kind != ValueKind::big_integer || number.text != magic_number) {
    fail("expected a file of torch.save, found another pickle; save the weights as safetensors");
  }
  const PickleTree version = next_pickle();
  const PickleValue& found = version.at(version.root);
  if (found.kind != ValueKind::integer || found.integer != format_version) {
    fail(fmt::format("expected version {} of torch.save's format, found another", format_version));
  }
}

void StreamReader::check_system(const PickleTree& system) const {
  const PickleValue& facts = system.at(system.root);
  if (facts.kind != ValueKind::dict) fail("expected a dict about the system that wrote the file, found another value");
  for (std::size_t i = 0; i + 1 < facts.items.size(); i += 2) {
    const PickleValue& value = system.at(facts.items[i + 1]);
    if (system.at(facts.items[i]).text != "little_endian" || value.kind != ValueKind::boolean) continue;
    if (value.integer == 0) fail("expected little-endian numbers, found big-endian ones; save it on another machine");
  }
}

std::span<const std::byte> StreamReader::take_array(std::string_view key, std::size_t element_bytes) {
  const auto fail_cut_off = [&](std::uint64_t count) {
    fail(fmt::format(
        "expected {} elements of storage {}, found {} bytes: the file is cut off; copy or download it again", count,
        quote_name(key), rest_.size()));
  };
  if (rest_.size() < sizeof(std::uint64_t)) fail_cut_off(1);
  const auto count = load<std::uint64_t>(rest_);
  rest_ = rest_.subspan(sizeof(count));
  if (count > rest_.size() / element_bytes) fail_cut_off(count);
  const auto bytes = rest_.first(count * element_bytes);
  rest_ = rest_.subspan(bytes.size());
  return bytes;
}

// The arrays have their count in the file but not their dtype, which the object has.
Arrays StreamReader::take_arrays(const PickleTree& object) {
  Arrays arrays;
  for (const PickledStorage& storage : object.storages) {
    const auto [at, added] = arrays.emplace(storage.key, StoredArray{.element_bytes = storage.element_bytes()});
    if (!added && at->second.element_bytes != storage.element_bytes()) {
      fail(fmt::format("expected one dtype for storage {}, found two", quote_name(storage.key)));
    }
  }
  const PickleTree keys = next_pickle();
  const PickleValue& list = keys.at(keys.root);
  if (list.kind != ValueKind::list) fail("expected the list of storages, found another value");
  for (const ValueId id : list.items) {
    const auto found = arrays.find(keys.at(id).text);
    if (keys.at(id).kind != ValueKind::text || found == arrays.end()) {
      fail(fmt::format("expected the key of a storage, found {}", quote_name(keys.at(id).text)));
    }
    found->second.bytes = take_array(found->first, found->second.element_bytes);
  }
  return arrays;
}

TorchContents StreamReader::read() {
  check_start();
  check_system(next_pickle());
  TorchContents contents{.tree = next_pickle(), .bytes_of = {}};
  contents.bytes_of = [arrays = take_arrays(contents.tree), name = name_](const PickledStorage& storage) {
    const auto bytes = arrays.at(storage.key).bytes;
    const auto part = storage.part.value_or(PickledStorage::Part{.offset = 0, .count = storage.count});
    const std::size_t element = storage.element_bytes();
    const std::uint64_t available = bytes.size() / element;
    if (storage.count > available || part.offset > available || part.count > available - part.offset) {
      throw Error(ErrorKind::model, fmt::format("{}: expected {} elements in storage {}, found {}", name, storage.count,
                                                quote_name(storage.key), available));
    }
    return bytes.subspan(part.offset * element, part.count * element);
  };
  return contents;
}

}  // namespace

TorchContents read_torch_stream(std::span<const std::byte> file, const std::string& name) {
  return StreamReader(file, name).read();
}

}  // namespace nunchi::formats
