#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>

#include "cli/commands.h"
#include "remote/cache_tools.h"
#include "remote/hub_settings.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

std::string time_text(std::time_t time) {
  std::tm local{};
  char text[32];
  localtime_r(&time, &local);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local)};
}

// "main", or the beginning of a commit that no branch points to.
std::string revision_text(const remote::CachedSnapshot& snapshot) {
  constexpr std::size_t enough = 10;
  return snapshot.references.empty() ? snapshot.commit.substr(0, enough)
                                     : fmt::format("{}", fmt::join(snapshot.references, " "));
}

int list(const Options& options, const fs::path& folder) {
  Results results("");
  const auto snapshots = remote::list_cache(folder);
  std::size_t longest = 0;
  for (const auto& snapshot : snapshots) longest = std::max(longest, snapshot.repository.size());
  for (const auto& snapshot : snapshots) {
    if (options.json) {
      results.line(json_line({{"model", snapshot.repository},
                              {"commit", snapshot.commit},
                              {"references", snapshot.references},
                              {"path", snapshot.path.string()},
                              {"bytes", snapshot.bytes},
                              {"files", snapshot.files},
                              {"modified", time_text(snapshot.modified)},
                              {"usable", snapshot.usable}}));
      continue;
    }
    results.line(fmt::format("{:<{}}  {:<10}  {:>9}  {:>3} file{}  {}{}", snapshot.repository, longest,
                             revision_text(snapshot), format_bytes(snapshot.bytes), snapshot.files,
                             snapshot.files == 1 ? " " : "s", time_text(snapshot.modified),
                             snapshot.usable ? "" : "  (no configuration or no weights)"));
  }
  if (snapshots.empty() && !options.quiet) remark(fmt::format("no models in {}", folder.string()));
  return 0;
}

int prune(const Options& options, const fs::path& folder) {
  Results results("");
  const auto pruned = remote::prune_cache(folder, {.dry_run = options.dry_run, .detached = options.all});
  std::uint64_t bytes = 0;
  for (const auto& file : pruned.deleted) {
    bytes += file.bytes;
    results.line(options.json ? json_line({{"path", file.path.string()},
                                           {"what", file.what},
                                           {"bytes", file.bytes},
                                           {"deleted", !options.dry_run}})
                              : fmt::format("{}  {}, {}", file.path.string(), file.what, format_bytes(file.bytes)));
  }
  if (options.quiet) return 0;
  for (const auto& file : pruned.busy) remark(fmt::format("{}: in use by another process, kept", file.string()));
  remark(fmt::format("{} {} in {} place{}", options.dry_run ? "would delete" : "deleted", format_bytes(bytes),
                     pruned.deleted.size(), pruned.deleted.size() == 1 ? "" : "s"));
  if (pruned.detached_kept > 0)
    remark(fmt::format("{} snapshots that no branch or tag points to are kept; --all deletes them, too",
                       pruned.detached_kept));
  return 0;
}

const char* name_of(remote::FileState state) {
  switch (state) {
    case remote::FileState::intact:
      return "intact";
    case remote::FileState::damaged:
      return "damaged";
    case remote::FileState::missing:
      return "missing";
    default:
      return "unchecked";
  }
}

int verify(const Options& options, const fs::path& folder) {
  Results results("");
  ProgressLine progress("verify", "MB", options.quiet);
  std::int64_t counts[4] = {};
  const auto on_file = [&](const remote::CheckedFile& file) {
    using remote::FileState;
    ++counts[static_cast<int>(file.state)];
    const bool wrong = file.state == FileState::damaged || file.state == FileState::missing;
    progress.clear();
    if (options.json) {
      results.line(json_line({{"path", file.path.string()}, {"state", name_of(file.state)}, {"bytes", file.bytes}}));
    } else if (wrong) {
      results.line(fmt::format("{}: {}; delete it and pull again", file.path.string(), name_of(file.state)));
    }
  };
  constexpr std::int64_t megabyte = 1'000'000;
  remote::verify_cache(folder, on_file, [&](std::int64_t done, std::int64_t total) {
    progress.show(done / megabyte, total / megabyte);
  });
  progress.clear();
  const auto [intact, damaged, missing, unchecked] = counts;
  if (!options.quiet)
    remark(fmt::format("{} files intact, {} damaged, {} missing{}", intact, damaged, missing,
                       unchecked > 0 ? fmt::format(", {} without a hash to check", unchecked) : ""));
  return damaged + missing > 0 ? exit_some_failed : 0;
}

}  // namespace

int cache(const Options& options) {
  const auto folder = remote::hub_settings().cache;
  const auto& action = options.inputs.front();
  if (action == "ls") return list(options, folder);
  return action == "prune" ? prune(options, folder) : verify(options, folder);
}

}  // namespace nunchi::cli
