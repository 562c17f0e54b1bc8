#include "draw/html_explorer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/assert.h"
#include "draw/html_parts.h"
#include "draw/overlay.h"
#include "image/encode.h"

namespace nunchi::draw {
namespace {

constexpr int few_pixels = 64;           // a side of a picture that is shown as squares
constexpr std::size_t most_buttons = 6;  // more choices, or longer names, are a slider's
constexpr std::size_t most_letters = 44;

std::size_t patches(const HtmlExplorer& explorer) {
  return static_cast<std::size_t>(explorer.rows) * static_cast<std::size_t>(explorer.columns);
}

std::size_t combinations(const HtmlExplorer& explorer) {
  std::size_t count = 1;
  for (const auto& axis : explorer.axes) count *= axis.choices.size();
  return count;
}

// Which of the maps is shown at first.
std::size_t chosen_map(const HtmlExplorer& explorer) {
  std::size_t index = 0;
  for (const auto& axis : explorer.axes) index = index * axis.choices.size() + axis.chosen;
  return index;
}

bool has_map_per_patch(const HtmlExplorer& explorer) {
  return explorer.maps.front().size() == (1 + patches(explorer)) * patches(explorer);
}

void check(const HtmlExplorer& explorer) {
  ASSERT(explorer.rows > 0 && explorer.columns > 0, "a map has patches");
  ASSERT(explorer.picture.width > 0 && explorer.picture.height > 0, "there is a picture under the maps");
  for (const auto& axis : explorer.axes) ASSERT(axis.chosen < axis.choices.size(), "one of the choices is chosen");
  ASSERT(explorer.maps.size() == combinations(explorer), "there is a map for each combination of choices");
  const std::size_t size = explorer.maps.front().size(), one = patches(explorer);
  ASSERT(size == one || size == (1 + one) * one, "a map has a value for each patch, or for each pair of them");
  for (const auto& map : explorer.maps) ASSERT(map.size() == size, "all maps are of one size");
}

// --- what the script reads: little-endian, in base64

void append(std::vector<std::byte>& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(value >> 8 * i & 0xff));
}

struct Codes {
  std::vector<std::byte> codes;  // [rows of values, patches]; the largest code is no value
  std::vector<std::byte> ends;   // [rows of values, 2] float32: what the codes 0 and the last but one stand for
};

void encode(Codes& out, std::span<const float> values, int bytes) {
  float least = INFINITY, greatest = -INFINITY;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value), greatest = std::max(greatest, value);
  }
  if (least > greatest) least = greatest = 0;
  append(out.ends, std::bit_cast<std::uint32_t>(least), 4);
  append(out.ends, std::bit_cast<std::uint32_t>(greatest), 4);
  const std::uint32_t none = (1u << 8 * bytes) - 1;
  const double scale = greatest > least ? (none - 1) / (static_cast<double>(greatest) - least) : 0;
  for (const float value : values) {
    const double code = std::isfinite(value) ? std::round((static_cast<double>(value) - least) * scale) : none;
    append(out.codes, static_cast<std::uint32_t>(code), bytes);
  }
}

Codes encoded(const HtmlExplorer& explorer) {
  Codes out;
  const std::size_t one = patches(explorer);
  for (const auto& map : explorer.maps) {
    for (std::size_t first = 0; first < map.size(); first += one)
      encode(out, std::span(map).subspan(first, one), has_map_per_patch(explorer) ? 1 : 2);
  }
  return out;
}

std::uint32_t level(double part) { return static_cast<std::uint32_t>(std::lround(255 * std::clamp(part, 0.0, 1.0))); }

std::string color_table(ColorMap map) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 256; ++i) {
    const Color color = color_of(map, i / 255.0);
    for (const double part : {color.red, color.green, color.blue}) append(bytes, level(part), 1);
  }
  return base64(bytes);
}

Json data_of(const HtmlExplorer& explorer) {
  const Codes codes = encoded(explorer);
  Json axes = Json::array();
  for (const auto& axis : explorer.axes) axes.push_back({{"name", axis.name}, {"choices", axis.choices}});
  const auto end = [](const std::optional<float>& value) { return value ? Json(*value) : Json(nullptr); };
  return {{"rows", explorer.rows},
          {"columns", explorer.columns},
          {"axes", axes},
          {"perPatch", has_map_per_patch(explorer)},
          {"codes", base64(codes.codes)},
          {"ends", base64(codes.ends)},
          {"least", end(explorer.least)},
          {"greatest", end(explorer.greatest)},
          {"colors", color_table(explorer.colors)}};
}

// --- what the reader sees

std::string picture_uri(const image::Picture& picture) {
  const bool few = picture.width <= few_pixels && picture.height <= few_pixels;
  return few ? data_uri(image::encode_png(picture), "image/png") : data_uri(image::encode_jpeg(picture), "image/jpeg");
}

std::string choice_in_words(const HtmlExplorer& explorer) {
  std::string words;
  for (const auto& axis : explorer.axes)
    words += fmt::format("{}{} {}", words.empty() ? "" : " · ", axis.name, axis.choices[axis.chosen]);
  return words;
}

std::string first_picture(const HtmlExplorer& explorer) {
  const auto& map = explorer.maps[chosen_map(explorer)];
  const HeatMap shown = {.rows = explorer.rows,
                         .columns = explorer.columns,
                         .values = {map.begin(), map.begin() + static_cast<std::ptrdiff_t>(patches(explorer))}};
  const OverlayOptions options = {.colors = explorer.colors,
                                  .opacity = explorer.opacity,
                                  .patches = !explorer.smooth,
                                  .least = explorer.least,
                                  .greatest = explorer.greatest};
  const auto picture = overlay(explorer.picture, shown, options);
  return html_image({picture_uri(picture), fmt::format("{} ({})", explorer.description, choice_in_words(explorer))});
}

std::string slider(const HtmlAxis& axis) {
  return fmt::format(
      "<label class=\"axis\"><span>{} <b>{}</b></span><input type=\"range\" min=\"0\" max=\"{}\" "
      "value=\"{}\" aria-valuetext=\"{}\"></label>\n",
      escape_html(axis.name), escape_html(axis.choices[axis.chosen]), axis.choices.size() - 1, axis.chosen,
      escape_html(axis.choices[axis.chosen]));
}

std::string buttons(const HtmlAxis& axis) {
  std::string html = "<fieldset class=\"axis\"><legend>" + escape_html(axis.name) + "</legend><div class=\"segments\">";
  for (std::size_t i = 0; i < axis.choices.size(); ++i) {
    html += fmt::format("<label><input type=\"radio\" name=\"{}\" value=\"{}\"{}><span>{}</span></label>",
                        escape_html(axis.name), i, i == axis.chosen ? " checked" : "", escape_html(axis.choices[i]));
  }
  return html + "</div></fieldset>\n";
}

std::string control(const HtmlAxis& axis) {
  std::size_t letters = 0;
  for (const auto& choice : axis.choices) letters += choice.size();
  const bool few = axis.choices.size() <= most_buttons && letters <= most_letters;
  return few ? buttons(axis) : slider(axis);
}

std::string legend(const HtmlExplorer& explorer, const HtmlWords& words) {
  std::string stops;
  for (int i = 0; i <= 16; ++i) {
    const Color color = color_of(explorer.colors, i / 16.0);
    stops += fmt::format(",#{:02x}{:02x}{:02x}", level(color.red), level(color.green), level(color.blue));
  }
  return fmt::format(
      "<div class=\"scale\"><i style=\"background:linear-gradient(to right{})\"></i><span><small>{}</small> <b "
      "class=\"least\"></b></span><span><small>{}</small> <b class=\"greatest\"></b></span></div>\n",
      stops, escape_html(words.least), escape_html(words.greatest));
}

std::string panel(const HtmlExplorer& explorer, const HtmlWords& words) {
  std::string html = "<form class=\"panel\">\n";  // one: its radio buttons are apart from those of other explorers
  for (const auto& axis : explorer.axes)
    if (axis.choices.size() > 1) html += control(axis);
  html += fmt::format(
      "<label class=\"opacity\"><span>{} <b></b></span><input type=\"range\" min=\"0\" max=\"100\" "
      "value=\"{}\"></label>\n<label class=\"check\"><input type=\"checkbox\"{}> {}</label>\n",
      escape_html(words.opacity), std::lround(100 * explorer.opacity), explorer.smooth ? " checked" : "",
      escape_html(words.smooth));
  html += legend(explorer, words) + "<div class=\"strip\"></div>\n";
  if (has_map_per_patch(explorer))
    html += html_element("button", words.everywhere, " type=\"button\" class=\"everywhere\" disabled");
  const char* keys = has_map_per_patch(explorer) ? words.explorer_click_keys : words.explorer_keys;
  return html + html_element("p", keys, " class=\"keys\"") + "</form>\n";
}

std::string stage(const HtmlExplorer& explorer) {
  const double ratio = static_cast<double>(explorer.picture.width) / explorer.picture.height;
  return fmt::format("<div class=\"stage\" style=\"--ratio:{:.4f}\"><div class=\"unscripted\">", ratio) +
         first_picture(explorer) +
         fmt::format(
             "</div><canvas class=\"scripted\" tabindex=\"0\" role=\"application\" aria-label=\"{}\" "
             "data-picture=\"{}\"></canvas><p class=\"state\"><span>{}</span> <output "
             "aria-live=\"polite\"></output></p></div>\n",
             escape_html(explorer.description), picture_uri(explorer.picture), escape_html(choice_in_words(explorer)));
}

}  // namespace

std::string explorer_html(const HtmlExplorer& explorer, const HtmlWords& words, std::string_view heading) {
  check(explorer);
  std::string html = fmt::format(
      "<section class=\"widget explorer\" aria-label=\"{}\" data-value-at=\"{}\" data-no-value=\"{}\" "
      "data-seen-from=\"{}\">\n",
      escape_html(explorer.title.empty() ? explorer.description : explorer.title), escape_html(words.value_at),
      escape_html(words.no_value), escape_html(words.seen_from));
  if (!explorer.title.empty()) html += html_element(heading, explorer.title, " class=\"title\"") + "\n";
  html += "<div class=\"sides\">" + stage(explorer);
  return html + panel(explorer, words) + "</div>\n" + html_data(data_of(explorer)) + "</section>\n";
}

}  // namespace nunchi::draw
