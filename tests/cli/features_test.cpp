// nunchi features: every view writes its picture and its numbers.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "cli/pictures.h"
#include "image/decode.h"
#include "image/encode.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string dino = case_model("dinov2_registers").string();

// Of an SVG the first picture that it holds.
image::Picture first_embedded_png(const std::string& svg) {
  constexpr std::string_view begin = "data:image/png;base64,",
                             letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::byte> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (auto at = svg.find(begin) + begin.size(); at < svg.size(); ++at) {
    const auto value = letters.find(svg[at]);
    if (value == std::string_view::npos && (svg[at] == '\n' || svg[at] == ' ')) continue;
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> count & 0xff));
  }
  return image::decode(bytes, "the first picture");
}

class Features : public Pictures {
 protected:
  ProgramRun run(std::vector<std::string> words) const {
    words.insert(words.begin(), "features");
    return run_program(words);
  }

  // The JSON lines of what is written into the folder "out".
  std::vector<Json> shown(std::vector<std::string> words) const {
    words.insert(words.end(), {"--json", "-o", out("out")});
    const auto found = run(words);
    EXPECT_EQ(found.exit_code, 0) << found.err;
    return json_lines(found.out);
  }

  Json numbers(const std::string& view) const { return read_json(out("out") + "/" + view + ".json"); }
  Arrays arrays(const std::string& view) const { return read_arrays(out("out") + "/" + view + ".safetensors"); }

  const std::string a = in("a.ppm"), b = in("고양이.ppm");
};

TEST_F(Features, EveryViewWritesAPictureAndItsNumbers) {
  const std::vector<std::string> views = {"pca",       "clusters",  "spectral", "similar", "match",
                                          "maps",      "drift",     "lens",     "cka",     "activations",
                                          "embedding", "positions", "filters",  "weights"};
  std::string all;
  for (const auto& view : views) all += (all.empty() ? "" : ",") + view;
  const auto lines = shown({vit, a, b, "--show", all});
  ASSERT_EQ(lines.size(), views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    EXPECT_EQ(lines[i]["show"], views[i]);
    EXPECT_EQ(read_file(out("out") + "/" + views[i] + ".png", 1 << 26).substr(1, 3), "PNG") << views[i];
    EXPECT_TRUE(numbers(views[i]).is_object());
    for (const auto& file : lines[i]["files"]) EXPECT_TRUE(std::filesystem::exists(file.get<std::string>())) << file;
  }
}

TEST_F(Features, LensEndsWithTheAnswerOfClassify) {
  const auto lens = shown({vit, a, "--show", "lens"}).front();
  const auto answer = json_lines(run_program({"classify", vit, a, "--json"}).out).front()["predictions"][0];
  EXPECT_EQ(lens["answers"][0]["label"], answer["label"]);
  EXPECT_NEAR(numbers("lens")["blocks"][0]["after"].back()["probability"].get<double>(),
              answer["probability"].get<double>(), 1e-5);
}

TEST_F(Features, TheHistogramsCountEveryWeight) {
  shown({vit, "--show", "weights"});
  const auto weights = numbers("weights");
  const auto info = parse_json(run_program({"info", vit, "--json"}).out, "info");
  EXPECT_EQ(weights["weights"], info["parameters"]);
  const auto counts = weights["counts"].get<std::vector<std::int64_t>>();
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), info["parameters"].get<std::int64_t>());
  EXPECT_TRUE(shown({"--show", "weights"}).size() == 1) << "of the bundled model";
}

TEST_F(Features, TheSameSeedGivesTheSameClusters) {
  shown({dino, a, b, "--show", "clusters", "--joint", "--k", "3", "--seed", "5"});
  const auto first = read_file(out("out/clusters.safetensors"), 1 << 26);
  shown({dino, a, b, "--show", "clusters", "--joint", "--k", "3", "--seed", "5"});
  EXPECT_EQ(read_file(out("out/clusters.safetensors"), 1 << 26), first);
  const auto sizes = numbers("clusters")["sizes"];
  ASSERT_EQ(sizes.size(), 1u);
  EXPECT_EQ(sizes[0].size(), 3u);
}

TEST_F(Features, SeveralViewsMakeThePagesOfOnePdf) {
  const auto found = run({dino, a, "--show", "pca,drift", "--json", "-o", out("both.pdf")});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  EXPECT_THAT(read_file(out("both.pdf"), 1 << 26), testing::StartsWith("%PDF"));
  EXPECT_EQ(json_lines(found.out).back()["files"].front(), out("both.pdf"));
  EXPECT_TRUE(std::filesystem::exists(out("both-pca.json")));
}

TEST_F(Features, PicturesAreSeenAtAnotherSize) {
  shown({dino, a, "--show", "pca", "--size", "56x84"});
  const auto arrays = read_arrays(out("out/pca.safetensors"));
  shown({dino, a, "--show", "pca"});
  EXPECT_NE(arrays.begin()->second.shape, read_arrays(out("out/pca.safetensors")).begin()->second.shape);
}

TEST_F(Features, ThereAreNoMoreClustersThanPatches) {
  const auto found = run({dino, a, "--show", "clusters", "--k", "1000", "-o", out("clusters.png")});
  EXPECT_EQ(found.exit_code, 2);
  EXPECT_THAT(found.err, AllOf(HasSubstr("--k 1000"), HasSubstr("patches")));
}

TEST_F(Features, APictureIsItsOwnBestMatch) {
  const auto line = shown({dino, a, a, "--show", "match,similar", "--patch", "0,1"});
  const auto matches = numbers("match")["matches"][0];
  ASSERT_FALSE(matches.empty());
  for (const auto& match : matches) EXPECT_EQ(match["from"], match["to"]);
  EXPECT_NEAR(line[0]["pairs"][0]["mean_cosine"].get<double>(), 1, 1e-5);
  EXPECT_EQ(line[1]["best"][1]["patch"], (Json{0, 1}));
  EXPECT_NEAR(line[1]["best"][1]["cosine"].get<double>(), 1, 1e-5);
  EXPECT_LT(line[1]["best"][0]["cosine"].get<double>(), 0.999999) << "itself does not count";
}

TEST_F(Features, AlignmentOfAModelWithItselfIsOneOnTheDiagonal) {
  shown({vit, a, b, "--show", "cka"});
  const auto cka = numbers("cka")["cka"];
  for (std::size_t i = 0; i < cka.size(); ++i) EXPECT_NEAR(cka[i][i].get<double>(), 1, 1e-9);
  const auto other = shown({vit, a, b, "--show", "cka", "--with", mobilenet}).front();
  EXPECT_NE(other["rows"], other["columns"]);
}

TEST_F(Features, EmbeddingFindsTheSamePictureTwice) {
  std::filesystem::copy(in("a.ppm"), in("copy.ppm"));
  shown({vit, in(), "--show", "embedding", "--duplicates", "0.9999999"});
  const auto duplicates = numbers("embedding")["duplicates"];
  ASSERT_EQ(duplicates.size(), 1u);
  EXPECT_EQ(duplicates[0]["files"], (Json{in("a.ppm"), in("copy.ppm")}));
  for (const auto* method : {"tsne", "umap", "pca"}) {
    shown({vit, in(), "--show", "embedding", "--method", method});
    EXPECT_EQ(arrays("embedding").at("places").shape, (std::vector<std::int64_t>{5, 2})) << method;
  }
}

TEST_F(Features, ALayerIsChosenByItsName) {
  shown({vit, a, "--show", "maps", "--layer", "blocks.0", "--k", "2"});
  EXPECT_EQ(arrays("maps").at("maps_0").shape.front(), 2);
  const auto wrong = run({vit, a, "--show", "maps", "--layer", "blok.0", "-o", out("x")});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("blok.0"), HasSubstr("blocks.0")));
}

TEST_F(Features, OnePageHoldsAll) {
  const auto found = run({vit, a, b, "--show", "pca,weights", "-o", out("page.html")});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  const auto page = read_file(out("page.html"), 1 << 28);
  EXPECT_THAT(page, AllOf(HasSubstr("Principal components of the patches"), HasSubstr("All weights"),
                          HasSubstr("data:image/png")));
  EXPECT_TRUE(std::filesystem::exists(out("page-pca.safetensors")));
  ASSERT_EQ(run({vit, a, "--show", "pca", "-o", out("one.svg")}).exit_code, 0);
  EXPECT_THAT(read_file(out("one.svg"), 1 << 28), HasSubstr("<svg"));
  EXPECT_TRUE(std::filesystem::exists(out("one.json")));
}

TEST_F(Features, ThePageOfSimilarIsClicked) {
  ASSERT_EQ(run({dino, a, b, "--show", "similar", "-o", out("page.html")}).exit_code, 0);
  EXPECT_THAT(read_file(out("page.html"), 1 << 28), HasSubstr("What is like a patch: choose one"));
}

TEST_F(Features, SeveralLayersShowTheirChannels) {
  const auto line = shown({vit, a, "--show", "maps", "--layer", "blocks.0,blocks.1"}).front();
  ASSERT_EQ(line["maps"].size(), 2u);
  EXPECT_EQ(line["maps"][1]["layer"], "blocks.1");
  EXPECT_EQ(line["maps"][1]["channels"].size(), 16u);
  EXPECT_EQ(arrays("maps").at("maps_1").shape.front(), 16);
  EXPECT_EQ(run({vit, a, "--show", "pca", "--layer", "blocks.0,blocks.1", "-o", out("x")}).exit_code, 2);
}

// A kernel that hands the middle pixel on shows the picture.
TEST_F(Features, AnIdentityKernelShowsThePicture) {
  constexpr int patch = 8, side = 48;
  const auto model = copy_case("vit_classifier", folder_) / "model";
  change_arrays(model / "model.safetensors", [](Arrays& arrays) {
    auto& kernel = arrays.at("vit.embeddings.patch_embeddings.projection.weight");
    std::fill_n(kernel.floats(), kernel.count(), 0.0f);
    const auto per_filter = 3UL * patch * patch, middle = static_cast<std::size_t>(patch * patch / 2 + patch / 2);
    for (std::size_t i = 0; i < static_cast<std::size_t>(kernel.shape[0]); ++i)  // of the red plane
      kernel.floats()[i * per_filter + middle] = static_cast<float>(i + 1);
  });
  write_ppm(in("red.ppm"), side, side, 3);
  const auto line = shown({model.string(), in("red.ppm"), "--show", "maps", "--layer", "patch_embed"}).front();
  EXPECT_EQ(line["maps"][0]["channels"].size(), 16u) << "of 36";
  EXPECT_EQ(line["maps"][0]["channels"][0], 35) << "which varies most";
  auto maps = arrays("maps").at("maps_0");
  ASSERT_EQ(maps.shape, (std::vector<std::int64_t>{16, 6, 6}));
  const auto red = image::read_picture(in("red.ppm"));
  const auto value = [&](int y, int x) { return maps.floats()[y * 6 + x]; };
  const auto pixel = [&](int y, int x) {
    return static_cast<float>(red.row(patch * y + patch / 2)[3 * (patch * x + patch / 2)]);
  };
  const float scale = (value(0, 0) - value(0, 1)) / (pixel(0, 0) - pixel(0, 1));
  EXPECT_GT(scale, 0);
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 6; ++x)
      EXPECT_NEAR(value(y, x) - value(0, 0), scale * (pixel(y, x) - pixel(0, 0)), 0.1 * scale) << y << " " << x;
}

// A set of Gabor kernels, waves along x and along y in turn, draws stripes in the one and the other direction.
TEST_F(Features, GaborKernelsDrawStripes) {
  const auto model = copy_case("vit_classifier", folder_) / "model";
  std::int64_t side = 0, filters = 0;
  change_arrays(model / "model.safetensors", [&](Arrays& arrays) {
    auto& kernel = arrays.at("vit.embeddings.patch_embeddings.projection.weight");
    filters = kernel.shape[0], side = kernel.shape[2];
    float* values = kernel.floats();
    for (std::int64_t i = 0; i < filters; ++i) {
      for (std::int64_t channel = 0; channel < 3; ++channel) {
        for (std::int64_t y = 0; y < side; ++y) {
          for (std::int64_t x = 0; x < side; ++x)  // the first the strongest: they are drawn in that order
            *values++ = static_cast<float>(static_cast<double>(filters - i) *
                                           std::cos(std::numbers::pi / 2 * static_cast<double>(i % 2 == 0 ? x : y)));
        }
      }
    }
  });
  ASSERT_EQ(run({model.string(), "--show", "filters", "-o", out("filters.svg")}).exit_code, 0);
  const auto mosaic = first_embedded_png(read_file(out("filters.svg"), 1 << 26));
  const auto tile = static_cast<int>(side) + 1;
  ASSERT_GE(mosaic.width, 2 * tile - 1);
  const auto grey = [&](int first, int y, int x) { return static_cast<int>(mosaic.row(y)[3 * (first * tile + x)]); };
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double along_x = 127.5 + 127.5 * std::cos(std::numbers::pi / 2 * x);
      const double along_y = 127.5 + 127.5 * std::cos(std::numbers::pi / 2 * y);
      EXPECT_NEAR(grey(0, y, x), along_x, 1.01) << y << " " << x;
      EXPECT_NEAR(grey(1, y, x), along_y, 1.01) << y << " " << x;
    }
  }
}

TEST_F(Features, ClustersAreComparedWithMasks) {
  const auto masks = out("masks");
  std::filesystem::create_directory(masks);
  auto mask = image::make_picture(40, 30, 1);
  for (int y = 0; y < 30; ++y)
    for (int x = 0; x < 40; ++x) mask.row(y)[x] = x < 20 ? 0 : 1;
  write_file(masks + "/a.png", image::encode_png(mask));
  const auto line = shown({dino, a, b, "--show", "clusters", "--k", "4", "--masks", masks}).front();
  EXPECT_GT(line["mean_iou"].get<double>(), 0.1);
  EXPECT_LE(line["mean_iou"].get<double>(), 1);
  const auto overlap = numbers("clusters")["overlap"];
  ASSERT_EQ(overlap.size(), 1u) << "the other picture has no mask";
  EXPECT_EQ(overlap[0]["file"], a);
  EXPECT_EQ(overlap[0]["labels"].size(), 2u);
  EXPECT_THAT(run({dino, b, "--show", "spectral", "--masks", masks, "-o", out("x")}).err,
              HasSubstr("files of the pictures' names"));
}

TEST_F(Features, FoldersAreClassesOfARetrieval) {
  for (const char* folder : {"one", "two"}) {
    std::filesystem::create_directory(in(folder));
    for (int i = 0; i < 2; ++i) write_ppm(in(folder) + fmt::format("/{}.ppm", i), 40, 30, folder[0] == 'o' ? 0 : 9);
  }
  const auto line = shown({vit, in("one"), in("two"), "--show", "embedding"}).front();
  EXPECT_EQ(line["retrieval"]["queries"], 4);
  EXPECT_DOUBLE_EQ(line["retrieval"]["mean_average_precision"].get<double>(), 1);
}

TEST_F(Features, FiguresAreDrawnOnDarkPaper) {
  ASSERT_EQ(run({vit, a, "--show", "pca", "--dark", "-o", out("dark.png")}).exit_code, 0);
  EXPECT_LT(image::read_picture(out("dark.png")).pixels[0], 40);
}

TEST_F(Features, AnOptionOfAnotherViewIsRefused) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--with", vit}, {"--patch", "0,0"}, {"--method", "pca"}, {"--masks", in()}}) {
    auto arguments = std::vector{vit, a, std::string("--show"), std::string("pca")};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const auto refused = run(arguments);
    EXPECT_EQ(refused.exit_code, 2) << words.front();
    EXPECT_THAT(refused.err, AllOf(HasSubstr(words.front()), HasSubstr("expected with --show"))) << words.front();
  }
}

TEST_F(Features, WhatCannotBeIsToldBeforeTheWork) {
  EXPECT_THAT(run({vit, "--show", "pca"}).err, HasSubstr("no pictures are named"));
  EXPECT_THAT(run({vit, a, "--show", "pca,tokens"}).err, AllOf(HasSubstr("tokens: not known"), HasSubstr("spectral")));
  EXPECT_THAT(run({vit, a, "--show", "pca,lens", "-o", "both.png"}).err, HasSubstr("a folder, a .html or a .pdf file"));
  for (const auto* patch : {"3", "3,", "-1,2", "1,2,3", "a,b"})
    EXPECT_EQ(run({vit, a, "--patch", patch}).exit_code, 2) << patch;
  const auto failure = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"-o", out("out")});
    return run(words).err;
  };
  EXPECT_THAT(failure({vit, a, "--show", "match"}), HasSubstr("two pictures or more"));
  EXPECT_THAT(failure({vit, a, "--show", "similar", "--patch", "99,0"}), HasSubstr("row from 0 to"));
  EXPECT_THAT(failure({mobilenet, "--show", "positions"}), HasSubstr("--show filters and weights"));
  EXPECT_THAT(failure({mobilenet, a, "--show", "lens"}), HasSubstr("--show cka"));
}

TEST_F(Features, AViewThatCannotBeIsToldAndTheOthersAreShown) {
  const auto found = run({mobilenet, a, "--show", "lens,pca,positions", "--json", "-o", out("out")});
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.err, AllOf(HasSubstr("--show cka"), HasSubstr("--show filters and weights")));
  ASSERT_EQ(json_lines(found.out).size(), 1u);
  EXPECT_EQ(json_lines(found.out).front()["show"], "pca");
  EXPECT_EQ(run({mobilenet, a, "--show", "lens,positions", "-o", out("none")}).exit_code, 2);
}

TEST_F(Features, APictureThatCannotBeReadIsToldAndLeftOut) {
  write_file(in("broken.jpg"), "no picture at all");
  const auto found = run({vit, a, in("broken.jpg"), "--show", "pca", "--json", "-o", out("out")});
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.err, HasSubstr("broken.jpg"));
  EXPECT_EQ(json_lines(found.out).front()["files"].size(), 3u);
}

}  // namespace
}  // namespace nunchi::cli
