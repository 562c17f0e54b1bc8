#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/commands.h"
#include "cli/explain_report.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/nearest.h"
#include "data/boxes.h"
#include "formats/safetensors.h"
#include "tasks/class_mapping.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

// A label, one of its words, a synset or a number.
std::int64_t class_named(const tasks::VisionModel& model, const std::string& option, const std::string& name) {
  try {
    return tasks::map_classes(model.labels(), {name}, {}).classes.front().at(0);
  } catch (const Error&) {
    const bool is_number = name.find_first_not_of("0123456789") == std::string::npos;
    const auto nearest =
        is_number ? "" : fmt::format("the nearest of its names is \"{}\", ", nearest_name(name, model.labels()));
    throw Error(ErrorKind::usage, fmt::format("{} {}: this model has no such class; {}numbers are 0 to {}", option,
                                              name, nearest, model.network().classes() - 1));
  }
}

// None where no file of the folder is the picture's.
std::vector<explain::Box> boxes_of(const fs::path& folder, const fs::path& picture) {
  std::vector<explain::Box> boxes;
  const auto file = data::boxes_file(folder, picture);
  if (!file) return boxes;
  for (const auto& box : data::read_boxes(*file)) boxes.push_back({box.left, box.top, box.right, box.bottom});
  return boxes;
}

explain::ExplainOptions what_is_asked(const Options& options, const tasks::VisionModel& model) {
  const auto& e = options.explain;
  explain::ExplainOptions asked{.methods = e.methods, .classes = {}, .scored = !e.no_scores, .steps = e.steps};
  if (options.top > 0) asked.top = options.top;
  for (const auto& name : e.classes) asked.classes.push_back(class_named(model, "--class", name));
  if (!e.versus.empty()) asked.versus = class_named(model, "--versus", e.versus);
  if (asked.versus && std::ranges::count(asked.classes, *asked.versus) > 0)
    throw Error(ErrorKind::usage, fmt::format("--versus {}: is --class itself; name another class", e.versus));
  asked.asked.layer = e.layer;
  asked.asked.head = e.head;
  asked.asked.discarded = e.discarded;
  asked.asked.samples = e.samples;
  asked.asked.work.batch = options.batch;
  asked.asked.work.seed = e.seed;
  return asked;
}

Json json_of(const explain::ExplainedMap& map) {
  Json json = {{"seconds", map.seconds}};
  if (!map.explanation.layer.empty()) json["layer"] = map.explanation.layer;
  if (!map.scores) return json;
  if (!map.scores->deletion.shares.empty()) {
    json["deletion"] = map.scores->deletion.area;
    json["insertion"] = map.scores->insertion.area;
  }
  const auto& as_random = map.scores->random_weights;
  json["random_weights"] = as_random ? Json(*as_random) : Json();
  json["shows_weights"] = as_random ? Json(!map.scores->is_as_random()) : Json();
  if (map.scores->hit) json["hit"] = *map.scores->hit;
  return json;
}

void write_json(Results& results, const ExplainedFile& file) {
  for (const auto& shown : file.explained.classes) {
    Json methods = Json::object();
    for (const auto& map : shown.maps) methods[std::string(map.method->name)] = json_of(map);
    Json line = {{"file", file.path.string()}};
    if (!shown.label.empty())
      line.update({{"class", shown.id}, {"label", shown.label}, {"probability", shown.probability}});
    if (!shown.instead_of.empty()) line["instead_of"] = shown.instead_of;
    line["methods"] = std::move(methods);
    results.line(json_line(line));
  }
}

std::string score_columns(const explain::ExplainedMap& map) {
  if (!map.scores) return {};
  const auto& scores = *map.scores;
  const auto hit = scores.hit ? (*scores.hit ? "  hit" : "  miss") : "";
  const auto doubt = scores.is_as_random() ? "  as with random weights" : "";
  const auto weights = scores.random_weights ? fmt::format("{:.2f}", *scores.random_weights) : "-";
  if (scores.deletion.shares.empty()) return fmt::format("{:>28}{}{}", weights, hit, doubt);
  return fmt::format("  {:>8.3f}  {:>9.3f}  {:>7}{}{}", scores.deletion.area, scores.insertion.area, weights, hit,
                     doubt);
}

void write_table(Results& results, const ExplainedFile& file, const Options& options) {
  for (const auto& shown : file.explained.classes) {
    const auto title = title_of(shown, PageWords());
    results.line(title.empty() ? file.name() : fmt::format("{}: {}", file.name(), title));
    if (!options.explain.no_scores)
      results.line(fmt::format("  {:<22}{:>9}  {:>8}  {:>9}  {:>7}", "", "time", "deletion", "insertion", "weights"));
    for (const auto& map : shown.maps)
      results.line(fmt::format("  {:<22}{:>6.0f} ms{}", map.method->name, 1e3 * map.seconds, score_columns(map)));
  }
}

// The bare numbers of the first class's maps.
void write_maps(const fs::path& path, const ExplainedFile& file) {
  const auto& shown = file.explained.classes.front();
  std::vector<Tensor> kept;
  std::vector<formats::TensorView> views;
  for (const auto& map : shown.maps) kept.push_back(map.explanation.raw.to(at::kFloat).contiguous());
  for (std::size_t i = 0; i < kept.size(); ++i)
    views.push_back(weights::view_of(std::string(shown.maps[i].method->name), kept[i]));
  formats::Metadata metadata = {{"class", std::to_string(shown.id)}, {"logit", fmt::format("{}", shown.logit)}};
  for (const auto& map : shown.maps) {
    if (!map.explanation.layer.empty()) metadata["layer." + std::string(map.method->name)] = map.explanation.layer;
  }
  formats::write_safetensors(path, views, metadata);
}

// Names under which the files of a picture are written: its own, and a number where two have the same.
class FileNames {
 public:
  std::string next(const fs::path& picture) {
    const auto stem = picture.stem().string();
    const auto count = ++used_[stem];
    return count == 1 ? stem : fmt::format("{}-{}", stem, count);
  }

 private:
  std::map<std::string, int> used_;
};

struct Pointing {
  std::int64_t hits = 0, pictures = 0;
  double by_chance = 0;
};

// One run of the command: every picture's own files, then what is of all together.
class Explaining {
 public:
  Explaining(const Options& options, const tasks::VisionModel& model)
      : options_(options),
        model_(model),
        folder_(options.out.empty() ? "nunchi-explain" : options.out),
        style_{.colors = draw::color_map_from_name(options.explain.colors).value_or(draw::ColorMap::turbo),
               .say = PageWords(options.language),
               .theme = theme_of(options)},
        explainer_(model, what_is_asked(options, model)) {
    std::error_code error;  // told by the check
    const auto& boxes = options_.explain.boxes;
    if (!boxes.empty() && !fs::is_directory(boxes, error))
      throw Error(ErrorKind::usage, fmt::format("--boxes {}: expected a folder, found none", boxes));
    fs::create_directories(folder_, error);
    check_place((folder_ / "explain.html").string());
  }

  // Throws Error (input) where the picture cannot be read.
  void add(const fs::path& path) {
    const ExplainedFile file{path, explained(path)};
    const auto name = names_.next(path), ending = "." + options_.explain.figures;
    const auto figure = explain_figure(file, style_);
    const auto heads = heads_figure(file, style_);
    draw::write_drawing(folder_ / (name + ending), figure);
    if (heads) draw::write_drawing(folder_ / (name + ".heads" + ending), *heads);
    if (options_.explain.maps) write_maps(folder_ / (name + ".maps.safetensors"), file);
    options_.json ? write_json(results_, file) : write_table(results_, file, options_);
    count_hits(file);
    ++count_;
    if (files_.size() >= most_on_page) return;
    files_.push_back(file);
    pages_.push_back(figure);
    if (heads) pages_.push_back(*heads);
  }

  bool is_empty() const { return count_ == 0; }
  std::int64_t bad_boxes() const { return bad_boxes_; }

  void finish() {
    if (is_empty()) throw Error(ErrorKind::input, "no picture could be explained");
    write_file(folder_ / "explain.html", explain_page(model_, options_.model, files_, style_));
    draw::write_pdf(folder_ / "explain.pdf", pages_);
    results_.close();
    for (const auto& [method, counts] : pointing_)
      remark(fmt::format("{}: points at an object in {} of {} picture{}; by chance it would in {:.1f}", method,
                         counts.hits, counts.pictures, counts.pictures == 1 ? "" : "s", counts.by_chance));
    if (options_.quiet) return;
    if (!options_.explain.boxes.empty() && pointing_.empty() && bad_boxes_ == 0)
      remark(fmt::format("--boxes {}: expected .txt or .xml files of the pictures' names, found none",
                         options_.explain.boxes));
    const auto some = count_ > files_.size() ? fmt::format(" (of the first {} pictures)", files_.size()) : "";
    remark(fmt::format("{}: explain.html and explain.pdf{} written, and a figure for each picture", folder_.string(),
                       some));
  }

 private:
  static constexpr std::size_t most_on_page = 20;  // a page of more is slow, and everything on it is kept until then

  explain::ExplainedPicture explained(const fs::path& path) {
    std::vector<explain::Box> boxes;
    if (!options_.explain.boxes.empty()) boxes = boxes_or_none(path);
    ProgressLine line(path.filename().string(), "forwards", options_.quiet);
    return explainer_.explain(
        image::read_picture(path, image::decoding_for(model_.transform(), decode_options(options_))), boxes,
        [&](const std::string& what, std::int64_t done, std::int64_t total) { line.show(done, total, what); });
  }

  // A file that cannot be read costs the picture its boxes, not its maps.
  std::vector<explain::Box> boxes_or_none(const fs::path& picture) {
    try {
      return boxes_of(options_.explain.boxes, picture);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      remark(error.what());
      ++bad_boxes_;
      return {};
    }
  }

  void count_hits(const ExplainedFile& file) {
    for (const auto& map : file.explained.classes.front().maps) {
      if (!map.scores || !map.scores->hit) continue;
      auto& counts = pointing_[std::string(map.method->name)];
      ++counts.pictures;
      counts.hits += *map.scores->hit ? 1 : 0;
      counts.by_chance += map.scores->chance_of_hit;
    }
  }

  const Options& options_;
  const tasks::VisionModel& model_;
  fs::path folder_;
  ExplainStyle style_;
  explain::Explainer explainer_;
  Results results_{""};
  FileNames names_;
  std::size_t count_ = 0;
  std::int64_t bad_boxes_ = 0;
  std::vector<ExplainedFile> files_;  // of the page
  std::vector<draw::Drawing> pages_;
  std::map<std::string, Pointing> pointing_;
};

}  // namespace

int explain(const Options& options) {
  const auto pictures = find_pictures(options);
  const auto model = open_model(options);
  Explaining explaining(options, model);
  auto failed = pictures.failed;
  bool stopped = false;
  for (const auto& path : pictures.paths) {
    stopped = stopped || stop_requested();
    if (stopped) break;
    try {
      explaining.add(path);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::interrupted) throw;
      remark(error.what());
      stopped = error.kind() == ErrorKind::interrupted;
      ++failed;
    }
  }
  if (stopped && explaining.is_empty()) return exit_interrupted;
  explaining.finish();
  if (stopped) return exit_interrupted;
  return failed + explaining.bad_boxes() > 0 ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
