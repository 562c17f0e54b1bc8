// explain/cam.h: class activation maps: what the channels of one layer see, weighted by what the answer makes of them.
//
//   const Tensor map = class_activation_map(Cam::grad, subject.at_layer("layer4.2", target));   // [rows, columns], >=
//   0
//
// As the papers have them, and pytorch-grad-cam: no scaling of the map, which ends in a ReLU.
#pragma once

#include "explain/work.h"

namespace nunchi::explain {

enum class Cam {
  grad,            // Selvaraju et al. 2017: a channel's weight is the mean of its gradient
  grad_plus_plus,  // Chattopadhay et al. 2018: every place's gradient counts by its own curvature
  hires,           // Draelos and Carin 2020: gradient times activation, place by place
  layer,           // Jiang et al. 2021: the same of the positive gradients
};

// [channels, rows, columns] each -> [rows, columns].
Tensor class_activation_map(Cam kind, const LayerEvidence& evidence);

// Muhammad and Yeasin 2020: the first principal component of the values of all places, whatever the class; of its two
// signs the one whose largest value is the larger (Chung and Ying 2025).
// activations [channels, rows, columns] -> [rows, columns].
Tensor eigen_cam(const Tensor& activations);

// Wang et al. 2020: a channel's weight is the answer to the picture seen through it, softmax over the channels. One
// forward for each channel. Throws Error (interrupted).
Tensor score_cam(const Subject& subject, const std::string& layer, const Target& target, const Work& work = {});

}  // namespace nunchi::explain
