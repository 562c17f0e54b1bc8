// remote/hub_name.h: the name of a model on a hub, "organisation/name" or "organisation/name@revision".
//
//   const auto name = parse_hub_name("google/vit-base-patch16-224@refs/pr/3");
//   name->repository;   // "google/vit-base-patch16-224"
//   name->revision;     // "refs/pr/3"; "main" where none is given
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nunchi::remote {

struct HubName {
  std::string repository;
  std::string revision = "main";  // a branch, a tag, "refs/pr/3", or a commit

  std::string text() const { return revision == "main" ? repository : repository + "@" + revision; }
};

// Nothing where the text is no such name: both parts of the repository are letters, digits, '.', '_' and '-' with a
// letter, digit or '_' at their ends, without "--" and ".."; the revision is one that git allows. A name that ends as
// files of weights do is none.
std::optional<HubName> parse_hub_name(std::string_view text);

bool is_commit(std::string_view revision);               // 40 lower-case hexadecimal digits
bool is_hex(std::string_view text, std::size_t digits);  // exactly so many, lower case

}  // namespace nunchi::remote
