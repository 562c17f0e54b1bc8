// The option table of explain.
#include <fmt/format.h>

#include <filesystem>

#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

constexpr const char* explain_footer =
    "Methods: attention, rollout, grad-rollout (transformers); grad-cam, grad-cam++, hires-cam, layer-cam, eigen-cam,\n"
    "score-cam; lrp, input-x-gradient, integrated-gradients, smooth-grad; occlusion, rise (slow: they ask many "
    "times).\n"
    "Each map is scored. deletion: the mean probability of the class while the pixels that the map calls important "
    "are\n"
    "taken away (small is good); insertion: while they are put back (large is good); weights: how much the map is "
    "that\n"
    "of a network with random weights (rank correlation; near 1, it does not show what was learned).\n"
    "Examples:\n"
    "  nunchi explain cat.jpg\n"
    "  nunchi explain google/vit-base-patch16-224 cat.jpg --method grad-rollout,grad-cam --class 'Egyptian cat'\n"
    "  nunchi explain -m resnet-50 photos/ --class 281 --versus 282 --layer layer3 -o why";

// Empty where `out` is one, or can become one; else why not.
std::string folder_obstacle(const std::string& out) {
  const auto kind = std::filesystem::path(out).extension();
  if ((kind != ".png" && kind != ".svg" && kind != ".pdf" && kind != ".html") || std::filesystem::is_directory(out))
    return "";
  return fmt::format(
      "{}: expected a folder, for a page and a figure of each picture, found the name of a file; name "
      "one without {}",
      out, kind.string());
}

}  // namespace

void add_explain(CLI::App& app, Options& o) {
  auto* command = add(app, o, "explain", "why the model answered so: heat maps by 15 methods, scored, in one report");
  auto& e = o.explain;
  add_model(*command, o, Devices::all);
  add_inputs(*command, o, "MODEL INPUT...");
  add_size(*command, o);
  command->add_option("--method", e.methods,
                      "one or several, joined by commas, or all (default: the quick ones that suit the model)");
  auto* classes = command
                      ->add_option("--class", e.classes,
                                   "explain this class, by name or number; may be repeated (default: the answer)")
                      ->expected(1)
                      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--versus", e.versus, "why --class (or the answer) and not this one");
  command->add_option("--top", o.top, "explain so many of the most probable classes")
      ->check(CLI::Range(1, 10))
      ->excludes(classes);
  command->add_option("--layer", e.layer,
                      "whose values activation maps are made of; of attention, the block (default: the family's own)");
  command->add_option("--head", e.head, "of attention, instead of the mean over all")->check(CLI::Range(0, 4096));
  command->add_option("--discard", e.discarded, "of rollout: the share of the weights, the least, that count as none")
      ->check(CLI::Range(0.0, 0.99));
  command->add_option("--samples", e.samples, "noisy copies, steps or masks, instead of the method's own number")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--steps", e.steps, "of the curves that score a map")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  auto* no_scores = command->add_flag("--no-scores", e.no_scores, "only the maps");
  command
      ->add_option("--boxes", e.boxes,
                   "a folder of boxes (YOLO's .txt or Pascal VOC's .xml, a file for each picture): counts how often a "
                   "map points at one")
      ->excludes(no_scores);
  command->add_option("--colors", e.colors, "turbo, viridis or jet")
      ->check(one_of({"turbo", "viridis", "jet"}, "turbo, viridis and jet"))
      ->capture_default_str();
  add_language(*command, o);
  add_dark(*command, o);
  command->add_option("--figures", e.figures, "their format: png, svg or pdf")
      ->check(one_of({"png", "svg", "pdf"}, "png, svg and pdf"))
      ->capture_default_str();
  command->add_flag("--maps", e.maps, "write the bare numbers, too: PICTURE.maps.safetensors");
  command->add_option("-o,--out", o.out, "the folder (default: nunchi-explain)")->check(folder_obstacle);
  command->add_flag("--json", o.json, "one JSON object a picture");
  command->add_option("--seed", e.seed, "of what is drawn at random")->capture_default_str();
  command->footer(explain_footer);
}

}  // namespace nunchi::cli
