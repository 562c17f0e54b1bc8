// train/tiny.h: a dataset that a small network learns in a second, and a recipe for it.
//
//   class Training : public Tiny {};
//   TEST_F(Training, Learns) { const auto result = train(recipe({"schedule.epochs=4"}), {.run = folder_ / "run"}); }
#pragma once

#include <gmock/gmock.h>

#include <random>

#include "core/file.h"
#include "core/json.h"
#include "core/temporary_folder.h"

namespace nunchi {

// Three classes told apart by the brightest of their colours, each with `count` pictures per split.
inline void write_tiny_dataset(const std::filesystem::path& folder, int count = 12, int side = 16) {
  std::mt19937 random(1);
  for (const std::string split : {"train", "val"}) {
    for (int label = 0; label < 3; ++label) {
      const auto place =
          folder / split / std::vector<std::string>{"blue", "green", "red"}[static_cast<std::size_t>(label)];
      std::filesystem::create_directories(place);
      for (int i = 0; i < count; ++i) {
        std::string pixels = fmt::format("P6\n{} {}\n255\n", side, side);
        for (int k = 0; k < side * side * 3; ++k)
          pixels += static_cast<char>(static_cast<unsigned>(random()) % 160 + (k % 3 == 2 - label ? 80 : 0));
        write_file(place / fmt::format("{:03}.ppm", i), pixels);
      }
    }
  }
}

// All that draws from chance or keeps a memory is on.
inline std::string tiny_recipe(const std::filesystem::path& data) {
  return fmt::format(R"(model:
  arch: timm/vit_tiny_patch16_224
  arguments: {{img_size: 16, patch_size: 8, embed_dim: 32, depth: 2, num_heads: 2}}
data:
  path: {}
  validation: val
  batch: 6
augment:
  crop: random
  padding: 2
optimizer:
  learning_rate: 3e-3
schedule:
  epochs: 3
regularisation:
  dropout: 0.1
  drop_path: 0.1
  mixup: 0.2
  ema_decay: 0.8
run:
  log_every: 2
)",
                     Json(data.string()).dump());
}

}  // namespace nunchi
