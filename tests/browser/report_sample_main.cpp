// report_sample FILE english|korean: a page with every part that an HtmlReport has, made of the bundled photos without
// any network. tests/browser/widgets_test.py opens it in a browser.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/asset.h"
#include "core/file.h"
#include "draw/canvas.h"
#include "draw/html_report.h"
#include "draw/line_chart.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"

namespace nunchi::draw {
namespace {

constexpr int side = 14;  // patches
constexpr std::size_t patch_count = side * side;
constexpr std::array names = {"cat", "chickadee", "crow", "dog", "macaw", "owl", "terrier"};

using Features = std::array<float, 4>;  // mean red, green, blue; contrast

image::Picture photo(std::string_view name, int size) {
  const auto file = asset(fmt::format("photos/{}.jpg", name));
  const auto whole = image::decode(std::as_bytes(std::span(file)), std::string(name));
  const float edge = static_cast<float>(std::min(whole.width, whole.height));
  const float left = (static_cast<float>(whole.width) - edge) / 2;
  const float top = (static_cast<float>(whole.height) - edge) / 2;
  return image::resize(whole, size, size, {.box = image::Box{left, top, left + edge, top + edge}});
}

std::string jpeg(const image::Picture& picture) { return data_uri(image::encode_jpeg(picture, 80), "image/jpeg"); }

image::Picture cut(const image::Picture& picture, int left, int top, int size) {
  auto part = image::make_picture(size, size);
  for (int y = 0; y < size; ++y) std::copy_n(picture.row(top + y) + 3 * left, 3 * size, part.row(y));
  return part;
}

Features features(const image::Picture& part) {
  Features sums{};
  float squares = 0;
  for (int y = 0; y < part.height; ++y) {
    for (int x = 0; x < 3 * part.width; ++x) {
      const float value = static_cast<float>(part.row(y)[x]) / 255;
      sums[static_cast<std::size_t>(x % 3)] += value;
      squares += value * value;
    }
  }
  const float count = static_cast<float>(part.width * part.height);
  for (auto& sum : sums) sum /= count;
  const float mean = (sums[0] + sums[1] + sums[2]) / 3;
  sums[3] = std::sqrt(std::max(0.0f, squares / (3 * count) - mean * mean));
  return sums;
}

float distance(const Features& a, const Features& b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

std::vector<Features> patch_features(const image::Picture& picture) {
  const int size = picture.width / side;
  std::vector<Features> found;
  for (int i = 0; i < side * side; ++i) found.push_back(features(cut(picture, i % side * size, i / side * size, size)));
  return found;
}

// How alike each patch is to patch `from` in colour: sharper with each layer; head 1 ... 3 look at one colour.
std::vector<float> likeness(const std::vector<Features>& all, std::size_t from, int layer, int head) {
  std::vector<float> map;
  float sum = 0;
  for (const auto& each : all) {
    const auto color = static_cast<std::size_t>(std::max(0, head - 1));
    const float apart = head == 0 ? distance(all[from], each) : std::abs(all[from][color] - each[color]);
    map.push_back(std::exp(-static_cast<float>(layer) * apart));
    sum += map.back();
  }
  for (auto& value : map) value /= sum;
  return map;
}

HtmlExplorer heads(bool korean) {
  HtmlExplorer explorer{.title = korean ? "층과 헤드마다 보는 곳" : "Where each layer and head looks",
                        .picture = photo("macaw", 448),
                        .description = korean ? "금강앵무" : "a macaw"};
  explorer.axes = {{korean ? "층" : "layer", {}, 5},
                   {korean ? "헤드" : "head", {korean ? "평균" : "mean", "1", "2", "3"}}};
  const auto all = patch_features(explorer.picture);
  explorer.rows = explorer.columns = side;
  for (int layer = 1; layer <= 12; ++layer) {
    explorer.axes[0].choices.push_back(std::to_string(layer));
    for (int head = 0; head < 4; ++head) explorer.maps.push_back(likeness(all, patch_count / 2 + 6, layer, head));
  }
  return explorer;
}

HtmlExplorer from_patches(bool korean) {
  HtmlExplorer explorer{.title = korean ? "한 패치에서 다른 모든 패치로" : "From one patch to all others",
                        .picture = photo("cat", 448),
                        .description = korean ? "고양이" : "a cat"};
  explorer.axes = {{korean ? "방법" : "method",
                    korean ? std::vector<std::string>{"색", "빨강"} : std::vector<std::string>{"colour", "red alone"}}};
  const auto all = patch_features(explorer.picture);
  explorer.rows = explorer.columns = side;
  for (const int head : {0, 1}) {
    std::vector<float> map;
    for (const auto& each : all) map.push_back(each[3]);
    for (std::size_t from = 0; from < patch_count; ++from) {
      const auto row = likeness(all, from, 9, head);
      map.insert(map.end(), row.begin(), row.end());
    }
    explorer.maps.push_back(std::move(map));
  }
  explorer.smooth = false;
  return explorer;
}

// 17 x 17 squares of each photo by colour and brightness: 2,023 points.
HtmlScatter squares(bool korean) {
  HtmlScatter map{.title = korean ? "일곱 사진의 조각 2,023개" : "2,023 squares of seven photos",
                  .description = korean ? "색과 밝기에 따른 조각들" : "squares by colour and brightness"};
  constexpr int count = 17, size = 32;
  std::vector<Features> all;
  for (const char* name : names) {
    const auto whole = photo(name, count * size);
    for (int i = 0; i < count * count; ++i) {
      const auto part = cut(whole, i % count * size, i / count * size, size);
      const auto f = all.emplace_back(features(part));
      HtmlPoint point;
      point.x = f[0] - f[2] + 0.3 * f[3], point.y = (f[0] + f[1] + f[2]) / 3 + 0.4 * f[3];
      point.name = fmt::format("{} {}.{}", name, i / count + 1, i % count + 1);
      point.group = map.groups.size();
      point.thumbnail = data_uri(image::encode_jpeg(part, 60), "image/jpeg");
      map.points.push_back(std::move(point));
    }
    map.groups.emplace_back(name);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<std::pair<float, std::size_t>> others;
    for (std::size_t j = 0; j < all.size(); ++j)
      if (j != i) others.emplace_back(distance(all[i], all[j]), j);
    std::ranges::partial_sort(others, others.begin() + 6);
    for (const auto& [apart, j] : std::span(others).first(6))
      map.points[i].neighbours.push_back({j, fmt::format("{:.3f}", apart)});
  }
  return map;
}

HtmlGallery photos() {
  HtmlGallery gallery;
  for (std::size_t i = 0; i < names.size(); ++i) {
    HtmlGalleryItem item;
    item.picture = {jpeg(photo(names[i], 224)), names[i]};
    item.title = names[i];
    item.score = fmt::format("{:.2f}", 1 - 0.07 * static_cast<double>(i));
    item.large = jpeg(photo(names[i], 448));
    item.highlighted = i == 0;
    gallery.items.push_back(std::move(item));
  }
  return gallery;
}

HtmlTable models(bool korean) {
  return {.head = {korean ? "모델" : "model", korean ? "정확도" : "top-1", korean ? "시간" : "time",
                   korean ? "크기" : "size"},
          .rows = {{"ViT-S/16", "79.8 %", "4.10 ms", "84 MB"},
                   {"ViT-B/16", "81.1 %", "12.4 ms", "330 MB"},
                   {"Swin-T", "81.3 %", "6.70 ms", "108 MB"},
                   {"ResNet-50", "80.4 %", "3.92 ms", "98 MB"},
                   {"ViT-H/14", "84.9 %", "1.02 s", "2,408 MB"}},
          .best = {HtmlBest::none, HtmlBest::greatest, HtmlBest::least, HtmlBest::least},
          .numbers = {{NAN, 79.8, 4.1, 84},
                      {NAN, 81.1, 12.4, 330},
                      {NAN, 81.3, 6.7, 108},
                      {NAN, 80.4, 3.92, 98},
                      {NAN, 84.9, 1020, 2408}},
          .sortable = true,
          .caption = korean ? "머리글을 누르면 정렬됩니다." : "A click on a head sorts."};
}

std::string page(bool korean) {
  const auto say = [&](const char* english, const char* other) { return std::string(korean ? other : english); };
  HtmlReport report(say("Every part of a report", "보고서의 모든 부분"),
                    say("Made of seven photos and no network at all: what a page of nunchi can show.",
                        "신경망 없이 사진 일곱 장으로 만든, nunchi 보고서가 보여 줄 수 있는 모든 것."),
                    {.language = korean ? Language::korean : Language::english});
  report.figures({{"86,567,656", say("parameters", "매개변수")},
                  {"12.4 ms", say("one picture, fp32", "사진 한 장, fp32")},
                  {"81.1 %", say("top-1", "정확도")},
                  {"330 MB", say("peak memory", "최대 메모리")},
                  {"0.31 s", say("to start", "시작")}});
  report.heading(say("Explorers", "탐색기"));
  report.paragraph(say("Maps of a picture, chosen by sliders and buttons.", "슬라이더와 단추로 고르는 지도."));
  report.explorer(heads(korean));
  report.explorer(from_patches(korean));
  report.details(say("How the maps are made", "지도를 만드는 방법"), [&] {
    report.paragraph(say("By the difference between the mean colours of two patches, weighted more in each layer.",
                         "두 패치의 평균 색의 차이에서, 층이 깊을수록 더 뚜렷하게."));
    report.code("map[i] = exp(-layer * |color(from) - color(i)|)");
  });
  report.heading(say("Gallery", "갤러리"));
  report.gallery(photos());
  report.heading(say("A map of many pictures", "많은 그림의 지도"));
  report.scatter(squares(korean));
  report.heading(say("Words and numbers", "글과 숫자"));
  report.note(say("These numbers are made up for this page.", "이 숫자들은 이 페이지를 위해 지어낸 것입니다."));
  report.table(models(korean));
  LineChart chart{.title = "accuracy", .x = {.title = "epoch"}, .y = {.title = "top-1"}};
  chart.series.push_back({.name = "ViT", .x = {1, 2, 3, 4}, .y = {0.42, 0.61, 0.7, 0.73}});
  report.picture(
      {svg_uri(svg_of(drawing(chart))), say("accuracy over epochs", "학습에 따른 정확도"), say("A chart.", "그래프.")});
  report.definitions(
      {{say("patch", "패치"), say("a square of the picture", "그림의 네모 한 칸")},
       {say("head", "헤드"), say("one of several attentions side by side", "나란히 있는 여러 주의 중 하나")}});
  report.commands({{say("this page", "이 페이지"), "report_sample page.html english"}});
  report.footer(say("One file: nothing in it comes from outside.", "한 파일: 밖에서 오는 것이 없습니다."));
  return report.html();
}

}  // namespace
}  // namespace nunchi::draw

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const auto html = nunchi::draw::page(std::string_view(arguments[2]) == "korean");
  nunchi::write_file(arguments[1], html);
  return 0;
}
