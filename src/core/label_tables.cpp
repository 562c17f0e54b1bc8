#include "core/label_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/asset.h"

namespace nunchi {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

LabelTable plain_table(const std::string& name) {
  return {name, lines_of(asset(fmt::format("labels/{}.txt", name))), {}};
}

// Lines of an id, a space and the name.
LabelTable table_with_ids(const std::string& name) {
  LabelTable table{name, {}, {}};
  for (const auto& line : lines_of(asset(fmt::format("labels/{}.txt", name)))) {
    const auto space = line.find(' ');
    table.ids.push_back(line.substr(0, space));
    table.labels.push_back(line.substr(space + 1));
  }
  return table;
}

LabelTable with_background(LabelTable table) {
  table.name += "-background";
  table.labels.insert(table.labels.begin(), "background");
  table.ids.insert(table.ids.begin(), "");
  return table;
}

LabelTable by_category_id(const LabelTable& coco) {
  LabelTable table{"coco-ids", std::vector<std::string>(91, "N/A"), std::vector<std::string>(91)};
  for (std::size_t i = 0; i < coco.labels.size(); ++i) {
    const auto id = static_cast<std::size_t>(std::stoi(coco.ids[i]));
    table.labels.at(id) = coco.labels[i];
    table.ids.at(id) = coco.ids[i];
  }
  return table;
}

}  // namespace

const std::vector<LabelTable>& label_tables() {
  static const std::vector<LabelTable> tables = [] {
    const auto imagenet = table_with_ids("imagenet"), coco = table_with_ids("coco");
    return std::vector{imagenet,
                       with_background(imagenet),
                       coco,
                       by_category_id(coco),
                       plain_table("voc"),
                       plain_table("cifar10"),
                       plain_table("mnist")};
  }();
  return tables;
}

const LabelTable* find_label_table(std::string_view name) {
  const auto found = std::ranges::find(label_tables(), name, &LabelTable::name);
  return found == label_tables().end() ? nullptr : &*found;
}

std::optional<std::size_t> index_of_id(const LabelTable& table, std::string_view id) {
  const auto found = std::ranges::find(table.ids, id);
  if (id.empty() || found == table.ids.end()) return std::nullopt;
  return static_cast<std::size_t>(found - table.ids.begin());
}

}  // namespace nunchi
