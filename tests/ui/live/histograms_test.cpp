// SPDX-License-Identifier: GPL-3.0-or-later
// Histograms on Live: the button asks the trainer, what it answers is drawn layer by layer, again on Refresh and after epochs where that is
// ticked; numbers that are none are marked; a run that has ended shows the weights that it saved.
#include "tests/support/page_checks.h"
#include "tests/ui/live/live_fixture.h"
#include "tests/support/patience.h"
#include "ui/live/histogram_view.h"
#include "ui/live/histograms_dialog.h"

#include <QCheckBox>
#include <QListWidget>
#include <QToolButton>

#include <algorithm>
#include <cmath>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

namespace {

std::vector<float> bell(float middle, float width, int count = 4000)
{
    std::vector<float> values;
    for (int i = 0; i < count; ++i) values.push_back(middle + width * static_cast<float>(std::sin(i * 0.7) + std::sin(i * 1.3) + std::sin(i * 2.9)));
    return values;
}

HistogramsTaken taken(std::int64_t step, bool strange = false)
{
    using Kind = TensorNumbers::Kind;
    std::vector<float> gradients = bell(0, 0.001f);
    if (strange) gradients[3] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> outputs = bell(0.2f, 0.5f);
    for (float& value : outputs) value = std::max(0.f, value);
    return {step,
            {{Kind::Weight, "l1", "conv1.weight", {4000}, histogramOf(bell(0.01f, 0.1f))},
             {Kind::Gradient, "l1", "conv1.weight", {4000}, histogramOf(gradients)},
             {Kind::Weight, "l3", "dense1.bias", {10}, histogramOf(bell(0, 0.2f, 10))},
             {Kind::Activation, "l1", "conv1", {16, 250}, histogramOf(outputs)},
             {Kind::Activation, "l2", "pool1", {16, 250}, histogramOf(outputs)},
             {Kind::Activation, "l3", "dense1", {16, 250}, histogramOf(bell(0, 3))}}};
}

} // namespace

class HistogramsTest : public LivePageFixture
{
    Q_OBJECT

    HistogramsDialog* dialog() { return page->findChild<HistogramsDialog*>(); }
    template <class T> T* in(const char* name)
    {
        T* found = dialog() ? dialog()->findChild<T*>(QLatin1String(name)) : nullptr;
        if (!found) qFatal("no widget is called %s", name);
        return found;
    }
    std::size_t asked()
    {
        return static_cast<std::size_t>(std::count_if(f->script->commands.begin(), f->script->commands.end(), [](const CommandBody& each) { return std::holds_alternative<HistogramsCommand>(each); }));
    }
    void openDialog()
    {
        auto* button = child<QToolButton>("live.histograms");
        QTRY_VERIFY(button->isVisible() && button->isEnabled());
        QTest::mouseClick(button, Qt::LeftButton);
        QVERIFY(dialog());
    }
    void pictures(const QString& name)
    {
        for (const ThemeChoice choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
            Theme::instance().apply(*qApp, choice);
            QCoreApplication::processEvents();
            savePicture(dialog(), name + (choice == ThemeChoice::Dark ? QStringLiteral("-dark") : QStringLiteral("-light")));
        }
    }

  private Q_SLOTS:
    void init() { open(); }
    void cleanup() { close(); }

    void askedAndDrawn()
    {
        begin();
        f->script->steps(0, 40);
        QCOMPARE(asked(), std::size_t{0}); // nothing is asked of a run that nobody looks at
        openDialog();
        QTRY_COMPARE(asked(), std::size_t{1});
        QCOMPARE(in<QListWidget>("histograms.layers")->count(), 0);
        f->script->push(taken(40));
        auto* list = in<QListWidget>("histograms.layers");
        QTRY_COMPARE(list->count(), 3);
        QCOMPARE(list->item(0)->text(), QStringLiteral("conv1.weight"));
        QCOMPARE(list->item(1)->text(), QStringLiteral("pool1")); // where it stands in the network
        QCOMPARE(list->item(2)->text(), QStringLiteral("dense1.bias"));
        QVERIFY2(in<QLabel>("histograms.words")->text().contains(QLatin1String("step 40")), qPrintable(in<QLabel>("histograms.words")->text()));
        for (const char* name : {"histograms.weights", "histograms.gradients", "histograms.output"}) QVERIFY2(in<HistogramView>(name)->figures().contains(QLatin1String("deviation")), name);
        pictures(QStringLiteral("histograms"));
        QCOMPARE(cutLabels(dialog()), QStringList());
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualItemRect(list->item(1)).center());
        QCOMPARE(list->currentRow(), 1);
        QVERIFY(in<HistogramView>("histograms.weights")->figures().contains(QLatin1String("no weights")));
        QVERIFY(in<HistogramView>("histograms.output")->figures().contains(QLatin1String("zeros")));

        // Again, and what was chosen stays chosen.
        QTest::mouseClick(in<QPushButton>("histograms.refresh"), Qt::LeftButton);
        QTRY_COMPARE(asked(), std::size_t{2});
        f->script->push(taken(77, true));
        QTRY_VERIFY(in<QLabel>("histograms.words")->text().contains(QLatin1String("step 77")));
        QCOMPARE(list->currentRow(), 1);
        QVERIFY(!list->item(0)->icon().isNull() && list->item(1)->icon().isNull()); // a NaN is marked
        list->setCurrentRow(0);
        QVERIFY(in<HistogramView>("histograms.gradients")->figures().contains(QLatin1String("1 not finite")));
        pictures(QStringLiteral("histograms-nan"));
        QTest::mouseClick(in<QPushButton>("histograms.close"), Qt::LeftButton);
        QTRY_VERIFY(!dialog());
    }

    /// What cannot be had is said where it was asked for, and may be asked for again.
    void refusedIsSaid()
    {
        begin();
        f->script->steps(0, 40);
        openDialog();
        QTRY_COMPARE(asked(), std::size_t{1});
        f->script->push(CommandAnswered{static_cast<std::int64_t>(f->script->commands.size()), 40, false, "There is too little memory for it."});
        QTRY_VERIFY(in<QLabel>("histograms.words")->text().contains(QLatin1String("too little memory")));
        QTest::mouseClick(in<QPushButton>("histograms.refresh"), Qt::LeftButton);
        QTRY_COMPARE(asked(), std::size_t{2});
        QVERIFY(f->runService->shown()->histogramsRefused.isEmpty());
        f->script->push(taken(41));
        QTRY_COMPARE(in<QListWidget>("histograms.layers")->count(), 3);
    }

    void afterEveryEpoch()
    {
        begin(20, 4);
        openDialog();
        QTRY_COMPARE(asked(), std::size_t{1});
        f->script->push(taken(0));
        QTRY_COMPARE(in<QListWidget>("histograms.layers")->count(), 3);
        f->script->steps(0, 20);
        f->script->epoch(1, 20, 0.5, 0.6, true);
        QTRY_COMPARE(f->runService->shown()->epochsDone.size(), std::size_t{1});
        QTest::qWait(200);
        QCOMPARE(asked(), std::size_t{1}); // not ticked
        QTest::mouseClick(in<QCheckBox>("histograms.each"), Qt::LeftButton, {}, QPoint(8, in<QCheckBox>("histograms.each")->height() / 2));
        QVERIFY(in<QCheckBox>("histograms.each")->isChecked());
        f->script->steps(20, 20);
        f->script->epoch(2, 20, 0.4, 0.5, true);
        QTRY_COMPARE(asked(), std::size_t{2});
    }

    /// A real run: what it has saved is read when it has ended.
    void ofARunThatHasEnded()
    {
        f->runService->setHostStarter({});
        Recipe recipe = findStarter("digits-convnet")->recipe;
        recipe.device = "cpu";
        recipe.threads = 1;
        recipe.training.epochs = 1;
        f->runService->start(recipe, QStringLiteral("real"));
        QTRY_VERIFY_WITH_TIMEOUT(f->runService->shown() && f->runService->shown()->status == RunStatus::Finished && !f->runService->shown()->loading, 5 * sconce::test::patienceMs);
        openDialog();
        auto* list = in<QListWidget>("histograms.layers");
        QTRY_VERIFY_WITH_TIMEOUT(list->count() > 1, sconce::test::patienceMs);
        QVERIFY2(in<QLabel>("histograms.words")->text().contains(QLatin1String("saved at step")), qPrintable(in<QLabel>("histograms.words")->text()));
        QVERIFY(in<HistogramView>("histograms.weights")->figures().contains(QLatin1String("deviation")));
        QVERIFY(in<HistogramView>("histograms.output")->figures().contains(QLatin1String("while a run trains")));
        QVERIFY(!in<QCheckBox>("histograms.each")->isEnabled());
        pictures(QStringLiteral("histograms-saved"));
    }
};

QTEST_MAIN(HistogramsTest)
#include "histograms_test.moc"
