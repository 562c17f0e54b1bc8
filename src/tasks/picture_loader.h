// tasks/picture_loader.h: many pictures to batches of network input, decoded on threads of their own while the network
// runs.
//
//   tasks::PictureLoader loader(paths, model.transform(), {.batch = 8});
//   while (auto batch = loader.next()) use(model.forward(batch->pixels));
//
// The order of the inputs is kept whatever the number of threads. The threads call no ATen: they would each wake a team
// of OpenMP workers.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "image/decode.h"
#include "image/transform.h"
#include "ops/tensor.h"

namespace nunchi::tasks {

struct Batch {
  struct Failure {
    std::size_t index;
    std::string message;
  };
  std::vector<std::size_t> indices;  // of the inputs, one per picture; empty where all failed
  std::vector<Tensor> views;         // [b, 3, h, w] float each; pictures of one batch have one size
  Tensor pixels;                     // the first view: for most uses the only one
  std::vector<Failure> failures;
};

struct PictureLoaderOptions {
  int batch = 8;
  int threads = 2;
  image::DecodeOptions decode;
};

// Where pictures come from, as network input: one view each, or several of the same picture (other crops, the inputs of
// other models). Both functions are called by several threads.
struct PictureInputs {
  std::size_t count = 0;
  std::function<std::string(std::size_t index)> name;
  std::function<std::vector<image::PixelValues>(std::size_t index)> load;  // throws where it cannot be read
};

// Files, one view each.
PictureInputs picture_files(const std::vector<std::filesystem::path>& paths, const image::Transform& transform,
                            image::DecodeOptions decode);

class PictureLoader {
 public:
  PictureLoader(PictureInputs inputs, const PictureLoaderOptions& options);
  PictureLoader(const std::vector<std::filesystem::path>& paths, const image::Transform& transform,
                const PictureLoaderOptions& options);
  ~PictureLoader();

  // The next batch in the order of the inputs; nothing after the last.
  std::optional<Batch> next();

 private:
  struct Loaded {
    std::vector<image::PixelValues> views;
    std::string error;  // empty: the picture is there
  };
  void work();
  Loaded load(std::size_t index) const;
  Loaded take(std::size_t index);

  const PictureInputs inputs_;
  const PictureLoaderOptions options_;
  std::size_t position_ = 0;  // of the next picture to hand out

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t claimed_ = 0;               // guarded by mutex_: the next picture to load
  bool stopping_ = false;                 // guarded by mutex_
  std::map<std::size_t, Loaded> loaded_;  // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace nunchi::tasks
