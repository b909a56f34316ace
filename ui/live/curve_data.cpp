// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/curve_data.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sconce::ui {

namespace {

double stepsPerEpoch(const LiveRun& live) { return static_cast<double>(std::max<std::int64_t>(1, live.stepsPerEpoch)); }

/// Steps done at a moment; the run's seconds never fall.
double stepAtSeconds(const LiveRun& live, double seconds)
{
    const auto& s = live.seconds;
    if (s.empty()) return 0;
    const auto at = std::upper_bound(s.begin(), s.end(), seconds);
    const auto done = static_cast<std::size_t>(at - s.begin());
    if (done >= s.size()) return static_cast<double>(s.size());
    const double before = done > 0 ? s[done - 1] : 0;
    const double width = s[done] - before;
    return static_cast<double>(done) + (width > 0 ? std::clamp((seconds - before) / width, 0.0, 1.0) : 0.0);
}

double secondsAtStep(const LiveRun& live, double step)
{
    const auto& s = live.seconds;
    if (s.empty() || step <= 0) return 0;
    const auto whole = static_cast<std::size_t>(std::min(step, static_cast<double>(s.size())));
    const double before = whole > 0 ? s[whole - 1] : 0;
    if (whole >= s.size()) return before;
    return before + (s[whole] - before) * (step - static_cast<double>(whole));
}

/// The steps whose x lies in [from, to], and one more on either side.
std::pair<std::size_t, std::size_t> visible(const LiveRun& live, XMode mode, std::size_t count, double from, double to)
{
    const auto bound = [&](double x) {
        return static_cast<std::size_t>(std::clamp(std::floor(stepAtX(live, mode, x)) - 1, 0.0, static_cast<double>(count)));
    };
    const std::size_t first = bound(from);
    const std::size_t last = std::min(count, bound(to) + 3);
    return {first > 0 ? first - 1 : 0, std::max(first, last)};
}

} // namespace

double xOfStep(const LiveRun& live, XMode mode, double step)
{
    const double done = step + 1;
    switch (mode) {
    case XMode::Step: return done;
    case XMode::Epoch: return done / stepsPerEpoch(live);
    case XMode::Time: return secondsAtStep(live, done);
    }
    return 0;
}

double xOfIndex(const LiveRun& live, XMode mode, std::size_t index)
{
    if (mode == XMode::Time) return index < live.seconds.size() ? live.seconds[index] : 0;
    return xOfStep(live, mode, live.trainStep[index]);
}

double xOfSeconds(const LiveRun& live, XMode mode, double seconds)
{
    if (mode == XMode::Time) return seconds;
    const double step = stepAtSeconds(live, seconds);
    return mode == XMode::Step ? step : step / stepsPerEpoch(live);
}

double stepAtX(const LiveRun& live, XMode mode, double x)
{
    switch (mode) {
    case XMode::Step: return x;
    case XMode::Epoch: return x * stepsPerEpoch(live);
    case XMode::Time: return stepAtSeconds(live, x);
    }
    return 0;
}

double secondsAtX(const LiveRun& live, XMode mode, double x) { return mode == XMode::Time ? x : secondsAtStep(live, stepAtX(live, mode, x)); }

double lastX(const LiveRun& live, XMode mode)
{
    double x = live.trainStep.empty() ? 0 : xOfIndex(live, mode, live.trainStep.size() - 1);
    if (!live.valStep.empty()) x = std::max(x, xOfStep(live, mode, live.valStep.back()));
    return x;
}

namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void look(const std::vector<double>& y, std::size_t i, Extremes::Found& found)
{
    if (!std::isfinite(y[i])) {
        found.odd = i;
        return;
    }
    if (found.low == Extremes::none || y[i] < y[found.low]) found.low = i;
    if (found.high == Extremes::none || y[i] > y[found.high]) found.high = i;
}

} // namespace

void Extremes::follow(const std::vector<double>& y)
{
    const std::size_t seen = m_groups.size() * group;
    if (seen > y.size() || (seen > 0 && (!same(y.front(), m_firstSeen) || !same(y[seen - 1], m_lastSeen)))) reset();
    for (std::size_t begin = m_groups.size() * group; begin + group <= y.size(); begin += group) {
        Found found;
        for (std::size_t i = begin; i < begin + group; ++i) look(y, i, found);
        m_groups.push_back(found);
    }
    if (m_groups.empty()) return;
    m_firstSeen = y.front();
    m_lastSeen = y[m_groups.size() * group - 1];
}

Extremes::Found Extremes::in(const std::vector<double>& y, std::size_t begin, std::size_t end) const
{
    Found found;
    for (std::size_t i = begin; i < end;) {
        if (i % group != 0 || i + group > end || i / group >= m_groups.size()) {
            look(y, i++, found);
            continue;
        }
        const Found& whole = m_groups[i / group];
        if (whole.low != none) {
            look(y, whole.low, found);
            look(y, whole.high, found);
        }
        if (whole.odd != none) found.odd = whole.odd;
        i += group;
    }
    return found;
}

Points envelope(const LiveRun& live, XMode mode, const std::vector<double>& y, double from, double to, int buckets, const Extremes* known)
{
    const auto [first, last] = visible(live, mode, std::min(y.size(), live.trainStep.size()), from, to);
    Points out;
    const std::size_t count = last - first;
    const auto put = [&](std::size_t i) {
        out.x.push_back(xOfIndex(live, mode, i));
        out.y.push_back(y[i]);
    };
    if (count <= static_cast<std::size_t>(2 * buckets)) {
        for (std::size_t i = first; i < last; ++i) put(i);
        return out;
    }
    // Powers of two keep their borders until the run is twice as long: a curve that is drawn already does not flicker.
    const std::size_t size = std::bit_ceil((count + static_cast<std::size_t>(buckets) - 1) / static_cast<std::size_t>(buckets));
    static const Extremes unknown;
    for (std::size_t begin = first / size * size; begin < last; begin += size) {
        const Extremes::Found found = (known ? *known : unknown).in(y, std::max(begin, first), std::min(last, begin + size));
        std::size_t points[] = {found.low, found.high, found.odd};
        std::sort(std::begin(points), std::end(points));
        for (std::size_t i = 0; i < 3; ++i) {
            if (points[i] != Extremes::none && (i == 0 || points[i] != points[i - 1])) put(points[i]);
        }
    }
    return out;
}

Points thinned(const LiveRun& live, XMode mode, const std::vector<double>& y, double from, double to, int buckets)
{
    const auto [first, last] = visible(live, mode, std::min(y.size(), live.trainStep.size()), from, to);
    Points out;
    const std::size_t size = std::max<std::size_t>(1, (last - first + static_cast<std::size_t>(buckets) - 1) / static_cast<std::size_t>(buckets));
    const auto put = [&](std::size_t i) {
        out.x.push_back(xOfIndex(live, mode, i));
        out.y.push_back(y[i]);
    };
    if (first < last && first % size != 0) put(first);
    for (std::size_t i = (first + size - 1) / size * size; i < last; i += size) put(i);
    if (first < last && (last - 1) % size != 0) put(last - 1);
    return out;
}

void RunningMean::setWeight(double weight)
{
    if (weight == m_weight) return;
    m_weight = weight;
    reset();
}

void RunningMean::reset()
{
    m_sum = m_norm = 0;
    m_values.clear();
}

const std::vector<double>& RunningMean::follow(const std::vector<double>& y)
{
    if (y.size() < m_values.size() || (!m_values.empty() && (!same(y.front(), m_firstSeen) || !same(y[m_values.size() - 1], m_lastSeen)))) reset();
    for (std::size_t i = m_values.size(); i < y.size(); ++i) {
        if (std::isfinite(y[i])) {
            m_sum = m_weight * m_sum + (1 - m_weight) * y[i];
            m_norm = m_weight * m_norm + (1 - m_weight);
        }
        m_values.push_back(m_norm > 0 ? m_sum / m_norm : y[i]);
    }
    if (!y.empty()) {
        m_firstSeen = y.front();
        m_lastSeen = y.back();
    }
    return m_values;
}

double roundStep(double span, int count, bool seconds)
{
    if (!(span > 0) || count < 1) return 1;
    const double least = span / count;
    if (seconds && least > 1) {
        for (const double step : {2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400}) {
            if (step >= least) return step;
        }
    }
    const double power = std::pow(10, std::floor(std::log10(least)));
    for (const double factor : {1, 2, 5, 10}) {
        if (factor * power >= least * (1 - 1e-9)) return factor * power;
    }
    return 10 * power;
}

} // namespace sconce::ui
