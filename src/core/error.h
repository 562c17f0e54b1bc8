// core/error.h: the two kinds of failure.
//
// What the user, a file or the network did wrong is an Error: it says what was expected, what was found, where, and
// what to do. What only a bug of ours can cause is an ASSERT (core/assert.h); it throws an Error too.
//
//   throw Error(ErrorKind::input, fmt::format("{}: expected a JPEG, found {} bytes of zeros", path, size));
#pragma once

#include <stdexcept>
#include <string>

#define NUNCHI_API __attribute__((visibility("default")))  // part of the installed library

namespace nunchi {

// Decides the exit code of the command line: input 1, usage 2, model 3, anything else 1.
enum class ErrorKind { input, usage, model, interrupted, internal };

class NUNCHI_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace nunchi
