// remote/http.h: requests to a hub and to the storage that it names, by libcurl.
//
//   HttpClient client({.endpoint = "https://huggingface.co", .token = token});
//   const auto answer = client.get("https://huggingface.co/api/models/org/name", 1 << 20);
//   if (answer.status == 200) use(answer.body);
//
// The token goes to the scheme, host and port of the endpoint and nowhere else. Proxies are those of the environment,
// as libcurl reads them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"

namespace nunchi::remote {

// No whole answer came: no way to the host, a connection that broke, or silence.
class NetworkError : public Error {
 public:
  NetworkError(const std::string& message, bool reached) : Error(ErrorKind::model, message), reached_(reached) {}
  bool reached() const { return reached_; }  // false: the host could not even be connected to

 private:
  bool reached_;
};

struct HttpAnswer {
  int status = 0;
  std::string url;                             // of the last request, after redirects
  std::map<std::string, std::string> headers;  // by lower-case name
  std::string body;                            // get(); the beginning of what an error says

  std::optional<std::string> header(const std::string& name) const;
  std::optional<std::uint64_t> number(const std::string& name) const;  // a header that is one
};

struct HttpOptions {
  std::string endpoint, token, certificates;
  std::chrono::milliseconds answer_timeout{10'000}, download_timeout{10'000};
};

// What a download does with what comes.
struct DownloadSink {
  std::function<void(const HttpAnswer&)> begin;            // status 200 or 206, before the first byte
  std::function<void(std::span<const std::byte>)> accept;  // each piece
};

// One connection kept open between requests; for one thread at a time. All functions throw NetworkError, Error (model)
// for an answer that breaks the protocol, and Error (interrupted) once a stop was requested. Every status is an answer.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  HttpClient(HttpClient&&) noexcept;
  ~HttpClient();

  // Follows redirects that stay at the endpoint; one that leads elsewhere is the answer itself.
  HttpAnswer head(const std::string& url);

  // Follows every redirect. Throws Error (model) where the body is longer than `most_bytes`.
  HttpAnswer get(const std::string& url, std::size_t most_bytes);

  // The bytes from `offset` on, where the server can do that; else `sink.begin` sees status 200.
  HttpAnswer download(const std::string& url, std::uint64_t offset, const DownloadSink& sink);

 private:
  struct Transfer;
  HttpAnswer follow(Transfer& transfer, bool leave_endpoint);
  HttpAnswer perform(Transfer& transfer);
  void configure(Transfer& transfer);
  std::vector<std::string> headers_for(const Transfer& transfer) const;
  bool at_endpoint(const std::string& url) const;

  HttpOptions options_;
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace nunchi::remote
