// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Looks on at one step and notes when each of its parts began and ended: by the processor's clock, or on a GPU by events in its stream.
// The parts of the forward pass are the plan's steps; those of the backward pass are autograd's functions, each known by its sequence
// number as one that some step of the plan has left behind. Exists for as long as the step; private to the engine.

#include "core/engine/backend/executor.h"
#include "core/engine/look.h"

#include <c10/core/Event.h>

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace torch::autograd {
struct Node;
}

namespace sconce::engine {

class Profiler final : public StepObserver, public std::enable_shared_from_this<Profiler>
{
  public:
    explicit Profiler(at::Device device);
    ~Profiler() override;

    /// Spans open and close like brackets; any thread, one at a time.
    int open(ProfilePhase phase, std::string primitive = {}, std::string name = {}, std::vector<LayerId> layers = {});
    void close(int span);

    void before(const ExecutionPlan& execution, const RunContext& context, std::size_t first, std::size_t count) override;
    void after(const ExecutionPlan& execution, std::size_t step, const at::Tensor& result) override;
    /// From here on what is recorded for the backward pass is the loss's.
    void lossBegins();
    void goingBack(const at::Tensor& root) override;

    /// After the last span was closed. Waits for the GPU.
    std::vector<ProfileSpan> finish();

  private:
    struct Label { ProfilePhase phase = ProfilePhase::Backward; std::string primitive; std::vector<LayerId> layers; };
    struct Range { std::uint64_t first, last; Label label; }; ///< sequence numbers [first, last)
    struct Moment { double seconds = 0; std::optional<c10::Event> event; };
    struct Times { Moment begin, end; };

    Moment now() const;
    double secondsAt(const Moment& moment) const;
    void watch(const std::shared_ptr<torch::autograd::Node>& node);
    Label labelOf(const torch::autograd::Node& node) const;

    const at::Device m_device;
    std::mutex m_mutex; ///< a GPU's backward pass runs on a thread of autograd's
    std::vector<ProfileSpan> m_spans;
    std::vector<Times> m_times;
    std::vector<int> m_open;
    std::vector<Range> m_ranges;  ///< since the last goingBack()
    std::unordered_map<const void*, Label> m_owners; ///< of parameters
    std::unordered_map<std::size_t, int> m_running;  ///< spans of plan steps under way
    std::unordered_set<std::shared_ptr<torch::autograd::Node>> m_watched; ///< kept, so that none comes to lie where another was
};

/// The phases of a step, one after another; does nothing without a profiler.
class PhaseSpan
{
  public:
    PhaseSpan(Profiler* profiler, ProfilePhase phase) : m_profiler(profiler)
    {
        if (m_profiler) m_span = m_profiler->open(phase);
    }
    ~PhaseSpan()
    {
        if (m_profiler) m_profiler->close(m_span);
    }
    PhaseSpan(const PhaseSpan&) = delete;
    PhaseSpan& operator=(const PhaseSpan&) = delete;
    void next(ProfilePhase phase)
    {
        if (!m_profiler) return;
        m_profiler->close(m_span);
        if (phase == ProfilePhase::Loss) m_profiler->lossBegins();
        m_span = m_profiler->open(phase);
    }

  private:
    Profiler* m_profiler;
    int m_span = -1;
};

} // namespace sconce::engine
