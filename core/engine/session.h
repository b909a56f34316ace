// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The engine as the rest of Sconce sees it, free of torch: a plan with its parameters on a device, fed from a data set,
// trained a step at a time. A step is a transaction (rule 6): forward() and backward() leave no trace, commit() changes
// parameters, optimiser state, running statistics and counters at once and only if loss and gradients are finite.
// Owned by the trainer (or an evaluation); every call comes from one thread. No exception leaves it.

#include "core/base/histogram.h"
#include "core/base/result.h"
#include "core/base/tensor_view.h"
#include "core/data/dataset.h"
#include "core/data/scaling.h"
#include "core/data/split.h"
#include "core/engine/look.h"
#include "core/model/primitives.h"
#include "core/recipe/task.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sconce {

/// How a step is made of the batch's gradients (recipe: training options).
struct StepSettings
{
    std::int64_t microBatch = 0;      ///< samples at once; 0: the whole batch
    double clipNorm = 0, clipValue = 0; ///< 0: never
    double averageDecay = 0;          ///< of the weights' running average; 0: none
    bool channelsLast = true, poolsFirst = true, fuse = true, fusedOptimiser = true, countedDropout = true; ///< off switches of automatic choices
    bool record = true, autotune = true, resident = true; ///< the same, of a GPU: a step recorded once and replayed, convolutions chosen by measuring, data kept there
    bool deterministic = false;       ///< refuse what a GPU would sum in another order each time
    std::string precision = "float32"; ///< of products while training: float32, tf32, bf16, fp16, auto (recipe: precision)
    double firstScale = 65536;        ///< fp16: what the loss is multiplied by before the backward pass, at the start
    std::int64_t scaleGrowsAfter = 2000; ///< fp16: steps without an overflow after which that is doubled
    bool recompute = false;           ///< what lies inside of blocks is computed again for the backward pass, not kept
    std::int64_t batch = 0;           ///< rows to measure automatic choices with; 0: nothing is measured
};
StepSettings stepSettings(const TrainingSettings& training);

struct SessionSpec
{
    Plan plan;
    Configured task;
    InputSettings input;
    Augmentation augmentation;  ///< of the pictures that are trained on
    std::int64_t stepsPerEpoch = 0; ///< in which pictures are changed anew; 0: never
    Scaling scaling;            ///< of a table's numbers, and of the numbers to be predicted
    TargetCounts counts;        ///< of the rows that are trained on, for balanced weights; without samples, of the whole training part
    StepSettings step;
    Configured optimiser;    ///< type empty: no training, no optimiser state
    std::string device = "cpu"; ///< "cpu" or "cuda:N"; "auto" must be resolved before (engine/devices.h)
    int threads = 1;
    std::uint64_t seed = 0;
    Json choices;               ///< of an earlier attempt (Session::choices()): taken over, not made anew; null: none
};

/// What one training step gave. Known after takeMetrics().
struct StepMetrics : MetricSums
{
    std::int64_t step = 0;
    double loss = 0;      ///< mean over the batch (of a text: over its symbols)
    bool skipped = false; ///< fp16: its gradients overflowed the scale, so nothing was changed but the scale, which is lower now
    double scale = 0;     ///< fp16: of the loss, behind this step; 0 where there is none
};

struct EvaluationTotals : MetricSums
{
    double loss = 0; ///< mean over all rows
    double accuracy() const { return count ? static_cast<double>(correct) / static_cast<double>(count) : 0; }
};

class Session
{
  public:
    /// Allocates parameters on the device and starts them from the seed (rule 7). Asserts per tensor that it lives there.
    static Result<std::unique_ptr<Session>> open(SessionSpec spec);
    virtual ~Session() = default;

    /// Where samples come from. The data set must outlive the session.
    virtual Result<void> useData(DatasetPtr data) = 0;

    // ---- one step, in this order ----
    /// Gathers the rows, scales them, runs the plan in training mode and the loss. `step` (0-based) keys dropout. With micro-batches
    /// this is the first of them; backward() makes the others.
    virtual Result<void> forward(std::int64_t step, std::span<const std::int64_t> rows) = 0;
    /// The gradients of the whole batch.
    virtual Result<void> backward() = 0;
    /// The optimiser's step. NotFinite, with nothing changed, if loss or a gradient is NaN or infinite. In float16 gradients that
    /// overflow are first met by a lower scale: the step is skipped (StepMetrics::skipped), and all is well. Where steps are replayed
    /// from a graph, this one may only be noted, forward() and backward() with it, and made together with later ones, at the latest
    /// when somebody asks for anything else of the session: who asks may then be told what went wrong with it.
    virtual Result<void> commit(double learningRate) = 0;

    /// Metrics of all committed steps since the last call, oldest first; synchronises the device. On a GPU commit() does not
    /// wait for the finite check (a flag on the device gates it and everything after it), so NotFinite may come from here,
    /// from weights(), optimiserState(), evaluate() or predict() instead: the state is that before the faulty step, and the
    /// session refuses to go on. Steps of the same call that were good are handed out first; the next call then says NotFinite.
    /// Once it has been said here, weights() and optimiserState() give the state before the faulty step, for a last checkpoint.
    virtual Result<std::vector<StepMetrics>> takeMetrics() = 0;

    // ---- looking closely at a step ----
    /// A whole step, forward to commit, with the time and the memory of its parts. It is slower than others by what looking costs,
    /// some microseconds a part. Errors as of the three.
    virtual Result<StepProfile> profileStep(std::int64_t step, std::span<const std::int64_t> rows, double learningRate) = 0;
    /// How the numbers are spread that this step would meet: of every parameter, of every gradient of the batch before anything is done
    /// with it, and of what each layer puts out for the batch, as the recipe has its layers (fused and rewritten blocks are taken apart
    /// for it); an output is called by the id of its layer. A gradient or output may be NaN: it is counted, no error. Leaves no trace, as a step that is not committed does;
    /// takes the time of about three steps. By parameters in the order of the plan, then by layers.
    virtual Result<std::vector<TensorNumbers>> numbers(std::int64_t step, std::span<const std::int64_t> rows) = 0;

    // ---- without training: always in float32, whatever training computes in ----
    /// Called between batches with rows done; returns false to cancel (Cancelled).
    using Progress = std::function<bool(std::int64_t done)>;
    virtual Result<EvaluationTotals> evaluate(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize, const Progress& progress) = 0;
    /// Answers, row-major [rows, outputs]: probabilities of the classes (both, where the task is yes or no), the number predicted in
    /// the data's own units, the input given back, as the network is fed it, or of a text those of the next symbol, at each place.
    virtual Result<std::vector<float>> predict(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize, const Progress& progress) = 0;
    /// The same for records given as bytes (count × recordBytes; of a text without the symbol behind), e.g. a drawn digit.
    virtual Result<std::vector<float>> predictRecords(std::span<const std::uint8_t> records, std::int64_t count) = 0;
    /// The raw output of the plan for float inputs already prepared, [count, input…] → [count, output…]; for tests and exporters.
    virtual Result<std::vector<float>> run(std::span<const float> inputs, std::int64_t count, bool training) = 0;

    // ---- state ----
    /// After OutOfMemory: fewer samples at once from now on, with the same batch and the same result, but for batch normalisation. Gives memory back to the
    /// device. 0: the whole batch.
    virtual void setMicroBatch(std::int64_t samples) = 0;
    /// Parameters and buffers by their names in the plan. Where weights are averaged, these are the averages (also what evaluate()
    /// and predict() use), and the optimiser's state holds the weights of the last step.
    virtual Result<std::vector<HostTensor>> weights() const = 0;
    /// Optimiser state ("adam.exp_avg/conv1.weight", …) and its counters.
    virtual Result<std::vector<HostTensor>> optimiserState() const = 0;
    /// Names, dtypes and shapes must match the plan's exactly; Corrupt otherwise, with nothing changed.
    virtual Result<void> setWeights(std::span<const TensorView> tensors) = 0;
    virtual Result<void> setOptimiserState(std::span<const TensorView> tensors) = 0;

    /// What was resolved automatically (rule 8): layout, threads, precision, fused optimiser …, for the run's record and for resume.
    /// Complete once the data are known: what is measured is measured in useData().
    virtual Json choices() const = 0;
    /// Memory held on the device now and at its peak, bytes; zeros on the CPU.
    struct DeviceMemory { std::uint64_t allocated = 0, reserved = 0, peak = 0; };
    virtual DeviceMemory deviceMemory() const = 0;
};

} // namespace sconce
