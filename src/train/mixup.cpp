#include "train/mixup.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

namespace nunchi::train {
namespace {

Tensor share_of_classes(const Tensor& labels, std::int64_t classes) {
  return at::zeros({labels.size(0), classes}, labels.options().dtype(at::kFloat)).scatter_(1, labels.unsqueeze(1), 1);
}

Tensor blend(const Tensor& own, const Tensor& other, double share) { return own * share + other * (1 - share); }

struct Range {
  std::int64_t begin, end;
  std::int64_t length() const { return end - begin; }
};

// `length` pixels around a random one, as far as they lie within the picture.
Range random_range(std::int64_t size, double length, data::Random& random) {
  const auto centre = static_cast<std::int64_t>(random.below(size)), half = static_cast<std::int64_t>(length) / 2;
  return {std::clamp<std::int64_t>(centre - half, 0, size), std::clamp<std::int64_t>(centre + half, 0, size)};
}

// A box of the partner takes 1 - share of the area; what it really takes becomes the share.
Tensor paste(const Tensor& images, const Tensor& partners, double& share, data::Random& random) {
  const auto height = images.size(2), width = images.size(3);
  const double side = std::sqrt(1 - share);
  const auto rows = random_range(height, static_cast<double>(height) * side, random);
  const auto columns = random_range(width, static_cast<double>(width) * side, random);
  const auto box = [&](const Tensor& t) {
    return t.narrow(2, rows.begin, rows.length()).narrow(3, columns.begin, columns.length());
  };
  Tensor mixed = images.clone();
  box(mixed).copy_(box(partners));
  share = 1 - static_cast<double>(rows.length() * columns.length()) / static_cast<double>(height * width);
  return mixed;
}

}  // namespace

Mixed mix(const Tensor& images, const Tensor& labels, std::int64_t classes, const MixupOptions& o,
          data::Random& random) {
  const Tensor own = share_of_classes(labels, classes);
  const bool blends = o.mixup_alpha > 0, pastes = o.cutmix_alpha > 0;
  if ((!blends && !pastes) || !random.chance(o.probability)) return {images, own};
  const bool paste_now = pastes && (!blends || random.chance(o.switch_probability));
  const double alpha = paste_now ? o.cutmix_alpha : o.mixup_alpha;
  double share = random.beta(alpha, alpha);
  const Tensor partners = images.flip(0);
  const Tensor mixed = paste_now ? paste(images, partners, share, random) : blend(images, partners, share);
  return {mixed, blend(own, own.flip(0), share)};
}

}  // namespace nunchi::train
