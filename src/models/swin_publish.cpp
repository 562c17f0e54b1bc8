// A Swin in the words of transformers and timm.
#include <fmt/format.h>

#include <algorithm>

#include "models/publish.h"
#include "models/swin_publishers.h"

namespace nunchi::models {
namespace {

// The window that the config names. Both libraries cut it to maps that are smaller, but transformers' first Swin keeps
// the bias of the whole window and then fails.
std::int64_t named_window(const PublishCheck& check, const SwinConfig& swin, bool can_cut) {
  std::int64_t window = 0;
  for (const auto& stage : swin.stages) window = std::max(window, stage.window[0]);
  nn::Grid map = {swin.image_size[0] / swin.patch[0], swin.image_size[1] / swin.patch[1]};
  for (const auto& stage : swin.stages) {
    const auto fits = [&](std::size_t axis) {
      return stage.window[axis] == window || stage.window[axis] == std::min(window, map[axis]);
    };
    check(fits(0) && fits(1), "windows of several sizes");
    check(can_cut || stage.window == nn::Grid{window, window}, "windows cut to a map that is smaller");
    map = {(map[0] + 1) / 2, (map[1] + 1) / 2};
  }
  return window;
}

// At their own size both libraries agree where windows fill their maps; what is padded they pad at different moments.
std::vector<std::string> padding_remarks(const SwinConfig& swin, std::int64_t window) {
  nn::Grid map = {swin.image_size[0] / swin.patch[0], swin.image_size[1] / swin.patch[1]};
  for (std::size_t i = 0; i < swin.stages.size(); ++i) {
    for (const auto side : map) {
      if (side > window && side % window != 0)
        return {
            "transformers pads before it shifts, timm afterwards: where windows do not fill a map, as here, the "
            "answers differ a little"};
    }
    map = {(map[0] + 1) / 2, (map[1] + 1) / 2};
  }
  return {};
}

struct Stages {
  std::vector<std::int64_t> depths, heads, pretrained;
  double mlp_ratio = 4;
};

Stages stages_of(const PublishCheck& check, const SwinConfig& swin) {
  check(!swin.features, "the maps of a backbone as its answer");
  check(swin.final_norm && swin.pooling == MapPooling::mean, "another end than a norm and the mean");
  Stages stages;
  stages.mlp_ratio = exact_ratio(swin.stages.front().mlp_dim, swin.stages.front().dim);
  for (const auto& stage : swin.stages) {
    stages.depths.push_back(stage.depth);
    stages.heads.push_back(stage.heads);
    stages.pretrained.push_back(stage.pretrained_window[0]);
    check(stage.head_dim.value_or(stage.dim / stage.heads) * stage.heads == stage.dim, "heads of their own width");
    check(stage.dim == swin.stages.front().dim << (&stage - &swin.stages.front()), "widths that do not double");
    check(static_cast<std::int64_t>(static_cast<double>(stage.dim) * stages.mlp_ratio) == stage.mlp_dim,
          "MLPs of several ratios");
  }
  return stages;
}

Published as_transformers(const SwinConfig& swin) {
  const PublishCheck check(swin.second ? "transformers' Swinv2" : "transformers' Swin");
  const auto stages = stages_of(check, swin);
  const auto window = named_window(check, swin, /*can_cut=*/swin.second);
  const std::string type = swin.second ? "swinv2" : "swin", name = swin.second ? "Swinv2" : "Swin";
  check(!swin.second || !swin.absolute_positions, "absolute positions");
  Published published;
  published.config = {{"model_type", type},
                      {"architectures", {name + (swin.classes > 0 ? "ForImageClassification" : "Model")}},
                      {"image_size", one_or_two(swin.image_size)},
                      {"patch_size", one_or_two(swin.patch)},
                      {"num_channels", swin.channels},
                      {"embed_dim", swin.stages.front().dim},
                      {"depths", stages.depths},
                      {"num_heads", stages.heads},
                      {"window_size", window},
                      {"mlp_ratio", stages.mlp_ratio},
                      {"qkv_bias", swin.qkv_bias},
                      {"hidden_act", transformers_name(swin.activation)},
                      {"use_absolute_embeddings", swin.absolute_positions},
                      {"layer_norm_eps", swin.eps}};
  if (swin.second) published.config["pretrained_window_sizes"] = stages.pretrained;
  published.keys = swin_keys_of_transformers({}, swin);
  published.prefix = swin.classes > 0 ? type + "." : "";
  published.remarks = padding_remarks(swin, window);
  return published;
}

Published as_timm(const SwinConfig& swin) {
  const PublishCheck check(swin.second ? "timm's SwinTransformerV2" : "timm's SwinTransformer");
  const auto stages = stages_of(check, swin);
  const auto window = named_window(check, swin, /*can_cut=*/true);
  check(!swin.absolute_positions, "absolute positions");
  Published published;
  published.config = {{"architecture", swin.second ? "swinv2_tiny_window8_256" : "swin_tiny_patch4_window7_224"},
                      {"model_args",
                       {{"img_size", swin.image_size},
                        {"patch_size", one_or_two(swin.patch)},
                        {"in_chans", swin.channels},
                        {"num_classes", swin.classes},
                        {"embed_dim", swin.stages.front().dim},
                        {"depths", stages.depths},
                        {"num_heads", stages.heads},
                        {"window_size", window},
                        {"mlp_ratio", stages.mlp_ratio},
                        {"qkv_bias", swin.qkv_bias}}}};
  if (swin.second) published.config["model_args"]["pretrained_window_sizes"] = stages.pretrained;
  if (swin.activation != ops::Activation::gelu)
    published.config["model_args"]["act_layer"] = timm_name(swin.activation);
  published.remarks = padding_remarks(swin, window);
  if (swin.eps != 1e-5)
    published.remarks.push_back(
        fmt::format("timm's config cannot say that the norms' epsilon is {:g}: it takes 1e-5", swin.eps));
  return published;
}

}  // namespace

Published publish_swin(const Model& model, Publisher publisher) {
  const auto& swin = dynamic_cast<const Swin&>(model).config();
  return publisher == Publisher::timm ? as_timm(swin) : as_transformers(swin);
}

}  // namespace nunchi::models
