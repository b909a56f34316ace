// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/feeding.h"

#include "core/engine/backend/engine_table.h"
#include "core/engine/backend/failure.h"
#include "core/engine/backend/feed.h"

#include <ATen/Parallel.h>

namespace sconce::engine {

namespace {

class FeedAlone final : public BatchFeed
{
  public:
    explicit FeedAlone(const BatchFeedSpec& spec) : m_threads(spec.threads), m_feed(spec.data, factsOf(spec.data->info()).input, spec.input, {}, at::kCPU, true)
    {
        m_feed.change(spec.augmentation, 0, 1);
    }


    Result<double> bring(std::span<const std::int64_t> rows) override
    {
        return guarded("gathering a batch", [&]() -> Result<double> {
            if (at::get_num_threads() != m_threads) at::set_num_threads(m_threads);
            const at::Tensor inputs = m_feed.trainingInputs(rows, m_calls++), classes = m_feed.targets(Part::Training, rows, true);
            return *inputs.const_data_ptr<float>() + static_cast<double>(*classes.const_data_ptr<std::int64_t>());
        });
    }

  private:
    int m_threads;
    std::int64_t m_calls = 0;
    Feed m_feed;
};

} // namespace

Result<std::unique_ptr<BatchFeed>> openBatchFeed(BatchFeedSpec spec)
{
    const DatasetInfo& info = spec.data->info();
    if (info.classes.empty() || info.sample.dtype != DType::U8 || info.kind == "text")
        return Error{ErrorCode::Invalid, "The data path is measured with pictures that have classes, and " + info.title + " has none.", "Choose such a data set, as MNIST is.", ""};
    return guarded("reading the data", [&]() -> Result<std::unique_ptr<BatchFeed>> { return std::unique_ptr<BatchFeed>(std::make_unique<FeedAlone>(spec)); });
}

} // namespace sconce::engine
