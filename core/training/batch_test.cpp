// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/batch_test.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/hardware/machine.h"
#include "core/recipe/estimate.h"
#include "core/training/trial.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sconce {

namespace {

constexpr double usableShare = 0.9;    ///< of free memory: what else the process and the machine need comes and goes
constexpr std::int64_t fewestSteps = 10; ///< an epoch: a batch of more than a tenth of the samples hardly learns
constexpr std::int64_t multiple = 8;

/// Bytes of the CPU's memory that may be filled now.
std::uint64_t freeMemory()
{
    Machine machine({}, {});
    const MachineReading reading = machine.read();
    const std::uint64_t usable = usableMemory(), total = reading.memoryTotal;
    const std::uint64_t free = total > reading.memoryUsed ? total - reading.memoryUsed : 0;
    // In a container the limit is its own, and what this process holds already counts against it.
    const std::uint64_t left = usable > reading.processMemory ? usable - reading.processMemory : 0;
    return static_cast<std::uint64_t>(usableShare * static_cast<double>(std::min(free, left)));
}

class Search
{
  public:
    Search(Trial& trial, const BatchTestOptions& options, const BatchTestProgress& progress)
        : m_trial(trial), m_progress(progress), m_onCpu(trial.recipe().device == "cpu"), m_memory(options.memory ? options.memory : m_onCpu ? freeMemory() : 0)
    {
    }

    Result<bool> fits(std::int64_t batch)
    {
        BatchTrial trial;
        trial.batch = batch;
        trial.bytes = forecast(batch);
        trial.fits = m_memory == 0 || trial.bytes <= m_memory;
        if (trial.fits || !m_onCpu) SCONCE_TRY(make(trial));
        m_trials.push_back(trial);
        if (m_progress && !m_progress(trial)) return Error{ErrorCode::Cancelled, "The search for the largest batch was cancelled.", "", ""};
        return trial.fits;
    }
    std::vector<BatchTrial>& trials() { return m_trials; }
    std::uint64_t memory() const { return m_memory; }
    bool onCpu() const { return m_onCpu; }

  private:
    /// By the passes and rules that the engine goes by, put right by what the largest step so far took.
    std::uint64_t forecast(std::int64_t batch) const
    {
        Recipe recipe = m_trial.recipe();
        recipe.training.batchSize = batch;
        setOption(recipe.training, "speed", "cuda_graph", false); // what is tried here are eager steps
        const double forecast = static_cast<double>(forecastMemory(recipe, m_trial.plan(), batch, batch).total());
        return static_cast<std::uint64_t>(forecast * m_correction);
    }

    Result<void> make(BatchTrial& trial)
    {
        Session& session = m_trial.session();
        session.setMicroBatch(0); // gives a GPU back what the trial before held
        // At a rate of 0: a whole step, and the weights stay where they are.
        const std::uint64_t believed = trial.bytes;
        const double start = Clock::system().monotonicSeconds();
        auto step = session.profileStep(m_step, m_trial.batch(0, trial.batch), 0);
        if (step) ++m_step;
        trial.made = true;
        trial.seconds = Clock::system().monotonicSeconds() - start;
        if (!step && step.error().code != ErrorCode::OutOfMemory) return step.error();
        trial.fits = step.ok() && (m_memory == 0 || step->peakBytes <= m_memory);
        trial.bytes = step ? step->peakBytes : 0;
        if (step) {
            if (auto metrics = session.takeMetrics(); !metrics) return metrics.error();
            m_correction = std::max(1.0, m_correction * static_cast<double>(trial.bytes) / std::max(1.0, static_cast<double>(believed)));
        }
        return {};
    }

    Trial& m_trial;
    const BatchTestProgress& m_progress;
    const bool m_onCpu;
    const std::uint64_t m_memory;
    double m_correction = 1; ///< never below: a validation may take more than the step that was measured
    int m_step = 0;
    std::vector<BatchTrial> m_trials;
};

/// How a learning rate follows the batch: in proportion for plain SGD (P. Goyal and others, "Accurate, Large Minibatch SGD", 2017), by the
/// square root for optimisers that scale each weight's step (S. Malladi and others, "On the SDEs and Scaling Rules for Adaptive Gradient
/// Algorithms", 2022).
std::string rateText(const Recipe& recipe, std::int64_t batch)
{
    const double times = static_cast<double>(batch) / static_cast<double>(std::max<std::int64_t>(1, recipe.training.batchSize));
    if (times == 1) return " That is the recipe's batch size already.";
    const bool plain = recipe.training.optimiser.type == "sgd";
    const double rate = recipe.training.learningRate * (plain ? times : std::sqrt(times));
    return " The learning rate belongs to the batch size: " + realText(recipe.training.learningRate, 2) + " for " + groupedInt(recipe.training.batchSize) + " would be about " + realText(rate, 2) +
           " for " + groupedInt(batch) + " by the usual rule (" + (plain ? "in proportion" : "by the square root") + "); the test of learning rates tells more.";
}

void describe(BatchTest& test, const Search& search, const Recipe& recipe, std::int64_t samples)
{
    const bool cpu = search.onCpu();
    const auto made = std::count_if(test.trials.begin(), test.trials.end(), [](const BatchTrial& each) { return each.made; });
    test.how = "By " + plural(made, "real step", "real steps") + " on " + (cpu ? "the CPU" : recipe.device);
    if (test.memory > 0) test.how += ", within " + bytesText(test.memory) + " of memory";
    if (cpu) test.how += "; where the forecast, put right by the steps before, said that one would not fit, none was made";
    test.how += ". The recipe's own micro-batches were left out.";
    const auto best = std::find_if(test.trials.rbegin(), test.trials.rend(), [&](const BatchTrial& each) { return each.made && each.fits && each.batch == test.largest; });
    test.text = test.allOfTheData ? "Batches of up to " + groupedInt(test.largest) + " fit, and larger ones are not worth trying with " + plural(samples, "sample", "samples") + " to train on"
                                  : "The largest batch that fits is " + groupedInt(test.largest);
    if (best != test.trials.rend() && best->bytes > 0) test.text += ": " + bytesText(best->bytes) + " at its fullest";
    test.text += ". " + groupedInt(test.suggestion) + " is suggested.";
    if (test.suggestion < test.largest && samples / fewestSteps <= test.largest) test.text += " An epoch then still has at least " + groupedInt(fewestSteps) + " steps.";
    test.text += rateText(recipe, test.suggestion);
}

} // namespace

Result<std::int64_t> largestThatFits(std::int64_t first, std::int64_t most, const std::function<Result<bool>(std::int64_t batch)>& fits)
{
    std::int64_t good = 0, bad = most + 1;
    for (std::int64_t batch = std::clamp<std::int64_t>(first, 1, most);;) {
        auto fit = fits(batch);
        if (!fit) return fit.error();
        if (*fit) good = std::max(good, batch);
        else bad = std::min(bad, batch);
        if (good == most || bad <= 1 || good + 1 >= bad) return good;
        if (good == 0) batch = bad / 2; // not even the first: down to where one does
        else if (bad > most) batch = std::min(most, 2 * good);
        else {
            batch = (good + bad) / 2;
            if (batch >= multiple) batch -= batch % multiple;
            if (batch <= good) return good; // nearer than a multiple of eight nobody wants to know
        }
    }
}

std::int64_t suggestedBatch(std::int64_t largest, std::int64_t samples)
{
    const std::int64_t most = std::max<std::int64_t>(1, std::min(largest, samples / fewestSteps));
    return most < multiple ? most : static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(most)));
}

Result<BatchTest> testBatches(const Recipe& recipe, DatasetPtr data, const BatchTestOptions& options, const BatchTestProgress& progress)
{
    auto trial = Trial::open({recipe, std::move(data), options.storeFolder});
    if (!trial) return trial.error();
    const std::int64_t samples = (*trial)->trainingCount();
    // Twice the most that would be suggested is worth knowing; all the data at once is not.
    const std::int64_t most = std::min(samples, std::max<std::int64_t>(2 * std::max<std::int64_t>(1, samples / fewestSteps), (*trial)->batchSize()));
    Search search(**trial, options, progress);
    auto largest = largestThatFits((*trial)->batchSize(), most, [&](std::int64_t batch) { return search.fits(batch); });
    if (!largest) return largest.error();
    if (*largest == 0)
        return Error{ErrorCode::OutOfMemory, "Not even one sample fits into the memory of " + (search.onCpu() ? std::string("this computer") : (*trial)->recipe().device) + ".",
                     "Use fewer or smaller layers, or have blocks computed again (memory, recompute).", search.memory() ? bytesText(search.memory()) + " may be filled" : ""};
    BatchTest test;
    test.trials = std::move(search.trials());
    test.largest = *largest;
    test.allOfTheData = *largest == most;
    test.suggestion = suggestedBatch(*largest, samples);
    test.memory = search.memory();
    describe(test, search, (*trial)->recipe(), samples);
    return test;
}

Result<BatchTest> testBatches(Store& store, Recipe recipe, const std::string& dataPath, const BatchTestOptions& options, const BatchTestProgress& progress)
{
    auto source = trialSource(store, std::move(recipe), dataPath);
    if (!source) return source.error();
    BatchTestOptions here = options;
    here.storeFolder = source->storeFolder;
    return testBatches(source->recipe, std::move(source->data), here, progress);
}

} // namespace sconce
