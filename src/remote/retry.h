// remote/retry.h: a request again, where the fault may pass: 408, 429, 5xx, broken connections, silence.
//
//   const auto answer = with_retries({.tries = 5}, [&] { return client.get(url, most_bytes); });
#pragma once

#include <chrono>
#include <functional>

#include "remote/http.h"

namespace nunchi::remote {

struct RetryOptions {
  int tries = 5;
  std::chrono::milliseconds first_wait{1000};  // each further wait is twice as long; Retry-After may ask for longer
};

bool is_passing(int status);  // 408, 429, 500, 502, 503, 504

// The first answer whose status does not pass, or the last one. A host that cannot be reached at all is not tried
// again: NetworkError at once. Throws Error (model) where the server asks for a wait of more than five minutes.
HttpAnswer with_retries(const RetryOptions& options, const std::function<HttpAnswer()>& attempt);

// Waits before try number `next` (1, 2, ...), or as long as `answer` asks for. Throws Error (interrupted) at a stop.
void wait_before(int next, const RetryOptions& options, const HttpAnswer* answer, const std::string& reason);

}  // namespace nunchi::remote
