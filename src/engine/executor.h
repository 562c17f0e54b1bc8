// engine/executor.h: one thread that runs all forwards of the process, whoever asks.
//
//   auto answer = executor().run([&] { return model.forward(pixels); });   // waits; exceptions come back as Error
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/errors.h"

namespace nunchi::engine {

class Executor {
 public:
  Executor();
  ~Executor();

  template <class Function>
  auto run(Function function) {
    // Shared: the thread may still be leaving the task when the caller has its answer.
    const auto task = std::make_shared<std::packaged_task<decltype(function())()>>([&] {
      try {
        return function();
      } catch (...) {
        rethrow_as_error();
      }
    });
    auto result = task->get_future();
    submit([task] { (*task)(); });
    return result.get();
  }

 private:
  void submit(std::function<void()> job);
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::thread thread_;
};

Executor& executor();

}  // namespace nunchi::engine
