#include "train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "core/file.h"
#include "core/interrupt.h"
#include "core/timing.h"
#include "core/yaml.h"
#include "formats/safetensors.h"
#include "nn/watch.h"
#include "remote/file_lock.h"
#include "train/autocast.h"
#include "train/ema.h"
#include "train/journal.h"
#include "train/loss.h"
#include "train/mixup.h"
#include "train/setup.h"
#include "train/training_data.h"
#include "train/validation.h"
#include "train/written_model.h"
#include "weights/checkpoint.h"

namespace nunchi::train {
namespace {

namespace fs = std::filesystem;

// The averages take the weights' place while it lives.
class Averaged {
 public:
  explicit Averaged(std::optional<Ema>& ema) : ema_(ema) { swap(); }
  ~Averaged() { swap(); }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

 private:
  void swap() {
    if (ema_) ema_->swap();
  }
  std::optional<Ema>& ema_;
};

// The folder is ours until the training ends.
remote::FileLock claim(const fs::path& run) {
  if (auto lock = remote::FileLock::try_lock(run / ".lock")) return std::move(*lock);
  throw Error(ErrorKind::input, fmt::format("{}: another training uses this folder; name another", run.string()));
}

class Trainer {
 public:
  Trainer(const Recipe& recipe, const TrainOptions& options);
  TrainResult run();

 private:
  // --- the loop
  bool train_epoch();   // false: a stop was requested
  bool finish_epoch();  // validation, the best model; false: a stop was requested
  void take_step();
  void learn_from(data::Batch& batch, double share);
  void update(data::Batch& last);
  void after_step();

  // --- what is kept and told
  void start();
  void restore(const TrainingState& state);
  void save();
  void save_when_due();
  void tell_line();
  void tell_epoch(const EpochResult& result);
  void tell_broken(const data::Dataset& dataset, const data::Failure& failure);
  std::string broken_layer(const Tensor& images) const;
  [[noreturn]] void keep_bad_batch(data::Batch& batch, const std::string& what);
  Mixed mixed(const BatchTensors& batch) const;
  double seconds() const { return earlier_seconds_ + seconds_since(start_); }
  TrainResult result(bool stopped) const;

  const Recipe recipe_;
  const TrainOptions options_;
  const remote::FileLock lock_;
  const TrainingData data_;
  Network network_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<Ema> ema_;
  std::unique_ptr<data::Loader> training_, validation_;
  std::int64_t batches_ = 0, steps_per_epoch_ = 0;
  ScheduleOptions schedule_;
  std::optional<Journal> journal_;

  Position position_;
  Sums epoch_sums_, line_sums_;
  std::optional<EpochResult> last_, best_;
  double rate_ = 0, gradient_norm_ = 0;  // of the last step
  std::int64_t in_step_ = 0;             // batches of the step that is being taken
  std::set<std::string> broken_;

  double earlier_seconds_ = 0;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_save_ = start_, last_line_ = start_;
};

Trainer::Trainer(const Recipe& recipe, const TrainOptions& options)
    : recipe_(recipe),
      options_(options),
      lock_(claim(options.run)),
      data_(recipe.data, static_cast<std::uint64_t>(recipe.run.seed)),
      network_(make_network(recipe, data_.classes())) {
  const auto state = state_to_resume(recipe, options);
  network_.model->move_to(options.device);
  optimizer_ = optimizer_for(recipe, network_);
  if (recipe.regularisation.ema_decay > 0) ema_.emplace(*network_.model, recipe.regularisation.ema_decay);
  training_ = data_.training_loader(recipe, network_);
  if (data_.validation_pictures() > 0) validation_ = data_.validation_loader(recipe, network_);
  batches_ = static_cast<std::int64_t>(training_->batches());
  steps_per_epoch_ = (batches_ + recipe.optimizer.accumulate - 1) / recipe.optimizer.accumulate;
  schedule_ = schedule_for(recipe, steps_per_epoch_);
  if (state)
    restore(*state);
  else
    start();
}

void Trainer::start() {
  for (auto& [name, generator] : generators(options_.device))
    generator.set_current_seed(static_cast<std::uint64_t>(recipe_.run.seed));
  write_file(options_.run / "recipe.yaml", to_yaml(to_json(recipe_)));
  journal_.emplace(options_.run, JournalSizes{});
  journal_->line({{"kind", "start"},
                  {"classes", data_.classes().size()},
                  {"training_pictures", data_.training_pictures()},
                  {"validation_pictures", data_.validation_pictures()},
                  {"parameters", network_.model->parameter_count()},
                  {"steps", schedule_.total_steps}});
  for (const auto& remark : network_.remarks) options_.on_remark(remark);
  save();  // a folder that cannot be written is found now and not after an hour
}

void Trainer::restore(const TrainingState& state) {
  const at::NoGradGuard values_only;
  copy_state(tensors_of(*network_.model), state.part("model"), "the state of the training");
  optimizer_->restore(state.part("optimizer"));
  if (ema_) ema_->restore(state.part("ema"));
  const auto random = state.part("random");
  for (auto& [name, generator] : generators(options_.device))
    if (const auto found = random.find(name); found != random.end()) generator.set_state(found->second);
  position_ = state.position;
  epoch_sums_ = state.epoch_sums;
  line_sums_ = state.line_sums;
  last_ = state.last;
  best_ = state.best;
  earlier_seconds_ = state.seconds;
  journal_.emplace(options_.run, JournalSizes{state.journal_bytes, state.event_bytes});
  options_.on_remark(fmt::format("going on after step {} of {}", position_.step, schedule_.total_steps));
}

// --- the loop

bool Trainer::train_epoch() {
  start_training(*network_.model, recipe_.model.freeze_batch_norm);
  if (position_.batch < batches_)
    training_->start(static_cast<std::uint64_t>(position_.epoch), static_cast<std::size_t>(position_.batch));
  while (position_.batch < batches_) {
    take_step();
    after_step();
    if (stop_requested()) return false;
  }
  return true;
}

void Trainer::take_step() {
  const auto group = std::min(recipe_.optimizer.accumulate, batches_ - position_.batch);
  const auto before = epoch_sums_.pictures;
  std::optional<data::Batch> batch;
  for (in_step_ = 0; in_step_ < group; ++in_step_) {
    batch = training_->next();
    ASSERT(batch, "an epoch has as many batches as the loader says");
    for (const auto& failure : batch->failures) tell_broken(data_.dataset(), failure);
    epoch_sums_.skipped += static_cast<std::int64_t>(batch->failures.size());
    if (batch->size() > 0) learn_from(*batch, 1 / static_cast<double>(group));
  }
  if (epoch_sums_.pictures > before) update(*batch);
  position_.batch += group;
  ++position_.step;
}

Mixed Trainer::mixed(const BatchTensors& batch) const {
  const auto& r = recipe_.regularisation;
  constexpr std::uint64_t first_stream = std::uint64_t{1} << 62;  // beyond those of the samples
  data::Random random(static_cast<std::uint64_t>(recipe_.run.seed), static_cast<std::uint64_t>(position_.epoch),
                      first_stream + static_cast<std::uint64_t>(position_.batch + in_step_));
  return mix(batch.images, batch.labels, static_cast<std::int64_t>(data_.classes().size()),
             {.mixup_alpha = r.mixup,
              .cutmix_alpha = r.cutmix,
              .probability = r.mix_probability,
              .switch_probability = r.switch_probability},
             random);
}

// Forward and backward; `share` is this batch's part of the step.
void Trainer::learn_from(data::Batch& batch, double share) {
  auto [images, labels] = as_tensors(batch, network_.shape(), options_.device);
  const bool mixes = recipe_.regularisation.mixup > 0 || recipe_.regularisation.cutmix > 0;
  auto [pictures, targets] = mixes ? mixed({images, labels}) : Mixed{images, labels};
  Tensor logits, loss;
  {
    const Autocast autocast(options_.device.type(), recipe_.run.precision == "bf16");
    logits = network_.model->forward(pictures).logits;
    loss = cross_entropy(logits, targets, recipe_.loss.label_smoothing);
  }
  const auto value = loss.item<double>();
  if (!std::isfinite(value)) keep_bad_batch(batch, fmt::format("the loss is {}", value));
  (loss * share).backward();
  const Tensor truths = mixes ? targets.argmax(1) : labels;
  const auto count = static_cast<std::int64_t>(batch.size());
  const auto hits = (logits.detach().argmax(1) == truths).sum().item<std::int64_t>();
  for (Sums* sums : {&epoch_sums_, &line_sums_}) {
    sums->loss += value * static_cast<double>(count);
    sums->hits += hits;
    sums->pictures += count;
  }
}

void Trainer::update(data::Batch& last) {
  rate_ = learning_rate(schedule_, position_.step);
  gradient_norm_ = clip_gradients(optimizer_->groups(), recipe_.optimizer.clip_norm);
  if (!std::isfinite(gradient_norm_)) keep_bad_batch(last, fmt::format("the gradients' norm is {}", gradient_norm_));
  optimizer_->step(rate_);
  optimizer_->clear_gradients();
  if (ema_) ema_->update();
}

void Trainer::after_step() {
  const auto pictures = static_cast<std::int64_t>(data_.training_pictures());
  options_.on_step({.position = position_,
                    .epochs = recipe_.schedule.epochs,
                    .steps = schedule_.total_steps,
                    .done = position_.epoch * pictures + epoch_sums_.pictures + epoch_sums_.skipped,
                    .total = recipe_.schedule.epochs * pictures,
                    .epoch = epoch_sums_});
  if (position_.step % recipe_.run.log_every == 0) tell_line();
  save_when_due();
}

bool Trainer::finish_epoch() {
  if (epoch_sums_.pictures == 0)
    throw Error(ErrorKind::input, fmt::format("{}: not one of its pictures could be read", recipe_.data.path));
  const Averaged averaged(ema_);
  EpochResult result{.epoch = position_.epoch + 1,
                     .loss = epoch_sums_.mean_loss(),
                     .accuracy = epoch_sums_.accuracy(),
                     .validation = {}};
  if (validation_) {
    const auto tell = [&](const data::Failure& failure) { tell_broken(data_.validation_dataset(), failure); };
    result.validation = validate(network_, *validation_, options_.device, tell);
    if (!result.validation) return false;
  }
  const bool is_last = result.epoch == recipe_.schedule.epochs;
  const bool is_best = validation_ ? !best_ || result.validation->top1 > best_->validation->top1 : is_last;
  if (is_best) write_model(network_, data_.classes(), options_.run / "model");
  if (is_last) write_model(network_, data_.classes(), options_.run / "last");
  if (is_best && validation_) best_ = result;
  tell_epoch(result);
  last_ = result;
  epoch_sums_ = {};
  position_ = {.epoch = position_.epoch + 1, .batch = 0, .step = position_.step};
  return true;
}

TrainResult Trainer::run() {
  while (position_.epoch < recipe_.schedule.epochs) {
    if (!train_epoch() || !finish_epoch()) {
      save();
      return result(true);
    }
    if (position_.epoch < recipe_.schedule.epochs)
      save_when_due();
    else
      save();
  }
  return result(false);
}

TrainResult Trainer::result(bool stopped) const {
  return {.stopped = stopped, .position = position_, .last = last_, .best = best_, .seconds = seconds()};
}

// --- what is kept and told

void Trainer::save() {
  const auto sizes = journal_->sizes();
  TrainingState state{.recipe = to_json(recipe_),
                      .position = position_,
                      .epoch_sums = epoch_sums_,
                      .line_sums = line_sums_,
                      .last = last_,
                      .best = best_,
                      .seconds = seconds(),
                      .journal_bytes = sizes.journal,
                      .event_bytes = sizes.events,
                      .tensors = {}};
  state.add("model", tensors_of(*network_.model));
  state.add("optimizer", optimizer_->state());
  if (ema_) state.add("ema", ema_->state());
  for (auto& [name, generator] : generators(options_.device)) state.add("random", {{name, generator.get_state()}});
  save_state(options_.run, state);
  last_save_ = Clock::now();
}

void Trainer::save_when_due() {
  if (stop_requested() || seconds_since(last_save_) < recipe_.run.save_every_seconds) return;  // a stop saves by itself
  save();
}

void Trainer::tell_line() {
  const double seconds = seconds_since(std::exchange(last_line_, Clock::now()));
  const double images_per_second = seconds > 0 ? static_cast<double>(line_sums_.pictures) / seconds : 0;
  journal_->line({{"kind", "step"},
                  {"epoch", position_.epoch + 1},
                  {"step", position_.step},
                  {"loss", line_sums_.mean_loss()},
                  {"accuracy", line_sums_.accuracy()},
                  {"learning_rate", rate_},
                  {"gradient_norm", gradient_norm_},
                  {"images_per_second", images_per_second},
                  {"seconds", this->seconds()}});
  journal_->scalars(position_.step, {{"train/loss", line_sums_.mean_loss()},
                                     {"train/accuracy", line_sums_.accuracy()},
                                     {"train/learning_rate", rate_},
                                     {"train/gradient_norm", gradient_norm_},
                                     {"train/images_per_second", images_per_second}});
  line_sums_ = {};
}

void Trainer::tell_epoch(const EpochResult& result) {
  Json line = {{"kind", "epoch"}, {"step", position_.step}};
  line.update(to_json(result));
  line["skipped"] = epoch_sums_.skipped;
  line["seconds"] = seconds();
  journal_->line(line);
  journal_->scalars(position_.step, {{"epoch/loss", result.loss}, {"epoch/accuracy", result.accuracy}});
  if (const auto& v = result.validation)
    journal_->scalars(position_.step,
                      {{"validation/loss", v->loss}, {"validation/top1", v->top1}, {"validation/top5", v->top5}});
  options_.on_epoch(result);
}

void Trainer::tell_broken(const data::Dataset& dataset, const data::Failure& failure) {
  const auto& name = dataset.samples[failure.index].name;
  if (!broken_.insert(name).second) return;
  journal_->line({{"kind", "broken picture"}, {"name", name}, {"message", failure.message}});
  options_.on_remark(failure.message + "; left out");
}

// The first layer that gives what is not finite for these pictures; empty where none does.
std::string Trainer::broken_layer(const Tensor& images) const {
  const at::NoGradGuard values_only;
  std::string first;
  const nn::Watch watch(*network_.model, [&](const std::string& layer, const Tensor& y) {
    if (first.empty() && !y.isfinite().all().item<bool>()) first = layer;
    return y;
  });
  const Autocast autocast(options_.device.type(), recipe_.run.precision == "bf16");
  network_.model->forward(images);
  return first;
}

void Trainer::keep_bad_batch(data::Batch& batch, const std::string& what) {
  const auto file = options_.run / fmt::format("bad-batch-step-{}.safetensors", position_.step);
  const auto shape = network_.shape();
  const auto count = static_cast<std::int64_t>(batch.size());
  const std::vector<std::int64_t> indices(batch.indices.begin(), batch.indices.end());
  formats::write_safetensors(
      file,
      {{"pixels", formats::Dtype::f32, {count, shape[0], shape[1], shape[2]}, std::as_bytes(std::span(batch.pixels))},
       {"labels", formats::Dtype::i64, {count}, std::as_bytes(std::span(batch.labels))},
       {"indices", formats::Dtype::i64, {count}, std::as_bytes(std::span(indices))}});
  const auto layer = broken_layer(as_tensors(batch, shape, options_.device).images);
  const auto where =
      layer.empty() ? "every layer's values are finite" : layer + " is the first layer whose values are not finite";
  throw Error(ErrorKind::input,
              fmt::format("epoch {}, step {}: {}, at a learning rate of {} ({}); its batch is kept in {}. A smaller "
                          "optimizer.learning_rate or optimizer.clip_norm may help",
                          position_.epoch + 1, position_.step, what, learning_rate(schedule_, position_.step), where,
                          file.string()));
}

}  // namespace

TrainResult train(const Recipe& recipe, const TrainOptions& options) {
  std::error_code error;
  fs::create_directories(options.run, error);
  if (error)
    throw Error(ErrorKind::input, fmt::format("{}: cannot be made: {}", options.run.string(), error.message()));
  return Trainer(recipe, options).run();
}

}  // namespace nunchi::train
