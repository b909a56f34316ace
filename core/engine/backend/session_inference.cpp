// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/session_impl.h"

#include "core/engine/backend/failure.h"
#include "core/engine/backend/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace sconce::engine {

using at::Tensor;

Tensor SessionImpl::infer(const Tensor& input) const
{
    tune(false);
    return runPlan(inferencePlan(), input, context(false, 0, nullptr, shown()));
}

/// What the plan as given puts out: with the softmax or sigmoid that a pass took off.
Tensor SessionImpl::asDeclared(const Tensor& output) const
{
    switch (m_execution.outputKind) {
    case OutputKind::Probabilities: return at::softmax(output, -1);
    case OutputKind::LogProbabilities: return at::log_softmax(output, -1);
    case OutputKind::Sigmoid: return at::sigmoid(output);
    case OutputKind::Raw: break;
    }
    return output;
}

template <class Work> Result<void> SessionImpl::inBatches(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize,
                                                          const Progress& progress, Work&& work)
{
    SCONCE_TRY(checkRows(part, rows));
    return guarded("evaluating the network", [&]() -> Result<void> {
        enter();
        SCONCE_TRY(checkDeferred());
        const c10::InferenceMode inference;
        const auto size = static_cast<std::size_t>(std::max<std::int64_t>(1, batchSize));
        for (std::size_t first = 0; first < rows.size(); first += size) {
            const auto batch = rows.subspan(first, std::min(size, rows.size() - first));
            const auto compute = [&] {
                const Tensor input = m_feed->inputs(part, batch, false);
                assertOn(input, m_device, "the batch");
                work(infer(input), batch, input);
            };
            bool tooMuch = false;
            try {
                compute();
            } catch (const c10::OutOfMemoryError&) {
                if (!m_graph) throw;
                tooMuch = true;
            }
            if (tooMuch) { // beside what the graph keeps
                dropGraph();
                compute();
            }
            if (progress && !progress(static_cast<std::int64_t>(first + batch.size())))
                return Error{ErrorCode::Cancelled, "The evaluation was stopped.", "", {}};
        }
        return {};
    });
}

Result<EvaluationTotals> SessionImpl::evaluate(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize, const Progress& progress)
{
    EvaluationTotals totals;
    double sum = 0;
    SCONCE_TRY(inBatches(part, rows, batchSize, progress, [&](const Tensor& output, std::span<const std::int64_t> batch, const Tensor& input) {
        const Tensor truth = targets(part, batch, input, false);
        const MetricSums sums = m_losses->sums(output, truth, true);
        sum += m_losses->evaluated(output, truth).item<double>() * static_cast<double>(sums.count);
        totals += sums;
    }));
    totals.loss = totals.count ? sum / static_cast<double>(totals.count) : 0;
    return totals;
}

Result<std::vector<float>> SessionImpl::predict(Part part, std::span<const std::int64_t> rows, std::int64_t batchSize, const Progress& progress)
{
    std::vector<float> result;
    SCONCE_TRY(inBatches(part, rows, batchSize, progress, [&](const Tensor& output, std::span<const std::int64_t>, const Tensor&) {
        const std::vector<float> batch = copyOutFloats(m_losses->answers(output));
        result.insert(result.end(), batch.begin(), batch.end());
    }));
    return result;
}

Result<std::vector<float>> SessionImpl::predictRecords(std::span<const std::uint8_t> records, std::int64_t count)
{
    const ValueType& input = m_execution.plan.values[static_cast<std::size_t>(m_execution.plan.input)].type;
    const std::int64_t bytes = input.elements() * (m_spec.scaling.mean.empty() ? 1 : static_cast<std::int64_t>(sizeof(float)));
    if (count < 0 || records.size() != static_cast<std::size_t>(count * bytes))
        return Error{ErrorCode::Invalid, "The input does not have the size that the network takes (" + input.text() + ").", "", {}};
    return guarded("running the network", [&]() -> Result<std::vector<float>> {
        enter();
        SCONCE_TRY(checkDeferred());
        const c10::InferenceMode inference;
        if (count == 0) return std::vector<float>{};
        Feed feed(nullptr, input, m_spec.input, m_spec.scaling, m_device, m_execution.channelsLast);
        return copyOutFloats(m_losses->answers(infer(feed.inputsOf(records, count))));
    });
}

Result<std::vector<float>> SessionImpl::run(std::span<const float> inputs, std::int64_t count, bool training)
{
    const ValueType& type = m_execution.plan.values[static_cast<std::size_t>(m_execution.plan.input)].type;
    if (count < 0 || inputs.size() != static_cast<std::size_t>(count * type.elements()))
        return Error{ErrorCode::Invalid, "The input does not have the size that the network takes (" + type.text() + ").", "", {}};
    return guarded("running the network", [&]() -> Result<std::vector<float>> {
        enter();
        SCONCE_TRY(replayWaiting());
        const at::NoGradGuard noGrad;
        if (count == 0) return std::vector<float>{};
        std::vector<std::int64_t> sizes = type.sizes();
        sizes.insert(sizes.begin(), count);
        Tensor input = emptyTensor(sizes, m_device, m_execution.channelsLast && type.rank() == 3);
        copyIn(input, std::as_bytes(inputs));
        if (type.dtype == DType::I64) input = input.to(at::kLong);
        std::vector<Tensor> discarded(m_buffers.size());
        return copyOutFloats(asDeclared(runPlan(inferencePlan(), input, context(training, 0, &discarded, shown()))));
    });
}

} // namespace sconce::engine
