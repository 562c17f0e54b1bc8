#include "cli/features.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "core/file.h"
#include "core/interrupt.h"
#include "draw/html_report.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

using Show = Finding (*)(Gallery&);

const std::map<std::string, Show>& views() {
  static const std::map<std::string, Show> all = {
      {"pca", show_pca},
      {"clusters", show_clusters},
      {"spectral", show_spectral},
      {"similar", show_similar},
      {"match", show_match},
      {"maps", show_maps},
      {"activations", show_activations},
      {"cka", show_cka},
      {"drift", show_drift},
      {"lens", show_lens},
      {"positions", show_positions},
      {"filters", show_filters},
      {"weights", show_weights},
      {"embedding", show_embedding},
  };
  return all;
}

// Where the parts of the answer go: one drawing, one page or PDF of all, or a folder.
struct Place {
  fs::path page, drawing, folder;

  Place(const std::string& out, bool several) {
    const fs::path path = out.empty() ? "nunchi-features" : out;
    const auto kind = path.extension();
    if (kind == ".html" || (kind == ".pdf" && several))
      page = path;
    else if (kind == ".png" || kind == ".svg" || kind == ".pdf")
      drawing = path;
    else
      folder = path;
    std::error_code error;
    if (folder.empty())
      check_place(path.string());
    else
      fs::create_directories(folder, error);
    if (!folder.empty() && !fs::is_directory(folder, error))
      throw Error(ErrorKind::input, fmt::format("{}: no folder can be made there", out));
  }

  // The numbers of one view, without an ending.
  fs::path numbers(const std::string& view) const {
    if (!folder.empty()) return folder / view;
    if (!drawing.empty()) return fs::path(drawing).replace_extension();
    return fs::path(page).replace_extension().string() + "-" + view;
  }

  bool is_html() const { return page.extension() == ".html"; }
  bool is_pdf() const { return page.extension() == ".pdf"; }

  // Of a view that has a file for itself.
  fs::path own_drawing(const std::string& view) const { return folder.empty() ? drawing : folder / (view + ".png"); }
};

fs::path with_ending(const fs::path& path, const char* ending) { return path.string() + ending; }

std::vector<std::string> write_finding(const Place& place, const std::string& view, const Finding& finding,
                                       const draw::Drawing& sheet) {
  std::vector<std::string> files;
  if (const auto drawing = place.own_drawing(view); !drawing.empty()) {
    draw::write_drawing(drawing, sheet);
    files.push_back(drawing.string());
  } else {
    files.push_back(place.page.string());
  }
  Json numbers = finding.summary;
  numbers.update(finding.details);
  const auto json = with_ending(place.numbers(view), ".json");
  write_file(json, numbers.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  files.push_back(json.string());
  if (finding.tensors.empty()) return files;
  const auto tensors = with_ending(place.numbers(view), ".safetensors");
  tasks::write_outputs(tensors, finding.tensors);
  files.push_back(tensors.string());
  return files;
}

void add_to_page(draw::HtmlReport& page, const Finding& finding) {
  page.heading(finding.figure.title);
  if (finding.map) {
    page.scatter(*finding.map);
  } else {
    const auto png = draw::png_of(draw::drawing(finding.figure));
    page.picture({.source = draw::data_uri(png, "image/png"), .description = finding.figure.title});
  }
  for (const auto& explorer : finding.explorers) page.explorer(explorer);
  for (const auto& words : finding.words) page.paragraph(words);
}

// On the paper that --dark says; on a page the figure is as it was made.
draw::Drawing sheet_of(const Finding& finding, const Options& options) {
  auto figure = finding.figure;
  figure.theme = theme_of(options);
  return draw::drawing(figure);
}

void print(Results& results, const Options& options, const std::string& view, const Finding& finding,
           const std::vector<std::string>& files) {
  if (options.json) {
    Json line = {{"show", view}, {"files", files}};
    line.update(finding.summary);
    return results.line(json_line(line));
  }
  results.line(fmt::format("{}: {}", view, fmt::join(files, ", ")));
  for (const auto& words : finding.words) results.line("  " + words);
}

}  // namespace

int features(const Options& options) {
  const auto pictures = !options.inputs.empty() ? find_pictures(options) : Pictures{};
  const Place place(options.out, options.show.size() > 1);
  const auto model = open_model(options);
  Gallery gallery(options, model, pictures);
  Results results("");
  draw::HtmlReport page(gallery.say()("What the model sees"), about(gallery, ""), {.language = options.language});
  std::vector<draw::Drawing> sheets;      // of a PDF
  std::size_t shown = 0, impossible = 0;  // of the views
  bool stopped = false;
  for (const auto& view : options.show) {
    try {
      throw_if_stopped();
      const auto finding = views().at(view)(gallery);
      if (place.is_html()) add_to_page(page, finding);
      const auto sheet = sheet_of(finding, options);
      if (place.is_pdf()) sheets.push_back(sheet);
      print(results, options, view, finding, write_finding(place, view, finding, sheet));
      ++shown;
    } catch (const Error& error) {
      stopped = error.kind() == ErrorKind::interrupted;
      const bool last_chance = shown == 0 && (stopped || impossible + 1 == options.show.size());
      if (last_chance) throw;
      if (stopped) break;
      remark(error.what());  // what this model or these pictures cannot show does not cost the rest
      ++impossible;
    }
  }
  if (place.is_html()) write_file(place.page, page.html());
  if (place.is_pdf()) draw::write_pdf(place.page, sheets);
  if (stopped) return exit_interrupted;
  return gallery.failed() > 0 || impossible > 0 ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
