#include "draw/matrix.h"

#include "core/assert.h"
#include "draw/heat_map_chart.h"

namespace nunchi::draw {

Drawing drawing(const SimilarityMatrix& matrix, const Theme& theme) {
  const std::size_t count = matrix.names.size();
  ASSERT(count > 0 && matrix.values.size() == count * count, "a matrix has a value for each two names");
  const bool thumbnails = !matrix.thumbnails.empty();
  return drawing(HeatMapChart{.title = matrix.title,
                              .subtitle = matrix.subtitle,
                              .rows = matrix.names,
                              // The pictures above say it; without them the names do.
                              .columns = thumbnails ? std::vector<std::string>(count) : matrix.names,
                              .values = matrix.values,
                              .row_thumbnails = matrix.thumbnails,
                              .column_thumbnails = matrix.thumbnails,
                              .least = matrix.least,
                              .greatest = matrix.greatest,
                              .colors = matrix.colors,
                              .width = matrix.width},
                 theme);
}

}  // namespace nunchi::draw
