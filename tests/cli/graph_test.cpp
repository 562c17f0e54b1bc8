// graph, walk -o and bench --scaling: what shows a model and what it costs.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "cli/pictures.h"
#include "image/decode.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

using Graphs = Pictures;

std::size_t pieces_of(const std::string& svg, const std::string& piece) {
  std::size_t count = 0;
  for (auto at = svg.find(piece); at != std::string::npos; at = svg.find(piece, at + 1)) ++count;
  return count;
}

std::string text_of(const std::string& path) { return read_file(path, 64 << 20); }

// --- graph

TEST_F(Graphs, GraphPrintsATreeThatAddsUp) {
  const auto run = run_program({"graph", vit});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("3 x block blocks.0 ... 2"), HasSubstr("  attn "), HasSubstr("attention"),
                             HasSubstr("cls_token"), HasSubstr("patch embedding"), HasSubstr("all together")));
  const auto info = Json::parse(run_program({"info", vit, "--json"}).out);
  const auto json = Json::parse(run_program({"graph", vit, "--json"}).out);
  EXPECT_EQ(json["parameters"], info["parameters"]);
  EXPECT_EQ(json["flops"], info["flops"]);
  EXPECT_EQ(json["input_shape"], info["input_shape"]);
  std::int64_t parameters = 0;
  for (const auto& layer : json["layers"])
    parameters += layer["count"].get<std::int64_t>() * layer["parameters"].get<std::int64_t>();
  EXPECT_EQ(parameters, info["parameters"].get<std::int64_t>());
}

TEST_F(Graphs, GraphTakesDepthAndSize) {
  const auto flat = run_program({"graph", "-m", vit, "--depth", "1"});
  EXPECT_THAT(flat.out, AllOf(HasSubstr("blocks.0 ... 2"), Not(HasSubstr("qkv"))));
  const auto small = Json::parse(run_program({"graph", vit, "--json"}).out);
  const auto large = Json::parse(run_program({"graph", vit, "--json", "--size", "96x64"}).out);
  EXPECT_THAT(large["input_shape"], Json({3, 96, 64}));
  EXPECT_GT(large["macs"], small["macs"]);
  EXPECT_EQ(large["parameters"], small["parameters"]);
}

// `explain --layer` sends its users here.
TEST_F(Graphs, GraphListsTheLayersThatExplainTakes) {
  const auto lines = lines_of(run_program({"graph", mobilenet, "--layers"}).out);
  ASSERT_GT(lines.size(), 10U);
  std::vector<std::string> found;
  for (const auto& line : lines) {
    EXPECT_THAT(line, testing::ContainsRegex("^[^ ]+ +\\[1(, [0-9]+)+\\]$"));
    found.push_back(line.substr(0, line.find(' ')));
  }
  EXPECT_THAT(found, AllOf(testing::Contains("conv_stem.first_conv"), testing::Contains("classifier")));
}

TEST_F(Graphs, GraphNeedsNoModelAndNoWeights) {
  const auto bundled = run_program({"graph"});
  EXPECT_EQ(bundled.exit_code, 0) << bundled.err;
  EXPECT_THAT(bundled.out, HasSubstr("blocks.0 ... "));
}

TEST_F(Graphs, GraphIsDrawn) {
  ASSERT_EQ(run_program({"graph", vit, "-o", out("graph.svg")}).exit_code, 0);
  ASSERT_EQ(run_program({"graph", vit, "-o", out("flat.svg"), "--depth", "1"}).exit_code, 0);
  EXPECT_GT(pieces_of(text_of(out("graph.svg")), "<path"), pieces_of(text_of(out("flat.svg")), "<path") + 20);
  ASSERT_EQ(run_program({"graph", mobilenet, "-o", out("graph.png")}).exit_code, 0);
  const auto drawn = image::read_picture(out("graph.png"));
  EXPECT_GT(drawn.height, 600);
  EXPECT_THAT(text_of([&] {
                run_program({"graph", mobilenet, "-o", out("graph.pdf")});
                return out("graph.pdf");
              }()),
              testing::StartsWith("%PDF"));
}

TEST_F(Graphs, GraphSaysWhatIsWrong) {
  EXPECT_EQ(run_program({"graph", vit, "-o", out("graph.jpg")}).exit_code, 2);
  EXPECT_EQ(run_program({"graph", vit, "--layers", "--json"}).exit_code, 2);
  EXPECT_EQ(run_program({"graph", vit, "--size", "224"}).exit_code, 2);
  EXPECT_EQ(run_program({"graph", (folder_ / "absent").string()}).exit_code, 3);
  const auto tiny = run_program({"graph", vit, "--size", "2x2"});
  EXPECT_EQ(tiny.exit_code, 1);
  EXPECT_THAT(tiny.err, HasSubstr("expected a picture"));
}

// --- walk -o

TEST_F(Graphs, WalkDrawsWhatItPrints) {
  for (const auto& model : {vit, mobilenet}) {
    const auto printed = run_program({"walk", model, in("a.ppm")});
    const auto drawn = run_program({"walk", model, in("a.ppm"), "-o", out("walk.png")});
    ASSERT_EQ(drawn.exit_code, 0) << drawn.err;
    EXPECT_EQ(drawn.out, printed.out);
    EXPECT_GT(image::read_picture(out("walk.png")).width, 1500);
  }
}

TEST_F(Graphs, WalkCountsBlocksAndNotEmbeddings) {
  const auto siglip = run_program({"walk", case_model("timm_vit_siglip_gap").string(), in("a.ppm")});
  EXPECT_THAT(siglip.out, AllOf(HasSubstr("patches               4 x 4 = 16 tokens of 5 x 5 pixels\n"),
                                HasSubstr("  embeddings "), HasSubstr("  block 1 "), Not(HasSubstr("  block 2 "))));
  const auto swin = run_program({"walk", case_model("timm_swin").string(), in("a.ppm")});
  EXPECT_THAT(swin.out, AllOf(HasSubstr("attention, block 1"), Not(HasSubstr("each block"))));
}

TEST_F(Graphs, WalkMakesAPageOfAllPictures) {
  const auto run = run_program({"walk", vit, in(), "-o", out("walk.html")});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto page = text_of(out("walk.html"));
  for (const auto* part : {"a.ppm", "고양이.ppm", "b, &quot;c&quot;.ppm"}) EXPECT_THAT(page, HasSubstr(part));
  // Every shape that is printed stands in the tables.
  for (const auto& line : lines_of(run.out)) {
    const auto at = line.find('[');
    const bool is_tensor = line.starts_with("  ") && !line.starts_with("  picture") && at != std::string::npos;
    if (is_tensor) {
      EXPECT_THAT(page, HasSubstr(line.substr(at))) << line;
    }
  }
  ASSERT_EQ(run_program({"walk", vit, in(), "-o", out("ko.html"), "--language", "ko"}).exit_code, 0);
  EXPECT_THAT(text_of(out("ko.html")), AllOf(HasSubstr("안을 지나는 길"), HasSubstr("모든 모양")));
  ASSERT_EQ(run_program({"walk", vit, in(), "-o", out("walk.pdf")}).exit_code, 0);
  EXPECT_THAT(text_of(out("walk.pdf")), testing::StartsWith("%PDF"));
}

TEST_F(Graphs, WalkDrawsOnePictureOnASheet) {
  const auto run = run_program({"walk", vit, in(), "-o", out("walk.png")});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr(".pdf or .html"));
  EXPECT_FALSE(fs::exists(out("walk.png")));
  EXPECT_EQ(run_program({"walk", vit, in("a.ppm"), "-o", out("walk.txt")}).exit_code, 2);
}

TEST_F(Graphs, WalkDrawsEveryFamily) {
  for (const auto* name :
       {"swin_classifier", "swinv2_four_stages", "resnet_model", "convnext", "beit_classifier", "dinov2_registers",
        "deit_distilled", "timm_vit_no_class_token", "timm_eva02", "dinov2_non_square"}) {
    const auto run = run_program({"walk", case_model(name).string(), in("a.ppm"), "-o", out("walk.svg")});
    EXPECT_EQ(run.exit_code, 0) << name << ": " << run.err;
  }
}

// --- bench --scaling

TEST_F(Graphs, BenchShowsWhatMoreTokensCost) {
  const auto run = run_program(
      {"bench", vit, "--threads", "1", "--scaling", "-o", out("scaling.json"), "--plot", out("scaling.svg")});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = Json::parse(text_of(out("scaling.json")));
  EXPECT_EQ(json["heads"].get<int>() * json["head_dim"].get<int>(), 36);
  ASSERT_EQ(json["curves"].size(), 3U);
  EXPECT_EQ(json["curves"][0]["points"].front()["tokens"], 196);
  EXPECT_EQ(json["curves"][0]["points"].back()["tokens"], 3136);
  EXPECT_GT(json["curves"][0]["flop_slope"]["upper_half"], json["curves"][0]["flop_slope"]["whole"]);
  EXPECT_NEAR(json["curves"][2]["flop_slope"]["whole"].get<double>(), 1, 1e-6);
  EXPECT_EQ(json["receptive_fields"][0]["convolution"], 9);
  EXPECT_EQ(json["receptive_fields"][0]["attention"], 196);
  EXPECT_THAT(text_of(out("scaling.svg")), HasSubstr("<svg"));
}

TEST_F(Graphs, BenchScalingIsATableToo) {
  const auto run = run_program({"bench", mobilenet, "--threads", "1", "--scaling"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("has no attention"), HasSubstr("3136"), HasSubstr("sees after")));
  EXPECT_EQ(run_program({"bench", vit, "--scaling", "--batch", "2"}).exit_code, 2);
}

}  // namespace
}  // namespace nunchi::cli
