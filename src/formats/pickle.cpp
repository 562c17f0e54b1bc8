#include "formats/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <unordered_map>

#include "formats/little_endian.h"
#include "formats/pickle_builder.h"
#include "formats/pickle_globals.h"
#include "formats/quote_name.h"

namespace nunchi::formats {
namespace {

constexpr std::size_t most_stack = 4 << 20;
constexpr std::size_t most_bytes = 256 << 20;  // texts and numbers alone: the tensors' data lie behind the pickle
constexpr int first_protocol = 2;
constexpr int last_protocol = 5;

// The stack machine that a pickle is a program for.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& file);
  PickleTree run();

 private:
  using Opcode = void (*)(Machine&);
  using Opcodes = std::array<Opcode, 256>;
  static const Opcodes& opcodes();
  static void add_values(Opcodes& table);
  static void add_containers(Opcodes& table);
  static void add_stack(Opcodes& table);
  static void add_objects(Opcodes& table);

  std::string_view take(std::uint64_t size);
  std::string_view take_line();
  template <class T>
  T take_number() {
    const auto text = take(sizeof(T));
    return load<T>(std::as_bytes(std::span(text)));
  }

  void push(ValueId id);
  void push_mark();
  void push_new(PickleValue value) { push(builder_.add(std::move(value))); }
  ValueId top() const;
  ValueId pop();
  std::size_t pop_mark();
  std::span<const ValueId> above(std::size_t mark) const { return std::span(stack_).subspan(mark); }

  void push_none() { push(0); }
  void push_boolean(bool value) { push(value ? 2 : 1); }
  void push_integer(std::int64_t value) { push_new({.kind = ValueKind::integer, .integer = value}); }
  void push_long(std::string_view digits);
  void push_text(ValueKind kind, std::uint64_t size) { push_new({.kind = kind, .text = take(size)}); }
  void push_items(ValueKind kind, std::size_t mark);
  void push_tuple_of(std::size_t count);
  void add_items(ValueKind kind, std::size_t mark);
  void remember(std::uint32_t index);
  void recall(std::uint32_t index);

  void check_protocol(int version) const;
  void pop_one();
  void push_line_integer(std::string_view line);
  void push_real(std::uint64_t big_endian);
  void push_stack_global();
  void call();
  void build();
  void append();
  void set_item();

  PickleBuilder builder_;
  std::span<const std::byte> bytes_;
  std::size_t next_ = 0;  // unread byte
  bool running_ = true;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, ValueId> memo_;
};

// None, False and True are values 0, 1 and 2, however often they are named.
Machine::Machine(std::span<const std::byte> bytes, const std::string& file) : builder_(file), bytes_(bytes) {
  builder_.add({.kind = ValueKind::none});
  for (const int value : {0, 1}) builder_.add({.kind = ValueKind::boolean, .integer = value});
}

std::string_view Machine::take(std::uint64_t size) {
  if (size > bytes_.size() - next_) {
    builder_.fail(
        fmt::format("expected {} more bytes, found {}: the file is cut off or damaged; copy or download it "
                    "again",
                    size, bytes_.size() - next_));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + next_, size);
  next_ += size;
  return text;
}

std::string_view Machine::take_line() {
  const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + next_, bytes_.size() - next_);
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) builder_.fail("expected a line, found the end of the file");
  next_ += end + 1;
  return rest.substr(0, end);
}

void Machine::push(ValueId id) {
  if (stack_.size() == most_stack) builder_.fail(fmt::format("expected at most {} values on the stack", most_stack));
  stack_.push_back(id);
}

void Machine::push_mark() {
  if (marks_.size() == most_stack) builder_.fail(fmt::format("expected at most {} marks on the stack", most_stack));
  marks_.push_back(stack_.size());
}

// A value below the last mark belongs to what was begun before it.
ValueId Machine::top() const {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) builder_.fail("expected a value, found an empty stack");
  return stack_.back();
}

ValueId Machine::pop() {
  const ValueId id = top();
  stack_.pop_back();
  return id;
}

std::size_t Machine::pop_mark() {
  if (marks_.empty()) builder_.fail("expected the mark of a beginning, found none");
  const std::size_t mark = marks_.back();
  marks_.pop_back();
  return mark;
}

void Machine::pop_one() {
  if (!marks_.empty() && marks_.back() == stack_.size()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

// Two's complement, little-endian, of any length.
void Machine::push_long(std::string_view digits) {
  if (digits.size() > sizeof(std::int64_t)) return push_new({.kind = ValueKind::big_integer, .text = digits});
  const bool negative = !digits.empty() && (digits.back() & 0x80) != 0;
  std::int64_t value = negative ? -1 : 0;
  std::copy(digits.begin(), digits.end(), reinterpret_cast<char*>(&value));
  push_integer(value);
}

void Machine::push_items(ValueKind kind, std::size_t mark) {
  const auto items = above(mark);
  if (kind == ValueKind::dict && items.size() % 2 != 0) builder_.fail("expected a value for every key");
  const ValueId id = builder_.add({.kind = kind, .items = {items.begin(), items.end()}});
  stack_.resize(mark);
  push(id);
}

void Machine::push_tuple_of(std::size_t count) {
  const std::size_t available = stack_.size() - (marks_.empty() ? 0 : marks_.back());
  if (available < count) builder_.fail(fmt::format("expected {} values on the stack, found {}", count, available));
  push_items(ValueKind::tuple, stack_.size() - count);
}

// Moves what lies above the mark into the container below it.
void Machine::add_items(ValueKind kind, std::size_t mark) {
  const auto items = above(mark);
  if (kind == ValueKind::dict && items.size() % 2 != 0) builder_.fail("expected a value for every key");
  if (mark == 0 || (!marks_.empty() && marks_.back() >= mark)) builder_.fail("expected a container, found none");
  const ValueId container = stack_[mark - 1];
  builder_.get(container, kind);
  builder_.append(container, items);
  stack_.resize(mark);
}

void Machine::append() {
  top();
  add_items(ValueKind::list, stack_.size() - 1);
}

void Machine::set_item() {
  if (stack_.size() < 2) builder_.fail("expected a key and its value, found none");
  add_items(ValueKind::dict, stack_.size() - 2);
}

void Machine::remember(std::uint32_t index) {
  constexpr std::size_t entry_references = 8;  // what an entry of the map takes, in references
  builder_.charge(entry_references);
  memo_.insert_or_assign(index, top());
}

void Machine::recall(std::uint32_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) builder_.fail(fmt::format("expected value {} of the memo, found none", index));
  push(found->second);
}

void Machine::check_protocol(int version) const {
  if (version >= first_protocol && version <= last_protocol) return;
  builder_.fail(fmt::format("expected protocol {} to {}, found {}", first_protocol, last_protocol, version));
}

// Python 2 wrote some integers as lines: 4294967296, 4294967296L, and 01 for True.
void Machine::push_line_integer(std::string_view line) {
  if (line == "00" || line == "01") return push_boolean(line == "01");
  const auto digits = line.ends_with('L') ? line.substr(0, line.size() - 1) : line;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    builder_.fail(fmt::format("expected an integer of at most 64 bits, found {}", quote_name(line)));
  }
  push_integer(value);
}

void Machine::push_real(std::uint64_t big_endian) {
  push_new({.kind = ValueKind::real, .real = std::bit_cast<double>(__builtin_bswap64(big_endian))});
}

void Machine::push_stack_global() {
  const auto name = builder_.get(pop(), ValueKind::text).text;
  const auto module = builder_.get(pop(), ValueKind::text).text;
  push(find_global(builder_, module, name));
}

void Machine::call() {
  const ValueId arguments = pop();
  const ValueId function = pop();
  push(call_global(builder_, function, arguments));
}

void Machine::build() {
  const ValueId state = pop();
  set_state(builder_, top(), state);
}

void Machine::add_values(Opcodes& table) {
  table['N'] = [](Machine& machine) { machine.push_none(); };
  table[0x88] = [](Machine& machine) { machine.push_boolean(true); };
  table[0x89] = [](Machine& machine) { machine.push_boolean(false); };
  table['J'] = [](Machine& machine) { machine.push_integer(machine.take_number<std::int32_t>()); };
  table['K'] = [](Machine& machine) { machine.push_integer(machine.take_number<std::uint8_t>()); };
  table['M'] = [](Machine& machine) { machine.push_integer(machine.take_number<std::uint16_t>()); };
  table['I'] = [](Machine& machine) { machine.push_line_integer(machine.take_line()); };
  table['L'] = [](Machine& machine) { machine.push_line_integer(machine.take_line()); };
  table[0x8a] = [](Machine& machine) { machine.push_long(machine.take(machine.take_number<std::uint8_t>())); };
  table[0x8b] = [](Machine& machine) { machine.push_long(machine.take(machine.take_number<std::uint32_t>())); };
  table['G'] = [](Machine& machine) { machine.push_real(machine.take_number<std::uint64_t>()); };
  table['X'] = [](Machine& machine) { machine.push_text(ValueKind::text, machine.take_number<std::uint32_t>()); };
  table['T'] = table['X'];  // Python 2's str
  table[0x8c] = [](Machine& machine) { machine.push_text(ValueKind::text, machine.take_number<std::uint8_t>()); };
  table['U'] = table[0x8c];
  table[0x8d] = [](Machine& machine) { machine.push_text(ValueKind::text, machine.take_number<std::uint64_t>()); };
  table['B'] = [](Machine& machine) { machine.push_text(ValueKind::bytes, machine.take_number<std::uint32_t>()); };
  table['C'] = [](Machine& machine) { machine.push_text(ValueKind::bytes, machine.take_number<std::uint8_t>()); };
  table[0x8e] = [](Machine& machine) { machine.push_text(ValueKind::bytes, machine.take_number<std::uint64_t>()); };
  table[0x96] = table[0x8e];
}

void Machine::add_containers(Opcodes& table) {
  table[']'] = [](Machine& machine) { machine.push_new({.kind = ValueKind::list}); };
  table[')'] = [](Machine& machine) { machine.push_new({.kind = ValueKind::tuple}); };
  table['}'] = [](Machine& machine) { machine.push_new({.kind = ValueKind::dict}); };
  table[0x8f] = [](Machine& machine) { machine.push_new({.kind = ValueKind::set}); };
  table['l'] = [](Machine& machine) { machine.push_items(ValueKind::list, machine.pop_mark()); };
  table['t'] = [](Machine& machine) { machine.push_items(ValueKind::tuple, machine.pop_mark()); };
  table['d'] = [](Machine& machine) { machine.push_items(ValueKind::dict, machine.pop_mark()); };
  table[0x91] = [](Machine& machine) { machine.push_items(ValueKind::set, machine.pop_mark()); };
  table[0x85] = [](Machine& machine) { machine.push_tuple_of(1); };
  table[0x86] = [](Machine& machine) { machine.push_tuple_of(2); };
  table[0x87] = [](Machine& machine) { machine.push_tuple_of(3); };
  table['a'] = [](Machine& machine) { machine.append(); };
  table['s'] = [](Machine& machine) { machine.set_item(); };
  table['e'] = [](Machine& machine) { machine.add_items(ValueKind::list, machine.pop_mark()); };
  table['u'] = [](Machine& machine) { machine.add_items(ValueKind::dict, machine.pop_mark()); };
  table[0x90] = [](Machine& machine) { machine.add_items(ValueKind::set, machine.pop_mark()); };
}

void Machine::add_stack(Opcodes& table) {
  table['('] = [](Machine& machine) { machine.push_mark(); };
  table['0'] = [](Machine& machine) { machine.pop_one(); };
  table['1'] = [](Machine& machine) { machine.stack_.resize(machine.pop_mark()); };
  table['2'] = [](Machine& machine) { machine.push(machine.top()); };
  table['h'] = [](Machine& machine) { machine.recall(machine.take_number<std::uint8_t>()); };
  table['j'] = [](Machine& machine) { machine.recall(machine.take_number<std::uint32_t>()); };
  table['q'] = [](Machine& machine) { machine.remember(machine.take_number<std::uint8_t>()); };
  table['r'] = [](Machine& machine) { machine.remember(machine.take_number<std::uint32_t>()); };
  table[0x94] = [](Machine& machine) { machine.remember(static_cast<std::uint32_t>(machine.memo_.size())); };
}

void Machine::add_objects(Opcodes& table) {
  table[0x80] = [](Machine& machine) { machine.check_protocol(machine.take_number<std::uint8_t>()); };
  table[0x95] = [](Machine& machine) { machine.take(sizeof(std::uint64_t)); };  // size of a frame: a hint for streams
  table['.'] = [](Machine& machine) { machine.running_ = false; };
  table['c'] = [](Machine& machine) {
    const auto module = machine.take_line();
    machine.push(find_global(machine.builder_, module, machine.take_line()));
  };
  table[0x93] = [](Machine& machine) { machine.push_stack_global(); };
  table['R'] = [](Machine& machine) { machine.call(); };
  table[0x81] = table['R'];  // cls.__new__(cls, *arguments)
  table['b'] = [](Machine& machine) { machine.build(); };
  table['Q'] = [](Machine& machine) { machine.push(find_storage(machine.builder_, machine.pop())); };
}

const Machine::Opcodes& Machine::opcodes() {
  static const Opcodes table = [] {
    Opcodes made{};
    add_values(made);
    add_containers(made);
    add_stack(made);
    add_objects(made);
    return made;
  }();
  return table;
}

PickleTree Machine::run() {
  while (running_) {
    builder_.position = next_;
    const auto code = take_number<std::uint8_t>();
    const Opcode opcode = opcodes()[code];
    if (opcode == nullptr) {
      builder_.fail(
          fmt::format("expected an opcode of protocol {} to {}, found 0x{:02x}", first_protocol, last_protocol, code));
    }
    opcode(*this);
  }
  builder_.tree.root = pop();
  builder_.tree.size = next_;
  return std::move(builder_.tree);
}

}  // namespace

PickleTree unpickle(std::span<const std::byte> bytes, const std::string& name) {
  return Machine(bytes.first(std::min(bytes.size(), most_bytes)), name).run();
}

}  // namespace nunchi::formats
