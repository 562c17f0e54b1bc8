// explain/search.h: of many vectors those that are most like a query, the most alike first.
//
//   const auto found = nearest({.queries = wanted, .database = all}, 10);     // [q, dim], [n, dim]
//   files[found[0][0].index];                                                 // the best for the first query
//   retrieval({.queries = wanted, .database = all}, classes_of_queries, classes, 10).mean_average_precision;
#pragma once

#include <functional>

#include "metrics/retrieval.h"
#include "ops/tensor.h"

namespace nunchi::explain {

struct Search {
  Tensor queries, database;               // [q, dim], [n, dim]
  std::vector<std::int64_t> itself = {};  // the place of each query in the database, where it is no find; -1, or none
                                          // for all: it is not in it
};

// Calls `use` with each row's number and its cosines with the whole database, [n], a part of the matrix at a time.
// Throws Error (interrupted).
using UseCosines = std::function<void(std::int64_t row, const float* cosines)>;
void for_each_row(const Tensor& rows, const Tensor& database, const UseCosines& use);

struct Neighbor {
  std::int64_t index;
  double cosine;
};

// For each query the k nearest by cosine; fewer where there are no more. Of equal ones the first. Throws Error
// (interrupted).
std::vector<std::vector<Neighbor>> nearest(const Search& search, std::int64_t k);

// How often what is near is of the query's class. classes: of the queries and of the database, in their order.
metrics::Retrieval retrieval(const Search& search, const std::vector<std::string>& of_queries,
                             const std::vector<std::string>& of_database, std::int64_t k);

}  // namespace nunchi::explain
