// tasks/measure.h: what a model answers and what it costs, measured alone in a process of its own.
//
//   const Measurement measured = measure({.path = "vit-base"}, nn::Precision::fp32, pictures, {});
//   measured.median_seconds();   // of the network, one picture
#pragma once

#include <filesystem>
#include <functional>

#include "image/decode.h"
#include "tasks/classify.h"

namespace nunchi::tasks {

struct MeasuredPicture {
  std::string error;                 // empty: answered
  std::optional<Prediction> answer;  // the most probable class; nothing of a backbone
};

struct Measurement {
  std::string error;  // empty: the model could be loaded
  ErrorKind error_kind = ErrorKind::model;
  std::string type;
  std::int64_t parameters = 0;
  std::uint64_t weight_bytes = 0;  // in its files
  double load_seconds = 0;         // until it can answer
  std::vector<double> seconds;     // of the network alone, one picture each
  std::uint64_t peak_memory = 0;   // of the process, LibTorch included
  std::vector<MeasuredPicture> pictures;
  bool stopped = false;  // by the user: the pictures are not complete

  double least_seconds() const;  // 0 without measurements
  double median_seconds() const;
};

struct MeasureOptions {
  image::DecodeOptions decode;
  int rounds_until = 10;  // few pictures are answered again until so many measurements are there
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

// Forks (core/child_process.h): call it before anything of LibTorch has run in this process. The first picture is
// answered once more beforehand, to warm up.
Measurement measure(const ModelSource& source, std::optional<nn::Precision> precision,
                    const std::vector<std::filesystem::path>& pictures, const MeasureOptions& options);

// The peak memory of such a process that loads nothing: LibTorch's own share.
std::uint64_t memory_without_model();

}  // namespace nunchi::tasks
