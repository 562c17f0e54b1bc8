#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "formats/quote_name.h"
#include "formats/torch_file.h"
#include "formats/zip.h"

namespace nunchi::formats {
namespace {

constexpr std::uint64_t most_pickle_bytes = 256 << 20;
constexpr std::uint64_t most_growth = 16;  // of compressed weights: they are close to noise
constexpr std::uint64_t most_inflated_above = 16 << 20;
constexpr std::string_view pickle_ending = "/data.pkl";

[[noreturn]] void fail(const std::string& file, const std::string& reason) {
  throw Error(ErrorKind::model, fmt::format("{}: {}", file, reason));
}

// A stored entry without comparing its checksum: torch may be told to write none.
ZipContent content_of(const ZipFile& archive, const ZipEntry& entry, std::uint64_t most_bytes) {
  if (!entry.is_stored()) return archive.read(entry, most_bytes);
  return {.bytes = archive.view(entry), .memory = nullptr};
}

// The folder in the archive that holds everything: its name is any.
std::string find_folder(const ZipFile& archive, const std::string& file) {
  const std::string* found = nullptr;
  for (const ZipEntry& entry : archive.entries()) {
    const bool is_pickle =
        entry.name.ends_with(pickle_ending) && entry.name.find('/') == entry.name.size() - pickle_ending.size();
    if (!is_pickle) continue;
    if (found != nullptr)
      fail(file, fmt::format("expected one data.pkl, found {} and {}", quote_name(*found), quote_name(entry.name)));
    found = &entry.name;
  }
  if (found == nullptr) {
    fail(file,
         "expected a zip archive of torch.save, with a data.pkl in a folder, found another archive; unpack it if "
         "the weights are inside");
  }
  return found->substr(0, found->size() - pickle_ending.size());
}

void check_kind(const ZipFile& archive, const std::string& folder, const std::string& file) {
  const auto is_code = [&](const ZipEntry& entry) { return entry.name.starts_with(folder + "/code/"); };
  const auto& entries = archive.entries();
  if (archive.find(folder + "/constants.pkl") != nullptr || std::any_of(entries.begin(), entries.end(), is_code)) {
    fail(file,
         "expected weights, found a TorchScript program; save its weights alone in Python: "
         "safetensors.torch.save_file(torch.jit.load(file).state_dict(), \"model.safetensors\")");
  }
  const ZipEntry* order = archive.find(folder + "/byteorder");
  if (order == nullptr) return;  // before torch 2.1
  constexpr std::uint64_t most_bytes = 16;
  const ZipContent content = content_of(archive, *order, most_bytes);
  const std::string_view text(reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size());
  if (text != "little") {
    fail(file, fmt::format("expected little-endian numbers, found the byte order {}; save it on another machine",
                           quote_name(text)));
  }
}

// Finds storages by their key. Stored ones are views of the file; archives that somebody packed again are inflated,
// each storage once.
class Storages {
 public:
  Storages(ZipFile archive, std::string folder, std::uint64_t file_size, std::string file)
      : archive_(std::move(archive)),
        folder_(std::move(folder)),
        most_inflated_(file_size * most_growth + most_inflated_above),
        file_(std::move(file)) {}

  std::span<const std::byte> find(const PickledStorage& storage, TorchContents::Memory& memory);

 private:
  std::span<const std::byte> read(std::string_view key, TorchContents::Memory& memory);

  ZipFile archive_;
  std::string folder_;
  std::uint64_t most_inflated_;
  std::string file_;
  std::unordered_map<std::string, std::span<const std::byte>> inflated_;
};

std::span<const std::byte> Storages::read(std::string_view key, TorchContents::Memory& memory) {
  const std::string name = fmt::format("{}/data/{}", folder_, key);
  const ZipEntry* entry = archive_.find(name);
  if (entry == nullptr)
    fail(file_, fmt::format("expected the storage {} in the archive, found none", quote_name(name)));
  if (entry->is_stored()) return archive_.view(*entry);
  const auto [at, added] = inflated_.try_emplace(name);
  if (!added) return at->second;
  const ZipContent content = archive_.read(*entry, most_inflated_);
  most_inflated_ -= content.bytes.size();
  memory.push_back(content.memory);
  return at->second = content.bytes;
}

std::span<const std::byte> Storages::find(const PickledStorage& storage, TorchContents::Memory& memory) {
  const auto bytes = read(storage.key, memory);
  const std::uint64_t available = bytes.size() / storage.element_bytes();
  if (storage.part || storage.count > available) {
    fail(file_, fmt::format("expected {} elements in storage {}, found {}: the file is damaged", storage.count,
                            quote_name(storage.key), available));
  }
  return bytes.first(storage.count * storage.element_bytes());
}

}  // namespace

TorchContents read_torch_zip(std::span<const std::byte> file, const std::string& name) {
  ZipFile archive = ZipFile::parse(file, name);
  const std::string folder = find_folder(archive, name);
  check_kind(archive, folder, name);
  const ZipEntry* entry = archive.find(fmt::format("{}{}", folder, pickle_ending));
  TorchContents contents;
  const ZipContent pickle = content_of(archive, *entry, most_pickle_bytes);
  contents.memory->push_back(pickle.memory);  // the tree shows its texts
  contents.tree = unpickle(pickle.bytes, name);
  const auto storages = std::make_shared<Storages>(std::move(archive), folder, file.size(), name);
  contents.bytes_of = [storages, memory = contents.memory](const PickledStorage& storage) {
    return storages->find(storage, *memory);
  };
  return contents;
}

}  // namespace nunchi::formats
