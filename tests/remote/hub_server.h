// remote/hub_server.h: a hub for tests: metadata, a list of files, redirects to a storage under another host and port,
// ranges, and faults on demand. It speaks what huggingface_hub 2.4 asks for, so that both can be pointed at it.
//
//   HubServer hub;
//   hub.publish("org/name", {{"config.json", "{}"}, {"model.safetensors", weights}});
//   hub.fail("model.safetensors", {.drop_after = 1000});     // once
//   settings.endpoint = hub.endpoint();
//   hub.requests();                                          // all that came
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "core/json.h"
#include "remote/hash.h"
#include "remote/listener.h"

namespace nunchi::remote {

// What goes wrong, `times` times, with requests of `method` whose address holds the text that it is registered under.
struct Fault {
  int status = 0;                                       // this answer instead of the content
  std::map<std::string, std::string> headers = {};      // of that answer
  std::optional<std::size_t> drop_after = {};           // the connection breaks after so many bytes of the body
  std::optional<std::chrono::milliseconds> stall = {};  // nothing comes for so long, after drop_after bytes
  std::chrono::milliseconds pace{0};                    // a pause before every 4 KiB
  bool wrong_content = false, ignore_range = false, endless = false;
  std::optional<std::string> content_length = {};
  std::string method = "GET";
  int times = 1;
};

struct SeenRequest {
  bool storage = false;  // else the hub itself
  HttpRequest request;
};

class HubServer {
 public:
  using Files = std::map<std::string, std::string>;

  HubServer()
      : storage_([this](const HttpRequest& request, Connection& connection) { answer_storage(request, connection); }),
        hub_([this](const HttpRequest& request, Connection& connection) { answer_hub(request, connection); }) {}

  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;
  ~HubServer() { ending_ = true; }

  std::string endpoint() const { return hub_.address("127.0.0.1"); }
  std::string storage() const { return storage_.address("localhost"); }

  // Returns the commit. Weights and pickles are large files, stored elsewhere under their sha256, as on a real hub.
  std::string publish(const std::string& repository, const Files& files, const std::string& revision = "main") {
    const std::lock_guard lock(mutex_);
    std::string all = repository;
    for (const auto& [name, content] : files) all += name + content;
    const std::string commit = hash_of(Hasher::git_blob(all.size()), all);
    auto& known = repositories_[repository];
    known.commits[commit] = files;
    known.revisions[revision] = commit;
    for (const auto& [name, content] : files) blobs_[hash_of(Hasher::sha256(), content)] = content;
    return commit;
  }

  void set_gated(const std::string& repository) { set_access(repository, "GatedRepo"); }
  void set_private(const std::string& repository, const std::string& token) {
    const std::lock_guard lock(mutex_);
    repositories_[repository].token = token;
  }

  void fail(const std::string& part, const Fault& fault) {
    const std::lock_guard lock(mutex_);
    faults_.emplace_back(part, fault);
  }

  std::vector<SeenRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  void forget_requests() {
    const std::lock_guard lock(mutex_);
    seen_.clear();
  }

  // Requests of `method` whose address holds `part`.
  std::size_t count(const std::string& method, const std::string& part) const {
    const auto all = requests();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const SeenRequest& seen) {
      return seen.request.method == method && seen.request.target.find(part) != std::string::npos;
    }));
  }

  static std::string etag_of(const std::string& name, const std::string& content) {
    return is_large(name) ? hash_of(Hasher::sha256(), content) : hash_of(Hasher::git_blob(content.size()), content);
  }

 private:
  struct Repository {
    std::map<std::string, Files> commits;
    std::map<std::string, std::string> revisions;
    std::string refusal, token;
  };

  static std::string hash_of(Hasher hasher, const std::string& content) {
    hasher.update(std::as_bytes(std::span(content)));
    return hasher.finish();
  }

  static bool is_large(const std::string& name) { return name.ends_with(".safetensors") || name.ends_with(".bin"); }

  void set_access(const std::string& repository, const std::string& refusal) {
    const std::lock_guard lock(mutex_);
    repositories_[repository].refusal = refusal;
  }

  Fault take_fault(const HttpRequest& request) {
    for (auto& [part, fault] : faults_) {
      if (fault.times <= 0 || fault.method != request.method || request.target.find(part) == std::string::npos)
        continue;
      --fault.times;
      return fault;
    }
    return {};
  }

  Fault note(const HttpRequest& request, bool storage) {
    const std::lock_guard lock(mutex_);
    seen_.push_back({storage, request});
    return take_fault(request);
  }

  static void refuse(Connection& connection, int status, const std::string& code) {
    connection.answer(status, {{"X-Error-Code", code}, {"X-Error-Message", "refused: " + code}}, "{\"error\":\"\"}");
  }

  // "org/name" and what follows it in "/org/name/resolve/..." or in "/api/models/org/name/...".
  static std::pair<std::string, std::string> split(const std::string& path) {
    const auto slash = path.find('/', path.find('/') + 1);
    return {path.substr(0, slash), slash == std::string::npos ? "" : path.substr(slash + 1)};
  }

  static std::string unquoted(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool code = text[i] == '%' && i + 2 < text.size();
      result += code ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
      if (code) i += 2;
    }
    return result;
  }

  void answer_hub(const HttpRequest& request, Connection& connection) {
    const Fault fault = note(request, false);
    if (fault.status != 0) return connection.answer(fault.status, fault.headers, "{}");
    const std::string api = "/api/models/";
    const bool is_api = request.path.starts_with(api);
    const auto [repository, rest] = split(request.path.substr(is_api ? api.size() : 1));
    std::unique_lock lock(mutex_);
    const auto found = repositories_.find(repository);
    if (found == repositories_.end()) return refuse(connection, 401, "RepoNotFound");
    const auto [kind, after] =
        is_api && rest.empty()
            ? std::pair<std::string, std::string>("revision", "main")
            : std::pair(rest.substr(0, rest.find('/')), rest.substr(std::min(rest.size(), rest.find('/') + 1)));
    const std::string revision = unquoted(is_api ? after : after.substr(0, after.find('/')));
    const Repository copy = found->second;
    lock.unlock();
    if (!copy.token.empty() && value(request, "authorization") != "Bearer " + copy.token)
      return refuse(connection, 401, "RepoNotFound");
    if (!copy.refusal.empty()) return refuse(connection, 403, copy.refusal);
    const auto named = copy.revisions.find(revision);
    const std::string commit = named == copy.revisions.end() ? revision : named->second;
    const auto files = copy.commits.find(commit);
    if (files == copy.commits.end()) return refuse(connection, 404, "RevisionNotFound");
    if (is_api) return answer_api(connection, kind, repository, commit, files->second, fault);
    answer_file(request, connection, commit, files->second, unquoted(after.substr(after.find('/') + 1)), fault);
  }

  static std::string value(const HttpRequest& request, const std::string& header) {
    const auto found = request.headers.find(header);
    return found == request.headers.end() ? "" : found->second;
  }

  void answer_api(Connection& connection, const std::string& kind, const std::string& repository,
                  const std::string& commit, const Files& files, const Fault& fault) {
    Json body = Json::array();
    for (const auto& [name, content] : files) {
      Json entry =
          kind == "tree" ? Json{{"type", "file"}, {"path", name}, {"size", content.size()}} : Json{{"rfilename", name}};
      if (kind == "tree") entry["oid"] = hash_of(Hasher::git_blob(content.size()), content);
      if (kind == "tree" && is_large(name))
        entry["lfs"] = {{"oid", hash_of(Hasher::sha256(), content)}, {"size", content.size()}, {"pointerSize", 134}};
      body.push_back(entry);
    }
    if (kind != "tree") {
      body = {{"_id", "1"},
              {"id", repository},
              {"modelId", repository},
              {"sha", commit},
              {"private", false},
              {"gated", false},
              {"tags", Json::array()},
              {"downloads", 0},
              {"likes", 0},
              {"siblings", body},
              {"disabled", false},
              {"lastModified", "2024-01-01T00:00:00.000Z"}};
    }
    send_content(connection, 200, {{"Content-Type", "application/json"}}, body.dump(), fault, false);
  }

  void answer_file(const HttpRequest& request, Connection& connection, const std::string& commit, const Files& files,
                   const std::string& name, const Fault& fault) {
    const auto found = files.find(name);
    if (found == files.end()) {
      return connection.answer(404, {{"X-Error-Code", "EntryNotFound"}, {"X-Repo-Commit", commit}}, "");
    }
    const std::string& content = found->second;
    std::map<std::string, std::string> headers = {{"X-Repo-Commit", commit}, {"Accept-Ranges", "bytes"}};
    if (is_large(name)) {
      const std::string hash = hash_of(Hasher::sha256(), content);
      headers["X-Linked-Etag"] = '"' + hash + '"';
      headers["X-Linked-Size"] = fault.content_length.value_or(std::to_string(content.size()));
      headers["Location"] = fmt::format("{}/{}/{}?signature=secret", storage(), hash, name);
      return connection.answer(302, headers, "");
    }
    headers["ETag"] = '"' + etag_of(name, content) + '"';
    if (request.method != "HEAD") return send_content(connection, 200, headers, content, fault, false);
    headers["Content-Length"] = fault.content_length.value_or(std::to_string(content.size()));
    connection.send_head(200, headers);
  }

  void answer_storage(const HttpRequest& request, Connection& connection) {
    const Fault fault = note(request, true);
    if (fault.status != 0) return connection.answer(fault.status, fault.headers, "");
    std::unique_lock lock(mutex_);
    const auto found = blobs_.find(request.path.substr(1, 64));
    if (found == blobs_.end()) return connection.answer(404, {}, "");
    const std::string content = found->second;
    lock.unlock();
    const std::string range = value(request, "range");
    const bool partial = range.starts_with("bytes=") && !fault.ignore_range;
    const std::size_t begin = partial ? std::stoull(range.substr(6)) : 0;
    if (partial && begin >= content.size())
      return connection.answer(416, {{"Content-Range", fmt::format("bytes */{}", content.size())}}, "");
    std::map<std::string, std::string> headers;
    if (partial) headers["Content-Range"] = fmt::format("bytes {}-{}/{}", begin, content.size() - 1, content.size());
    send_content(connection, partial ? 206 : 200, headers, content.substr(begin), fault, true);
  }

  void send_content(Connection& connection, int status, std::map<std::string, std::string> headers, std::string content,
                    const Fault& fault, bool may_damage) {
    headers["Content-Length"] = fault.content_length.value_or(std::to_string(content.size()));
    if (fault.endless) headers.erase("Content-Length");
    if (fault.wrong_content && may_damage) content.back() = static_cast<char>(content.back() ^ 1);
    connection.send_head(status, headers);
    while (fault.endless && !ending_ && connection.send(std::string(1 << 16, 'x'))) {
    }
    const std::size_t most = std::min(content.size(), fault.drop_after.value_or(content.size()));
    constexpr std::size_t piece = 4096;
    for (std::size_t i = 0; i < most && !fault.endless; i += piece) {
      if (fault.pace.count() > 0) std::this_thread::sleep_for(fault.pace);
      if (!connection.send(std::string_view(content).substr(i, std::min(piece, most - i)))) return;
    }
    const auto end = std::chrono::steady_clock::now() + fault.stall.value_or(std::chrono::milliseconds(0));
    while (!ending_ && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  std::atomic<bool> ending_{false};
  mutable std::mutex mutex_;
  std::map<std::string, Repository> repositories_;
  std::map<std::string, std::string> blobs_;
  std::vector<std::pair<std::string, Fault>> faults_;
  std::vector<SeenRequest> seen_;
  Listener storage_, hub_;
};

}  // namespace nunchi::remote
