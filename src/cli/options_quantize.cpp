// The option table of quantize.
#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

constexpr const char* quantize_footer =
    "Writes the model with its weights in eight bits: a quarter of the size, loaded and run as int8 by every command.\n"
    "The layers that hurt most stay in floating point, as many as the drop in accuracy asks for. Accuracy is top-1 "
    "where\n"
    "DATA has labels that are the model's classes, otherwise how often the answer is that of fp32.\n"
    "Example:\n"
    "  nunchi quantize google/vit-base-patch16-224 --data photos/ -o vit-base-int8 --plot layers.svg";

}  // namespace

void add_quantize(CLI::App& app, Options& o) {
  auto* command = add(app, o, "quantize", "write a model in int8, and tell what accuracy it has left");
  command->add_option("-m,--model", o.model, "the model, wherever it stands on the line");
  command->add_option("MODEL", o.inputs, "the model: a folder or a name on the hub")->type_name("MODEL");
  command->add_option("--data", o.data, "a dataset as for eval, or a folder of pictures")->required();
  command->add_option("-o,--out", o.out, "the folder to make")->required();
  command->add_option("--max-drop", o.max_drop, "how much accuracy may be lost, in points of 100")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_option("--limit", o.limit, "so many pictures, spread evenly over DATA (default: 256)")
      ->check(CLI::Range(1LL, 1LL << 20));
  command->add_option("--batch", o.batch, "pictures per forward")->check(CLI::Range(1, 4096))->capture_default_str();
  command->add_option("--split", o.split, "train, val or test, where the dataset has splits");
  command->add_option("--map", o.map, "a .csv or .json that says which of the model's classes each class of DATA is");
  command->add_option("--plot", o.plot, "draw the sensitivity of the layers: .png, .svg or .pdf")
      ->check(CLI::Validator(check_picture_name, ""));
  command->add_flag("--json", o.json, "one JSON object, with every layer");
  add_reading(*command, o);
  command->footer(quantize_footer);
}

}  // namespace nunchi::cli
