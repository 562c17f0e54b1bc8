// core/latest.h: the value for the key that was asked for last, kept for the next time, from any thread.
//
//   Latest<Shape, Tensor> table;
//   const Tensor t = table.of(shape, [&] { return make_table(shape); });   // made where the last shape was another one
#pragma once

#include <mutex>
#include <optional>
#include <utility>

namespace nunchi {

template <class Key, class Value>
class Latest {
 public:
  // Other threads that ask meanwhile wait for make().
  Value of(const Key& key, const auto& make) const {
    const std::lock_guard lock(mutex_);
    if (!kept_ || kept_->first != key) kept_.emplace(key, make());
    return kept_->second;
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    kept_.reset();
  }

 private:
  mutable std::mutex mutex_;
  mutable std::optional<std::pair<Key, Value>> kept_;
};

}  // namespace nunchi
