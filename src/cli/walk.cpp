#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/walked.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "image/decode.h"

namespace nunchi::cli {
namespace {

void line(Results& results, const std::string& name, const std::string& text) {
  results.line(fmt::format("  {:<22}{}", name, text));
}

void write_input(Results& results, const std::filesystem::path& path, const image::Picture& picture,
                 const Tensor& pixels) {
  results.line(path.string());
  line(results, "picture",
       fmt::format("[{}, {}, {}]  (height, width, channels)", picture.height, picture.width, picture.channels));
  line(results, "pixel_values", to_string(pixels.sizes()));
}

// Windows have weights of their own in every block.
void write_attention(Results& results, const std::vector<Tensor>& attentions) {
  if (attentions.empty()) return;
  const bool alike = std::ranges::all_of(
      attentions, [&](const Tensor& weights) { return weights.sizes() == attentions.front().sizes(); });
  if (alike) return line(results, "attention, each block", to_string(attentions.front().sizes()));
  for (std::size_t i = 0; i < attentions.size(); ++i)
    line(results, fmt::format("attention, block {}", i), to_string(attentions[i].sizes()));
}

void write_output(Results& results, const Tensor& pixels, const models::ModelOutput& output) {
  const bool embeds = keeps_tokens(output);
  if (embeds) {
    const auto [rows, columns] = output.grid;
    const auto before = output.prefix_tokens > 0 ? fmt::format(", and {} before them", output.prefix_tokens) : "";
    line(results, "patches",
         fmt::format("{} x {} = {} tokens of {} x {} pixels{}", rows, columns, rows * columns, pixels.size(2) / rows,
                     pixels.size(3) / columns, before));
  }
  for (std::size_t i = 0; i < output.hidden_states.size(); ++i) {
    const auto name = embeds && i == 0 ? "embeddings" : fmt::format("block {}", embeds ? i - 1 : i);
    line(results, name, to_string(output.hidden_states[i].sizes()));
  }
  for (std::size_t i = 0; i < output.feature_maps.size(); ++i)
    line(results, fmt::format("feature_map_{}", i), to_string(output.feature_maps[i].sizes()));
  write_attention(results, output.attentions);
  line(results, "last_hidden_state", to_string(output.last_hidden_state.sizes()));
  if (output.pooler_output.defined()) line(results, "pooler_output", to_string(output.pooler_output.sizes()));
  for (const auto& [name, value] : output.further) line(results, name, to_string(value.sizes()));
  if (output.logits.defined()) line(results, "logits", to_string(output.logits.sizes()));
}

Walked walk_picture(Results& results, const tasks::VisionModel& model, const std::filesystem::path& path,
                    const Options& options) {
  const auto decode = image::decoding_for(model.transform(), decode_options(options));
  const auto picture = image::read_picture(path, decode);
  tasks::PictureLoader loader({path}, model.transform(), {.batch = 1, .threads = 1, .decode = decode});
  const auto batch = *loader.next();
  if (batch.indices.empty()) throw Error(ErrorKind::input, batch.failures.front().message);
  const auto output = model.forward(batch.pixels, {.hidden_states = true, .attentions = true});
  write_input(results, path, picture, batch.pixels);
  write_output(results, batch.pixels, output);
  if (options.out.empty()) return {};
  return walked_of(model, {.picture = short_name(path), .model = short_name(options.model)}, picture, batch.pixels,
                   output, PageWords(options.language));
}

bool is_page(const std::string& file) { return file.ends_with(".html"); }

// A sheet is of one picture.
void check_drawing(const Options& options, std::size_t pictures) {
  if (options.out.empty()) return;
  check_place(options.out);
  if (pictures == 1 || is_page(options.out) || options.out.ends_with(".pdf")) return;
  throw Error(ErrorKind::usage, fmt::format("--out {}: expected one picture, found {}; name a file that ends in .pdf "
                                            "or .html for several",
                                            options.out, pictures));
}

void draw_all(const Options& options, const std::vector<Walked>& pictures) {
  const auto& file = options.out;
  const PageWords say(options.language);
  if (file.empty() || pictures.empty()) return;
  if (is_page(file)) return write_file(file, walk_page(pictures, say));
  std::vector<draw::Drawing> sheets;
  for (const auto& walked : pictures) sheets.push_back(walk_drawing(walked, say, theme_of(options)));
  if (sheets.size() == 1) return draw::write_drawing(file, sheets.front());
  draw::write_pdf(file, sheets);
}

}  // namespace

// Every number printed is the shape of a tensor that this run computed.
int walk(const Options& options) {
  const auto pictures = find_pictures(options);
  check_drawing(options, pictures.paths.size());
  const auto model = open_model(options);
  std::vector<Walked> walked;
  Results results("");
  auto failed = pictures.failed;
  for (const auto& path : pictures.paths) {
    throw_if_stopped();
    try {
      auto way = walk_picture(results, model, path, options);
      if (!options.out.empty()) walked.push_back(std::move(way));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      remark(error.what());
      ++failed;
    }
  }
  draw_all(options, walked);
  return failed > 0 ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
