// remote/listener.h: a minimal HTTP/1.1 server for tests: one connection a request, one thread a connection.
//
//   Listener listener([](const HttpRequest& request, Connection& connection) { connection.answer(200, {}, "hello"); });
//   listener.address("localhost");   // "http://localhost:40123"
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace nunchi::remote {

struct HttpRequest {
  std::string method, target, path;
  std::map<std::string, std::string> headers;  // by lower-case name
};

class Connection {
 public:
  explicit Connection(int descriptor) : descriptor_(descriptor) {}

  // False once the other side has left.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void send_head(int status, const std::map<std::string, std::string>& headers) {
    std::string head = fmt::format("HTTP/1.1 {} Answer\r\nConnection: close\r\n", status);
    for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
    send(head + "\r\n");
  }

  void answer(int status, std::map<std::string, std::string> headers, std::string_view body) {
    headers.emplace("Content-Length", std::to_string(body.size()));
    send_head(status, headers);
    send(body);
  }

  HttpRequest read_request() {
    std::string text;
    char buffer[4096];
    while (text.find("\r\n\r\n") == std::string::npos) {
      const auto count = ::recv(descriptor_, buffer, sizeof buffer, 0);
      if (count <= 0) return {};
      text.append(buffer, static_cast<std::size_t>(count));
    }
    HttpRequest request;
    const auto end = text.find("\r\n");
    const auto first = text.find(' '), second = text.find(' ', first + 1);
    request.method = text.substr(0, first);
    request.target = text.substr(first + 1, second - first - 1);
    request.path = request.target.substr(0, request.target.find('?'));
    for (std::size_t begin = end + 2; begin < text.size();) {
      const auto stop = text.find("\r\n", begin);
      const auto line = text.substr(begin, stop - begin);
      if (line.empty()) break;
      std::string name = line.substr(0, line.find(':'));
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      request.headers[name] = line.substr(std::min(line.size(), line.find(':') + 2));
      begin = stop + 2;
    }
    return request;
  }

 private:
  int descriptor_;
};

class Listener {
 public:
  using Handler = std::function<void(const HttpRequest&, Connection&)>;

  explicit Listener(Handler handler)
      : handler_(std::move(handler)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool ready = ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::listen(socket_, 64) == 0 &&
                       ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (!ready) throw std::runtime_error("no port for the test's server");
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    stopping_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    accepting_.join();
    ::close(socket_);
    while (open_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  std::string address(const std::string& host) const { return fmt::format("http://{}:{}", host, port_); }

 private:
  void accept_all() {
    while (!stopping_) {
      const int descriptor = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) continue;
      ++open_;
      std::thread([this, descriptor] {
        Connection connection(descriptor);
        const auto request = connection.read_request();
        if (!request.method.empty()) handler_(request, connection);
        ::shutdown(descriptor, SHUT_WR);
        ::close(descriptor);
        --open_;
      }).detach();
    }
  }

  Handler handler_;
  int socket_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> open_{0};
  std::thread accepting_;
};

}  // namespace nunchi::remote
