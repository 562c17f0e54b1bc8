#include "explain/search.h"

#include <algorithm>
#include <numeric>

#include "core/assert.h"
#include "core/interrupt.h"
#include "explain/correspondence.h"

namespace nunchi::explain {
namespace {

constexpr std::int64_t rows_at_a_time = 256;  // of the matrix of cosines, which as a whole may be large

// Calls `use` for each query with its number, its cosines [n] and the places in the database, of which the first
// `sorted` are in order.
template <class Use>
void for_each_query(const Search& search, std::int64_t sorted, const Use& use) {
  std::vector<std::int64_t> order;
  for_each_row(search.queries, search.database, [&](std::int64_t row, const float* cosines) {
    const auto query = static_cast<std::size_t>(row);
    order.resize(static_cast<std::size_t>(search.database.size(0)));
    std::iota(order.begin(), order.end(), 0);
    if (!search.itself.empty() && search.itself[query] >= 0) order.erase(order.begin() + search.itself[query]);
    const auto end = order.begin() + std::min(sorted, std::ssize(order));
    std::ranges::partial_sort(
        order, end, [&](auto a, auto b) { return cosines[a] != cosines[b] ? cosines[a] > cosines[b] : a < b; });
    use(query, cosines, order);
  });
}

}  // namespace

void for_each_row(const Tensor& rows, const Tensor& database, const UseCosines& use) {
  for (std::int64_t begin = 0; begin < rows.size(0); begin += rows_at_a_time) {
    throw_if_stopped();
    const Tensor block = patch_cosines(rows.slice(0, begin, begin + rows_at_a_time), database).contiguous();
    for (std::int64_t i = 0; i < block.size(0); ++i) use(begin + i, block.const_data_ptr<float>() + i * block.size(1));
  }
}

std::vector<std::vector<Neighbor>> nearest(const Search& search, std::int64_t k) {
  std::vector<std::vector<Neighbor>> all;
  for_each_query(search, k, [&](std::size_t, const float* cosines, const std::vector<std::int64_t>& order) {
    auto& neighbors = all.emplace_back();
    for (std::int64_t i = 0; i < std::min(k, std::ssize(order)); ++i) {
      const auto index = order[static_cast<std::size_t>(i)];
      neighbors.push_back({index, cosines[index]});
    }
  });
  return all;
}

metrics::Retrieval retrieval(const Search& search, const std::vector<std::string>& of_queries,
                             const std::vector<std::string>& of_database, std::int64_t k) {
  const auto n = search.database.size(0);
  ASSERT(std::ssize(of_queries) == search.queries.size(0) && std::ssize(of_database) == n, "each has a class");
  metrics::RetrievalMeter meter(k);
  for_each_query(search, n, [&](std::size_t query, const float*, const std::vector<std::int64_t>& order) {
    std::vector<bool> relevant;
    for (const auto index : order)
      relevant.push_back(of_database[static_cast<std::size_t>(index)] == of_queries[query]);
    meter.add(relevant);
  });
  return meter.result();
}

}  // namespace nunchi::explain
