// data/dataset.h: labelled pictures in the layouts that people have, each picture read when it is asked for.
//
//   const data::Dataset dataset = data::open_dataset("cifar10.zip", {.split = "test"});
//   dataset.classes[dataset.samples[i].label];       // "airplane"
//   image::Picture picture = dataset.picture(i, {});  // from any thread
//
// Layouts, told apart by what lies there:
//   class folders   root/CLASS/.../picture, or root/SPLIT/CLASS/...; a folder or a .zip (as torchvision's ImageFolder:
//                   classes sorted by name, folders inside a class belong to it)
//   CIFAR-10        data_batch_1.bin ... test_batch.bin (the binary version), a folder or one of the files
//   MNIST           train-images-idx3-ubyte, t10k-..., gzipped or not, a folder or one file of pictures
//   list            .csv, .tsv or .txt: a path (from the list's own folder) and a label a line, with or without a
//   header
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "image/decode.h"

namespace nunchi::data {

struct Sample {
  std::string name;        // for messages: a path, or "test_batch.bin #17"
  std::int64_t label = 0;  // an index into Dataset::classes
};

struct Dataset {
  std::string layout;                // "class folders"
  std::string split;                 // empty where the dataset has none
  std::vector<std::string> splits;   // all that it has
  std::vector<std::string> classes;  // some may have no samples
  std::vector<Sample> samples;

  // Thread-safe. Throws Error (input) that names the picture where it cannot be read.
  std::function<image::Picture(std::size_t index, const image::DecodeOptions& options)> picture;
};

struct DatasetOptions {
  std::string split;  // empty: test, else validation, else train: the first that is there
};

// Throws Error (input) where the path is no dataset, is damaged, or has no such split.
Dataset open_dataset(const std::filesystem::path& path, const DatasetOptions& options = {});

}  // namespace nunchi::data
