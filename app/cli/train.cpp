// SPDX-License-Identifier: GPL-3.0-or-later
// train, resume, worker: a run that stands in the store, executed on this thread with a bar on the terminal.
#include "app/cli/cli.h"

#include "core/base/text.h"
#include "core/training/run_host.h"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sconce::cli {

namespace {

CommandQueue* commandsForSignals = nullptr;
volatile std::sig_atomic_t signalSeen = 0;

void onSignal(int signal)
{
    if (signalSeen != 0 && signal == SIGINT) _exit(Interrupted); // a second Ctrl-C means now
    signalSeen = signal;
    if (commandsForSignals) commandsForSignals->requestStopFromSignal();
}

/// Ctrl-C and SIGTERM end the run after its step, with a checkpoint, while this lives.
class SignalGuard
{
  public:
    explicit SignalGuard(CommandQueue& queue)
    {
        signalSeen = 0;
        commandsForSignals = &queue;
        struct sigaction action{};
        action.sa_handler = onSignal;
        sigaction(SIGINT, &action, nullptr);
        sigaction(SIGTERM, &action, nullptr);
        std::signal(SIGPIPE, SIG_IGN);
    }
    ~SignalGuard()
    {
        std::signal(SIGINT, SIG_DFL);
        std::signal(SIGTERM, SIG_DFL);
        commandsForSignals = nullptr;
    }
};

/// What a person sees of a run: one line that redraws itself on a terminal, a line per epoch elsewhere.
class Progress
{
  public:
    Progress(const Context& context, std::string task) : m_context(context), m_task(std::move(task)), m_terminal(isatty(STDERR_FILENO) && !context.quiet()) {}

    void take(const Event& event)
    {
        std::visit([this](const auto& body) { on(body); }, event.body);
    }
    ~Progress() { clear(); }

  private:
    const Context& m_context;
    const std::string m_task;
    bool m_terminal;
    std::int64_t m_step = 0, m_stepsPerEpoch = 1, m_epochs = 1;
    double m_rate = 0, m_loss = NAN, m_stepSeconds = 0;
    double m_drawnAt = -1;

    void clear()
    {
        if (m_terminal) std::fputs("\r\033[K", stderr);
    }
    void line(const std::string& text)
    {
        clear();
        m_context.note(text);
    }

    void draw()
    {
        const double now = Clock::system().monotonicSeconds();
        if (!m_terminal || now - m_drawnAt < 0.1) return;
        m_drawnAt = now;
        const std::int64_t total = std::max<std::int64_t>(1, m_epochs * m_stepsPerEpoch);
        const double share = static_cast<double>(m_step) / static_cast<double>(total);
        std::string bar;
        constexpr int width = 24;
        for (int i = 0; i < width; ++i) bar += i < share * width ? "━" : "╌";
        const double left = m_stepSeconds * static_cast<double>(total - m_step);
        const std::int64_t epoch = std::min(m_epochs, m_step / m_stepsPerEpoch + 1);
        std::string text = "epoch " + std::to_string(epoch) + " of " + std::to_string(m_epochs) + " " + bar + " " + percentText(share, 0) +
                           "  loss " + realText(m_loss, 3) + "  " + shortCount(std::llround(m_rate)) + " samples/s";
        if (m_stepSeconds > 0) text += "  " + durationText(left) + " left";
        std::fputs(("\r\033[K" + text).c_str(), stderr);
    }

    void on(const RunStarted& started)
    {
        m_stepsPerEpoch = std::max<std::int64_t>(1, started.stepsPerEpoch);
        m_epochs = started.epochs;
        m_step = started.startStep;
        std::string text = "Training run " + started.run + " on " + (started.deviceName.empty() ? started.device : started.deviceName);
        if (started.device == "cpu") text += " with " + plural(started.threads, "thread", "threads");
        if (started.startStep > 0) text += ", from step " + groupedInt(started.startStep);
        line(text + ".");
    }
    void on(const StepsDone& steps)
    {
        if (steps.loss.empty()) return;
        m_step = steps.firstStep + static_cast<std::int64_t>(steps.loss.size());
        for (const float loss : steps.loss) m_loss = std::isnan(m_loss) ? loss : 0.97 * m_loss + 0.03 * loss;
        m_rate = steps.samplesPerSecond;
        if (steps.seconds.size() > 1) m_stepSeconds = (steps.seconds.back() - steps.seconds.front()) / static_cast<double>(steps.seconds.size() - 1);
        draw();
    }
    void on(const EpochDone& epoch)
    {
        RunSummary now; // to be asked for metrics by name
        now.trainAccuracy = epoch.trainAccuracy;
        now.valAccuracy = epoch.valAccuracy;
        now.metrics = epoch.metrics;
        line("epoch " + std::to_string(epoch.epoch) + ": loss " + realText(epoch.trainLoss) + metricsText(m_task, now, "train") +
             (std::isfinite(epoch.valLoss) ? "; validation loss " + realText(epoch.valLoss) + metricsText(m_task, now, "val") : "") +
             "; " + durationText(epoch.seconds) + (epoch.best ? ", best so far" : ""));
        Json said{{"event", "epoch"}, {"epoch", epoch.epoch}, {"step", epoch.step}, {"train_loss", number(epoch.trainLoss)},
                  {"train_accuracy", number(epoch.trainAccuracy)}, {"val_loss", number(epoch.valLoss)},
                  {"val_accuracy", number(epoch.valAccuracy)}, {"seconds", number(epoch.seconds)}, {"best", epoch.best}};
        addMetrics(said, epoch.metrics);
        m_context.emit(said);
    }
    void on(const Amended& amended)
    {
        if (amended.amendment.path == "/training/epochs" && amended.amendment.after.is_number()) m_epochs = amended.amendment.after.get<std::int64_t>();
    }
    void on(const StatusChanged& changed)
    {
        if (changed.status == RunStatus::Paused) line("Paused. " + changed.because);
    }
    void on(const LogLine& log)
    {
        if (log.level != "info") line(log.text);
    }
    template <class Other> void on(const Other&) {}
};

Json lastLine(const RunRow& row, const RunEnded& ended)
{
    const auto& s = ended.summary;
    Json line{{"run", row.id}, {"status", statusName(ended.status)}, {"epochs", s.epochs}, {"steps", s.steps},
            {"train_loss", number(s.trainLoss)}, {"train_accuracy", number(s.trainAccuracy)}, {"val_loss", number(s.valLoss)},
            {"val_accuracy", number(s.valAccuracy)}, {"test_loss", number(s.testLoss)}, {"test_accuracy", number(s.testAccuracy)},
            {"seconds", number(s.seconds)}, {"samples_per_second", number(s.samplesPerSecond)}, {"checkpoint", s.checkpoint}};
    addMetrics(line, s.metrics);
    return line;
}

void sayEnd(const Context& context, const RunRow& row, const RunEnded& ended)
{
    const auto& s = ended.summary;
    std::string text = "Run #" + std::to_string(row.number) + " " + row.name + " " + statusName(ended.status) + " after " +
                       plural(s.epochs, "epoch", "epochs") + ", " + groupedInt(s.steps) + " steps, " + durationText(s.seconds);
    if (std::isfinite(s.testLoss)) {
        const std::string metrics = metricsText(row.task, s, "test");
        text += ". Test" + (metrics.empty() ? metrics : metrics.substr(1) + ",") + " loss " + realText(s.testLoss);
    }
    context.print(text + ".");
    if (ended.status != RunStatus::Finished && ended.status != RunStatus::Failed) context.note("Go on with: sconce resume " + row.id);
}

/// Stopped before there was anything to keep.
int stoppedEarly(const Context& context, const Error& error)
{
    const int code = context.fail(error);
    return error.code == ErrorCode::Cancelled && signalSeen == SIGTERM ? static_cast<int>(Terminated) : code;
}

int drive(Context& context, const std::shared_ptr<Store>& store, const RunId& run, std::optional<int> epochs, const std::string& host, CommandQueue& commands)
{
    std::optional<Result<RunEnded>> ended;
    {
        const auto known = store->run(run);
        Progress progress(context, known ? known->task : std::string());
        DriveOptions options;
        options.host = host;
        options.epochs = epochs;
        ended = driveRun(store, run, options, commands, [&](const Event& event) { progress.take(event); });
    }
    if (!*ended) return stoppedEarly(context, ended->error());
    const RunEnded& end = **ended;
    const auto row = store->run(run);
    if (!row) return context.fail(row.error());
    if (end.status == RunStatus::Failed) {
        context.say("The run failed: " + end.message + (end.remedy.empty() ? "" : " " + end.remedy));
    } else {
        sayEnd(context, *row, end);
    }
    Json last = lastLine(*row, end);
    if (end.status == RunStatus::Failed) last["error"] = end.message;
    context.emit(last);
    if (end.status == RunStatus::Failed) return Failed;
    if (end.status == RunStatus::Finished) return Done; // also when the signal came after the last step
    return signalSeen == SIGINT ? Interrupted : signalSeen == SIGTERM ? Terminated : Done;
}

Result<Recipe> withArguments(Recipe recipe, const TrainArguments& arguments)
{
    if (!arguments.device.empty()) recipe.device = arguments.device;
    if (arguments.epochs) recipe.training.epochs = *arguments.epochs;
    if (arguments.threads) recipe.threads = *arguments.threads;
    if (arguments.seed) recipe.seed = *arguments.seed;
    return withSettings(std::move(recipe), arguments.set);
}

} // namespace

Result<Recipe> withSettings(Recipe recipe, const std::vector<std::string>& settings)
{
    for (const auto& text : settings) {
        const auto equals = text.find('=');
        if (equals == std::string::npos)
            return Error{ErrorCode::Invalid, "The option --set takes a path and a value, such as --set /training/epochs=3, not “" + text + "”.", "", ""};
        auto changed = withValueSet(recipe, text.substr(0, equals), text.substr(equals + 1));
        if (!changed) {
            Error error = changed.error();
            if (error.message.starts_with("/")) error.message = "Problem at " + error.message;
            return error;
        }
        recipe = std::move(*changed);
    }
    return recipe;
}

int train(Context& context, const TrainArguments& arguments)
{
    auto parsed = loadRecipe(arguments.recipe);
    if (!parsed) return context.failUsage(parsed.error());
    if (context.problems(parsed->problems) != Done) return context.failUsage("The recipe " + arguments.recipe + " cannot be trained as it is.");
    auto recipe = withArguments(parsed->recipe, arguments);
    if (!recipe) return context.fail(recipe.error());
    auto store = context.store();
    if (!store) return context.fail(store.error());

    std::vector<Problem> problems;
    PrepareOptions options;
    options.dataPath = arguments.data;
    options.name = arguments.name;
    options.weights = arguments.weights;
    options.problems = &problems;
    // From here on: reading the data may take a while too.
    CommandQueue commands;
    SignalGuard guard(commands);
    options.progress = [&commands](double, const std::string&) { return !commands.stopRequested(); };
    auto run = prepareRun(**store, *recipe, options);
    context.problems(problems);
    if (!run) return stoppedEarly(context, run.error());
    return drive(context, *store, *run, std::nullopt, "command line", commands);
}

int resume(Context& context, const std::string& run, std::optional<int> epochs)
{
    auto store = context.store();
    if (!store) return context.fail(store.error());
    auto id = (*store)->findRun(run);
    if (!id) return context.fail(id.error());
    auto row = (*store)->run(*id);
    if (!row) return context.fail(row.error());
    if (row->status == RunStatus::Finished && (!epochs || *epochs <= row->summary.epochs))
        return context.fail(Error{ErrorCode::Invalid, "Run #" + std::to_string(row->number) + " has finished its " + plural(row->summary.epochs, "epoch", "epochs") + ".",
                                  "To train it longer, say how many in all: sconce resume " + run + " --epochs " + std::to_string(row->summary.epochs + 5), ""});
    CommandQueue commands;
    SignalGuard guard(commands);
    return drive(context, *store, *id, epochs, "command line", commands);
}

int worker(Context& context, const std::string& run, std::optional<int> epochs)
{
    auto store = context.store();
    if (!store) return context.fail(store.error());
    auto id = (*store)->findRun(run);
    if (!id) return context.fail(id.error());
    CommandQueue commands;
    SignalGuard guard(commands);
    return drive(context, *store, *id, epochs, "process", commands);
}

} // namespace sconce::cli
