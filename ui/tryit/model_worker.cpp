// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/tryit/model_worker.h"

#include "core/base/clock.h"
#include "core/data/text_dataset.h"
#include "core/engine/devices.h"
#include "core/exchange/weights.h"
#include "core/recipe/recipe.h"

#include <algorithm>
#include <exception>

namespace sconce::ui {

namespace {

/// One thread is enough for single drawings, and leaves the machine to a run that may be training.
constexpr int threads = 1;
constexpr double newsEvery = 1.0 / 30; ///< seconds: as often as the window draws

QString words(const Error& error) { return QString::fromStdString(error.text()); }

} // namespace

ModelWorker::ModelWorker(QObject* parent) : QObject(parent), m_thread([this] { loop(); }) {}

ModelWorker::~ModelWorker()
{
    {
        std::lock_guard lock(m_mutex);
        m_stopping = true;
        ++m_generation;
        ++m_writing;
    }
    m_ready.notify_all();
    m_thread.join();
}

void ModelWorker::post(Job job)
{
    {
        std::lock_guard lock(m_mutex);
        if (job.isAnswer) std::erase_if(m_jobs, [](const Job& other) { return other.isAnswer; });
        // A drawing is answered before an evaluation that waits: the pen must feel live.
        if (job.isAnswer && !m_jobs.empty())
            m_jobs.insert(std::find_if(m_jobs.begin(), m_jobs.end(), [](const Job& j) { return !j.isAnswer; }), std::move(job));
        else
            m_jobs.push_back(std::move(job));
    }
    m_ready.notify_one();
}

void ModelWorker::loop()
{
    while (true) {
        Job job;
        {
            std::unique_lock lock(m_mutex);
            m_ready.wait(lock, [this] { return m_stopping || !m_jobs.empty(); });
            if (m_stopping) break;
            job = std::move(m_jobs.front());
            m_jobs.pop_front();
        }
        try {
            job.work();
        } catch (const std::exception& error) { // the thread's root: nothing may leave it
            const QString text = QString::fromUtf8(error.what());
            deliver([this, text] { Q_EMIT failed(tr("Sconce met an error of its own: %1").arg(text)); });
        }
    }
    m_session.reset(); // on the thread that made it
}

void ModelWorker::load(LoadRequest request)
{
    {
        std::lock_guard lock(m_mutex);
        m_jobs.clear();
    }
    ++m_writing;
    const int generation = ++m_generation;
    post({[this, generation, request = std::move(request)] { doLoad(request, generation); }, false});
}

/// A model outlives its data: where that is gone or has other samples by now, what the library kept of it is enough to answer.
Result<void> ModelWorker::findData(const LoadRequest& request, LoadedModel& model)
{
    const RunRow& run = request.run;
    auto opened = openDataset(run.datasetLocation.empty() ? builtinDigitsPath : run.datasetLocation, model.recipe.data.import);
    const bool same = opened && (run.fingerprint.empty() || (*opened)->info().fingerprint == run.fingerprint);
    const QString title = QString::fromStdString(run.datasetTitle);
    if (opened && !same) model.dataNote = tr("The data, %1, has changed since the run began: samples and figures are of the data as it is now.").arg(title);
    if (opened) {
        model.data = std::move(*opened);
        model.info = model.data->info();
    }
    if (same) return {};
    auto known = request.store->dataset(run.dataset);
    const bool kept = known && *known && (*known)->first.fingerprint == run.fingerprint;
    if (kept && !(model.data && (*known)->first.sample == model.info.sample)) {
        model.info = (*known)->first;
        model.data.reset();
        model.dataNote = tr("The data, %1, is no longer at %2. The model answers what you draw or open; its samples and figures need the data.").arg(title, QString::fromStdString(run.datasetLocation));
    }
    if (!kept && !model.data) return opened.error();
    return {};
}

/// What a model of texts knows is in its checkpoint; the text itself is for figures alone.
Result<void> ModelWorker::knowText(const LoadRequest& request, const Json& choices, LoadedModel& model)
{
    auto symbols = symbolsIn(choices);
    if (!symbols) return symbols.error();
    model.symbols = std::move(*symbols);
    const QString title = QString::fromStdString(request.run.datasetTitle);
    if (model.data) {
        auto same = withSymbols(model.data, model.symbols);
        model.data = same ? std::move(*same) : nullptr;
        if (!same) model.dataNote = tr("The text, %1, has changed since the run began, and has other symbols: there are no figures.").arg(title);
    } else {
        model.dataNote = tr("The text, %1, is no longer at %2. The model writes all the same; its figures need the text.").arg(title, QString::fromStdString(request.run.datasetLocation));
    }
    model.info = model.data ? model.data->info() : textInfo(model.symbols, model.recipe.data.import);
    return {};
}

void ModelWorker::doLoad(const LoadRequest& request, int generation)
{
    // Whoever has chosen another model meanwhile does not want to hear of this one.
    const auto tell = [this, generation](auto emitIt) {
        deliver([this, generation, emitIt = std::move(emitIt)] {
            if (generation == m_generation) emitIt();
        });
    };
    const auto fail = [this, &tell](const Error& error) { tell([this, text = words(error)] { Q_EMIT failed(text); }); };
    m_session.reset();
    m_model.reset();
    m_weights.reset();
    auto recipe = request.store->recipe(request.run.id);
    if (!recipe) return fail(recipe.error());
    auto checkpoint = request.best ? bestCheckpoint(request.run.folder) : newestValidCheckpoint(request.run.folder);
    if (!checkpoint && request.best) checkpoint = newestValidCheckpoint(request.run.folder);
    if (!checkpoint) return fail(checkpoint.error());
    auto weights = openWeights(*checkpoint);
    if (!weights) return fail(weights.error());
    LoadedModel model{request.run, *recipe, {}, nullptr, {}, checkpoint->state.step, checkpoint->state.epoch, checkpoint->best, checkpoint->path, weights->file().size(), {}};
    const bool text = targetOf(recipe->task) == Target::Next;
    if (auto found = findData(request, model); !found && !text) return fail(found.error());
    if (text)
        if (auto known = knowText(request, checkpoint->state.choices, model); !known) return fail(known.error());
    auto device = resolveDevice(request.device);
    if (!device) return fail(device.error());
    auto scaling = scalingIn(checkpoint->state.choices);
    if (!scaling) return fail(scaling.error());
    auto session = openModel(*recipe, factsOf(model.info).input, weights->tensors(), *device, threads, *scaling);
    if (!session) return fail(session.error());
    if (model.data)
        if (auto used = (*session)->useData(model.data); !used) return fail(used.error());
    m_session = std::move(*session);
    m_weights.emplace(std::move(*weights));
    m_model = model;
    tell([this, model = std::move(model)] { Q_EMIT loaded(model); });
}

void ModelWorker::answer(std::vector<std::uint8_t> record, int subject)
{
    post({[this, subject, record = std::move(record)] {
              if (!m_session) return;
              const double start = Clock::system().monotonicSeconds();
              auto probabilities = m_session->predictRecords(record, 1);
              if (!probabilities) return deliver([this, text = words(probabilities.error())] { Q_EMIT failed(text); });
              Answer answer{std::move(*probabilities), Clock::system().monotonicSeconds() - start, subject};
              deliver([this, answer = std::move(answer)] { Q_EMIT answered(answer); });
          },
          true});
}

void ModelWorker::stopWriting() { ++m_writing; }

void ModelWorker::writeOn(const std::string& prompt, const GenerateSettings& settings, int number)
{
    const int writing = ++m_writing;
    post({[this, prompt, settings, number, writing] {
              if (!m_session || !m_model) return;
              const double start = Clock::system().monotonicSeconds();
              double told = start;
              QByteArray waiting;
              const auto tell = [&] {
                  deliver([this, number, piece = QString::fromUtf8(waiting)] { Q_EMIT wrote(piece, number); });
                  waiting.clear();
                  told = Clock::system().monotonicSeconds();
              };
              auto text = continueText(*m_session, m_model->symbols, m_model->info.sample.elements(), prompt, settings, [&](std::string_view piece) {
                  waiting.append(piece.data(), static_cast<qsizetype>(piece.size()));
                  if (Clock::system().monotonicSeconds() - told >= newsEvery) tell();
                  return writing == m_writing.load();
              });
              if (!waiting.isEmpty()) tell();
              const QString error = text ? QString() : words(text.error());
              deliver([this, number, error, seconds = Clock::system().monotonicSeconds() - start] { Q_EMIT writingEnded(error, seconds, number); });
          },
          true});
}

void ModelWorker::evaluate()
{
    post({[this] {
              if (!m_session || !m_model || !m_model->data) return;
              const int generation = m_generation;
              const auto& info = m_model->info;
              const auto counts = splitCounts(info.trainingCount, info.testCount, m_model->recipe.data.split, info.validationCount);
              auto report = evaluateModel(*m_session, m_model->recipe, m_model->data, counts.test > 0 ? "test" : "validation", [this, generation](std::int64_t done) {
                  deliver([this, done] { Q_EMIT evaluating(done); });
                  // Drawings do not wait for a long evaluation's end.
                  while (generation == m_generation) {
                      Job job;
                      {
                          std::lock_guard lock(m_mutex);
                          if (m_jobs.empty() || !m_jobs.front().isAnswer) break;
                          job = std::move(m_jobs.front());
                          m_jobs.pop_front();
                      }
                      job.work();
                  }
                  return generation == m_generation.load();
              });
              if (!report) {
                  if (report.error().code != ErrorCode::Cancelled) deliver([this, text = words(report.error())] { Q_EMIT failed(text); });
                  return;
              }
              deliver([this, generation, report = std::move(*report)] {
                  if (generation == m_generation) Q_EMIT evaluated(report);
              });
          },
          false});
}

void ModelWorker::save(const std::string& path)
{
    post({[this, path] {
              if (!m_model || !m_weights) return;
              auto written = exportWeights(path, m_weights->tensors(), m_model->recipe, m_model->info);
              const QString error = written ? QString() : words(written.error());
              deliver([this, path, error] { Q_EMIT saved(QString::fromStdString(path), error); });
          },
          false});
}

} // namespace sconce::ui
