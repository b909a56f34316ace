// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The session over torch: session.cpp has its opening and the training step, session_step.cpp that step as a device does it by itself
// and how it is captured, session_inference.cpp what runs without training, session_state.cpp what goes in and out, session_look.cpp what looks closely at a step. Private to the engine.

#include "core/engine/backend/engine_table.h"
#include "core/engine/backend/executor.h"
#include "core/engine/backend/feed.h"
#include "core/engine/backend/loss.h"
#include "core/engine/backend/loss_scale.h"
#include "core/engine/backend/optimiser.h"
#include "core/engine/backend/precision.h"
#include "core/engine/backend/profiler.h"
#include "core/engine/backend/replays.h"
#include "core/engine/backend/step_choice.h"
#include "core/engine/backend/step_numbers.h"

#include <optional>

namespace sconce::engine {

/// What NotFinite errors advise.
inline constexpr const char* remedyForNaN = "Lower the learning rate, or check the data for extreme values.";
/// Among the choices: dropout by torch's generator.
inline constexpr const char* drawnDropout = "drawn";
/// Among the choices: cuDNN measured which way of each convolution is fastest.
inline constexpr const char* tunedConvolutions = "tried by cuDNN at each start";

class SessionImpl final : public Session
{
  public:
    explicit SessionImpl(SessionSpec spec, at::Device device) : m_spec(std::move(spec)), m_device(device) {}
    ~SessionImpl() override;

    Result<void> start();
    Result<void> useData(DatasetPtr data) override;
    Result<void> forward(std::int64_t step, std::span<const std::int64_t> rows) override;
    Result<void> backward() override;
    Result<void> commit(double learningRate) override;
    Result<std::vector<StepMetrics>> takeMetrics() override;
    Result<StepProfile> profileStep(std::int64_t step, std::span<const std::int64_t> rows, double learningRate) override;
    Result<std::vector<TensorNumbers>> numbers(std::int64_t step, std::span<const std::int64_t> rows) override;
    Result<EvaluationTotals> evaluate(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize, const Progress& progress) override;
    Result<std::vector<float>> predict(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize, const Progress& progress) override;
    Result<std::vector<float>> predictRecords(std::span<const std::uint8_t> records, std::int64_t count) override;
    Result<std::vector<float>> run(std::span<const float> inputs, std::int64_t count, bool training) override;
    void setMicroBatch(std::int64_t samples) override;
    Result<std::vector<HostTensor>> weights() const override;
    Result<std::vector<HostTensor>> optimiserState() const override;
    Result<void> setWeights(std::span<const TensorView> tensors) override;
    Result<void> setOptimiserState(std::span<const TensorView> tensors) override;
    Json choices() const override;
    DeviceMemory deviceMemory() const override;

  private:
    enum class Stage { Idle, Forward, Backward };

    void enter() const;
    Result<void> checkMemory() const;
    void makePlans();
    void makeParameters();
    void settlePrecision();
    Result<void> checkRows(Part part, std::span<const std::int64_t> rows) const;
    RunContext context(bool training, std::int64_t step, std::vector<at::Tensor>* staged, const std::vector<at::Tensor>& parameters) const;
    const ExecutionPlan& inferencePlan() const { return m_exact ? *m_exact : m_execution; }
    std::int64_t skippedUntold() const;
    at::Tensor infer(const at::Tensor& input) const;
    at::Tensor asDeclared(const at::Tensor& output) const;
    at::Tensor targets(Part part, std::span<const std::int64_t> rows, const at::Tensor& input, bool reuse);
    void dropStep();
    void forwardPiece();
    ExecutionPlan plainPlan() const;
    std::vector<TensorNumbers> parameterNumbers() const;
    std::vector<TensorNumbers> outputNumbers(std::int64_t step, std::span<const std::int64_t> rows);
    void clip(const std::vector<at::Tensor>& gradients) const;
    void average(const at::Tensor& skip);
    const std::vector<at::Tensor>& shown() const { return m_average.empty() ? m_parameters : m_average; }
    std::vector<std::pair<std::string, at::Tensor>> lastStepsWeights() const;
    std::vector<at::Tensor> gradients() const;
    Error notFinite(const std::vector<at::Tensor>& gradients) const;
    std::vector<at::Tensor> stagedNow() const;
    void adoptStaged(const at::Tensor& skip);
    Result<void> commitOnHost(std::vector<at::Tensor> gradients, double learningRate);
    at::Tensor commitOnDevice(std::vector<at::Tensor> gradients, bool first);
    void committed();
    void forgetPending();
    void tune(bool on) const;
    TensorGroups stepState() const;
    bool drops() const;
    bool countsRows() const;
    std::string whyEager() const;
    void settleStep();
    void recordTogether(std::int64_t steps);
    void settleTogetherAgain();
    void settleTogether(const TensorGroups& start, const StepTrial& one);
    /// A way of doing the steps that wait, so many at a time.
    struct StepWay { std::int64_t together = 1; std::function<void(ToldRows&)> go; };
    StepTrial tryWays(const TensorGroups& start, const StepWay& usual, const StepWay& other);
    void trialStep(std::int64_t number);
    at::Tensor wholeStep();
    Replays::Step recordedStep() { return [this] { return wholeStep(); }; }
    bool mayReplay() const;
    Result<void> replayWaiting() const;
    void dropGraph();
    Result<void> checkDeferred() const;
    Result<void> checkMayLeave() const;
    std::vector<std::pair<std::string, at::Tensor>> named() const;
    template <class Work> Result<void> inBatches(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize,
                                                 const Progress& progress, Work&& work);

    SessionSpec m_spec;
    at::Device m_device;
    PassOptions m_passes;
    Precision m_precision;
    ExecutionPlan m_execution;
    std::optional<ExecutionPlan> m_exact; ///< where training computes in fewer digits: what looks at the model computes in float32
    std::optional<LossScale> m_scale;     ///< float16 only
    std::vector<at::Tensor> m_parameters, m_buffers;
    std::vector<at::Tensor> m_average; ///< of the parameters, where the recipe asks for it
    std::optional<Loss> m_losses;
    std::optional<Optimiser> m_optimiser;
    std::optional<Feed> m_feed;
    std::string m_deviceUuid;
    int m_loopThreads = 1;
    bool m_deferred = false; ///< commits are gated by m_bad and told of later

    // the step under way
    Stage m_stage = Stage::Idle;
    std::int64_t m_step = 0;
    MetricSums m_sums;                ///< of the pieces so far
    std::vector<std::int64_t> m_rows;
    std::size_t m_next = 0;           ///< the first row that no piece has had
    double m_weight = 0;              ///< of the whole batch
    at::Tensor m_piece;               ///< loss of the piece under way
    at::Tensor m_loss, m_sumsOnDevice; ///< of the pieces so far
    std::vector<at::Tensor> m_staged;
    at::Tensor m_found, m_one;        ///< operands of the finite check
    at::Tensor m_bad;                 ///< GPU: 1 from the first faulty step on
    std::vector<StepMetrics> m_pending; ///< of committed steps; where commits are gated, only what the host knows
    /// What those steps told, where commits are gated: loss, bad, with a scale of the loss skipped and that scale, then the sums of
    /// Loss::sumsOnDevice().
    mutable std::optional<ToldRows> m_told; ///< steps that wait to be replayed are when somebody asks
    std::optional<StepNumbers> m_numbers; ///< where commits are gated

    // a step that is done again from a graph
    StepChoice m_choice;
    std::unique_ptr<Replays> m_graph;
    bool m_replays = false;        ///< the step under way
    bool m_staysStaged = false;    ///< the batch lies where the device reads it
    bool m_looking = false;        ///< at gradients, which a graph keeps to itself
    bool m_tuned = false;          ///< GPU: cuDNN tries what is fastest, for batches of the full size
    std::shared_ptr<Profiler> m_profiler; ///< while profileStep() looks on
    mutable std::optional<Error> m_failed; ///< GPU: known after a synchronisation
};

} // namespace sconce::engine
