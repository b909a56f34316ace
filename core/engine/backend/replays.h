// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Steps that are replayed from a graph. They wait until there are as many as were recorded together, and are replayed at once; or somebody
// asks before that what they came to, and they are replayed one by one. What the host knows of a step waits with it, at a place of its
// own: the batch, the rate, the numbers of step and update. Private to the engine: owned by a session, and used by its thread alone.

#include "core/engine/backend/feed.h"
#include "core/engine/backend/step_graph.h"
#include "core/engine/backend/step_numbers.h"

namespace sconce::engine {

class Replays
{
  public:
    /// A step, from what is staged at the place in use to what it tells ({width} doubles).
    using Step = std::function<at::Tensor()>;

    /// For batches of `rows`; feed and numbers must outlive it.
    Replays(std::unique_ptr<StepGraph> graph, std::int64_t rows, std::int64_t width, Target target, Feed& feed, StepNumbers& numbers, at::Device device);

    std::int64_t rows() const { return m_rows; }
    std::int64_t most() const { return m_most; }         ///< steps that may wait: the staged batches must fit into memory
    std::int64_t together() const { return m_together; } ///< of a replay, as it is now
    std::int64_t waiting() const { return m_waiting; }
    bool full() const { return m_waiting >= m_together; }

    /// Notes one step; later, beside it, several in one. So many must wait, for somewhere the work may be done to be noted. Throws what
    /// StepGraph::record() throws, and is as before then, but that nothing waits any more.
    void record(std::int64_t steps, const Step& step);
    /// Of a graph of several nothing more is wanted: they are replayed one by one.
    void oneByOne();
    /// At most most() may wait.
    void add(std::span<const std::int64_t> rows, std::int64_t step, double rate, std::int64_t update);
    void forget() { m_waiting = 0; }
    /// All that wait, in order; does not wait for the device. If it throws they are gone.
    void replay(ToldRows& told);
    /// The same by doing each step again, operator by operator: to compare with.
    void doAgain(const Step& step, ToldRows& told);
    /// Does the one that waits where it will be recorded.
    void warmUp(const Step& step);
    /// Waits for the device and tells the time, in seconds.
    double finished() { return m_graph->finished(); }

  private:
    std::int64_t send();
    void perform(std::int64_t steps, const Step& step);

    std::unique_ptr<StepGraph> m_graph;
    std::int64_t m_rows, m_most, m_together = 1, m_waiting = 0;
    Target m_target;
    Feed& m_feed;
    StepNumbers& m_numbers;
    at::Tensor m_told; ///< [most, width]: of the replay under way, where the graph writes it
    std::size_t m_one = 0, m_several = 0; ///< pieces of the graph
};

} // namespace sconce::engine
