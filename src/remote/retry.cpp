#include "remote/retry.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <thread>

#include "core/interrupt.h"
#include "core/log.h"
#include "core/progress.h"

namespace nunchi::remote {
namespace {

using namespace std::chrono_literals;
constexpr auto longest_wait = 300s;
constexpr int most_doublings = 4;

void sleep_unless_stopped(std::chrono::milliseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
    throw_if_stopped();
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(duration, 50ms));
  }
}

// Retry-After in seconds or as a date.
std::optional<std::chrono::seconds> asked_wait(const HttpAnswer& answer) {
  if (const auto seconds = answer.number("retry-after")) {
    constexpr std::uint64_t a_day = 86'400;
    return std::chrono::seconds(std::min(*seconds, a_day));
  }
  const auto text = answer.header("retry-after");
  const std::time_t date = text ? curl_getdate(text->c_str(), nullptr) : -1;
  if (date < 0) return std::nullopt;
  return std::chrono::seconds(std::max<std::time_t>(0, date - std::time(nullptr)));
}

}  // namespace

bool is_passing(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

void wait_before(int next, const RetryOptions& options, const HttpAnswer* answer, const std::string& reason) {
  std::chrono::milliseconds wait = options.first_wait * (1 << std::clamp(next - 1, 0, most_doublings));
  if (const auto asked = answer != nullptr ? asked_wait(*answer) : std::nullopt) {
    if (*asked > longest_wait) {
      throw Error(ErrorKind::model, fmt::format("{}; it asks to come back in {}", reason,
                                                format_duration(static_cast<double>(asked->count()))));
    }
    wait = std::max<std::chrono::milliseconds>(wait, *asked);
  }
  log(LogLevel::info, fmt::format("{}; trying again in {:.1f} s", reason, static_cast<double>(wait.count()) / 1000));
  sleep_unless_stopped(wait);
}

HttpAnswer with_retries(const RetryOptions& options, const std::function<HttpAnswer()>& attempt) {
  for (int next = 1;; ++next) {
    const bool last = next >= options.tries;
    try {
      auto answer = attempt();
      if (last || !is_passing(answer.status)) return answer;
      wait_before(next, options, &answer, fmt::format("the hub answers {}", answer.status));
    } catch (const NetworkError& error) {
      if (last || !error.reached()) throw;
      wait_before(next, options, nullptr, error.what());
    }
  }
}

}  // namespace nunchi::remote
