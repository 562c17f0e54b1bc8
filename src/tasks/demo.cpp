#include "tasks/demo.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/asset.h"
#include "core/interrupt.h"
#include "core/timing.h"
#include "ops/numbers.h"
#include "tasks/attention_map.h"
#include "tasks/embed.h"
#include "tasks/seen_picture.h"

namespace nunchi::tasks {
namespace {

image::Picture read(const DemoInput& input, const image::DecodeOptions& options) {
  if (input.bytes.empty()) return image::read_picture(input.path, options);
  return image::decode(std::as_bytes(std::span(input.bytes)), input.name, options);
}

// The transform's picture before it becomes real numbers.
image::Picture input_picture(const image::Picture& picture, image::Transform transform) {
  transform.scaling = image::Scaling::none;
  transform.normalize.reset();
  transform.minus_one = transform.divide_by_std_again = transform.flip_channels = false;
  const auto values = image::apply(transform, picture);
  auto input = image::make_picture(values.width, values.height);
  const auto plane = static_cast<std::size_t>(values.width) * static_cast<std::size_t>(values.height);
  for (std::size_t i = 0; i < input.pixels.size(); ++i) {
    const float value = values.values[i % 3 * plane + i / 3];
    input.pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0f, 255.0f)));
  }
  return input;
}

void add_attention(DemoPicture& shown, const VisionModel& model, const Tensor& pixels) {
  const auto output = model.forward(pixels, {.attentions = true});
  if (!has_attention_map(output)) return;
  shown.rows = static_cast<int>(output.grid[0]);
  shown.columns = static_cast<int>(output.grid[1]);
  shown.attention = ops::numbers_of<float>(last_block_attention(output));
  shown.rollout = ops::numbers_of<float>(attention_rollout(output));
}

struct Shown {
  DemoPicture picture;
  Tensor vector;  // [1, dim]
};

Shown show(const VisionModel& model, const DemoInput& input, const image::DecodeOptions& options) {
  constexpr std::int64_t most_answers = 5;
  const auto& transform = model.transform();
  Shown shown{.picture = {.name = input.name, .credit = input.credit}, .vector = {}};
  auto begin = Clock::now();
  const auto picture = read(input, image::decoding_for(transform, options));
  shown.picture.decode_seconds = seconds_since(begin);
  begin = Clock::now();
  const Tensor pixels = as_batch(image::apply(transform, picture));
  shown.picture.transform_seconds = seconds_since(begin);
  begin = Clock::now();
  const auto output = model.forward(pixels);
  shown.picture.network_seconds = seconds_since(begin);
  const auto classes = model.network().classes();
  if (output.logits.defined() && classes > 0)
    shown.picture.answers = top_predictions(model, output.logits, std::min(most_answers, classes)).front();
  shown.vector = embeddings(output, EmbeddingKind::cls);
  shown.picture.seen = seen_picture(picture, transform);
  shown.picture.input = input_picture(picture, transform);
  add_attention(shown.picture, model, pixels);
  return shown;
}

}  // namespace

std::vector<DemoInput> bundled_photos() {
  constexpr std::string_view folder = "photos/", credits_file = "photos/credits.json";
  const Json credits = parse_json(asset(credits_file), std::string(credits_file));
  std::vector<DemoInput> photos;
  for (const Asset* file : assets_in(folder)) {
    if (file->name == credits_file) continue;
    const std::filesystem::path name = file->name.substr(folder.size());
    const Json& credit = credits.at(name.string());
    photos.push_back({.name = name.stem().string(),
                      .credit = fmt::format("{}, {}", credit.at("source").get<std::string>(),
                                            credit.at("licence").get<std::string>()),
                      .path = {},
                      .bytes = file->bytes});
  }
  return photos;
}

DemoRun run_demo(const VisionModel& model, const std::vector<DemoInput>& inputs, const image::DecodeOptions& decode) {
  DemoRun run;
  std::vector<Tensor> vectors;
  for (const auto& input : inputs) {
    throw_if_stopped();
    try {
      auto shown = show(model, input, decode);
      run.pictures.push_back(std::move(shown.picture));
      vectors.push_back(std::move(shown.vector));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      run.failures.emplace_back(error.what());
    }
  }
  if (vectors.empty()) return run;
  const Tensor cosines = cosine_matrix(at::cat(vectors, 0)).to(at::kDouble).contiguous();
  run.cosines.assign(cosines.const_data_ptr<double>(), cosines.const_data_ptr<double>() + cosines.numel());
  return run;
}

}  // namespace nunchi::tasks
