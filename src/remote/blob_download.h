// remote/blob_download.h: brings one file of a hub into the cache's blobs: whole, checked, once.
//
//   bring_blob(hub, name, file, cached, [&](std::uint64_t bytes) { done += bytes; });
#pragma once

#include <cstdint>
#include <functional>

#include "remote/hub_cache.h"
#include "remote/hub_client.h"

namespace nunchi::remote {

// Called with how many bytes of the file are there; the count falls where a part has to come again.
using BytesHere = std::function<void(std::uint64_t)>;

// The blob of `file` where it is not there yet. What an earlier call left in ETAG.incomplete is kept and the rest asked
// for; a broken connection is tried again, up to five times without a new byte. The content must have the hash that the
// ETag is: if not, all of it is thrown away and brought once more. The lock of the blob must be held.
//
// Throws as HubClient does; Error (model) where the second copy is damaged too; Error (input) where the disk is full.
// After any error but damage the part stays.
void bring_blob(HubClient& hub, const HubName& name, const RemoteFile& file, const CachedRepository& cached,
                const BytesHere& bytes_here);

}  // namespace nunchi::remote
