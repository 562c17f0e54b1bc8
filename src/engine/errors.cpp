#include "engine/errors.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <new>

namespace nunchi::engine {
namespace {

// LibTorch's messages carry a trace of 2,500 characters; the first line says what happened.
std::string first_line(const std::string& text) {
  const auto begin = text.find_first_not_of(" \n");
  return begin == std::string::npos ? "an error without a message" : text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

void rethrow_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    const std::string what = first_line(error.what_without_backtrace());
    if (what.find("can't allocate memory") != std::string::npos) {
      throw Error(ErrorKind::input, "not enough memory: use a smaller --batch, a smaller picture or a smaller model");
    }
    throw Error(ErrorKind::internal, fmt::format("LibTorch: {}", what));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::input, "not enough memory: use a smaller --batch, a smaller picture or a smaller model");
  } catch (const std::exception& error) {
    throw Error(ErrorKind::internal, error.what());
  }
}

}  // namespace nunchi::engine
