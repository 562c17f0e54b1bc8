#include "engine/model.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "engine/executor.h"
#include "explain/methods.h"
#include "image/decode.h"
#include "ops/numbers.h"
#include "tasks/classify.h"
#include "tasks/embed.h"

namespace nunchi {
namespace {

image::Picture copy_of(const PictureView& view) {
  if (view.pixels == nullptr || view.width < 1 || view.height < 1) {
    throw Error(ErrorKind::input, "a picture in memory needs pixels, a width and a height");
  }
  auto picture = image::make_picture(view.width, view.height);
  std::copy(view.pixels, view.pixels + picture.pixels.size(), picture.pixels.begin());
  return picture;
}

std::unique_ptr<tasks::VisionModel> load(const std::filesystem::path& path, const ModelOptions& options) {
  const auto precision =
      options.precision.empty() ? std::nullopt : std::optional(tasks::precision_from_name(options.precision));
  return engine::executor().run([&] {
    if (options.threads > 0) at::set_num_threads(options.threads);
    return std::make_unique<tasks::VisionModel>(tasks::ModelSource{.path = path, .arch = options.arch}, precision);
  });
}

}  // namespace

struct Model::Implementation {
  std::unique_ptr<tasks::VisionModel> model;
  mutable explain::Anatomies anatomies{*model};  // used by the executor's thread alone

  image::Picture read(const std::filesystem::path& path) const {
    return image::read_picture(path, image::decoding_for(model->transform(), {}));
  }

  std::vector<Answer> classify(const image::Picture& picture, int count) const {
    tasks::require_classifier(*model);
    const auto values = image::apply(model->transform(), picture);
    return engine::executor().run([&] {
      const auto output = model->forward(tasks::as_batch(values));
      std::vector<Answer> answers;
      const auto predictions = tasks::top_predictions(*model, output.logits, count);
      for (const auto& p : predictions.front()) answers.push_back({p.id, p.label, p.probability});
      return answers;
    });
  }

  std::vector<float> embed(const image::Picture& picture) const {
    const auto values = image::apply(model->transform(), picture);
    return engine::executor().run([&] {
      return ops::numbers_of<float>(
          tasks::embeddings(model->forward(tasks::as_batch(values)), tasks::EmbeddingKind::cls));
    });
  }

  HeatMap explain(const image::Picture& picture, const ExplainOptions& options) const {
    const auto values = image::apply(model->transform(), picture);
    return engine::executor().run([&] {
      const Tensor pixels = tasks::as_batch(values);
      const explain::Subject subject(*model, pixels, anatomies.of(pixels));
      const auto id = class_of(subject, options);
      const std::string usual = classes() > 0 ? "grad-cam" : "eigen-cam";
      const auto& method = explain::method_named(options.method.empty() ? usual : options.method, subject);
      const Tensor map = explain::explain(method, subject, {.target = {.answer = id}, .layer = options.layer}).map;
      return HeatMap{.rows = static_cast<int>(map.size(0)),
                     .columns = static_cast<int>(map.size(1)),
                     .values = ops::numbers_of<float>(map),
                     .id = id};
    });
  }

  std::int64_t classes() const { return model->network().classes(); }

 private:
  std::int64_t class_of(const explain::Subject& subject, const ExplainOptions& options) const {
    if (options.id && (*options.id < 0 || *options.id >= classes())) {
      throw Error(ErrorKind::usage,
                  fmt::format("class {}: expected one from 0 to {}, those of this model", *options.id, classes() - 1));
    }
    if (options.id || classes() == 0) return options.id.value_or(0);
    return subject.logits().argmax(1).item<std::int64_t>();
  }
};

Model::Model(const std::filesystem::path& path, const ModelOptions& options)
    : implementation_(new Implementation{load(path, options)}) {}

Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

std::vector<Answer> Model::classify(const std::filesystem::path& picture, int count) const {
  return implementation_->classify(implementation_->read(picture), count);
}

std::vector<Answer> Model::classify(const PictureView& picture, int count) const {
  return implementation_->classify(copy_of(picture), count);
}

std::vector<float> Model::embed(const std::filesystem::path& picture) const {
  return implementation_->embed(implementation_->read(picture));
}

std::vector<float> Model::embed(const PictureView& picture) const { return implementation_->embed(copy_of(picture)); }

HeatMap Model::explain(const std::filesystem::path& picture, const ExplainOptions& options) const {
  return implementation_->explain(implementation_->read(picture), options);
}

HeatMap Model::explain(const PictureView& picture, const ExplainOptions& options) const {
  return implementation_->explain(copy_of(picture), options);
}

std::int64_t Model::classes() const { return implementation_->classes(); }

std::int64_t Model::parameters() const { return implementation_->model->parameters(); }

}  // namespace nunchi
