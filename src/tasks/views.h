// tasks/views.h: the same picture seen in several ways, for test-time augmentation (--tta). Views are made from the
// picture, before the model's own transform.
//
//   for (const View& view : views_from_names("flip,crops")) use(seen(picture, view));
#pragma once

#include <string>
#include <vector>

#include "image/picture.h"

namespace nunchi::tasks {

struct View {
  std::string name;
  int orientation = 1;  // as EXIF's: 2 mirrored, 3 upside down, 4 both, 6 and 8 quarter turns
  double left = 0, top = 0, width = 1, height = 1;  // the part, as shares of the upright picture

  bool whole() const { return orientation == 1 && width == 1 && height == 1; }
  bool same_as(const View& other) const;
};

// Names joined by commas; each view once, the whole picture first:
//   flip       mirrored left to right
//   flips      mirrored left to right, top to bottom, and both (which is a half turn)
//   rotations  turned by 90, 180 and 270 degrees
//   crops      the four corners and the centre, 4/5 of each side
//   scales     the centre, 9/10 and 4/5 of each side
//   all        all of these
// Throws Error (usage) for another name.
std::vector<View> views_from_names(const std::string& names);

image::Picture seen(const image::Picture& picture, const View& view);

}  // namespace nunchi::tasks
