// cli/walked.h: what `nunchi walk` saw of one picture's way through a model: every shape is that of a tensor of this
// run.
//
//   const Walked walked = walked_of(model, {"photo.jpg", "vit-base"}, picture, pixels, output, say);
//   draw::write_drawing("walk.png", walk_drawing(walked, say)); // or .svg, .pdf
//   write_file("walk.html", walk_page({walked}, say));          // core/file.h
#pragma once

#include "cli/page_words.h"
#include "draw/drawing.h"
#include "draw/overlay.h"
#include "tasks/classify.h"

namespace nunchi::cli {

// Something the network made on the way.
struct WalkStep {
  std::string name;
  Shape shape;
  std::optional<draw::HeatMap> map = {};  // the mean over its channels, where it has places in the picture
};

struct WalkNames {
  std::string picture, model;  // without the folders they lie in
};

struct Walked {
  WalkNames names;
  image::Picture picture, seen;  // seen: what the network gets of it
  Shape pixels;
  nn::Grid patches = {0, 0};           // that the picture is cut into; none: it is not cut
  std::vector<std::string> prefix;     // tokens before them: "class", "register" ...
  std::optional<WalkStep> embeddings;  // the sequence that enters the first block
  std::vector<WalkStep> blocks;        // or stages, where the maps shrink from one to the next
  bool shrinks = false;
  Shape attention, last_hidden_state, logits;  // empty: there is none
  std::optional<WalkStep> pooled;              // its map: the values in one row
  std::vector<tasks::Prediction> answers;      // best first
};

// Whether the blocks hand on one sequence of tokens: then the first hidden state is what enters the first of them.
bool keeps_tokens(const models::ModelOutput& output);

// pixels: what the network got, one picture; output: with hidden states and attentions.
Walked walked_of(const tasks::VisionModel& model, const WalkNames& names, const image::Picture& picture,
                 const Tensor& pixels, const models::ModelOutput& output, const PageWords& say);

draw::Drawing walk_drawing(const Walked& walked, const PageWords& say, const draw::Theme& theme = draw::light_theme);

// A page with everything in it, one part for each picture.
std::string walk_page(const std::vector<Walked>& pictures, const PageWords& say);

}  // namespace nunchi::cli
