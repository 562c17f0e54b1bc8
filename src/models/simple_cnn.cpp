#include "models/simple_cnn.h"

#include <ATen/ops/dropout.h>
#include <fmt/format.h>

#include "models/picture.h"
#include "ops/pool.h"

namespace nunchi::models {

SimpleCnn::SimpleCnn(const SimpleCnnConfig& c) : config_(c) {
  std::int64_t in = c.channels;
  for (std::size_t i = 0; i < features_.size(); ++i) {
    child("features", features_[i].emplace(nn::ConvNormConfig{.in = in,
                                                              .out = c.widths[i],
                                                              .kernel = 3,
                                                              .padding = 1,
                                                              .bias = true,
                                                              .activation = ops::Activation::relu,
                                                              .convolution_key = std::to_string(4 * i),
                                                              .normalization_key = std::to_string(4 * i + 1)}));
    in = c.widths[i];
  }
  const auto pixels = (c.image_size[0] / 8) * (c.image_size[1] / 8);
  child("classifier.1", hidden_.emplace(in * pixels, c.hidden));
  if (c.classes > 0) child("classifier.4", classifier_.emplace(c.hidden, c.classes));
}

Tensor SimpleCnn::drop(const Tensor& x) const {
  return is_training() ? at::dropout(x, config_.dropout, /*train=*/true) : x;
}

ModelOutput SimpleCnn::forward(const Tensor& image, const ForwardOptions& options) const {
  require_picture(image, config_.channels);
  if (image.size(2) != config_.image_size[0] || image.size(3) != config_.image_size[1]) {
    throw Error(ErrorKind::input,
                fmt::format("this network reads pictures of {}x{} pixels only, found {}x{}", config_.image_size[0],
                            config_.image_size[1], image.size(2), image.size(3)));
  }
  ModelOutput output;
  Tensor x = image.contiguous(at::MemoryFormat::ChannelsLast);
  for (const auto& block : features_) {
    x = ops::max_pool2d(block->forward(x), {.kernel = 2, .stride = 2});
    if (options.hidden_states) output.hidden_states.push_back(x);
  }
  output.feature_maps = output.hidden_states;
  output.last_hidden_state = x;
  output.grid = {x.size(2), x.size(3)};
  output.pooler_output = hidden_->forward(drop(x.flatten(1)), {.activation = ops::Activation::relu});
  if (classifier_) output.logits = classifier_->forward(drop(output.pooler_output));
  return output;
}

namespace {

// Channels and classes that the tensors show.
void read_sizes_of_tensors(SimpleCnnConfig& net, const Source& source) {
  const auto set_rows = [&](std::int64_t& size, const std::string& key) {
    const auto shape = source.shape(key);
    if (shape && !shape->empty()) size = shape->front();
  };
  for (std::size_t i = 0; i < net.widths.size(); ++i) set_rows(net.widths[i], fmt::format("features.{}.weight", 4 * i));
  set_rows(net.hidden, "classifier.1.weight");
  set_rows(net.classes, "classifier.4.weight");
}

}  // namespace

Built build_simple_cnn(const Source& source) {
  SimpleCnnConfig net;
  net.classes = get_or(source.config, "num_classes", net.classes);
  if (source.sizes_from_shapes) read_sizes_of_tensors(net, source);
  if (source.classes) net.classes = *source.classes;
  check_sizes(source.config, {net.widths[0], net.widths[1], net.widths[2], net.hidden});
  if (net.classes != 0) check_sizes(source.config, {net.classes});
  weights::KeyTable table;
  if (net.classes == 0) table.dropped = {"classifier.4.*"};
  return {std::make_unique<SimpleCnn>(net), std::move(table), {"classifier.4"}};
}

}  // namespace nunchi::models
