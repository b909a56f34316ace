// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From the raw numbers of a run to what a plot is given: x in steps, epochs or seconds, running means that are carried on
// instead of computed anew, and at most a few thousand points however long the run. Pure values; the window's thread.

#include "ui/services/studio.h"

#include <vector>

namespace sconce::ui {

enum class XMode { Step, Epoch, Time };

/// x of the i-th training step. Steps count from 1 here, as people count them; epoch 1.0 is the end of the first.
double xOfIndex(const LiveRun& live, XMode mode, std::size_t index);
/// x of a step index of a series (0-based), e.g. of a validation.
double xOfStep(const LiveRun& live, XMode mode, double step);
/// x of a moment of run time: between steps it moves with the clock.
double xOfSeconds(const LiveRun& live, XMode mode, double seconds);
/// And back: steps done (1-based, fractional) and run time at an x.
double stepAtX(const LiveRun& live, XMode mode, double x);
double secondsAtX(const LiveRun& live, XMode mode, double x);
/// The largest x there is; 0 for none.
double lastX(const LiveRun& live, XMode mode);

struct Points { std::vector<double> x, y; };

/// Where the extremes of a growing series stand, group by group, so that drawing a long run looks at its groups and not at each
/// of its points. Complete groups only; follow() takes what is new.
class Extremes
{
  public:
    static constexpr std::size_t group = 64, none = static_cast<std::size_t>(-1);
    /// Takes what is new in y; starts over where y was cut or replaced.
    void follow(const std::vector<double>& y);
    void reset() { m_groups.clear(); }
    struct Found { std::size_t low = none, high = none, odd = none; }; ///< indices; odd: the last that is not finite
    /// Of y[begin, end): the same that looking at every point would find.
    Found in(const std::vector<double>& y, std::size_t begin, std::size_t end) const;

  private:
    std::vector<Found> m_groups;
    double m_firstSeen = 0, m_lastSeen = 0;
};

/// Minimum and maximum (and any NaN) of each of at most `buckets` equal groups of steps within [from, to]; all points where there
/// are few. What lies just outside is kept, so that lines run to the edge.
/// `known`: Extremes that followed y; without them every point is looked at.
Points envelope(const LiveRun& live, XMode mode, const std::vector<double>& y, double from, double to, int buckets, const Extremes* known = nullptr);
/// The last value of each group: for smooth curves.
Points thinned(const LiveRun& live, XMode mode, const std::vector<double>& y, double from, double to, int buckets);

/// An exponential moving average with the start bias removed, continued as values arrive.
class RunningMean
{
  public:
    explicit RunningMean(double weight = 0.97) : m_weight(weight) {}
    void setWeight(double weight);
    /// Takes what is new in y; starts over where y was cut or replaced.
    const std::vector<double>& follow(const std::vector<double>& y);
    const std::vector<double>& values() const { return m_values; }
    void reset();

  private:
    double m_weight;
    double m_sum = 0, m_norm = 0;
    double m_firstSeen = 0, m_lastSeen = 0;
    std::vector<double> m_values;
};

/// Round steps for an axis: 1, 2 or 5 times a power of ten, at most `count` of them over the span. Seconds prefer 15, 30, 60 …
double roundStep(double span, int count, bool seconds);

} // namespace sconce::ui
