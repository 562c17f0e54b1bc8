#include "formats/pickle_builder.h"

#include <fmt/format.h>

#include <array>

#include "core/error.h"
#include "formats/quote_name.h"

namespace nunchi::formats {
namespace {

// A checkpoint with its optimiser has some ten thousand values. These limits keep the tree under 0.5 GB.
constexpr std::size_t most_values = 2 << 20;
constexpr std::size_t most_references = 16 << 20;

}  // namespace

std::string_view kind_name(ValueKind kind) {
  constexpr std::array<std::string_view, 16> names{
      "None",    "a boolean", "an integer", "a large integer", "a number",  "a text",  "bytes",      "a list",
      "a tuple", "a set",     "a dict",     "a tensor",        "a storage", "a dtype", "a function", "an object"};
  return names[static_cast<std::size_t>(kind)];
}

void PickleBuilder::fail(const std::string& reason) const {
  throw Error(ErrorKind::model, fmt::format("{}: pickle: at byte {}: {}", file_, position, reason));
}

void PickleBuilder::refuse(std::string_view module, std::string_view name) const {
  const auto full = quote_name(fmt::format("{}.{}", module, name));
  throw Error(ErrorKind::model,
              fmt::format("{}: its pickle names {}, which is no part of a state dict: loading it could run code, so it "
                          "is refused. Where you trust the file, load it in Python and save the weights alone: "
                          "safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")",
                          file_, full));
}

void PickleBuilder::fail_expected(std::string_view expected, const PickleValue& found) const {
  fail(fmt::format("expected {}, found {}", expected, kind_name(found.kind)));
}

ValueId PickleBuilder::add(PickleValue value) {
  if (tree.values.size() == most_values) fail(fmt::format("expected at most {} values, found more", most_values));
  charge(value.items.size());
  tree.values.push_back(std::move(value));
  return static_cast<ValueId>(tree.values.size() - 1);
}

void PickleBuilder::append(ValueId container, ValueId item) {
  charge(1);
  tree.values[container].items.push_back(item);
}

void PickleBuilder::append(ValueId container, std::span<const ValueId> items) {
  charge(items.size());
  auto& all = tree.values[container].items;
  all.insert(all.end(), items.begin(), items.end());
}

void PickleBuilder::charge(std::size_t references) {
  if (references > most_references - references_) {
    fail(fmt::format("expected at most {} references between values, found more", most_references));
  }
  references_ += references;
}

const PickleValue& PickleBuilder::get(ValueId id, ValueKind kind) const {
  const PickleValue& value = at(id);
  if (value.kind != kind) fail_expected(kind_name(kind), value);
  return value;
}

std::uint64_t PickleBuilder::size_of(ValueId id) const {
  const std::int64_t size = get(id, ValueKind::integer).integer;
  if (size < 0) fail(fmt::format("expected a size, found {}", size));
  return static_cast<std::uint64_t>(size);
}

}  // namespace nunchi::formats
