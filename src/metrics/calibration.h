// metrics/calibration.h: whether a classifier's probabilities mean what they say.
//
//   CalibrationMeter meter;                              // 15 bins
//   for (...) meter.add(probabilities, truth);           // all classes of one picture
//   const Calibration result = meter.result();           // result.expected_error, result.brier
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nunchi::metrics {

// Pictures whose highest probability lies in (low, high].
struct CalibrationBin {
  double low = 0, high = 1;
  std::int64_t count = 0;
  double confidence = 0;  // the mean of the highest probabilities; 0 where there are none
  double accuracy = 0;    // the share that is right
};

struct Calibration {
  std::vector<CalibrationBin> bins;  // of equal width
  double expected_error = 0;  // ECE: mean |accuracy - confidence| over the bins, weighted by count (Guo et al. 2017)
  double maximum_error = 0;   // MCE: the largest of them
  double brier = 0;           // mean over pictures of the squared distance to the truth, 0 to 2 (Brier 1950)
  double negative_log_likelihood = 0;  // mean of -ln(probability of the truth)
};

class CalibrationMeter {
 public:
  explicit CalibrationMeter(int bins = 15);

  // Probabilities of all classes, which sum to one. Of equally probable classes the first is the answer. A truth of
  // probability 0 counts as the smallest positive number.
  void add(std::span<const double> probabilities, std::int64_t truth);

  Calibration result() const;

 private:
  struct Bin {
    std::int64_t count = 0, hits = 0;
    double confidence = 0;
  };
  std::vector<Bin> bins_;
  std::int64_t count_ = 0;
  double brier_ = 0, log_likelihood_ = 0;
};

}  // namespace nunchi::metrics
