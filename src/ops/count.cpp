#include "ops/count.h"

#include "ops/op_scope.h"

namespace nunchi::ops {
namespace {

thread_local bool counting = false;
thread_local std::int64_t counted = 0;

}  // namespace

MacCounter::MacCounter() {
  counting = true;
  counted = 0;
}

MacCounter::~MacCounter() { counting = false; }

std::int64_t MacCounter::total() const { return counted; }

void count_macs(std::int64_t macs) {
  if (counting) counted += macs;
  OpScope::count(macs);
}

}  // namespace nunchi::ops
