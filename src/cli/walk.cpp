#include <fmt/format.h>

#include "cli/commands.h"
#include "image/decode.h"

namespace nunchi::cli {

// Every number printed is the shape of a tensor that this run computed.
int walk(const Options& options) {
  const auto paths = picture_paths(options);
  const auto model = open_model(options);
  Results results("");
  const auto line = [&](const std::string& name, const std::string& text) { results.line(fmt::format("  {:<22}{}", name, text)); };
  for (const auto& path : paths) {
    const auto picture = image::read_picture(path, {.apply_exif_orientation = !options.no_exif, .max_pixels = options.max_pixels});
    tasks::PictureLoader loader({path}, model.transform(), {.batch = 1, .threads = 1});
    const auto batch = *loader.next();
    if (batch.indices.empty()) throw Error(ErrorKind::input, batch.failures.front().message);
    const auto output = model.forward(batch.pixels, {.hidden_states = true, .attentions = true});

    results.line(path.string());
    line("picture", fmt::format("[{}, {}, {}]  (height, width, channels)", picture.height, picture.width, picture.channels));
    line("pixel_values", to_string(batch.pixels.sizes()));
    if (output.prefix_tokens > 0) {
      line("patches", fmt::format("{} x {} = {} tokens, and {} before them", output.grid[0], output.grid[1],
                                  output.grid[0] * output.grid[1], output.prefix_tokens));
    }
    const bool embeds = output.prefix_tokens > 0;  // a transformer's first hidden state is its embeddings
    for (std::size_t i = 0; i < output.hidden_states.size(); ++i) {
      line(embeds && i == 0 ? "embeddings" : fmt::format("block {}", embeds ? i : i + 1), to_string(output.hidden_states[i].sizes()));
    }
    if (!output.attentions.empty()) line("attention, each block", to_string(output.attentions.back().sizes()));
    line("last_hidden_state", to_string(output.last_hidden_state.sizes()));
    if (output.pooler_output.defined()) line("pooler_output", to_string(output.pooler_output.sizes()));
    if (output.logits.defined()) line("logits", to_string(output.logits.sizes()));
  }
  return 0;
}

}  // namespace nunchi::cli
