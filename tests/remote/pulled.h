// remote/pulled.h: a hub, an empty cache, and a small model to pull from the one into the other.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/file.h"
#include "core/in_child.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/temporary_folder.h"
#include "remote/file_lock.h"
#include "remote/hub.h"
#include "remote/hub_cache.h"
#include "remote/hub_server.h"

namespace nunchi::remote {

inline std::string random_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

class Pulled : public testing::Test {
 protected:
  Pulled() {
    settings_.cache = folder_ / "hub";
    settings_.endpoint = hub_.endpoint();
    settings_.first_wait = std::chrono::milliseconds(5);
    settings_.answer_timeout = settings_.download_timeout = std::chrono::seconds(20);
    files_ = {{"config.json", R"({"model_type": "vit"})"},
              {"preprocessor_config.json", R"({"size": 224})"},
              {"README.md", "# a model"},
              {"tf_model.h5", "other weights"},
              {"model.safetensors", random_bytes(300'000)},
              {"pytorch_model.bin", random_bytes(1000)}};
    commit_ = hub_.publish("org/name", files_);
  }

  std::filesystem::path pull(const std::string& text = "org/name") {
    return remote::pull(*parse_hub_name(text), {.settings = settings_});
  }
  std::string error_of_pull(const std::string& text = "org/name") {
    return error_of([&] { pull(text); });
  }
  std::string content(const std::filesystem::path& file) { return read_file(file, 1 << 24); }
  std::filesystem::path weights_blob() const {
    return cached_().blob(HubServer::etag_of("model.safetensors", files_.at("model.safetensors")));
  }
  std::filesystem::path weights_part() const { return weights_blob().string() + ".incomplete"; }
  CachedRepository cached_() const { return {settings_.cache, "org/name"}; }

  // All that nunchi reads is there, and intact.
  void expect_whole(const std::filesystem::path& snapshot) {
    for (const auto* name : {"config.json", "preprocessor_config.json", "model.safetensors"})
      EXPECT_EQ(content(snapshot / name), files_.at(name)) << name;
  }

  const TemporaryFolder folder_;
  HubServer hub_;
  HubSettings settings_;
  HubServer::Files files_;
  std::string commit_;
};

}  // namespace nunchi::remote
