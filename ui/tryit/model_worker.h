// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A trained model on a thread of its own (a session belongs to one thread): loading, answering and evaluating never touch the
// window's thread. Answers to drawings are merged: only the newest drawing is computed.

#include "core/evaluate/evaluate.h"
#include "core/evaluate/generate.h"
#include "core/history/store.h"
#include "core/training/checkpoint.h"

#include <QObject>
#include <QString>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace sconce::ui {

struct LoadRequest
{
    std::shared_ptr<Store> store;
    RunRow run;
    bool best = false;
    std::string device = "cpu";
};

/// What the page shows of a loaded model.
struct LoadedModel
{
    RunRow run;
    Recipe recipe;
    DatasetInfo info;  ///< of the data that it was trained on
    DatasetPtr data;   ///< null where it is gone: the model answers, but there are no samples and no figures
    QString dataNote;  ///< why that is so, or that the data has changed since
    std::int64_t step = 0, epoch = 0;
    bool best = false;
    std::string checkpoint;
    std::uint64_t weightBytes = 0;
    std::vector<std::string> symbols; ///< of texts: those that it was trained on
};

struct Answer { std::vector<float> probabilities; double seconds = 0; int subject = 0; }; ///< subject: as asked

class ModelWorker : public QObject
{
    Q_OBJECT
  public:
    explicit ModelWorker(QObject* parent = nullptr);
    ~ModelWorker() override;

    void load(LoadRequest request);
    void answer(std::vector<std::uint8_t> record, int subject); ///< replaces a drawing that still waits
    /// Continues a text; one that is being continued is left. Said with its number, which is the caller's.
    void writeOn(const std::string& prompt, const GenerateSettings& settings, int number);
    void stopWriting();
    void evaluate();                               ///< on the test part (validation where there is none)
    /// Writes the loaded weights to a safetensors file.
    void save(const std::string& path);

  Q_SIGNALS:
    // On the window's thread.
    void loaded(const sconce::ui::LoadedModel& model);
    void failed(const QString& sentence);
    void answered(const sconce::ui::Answer& answer);
    void wrote(const QString& piece, int number);
    void writingEnded(const QString& error, double seconds, int number); ///< also where it was stopped; error: a sentence, or empty
    void evaluating(std::int64_t done);
    void evaluated(const sconce::EvaluationReport& report);
    void saved(const QString& path, const QString& error);

  private:
    struct Job { std::function<void()> work; bool isAnswer = false; };
    void post(Job job);
    void loop();
    void doLoad(const LoadRequest& request, int generation);
    static Result<void> knowText(const LoadRequest& request, const Json& choices, LoadedModel& model);
    static Result<void> findData(const LoadRequest& request, LoadedModel& model);
    template <class F> void deliver(F function) { QMetaObject::invokeMethod(this, std::move(function), Qt::QueuedConnection); }

    std::mutex m_mutex;
    std::condition_variable m_ready;
    std::deque<Job> m_jobs;
    bool m_stopping = false;
    std::atomic<int> m_writing{0};    ///< counts writings: one that was stopped or replaced ends early
    std::atomic<int> m_generation{0}; ///< counts loads: an evaluation of a model that was left ends early
    // Touched by the worker's thread alone.
    std::unique_ptr<Session> m_session;
    std::optional<LoadedModel> m_model;
    std::optional<SafetensorsFile> m_weights;
    std::thread m_thread;
};

} // namespace sconce::ui
