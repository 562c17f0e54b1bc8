// tasks/labels.h: what a model's classes are called.
//
//   labels_of(config, 1000)[282];                  // as the checkpoint says, else ImageNet's names
//   read_labels("imagenet-background", 1001)[283]; // a table of core/label_tables.h, or a file of the user
#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace nunchi::tasks {

// "LABEL_0", "LABEL_1", ...: what transformers calls classes without names.
std::vector<std::string> unnamed_labels(std::int64_t classes);
bool are_unnamed(const std::vector<std::string>& labels);

// id2label of transformers' config.json, or label_names (with label_descriptions) of timm's. Where there are none and
// the classes are 1000 or 1001, those of ImageNet, which is logged; else unnamed ones.
std::vector<std::string> labels_of(const Json& config, std::int64_t classes);

// `source` is the name of a table, or a file: text (a label a line), .json (a list, an object of ids, or one with
// id2label) or .csv/.tsv (id, label). Throws Error (usage) where it is none of these or has not `classes` labels.
std::vector<std::string> read_labels(const std::string& source, std::int64_t classes);

}  // namespace nunchi::tasks
