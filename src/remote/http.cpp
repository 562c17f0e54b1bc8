#include "remote/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <utility>

#include "core/assert.h"
#include "core/interrupt.h"

namespace nunchi::remote {
namespace {

constexpr std::size_t most_header_bytes = 1 << 20, most_error_bytes = 1 << 14;
constexpr int most_redirects = 10;

// Scheme, host and port of an address: the three that a token belongs to.
struct Origin {
  std::string scheme, host, port;
  bool operator==(const Origin&) const = default;
};

std::string part_of(CURLU* address, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(address, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  std::string result = text;
  curl_free(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return result;
}

Origin origin_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> address(curl_url(), curl_url_cleanup);
  if (curl_url_set(address.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  return {part_of(address.get(), CURLUPART_SCHEME), part_of(address.get(), CURLUPART_HOST),
          part_of(address.get(), CURLUPART_PORT)};
}

std::string without_query(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

double seconds(std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1000; }

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void check_redirect(const std::string& from, const std::string& to) {
  const auto scheme = origin_of(to).scheme;
  if (scheme == "https" || (scheme == "http" && origin_of(from).scheme == "http")) return;
  throw Error(ErrorKind::model,
              fmt::format("{}: leads to {}, which is not encrypted or no address of the web; it is not "
                          "followed",
                          without_query(from), without_query(to)));
}

bool is_unreachable(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT;
}

bool is_certificate_problem(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
}

}  // namespace

std::optional<std::string> HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> HttpAnswer::number(const std::string& name) const {
  const auto text = header(name);
  std::uint64_t value = 0;
  if (!text) return std::nullopt;
  const auto end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, value);
  return read.ec == std::errc() && read.ptr == end ? std::optional(value) : std::nullopt;
}

struct HttpClient::Connection {
  Connection() : handle(curl_easy_init()), loop(curl_multi_init()) {
    ASSERT(handle != nullptr && loop != nullptr, "libcurl gives handles");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(handle);
    curl_multi_cleanup(loop);
  }

  void reset() { curl_easy_reset(handle); }  // keeps what is connected
  curl_slist* set_headers(const std::vector<std::string>& lines) {
    curl_slist_free_all(std::exchange(headers, nullptr));
    for (const auto& line : lines) headers = curl_slist_append(headers, line.c_str());
    return headers;
  }

  // Until the answer is whole, or `keep_on` says no: then nothing. It is asked ten times a second.
  std::optional<CURLcode> run(const std::function<bool()>& keep_on) {
    constexpr int pause_milliseconds = 100;
    std::optional<CURLcode> code;
    curl_multi_add_handle(loop, handle);
    for (int running = 1; running > 0 && keep_on();) {
      curl_multi_perform(loop, &running);
      if (running > 0) curl_multi_poll(loop, nullptr, 0, pause_milliseconds, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(loop, &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl_multi_remove_handle(loop, handle);
    return code;
  }

  CURL* handle;
  CURLM* loop;
  curl_slist* headers = nullptr;
};

// One request and what comes back. libcurl is C: what its callbacks throw is kept until it has returned.
struct HttpClient::Transfer {
  using Clock = std::chrono::steady_clock;

  std::string url;
  bool head = false;
  std::uint64_t offset = 0;
  std::size_t most_bytes = 0;
  const DownloadSink* sink = nullptr;

  HttpAnswer answer = {};
  std::array<char, CURL_ERROR_SIZE> reason = {};
  std::size_t header_bytes = 0;
  bool begun = false;
  std::exception_ptr failure = nullptr;
  Clock::time_point last_byte = Clock::now();

  void take_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > most_header_bytes)
      throw Error(ErrorKind::model, fmt::format("{}: the answer's header does not end", without_query(url)));
    if (line.starts_with("HTTP/")) {  // after "100 Continue", or what a proxy said first
      answer.headers.clear();
      const auto space = std::min(line.find(' '), line.size());
      std::from_chars(line.data() + std::min(space + 1, line.size()), line.data() + line.size(), answer.status);
      return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    answer.headers[name] = std::string(trimmed(line.substr(colon + 1)));
  }

  void take_body(std::span<const std::byte> bytes) {
    const bool wanted = answer.status == 200 || answer.status == 206;
    if (wanted && sink != nullptr) {
      begin_once();
      return sink->accept(bytes);
    }
    const std::size_t most = wanted ? most_bytes : most_error_bytes;
    if (wanted && answer.body.size() + bytes.size() > most) {
      throw Error(ErrorKind::model, fmt::format("{}: the answer is longer than the {} bytes that are allowed here",
                                                without_query(url), most));
    }
    const auto count = std::min(bytes.size(), most - std::min(most, answer.body.size()));
    answer.body.append(reinterpret_cast<const char*>(bytes.data()), count);
  }

  void begin_once() {
    if (!begun) sink->begin(answer);
    begun = true;
  }

  template <class Body>
  std::size_t guarded(std::size_t size, const Body& body) {
    last_byte = Clock::now();
    try {
      body();
      return size;
    } catch (...) {
      failure = std::current_exception();
      return 0;
    }
  }

  static std::size_t on_header(char* data, std::size_t one, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    return transfer->guarded(one * count, [&] { transfer->take_header({data, one * count}); });
  }

  static std::size_t on_body(char* data, std::size_t one, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    return transfer->guarded(one * count, [&] { transfer->take_body(std::as_bytes(std::span(data, one * count))); });
  }
};

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  connection_ = std::make_unique<Connection>();
}

HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

bool HttpClient::at_endpoint(const std::string& url) const { return origin_of(url) == origin_of(options_.endpoint); }

HttpAnswer HttpClient::head(const std::string& url) {
  Transfer transfer{.url = url, .head = true};
  return follow(transfer, false);
}

HttpAnswer HttpClient::get(const std::string& url, std::size_t most_bytes) {
  Transfer transfer{.url = url, .most_bytes = most_bytes};
  return follow(transfer, true);
}

HttpAnswer HttpClient::download(const std::string& url, std::uint64_t offset, const DownloadSink& sink) {
  Transfer transfer{.url = url, .offset = offset, .sink = &sink};
  auto answer = follow(transfer, true);
  if (answer.status == 200 || answer.status == 206) transfer.begin_once();  // a file without a byte
  return answer;
}

HttpAnswer HttpClient::follow(Transfer& transfer, bool leave_endpoint) {
  for (int i = 0; i <= most_redirects; ++i) {
    auto answer = perform(transfer);
    char* target = nullptr;
    curl_easy_getinfo(connection_->handle, CURLINFO_REDIRECT_URL, &target);
    if (!is_redirect(answer.status) || target == nullptr) return answer;
    if (!leave_endpoint && !at_endpoint(target)) return answer;
    check_redirect(transfer.url, target);
    transfer.url = target;
    transfer.answer = {};
    transfer.header_bytes = 0;
  }
  throw Error(ErrorKind::model, fmt::format("{}: more than {} redirects", without_query(transfer.url), most_redirects));
}

void HttpClient::configure(Transfer& transfer) {
  connection_->reset();
  const auto set = [&](CURLoption option, auto value) {
    ASSERT(curl_easy_setopt(connection_->handle, option, value) == CURLE_OK, "libcurl knows its options");
  };
  constexpr long for_a_whole_answer = 6;  // an answer that drips must end, too; a file may take as long as it takes
  const auto patience = static_cast<long>(options_.answer_timeout.count());
  if (transfer.sink == nullptr) set(CURLOPT_TIMEOUT_MS, patience * for_a_whole_answer);
  set(CURLOPT_URL, transfer.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "nunchi");
  set(CURLOPT_ERRORBUFFER, transfer.reason.data());
  set(CURLOPT_CONNECTTIMEOUT_MS, patience);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  if (transfer.head) set(CURLOPT_NOBODY, 1L);
  if (!options_.certificates.empty()) set(CURLOPT_CAINFO, options_.certificates.c_str());
  set(CURLOPT_HTTPHEADER, connection_->set_headers(headers_for(transfer)));
}

std::vector<std::string> HttpClient::headers_for(const Transfer& transfer) const {
  std::vector<std::string> lines = {"Accept-Encoding: identity"};  // sizes and ranges are those of the file itself
  if (!options_.token.empty() && at_endpoint(transfer.url)) lines.push_back("Authorization: Bearer " + options_.token);
  if (transfer.offset > 0) lines.push_back(fmt::format("Range: bytes={}-", transfer.offset));
  return lines;
}

HttpAnswer HttpClient::perform(Transfer& transfer) {
  throw_if_stopped();
  configure(transfer);
  const auto silence = transfer.sink != nullptr ? options_.download_timeout : options_.answer_timeout;
  transfer.last_byte = Transfer::Clock::now();
  const auto is_silent = [&] { return Transfer::Clock::now() - transfer.last_byte > silence; };
  const auto code = connection_->run([&] { return !stop_requested() && !is_silent(); });
  transfer.answer.url = transfer.url;
  if (transfer.failure) std::rethrow_exception(std::exchange(transfer.failure, nullptr));
  if (code == CURLE_OK) return transfer.answer;
  throw_if_stopped();
  const auto detail = !code                             ? fmt::format("nothing came for {:.1f} s", seconds(silence))
                      : transfer.reason.front() != '\0' ? std::string(transfer.reason.data())
                                                        : std::string(curl_easy_strerror(*code));
  const auto message = fmt::format("{}: {}", without_query(transfer.url), detail);
  if (!code || !is_certificate_problem(*code)) throw NetworkError(message, !code || !is_unreachable(*code));
  throw Error(ErrorKind::model, fmt::format("{}. Where a proxy of yours signs connections, name its certificates in "
                                            "SSL_CERT_FILE",
                                            message));
}

}  // namespace nunchi::remote
