// transformers' processor files: which class, which defaults, which of its steps.
#include <fmt/format.h>

#include "core/error.h"
#include "image/processor_class.h"
#include "image/transform.h"
#include "image/transform_fields.h"

namespace nunchi::image {
namespace {

constexpr int largest_edge = 1 << 20;

[[noreturn]] void fail(const std::string& field, std::string_view expected, const Json& found) {
  throw Error(ErrorKind::model,
              fmt::format("processor file, field \"{}\": expected {}, found {}", field, expected, found.dump()));
}

int positive(const Json& value, const std::string& field) {
  if (value.is_number_integer() && value >= 1 && value <= largest_edge) return value.get<int>();
  fail(field, "a number of pixels", value);
}

// A flag that is null is off, whatever the class's default: so transformers reads it.
bool flag(const Json& object, const std::string& field, bool fallback) {
  return object.contains(field) ? get_or(object, field, false) : fallback;
}

// The peers refuse null where a value is needed, rather than take the class's default.
void refuse_null(const Json& object, const std::string& field, std::string_view expected) {
  if (object.contains(field) && object[field].is_null()) fail(field, expected, object[field]);
}

bool present(const Json& object, const std::string& key) { return object.contains(key) && !object[key].is_null(); }

// "size" in all its forms: {"height", "width"}, {"shortest_edge" and perhaps "longest_edge"}, {"longest_edge"},
// {"max_height", "max_width"}, [height, width], one number.
ResizeStep parse_size(const Json& value, const std::string& field, bool int_is_square) {
  const auto edge = [&](const char* key) { return positive(value.at(key), field); };
  if (value.is_number()) {
    const int side = positive(value, field);
    return {.mode = int_is_square ? ResizeMode::exact : ResizeMode::shortest_edge, .size = {side, side}, .longest = {}};
  }
  if (value.is_array() && value.size() == 2) {
    return {.mode = ResizeMode::exact, .size = {positive(value[0], field), positive(value[1], field)}, .longest = {}};
  }
  if (!value.is_object()) fail(field, "a size", value);
  if (present(value, "shortest_edge")) {
    const int side = edge("shortest_edge");
    const auto longest = present(value, "longest_edge") ? std::optional(edge("longest_edge")) : std::nullopt;
    return {.mode = ResizeMode::shortest_edge, .size = {side, side}, .longest = longest};
  }
  if (present(value, "longest_edge")) {
    const int side = edge("longest_edge");
    return {.mode = ResizeMode::longest_edge, .size = {side, side}, .longest = {}};
  }
  if (present(value, "max_height") && present(value, "max_width")) {
    return {.mode = ResizeMode::fit_inside, .size = {edge("max_height"), edge("max_width")}, .longest = {}};
  }
  if (present(value, "height") && present(value, "width")) {
    return {.mode = ResizeMode::exact, .size = {edge("height"), edge("width")}, .longest = {}};
  }
  fail(field, "height and width, shortest_edge, longest_edge, or max_height and max_width", value);
}

Filter parse_filter(const Json& object, Filter fallback) {
  refuse_null(object, "resample", "one of Pillow's codes 0 to 5");
  const int code = get_or(object, "resample", static_cast<int>(fallback));
  if (code >= 0 && code <= 5) return static_cast<Filter>(code);
  fail("resample", "one of Pillow's codes 0 to 5", object["resample"]);
}

double parse_fraction(const Json& object, const std::string& field, double fallback) {
  const double value = get_or(object, field, fallback);
  if (value > 0) return value;
  fail(field, "a positive number", object[field]);
}

class Builder {
 public:
  Builder(const Json& json, const ProcessorClass& type) : json_(json), type_(type) {}

  Transform build() {
    transform_.source = type_.name;
    if (flag(json_, "do_resize", true)) add_resize();
    if (flag(json_, "do_center_crop", type_.crops) && type_.quirk != Quirk::never_crops) add_crop();
    if (flag(json_, "do_rescale", true)) add_rescale();
    if (flag(json_, "do_normalize", type_.normalizes) && type_.quirk != Quirk::bgr) add_normalize();
    transform_.flip_channels = type_.quirk == Quirk::bgr && flag(json_, "do_flip_channel_order", true);
    if (flag(json_, "do_pad", type_.pad.has_value())) add_pad();
    if (type_.quirk == Quirk::scales_first) scale_first();
    return transform_;
  }

 private:
  void add_resize() {
    ResizeStep step{.mode = type_.mode, .size = {type_.edge, type_.edge}, .longest = type_.longest};
    refuse_null(json_, "size", "a size beside do_resize");
    if (present(json_, "size")) step = parse_size(json_["size"], "size", type_.int_is_square);
    if (type_.quirk == Quirk::max_size && present(json_, "size") && json_["size"].is_number()) {
      step.longest = get_or(json_, "max_size", 1333);
    }
    step.filter = parse_filter(json_, type_.filter);
    transform_.resize = step;
    apply_crop_pct();
  }

  // crop_pct enlarges what is cut afterwards.
  void apply_crop_pct() {
    ResizeStep& step = transform_.resize;
    const auto enlarge = [&](double factor) {
      step.size = {static_cast<int>(step.size.height * factor), static_cast<int>(step.size.width * factor)};
    };
    if (type_.quirk == Quirk::fixed_crop_pct && step.mode == ResizeMode::shortest_edge) enlarge(256.0 / 224.0);
    if (type_.quirk == Quirk::crop_pct) {
      const double pct = parse_fraction(json_, "crop_pct", 0.9);
      const Size size = step.size;
      step.size = {static_cast<int>(size.height / pct), static_cast<int>(size.width / pct)};
      if (size.height == size.width) step.mode = ResizeMode::shortest_edge;
    }
    if (type_.quirk == Quirk::crop_pct_below_384) resize_like_convnext();
  }

  void resize_like_convnext() {
    ResizeStep& step = transform_.resize;
    if (step.mode != ResizeMode::shortest_edge) fail("size", "shortest_edge", json_["size"]);
    const int edge = step.size.height;
    step.longest.reset();
    if (edge >= 384) {
      step.mode = ResizeMode::exact;
      return;
    }
    const int enlarged = static_cast<int>(edge / parse_fraction(json_, "crop_pct", 224.0 / 256.0));
    step.size = {enlarged, enlarged};
    transform_.crop = CropStep{.size = {edge, edge}};
  }

  void add_crop() {
    const int fallback = type_.crop.value_or(0);
    Size size{fallback, fallback};
    if (present(json_, "crop_size")) {
      const ResizeStep parsed = parse_size(json_["crop_size"], "crop_size", /* int_is_square */ true);
      if (parsed.mode != ResizeMode::exact) fail("crop_size", "height and width", json_["crop_size"]);
      size = parsed.size;
    }
    if (size.height == 0) fail("crop_size", "height and width beside do_center_crop", Json());
    if (transform_.crop && transform_.crop->size != size)
      fail("crop_size", "the same size as the first crop", json_["crop_size"]);
    transform_.crop = CropStep{.size = size};
  }

  void add_rescale() {
    transform_.scaling = Scaling::multiply;
    refuse_null(json_, "rescale_factor", "a number beside do_rescale");
    transform_.factor = get_or(json_, "rescale_factor", 1.0 / 255.0);
    transform_.minus_one = type_.quirk == Quirk::second_std && flag(json_, "rescale_offset", false);
  }

  void add_normalize() {
    transform_.normalize = Normalize{.mean = three_numbers(json_, "image_mean", type_.mean),
                                     .std = three_numbers(json_, "image_std", type_.std)};
    transform_.divide_by_std_again = type_.quirk == Quirk::second_std && flag(json_, "include_top", true);
  }

  void scale_first() {
    transform_ = on_torchvision(transform_);
    transform_.scale_before_resize = transform_.scaling != Scaling::none;
    if (transform_.scale_before_resize) transform_.scaling = Scaling::single;
  }

  // Without a pad_size a picture is padded to the largest of its batch, and alone not at all.
  void add_pad() {
    if (type_.pad) transform_.pad = Size{*type_.pad, *type_.pad};
    if (!present(json_, "pad_size")) return;
    transform_.pad = parse_size(json_["pad_size"], "pad_size", /* int_is_square */ true).size;
  }

  const Json& json_;
  const ProcessorClass& type_;
  Transform transform_;
};

void replace_ending(std::string& text, std::string_view ending, std::string_view replacement) {
  if (text.ends_with(ending)) text.replace(text.size() - ending.size(), ending.size(), replacement);
}

// Old files name a feature extractor, some a backend: all mean the same class.
std::string class_name(const Json& json) {
  auto name =
      get_or<std::string>(json, "image_processor_type", get_or<std::string>(json, "feature_extractor_type", ""));
  replace_ending(name, "Fast", "");
  replace_ending(name, "Pil", "");
  replace_ending(name, "FeatureExtractor", "ImageProcessor");
  return name;
}

const Json& innermost(const Json& preprocessor) {
  const auto nested = preprocessor.is_object() ? preprocessor.find("image_processor") : preprocessor.end();
  return nested != preprocessor.end() && nested->is_object() ? *nested : preprocessor;
}

const ProcessorClass& find_class(const std::string& name, const std::string& model_type) {
  const ProcessorClass* found = name.empty() ? find_processor_class_of_model(model_type) : find_processor_class(name);
  if (found != nullptr) return *found;
  const std::string what =
      name.empty() ? fmt::format("none for model type \"{}\"", model_type) : fmt::format("\"{}\"", name);
  throw Error(ErrorKind::model,
              fmt::format("processor file, field \"image_processor_type\": expected one of {}; found {}",
                          known_processor_classes(), what));
}

}  // namespace

Three three_numbers(const Json& object, const std::string& field, const Three& fallback) {
  refuse_null(object, field, "three numbers");
  if (!present(object, field)) return fallback;
  const Json& value = object[field];
  if (value.is_number()) return {value, value, value};
  const bool numbers =
      value.is_array() && value.size() == 3 && value[0].is_number() && value[1].is_number() && value[2].is_number();
  if (!numbers) fail(field, "three numbers, or one for all channels", value);
  return {value[0], value[1], value[2]};
}

Transform transform_from_preprocessor_config(const Json& preprocessor, const Json& config) {
  const Json& json = innermost(preprocessor);
  const std::string name = json.is_object() ? class_name(json) : "";
  const bool timm = config.is_object() && present(config, "pretrained_cfg");
  if (timm && (name.empty() || name == "TimmWrapperImageProcessor")) return transform_from_timm(config);
  const auto model_type = config.is_object() ? get_or<std::string>(config, "model_type", "") : "";
  const ProcessorClass& type = find_class(name, model_type);
  return Builder(json.is_object() ? json : Json::object(), type).build();
}

}  // namespace nunchi::image
