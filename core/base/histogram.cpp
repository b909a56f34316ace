// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/histogram.h"

#include <algorithm>
#include <cmath>

namespace sconce {

void HistogramBuilder::range(std::span<const float> values)
{
    float low = std::numeric_limits<float>::infinity(), high = -low;
    std::int64_t zeros = 0, strange = 0;
    double sum = 0;
    for (const float value : values) {
        if (!std::isfinite(value)) {
            ++strange;
            continue;
        }
        zeros += value == 0;
        low = std::min(low, value);
        high = std::max(high, value);
        sum += static_cast<double>(value);
    }
    m_result.count += static_cast<std::int64_t>(values.size());
    m_result.zeros += zeros;
    m_result.nonFinite += strange;
    m_sum += sum;
    if (low > high) return;
    m_result.min = std::isnan(m_result.min) ? double(low) : std::min(m_result.min, double(low));
    m_result.max = std::isnan(m_result.max) ? double(high) : std::max(m_result.max, double(high));
}

void HistogramBuilder::beginPlacing()
{
    if (m_placing) return;
    m_placing = true;
    const std::int64_t finite = m_result.count - m_result.nonFinite;
    if (finite == 0) return;
    m_result.mean = m_sum / static_cast<double>(finite);
    m_result.bins.assign(Histogram::binCount, 0);
}

void HistogramBuilder::place(std::span<const float> values)
{
    beginPlacing();
    if (m_result.bins.empty()) return;
    const double width = m_result.max - m_result.min, perUnit = width > 0 ? Histogram::binCount / width : 0;
    double squares = 0;
    for (const float value : values) {
        if (!std::isfinite(value)) continue;
        const double off = static_cast<double>(value) - m_result.mean;
        squares += off * off;
        const auto bin = static_cast<std::size_t>((static_cast<double>(value) - m_result.min) * perUnit);
        ++m_result.bins[std::min(bin, m_result.bins.size() - 1)];
    }
    m_squares += squares;
}

Histogram HistogramBuilder::finish()
{
    beginPlacing();
    if (!m_result.bins.empty()) m_result.deviation = std::sqrt(m_squares / static_cast<double>(m_result.count - m_result.nonFinite));
    return m_result;
}

const char* kindName(TensorNumbers::Kind kind)
{
    switch (kind) {
    case TensorNumbers::Kind::Weight: return "weight";
    case TensorNumbers::Kind::Gradient: return "gradient";
    case TensorNumbers::Kind::Activation: break;
    }
    return "activation";
}

Histogram histogramOf(std::span<const float> values)
{
    HistogramBuilder builder;
    builder.range(values);
    builder.place(values);
    return builder.finish();
}

} // namespace sconce
