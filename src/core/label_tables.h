// core/label_tables.h: names of the classes of well-known datasets, in the order of their indices (assets/labels).
//
//   const LabelTable* table = find_label_table("imagenet");
//   table->labels[282];   // "tiger cat"
//   table->ids[282];      // "n02123159"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nunchi {

struct LabelTable {
  std::string name;
  std::vector<std::string> labels;
  std::vector<std::string> ids;  // ImageNet: synsets; COCO: category ids, "1" to "90"; others: empty
};

// imagenet (1000), imagenet-background (1001, TensorFlow's), coco (80), coco-ids (91, the index is the category id;
// those that are not used are "N/A"), voc (21), cifar10, mnist.
const std::vector<LabelTable>& label_tables();

// Null where there is none of this name.
const LabelTable* find_label_table(std::string_view name);

// The index of a synset or a category id.
std::optional<std::size_t> index_of_id(const LabelTable& table, std::string_view id);

}  // namespace nunchi
