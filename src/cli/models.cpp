#include <fmt/format.h>

#include "cli/commands.h"
#include "models/architectures.h"
#include "tasks/bundled_models.h"

namespace nunchi::cli {
namespace {

using nunchi::models::families;

std::string names_of(const nunchi::models::Family& family, nunchi::models::Publisher publisher) {
  std::string names;
  for (const auto& name : family.names) {
    if (name.publisher == publisher) names += (names.empty() ? "" : ", ") + std::string(name.name);
  }
  return names;
}

void list_bundled(Results& results, bool json) {
  for (const auto& name : tasks::bundled_models()) {
    results.line(json ? json_line({{"bundled", name}})
                      : fmt::format("{:<14}{}, used where no MODEL is named\n", "bundled", name));
  }
}

void list_families(Results& results, bool json) {
  using enum nunchi::models::Publisher;
  for (const auto& family : families()) {
    if (json) {
      Json line = {{"family", family.name}, {"paper", family.paper}, {"reads", family.reads}};
      for (const auto& name : family.names) line[std::string(publisher_name(name.publisher))].push_back(name.name);
      results.line(json_line(line));
      continue;
    }
    results.line(fmt::format("{:<14}{} ({})", family.name, family.reads, family.paper));
    for (const auto publisher : {transformers, timm, torchvision, original}) {
      const auto names = names_of(family, publisher);
      if (!names.empty()) results.line(fmt::format("  {:<14}{}", publisher_name(publisher), names));
    }
  }
  if (json) return;
  results.line("");
  results.line("Of transformers these are the model_type in config.json, of the others the classes.");
  results.line("`nunchi models 'vit*'` lists the checkpoints whose names match, for --arch and for what to look for.");
}

void list_matches(Results& results, const std::string& pattern, bool json) {
  const auto listed = nunchi::models::list_checkpoints(pattern);
  for (const auto& checkpoint : listed) {
    const auto publisher = publisher_name(checkpoint.publisher);
    if (json)
      results.line(
          json_line({{"name", checkpoint.name}, {"publisher", publisher}, {"supported", checkpoint.supported}}));
    else
      results.line(fmt::format("{:<12} {}{}", publisher, checkpoint.name,
                               checkpoint.supported ? "" : "  (known, not supported)"));
  }
  if (!json) results.line(fmt::format("{} checkpoints match {}", listed.size(), pattern));
}

}  // namespace

int models(const Options& options) {
  Results results("");
  if (options.inputs.empty()) {
    list_bundled(results, options.json);
    list_families(results, options.json);
  } else {
    list_matches(results, options.inputs.front(), options.json);
  }
  return 0;
}

}  // namespace nunchi::cli
