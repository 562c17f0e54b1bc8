#include "cli/demo_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "cli/commands.h"
#include "core/isa.h"
#include "core/progress.h"
#include "core/timing.h"
#include "draw/html_report.h"
#include "draw/matrix.h"
#include "draw/overlay.h"
#include "image/encode.h"

namespace nunchi::cli {
namespace {

using tasks::DemoPicture;

constexpr std::size_t most_named_classes = 20;
constexpr int few_pixels = 64;  // networks that read so few show the reader what they have to go by

draw::HtmlPicture photo(const image::Picture& picture, const std::string& description,
                        const std::string& caption = "") {
  return {draw::data_uri(image::encode_jpeg(picture), "image/jpeg"), description, caption};
}

draw::HtmlPicture heat(const DemoPicture& picture, const std::vector<float>& values, const std::string& caption,
                       const PageWords& say) {
  const draw::HeatMap map = {.rows = picture.rows, .columns = picture.columns, .values = values};
  return photo(draw::overlay(picture.seen, map), say("{} of {}", caption, picture.name), caption);
}

void add_answers(draw::HtmlReport& page, const DemoReport& report, const PageWords& say) {
  if (report.labels.empty()) return;
  page.heading(say("What is in the pictures"));
  const auto count = with_thousands(std::ssize(report.labels));
  page.paragraph(
      report.labels.size() > most_named_classes
          ? say("The most probable of the {} classes that {} knows.", count, report.model)
          : say("The most probable of the {} classes that {} knows: {}. Whatever it is shown, it answers with one of "
                "these.",
                count, report.model, fmt::format("{}", fmt::join(report.labels, ", "))));
  std::vector<draw::HtmlCard> cards;
  for (const auto& picture : report.run.pictures) {
    draw::HtmlCard card{.title = picture.name, .pictures = {photo(picture.seen, picture.name)}, .note = picture.credit};
    for (const auto& answer : picture.answers) card.bars.push_back({answer.label, answer.probability});
    if (card.bars.size() > 3) card.bars.resize(3);
    cards.push_back(std::move(card));
  }
  page.cards(cards);
}

std::string most_alike(const tasks::DemoRun& run, const PageWords& say) {
  const std::size_t count = run.pictures.size();
  std::size_t first = 0, second = 1;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = i + 1; j < count; ++j) {
      if (run.cosines[i * count + j] > run.cosines[first * count + second]) first = i, second = j;
    }
  }
  return say("Most alike here: {} and {} ({:.2f}).", run.pictures[first].name, run.pictures[second].name,
             run.cosines[first * count + second]);
}

void add_similarity(draw::HtmlReport& page, const DemoReport& report, const PageWords& say) {
  if (report.run.pictures.size() < 2) return;
  page.heading(say("Which pictures are alike"));
  page.paragraph(
      say("Before it names anything, the network turns each picture into a vector. The cosine between two vectors "
          "says how alike it finds the pictures: 1 the same, 0 nothing in common. {}",
          most_alike(report.run, say)));
  draw::SimilarityMatrix matrix{.values = report.run.cosines};
  // Where nothing points the other way, as is usual, the colours are spent on what there is.
  if (const double least = std::ranges::min(matrix.values); least >= 0) {
    matrix.least = std::min(0.8, std::floor(10 * least) / 10);
    matrix.colors = draw::ColorMap::viridis;
  }
  for (const auto& picture : report.run.pictures) {
    matrix.names.push_back(picture.name);
    matrix.thumbnails.push_back(picture.seen);
  }
  page.picture({draw::data_uri(draw::png_of(draw::drawing(matrix)), "image/png"),
                say("matrix of cosines between the pictures")});
}

void add_attention(draw::HtmlReport& page, const DemoReport& report, const PageWords& say) {
  const auto& run = report.attention_run ? *report.attention_run : report.run;
  if (run.pictures.empty() || run.pictures.front().attention.empty()) return;
  page.heading(say("Where it looks"));
  const auto& input = run.pictures.front().input;
  page.paragraph(say(
      "{} cuts the picture, {} x {} pixels to it, into {} x {} patches. Bright patches are those that its summary of "
      "the picture was read from: in the last block alone, and followed through all blocks (attention rollout, Abnar "
      "and "
      "Zuidema 2020). It shows what was read, not what decided the answer.",
      report.attention_run ? report.attention_model : report.model, input.width, input.height,
      run.pictures.front().columns, run.pictures.front().rows));
  std::vector<draw::HtmlCard> cards;
  for (const auto& picture : run.pictures) {
    draw::HtmlCard card{.title = picture.name};
    if (picture.input.width <= few_pixels && picture.input.height <= few_pixels) {
      card.pictures.push_back({draw::data_uri(image::encode_png(picture.input), "image/png"),
                               say("{} as the network sees it", picture.name), say("what it sees"), /* pixels */ true});
    } else {
      card.pictures.push_back(photo(picture.seen, picture.name, say("picture")));
    }
    card.pictures.push_back(heat(picture, picture.attention, say("last block"), say));
    card.pictures.push_back(heat(picture, picture.rollout, say("rollout"), say));
    cards.push_back(std::move(card));
  }
  page.cards(cards);
}

void add_times(draw::HtmlReport& page, const DemoReport& report, const PageWords& say) {
  const auto& times = report.times;
  page.heading(say("How long it takes"));
  page.paragraph(
      say("Measured just now on {} (threads: {}, kernels for {}), one picture at a time, each precision in a "
          "process of its own.",
          cpu_info().brand, times.threads, isa_name(chosen_isa())));
  const auto row = [&](const std::string& name, std::string (*text)(const tasks::Measurement&)) {
    const auto cell = [&](const tasks::Measurement& m) { return succeeded(m) ? text(m) : say("failed"); };
    return std::vector{name, cell(times.fp32), cell(times.bf16)};
  };
  page.table({{"", "fp32", "bf16"},
              {row(say("network, median"), [](const auto& m) { return milliseconds(m.median_seconds()); }),
               row(say("network, fastest"), [](const auto& m) { return milliseconds(m.least_seconds()); }),
               row(say("runs"), [](const auto& m) { return std::to_string(m.seconds.size()); }),
               row(say("loading the model"), [](const auto& m) { return milliseconds(m.load_seconds); }),
               row(say("peak memory"), [](const auto& m) { return format_bytes(m.peak_memory); })}});
  std::vector<double> decode, transform, network;
  for (const auto& picture : report.run.pictures) {
    decode.push_back(picture.decode_seconds);
    transform.push_back(picture.transform_seconds);
    network.push_back(picture.network_seconds);
  }
  page.table({{say("stage, median over the pictures"), say("time")},
              {{say("reading and decoding the picture"), milliseconds(median(decode))},
               {say("resizing and normalising"), milliseconds(median(transform))},
               {say("the network, fp32"), milliseconds(median(network))}}});
}

void add_next(draw::HtmlReport& page, const PageWords& say) {
  page.heading(say("Next"));
  std::vector<draw::HtmlCommand> commands;
  for (const auto& [purpose, command] : next_steps(say)) commands.push_back({purpose, command});
  page.commands(commands);
}

}  // namespace

std::string milliseconds(double seconds) {
  const double value = 1000 * seconds;
  return value < 10    ? fmt::format("{:.2f} ms", value)
         : value < 100 ? fmt::format("{:.1f} ms", value)
                       : fmt::format("{:.0f} ms", value);
}

std::vector<std::pair<std::string, std::string>> next_steps(const PageWords& say) {
  return {{say("the same with photos of your own"), "nunchi demo photo.jpg another.jpg"},
          {say("a real checkpoint with ImageNet's 1000 classes (about 350 MB, pulled once)"),
           "nunchi classify google/vit-base-patch16-224 photo.jpg"},
          {say("DINO's attention maps (about 90 MB)"), "nunchi demo -m facebook/dino-vits8 photo.jpg"},
          {say("which of many photos are alike, by DINOv2"), "nunchi similar facebook/dinov2-base a.jpg b.jpg c.jpg"},
          {say("every checkpoint that nunchi knows by name"), "nunchi models 'vit*'"}};
}

std::string demo_html(const DemoReport& report, const PageWords& say) {
  const auto& times = report.times;
  const auto count = report.run.pictures.size();
  draw::HtmlReport page("nunchi demo",
                        say("What one network ({}) makes of {}: computed on this machine's processor, with no Python.",
                            report.model, count == 1 ? say("1 picture") : say("{} pictures", count)),
                        {.language = say.language()});
  std::vector<draw::HtmlFigure> figures = {{with_thousands(report.parameters), say("parameters")}};
  if (succeeded(times.fp32)) {
    figures.push_back({milliseconds(times.fp32.median_seconds()), say("one picture, fp32")});
    if (succeeded(times.bf16)) figures.push_back({milliseconds(times.bf16.median_seconds()), say("one picture, bf16")});
    figures.push_back({format_bytes(times.fp32.peak_memory), say("peak memory")});
  }
  figures.push_back({fmt::format("{:.2f} s", times.start_up), say("to start the program")});
  page.figures(figures);
  add_answers(page, report, say);
  add_similarity(page, report, say);
  add_attention(page, report, say);
  add_times(page, report, say);
  add_next(page, say);
  page.footer(say("Made by nunchi {}. One file: nothing in it comes from outside.", NUNCHI_VERSION));
  for (const auto& failure : report.run.failures) page.footer(say("Left out: {}", failure));
  return page.html();
}

}  // namespace nunchi::cli
