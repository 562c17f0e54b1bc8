// tasks/demo.h: pictures through one model, with everything that a first look shows: answers, vectors, attention,
// times.
//
//   const DemoRun run = run_demo(model, bundled_photos());
//   run.pictures[0].answers.front().label;   // "cat"
//   run.cosines[0 * run.pictures.size() + 1];
#pragma once

#include <filesystem>
#include <string_view>

#include "image/decode.h"
#include "tasks/classify.h"

namespace nunchi::tasks {

struct DemoInput {
  std::string name, credit;
  std::filesystem::path path;   // or
  std::string_view bytes = {};  // the file itself, where it is part of the program
};

// The photos of assets/photos, with whom they are by.
std::vector<DemoInput> bundled_photos();

struct DemoPicture {
  std::string name, credit;
  image::Picture seen;                    // the part that the network sees, 320 to 480 pixels a side
  image::Picture input;                   // the same in the pixels that the network reads
  std::vector<Prediction> answers;        // best first, five at most; none of a model without classifier
  int rows = 0, columns = 0;              // of the attention maps
  std::vector<float> attention, rollout;  // [rows, columns] (tasks/attention_map.h); empty where the model has none
  double decode_seconds = 0, transform_seconds = 0, network_seconds = 0;
};

struct DemoRun {
  std::vector<DemoPicture> pictures;
  std::vector<double> cosines;        // [pictures, pictures]
  std::vector<std::string> failures;  // pictures that could not be read, and why
};

// Throws Error (model) where the model does not say how it wants its pictures, or an answer is not finite.
DemoRun run_demo(const VisionModel& model, const std::vector<DemoInput>& inputs,
                 const image::DecodeOptions& decode = {});

}  // namespace nunchi::tasks
