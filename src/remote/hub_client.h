// remote/hub_client.h: what a hub says about a model: its commit, its files, their hashes and sizes; and its refusals
// in words that help.
//
//   HubClient hub(settings);
//   const auto listing = hub.listing(name, /*tries*/ 5);
//   const auto file = hub.describe(name, listing.commit, "model.safetensors");
#pragma once

#include <string>
#include <vector>

#include "remote/http.h"
#include "remote/hub_name.h"
#include "remote/hub_settings.h"
#include "remote/retry.h"

namespace nunchi::remote {

struct RepositoryListing {
  std::string commit;
  std::vector<std::string> files;  // as the hub names them, not checked
};

struct RemoteFile {
  std::string name, etag, url;
  std::optional<std::uint64_t> size;  // hubs say it; some mirrors do not
};

class HubClient {
 public:
  explicit HubClient(const HubSettings& settings);

  // Throw NetworkError where the hub cannot be reached or keeps answering 429 or 5xx; Error (model) where there is no
  // such repository, revision or file, where it is gated or private, or where the answer is not a hub's.
  RepositoryListing listing(const HubName& name, int tries);
  RemoteFile describe(const HubName& name, const std::string& commit, const std::string& file);

  HttpClient& http() { return http_; }
  RetryOptions retries() const { return {.first_wait = settings_.first_wait}; }

  // Throws what `answer` says: for every status but 200 and 206.
  [[noreturn]] void refuse(const HttpAnswer& answer, const HubName& name, const std::string& file) const;

 private:
  HubSettings settings_;
  HttpClient http_;
};

}  // namespace nunchi::remote
