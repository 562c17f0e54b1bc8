#include "remote/hub_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "remote/hub_cache.h"

namespace nunchi::remote {
namespace {

constexpr std::size_t most_listing_bytes = 16u << 20;

// Everything but letters, digits and "-._~", slashes too: a revision is one part of an address.
std::string quoted(const std::string& text) {
  std::string result;
  for (const unsigned char c : text) {
    const bool plain = std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
    result += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return result;
}

// What a server says goes to a terminal: printable, and not long.
std::string harmless(std::string text) {
  constexpr std::size_t longest = 200;
  text.resize(std::min(text.size(), longest));
  for (char& c : text) c = static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  return text;
}

// W/"abc" and "abc" are abc. It becomes the name of a file.
std::string checked_etag(const HttpAnswer& answer) {
  std::string etag = answer.header("x-linked-etag").value_or(answer.header("etag").value_or(""));
  if (etag.starts_with("W/")) etag.erase(0, 2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  const bool plain = is_plain_name(etag) && etag.size() <= 128 && std::all_of(etag.begin(), etag.end(), [](char c) {
                       return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
                     });
  if (plain) return etag;
  throw Error(ErrorKind::model,
              fmt::format("{}: expected an ETag that names the content, found \"{}\"", answer.url, harmless(etag)));
}

bool is_redirect(int status) { return status >= 300 && status < 400; }

std::optional<std::uint64_t> size_of(const HttpAnswer& answer) {
  if (const auto linked = answer.number("x-linked-size")) return linked;
  return is_redirect(answer.status) ? std::nullopt : answer.number("content-length");
}

}  // namespace

HubClient::HubClient(const HubSettings& settings)
    : settings_(settings),
      http_({.endpoint = settings.endpoint,
             .token = settings.token,
             .certificates = settings.certificates,
             .answer_timeout = settings.answer_timeout,
             .download_timeout = settings.download_timeout}) {}

void HubClient::refuse(const HttpAnswer& answer, const HubName& name, const std::string& file) const {
  const auto code = answer.header("x-error-code").value_or("");
  const auto said = harmless(answer.header("x-error-message").value_or(""));
  const auto fail = [&](const std::string& text) { throw Error(ErrorKind::model, name.text() + ": " + text); };
  const char* token = settings_.token.empty() ? "no token is set" : "the token that is set does not open it";
  if (code == "GatedRepo") {
    fail(
        fmt::format("its publisher wants to be asked first ({}): accept the conditions at {}/{}, then name a token of "
                    "that account in HF_TOKEN",
                    token, settings_.endpoint, name.repository));
  }
  if (code == "RevisionNotFound") fail(fmt::format("this model has no revision \"{}\"", name.revision));
  if (code == "EntryNotFound") fail(fmt::format("this model has no file {}", file));
  if (said == "Invalid credentials in Authorization header")
    fail(fmt::format("{} refuses the token: renew HF_TOKEN or its file", settings_.endpoint));
  if (code == "RepoNotFound" || answer.status == 401 || answer.status == 404) {
    fail(fmt::format("{} has no such model, or it is private ({}): check the spelling, or name a token in HF_TOKEN",
                     settings_.endpoint, token));
  }
  if (is_passing(answer.status)) {
    throw NetworkError(
        fmt::format("{}: {} answers {} again and again: {}; try again later", name.text(), settings_.endpoint,
                    answer.status, answer.status == 429 ? "too many requests" : "it has trouble of its own"),
        true);
  }
  throw Error(ErrorKind::model, fmt::format("{}: {} answers {}{}{}", name.text(), settings_.endpoint, answer.status,
                                            said.empty() ? "" : ": ", said));
}

RepositoryListing HubClient::listing(const HubName& name, int tries) {
  const std::string url =
      fmt::format("{}/api/models/{}/revision/{}", settings_.endpoint, name.repository, quoted(name.revision));
  auto options = retries();
  options.tries = tries;
  const auto answer = with_retries(options, [&] { return http_.get(url, most_listing_bytes); });
  if (answer.status != 200) refuse(answer, name, "");
  const Json json = parse_json(answer.body, url);
  const auto siblings = json.is_object() ? json.find("siblings") : json.end();
  const bool known = json.is_object() && siblings != json.end() && siblings->is_array() && json.contains("sha") &&
                     json["sha"].is_string() && is_commit(json["sha"].get<std::string>());
  if (!known) {
    throw Error(ErrorKind::model,
                fmt::format("{}: expected the \"sha\" and the \"siblings\" of a model, found neither; "
                            "does HF_ENDPOINT name a hub?",
                            url));
  }
  RepositoryListing listing{.commit = json["sha"].get<std::string>(), .files = {}};
  for (const auto& sibling : *siblings) {
    const auto file = sibling.is_object() ? sibling.find("rfilename") : sibling.end();
    if (sibling.is_object() && file != sibling.end() && file->is_string()) listing.files.push_back(*file);
  }
  return listing;
}

RemoteFile HubClient::describe(const HubName& name, const std::string& commit, const std::string& file) {
  const std::string url = fmt::format("{}/{}/resolve/{}/{}", settings_.endpoint, name.repository, commit, quoted(file));
  const auto answer = with_retries(retries(), [&] { return http_.head(url); });
  if (answer.status != 200 && !is_redirect(answer.status)) refuse(answer, name, file);
  const auto found = answer.header("x-repo-commit");
  if (found != commit) {
    throw Error(
        ErrorKind::model,
        fmt::format("{}: expected commit {}, found {}; does HF_ENDPOINT name a hub, and no proxy stand between?", url,
                    commit, found ? "\"" + harmless(*found) + "\"" : "none"));
  }
  return {.name = file, .etag = checked_etag(answer), .url = url, .size = size_of(answer)};
}

}  // namespace nunchi::remote
