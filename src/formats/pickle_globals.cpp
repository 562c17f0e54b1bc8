#include "formats/pickle_globals.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/quote_name.h"

namespace nunchi::formats {
namespace {

constexpr std::size_t most_axes = 64;  // LibTorch's own limit
constexpr std::string_view namespace_class = "argparse.Namespace";

using Items = std::vector<ValueId>;
using Call = ValueId (*)(PickleBuilder&, const Items& arguments);

ValueId argument(const PickleBuilder& builder, const Items& arguments, std::size_t index) {
  if (index >= arguments.size()) {
    builder.fail(fmt::format("expected at least {} arguments, found {}", index + 1, arguments.size()));
  }
  return arguments[index];
}

std::vector<std::int64_t> sizes(const PickleBuilder& builder, ValueId id) {
  const PickleValue& tuple = builder.get(id, ValueKind::tuple);
  if (tuple.items.size() > most_axes) builder.fail(fmt::format("expected at most {} axes", most_axes));
  std::vector<std::int64_t> result;
  for (const ValueId item : tuple.items) result.push_back(static_cast<std::int64_t>(builder.size_of(item)));
  return result;
}

ValueId add_tensor(PickleBuilder& builder, const Items& arguments, std::optional<Dtype> dtype) {
  const auto storage =
      static_cast<std::size_t>(builder.get(argument(builder, arguments, 0), ValueKind::storage).integer);
  if (!dtype) dtype = builder.tree.storages[storage].dtype;
  if (!dtype) builder.fail("expected a storage with a dtype, found one of bytes");
  PickledTensor tensor{.storage = storage,
                       .dtype = *dtype,
                       .offset = builder.size_of(argument(builder, arguments, 1)),
                       .shape = sizes(builder, argument(builder, arguments, 2)),
                       .strides = sizes(builder, argument(builder, arguments, 3))};
  if (tensor.shape.size() != tensor.strides.size()) {
    builder.fail(
        fmt::format("expected a stride for each of {} axes, found {}", tensor.shape.size(), tensor.strides.size()));
  }
  builder.charge(4 * tensor.shape.size());
  builder.tree.tensors.push_back(std::move(tensor));
  return builder.add(
      {.kind = ValueKind::tensor, .integer = static_cast<std::int64_t>(builder.tree.tensors.size() - 1)});
}

// (storage, offset, size, stride, requires_grad, backward_hooks)
ValueId rebuild_tensor(PickleBuilder& builder, const Items& arguments) {
  return add_tensor(builder, arguments, std::nullopt);
}

// (storage of bytes, offset, size, stride, requires_grad, backward_hooks, dtype)
ValueId rebuild_tensor_v3(PickleBuilder& builder, const Items& arguments) {
  const PickleValue& dtype = builder.get(argument(builder, arguments, 6), ValueKind::dtype);
  return add_tensor(builder, arguments, static_cast<Dtype>(dtype.integer));
}

// (tensor, requires_grad, backward_hooks[, state]), or the tensor alone
ValueId rebuild_parameter(PickleBuilder& builder, const Items& arguments) {
  const ValueId tensor = argument(builder, arguments, 0);
  builder.get(tensor, ValueKind::tensor);
  return tensor;
}

ValueId new_dict(PickleBuilder& builder, std::string_view class_name = {}) {
  return builder.add({.kind = ValueKind::dict, .text = class_name});
}

// OrderedDict([(key, value), ...]), as Python 2 wrote it, or OrderedDict({...}).
ValueId dict_of(PickleBuilder& builder, ValueId source) {
  if (builder.at(source).kind == ValueKind::dict) return source;
  const ValueId dict = new_dict(builder);
  for (const ValueId pair : builder.get(source, ValueKind::list).items) {
    const PickleValue& both = builder.at(pair);
    const bool is_pair = (both.kind == ValueKind::list || both.kind == ValueKind::tuple) && both.items.size() == 2;
    if (!is_pair) builder.fail_expected("a key and its value", both);
    builder.append(dict, both.items);
  }
  return dict;
}

ValueId make_dict(PickleBuilder& builder, const Items& arguments) {
  return arguments.empty() ? new_dict(builder) : dict_of(builder, arguments[0]);
}

ValueId make_default_dict(PickleBuilder& builder, const Items& arguments) {  // (factory[, items])
  return arguments.size() < 2 ? new_dict(builder) : dict_of(builder, arguments[1]);
}

ValueId make_namespace(PickleBuilder& builder, const Items&) { return new_dict(builder, namespace_class); }

ValueId make_set(PickleBuilder& builder, const Items& arguments) {
  const ValueId set = builder.add({.kind = ValueKind::set});
  if (!arguments.empty()) builder.append(set, builder.get(arguments[0], ValueKind::list).items);
  return set;
}

ValueId make_size(PickleBuilder& builder, const Items& arguments) {
  const ValueId tuple = argument(builder, arguments, 0);
  builder.get(tuple, ValueKind::tuple);
  return tuple;
}

// Protocol 2 has no bytes of its own and writes encode(text, "latin1"). Nobody needs the encoded content here.
ValueId make_bytes(PickleBuilder& builder, const Items& arguments) {
  if (arguments.empty()) return builder.add({.kind = ValueKind::bytes});
  const PickleValue& source = builder.at(arguments[0]);
  if (source.kind != ValueKind::text && source.kind != ValueKind::bytes)
    builder.fail_expected("a text or bytes", source);
  return builder.add({.kind = ValueKind::bytes, .text = source.text});
}

ValueId make_object(PickleBuilder& builder, const Items&) { return builder.add({.kind = ValueKind::object}); }

ValueId rebuild_from_type(PickleBuilder& builder, const Items& arguments);

// `call` null: the name is only ever an argument. `dtype`: of a storage type or dtype.
struct Global {
  std::string_view module, name;
  Call call = nullptr;
  std::optional<Dtype> dtype = std::nullopt;
  bool is_storage = false;
};

constexpr Global dtype_global(std::string_view name, Dtype dtype) { return {"torch", name, nullptr, dtype, false}; }
constexpr Global storage_global(std::string_view name, std::optional<Dtype> dtype) {
  return {"torch", name, nullptr, dtype, true};
}

constexpr std::array globals{
    Global{"torch._utils", "_rebuild_tensor", rebuild_tensor},
    Global{"torch._utils", "_rebuild_tensor_v2", rebuild_tensor},
    Global{"torch._utils", "_rebuild_tensor_v3", rebuild_tensor_v3},
    Global{"torch._utils", "_rebuild_parameter", rebuild_parameter},
    Global{"torch._utils", "_rebuild_parameter_with_state", rebuild_parameter},
    Global{"torch._tensor", "_rebuild_from_type_v2", rebuild_from_type},
    Global{"torch", "Tensor"},
    Global{"torch.nn.parameter", "Parameter", rebuild_parameter},      // called before torch 0.4
    Global{"torch.autograd.variable", "Variable", rebuild_parameter},  // the same
    Global{"torch", "Size", make_size},
    Global{"torch", "device", make_object},
    Global{"torch.serialization", "_get_layout", make_object},

    Global{"collections", "OrderedDict", make_dict},
    Global{"collections", "Counter", make_dict},
    Global{"collections", "defaultdict", make_default_dict},
    Global{"argparse", "Namespace", make_namespace},
    Global{"types", "SimpleNamespace", make_namespace},
    Global{"builtins", "set", make_set},
    Global{"builtins", "frozenset", make_set},
    Global{"builtins", "bytes", make_bytes},
    Global{"builtins", "bytearray", make_bytes},
    Global{"builtins", "complex", make_object},
    Global{"builtins", "bool"},
    Global{"builtins", "dict"},
    Global{"builtins", "float"},
    Global{"builtins", "int"},
    Global{"builtins", "list"},
    Global{"builtins", "str"},
    Global{"builtins", "tuple"},
    Global{"_codecs", "encode", make_bytes},
    Global{"numpy", "dtype", make_object},
    Global{"numpy.core.multiarray", "scalar", make_object},
    Global{"numpy._core.multiarray", "scalar", make_object},

    storage_global("UntypedStorage", std::nullopt),
    Global{"torch.storage", "UntypedStorage", nullptr, std::nullopt, true},
    storage_global("DoubleStorage", Dtype::f64),
    storage_global("FloatStorage", Dtype::f32),
    storage_global("HalfStorage", Dtype::f16),
    storage_global("BFloat16Storage", Dtype::bf16),
    storage_global("LongStorage", Dtype::i64),
    storage_global("IntStorage", Dtype::i32),
    storage_global("ShortStorage", Dtype::i16),
    storage_global("CharStorage", Dtype::i8),
    storage_global("ByteStorage", Dtype::u8),
    storage_global("BoolStorage", Dtype::boolean),
    storage_global("ComplexFloatStorage", Dtype::c64),

    dtype_global("float64", Dtype::f64),
    dtype_global("float32", Dtype::f32),
    dtype_global("float16", Dtype::f16),
    dtype_global("bfloat16", Dtype::bf16),
    dtype_global("float8_e4m3fn", Dtype::f8_e4m3),
    dtype_global("float8_e5m2", Dtype::f8_e5m2),
    dtype_global("float8_e4m3fnuz", Dtype::f8_e4m3fnuz),
    dtype_global("float8_e5m2fnuz", Dtype::f8_e5m2fnuz),
    dtype_global("float8_e8m0fnu", Dtype::f8_e8m0),
    dtype_global("int64", Dtype::i64),
    dtype_global("int32", Dtype::i32),
    dtype_global("int16", Dtype::i16),
    dtype_global("int8", Dtype::i8),
    dtype_global("uint64", Dtype::u64),
    dtype_global("uint32", Dtype::u32),
    dtype_global("uint16", Dtype::u16),
    dtype_global("uint8", Dtype::u8),
    dtype_global("bool", Dtype::boolean),
    dtype_global("complex64", Dtype::c64),
};

const Global& global_of(const PickleBuilder& builder, ValueId function) {
  return globals[static_cast<std::size_t>(builder.get(function, ValueKind::function).integer)];
}

// (function, type, arguments of the function, state): a tensor with attributes of its own.
ValueId rebuild_from_type(PickleBuilder& builder, const Items& arguments) {
  const Global& function = global_of(builder, argument(builder, arguments, 0));
  if (function.call != rebuild_tensor && function.call != rebuild_tensor_v3) {
    builder.refuse(function.module, function.name);
  }
  const Global& type = global_of(builder, argument(builder, arguments, 1));
  if (type.name != "Tensor" && type.name != "Parameter") builder.refuse(type.module, type.name);
  return function.call(builder, builder.get(argument(builder, arguments, 2), ValueKind::tuple).items);
}

std::optional<PickledStorage::Part> part_of(const PickleBuilder& builder, const Items& fields) {
  if (fields.size() < 6 || builder.at(fields[5]).kind == ValueKind::none) return std::nullopt;
  const Items& part = builder.get(fields[5], ValueKind::tuple).items;  // (key, offset, count)
  return PickledStorage::Part{.offset = builder.size_of(argument(builder, part, 1)),
                              .count = builder.size_of(argument(builder, part, 2))};
}

}  // namespace

ValueId find_global(PickleBuilder& builder, std::string_view module, std::string_view name) {
  if (module == "__builtin__") module = "builtins";  // Python 2's
  const auto* const found = std::find_if(globals.begin(), globals.end(), [&](const Global& global) {
    return global.module == module && global.name == name;
  });
  if (found == globals.end()) builder.refuse(module, name);
  if (found->dtype && !found->is_storage) {
    return builder.add({.kind = ValueKind::dtype, .integer = static_cast<std::int64_t>(*found->dtype)});
  }
  return builder.add({.kind = ValueKind::function, .integer = found - globals.begin()});
}

ValueId call_global(PickleBuilder& builder, ValueId function, ValueId arguments) {
  const Global& global = global_of(builder, function);
  if (global.call == nullptr) builder.refuse(global.module, global.name);
  return global.call(builder, builder.get(arguments, ValueKind::tuple).items);
}

void set_state(PickleBuilder& builder, ValueId object, ValueId state) {
  const PickleValue& value = builder.at(object);
  const bool has_state =
      value.kind == ValueKind::dict || value.kind == ValueKind::tensor || value.kind == ValueKind::object;
  if (!has_state) builder.fail_expected("an object with a state", value);
  if (value.text != namespace_class || value.kind != ValueKind::dict || object == state) return;
  builder.append(object, builder.get(state, ValueKind::dict).items);
}

ValueId find_storage(PickleBuilder& builder, ValueId persistent_id) {
  const Items& fields = builder.get(persistent_id, ValueKind::tuple).items;
  const auto kind = builder.get(argument(builder, fields, 0), ValueKind::text).text;
  if (kind != "storage") builder.fail(fmt::format("expected a storage, found {}", quote_name(kind)));
  const Global& type = global_of(builder, argument(builder, fields, 1));
  if (!type.is_storage) builder.refuse(type.module, type.name);
  builder.charge(sizeof(PickledStorage) / sizeof(ValueId));
  builder.tree.storages.push_back({.key = builder.get(argument(builder, fields, 2), ValueKind::text).text,
                                   .dtype = type.dtype,
                                   .count = builder.size_of(argument(builder, fields, 4)),
                                   .part = part_of(builder, fields)});
  return builder.add(
      {.kind = ValueKind::storage, .integer = static_cast<std::int64_t>(builder.tree.storages.size() - 1)});
}

}  // namespace nunchi::formats
