#include "remote/hub.h"

#include <fmt/format.h>

#include "cli/commands.h"

namespace nunchi::cli {
namespace {

// Megabytes, for the rate and the counts; a few bytes are done before a line could be read.
class PullLine {
 public:
  explicit PullLine(bool quiet) : quiet_(quiet) {}

  void show(const std::string& model, std::int64_t done, std::int64_t total) {
    constexpr std::int64_t megabyte = 1'000'000;
    if (!line_ || model != model_) {
      const bool hidden = quiet_ || !remote::hub_settings().progress_bars;
      line_ = std::make_unique<ProgressLine>("pull " + model, "MB", hidden);
      model_ = model;
    }
    line_->show(done / megabyte, total / megabyte);
    if (done >= total) line_->clear();
  }

 private:
  bool quiet_;
  std::string model_;
  std::unique_ptr<ProgressLine> line_;
};

}  // namespace

void show_pulls(const Options& options) {
  const auto line = std::make_shared<PullLine>(options.quiet);
  remote::set_pull_progress(
      [line](const std::string& model, std::int64_t done, std::int64_t total) { line->show(model, done, total); });
}

int pull(const Options& options) {
  std::vector<remote::HubName> names;
  for (const auto& text : options.inputs) {
    const auto name = remote::parse_hub_name(text);
    if (!name) {
      throw Error(ErrorKind::usage, fmt::format("{}: expected organisation/name or organisation/name@revision, such as "
                                                "google/vit-base-patch16-224",
                                                text));
    }
    names.push_back(*name);
  }
  Results results("");
  std::size_t failed = 0;
  for (const auto& name : names) {
    try {
      const auto folder = remote::pull(name).string();
      results.line(options.json ? json_line({{"model", name.text()}, {"path", folder}}) : folder);
    } catch (const Error& error) {
      if (names.size() == 1 || error.kind() == ErrorKind::interrupted) throw;
      remark(error.what());
      ++failed;
    }
  }
  return failed > 0 ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
