#include "tasks/trace.h"

#include <fmt/ranges.h>

namespace nunchi::tasks {
namespace {

constexpr int process = 1, thread = 1;

double microseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

Json event(const char* phase, const std::string& name, std::int64_t time) {
  return {{"ph", phase}, {"name", name}, {"pid", process}, {"tid", thread}, {"ts", microseconds(time)}};
}

Json name_of(const char* what, const char* name) {
  Json json = event("M", what, 0);
  json["args"] = {{"name", name}};
  return json;
}

Json slice_event(const ops::Slice& slice) {
  Json json = event("X", slice.name, slice.begin);
  json["dur"] = microseconds(slice.duration());
  json["cat"] = slice.is_op ? "op" : "aten";
  json["args"] = {
      {"inputs", shapes_text(slice.inputs)}, {"bytes_read", slice.bytes_read}, {"bytes_written", slice.bytes_written}};
  if (slice.is_op) json["args"]["flops"] = 2 * slice.macs;
  return json;
}

Json memory_event(std::int64_t time, std::int64_t bytes) {
  Json json = event("C", "memory of tensors", time);
  json["args"] = {{"bytes", bytes}};
  return json;
}

}  // namespace

std::string shapes_text(const std::vector<Shape>& shapes) {
  std::string text;
  for (const auto& shape : shapes)
    text += fmt::format("{}{}", text.empty() ? "" : " ",
                        shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x")));
  return text;
}

Json chrome_trace(const ops::Recording& forward) {
  Json events = Json::array({name_of("process_name", "nunchi"), name_of("thread_name", "forward"), memory_event(0, 0)});
  for (const auto& slice : forward.slices) events.push_back(slice_event(slice));
  for (const auto& point : forward.memory) events.push_back(memory_event(point.time, point.bytes));
  return {{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
}

}  // namespace nunchi::tasks
