#include "tasks/json_from_child.h"

#include <fmt/format.h>

#include <cstring>

#include "core/child_process.h"
#include "core/error.h"

namespace nunchi::tasks {
namespace {

Json failure(ErrorKind kind, std::string_view text) { return {{"error", text}, {"kind", static_cast<int>(kind)}}; }

std::string text_of(const std::function<Json()>& work) {
  Json json;
  try {
    json = work();
  } catch (const Error& error) {
    json = failure(error.kind(), error.what());
  } catch (const std::exception& error) {  // LibTorch's are long: the first line says it
    const std::string_view text = error.what();
    json = failure(ErrorKind::internal, text.substr(0, text.find('\n')));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

ChildJson json_from_child(const std::function<Json()>& work) {
  const auto child = run_in_child([&] { return text_of(work); });
  if (child.finished) return {parse_json(child.output, "the answer of the measuring process"), child.peak_memory};
  const char* reason = child.signal != 0 ? strsignal(child.signal) : "no signal";
  return {failure(ErrorKind::model, fmt::format("the process that measured it ended early ({}); perhaps there was not "
                                                "enough memory",
                                                reason)),
          child.peak_memory};
}

}  // namespace nunchi::tasks
