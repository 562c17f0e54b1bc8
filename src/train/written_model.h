// train/written_model.h: a trained network as a model folder that nunchi reads, and timm or transformers, too.
//
//   write_model(network, dataset.classes, run / "model");
//
// A checkpoint is written back in its publisher's own words, an architecture of timm in timm's. What neither library
// names itself (torchvision's, the authors') is written in the words of timm or transformers where these have the
// architecture; else the weights keep their names, beside preprocessor_config.json and labels.txt, and are read with
// --arch.
#pragma once

#include <filesystem>

#include "train/network.h"

namespace nunchi::train {

// The folder takes the place of the one that is there in one step: readers see the old or the new. The network's
// weights must be in their plain form (weights::thaw). Throws Error (input) where it cannot be written.
void write_model(const Network& network, const std::vector<std::string>& classes, const std::filesystem::path& folder);

}  // namespace nunchi::train
