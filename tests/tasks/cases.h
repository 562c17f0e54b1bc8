// tasks/cases.h: the parity cases, copies of them that may be altered, and the real data beside the checkout.
//
//   const TemporaryFolder folder;
//   const auto copy = copy_case("vit_classifier", folder);
//   change_arrays(copy / "model/model.safetensors", [](Arrays& arrays) { arrays.at("classifier.bias").floats()[0] += 1;
//   });
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

#include "core/file.h"
#include "core/json.h"
#include "core/temporary_folder.h"
#include "formats/safetensors.h"

namespace nunchi {

inline std::filesystem::path case_folder(const std::string& name) {
  return std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/cases" / name;
}

inline std::filesystem::path case_model(const std::string& name) { return case_folder(name) / "model"; }

inline std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(case_folder(""))) {
    if (std::filesystem::exists(entry.path() / "case.json")) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline std::filesystem::path copy_case(const std::string& name, const TemporaryFolder& folder) {
  std::filesystem::copy(case_folder(name), folder / name, std::filesystem::copy_options::recursive);
  return folder / name;
}

// Real photos and checkpoints: NUNCHI_SHARED, else ../shared beside the checkout. They may be absent.
inline std::filesystem::path shared_data(const std::string& name) {
  const char* given = std::getenv("NUNCHI_SHARED");
  return (given ? std::filesystem::path(given) : std::filesystem::path(NUNCHI_SOURCE_DIR) / "../shared") / "data" /
         name;
}

struct Array {
  formats::Dtype dtype = formats::Dtype::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  float* floats() { return reinterpret_cast<float*>(bytes.data()); }
  std::size_t count() const { return bytes.size() / sizeof(float); }
};
using Arrays = std::map<std::string, Array>;

inline Arrays read_arrays(const std::filesystem::path& path) {
  Arrays arrays;
  const auto file = formats::SafetensorsFile::open(path);
  for (const auto& view : file.tensors())
    arrays[view.name] = {view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}};
  return arrays;
}

inline void change_arrays(const std::filesystem::path& path, const std::function<void(Arrays&)>& change) {
  Arrays arrays = read_arrays(path);
  change(arrays);
  std::vector<formats::TensorView> views;
  for (const auto& [name, array] : arrays) views.push_back({name, array.dtype, array.shape, array.bytes});
  formats::write_safetensors(path, views, {{"format", "pt"}});
}

inline void change_json(const std::filesystem::path& path, const std::function<void(Json&)>& change) {
  Json json = read_json(path);
  change(json);
  write_file(path, json.dump(2));
}

// A plain PPM of one colour gradient: a picture of any size without an encoder.
inline void write_ppm(const std::filesystem::path& path, int width, int height, int seed = 0) {
  std::string text = fmt::format("P6\n{} {}\n255\n", width, height);
  for (int i = 0; i < 3 * width * height; ++i)
    text += static_cast<char>((i * (7 + seed) + i / width + 31 * seed) & 255);
  write_file(path, text);
}

}  // namespace nunchi

#define SKIP_WITHOUT_SHARED(name)                            \
  if (!std::filesystem::exists(::nunchi::shared_data(name))) \
  GTEST_SKIP() << "real data is absent: " << ::nunchi::shared_data(name)
