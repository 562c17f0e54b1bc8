#include <fmt/format.h>

#include <set>

#include "cli/commands.h"
#include "core/interrupt.h"
#include "tasks/class_mapping.h"
#include "tasks/measure.h"

namespace nunchi::cli {
namespace {

using tasks::Measurement;

struct Compared {
  std::string path;
  Measurement measured;
};

struct Comparison {
  std::vector<Compared> models;
  std::vector<std::filesystem::path> pictures;
  std::uint64_t base_memory = 0;
  bool stopped = false;
};

// In how many of the pictures that both answered they name the same class.
struct Agreement {
  std::int64_t same = 0, of = 0;
};

Agreement agreement(const Measurement& a, const Measurement& b) {
  Agreement result;
  for (std::size_t i = 0; i < std::min(a.pictures.size(), b.pictures.size()); ++i) {
    const auto &one = a.pictures[i].answer, &other = b.pictures[i].answer;
    if (!one || !other) continue;
    ++result.of;
    result.same += tasks::same_label(one->label, other->label) ? 1 : 0;
  }
  return result;
}

// 1 to A, 27 to AA.
std::string letter(std::size_t index) {
  return (index < 26 ? "" : letter(index / 26 - 1)) + static_cast<char>('A' + index % 26);
}

Comparison measure_all(const Options& options, const std::vector<std::filesystem::path>& pictures) {
  Comparison comparison{.models = {}, .pictures = pictures, .base_memory = tasks::memory_without_model()};
  for (const auto& path : options.models) {
    if (stop_requested()) break;
    auto source = model_source(options);
    source.path = path;
    ProgressLine progress(fmt::format("compare {}", path), "images", options.quiet);
    const tasks::MeasureOptions how{
        .decode = decode_options(options),
        .progress = [&](std::int64_t done, std::int64_t total) { progress.show(done, total); }};
    auto measured = tasks::measure(source, precision_of(options, source), pictures, how);
    progress.clear();
    comparison.models.push_back({path, std::move(measured)});
  }
  comparison.stopped = stop_requested();
  return comparison;
}

// --- text

std::string milliseconds(double seconds) { return fmt::format("{:.1f} ms", 1000 * seconds); }

void write_costs(Results& results, const Comparison& comparison) {
  results.line(fmt::format("   {:>14} {:>9} {:>9} {:>11} {:>11} {:>9}   model", "parameters", "weights", "load",
                           "fastest", "median", "memory"));
  for (std::size_t i = 0; i < comparison.models.size(); ++i) {
    const auto& [path, measured] = comparison.models[i];
    if (!measured.error.empty()) {
      results.line(fmt::format("{:<2} {:>14} {:>9} {:>9} {:>11} {:>11} {:>9}   {} (could not be loaded)", letter(i),
                               "-", "-", "-", "-", "-", "-", path));
      continue;
    }
    results.line(fmt::format(
        "{:<2} {:>14} {:>9} {:>7.2f} s {:>11} {:>11} {:>9}   {} ({})", letter(i), with_thousands(measured.parameters),
        format_bytes(measured.weight_bytes), measured.load_seconds, milliseconds(measured.least_seconds()),
        milliseconds(measured.median_seconds()), format_bytes(measured.peak_memory), path, measured.type));
  }
  results.line(
      fmt::format("Fastest and median: the network on one picture. Memory: the peak of a process of its own, {} "
                  "of it without any model.",
                  format_bytes(comparison.base_memory)));
}

std::string answer_in_words(const tasks::MeasuredPicture& picture) {
  if (!picture.error.empty()) return "could not be read";
  if (!picture.answer) return "no classifier";
  return fmt::format("{:6.2f} %  {}", 100 * picture.answer->probability, picture.answer->label);
}

void write_answers(Results& results, const Comparison& comparison) {
  for (std::size_t i = 0; i < comparison.pictures.size(); ++i) {
    results.line("");
    results.line(comparison.pictures[i].string());
    for (std::size_t m = 0; m < comparison.models.size(); ++m) {
      const auto& pictures = comparison.models[m].measured.pictures;
      if (i < pictures.size()) results.line(fmt::format("  {:<2}{}", letter(m), answer_in_words(pictures[i])));
    }
  }
}

void write_agreement(Results& results, const Comparison& comparison) {
  results.line("");
  for (std::size_t a = 0; a < comparison.models.size(); ++a) {
    for (std::size_t b = a + 1; b < comparison.models.size(); ++b) {
      const auto [same, of] = agreement(comparison.models[a].measured, comparison.models[b].measured);
      if (of == 0) continue;
      results.line(fmt::format("{} and {} agree on {} of {} pictures ({:.1f} %)", letter(a), letter(b), same, of,
                               100.0 * static_cast<double>(same) / static_cast<double>(of)));
    }
  }
}

// --- JSON

Json as_json(const Compared& compared) {
  const auto& measured = compared.measured;
  if (!measured.error.empty()) return {{"model", compared.path}, {"error", measured.error}};
  return {{"model", compared.path},
          {"type", measured.type},
          {"parameters", measured.parameters},
          {"weight_bytes", measured.weight_bytes},
          {"load_seconds", measured.load_seconds},
          {"least_seconds", measured.least_seconds()},
          {"median_seconds", measured.median_seconds()},
          {"measurements", measured.seconds.size()},
          {"peak_memory", measured.peak_memory}};
}

Json pictures_as_json(const Comparison& comparison) {
  Json pictures = Json::array();
  for (std::size_t i = 0; i < comparison.pictures.size(); ++i) {
    Json answers = Json::array();
    for (const auto& [path, measured] : comparison.models) {
      Json answer = nullptr;
      if (i < measured.pictures.size() && !measured.pictures[i].error.empty())
        answer = {{"error", measured.pictures[i].error}};
      else if (i < measured.pictures.size() && measured.pictures[i].answer)
        answer = {{"id", measured.pictures[i].answer->id},
                  {"label", measured.pictures[i].answer->label},
                  {"probability", measured.pictures[i].answer->probability}};
      answers.push_back(answer);
    }
    pictures.push_back({{"file", comparison.pictures[i].string()}, {"answers", answers}});
  }
  return pictures;
}

Json as_json(const Comparison& comparison) {
  Json models = Json::array(), agreements = Json::array();
  for (const auto& model : comparison.models) models.push_back(as_json(model));
  for (std::size_t a = 0; a < comparison.models.size(); ++a) {
    for (std::size_t b = a + 1; b < comparison.models.size(); ++b) {
      const auto [same, of] = agreement(comparison.models[a].measured, comparison.models[b].measured);
      agreements.push_back({{"a", a}, {"b", b}, {"same", same}, {"of", of}});
    }
  }
  return {{"partial", comparison.stopped},
          {"memory_without_model", comparison.base_memory},
          {"models", models},
          {"pictures", pictures_as_json(comparison)},
          {"agreement", agreements}};
}

// Each problem once, whichever models met it. Whether a picture failed.
bool report_failures(const Comparison& comparison) {
  std::set<std::string> told;
  const auto tell = [&](const std::string& problem) {
    if (!problem.empty() && told.insert(problem).second) remark(problem);
  };
  bool failed = false;
  for (const auto& [path, measured] : comparison.models) {
    tell(measured.error);
    for (const auto& picture : measured.pictures) {
      tell(picture.error);
      failed = failed || !picture.error.empty();
    }
  }
  return failed;
}

}  // namespace

int compare(const Options& options) {
  const auto pictures = find_pictures(options);
  Results results(options.out);
  const auto comparison = measure_all(options, pictures.paths);
  const bool failed = report_failures(comparison) || pictures.failed > 0;
  if (options.json) {
    results.line(json_line(as_json(comparison)));
  } else {
    write_costs(results, comparison);
    write_answers(results, comparison);
    write_agreement(results, comparison);
  }
  results.close();
  if (comparison.stopped) return exit_interrupted;
  const bool loaded =
      std::ranges::all_of(comparison.models, [](const Compared& each) { return each.measured.error.empty(); });
  return !loaded ? exit_model : failed ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
