// The option tables of the commands that name classes: classify, eval and compare.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array view_sets{"flip", "flips", "rotations", "crops", "scales", "all"};

constexpr const char* tta_help =
    "the mean over several views of each picture: flip (its mirror image; the default), flips (mirrored both ways), "
    "rotations (by quarters), crops (corners and centre), scales (closer), all; or several, joined by commas";

constexpr const char* labels_help =
    "names of the classes, instead of the checkpoint's: a file (a name a line; .json; .csv of id, name) or imagenet, "
    "imagenet-background, coco, coco-ids, voc, cifar10, mnist";

constexpr const char* mapping_footer =
    "A class of the dataset is looked for among the model's: as the label itself; as a synset (n02123045, also\n"
    "n02123045-tabby); as one of the label's words (\"tabby\" of \"tabby, tabby cat\"); the same whatever the case, "
    "spaces,\n"
    "hyphens and underscores. Folders that are all numbers are indices. A line of the --map file is "
    "CLASS,LABEL[,LABEL...]:\n"
    "labels, indices or synsets of the model; several count as one class (their probabilities are added), none leaves "
    "the\n"
    "class out.\n"
    "DATASET is a folder of class folders (in train, val, test, or not), a .zip of them, CIFAR-10's binary files, "
    "MNIST's\n"
    "idx files, or a list (.csv, .tsv, .txt) of path,label.";

constexpr const char* models_footer =
    "The models come first. A word is a model where it is a folder with config.json or weights, a file of weights, or "
    "no\n"
    "path at all (a name); from the first other word on, all are inputs: pictures, folders of pictures, globs.";

bool are_view_sets(std::string_view names) {
  for (std::size_t begin = 0; begin <= names.size();) {
    const auto end = std::min(names.find(',', begin), names.size());
    const auto name = names.substr(begin, end - begin);
    if (std::find(view_sets.begin(), view_sets.end(), name) == view_sets.end()) return false;
    begin = end + 1;
  }
  return true;
}

// "1,2.5" -> {1, 2.5}; empty where it is none such.
template <class T>
std::vector<T> numbers_of(std::string_view text) {
  std::vector<T> numbers;
  for (const char *position = text.data(), *end = position + text.size();;) {
    const auto read = std::from_chars(position, end, numbers.emplace_back());
    if (read.ec != std::errc()) return {};
    if (read.ptr == end) return numbers;
    if (*read.ptr != ',') return {};
    position = read.ptr + 1;
  }
}

PicturePart parse_part(const std::string& text) {
  const auto numbers = numbers_of<int>(text);
  if (numbers.size() != 4 || numbers[0] < 0 || numbers[1] < 0 || numbers[2] < 1 || numbers[3] < 1)
    throw CLI::ValidationError("--crop", text + ": expected X,Y,WIDTH,HEIGHT in pixels, such as 100,50,400,300");
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

std::vector<double> parse_weights(const std::string& text) {
  const auto weights = numbers_of<double>(text);
  double sum = 0;
  for (const double weight : weights) sum = weight >= 0 ? sum + weight : -1e300;
  if (!(sum > 0)) throw CLI::ValidationError("--weights", text + ": expected numbers from 0 on, such as 0.7,0.3");
  return weights;
}

void add_tta(CLI::App& command, Options& o) {
  command.add_flag("--tta{flip}", o.tta, tta_help)
      ->check(CLI::Validator(
          [](const std::string& names) {
            return are_view_sets(names)
                       ? ""
                       : names + ": not known; known are flip, flips, rotations, crops, scales and all";
          },
          ""));
}

void add_labels(CLI::App& command, Options& o) { command.add_option("--labels", o.labels, labels_help); }

std::string check_report(const std::string& name) {
  const auto kind = fs::path(name).extension();
  return kind == ".json" || kind == ".csv" || kind == ".html" || kind == ".pdf"
             ? ""
             : name + ": expected a name ending in .json, .csv, .html or .pdf";
}

bool holds_weights(const fs::path& folder) {
  constexpr std::array kinds{".safetensors", ".bin", ".pt", ".pth"};
  std::error_code error;
  if (fs::exists(folder / "config.json", error)) return true;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (std::find(kinds.begin(), kinds.end(), entry.path().extension()) != kinds.end()) return true;
  return false;
}

// ".jpg" of "CAT.JPG".
std::string kind_of(const fs::path& path) {
  auto kind = path.extension().string();
  std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
  return kind;
}

bool is_picture_name(const fs::path& path) {
  constexpr std::array pictures{".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp",
                                ".tif", ".tiff", ".ppm", ".pgm",  ".pbm"};
  return std::find(pictures.begin(), pictures.end(), kind_of(path)) != pictures.end();
}

bool looks_like_input(const std::string& word) {
  return word.find_first_of("*?[{") != word.npos || is_picture_name(word);
}

bool is_model(const std::string& word) {
  constexpr std::array kinds{".safetensors", ".bin", ".pt", ".pth"};
  std::error_code error;
  if (fs::is_directory(word, error)) return holds_weights(word);
  if (fs::exists(word, error)) return std::find(kinds.begin(), kinds.end(), kind_of(word)) != kinds.end();
  return !looks_like_input(word);
}

bool holds_pictures(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (is_picture_name(entry.path())) return true;
  return false;
}

}  // namespace

bool is_input(const std::string& word, const Options& options) {
  constexpr std::array descriptions{".safetensors", ".bin", ".pt", ".pth", ".json"};
  std::error_code error;
  if (!fs::is_directory(word, error)) {
    if (!fs::exists(word, error)) return looks_like_input(word);
    return std::find(descriptions.begin(), descriptions.end(), kind_of(word)) == descriptions.end();
  }
  if (holds_weights(word)) return false;
  return options.command == "eval" || options.recursive || holds_pictures(word);
}

std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "--") break;
    if (words[i] != "--tta" || !are_view_sets(words[i + 1])) continue;
    words[i] += "=" + words[i + 1];
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return words;
}

void add_classify(CLI::App& app, Options& o) {
  auto* command = add(app, o, "classify", "name what is in pictures");
  add_model(*command, o, Devices::all);
  add_inputs(*command, o, "MODEL INPUT...");
  command->add_option("-k,--top", o.top, "answers per picture (default: 5 for one picture, 1 for several)")
      ->check(CLI::Range(1, 100000));
  add_labels(*command, o);
  command->add_option_function<std::string>(
      "--crop", [&o](const std::string& text) { o.crop = parse_part(text); },
      "X,Y,WIDTH,HEIGHT: only this part of each picture, in pixels of the upright picture");
  add_tta(*command, o);
  auto* ensemble =
      command->add_flag("--ensemble", o.ensemble, "the mean of several models' probabilities: MODEL MODEL... INPUT...");
  command
      ->add_option_function<std::string>(
          "--weights", [&o](const std::string& text) { o.weights = parse_weights(text); },
          "of the models of --ensemble, such as 0.7,0.3 (default: equal)")
      ->needs(ensemble);
  auto* json = command->add_flag("--json", o.json, "JSON lines");
  command->add_flag("--csv", o.csv, "comma-separated values")->excludes(json);
  command->add_option("-o,--out", o.out, "write to this file instead of standard output");
  command->footer(models_footer);
}

void add_eval(CLI::App& app, Options& o) {
  auto* command = add(app, o, "eval", "how often a model is right on a labelled dataset");
  add_model(*command, o, Devices::all);
  command->add_option("MODEL_AND_DATASET", o.inputs, "MODEL, then the dataset")->type_name("MODEL DATASET");
  command->add_option("--batch", o.batch, "pictures per forward")->check(CLI::Range(1, 4096))->capture_default_str();
  command->add_option("--split", o.split, "train, val or test (default: test, else val, where the dataset has splits)");
  command->add_option("--limit", o.limit, "only so many pictures, spread evenly over the dataset")
      ->check(CLI::Range(1LL, 1LL << 40));
  command->add_option("-k,--top", o.top, "count an answer among the best K, too (default: 5)")
      ->check(CLI::Range(1, 100000));
  add_labels(*command, o);
  command->add_option("--map", o.map, "a .csv or .json file: the model's labels for classes of the dataset");
  add_tta(*command, o);
  add_reading(*command, o);
  command->add_flag("--json", o.json, "one JSON object with everything");
  command
      ->add_option("-o,--out", o.out,
                   "write everything to this file: .json, .csv (a row per class with its line of the confusion "
                   "matrix), .html (a page with charts) or .pdf (the charts)")
      ->check(CLI::Validator(check_report, ""));
  add_language(*command, o);
  command->footer(mapping_footer);
}

void add_compare(CLI::App& app, Options& o) {
  auto* command = add(app, o, "compare", "several models side by side: answers, time and memory");
  add_model(*command, o);
  command->add_option("MODELS_AND_INPUTS", o.inputs, "models, then pictures, folders or globs")
      ->type_name("MODEL... INPUT...");
  command->add_flag("-r,--recursive", o.recursive, "folders with all that is below them");
  add_labels(*command, o);
  add_reading(*command, o);
  command->add_flag("--json", o.json, "one JSON object");
  command->add_option("-o,--out", o.out, "write to this file instead of standard output");
  command->footer(models_footer);
}

bool takes_several_models(const Options& options) {
  return options.command == "compare" || (options.command == "classify" && options.ensemble);
}

void settle_models(Options& options) {
  if (!options.model.empty()) options.models.push_back(options.model);
  const auto first_input = std::find_if_not(options.inputs.begin(), options.inputs.end(), is_model);
  options.models.insert(options.models.end(), options.inputs.begin(), first_input);
  options.inputs.erase(options.inputs.begin(), first_input);
  if (options.models.empty()) {
    throw CLI::ValidationError(
        "MODEL", fmt::format("expected models before the pictures, found none: nunchi {} MODEL MODEL... INPUT...",
                             options.command));
  }
  if (options.inputs.empty()) {
    throw CLI::ValidationError(
        "INPUT", fmt::format("no pictures are named (the models are {}): nunchi {} MODEL MODEL... INPUT...",
                             fmt::join(options.models, ", "), options.command));
  }
  if (!options.weights.empty() && options.weights.size() != options.models.size()) {
    throw CLI::ValidationError("--weights", fmt::format("expected one for each of the {} models, found {}",
                                                        options.models.size(), options.weights.size()));
  }
  options.model = options.models.front();
}

void check_one_dataset(const Options& options) {
  if (options.inputs.empty())
    throw CLI::ValidationError("DATASET", fmt::format("no dataset is named: nunchi eval {} DATASET", options.model));
  if (options.inputs.size() > 1) throw CLI::ExtrasError({options.inputs.begin() + 1, options.inputs.end()});
}

}  // namespace nunchi::cli
