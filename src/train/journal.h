// train/journal.h: what a training tells while it runs, for people and programs: RUN/journal.jsonl, one JSON object a
// line, and RUN/events.out.tfevents.nunchi for TensorBoard.
//
//   Journal journal(run, {});                                      // a new run; or {state.journal_bytes, ...}
//   journal.line({{"kind", "step"}, {"step", 50}, {"loss", 2.1}});
//   journal.scalars(50, {{"train/loss", 2.1}});
//   state.journal_bytes = journal.sizes().journal;
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"

namespace nunchi::train {

// A file that grows at its end. Every append reaches the system at once; what a killed process had written beyond its
// last state is cut off when the training goes on from there.
class AppendFile {
 public:
  // Cuts the file to `size` bytes, or fewer where it is shorter. Throws Error (input) where it cannot be opened.
  AppendFile(std::filesystem::path path, std::uint64_t size);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view text);  // throws Error (input), on a full disk too
  std::uint64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

struct JournalSizes {
  std::uint64_t journal = 0, events = 0;
};

class Journal {
 public:
  Journal(const std::filesystem::path& run, const JournalSizes& from);

  void line(const Json& json);
  void scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& scalars);
  JournalSizes sizes() const { return {lines_.size(), events_.size()}; }

 private:
  AppendFile lines_, events_;
};

}  // namespace nunchi::train
