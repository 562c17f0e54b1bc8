// fuzz/targets.h: one function per parser of bytes that come from strangers. libFuzzer calls them with what it makes up
// (tests/fuzz/run), the ordinary tests with the files of tests/fuzz/corpus.
//
//   nunchi::fuzz::safetensors(bytes);      // must return: no crash, no leak, no exception but Error
#pragma once

#include <cstddef>
#include <span>

namespace nunchi::fuzz {

void safetensors(std::span<const std::byte> bytes);
void npy(std::span<const std::byte> bytes);
void shard_index(std::span<const std::byte> bytes);
void zip(std::span<const std::byte> bytes);
void pickle(std::span<const std::byte> bytes);
void image(std::span<const std::byte> bytes);

}  // namespace nunchi::fuzz
