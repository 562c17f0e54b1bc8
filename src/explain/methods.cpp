#include "explain/methods.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>

#include "core/nearest.h"
#include "explain/attention.h"
#include "explain/cam.h"
#include "explain/input_gradient.h"
#include "explain/perturbation.h"
#include "tasks/attention_map.h"

namespace nunchi::explain {
namespace {

std::string map_layer_of(const Subject& subject, const Asked& asked) {
  const auto& anatomy = subject.anatomy();
  return asked.layer.empty() ? anatomy.map_layer : layer_named(anatomy, asked.layer);
}

Explanation whole(const Tensor& map) { return {.map = map, .raw = map}; }

template <Cam kind>
Explanation activation_map(const Subject& subject, const Asked& asked) {
  const auto layer = map_layer_of(subject, asked);
  auto explanation = whole(class_activation_map(kind, subject.at_layer(layer, asked.target)));
  explanation.layer = layer;
  return explanation;
}

Explanation eigen(const Subject& subject, const Asked& asked) {
  const auto layer = map_layer_of(subject, asked);
  auto explanation = whole(eigen_cam(subject.activations(layer)));
  explanation.layer = layer;
  return explanation;
}

Explanation by_scores(const Subject& subject, const Asked& asked) {
  const auto layer = map_layer_of(subject, asked);
  auto explanation = whole(score_cam(subject, layer, asked.target, asked.work));
  explanation.layer = layer;
  return explanation;
}

// --layer of attention: the number of a block, or a layer inside one.
std::size_t block_of(const std::string& layer, std::size_t blocks) {
  if (layer.empty()) return blocks - 1;
  const auto digit = layer.find_first_of("0123456789");
  std::size_t block = blocks;
  if (digit != std::string::npos) std::from_chars(layer.data() + digit, layer.data() + layer.size(), block);
  if (block < blocks) return block;
  throw Error(ErrorKind::usage, fmt::format("--layer {}: expected a block, 0 to {} or blocks.0 to blocks.{}", layer,
                                            blocks - 1, blocks - 1));
}

Explanation weights_of_block(const Subject& subject, const Asked& asked) {
  const auto& output = subject.with_attention();
  const auto block = block_of(asked.layer, output.attentions.size());
  const Tensor& weights = output.attentions[block];
  const auto heads = weights.size(1);
  if (asked.head && (*asked.head < 0 || *asked.head >= heads))
    throw Error(ErrorKind::usage, fmt::format("--head {}: this model has heads 0 to {}", *asked.head, heads - 1));
  const Tensor chosen = asked.head ? weights.select(1, *asked.head) : weights.mean(1);
  return {.map = tasks::seen_from_class_token(chosen, output)[0],
          .raw = at::cat(output.attentions),  // [blocks, heads, n, n]
          .layer = fmt::format("blocks.{}.attn", block)};
}

Explanation plain_rollout(const Subject& subject, const Asked& asked) {
  return whole(tasks::attention_rollout(subject.with_attention(), asked.discarded)[0]);
}

Explanation relevance(const Subject& subject, const Asked& asked) {
  return whole(from_class_token(gradient_rollout(subject.attention(asked.target)), subject.anatomy()));
}

Explanation of_pixels(const Tensor& contributions) { return {.map = pixel_map(contributions), .raw = contributions}; }

Explanation times_gradient(const Subject& subject, const Asked& asked) {
  return of_pixels(input_x_gradient(subject, asked.target));
}

Explanation handed_back(const Subject& subject, const Asked& asked) {
  return of_pixels(layerwise_relevance(subject, asked.target));
}

Explanation integrated(const Subject& subject, const Asked& asked) {
  return of_pixels(integrated_gradients(subject, asked.target, asked.samples.value_or(50), asked.work));
}

Explanation smoothed(const Subject& subject, const Asked& asked) {
  const Tensor gradients = smooth_grad(subject, asked.target, asked.samples.value_or(25), 0.15, asked.work);
  return {.map = std::get<0>(gradients.abs().max(0)), .raw = gradients};
}

Explanation hidden_squares(const Subject& subject, const Asked& asked) {
  return whole(occlusion(subject, asked.target, {}, asked.work));
}

Explanation random_masks(const Subject& subject, const Asked& asked) {
  return whole(rise(subject, asked.target, {.masks = asked.samples.value_or(1000)}, asked.work));
}

constexpr std::array all_methods = {
    Method{.name = "attention",
           .summary = "what the class token, or without one all patches, reads in one block, by the attention weights",
           .paper = "Caron et al. 2021, figure 1",
           .needs_classes = false,
           .depends_on_class = false,
           .needs_attention = true,
           .run = weights_of_block},
    Method{.name = "rollout",
           .summary = "attention weights multiplied through all blocks, half of each for the residual connection",
           .paper = "Abnar and Zuidema 2020",
           .needs_classes = false,
           .depends_on_class = false,
           .needs_attention = true,
           .run = plain_rollout},
    Method{.name = "grad-rollout",
           .summary = "rollout of what in the attention weights speaks for the class, by their gradients",
           .paper = "Chefer, Gur and Wolf 2021",
           .needs_attention = true,
           .run = relevance},
    Method{.name = "grad-cam",
           .summary = "channels of a late layer, each weighted by the mean of its gradient",
           .paper = "Selvaraju et al. 2017",
           .run = activation_map<Cam::grad>},
    Method{.name = "grad-cam++",
           .summary = "Grad-CAM whose gradients count by their curvature: several objects of one class",
           .paper = "Chattopadhay et al. 2018",
           .run = activation_map<Cam::grad_plus_plus>},
    Method{.name = "hires-cam",
           .summary = "gradient times activation at each place, without the mean",
           .paper = "Draelos and Carin 2020",
           .run = activation_map<Cam::hires>},
    Method{.name = "layer-cam",
           .summary = "the same of positive gradients alone: good for early layers, too",
           .paper = "Jiang et al. 2021",
           .run = activation_map<Cam::layer>},
    Method{.name = "eigen-cam",
           .summary = "the first principal component of a late layer, whatever the class",
           .paper = "Muhammad and Yeasin 2020",
           .needs_classes = false,
           .depends_on_class = false,
           .run = eigen},
    Method{.name = "score-cam",
           .summary = "channels weighted by the answer to the picture seen through each; one forward for each",
           .paper = "Wang et al. 2020",
           .run = by_scores},
    Method{.name = "input-x-gradient",
           .summary = "each pixel times the gradient of the answer",
           .paper = "Shrikumar et al. 2016",
           .run = times_gradient},
    Method{.name = "lrp",
           .summary = "the answer handed back layer by layer: each shares out what it got by what went into it",
           .paper = "Bach et al. 2015; in transformers Achtibat et al. 2024",
           .run = handed_back},
    Method{.name = "integrated-gradients",
           .summary = "gradients along the way from the mean colour to the picture; they sum to what the answer gained",
           .paper = "Sundararajan et al. 2017",
           .run = integrated},
    Method{.name = "smooth-grad",
           .summary = "the size of the gradient, mean over noisy copies of the picture",
           .paper = "Smilkov et al. 2017",
           .run = smoothed},
    Method{.name = "occlusion",
           .summary = "what the answer loses where a grey square hides the picture",
           .paper = "Zeiler and Fergus 2014",
           .run = hidden_squares},
    Method{.name = "rise",
           .summary = "random masks, each weighted by the answer to what it leaves",
           .paper = "Petsiuk et al. 2018",
           .run = random_masks},
};

const Method& known_method(const std::string& name) {
  std::vector<std::string> names;
  for (const Method& method : all_methods) {
    if (method.name == name) return method;
    names.emplace_back(method.name);
  }
  throw Error(ErrorKind::usage, fmt::format("--method {}: not known; the nearest is {}; known are {} and all", name,
                                            nearest_name(name, names), fmt::join(names, ", ")));
}

std::vector<std::string> parts_of(const std::string& names) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= names.size();) {
    const auto end = std::min(names.find(',', begin), names.size());
    parts.push_back(names.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::span<const Method> methods() { return all_methods; }

std::string obstacle(const Method& method, const Subject& subject) {
  const auto& anatomy = subject.anatomy();
  if (method.needs_classes && subject.model().network().classes() == 0)
    return "this model has no classes; attention, rollout and eigen-cam need none";
  if (method.needs_attention && !anatomy.has_attention)
    return "only where all tokens attend to each other (ViT, DeiT, DINO, BEiT, EVA); this model's windows or "
           "convolutions have no such weights: use grad-cam, hires-cam or integrated-gradients";
  return {};
}

const Method& method_named(const std::string& name, const Subject& subject) {
  const Method& method = known_method(name);
  const auto reason = obstacle(method, subject);
  if (!reason.empty()) throw Error(ErrorKind::usage, fmt::format("--method {}: {}", name, reason));
  return method;
}

std::vector<const Method*> methods_named(const std::string& names, const Subject& subject) {
  std::vector<const Method*> chosen;
  if (names == "all") {
    for (const Method& method : all_methods) {
      if (obstacle(method, subject).empty()) chosen.push_back(&method);
    }
    return chosen;
  }
  for (const auto& name : parts_of(names)) chosen.push_back(&method_named(name, subject));
  return chosen;
}

std::vector<const Method*> usual_methods(const Subject& subject) {
  std::vector<const Method*> chosen;
  for (const char* name :
       {"attention", "rollout", "grad-rollout", "grad-cam", "hires-cam", "layer-cam", "eigen-cam", "lrp"}) {
    const Method& method = known_method(name);
    if (obstacle(method, subject).empty()) chosen.push_back(&method);
  }
  return chosen;
}

Explanation explain(const Method& method, const Subject& subject, const Asked& asked) {
  auto explanation = method.run(subject, asked);
  tasks::require_finite(explanation.map);
  explanation.map = explanation.map.to(at::kFloat).contiguous();
  return explanation;
}

}  // namespace nunchi::explain
