#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "cli/embedded.h"
#include "draw/figure.h"
#include "explain/search.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

using Found = std::vector<std::vector<explain::Neighbor>>;  // of each query, the nearest first

// --- each with each

void write_table(Results& results, const std::vector<std::string>& files, const Tensor& cosines) {
  std::size_t width = 0;
  for (const auto& file : files) width = std::max(width, file.size());
  std::string header(width + 5, ' ');
  for (std::size_t i = 0; i < files.size(); ++i) header += fmt::format("  {:>6}", i + 1);
  results.line(header);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const float* row = cosines.const_data_ptr<float>() + i * files.size();
    std::string line = fmt::format("{:>3}  {:<{}}", i + 1, files[i], width);
    for (std::size_t j = 0; j < files.size(); ++j) line += fmt::format("  {:6.3f}", row[j]);
    results.line(line);
  }
}

void write_json(Results& results, const std::vector<std::string>& files, const Tensor& cosines) {
  Json matrix = Json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const float* row = cosines.const_data_ptr<float>() + i * files.size();
    matrix.push_back(std::vector<float>(row, row + files.size()));
  }
  results.line(json_line({{"files", files}, {"cosine", matrix}}));
}

void write_matrix(const Options& options, const Embedded& all) {
  if (all.files.size() < 2) {
    throw Error(ErrorKind::input, fmt::format("two pictures are needed to compare, {} could be read; --among FOLDER "
                                              "searches for one",
                                              all.files.size()));
  }
  Results results(options.out);
  const Tensor cosines = tasks::cosine_matrix(all.vectors).contiguous();
  options.json ? write_json(results, all.files, cosines) : write_table(results, all.files, cosines);
  results.close();
}

// --- --among

bool is_drawing(const std::string& out) {
  return out.ends_with(".png") || out.ends_with(".svg") || out.ends_with(".pdf");
}

const std::string& file_of(const Embedded& database, const explain::Neighbor& found) {
  return database.files[static_cast<std::size_t>(found.index)];
}

// The places of the queries in the database: they do not find themselves.
std::vector<std::int64_t> places_in(const Embedded& database, const Embedded& queries) {
  const auto one_name = [](const std::string& file) {
    std::error_code error;  // a file that is gone by now has no other name
    return fs::weakly_canonical(file, error);
  };
  std::map<fs::path, std::int64_t> place_of;
  for (std::int64_t i = 0; i < std::ssize(database.files); ++i)
    place_of.emplace(one_name(database.files[static_cast<std::size_t>(i)]), i);
  std::vector<std::int64_t> places;
  for (const auto& query : queries.files) {
    const auto same = place_of.find(one_name(query));
    places.push_back(same == place_of.end() ? -1 : same->second);
  }
  return places;
}

std::vector<std::string> folders_of(const std::vector<std::string>& files) {
  std::vector<std::string> folders;
  for (const auto& file : files) folders.push_back(folder_name(file));
  return folders;
}

// Where the queries lie in folders that the database has, too: folders are classes.
std::optional<metrics::Retrieval> retrieval_of(const explain::Search& search, const Embedded& queries,
                                               const Embedded& database, std::int64_t k) {
  const auto classes = folders_of(database.files), of_queries = folders_of(queries.files);
  const bool labelled = std::ranges::count(classes, classes.front()) < std::ssize(classes) &&
                        std::ranges::all_of(of_queries, [&](const std::string& folder) {
                          return std::ranges::find(classes, folder) != classes.end();
                        });
  if (!labelled) return std::nullopt;
  return explain::retrieval(search, of_queries, classes, k);
}

void write_found(Results& results, bool json, const Embedded& queries, const Embedded& database, const Found& found) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    Json nearest = Json::array();
    if (!json) results.line(queries.files[i]);
    for (const auto& each : found[i]) {
      if (json)
        nearest.push_back({{"file", file_of(database, each)}, {"cosine", each.cosine}});
      else
        results.line(fmt::format("  {:6.3f}  {}", each.cosine, file_of(database, each)));
    }
    if (json) results.line(json_line({{"file", queries.files[i]}, {"nearest", nearest}}));
  }
}

// A row for each query: it, and what was found.
draw::Drawing found_drawing(const Options& options, const Embedded& queries, const Embedded& database,
                            const Found& found) {
  constexpr std::size_t most_rows = 20, most_columns = 13;
  constexpr int side = 320;
  std::size_t longest = 0;
  for (const auto& row : found) longest = std::max(longest, row.size());
  draw::Figure figure{.title = options.among,
                      .columns = std::min(most_columns, 1 + longest),
                      .panel_width = 130,
                      .theme = theme_of(options)};
  figure.column_headings.resize(figure.columns);
  for (std::size_t i = 1; i < figure.columns; ++i) figure.column_headings[i] = std::to_string(i);
  const auto add = [&](const std::string& file, const std::string& note) {
    figure.panels.push_back({.note = note, .picture = thumbnail(options, file, side)});
  };
  for (std::size_t i = 0; i < std::min(most_rows, found.size()); ++i) {
    add(queries.files[i], fs::path(queries.files[i]).filename().string());
    for (const auto& each : std::span(found[i]).first(std::min(found[i].size(), figure.columns - 1))) {
      const auto& file = file_of(database, each);
      add(file, fmt::format("{:.3f} {}", each.cosine, fs::path(file).filename().string()));
    }
    figure.panels.resize((i + 1) * figure.columns);
  }
  if (found.size() > most_rows) figure.notes = {fmt::format("The first {} of {} queries.", most_rows, found.size())};
  return draw::drawing(figure);
}

void search(const Options& options, const Embedded& queries, const Embedded& database) {
  const auto k = options.k.value_or(5);
  const explain::Search search{
      .queries = queries.vectors, .database = database.vectors, .itself = places_in(database, queries)};
  const auto found = explain::nearest(search, k);
  const auto retrieval = retrieval_of(search, queries, database, k);
  const bool draws = is_drawing(options.out);
  Results results(draws ? "" : options.out);
  write_found(results, options.json, queries, database, found);
  if (retrieval) results.line(options.json ? json_line({{"retrieval", as_json(*retrieval)}}) : in_words(*retrieval));
  results.close();
  if (draws) draw::write_drawing(options.out, found_drawing(options, queries, database, found));
}

}  // namespace

int similar(const Options& options) {
  const auto kind = tasks::embedding_kind_from_name(options.pool);
  const auto pictures = find_pictures(options);
  std::optional<Pictures> others;
  if (!options.among.empty()) others = find_pictures(options, {options.among});
  if (!options.out.empty()) check_place(options.out);
  const auto model = open_model(options);
  const auto all = embedded(options, model, pictures, kind);
  if (all.code == exit_interrupted) return all.code;
  if (!others) {
    write_matrix(options, all);
    return all.code;
  }
  const auto database = embedded(options, model, *others, kind);
  if (database.code == exit_interrupted) return database.code;
  for (const auto* each : {&all, &database})
    if (each->files.empty()) throw Error(ErrorKind::input, "no picture could be read: there is nothing to find");
  search(options, all, database);
  return std::max(all.code, database.code);
}

}  // namespace nunchi::cli
