// engine/model.h: nunchi as a library. Plain C++ types, no LibTorch in sight; every function may be called from any
// thread.
//
//   #include <nunchi/nunchi.h>
//   nunchi::Model model("vit-base-patch16-224");
//   for (const auto& answer : model.classify("cat.jpg")) use(answer.label, answer.probability);
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace nunchi {

struct ModelOptions {
  std::string precision;  // fp32, bf16, int8; empty: int8 of a model that is stored in it, else fp32
  std::string arch;       // [publisher/]name[.checkpoint], for weights without config.json
  int threads = 0;        // for the network, of the whole process; 0: all cores
};

struct Answer {
  std::int64_t id = 0;
  std::string label;
  float probability = 0;
};

struct ExplainOptions {
  std::string method;  // `nunchi explain --help` names them; empty: grad-cam, of a model without classes eigen-cam
  std::optional<std::int64_t> id;  // of the class to explain; without: the most probable one
  std::string layer;               // whose values an activation map is made of; empty: the family's own
};

// Where the picture speaks for the answer: the network's view of it in rows and columns, more being more important.
struct HeatMap {
  int rows = 0, columns = 0;
  std::vector<float> values;
  std::int64_t id = 0;  // of the class
};

// Somebody else's picture in memory, 8-bit RGB, row after row.
struct PictureView {
  const std::uint8_t* pixels = nullptr;
  int width = 0, height = 0;
};

// A loaded checkpoint. Calls from several threads wait for one another: one thread runs all forwards.
class NUNCHI_API Model {
 public:
  // `path`: a folder as transformers or timm writes it, or a file of weights with options.arch. Throws Error (model,
  // usage).
  explicit Model(const std::filesystem::path& path, const ModelOptions& options = {});
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  // The `count` most probable classes, best first. Throws Error (input) for a picture that cannot be read, Error
  // (model) for a model without classifier.
  std::vector<Answer> classify(const std::filesystem::path& picture, int count = 5) const;
  std::vector<Answer> classify(const PictureView& picture, int count = 5) const;

  // The class token after the final norm; of a convolutional network, the mean of its feature map.
  std::vector<float> embed(const std::filesystem::path& picture) const;
  std::vector<float> embed(const PictureView& picture) const;

  // Throws Error (usage) for a method that the model cannot have, an unknown layer, a class that it does not know.
  HeatMap explain(const std::filesystem::path& picture, const ExplainOptions& options = {}) const;
  HeatMap explain(const PictureView& picture, const ExplainOptions& options = {}) const;

  std::int64_t classes() const;     // 0: a backbone
  std::int64_t parameters() const;  // trainable ones

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace nunchi
