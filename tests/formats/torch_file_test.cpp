// What torch.save wrote, read as the .safetensors twin beside it says. tools/make_pickle_golden.py made both.
#include "formats/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/in_child.h"
#include "core/temporary_folder.h"
#include "formats/golden.h"
#include "formats/safetensors.h"

namespace nunchi::formats {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

fs::path pickled(const std::string& name) { return golden("pickle") / name; }

// A name in the folder of pickles, or a whole path.
std::string error_of_opening(const std::string& name) {
  return error_of([&] { static_cast<void>(open_weights(pickled(name))); });
}

void expect_equal(const WeightFiles& found, const SafetensorsFile& expected, const std::string& what) {
  EXPECT_EQ(found.names().size(), expected.tensors().size()) << what;
  for (const TensorView& tensor : expected.tensors()) {
    const TensorView* own = found.find(tensor.name);
    ASSERT_NE(own, nullptr) << what << ": " << tensor.name;
    EXPECT_EQ(dtype_name(own->dtype), dtype_name(tensor.dtype)) << what << ": " << tensor.name;
    EXPECT_EQ(own->shape, tensor.shape) << what << ": " << tensor.name;
    EXPECT_EQ(to_hex(own->bytes), to_hex(tensor.bytes)) << what << ": " << tensor.name;
  }
}

TEST(TorchFile, HoldsWhatItsTwinHolds) {
  std::size_t compared = 0;
  for (const fs::path& path : list_files(golden("pickle"))) {
    const std::string name = path.stem().string();
    if (path.extension() != ".pth" || name.starts_with("refused_")) continue;
#ifdef NUNCHI_WITHOUT_ZLIB
    if (name == "packed_again") continue;
#endif
    const std::string twin = name.ends_with("_stream") ? name.substr(0, name.size() - 7) : name;
    expect_equal(open_weights(path), SafetensorsFile::open(pickled(twin + ".safetensors")), name);
    ++compared;
  }
  EXPECT_GT(compared, 25u);
}

bool lies_in(const TensorView& tensor, const MappedFile& file) {
  const auto bytes = file.bytes();
  return tensor.bytes.data() >= bytes.data() &&
         tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size();
}

TEST(TorchFile, ViewsInOnePieceAreNotCopied) {
  for (const auto* name : {"views.pth", "views_stream.pth"}) {
    const auto weights = open_weights(pickled(name));
    const auto& file = *weights.files().front().file();
    for (const auto* view : {"whole", "rows", "offset", "one_axis_expanded", "number", "same"}) {
      EXPECT_TRUE(lies_in(*weights.find(view), file)) << name << " " << view;
    }
    for (const auto* copy : {"transposed", "columns", "steps", "expanded", "permuted", "channels_last"}) {
      EXPECT_FALSE(lies_in(*weights.find(copy), file)) << name << " " << copy;
    }
    EXPECT_EQ(weights.find("whole")->bytes.data(), weights.find("same")->bytes.data());
  }
}

TEST(TorchFile, TensorsInAnArchiveAreAligned) {
  const auto weights = open_weights(pickled("dtypes.pth"));
  for (const TensorView& tensor : weights.files().front().tensors()) EXPECT_TRUE(tensor.aligned()) << tensor.name;
}

TEST(TorchFile, CopiesLiveAsLongAsTheFile) {
  std::shared_ptr<const MappedFile> file;
  TensorView transposed;
  {
    const auto weights = open_weights(pickled("views.pth"));
    file = weights.file_of("transposed");
    transposed = *weights.find("transposed");
  }
  const auto expected = SafetensorsFile::open(pickled("views.safetensors"));
  EXPECT_EQ(to_hex(transposed.bytes), to_hex(expected.find("transposed")->bytes));
}

TEST(TorchFile, SaysWhereTheStateDictWas) {
  const auto metadata = [](const std::string& name) { return open_weights(pickled(name)).metadata(); };
  EXPECT_EQ(metadata("module.pth"), Metadata{});
  EXPECT_EQ(metadata("dino.pth"), (Metadata{{"state_dict", "teacher"}, {"prefix", "backbone."}}));
  EXPECT_EQ(metadata("dino_student.pth"), (Metadata{{"prefix", "module.backbone."}}));
  EXPECT_EQ(metadata("wrapped_ema.pth"), (Metadata{{"state_dict", "model_ema"}}));
  EXPECT_EQ(metadata("wrapped_compiled.pth"), (Metadata{{"state_dict", "net"}, {"prefix", "_orig_mod.module."}}));
}

TEST(TorchFile, CallsAreRefusedByName) {
  const auto expect_refused = [](const std::string& name, const std::string& function) {
    for (const auto* container : {".pth", "_stream.pth"}) {
      const std::string message = error_of_opening("refused_" + name + container);
      EXPECT_THAT(message, AllOf(HasSubstr("its pickle names \"" + function + "\""), HasSubstr("could run code"),
                                 HasSubstr("save_file(model.state_dict()")))
          << name << container;
    }
  };
  expect_refused("system", "posix.system");
  expect_refused("eval", "builtins.eval");
  expect_refused("nested", "builtins.exec");
  expect_refused("getattr", "builtins.getattr");
  expect_refused("unpickler", "torch.storage._load_from_bytes");
  EXPECT_THAT(error_of_opening("refused_module.pth"), HasSubstr("names \"torch.nn.modules.container.Sequential\""));
}

TEST(TorchFile, OtherContainersAreNamed) {
  EXPECT_THAT(error_of_opening("refused_torchscript.pt"), AllOf(HasSubstr("TorchScript"), HasSubstr("torch.jit.load")));
  EXPECT_THAT(error_of_opening("refused_tar.pth"), AllOf(HasSubstr("tar archive"), HasSubstr("before 0.1.10")));
  EXPECT_THAT(error_of_opening("refused_big_endian.pth"), HasSubstr("found the byte order \"big\""));
  EXPECT_THAT(error_of_opening("refused_bare.pkl"), HasSubstr("found another pickle"));
  EXPECT_THAT(error_of_opening(golden("zip/stored.zip").string()), HasSubstr("with a data.pkl in a folder"));
  EXPECT_THAT(error_of([] { read_torch_file(std::as_bytes(std::span("text")), "file"); }), HasSubstr("another file"));
}

TEST(TorchFile, AFileWithoutOneStateDictIsAnError) {
  EXPECT_THAT(error_of_opening("refused_two_dicts.pth"),
              HasSubstr("found tensors under 2 names: \"discriminator\", \"generator\""));
  EXPECT_THAT(error_of_opening("refused_no_tensors.pth"), HasSubstr("found a dict without tensors"));
  EXPECT_THAT(error_of_opening("refused_list.pth"), HasSubstr("found a list"));
}

TEST(TorchFile, DamagedStoragesAreErrors) {
  EXPECT_THAT(error_of_opening("refused_missing_storage.pth"), HasSubstr("expected the storage \"module/data/1\""));
  EXPECT_THAT(error_of_opening("refused_short_storage.pth"),
              HasSubstr("expected 24 elements in storage \"0\", found 2"));
}

TEST(TorchFile, EveryCutIsAnError) {
  for (const auto* name : {"pickle/views.pth", "pickle/wrapped_model_stream.pth"}) {
    const std::string whole = read_golden(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto cut = std::as_bytes(std::span(whole)).first(size);
      ASSERT_NE(error_of([&] { read_torch_file(cut, "file"); }), "") << name << " cut to " << size;
    }
  }
}

TEST(TorchFile, PointersOfGitAreNamed) {
  const TemporaryFolder folder;
  write_file(folder / "a.pth", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  EXPECT_THAT(error_of_opening((folder / "a.pth").string()), HasSubstr("git lfs pull"));
}

// A stream with one tensor "a" of zeros, which the file system need not store.
void write_large_stream(const fs::path& path, std::uint32_t count) {
  using namespace std::string_literals;
  const std::string size(reinterpret_cast<const char*>(&count), sizeof(count));
  std::string file = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}.";
  file += "\x80\2}X\1\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\n"s;
  file += "X\1\0\0\0zX\3\0\0\0cpuJ"s + size + "NtQK\0J"s + size + "\x85K\1\x85\x89NtRs.\x80\2]X\1\0\0\0za."s;
  file += size + "\0\0\0\0"s;
  const std::uint64_t begin = file.size();
  write_file(path, file);
  fs::resize_file(path, begin + std::uint64_t{4} * count);
}

std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4096;
}

TEST(TorchFile, OpeningALargeFileReadsNoTensors) {
  constexpr std::uint32_t count = 1 << 28;  // 1 GiB
  const TemporaryFolder folder;
  write_large_stream(folder / "large.pth", count);
  const std::size_t before = resident_bytes();
  const auto weights = open_weights(folder / "large.pth");
  ASSERT_NE(weights.find("a"), nullptr);
  EXPECT_EQ(weights.find("a")->bytes.size(), std::uint64_t{4} * count);
  EXPECT_LT(resident_bytes(), before + (std::size_t{32} << 20));
  EXPECT_EQ(weights.find("a")->bytes.back(), std::byte{0});
}

}  // namespace
}  // namespace nunchi::formats
