// tasks/class_mapping.h: which of a model's classes each class of a dataset is.
//
//   const auto mapping = map_classes(model.labels(), dataset.classes, {});
//   mapping.classes[0];   // {282}: folder "tabby" is the model's "tabby, tabby cat"
//
// A dataset's class is looked for, in this order: in the mapping file; as the label itself; as a synset (n02123045,
// also before a name: n02123045-tabby); as one of the words of a label ("tabby" of "tabby, tabby cat"); the same
// without regard for case, spaces, hyphens and underscores. Names that are all numbers are indices. Where the model
// names no classes and has as many, they are taken in order.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nunchi::tasks {

struct ClassMapping {
  // The model's classes of each of the dataset's; several count as one, their probabilities are added. None: the user
  // leaves this class out.
  std::vector<std::vector<std::int64_t>> classes;
  std::vector<std::string> remarks;  // what was assumed
};

// The mapping file is .csv (class, one or more classes of the model: labels, indices or synsets; none leaves it out) or
// .json (an object of the same). Throws Error (usage) that names every class that is missing, ambiguous or taken twice.
ClassMapping map_classes(const std::vector<std::string>& labels, const std::vector<std::string>& dataset_classes,
                         const std::optional<std::filesystem::path>& file);

// Whether two models mean the same class by these labels: the same up to case and separators, or the same first word.
bool same_label(const std::string& a, const std::string& b);

}  // namespace nunchi::tasks
