// core/log.h: messages for people, delivered to a sink that the program chooses (the library itself never prints).
//
//   log(LogLevel::warning, "photo.jpg: 95 million pixels; decoding needs 290 MB");
#pragma once

#include <functional>
#include <string_view>

namespace nunchi {

enum class LogLevel { debug, info, warning };
using LogSink = std::function<void(LogLevel, std::string_view message)>;

// Thread-safe. Without a sink, messages are dropped.
void set_log_sink(LogSink sink);
void log(LogLevel level, std::string_view message);

}  // namespace nunchi
