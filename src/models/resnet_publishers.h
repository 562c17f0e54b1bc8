// models/resnet_publishers.h: ResNet as transformers, timm and torchvision publish it, and the authors of the ones for
// CIFAR-10.
#pragma once

#include "models/registry.h"
#include "models/resnet.h"

namespace nunchi::models {

ResNetConfig resnet_config_from_transformers(const Source& source);

// `arguments` of timm's ResNet or torchvision's, with the class's defaults for those left out.
ResNetConfig resnet_config_from_arguments(const Source& source);

weights::KeyTable resnet_keys_of_transformers(const ResNetConfig& net);

Built build_resnet(const Source& source);        // of any publisher
Built build_cifar_resnet(const Source& source);  // the argument `depth` is the number of layers

// In the words of transformers or timm. Throws Error (usage) where their classes lack what the model has.
Published publish_resnet(const Model& model, Publisher publisher);

}  // namespace nunchi::models
