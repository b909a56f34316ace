// SPDX-License-Identifier: GPL-3.0-or-later
// Writes pictures of every page of the real window, with a run training on real data:
//   sconce_screenshots --out FOLDER --mnist FOLDER [--store FOLDER] [--gpus]
// Both themes at 1440×900 and 1280×720, and 1440×900 at 200 %. The scale is a matter of the process, so the tool starts
// itself once per scale. --gpus shows the test library's two GPUs on the Hardware page and says so in the file names.
#include "tests/support/ui.h"

#include <QCommandLineParser>
#include <QDir>
#include <QProcess>
#include <QProcessEnvironment>
#include <QScrollArea>
#include <QScrollBar>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTextStream>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

namespace {

QTextStream& err()
{
    static QTextStream stream(stderr);
    return stream;
}

struct Album { QString out, mnist, store, prefix; bool gpus = false; };

bool waitFor(const std::function<bool()>& condition, int seconds)
{
    for (int i = 0; i < seconds * 50; ++i) {
        if (condition()) return true;
        QTest::qWait(20);
    }
    return condition();
}

/// The data set of the folder in the library; its id, empty on failure.
DatasetId addData(Studio& studio, const QString& folder)
{
    DatasetId id;
    QString failed;
    const auto a = QObject::connect(studio.data, &DataService::added, studio.data, [&](const QString& added) { id = added.toStdString(); });
    const auto b = QObject::connect(studio.data, &DataService::addFailed, studio.data, [&](const QString& sentence) { failed = sentence; });
    studio.data->add(folder);
    waitFor([&] { return !id.empty() || !failed.isEmpty(); }, 120);
    QObject::disconnect(a);
    QObject::disconnect(b);
    if (id.empty()) err() << "The data could not be added: " << failed << Qt::endl;
    return id;
}

Recipe starterOn(const char* starter, const DatasetId& data, int epochs)
{
    Recipe recipe = findStarter(starter)->recipe;
    recipe.data.dataset = data;
    recipe.training.epochs = epochs;
    recipe.device = "cpu";
    return recipe;
}

/// Trains a run to its end; its id.
RunId trainToEnd(Studio& studio, const Recipe& recipe, int seconds)
{
    QString ended;
    const auto link = QObject::connect(studio.runService, &RunService::ended, studio.runService, [&](const QString& run, const QString&) { ended = run; });
    studio.runService->start(recipe, {});
    waitFor([&] { return !ended.isEmpty(); }, seconds);
    QObject::disconnect(link);
    waitFor([&] { return !studio.runService->training(); }, 20);
    return ended.toStdString();
}

void shoot(StudioWindow& studio, const Album& plan, const QString& name)
{
    QTest::mouseMove(studio.window->windowHandle(), QPoint(studio.window->width() / 2, studio.window->height() - 6)); // over nothing that lights up
    QTest::qWait(250);
    const QString file = QStringLiteral("%1/%2%3.png").arg(plan.out, plan.prefix, name);
    studio.window->grab().save(file);
    err() << file << Qt::endl;
}

/// How the network is trained: the upper and the lower end of the form, which is longer than the window.
void shootTraining(StudioWindow& studio, const Album& plan)
{
    auto* tabs = studio.window->findChild<QTabBar*>(QStringLiteral("compose.tabs"));
    auto* form = studio.window->findChild<QScrollArea*>(QStringLiteral("compose.training"));
    if (!tabs || !form) return;
    tabs->setCurrentIndex(1);
    form->verticalScrollBar()->setValue(0);
    shoot(studio, plan, QStringLiteral("compose-training"));
    form->verticalScrollBar()->setValue(form->verticalScrollBar()->maximum());
    shoot(studio, plan, QStringLiteral("compose-options"));
    tabs->setCurrentIndex(0);
}

void shootPages(StudioWindow& studio, const Album& plan, const RunId& trained)
{
    const QString id = QString::fromStdString(trained);
    MainWindow& window = *studio.window;
    const auto page = [&](PageId which, const QString& name) {
        window.goTo(which);
        shoot(studio, plan, name);
    };
    page(PageId::Welcome, QStringLiteral("welcome"));
    page(PageId::Data, QStringLiteral("data"));
    page(PageId::Compose, QStringLiteral("compose"));
    shootTraining(studio, plan);
    if (const LiveRun* run = studio.studio().runService->current()) studio.studio().runService->show(run->id);
    page(PageId::Live, QStringLiteral("live"));
    page(PageId::Runs, QStringLiteral("runs"));
    page(PageId::Hardware, QStringLiteral("hardware"));
    Q_EMIT studio.studio().navigator->tryRun(id);
    QTest::qWait(4000); // the confusion matrix of 10,000 samples beside a run that trains
    page(PageId::TryIt, QStringLiteral("tryit"));
    page(PageId::Settings, QStringLiteral("settings"));
    Q_EMIT studio.studio().navigator->showRun(id);
    QTest::qWait(500);
    shoot(studio, plan, QStringLiteral("live-finished"));
}

int onePass(QApplication& app, Album plan, const QList<QSize>& sizes, const QString& suffix)
{
    QTemporaryDir config;
    HardwareSources sources;
    if (plan.gpus) sources.nvmlLibrary = SCONCE_TEST_NVML;
    Theme::instance().apply(app, ThemeChoice::Dark);
    StudioWindow studio(plan.store, config.path(), sources);
    studio.window->resize(sizes.front());
    studio.show();
    const DatasetId data = plan.mnist.isEmpty() ? DatasetId("digits") : addData(studio.studio(), plan.mnist);
    if (data.empty()) return 1;
    RunId trained;
    for (const RunRow& row : studio.studio().runs->rows())
        if (row.status == RunStatus::Finished) trained = row.id;
    if (trained.empty()) {
        err() << "Training a run to its end first." << Qt::endl;
        trained = trainToEnd(studio.studio(), starterOn("mnist-mlp", data, 3), 900);
    }
    Recipe long1 = starterOn("mnist-convnet", data, 200);
    Q_EMIT studio.studio().navigator->composeRecipe(long1, {});
    studio.studio().runService->start(long1, {});
    if (!waitFor([&] { const LiveRun* run = studio.studio().runService->current(); return run && run->epochsDone.size() >= 2; }, 1800)) {
        err() << "The run did not get under way." << Qt::endl;
        return 1;
    }
    const QString base = plan.prefix;
    for (const QSize& size : sizes)
        for (ThemeChoice theme : {ThemeChoice::Dark, ThemeChoice::Light}) {
            Theme::instance().apply(app, theme);
            studio.window->resize(size);
            plan.prefix = QStringLiteral("%1%2x%3%4-%5-").arg(base).arg(size.width()).arg(size.height()).arg(suffix, theme == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light"));
            shootPages(studio, plan, trained);
        }
    bool stopped = false;
    studio.studio().runService->saveAndStop([&] { stopped = true; });
    waitFor([&] { return stopped; }, 60);
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM") && !qEnvironmentVariableIsSet("DISPLAY")) qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addHelpOption();
    parser.addOptions({{QStringLiteral("out"), QStringLiteral("Folder for the pictures."), QStringLiteral("FOLDER")},
                       {QStringLiteral("mnist"), QStringLiteral("Folder with MNIST's IDX files; without it the built-in digits."), QStringLiteral("FOLDER")},
                       {QStringLiteral("store"), QStringLiteral("Store to use; without it a temporary one."), QStringLiteral("FOLDER")},
                       {QStringLiteral("gpus"), QStringLiteral("Show the two GPUs of the test library.")},
                       {QStringLiteral("scale"), QStringLiteral("Only this scale: 1 or 2."), QStringLiteral("N")}});
    parser.process(app);
    Album plan{parser.value(QStringLiteral("out")), parser.value(QStringLiteral("mnist")), parser.value(QStringLiteral("store")), {}, parser.isSet(QStringLiteral("gpus"))};
    if (plan.out.isEmpty()) {
        err() << "Say where the pictures go: --out FOLDER" << Qt::endl;
        return 2;
    }
    QDir().mkpath(plan.out);
    if (plan.gpus) plan.prefix = QStringLiteral("test-gpus-");
    if (parser.value(QStringLiteral("scale")) == QLatin1String("1")) return onePass(app, plan, {{1440, 900}, {1280, 720}}, {});
    if (parser.value(QStringLiteral("scale")) == QLatin1String("2")) return onePass(app, plan, {{1440, 900}}, QStringLiteral("-200"));

    QTemporaryDir temporary;
    const QString store = plan.store.isEmpty() ? temporary.filePath(QStringLiteral("store")) : plan.store;
    for (const char* scale : {"1", "2"}) {
        QProcess pass;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QT_SCALE_FACTOR"), QLatin1String(scale));
        pass.setProcessEnvironment(environment);
        pass.setProcessChannelMode(QProcess::ForwardedChannels);
        QStringList arguments{QStringLiteral("--out"), plan.out, QStringLiteral("--store"), store, QStringLiteral("--scale"), QLatin1String(scale)};
        if (!plan.mnist.isEmpty()) arguments << QStringLiteral("--mnist") << plan.mnist;
        if (plan.gpus) arguments << QStringLiteral("--gpus");
        pass.start(QCoreApplication::applicationFilePath(), arguments);
        if (!pass.waitForFinished(-1) || pass.exitCode() != 0) return 1;
    }
    return 0;
}
