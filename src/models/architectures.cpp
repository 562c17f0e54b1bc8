#include "models/architectures.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "core/asset.h"
#include "core/nearest.h"

namespace nunchi::models {
namespace {

using Shapes = std::map<std::string, Shape>;

struct Table {
  Publisher publisher;
  Json architectures, others;  // name -> {class, args, tags}; name -> class, or [class, tags...]
  Json deprecated;             // old name -> name.tag
  const char* checkpoints;     // the field that lists the checkpoints of an architecture
  const char* usual;           // the field that names the usual one
};

Table read_table(Publisher publisher, const char* checkpoints, const char* usual) {
  const auto file = fmt::format("models/{}.json", publisher_name(publisher));
  Json json = parse_json(asset(file), file);
  return {publisher,
          std::move(json.at("architectures")),
          std::move(json.at("others")),
          json.value("deprecated", Json::object()),
          checkpoints,
          usual};
}

const std::vector<Table>& tables() {
  static const std::vector<Table> all = {read_table(Publisher::torchvision, "weights", "default_weights"),
                                         read_table(Publisher::timm, "tags", "default_tag"),
                                         read_table(Publisher::original, "tags", "default_tag")};
  return all;
}

bool is_supported(Publisher publisher, std::string_view name) {
  return std::ranges::any_of(families(), [&](const Family& family) {
    return std::ranges::any_of(family.names,
                               [&](const auto& known) { return known.publisher == publisher && known.name == name; });
  });
}

std::string with_tag(const std::string& name, const std::string& tag) { return tag.empty() ? name : name + "." + tag; }

// What the user wrote: [publisher/]name[.tag].
struct Request {
  std::optional<Publisher> publisher;
  std::string name, tag;
};

Request parse(const std::string& text) {
  Request request{.publisher = {}, .name = text, .tag = {}};
  for (const auto publisher : {Publisher::timm, Publisher::torchvision, Publisher::original}) {
    const auto prefix = std::string(publisher_name(publisher)) + "/";
    if (!text.starts_with(prefix)) continue;
    request.publisher = publisher;
    request.name = text.substr(prefix.size());
  }
  const auto dot = request.name.find('.');
  if (dot == std::string::npos) return request;
  request.tag = request.name.substr(dot + 1);
  request.name.resize(dot);
  return request;
}

// torchvision names the parts of its sequential models "features.N"; its ResNets bear the names that timm took over.
bool speaks_against(Publisher publisher, const std::string& family, const Shapes& shapes) {
  if (publisher != Publisher::torchvision || family == "ResNet" || shapes.empty()) return false;
  return std::ranges::none_of(shapes, [](const auto& tensor) { return tensor.first.starts_with("features."); });
}

bool offers(const Table& table, const Request& request) {
  const auto row = table.architectures.find(request.name);
  return row != table.architectures.end() && request.publisher.value_or(table.publisher) == table.publisher &&
         is_supported(table.publisher, row->at("class").get<std::string>());
}

// The checkpoint that a bare name stands for: the usual one, unless a tensor tells that the file is another's.
std::string usual_tag(const Table& table, const Json& row, const Shapes& shapes) {
  const Json told = row.value("tags_by_tensor", Json::object());
  for (const auto& [tensor, tag] : told.items()) {
    if (shapes.contains(tensor)) return tag.get<std::string>();
  }
  return get_or<std::string>(row, table.usual, "");
}

NamedArchitecture from_row(const Table& table, const Request& request, const Json& row, const Shapes& shapes) {
  NamedArchitecture found{.publisher = table.publisher,
                          .name = request.name,
                          .tag = request.tag.empty() ? usual_tag(table, row, shapes) : request.tag,
                          .family = row.at("class"),
                          .arguments = row.at("args")};
  const auto& checkpoints = row.at(table.checkpoints);
  if (checkpoints.contains(found.tag)) {
    found.pictures = checkpoints[found.tag];
  } else if (!request.tag.empty()) {
    std::string known;
    for (const auto& [tag, unused] : checkpoints.items()) known += (known.empty() ? "" : ", ") + tag;
    throw Error(ErrorKind::usage, fmt::format("--arch {}.{}: no such checkpoint of it; known are {}", request.name,
                                              request.tag, known.empty() ? "none" : known));
  }
  return found;
}

std::string nearest_architecture(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& table : tables()) {
    for (const auto& [candidate, row] : table.architectures.items()) {
      if (offers(table, {.publisher = {}, .name = candidate, .tag = {}})) names.push_back(candidate);
    }
  }
  return nearest_name(name, names);
}

[[noreturn]] void refuse(const Request& request) {
  const auto nearest = nearest_architecture(request.name);
  for (const auto& table : tables()) {
    if (!table.others.contains(request.name) && !table.architectures.contains(request.name)) continue;
    throw Error(ErrorKind::usage,
                fmt::format("{}: known (of {}), but not supported; the nearest supported name is {} (`nunchi models` "
                            "lists all)",
                            request.name, publisher_name(table.publisher), nearest));
  }
  throw Error(ErrorKind::usage,
              fmt::format("{}: no such architecture; the nearest name is {} (`nunchi models` lists all)", request.name,
                          nearest));
}

}  // namespace

NamedArchitecture find_architecture(const std::string& name, const std::map<std::string, Shape>& shapes) {
  auto request = parse(name);
  for (const auto& table : tables()) {
    if (const auto old = table.deprecated.find(request.name); old != table.deprecated.end())
      request = parse(old->get<std::string>());
  }
  const Table* best = nullptr;
  int best_score = -1;
  for (const auto& table : tables()) {
    if (!offers(table, request)) continue;
    const auto& row = table.architectures.at(request.name);
    const int score =
        2 * row.at(table.checkpoints).contains(request.tag) + !speaks_against(table.publisher, row.at("class"), shapes);
    if (score > best_score) best = &table;
    best_score = std::max(best_score, score);
  }
  if (best == nullptr) refuse(request);
  return from_row(*best, request, best->architectures.at(request.name), shapes);
}

std::vector<ListedCheckpoint> list_checkpoints(const std::string& pattern) {
  std::vector<ListedCheckpoint> listed;
  const auto add = [&](Publisher publisher, const std::string& name, bool supported) {
    if (fnmatch(pattern.c_str(), name.c_str(), 0) == 0) listed.push_back({publisher, name, supported});
  };
  for (const auto& table : tables()) {
    for (const auto& [name, row] : table.architectures.items()) {
      const bool supported = is_supported(table.publisher, row.at("class").get<std::string>());
      for (const auto& [tag, checkpoint] : row.at(table.checkpoints).items()) {
        if (get_or(checkpoint, "weights", true)) add(table.publisher, with_tag(name, tag), supported);
      }
    }
    for (const auto& [name, row] : table.others.items()) {
      for (std::size_t i = 1; row.is_array() && i < row.size(); ++i)
        add(table.publisher, with_tag(name, row[i].get<std::string>()), false);
    }
  }
  std::ranges::sort(listed, {}, &ListedCheckpoint::name);
  return listed;
}

Json arguments_of(const NamedArchitecture& named, const Json& pictures, const Json& overrides) {
  Json arguments = Json::object();
  for (const char* field : {"num_classes", "global_pool"}) {
    if (pictures.contains(field) && !pictures[field].is_null()) arguments[field] = pictures[field];
  }
  const auto size = get_or(pictures, "input_size", std::vector<std::int64_t>{});
  if (size.size() == 3) {
    arguments["in_chans"] = size[0];
    if (get_or(pictures, "fixed_input_size", false)) arguments["img_size"] = {size[1], size[2]};
  }
  arguments.update(named.arguments);
  if (overrides.is_object()) arguments.update(overrides);
  return arguments;
}

Built build_named(const std::string& name) {
  const auto found = find_architecture(name);
  return build({.publisher = found.publisher, .name = found.family, .config = arguments_of(found, found.pictures)});
}

}  // namespace nunchi::models
