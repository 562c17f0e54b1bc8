// formats/pickle_builder.h: the tree that a pickle builds, within limits: a few bytes of a pickle can ask for any
// amount of memory.
//
//   const ValueId list = builder.add({.kind = ValueKind::list});
//   builder.append(list, builder.add_text("a"));
#pragma once

#include "formats/pickle.h"

namespace nunchi::formats {

class PickleBuilder {
 public:
  explicit PickleBuilder(const std::string& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& reason) const;                         // damaged
  [[noreturn]] void refuse(std::string_view module, std::string_view name) const;  // not allowed
  [[noreturn]] void fail_expected(std::string_view expected, const PickleValue& found) const;

  ValueId add(PickleValue value);
  ValueId add_text(std::string_view text) { return add({.kind = ValueKind::text, .text = text}); }
  void append(ValueId container, ValueId item);  // a dict takes the key, then the value
  void append(ValueId container, std::span<const ValueId> items);

  // Counts against the limit of references from value to value.
  void charge(std::size_t references);

  // The value, which must be of that kind.
  const PickleValue& get(ValueId id, ValueKind kind) const;
  const PickleValue& at(ValueId id) const { return tree.values[id]; }
  std::uint64_t size_of(ValueId id) const;  // an integer that is not negative

  PickleTree tree;
  std::size_t position = 0;  // of the opcode, for messages

 private:
  const std::string& file_;
  std::size_t references_ = 0;
};

std::string_view kind_name(ValueKind kind);  // "a dict"

}  // namespace nunchi::formats
