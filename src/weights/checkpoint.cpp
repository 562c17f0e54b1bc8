#include "weights/checkpoint.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "formats/safetensors.h"
#include "nn/initialise.h"
#include "ops/linear_int8.h"
#include "weights/int8_storage.h"

namespace nunchi::weights {
namespace {

using formats::Dtype;

const std::vector<std::pair<Dtype, at::ScalarType>> dtypes = {
    {Dtype::f64, at::kDouble}, {Dtype::f32, at::kFloat},    {Dtype::f16, at::kHalf},  {Dtype::bf16, at::kBFloat16},
    {Dtype::i64, at::kLong},   {Dtype::i32, at::kInt},      {Dtype::i16, at::kShort}, {Dtype::i8, at::kChar},
    {Dtype::u8, at::kByte},    {Dtype::boolean, at::kBool},
};

at::ScalarType scalar_type(const formats::TensorView& view, const MappedFile& file) {
  for (const auto& [dtype, type] : dtypes) {
    if (dtype == view.dtype) return type;
  }
  throw Error(ErrorKind::model,
              fmt::format("{}: tensor \"{}\": weights of type {} are not supported; expected F32, F16, BF16 or F64",
                          file.path().string(), view.name, formats::dtype_name(view.dtype)));
}

// A view of the file where its data is aligned, a copy where it is not. The view keeps the mapping alive.
Tensor as_tensor(const formats::TensorView& view, const std::shared_ptr<const MappedFile>& file) {
  const auto type = scalar_type(view, *file);
  if (!view.aligned()) {
    Tensor copy = at::empty(view.shape, type);
    std::memcpy(copy.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    file->release(view.bytes);
    return copy;
  }
  void* data = const_cast<std::byte*>(view.bytes.data());  // the pages are read-only: only thawed tensors are written
  return at::from_blob(
      data, view.shape, [file](void*) {}, at::TensorOptions().dtype(type));
}

// Batches counted by a normalisation: absent in files written before LibTorch counted them, and not used at inference.
bool may_be_absent(const std::string& name) { return name.ends_with("num_batches_tracked"); }

struct Report {
  std::vector<std::string> missing, unexpected, misshaped;

  bool clean() const { return missing.empty() && unexpected.empty() && misshaped.empty(); }

  std::string text() const {
    std::string all;
    const auto add = [&](const char* what, const std::vector<std::string>& names) {
      if (!names.empty()) all += fmt::format("\n  {} ({}): {}", what, names.size(), fmt::join(names, ", "));
    };
    add("missing", missing);
    add("unexpected", unexpected);
    add("wrong shape", misshaped);
    return all;
  }
};

// A publisher's shape without the axes of size 1 that the model's own tensor has not; as it is where it does not fit.
Shape own_axes(const Shape& theirs, const std::vector<int>& axes) {
  if (axes.size() != theirs.size()) return theirs;
  Shape own;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] == 0)
      own.push_back(theirs[i]);
    else if (theirs[i] != 1)
      return theirs;
  }
  return own;
}

// The inverse of own_axes.
Shape their_axes(const Shape& own, const std::vector<int>& axes) {
  if (axes.empty()) return own;
  Shape theirs;
  std::size_t next = 0;
  for (const int inserted : axes) theirs.push_back(inserted == 1 ? 1 : own.at(next++));
  return theirs;
}

// What a rule takes of a publisher's tensor of this shape; the shape as it is where it does not divide.
Shape own_shape(const Shape& theirs, const KeyRule* rule) {
  if (rule == nullptr) return theirs;
  Shape own = own_axes(theirs, rule->axes);
  if (rule->part && !own.empty() && own[0] % rule->part->count == 0) own[0] /= rule->part->count;
  return own;
}

Tensor own_part(const Tensor& theirs, const KeyRule* rule) {
  if (rule == nullptr) return theirs;
  const Tensor own = theirs.view(own_axes(theirs.sizes().vec(), rule->axes));
  if (!rule->part) return own;
  const auto length = own.size(0) / rule->part->count;
  return own.narrow(0, rule->part->index * length, length);
}

// The inverse: into its place in the publisher's tensor.
void put_part(std::map<std::string, Tensor>& wholes, const std::string& name, const Tensor& own, KeyRule::Part part) {
  Shape shape = own.sizes().vec();
  const auto length = std::exchange(shape[0], shape[0] * part.count);
  auto& whole = wholes.try_emplace(name, at::zeros(shape, own.options())).first->second;
  whole.narrow(0, part.index * length, length).copy_(own);
}

// The shape that tensors have when joined along the first axis; nothing where they cannot be joined.
std::optional<Shape> joined_shape(const std::vector<Shape>& parts) {
  Shape shape = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto& other = parts[i];
    if (shape.empty() || other.size() != shape.size() ||
        !std::equal(shape.begin() + 1, shape.end(), other.begin() + 1)) {
      return std::nullopt;
    }
    shape[0] += other[0];
  }
  return shape;
}

}  // namespace

namespace {

std::set<std::string> as_set(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

}  // namespace

Checkpoint::Checkpoint(formats::WeightFiles files, KeyTable table, std::vector<std::string> replaced, at::Device device)
    : files_(std::move(files)),
      table_(std::move(table)),
      prefix_(table_.find_prefix(files_.names())),
      replaced_(std::move(replaced)),
      device_(device) {}

bool Checkpoint::is_replaced(const std::string& own_name) const {
  return std::any_of(replaced_.begin(), replaced_.end(),
                     [&](const std::string& part) { return own_name.starts_with(part + "."); });
}

void Checkpoint::load(nn::Module& module, std::uint64_t seed) const { load(module, seed, /*leaves_int8=*/false); }

void Checkpoint::load_to_freeze(nn::Module& module) const { load(module, /*seed=*/0, /*leaves_int8=*/true); }

void Checkpoint::load(nn::Module& module, std::uint64_t seed, bool leaves_int8) const {
  ASSERT(!c10::InferenceMode::is_enabled(), "loading runs outside InferenceMode");
  verify(module);
  auto generator = nn::seeded(seed);
  const bool in_int8 = has_int8();
  for (const auto& [name, slot] : module.tensors()) {
    if (is_replaced(name)) {
      const Tensor drawn =
          name.ends_with("bias") ? nn::constant(slot->shape, 0) : nn::truncated_normal(slot->shape, generator);
      *slot->tensor = drawn.to(device_);
      continue;
    }
    slot->in_file = true;
    slot->in_float = in_int8 && !is_in_int8(name);
    slot->released = leaves_int8 && in_int8 && slot->has_int8 && !slot->in_float;
    *slot->tensor = slot->released ? Tensor() : read_onto_device(name);
    slot->input = in_int8 ? input_scale(name) : std::nullopt;
  }
}

void Checkpoint::verify(nn::Module& module) const {
  Report report;
  std::set<std::string> used;
  for (const auto& part : replaced_) {
    for (const std::string end : {".weight", ".bias"}) used.merge(as_set(table_.their_names(part + end, prefix_)));
  }
  for (const auto& [name, slot] : module.tensors()) {
    if (is_replaced(name)) continue;
    const auto* rule = table_.rule_for(name);
    std::vector<Shape> parts;
    std::size_t left_out = 0;
    for (const auto& theirs : table_.their_names(name, prefix_)) {
      if (theirs == zeros) {
        ++left_out;
        continue;
      }
      used.insert(theirs);
      if (const auto* view = files_.find(theirs))
        parts.push_back(own_shape(view->shape, rule));
      else if (!may_be_absent(theirs))
        report.missing.push_back(theirs);
    }
    if (parts.empty()) continue;
    parts.insert(parts.end(), left_out, Shape(parts.front()));
    const auto found = joined_shape(parts);
    if (!found || *found != slot->shape) {
      report.misshaped.push_back(fmt::format("{}: expected {}, found {}",
                                             fmt::join(table_.their_names(name, prefix_), " + "),
                                             to_string(slot->shape), to_string(found.value_or(parts.front()))));
    }
  }
  for (const auto& name : files_.names()) {
    const auto scales = scales_of(files_, name);
    if (!used.contains(name)) continue;
    if (scales) used.insert(*scales);
    if (input_of(files_, name)) used.insert({input_scale_name(name), input_zero_name(name)});
  }
  for (const auto& name : files_.names()) {
    if (!used.contains(name) && !table_.is_dropped(name, prefix_)) report.unexpected.push_back(name);
  }
  if (!report.clean()) {
    throw Error(ErrorKind::model, fmt::format("{}: the weights do not fit the model that {} ({} names):{}",
                                              files_.files().front().file()->path().string(),
                                              table_.architecture.empty() ? "config.json describes"
                                                                          : "--arch " + table_.architecture + " names",
                                              table_.publisher, report.text()));
  }
}

Tensor Checkpoint::read(const std::string& own_name) const {
  const auto* rule = table_.rule_for(own_name);
  std::vector<Tensor> parts;
  for (const auto& theirs : table_.their_names(own_name, prefix_)) {
    parts.push_back(theirs == zeros ? Tensor() : own_part(read_theirs(theirs), rule));
  }
  const auto first = std::ranges::find_if(parts, [](const Tensor& part) { return part.defined(); });
  ASSERT(first != parts.end(), "a publisher leaves out some parts, never all");
  const Tensor given = *first;
  for (auto& part : parts) {
    if (!part.defined()) part = at::zeros_like(given);
  }
  const Tensor whole = parts.size() == 1 ? parts.front() : at::cat(parts, 0);
  const Tensor tensor = whole.is_floating_point() ? whole.to(at::kFloat) : whole;
  if (!tensor.is_same(parts.front())) {
    for (const auto& part : parts) let_go(part);  // a copy of our own took their place
  }
  return tensor;
}

Tensor Checkpoint::read_onto_device(const std::string& own_name) const {
  Tensor tensor = read(own_name);
  if (device_.is_cpu()) return tensor;
  Tensor there = tensor.to(device_);
  let_go(tensor);
  return there;
}

Tensor Checkpoint::read_theirs(const std::string& name) const {
  if (files_.find(name) == nullptr && may_be_absent(name)) return at::zeros({}, at::kLong);
  const Tensor stored = tensor_of(files_, name);
  const auto scales = scales_of(files_, name);
  if (!scales) return stored;
  const Tensor weight = from_int8(stored, tensor_of(files_, *scales));
  let_go(stored);
  return weight;
}

bool Checkpoint::has_int8() const {
  return std::ranges::any_of(files_.names(),
                             [&](const std::string& name) { return scales_of(files_, name).has_value(); });
}

bool Checkpoint::is_in_int8(const std::string& own_name) const {
  return std::ranges::all_of(table_.their_names(own_name, prefix_),
                             [&](const std::string& theirs) { return scales_of(files_, theirs).has_value(); });
}

std::optional<ops::CodeScale> Checkpoint::input_scale(const std::string& own_name) const {
  const auto names = table_.their_names(own_name, prefix_);
  return names.size() == 1 ? input_of(files_, names.front()) : std::nullopt;
}

void Checkpoint::let_go(const Tensor& tensor) const {
  if (!tensor.is_cpu()) return;
  const auto* begin = static_cast<const std::byte*>(tensor.const_data_ptr());
  for (const auto& file : files_.files()) {
    const auto all = file.file()->bytes();
    if (begin >= all.data() && begin < all.data() + all.size()) file.file()->release({begin, tensor.nbytes()});
  }
}

namespace {

// Brings back what an earlier freeze changed, so that a model may go from one precision to another. What is unrolled
// from eight bits is left to the layers where they freeze next.
void undo_freeze(nn::Module& module, const Checkpoint* checkpoint, bool freezes_next) {
  module.thaw();
  for (const auto& [name, slot] : module.tensors()) {
    ASSERT(!slot->in_file || checkpoint != nullptr, "a model read from a checkpoint is frozen and thawed with it");
    if (!slot->released || (freezes_next && slot->has_int8 && checkpoint->is_in_int8(name))) continue;
    slot->released = false;
    *slot->tensor = checkpoint->read_onto_device(name);
  }
}

}  // namespace

void freeze(nn::Module& module, nn::Precision precision, const Checkpoint* checkpoint) {
  ASSERT(!c10::InferenceMode::is_enabled(), "freezing runs outside InferenceMode");
  nn::FreezeOptions options{.precision = precision};
  std::map<const nn::Slot*, std::string> names;
  for (const auto& [name, slot] : module.tensors()) names[slot] = name;
  if (checkpoint) {
    options.on_release = [checkpoint](const Tensor& tensor) { checkpoint->let_go(tensor); };
    options.read = [&](const nn::Slot& slot) { return checkpoint->read_onto_device(names.at(&slot)); };
  }
  module.train(false);
  undo_freeze(module, checkpoint, /*freezes_next=*/true);
  module.freeze(options);
  malloc_trim(0);  // what joining and casting left behind: 80 MB for a ViT-B/16 in bf16
  if (checkpoint) checkpoint->check();
}

void thaw(nn::Module& module, const Checkpoint* checkpoint) {
  ASSERT(!c10::InferenceMode::is_enabled(), "thawing runs outside InferenceMode");
  undo_freeze(module, checkpoint, /*freezes_next=*/false);
  for (const auto& [name, slot] : module.tensors()) {
    if (std::exchange(slot->in_file, false)) *slot->tensor = slot->tensor->clone();
  }
  if (checkpoint) checkpoint->check();
}

Tensor tensor_of(const formats::WeightFiles& files, const std::string& name) {
  const auto* view = files.find(name);
  ASSERT(view != nullptr, "a tensor is read after it was found");
  return as_tensor(*view, files.file_of(name));
}

formats::TensorView view_of(const std::string& name, const Tensor& tensor) {
  ASSERT(tensor.is_contiguous() && tensor.is_cpu(), "what is written lies in one piece of memory");
  formats::TensorView view{.name = name, .shape = tensor.sizes().vec()};
  for (const auto& [dtype, type] : dtypes) {
    if (type == tensor.scalar_type()) view.dtype = dtype;
  }
  view.bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
  return view;
}

namespace {

void put_input(std::map<std::string, Tensor>& theirs, const std::string& weight, const ops::CodeScale& input) {
  theirs[input_scale_name(weight)] = at::full({1}, input.scale, at::kFloat);
  theirs[input_zero_name(weight)] = at::full({1}, input.zero - 128, at::kChar);
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, nn::Module& module, const KeyTable& table,
                      const std::string& prefix, const WriteOptions& options) {
  std::map<std::string, Tensor> theirs;
  std::set<std::string> in_int8;
  for (const auto& [name, slot] : module.tensors()) {
    ASSERT(slot->tensor->defined(), "a frozen model is thawed before it is written");
    const auto names = table.their_names(name, prefix);
    if (names.empty()) continue;
    const Tensor plain = slot->tensor->detach().cpu();
    const bool int8 = options.int8 && slot->has_int8 && !slot->in_float;
    const bool takes_codes = slot->input && (int8 || (options.int8 && !slot->has_int8));
    const Tensor tensor = plain.is_floating_point() && !int8 ? plain.to(options.dtype) : plain;
    const auto parts = names.size() == 1 ? std::vector{tensor} : tensor.chunk(static_cast<std::int64_t>(names.size()));
    const auto* rule = table.rule_for(name);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == zeros) continue;
      if (int8) in_int8.insert(names[i]);
      if (takes_codes) put_input(theirs, names[i], *slot->input);
      Tensor part = parts[i].contiguous();
      if (rule) part = part.view(their_axes(part.sizes().vec(), rule->axes));
      if (rule && rule->part)
        put_part(theirs, names[i], part, *rule->part);
      else
        ASSERT(theirs.try_emplace(names[i], part).second, "names are unique");
    }
  }
  for (const auto& name : in_int8) {
    auto [codes, scales] = ops::int8_codes(theirs.at(name));
    theirs[name] = std::move(codes);
    theirs[scales_name(name)] = std::move(scales);
  }
  std::vector<formats::TensorView> views;
  for (const auto& [name, tensor] : theirs) views.push_back(view_of(name, tensor));
  formats::write_safetensors(path, views, {{"format", "pt"}});
}

}  // namespace nunchi::weights
