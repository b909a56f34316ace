// SPDX-License-Identifier: GPL-3.0-or-later
// Find a rate: the button of the training settings, a real test of a real network on the built-in digits, the suggestion taken
// over as one edit, and the ways out of it.
#include "tests/support/page_checks.h"
#include "tests/ui/compose/fixture.h"
#include "tests/support/patience.h"
#include "ui/charts/plot_view.h"
#include "ui/compose/rate_finder.h"

#include <QLabel>
#include <QPushButton>
#include <QTabBar>

using namespace sconce;
using namespace sconce::ui;

class RateFinderTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<ComposeFixture> m;

    template <class T> T* inFinder(const char* name) const
    {
        auto* finder = m->page->findChild<RateFinder*>();
        T* found = finder ? finder->findChild<T*>(QString::fromLatin1(name)) : nullptr;
        if (!found) qFatal("no widget is called %s", name);
        return found;
    }
    void open()
    {
        m->find<QTabBar>("compose.tabs")->setCurrentIndex(1);
        auto* button = m->find<QPushButton>("compose.training.findRate");
        QTRY_VERIFY(button->isVisible() && button->isEnabled());
        QTest::mouseClick(button, Qt::LeftButton);
        QVERIFY(m->page->findChild<RateFinder*>());
    }

  private Q_SLOTS:
    void init()
    {
        m = std::make_unique<ComposeFixture>();
        Recipe recipe = findStarter("digits-convnet")->recipe;
        recipe.device = "cpu";
        recipe.threads = 1;
        recipe.training.batchSize = 50;
        recipe.training.learningRate = 1;
        m->document().load(recipe, {});
    }
    void cleanup() { m.reset(); }

    void theSuggestionIsTakenAsOneEdit()
    {
        open();
        auto* use = inFinder<QPushButton>("rateFinder.use");
        QVERIFY(!use->isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(use->isEnabled(), 5 * sconce::test::patienceMs);
        QVERIFY2(inFinder<PlotView>("rateFinder.plot")->summary().contains(QLatin1String("loss, smoothed")), qPrintable(inFinder<PlotView>("rateFinder.plot")->summary()));
        QVERIFY(!inFinder<QWidget>("rateFinder.progress")->isVisible());
        ui::test::savePicture(m->page->findChild<RateFinder*>(), QStringLiteral("rate-finder"));
        QCOMPARE(ui::test::cutLabels(m->page->findChild<RateFinder*>()), QStringList());
        const QString said = use->text();
        QTest::mouseClick(use, Qt::LeftButton);
        const double rate = m->recipe().training.learningRate;
        QVERIFY2(rate >= 1e-4 && rate <= 3e-2, qPrintable(QString::number(rate)));
        QCOMPARE(said.section(QLatin1Char(' '), 1).toDouble(), rate);
        m->document().undoStack().undo();
        QCOMPARE(m->recipe().training.learningRate, 1.0);
        QTRY_VERIFY(!m->page->findChild<RateFinder*>());
    }

    void cancelChangesNothing()
    {
        open();
        auto* close = inFinder<QPushButton>("rateFinder.close");
        QCOMPARE(close->text(), QStringLiteral("Cancel"));
        QTest::mouseClick(close, Qt::LeftButton);
        QTRY_VERIFY(!m->page->findChild<RateFinder*>());
        QCOMPARE(m->recipe().training.learningRate, 1.0);
    }

    void dataThatIsNotThereIsASentence()
    {
        m->document().change(QStringLiteral("other data"), [](Recipe& recipe) { recipe.data.dataset = "mnist"; }); // known, but nowhere here
        auto* button = m->find<QPushButton>("compose.training.findRate");
        m->find<QTabBar>("compose.tabs")->setCurrentIndex(1);
        if (!button->isEnabled()) {
            QVERIFY(!button->toolTip().isEmpty());
            return;
        }
        QTest::mouseClick(button, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(inFinder<QPushButton>("rateFinder.again")->isEnabled(), sconce::test::patienceMs);
        QVERIFY(inFinder<QLabel>("rateFinder.words")->text().contains(QLatin1String("mnist")));
        QVERIFY(!inFinder<QPushButton>("rateFinder.use")->isEnabled());
    }

    void aRecipeWithProblemsIsNotTested()
    {
        m->document().change(QStringLiteral("break it"), [](Recipe& recipe) { recipe.stack.layers.pop_back(); });
        auto* button = m->find<QPushButton>("compose.training.findRate");
        QVERIFY(!button->isEnabled());
        QVERIFY(!button->toolTip().isEmpty());
    }
};

QTEST_MAIN(RateFinderTest)
#include "rate_finder_test.moc"
