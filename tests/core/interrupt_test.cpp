#include "core/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

#include "core/error.h"

namespace nunchi {
namespace {

TEST(Interrupt, ASignalHandlerStopsTheWork) {
  clear_stop();
  EXPECT_NO_THROW(throw_if_stopped());
  auto* const previous = std::signal(SIGINT, [](int) { request_stop(); });
  std::raise(SIGINT);
  std::signal(SIGINT, previous);
  EXPECT_TRUE(stop_requested());
  try {
    throw_if_stopped();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  clear_stop();
  EXPECT_FALSE(stop_requested());
}

}  // namespace
}  // namespace nunchi
