#include "formats/pickle.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/in_child.h"

namespace nunchi::formats {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::string_literals;

PickleTree read(const std::string& pickle) { return unpickle(std::as_bytes(std::span(pickle)), "file"); }

std::string error_of_pickle(const std::string& pickle) {
  return error_of([&] { static_cast<void>(read(pickle)); });
}

std::string text(const std::string& value) { return "\x8c"s + static_cast<char>(value.size()) + value; }

std::string global(const std::string& module, const std::string& name) {
  return fmt::format("c{}\n{}\n", module, name);
}

// A value in the words of Python; a container that holds itself shows as "...".
std::string show(const PickleTree& tree, ValueId id, int depth = 0) {
  const PickleValue& value = tree.at(id);
  if (depth > 4) return "...";
  const auto join = [&](std::string_view open, std::string_view close) {
    std::string all(open);
    for (const ValueId item : value.items) all += show(tree, item, depth + 1) + " ";
    return all + std::string(close);
  };
  switch (value.kind) {
    case ValueKind::none:
      return "None";
    case ValueKind::boolean:
      return value.integer == 1 ? "True" : "False";
    case ValueKind::integer:
      return std::to_string(value.integer);
    case ValueKind::real:
      return std::to_string(value.real);
    case ValueKind::big_integer:
      return fmt::format("big{}", value.text.size());
    case ValueKind::text:
      return fmt::format("'{}'", value.text);
    case ValueKind::bytes:
      return fmt::format("b'{}'", value.text);
    case ValueKind::list:
      return join("[", "]");
    case ValueKind::tuple:
      return join("(", ")");
    case ValueKind::set:
      return join("<", ">");
    case ValueKind::dict:
      return join("{", "}");
    case ValueKind::tensor:
      return "tensor";
    case ValueKind::storage:
      return "storage";
    case ValueKind::dtype:
      return std::string(dtype_name(static_cast<Dtype>(value.integer)));
    case ValueKind::function:
      return "function";
    case ValueKind::object:
      return "object";
  }
  return "";
}

std::string shown(const std::string& pickle) {
  const PickleTree tree = read(pickle);
  return show(tree, tree.root);
}

TEST(Pickle, ReadsPlainValues) {
  EXPECT_EQ(shown("N."), "None");
  EXPECT_EQ(shown("\x80\2\x88."), "True");
  EXPECT_EQ(shown("\x80\5\x89."), "False");
  EXPECT_EQ(shown("K\xff."), "255");
  EXPECT_EQ(shown("M\xff\xff."), "65535");
  EXPECT_EQ(shown("J\xfe\xff\xff\xff."), "-2");
  EXPECT_EQ(shown("\x8a\0."s), "0");
  EXPECT_EQ(shown("\x8a\2\xff\0."s), "255");
  EXPECT_EQ(shown("\x8a\1\xff."), "-1");
  EXPECT_EQ(shown("\x8a\x08\0\0\0\0\0\0\0\x80."s), "-9223372036854775808");
  EXPECT_EQ(shown("\x8a\x09\0\0\0\0\0\0\0\x80\0."s), "big9");
  EXPECT_EQ(shown("\x8b\1\0\0\0\7."s), "7");
  EXPECT_EQ(shown("G\xbf\xf8\0\0\0\0\0\0."s), "-1.500000");
  EXPECT_EQ(shown("X\2\0\0\0ab."s), "'ab'");
  EXPECT_EQ(shown("\x8d\2\0\0\0\0\0\0\0ab."s), "'ab'");
  EXPECT_EQ(shown("C\2ab."), "b'ab'");
  EXPECT_EQ(shown("B\2\0\0\0ab."s), "b'ab'");
  EXPECT_EQ(shown("\x8e\2\0\0\0\0\0\0\0ab."s), "b'ab'");
  EXPECT_EQ(shown("\x96\2\0\0\0\0\0\0\0ab."s), "b'ab'");
}

TEST(Pickle, ReadsContainers) {
  EXPECT_EQ(shown("]."), "[]");
  EXPECT_EQ(shown("]K\1aK\2a."), "[1 2 ]");
  EXPECT_EQ(shown("](K\1K\2e."), "[1 2 ]");
  EXPECT_EQ(shown("(K\1K\2l."), "[1 2 ]");
  EXPECT_EQ(shown(")."), "()");
  EXPECT_EQ(shown("K\1K\2K\3\x87."), "(1 2 3 )");
  EXPECT_EQ(shown("(K\1K\2t."), "(1 2 )");
  EXPECT_EQ(shown("}K\1K\2s."), "{1 2 }");
  EXPECT_EQ(shown("}(K\1K\2K\3K\4u."), "{1 2 3 4 }");
  EXPECT_EQ(shown("(K\1K\2d."), "{1 2 }");
  EXPECT_EQ(shown("\x8f(K\1\x90."), "<1 >");
  EXPECT_EQ(shown("(K\1\x91."), "<1 >");
  EXPECT_EQ(shown("K\1K\2"
                  "0."),
            "1");
  EXPECT_EQ(shown("K\1(K\2K\3"
                  "1."),
            "1");
  EXPECT_EQ(shown("K\1(0."), "1");
  EXPECT_EQ(shown("K\1"
                  "2\x86."),
            "(1 1 )");
}

TEST(Pickle, ContainersMayHoldThemselves) {
  EXPECT_EQ(shown("]q\0h\0a."s), "[[[[[... ] ] ] ] ]");
  EXPECT_EQ(shown("}\x94K\1h\0s."s), "{1 {1 {1 {1 {... ... } } } } }");
}

TEST(Pickle, TheMemoSharesValues) {
  const PickleTree tree = read(
      "]r\1\2\3\4"
      "0j\1\2\3\4j\1\2\3\4\x86.");
  const auto& items = tree.at(tree.root).items;
  EXPECT_EQ(items[0], items[1]);
  EXPECT_THAT(error_of_pickle("h\7."), HasSubstr("expected value 7 of the memo"));
}

TEST(Pickle, ReadsWhatPython2Wrote) {
  EXPECT_EQ(shown("I4294967296\n."), "4294967296");
  EXPECT_EQ(shown("L-7L\n."), "-7");
  EXPECT_EQ(shown("I01\nI00\n\x86."), "(True False )");
  EXPECT_EQ(shown("U\2abT\1\0\0\0c\x86."s), "('ab' 'c' )");
  EXPECT_EQ(shown(global("__builtin__", "set") + "](K\1e\x85R."), "<1 >");
  const std::string pairs = "]]U\1aaK\1aa]U\1baK\2aa";  // [["a", 1], ["b", 2]]
  EXPECT_EQ(shown(global("collections", "OrderedDict") + pairs + "\x85R."), "{'a' 1 'b' 2 }");
  EXPECT_THAT(error_of_pickle("I1e5\n."), HasSubstr("expected an integer of at most 64 bits, found \"1e5\""));
  EXPECT_THAT(error_of_pickle("I99999999999999999999\n."), HasSubstr("at most 64 bits"));
}

TEST(Pickle, ReadsHarmlessObjects) {
  const auto call = [](const std::string& module, const std::string& name, const std::string& arguments) {
    return shown(global(module, name) + arguments + "R.");
  };
  EXPECT_EQ(call("collections", "OrderedDict", ")"), "{}");
  EXPECT_EQ(call("collections", "defaultdict", global("builtins", "list") + "\x85"), "{}");
  EXPECT_EQ(call("collections", "Counter", "}K\1K\2s\x85"), "{1 2 }");
  EXPECT_EQ(call("builtins", "bytes", ")"), "b''");
  EXPECT_EQ(call("_codecs", "encode", text("ab") + text("latin1") + "\x86"), "b'ab'");
  EXPECT_EQ(call("torch", "Size", "K\2K\3\x86\x85"), "(2 3 )");
  EXPECT_EQ(call("torch", "device", text("cuda") + "K\1\x86"), "object");
  EXPECT_EQ(call("builtins", "bytearray", "C\2ab\x85"), "b'ab'");
  EXPECT_EQ(call("torch.serialization", "_get_layout", text("torch.strided") + "\x85"), "object");
  EXPECT_EQ(shown(global("torch", "bfloat16") + "."), "BF16");
  EXPECT_EQ(shown(text("torch") + text("float32") + "\x93."), "F32");
  EXPECT_EQ(shown(global("argparse", "Namespace") + ")\x81}" + text("lr") + "K\1sb."), "{'lr' 1 }");
  EXPECT_EQ(shown(global("collections", "OrderedDict") + ")R}" + text("_metadata") + "K\1sb."), "{}");
}

TEST(Pickle, EveryOtherNameIsRefused) {
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"os", "system"},
                                                        {"builtins", "eval"},
                                                        {"torch", "load"},
                                                        {"torch", "FloatTensor"},
                                                        {"", ""},
                                                        {"collections", "OrderedDict.fromkeys"},
                                                        {"torch._utils", "_rebuild_sparse_tensor"}}) {
    const auto full = fmt::format("names \"{}.{}\"", module, name);
    EXPECT_THAT(error_of_pickle(global(module, name) + "."), AllOf(HasSubstr("file: "), HasSubstr(full)));
    EXPECT_THAT(error_of_pickle(text(module) + text(name) + "\x93."), HasSubstr(full));
  }
  EXPECT_THAT(error_of_pickle(global("builtins", "int") + ")R."), HasSubstr("names \"builtins.int\""));
  EXPECT_THAT(error_of_pickle(global("torch", "FloatStorage") + ")\x81."), HasSubstr("names \"torch.FloatStorage\""));
  EXPECT_THAT(error_of_pickle("(ios\nsystem\n."), HasSubstr("expected an opcode of protocol 2 to 5, found 0x69"));
  EXPECT_THAT(error_of_pickle("K\1)R."), HasSubstr("expected a function, found an integer"));
  EXPECT_THAT(error_of_pickle(global("torch._tensor", "_rebuild_from_type_v2") + "(" + global("torch", "Size") +
                              global("torch", "Tensor") + ")NtR."),
              HasSubstr("names \"torch.Size\""));
}

// _rebuild_tensor_v2 of a FloatStorage with `count` elements and these (offset, sizes, strides).
std::string tensor(const std::string& count, const std::string& rest) {
  return global("torch._utils", "_rebuild_tensor_v2") + "((" + text("storage") + global("torch", "FloatStorage") +
         text("key") + text("cpu") + count + "tQ" + rest + "\x89NtR.";
}

TEST(Pickle, ReadsTensors) {
  const PickleTree tree = read(tensor("K\6", "K\1K\2K\3\x86K\3K\1\x86"));
  ASSERT_EQ(tree.at(tree.root).kind, ValueKind::tensor);
  const PickledTensor& found = tree.tensors.at(0);
  EXPECT_EQ(found.offset, 1u);
  EXPECT_EQ(found.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(found.strides, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(found.dtype, Dtype::f32);
  EXPECT_EQ(tree.storages.at(found.storage).key, "key");
  EXPECT_EQ(tree.storages.at(found.storage).count, 6u);
}

TEST(Pickle, DamagedTensorsAreErrors) {
  const auto error = [](const std::string& count, const std::string& rest) {
    return error_of_pickle(tensor(count, rest));
  };
  EXPECT_THAT(error("K\6", "K\0K\2\x85K\1K\1\x86"s), HasSubstr("expected a stride for each of 1 axes, found 2"));
  EXPECT_THAT(error("K\6", "K\0J\xff\xff\xff\xff\x85K\1\x85"s), HasSubstr("expected a size, found -1"));
  EXPECT_THAT(error("K\6", "K\0K\2\x85J\xff\xff\xff\xff\x85"s), HasSubstr("expected a size, found -1"));
  EXPECT_THAT(error("K\6", "N)K"), HasSubstr("expected"));
  EXPECT_THAT(error("N", "K\0))"s), HasSubstr("expected an integer, found None"));
  EXPECT_THAT(error("\x8a\x09\0\0\0\0\0\0\0\0\1"s, "K\0))"s), HasSubstr("expected an integer, found a large integer"));
  std::string axes = "(";
  for (int i = 0; i < 65; ++i) axes += "K\1";
  EXPECT_THAT(error("K\6", "K\0"s + axes + "t" + axes + "t"), HasSubstr("expected at most 64 axes"));
  EXPECT_THAT(error_of_pickle(global("torch._utils", "_rebuild_tensor_v2") + ")R."), HasSubstr("at least 1 arguments"));
  EXPECT_THAT(error_of_pickle(global("torch._utils", "_rebuild_tensor_v2") + "K\1\x85R."),
              HasSubstr("expected a storage, found an integer"));
  EXPECT_THAT(error_of_pickle(text("module") + "\x85Q."), HasSubstr("expected a storage, found \"module\""));
}

TEST(Pickle, DamagedProgramsAreErrors) {
  EXPECT_THAT(error_of_pickle(""), HasSubstr("expected 1 more bytes, found 0"));
  EXPECT_THAT(error_of_pickle("."), HasSubstr("found an empty stack"));
  EXPECT_THAT(error_of_pickle("\x80\6."), HasSubstr("expected protocol 2 to 5, found 6"));
  EXPECT_THAT(error_of_pickle("X\xff\xff\xff\xff."), HasSubstr("expected 4294967295 more bytes"));
  EXPECT_THAT(error_of_pickle("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."),
              HasSubstr("expected 18446744073709551615 more"));
  EXPECT_THAT(error_of_pickle("cos"), HasSubstr("expected a line"));
  EXPECT_THAT(error_of_pickle("K\1t."), HasSubstr("expected the mark of a beginning"));
  EXPECT_THAT(error_of_pickle("(e."), HasSubstr("expected a container, found none"));
  EXPECT_THAT(error_of_pickle("K\1(K\2e."), HasSubstr("expected a list, found an integer"));
  EXPECT_THAT(error_of_pickle("](K\1a."), HasSubstr("expected a container, found none"));
  EXPECT_THAT(error_of_pickle("}(K\1K\2s."), HasSubstr("expected a container, found none"));
  EXPECT_THAT(error_of_pickle("}(K\1u."), HasSubstr("expected a value for every key"));
  EXPECT_THAT(error_of_pickle("(K\1d."), HasSubstr("expected a value for every key"));
  EXPECT_THAT(error_of_pickle("K\1(\x85."), HasSubstr("expected 1 values on the stack, found 0"));
  EXPECT_THAT(error_of_pickle("K\1(K\2"
                              "00"
                              "0."),
              HasSubstr("found an empty stack"));
  EXPECT_THAT(error_of_pickle("K\1N b"), HasSubstr("found 0x20"));
  EXPECT_THAT(error_of_pickle("K\1Nb."), HasSubstr("expected an object with a state, found an integer"));
  EXPECT_THAT(error_of_pickle("\x82\1."), HasSubstr("found 0x82"));
}

// A few bytes of a pickle must not make it grow without limit.
TEST(Pickle, GrowthIsLimited) {
  EXPECT_THAT(error_of_pickle(std::string(3 << 20, ']')), HasSubstr("expected at most 2097152 values"));
  EXPECT_THAT(error_of_pickle(std::string(5 << 20, 'N')), HasSubstr("values on the stack"));
  EXPECT_THAT(error_of_pickle(std::string(5 << 20, '(')), HasSubstr("marks on the stack"));
  std::string copies = "](" + std::string(1 << 20, 'N') + "e\x85q\0"s;  // a set is a copy of the list
  for (int i = 0; i < 100; ++i) copies += global("builtins", "set") + "h\0R"s;
  EXPECT_THAT(error_of_pickle(copies + "."), HasSubstr("references between values"));
  std::string doubling = global("argparse", "Namespace") + ")Rq\0}(NNuq\1b"s;
  for (int i = 0; i < 60; ++i) doubling += global("argparse", "Namespace") + ")R" + "q\2h\0bh\0h\2b"s;
  EXPECT_THAT(error_of_pickle(doubling + "."), HasSubstr("references between values"));
}

TEST(Pickle, SaysWhereThePickleEnds) { EXPECT_EQ(read("\x80\2N.rest").size, 4u); }

}  // namespace
}  // namespace nunchi::formats
