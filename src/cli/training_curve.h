// cli/training_curve.h: a picture of how a training went.
//
//   draw_training_curve("runs/cifar10");   // journal.jsonl -> curve.png
#pragma once

#include <filesystem>

namespace nunchi::cli {

// Loss and accuracy over the epochs, of training and validation, from RUN/journal.jsonl to RUN/curve.png.
void draw_training_curve(const std::filesystem::path& run);

}  // namespace nunchi::cli
