// SPDX-License-Identifier: GPL-3.0-or-later
// How long the window's event loop ever stands still while a run trains beside it: the stall meter that ships in the program,
// over the real window, while a script opens every page, moves layers, changes numbers, resizes and draws.
//   sconce_bench_stalls [--mnist FOLDER] [--seconds N] [--threads N]
// Without MNIST it trains on the built-in digits. Prints one table; exits 1 if training did not last as long as the bench.
#include "tests/support/ui.h"

#include <QCommandLineParser>
#include <QListView>
#include <QTemporaryDir>

#include <cstdio>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

namespace {

constexpr PageId pages[] = {PageId::Data, PageId::Compose, PageId::Live, PageId::Runs, PageId::Hardware, PageId::TryIt, PageId::Settings, PageId::Live};

DatasetId addData(Studio& studio, const QString& folder)
{
    DatasetId id;
    bool failed = false;
    QObject::connect(studio.data, &DataService::added, studio.data, [&](const QString& added) { id = added.toStdString(); });
    QObject::connect(studio.data, &DataService::addFailed, studio.data, [&](const QString& sentence) {
        std::fprintf(stderr, "%s\n", qPrintable(sentence));
        failed = true;
    });
    studio.data->add(folder);
    for (int i = 0; i < 3000 && id.empty() && !failed; ++i) QTest::qWait(20);
    return id;
}

/// One turn of the script on a page: what a restless person does there.
void act(MainWindow& window, PageId page, int turn)
{
    if (page == PageId::Compose) {
        if (auto* stack = window.findChild<QListView*>(QStringLiteral("compose.stack"))) {
            stack->setFocus();
            const auto press = [stack](Qt::Key key, Qt::KeyboardModifiers with = {}) {
                QTest::keyClick(stack, key, with);
                QTest::qWait(20); // the fastest typist's pace: what comes in one burst is one gap
            };
            press(Qt::Key_Home);
            for (int i = 0; i < 3; ++i) press(Qt::Key_Down);
            press(turn % 2 ? Qt::Key_Up : Qt::Key_Down, Qt::AltModifier); // moves the layer
            press(Qt::Key_Z, Qt::ControlModifier);
        }
    }
    if (page == PageId::TryIt) {
        if (auto* canvas = window.findChild<QWidget*>(QStringLiteral("tryit.canvas")); canvas && canvas->isVisible()) {
            QTest::mousePress(canvas, Qt::LeftButton, {}, {60, 60 + turn % 40});
            for (int i = 0; i < 20; ++i) QTest::mouseMove(canvas, {60 + 8 * i, 60 + (i * i) / 3});
            QTest::mouseRelease(canvas, Qt::LeftButton, {}, {220, 190});
        }
    }
    if (page == PageId::Live && turn % 3 == 0) window.resize(1440 - 40 * (turn % 7), 900 - 20 * (turn % 5));
}

const char* titleOf(PageId page)
{
    constexpr const char* names[] = {"Welcome", "Data", "Compose", "Live", "Runs", "Hardware", "Try it", "Settings"};
    return names[static_cast<int>(page)];
}

void print(const char* what, const StallMeter::Report& r)
{
    std::printf("%-34s %8.1f %8.1f %8.1f %8.2f %9lld %8lld %7.0f\n", what, r.worstMs, r.p999Ms, r.p99Ms, r.meanMs, static_cast<long long>(r.pings),
                static_cast<long long>(r.over50ms), r.seconds);
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    prepareEngineProcess();
    QApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addHelpOption();
    parser.addOptions({{QStringLiteral("mnist"), QStringLiteral("Folder with MNIST."), QStringLiteral("FOLDER")},
                       {QStringLiteral("seconds"), QStringLiteral("How long."), QStringLiteral("N"), QStringLiteral("300")},
                       {QStringLiteral("threads"), QStringLiteral("Training threads; 0 = as many as the machine allows."), QStringLiteral("N"), QStringLiteral("0")}});
    parser.process(app);
    const double seconds = parser.value(QStringLiteral("seconds")).toDouble();
    Theme::instance().apply(app, ThemeChoice::Dark);
    QTemporaryDir store, config;
    StudioWindow studio(store.path(), config.path());
    studio.show(PageId::Compose);
    studio.window->resize(1440, 900);
    QTest::qWait(2000);

    std::printf("%-34s %8s %8s %8s %8s %9s %8s %7s\n", "longest gaps of the window, ms", "worst", "p99.9", "p99", "mean", "pings", "> 50 ms", "s");
    auto* stalls = studio.studio().stalls;
    stalls->reset();
    QTest::qWait(5000);
    print("idle", stalls->report());

    const bool mnist = parser.isSet(QStringLiteral("mnist"));
    Recipe recipe = findStarter(mnist ? "mnist-convnet" : "digits-convnet")->recipe;
    if (mnist) {
        recipe.data.dataset = addData(studio.studio(), parser.value(QStringLiteral("mnist")));
        if (recipe.data.dataset.empty()) return 1;
    }
    recipe.training.epochs = 1000;
    recipe.threads = parser.value(QStringLiteral("threads")).toInt();
    // A first, short run, so that Try it has a model to draw for and Runs a row.
    recipe.training.epochs = 1;
    studio.studio().runService->start(recipe, QStringLiteral("first"));
    for (int i = 0; i < 15000 && (studio.studio().runService->preparing() || studio.studio().runService->training() || i < 100); ++i) QTest::qWait(20);
    recipe.training.epochs = 1000;
    studio.studio().runService->start(recipe, QStringLiteral("long"));
    for (int i = 0; i < 3000 && !studio.studio().runService->training(); ++i) QTest::qWait(20);
    QTest::qWait(1000);

    // A second meter tells which page and which part of a turn the longest gaps belong to.
    StallMeter part;
    std::map<std::string, double> worst;
    const auto note = [&](PageId page, const char* what) {
        double& w = worst[std::string(titleOf(page)) + ", " + what];
        w = std::max(w, part.report().worstMs);
        part.reset();
    };
    stalls->reset();
    QElapsedTimer clock;
    clock.start();
    for (int turn = 0; clock.elapsed() < seconds * 1000; ++turn) {
        const PageId page = pages[turn % std::size(pages)];
        part.reset();
        studio.window->goTo(page);
        QTest::qWait(400);
        note(page, "opening it");
        act(*studio.window, page, turn);
        QTest::qWait(200);
        note(page, "using it");
        QTest::qWait(400);
        note(page, "looking at it");
    }
    print(mnist ? "training MNIST, script running" : "training digits, script running", stalls->report());
    for (const auto& [where, ms] : worst) std::printf("    %-30s %8.1f\n", where.c_str(), ms);
    const auto* run = studio.studio().runService->current();
    const bool lasted = studio.studio().runService->training() && run;
    std::printf("%s\n", lasted ? qPrintable(QStringLiteral("trained %1 steps meanwhile, %2 samples a second at the end").arg(run->step).arg(run->samplesPerSecond, 0, 'f', 0)) : "the run did not last");
    bool stopped = false;
    studio.studio().runService->saveAndStop([&] { stopped = true; });
    for (int i = 0; i < 1500 && !stopped; ++i) QTest::qWait(20);
    return lasted ? 0 : 1;
}
