// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A pile of numbers in a few: range, mean, deviation, share of zeros, and how they are spread over equal bins. Values that are no
// numbers are counted, and left out of all the rest. Pure; any thread.

#include "core/base/ids.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace sconce {

struct Histogram
{
    static constexpr int binCount = 64;
    std::int64_t count = 0;     ///< all values
    std::int64_t zeros = 0;     ///< of both signs
    std::int64_t nonFinite = 0; ///< NaN and infinities
    double min = std::numeric_limits<double>::quiet_NaN(), max = min; ///< of the finite ones; NaN where there is none
    double mean = min;
    double deviation = min;     ///< of the whole population: divided by the number of values
    /// binCount of them, equally wide from min to max, each with its lower edge and the last with both; they add up to count - nonFinite.
    /// Where all values are equal they lie in the first. Empty where there is no finite one.
    std::vector<std::int64_t> bins;

    double zeroShare() const { return count > 0 ? static_cast<double>(zeros) / static_cast<double>(count) : 0; }
    bool operator==(const Histogram&) const = default; ///< NaN differs from itself
};

/// Goes over the values twice, for their range and then for their places: all of them with range(), then all again, in any pieces, with
/// place().
class HistogramBuilder
{
  public:
    void range(std::span<const float> values);
    void place(std::span<const float> values);
    Histogram finish();

  private:
    void beginPlacing();
    Histogram m_result;
    double m_sum = 0, m_squares = 0;
    bool m_placing = false;
};

Histogram histogramOf(std::span<const float> values);

/// How the numbers of one tensor of a network are spread.
struct TensorNumbers
{
    enum class Kind { Weight, Gradient, Activation } kind = Kind::Weight;
    LayerId layer;
    std::string name; ///< of a parameter "conv1.weight", of an activation its layer's name
    std::vector<std::int64_t> shape; ///< of an activation with the batch first
    Histogram numbers;
};
const char* kindName(TensorNumbers::Kind kind); ///< "weight", "gradient", "activation"

} // namespace sconce
