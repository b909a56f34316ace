// SPDX-License-Identifier: GPL-3.0-or-later
// The other buttons that try a few steps: the profile with its two tables and its trace, and the largest batch that fits, taken over as one
// edit. Real steps of a real network on the built-in digits.
#include "tests/support/page_checks.h"
#include "tests/ui/compose/fixture.h"
#include "tests/support/patience.h"
#include "ui/compose/batch_finder.h"
#include "ui/compose/profile_dialog.h"
#include "ui/compose/rate_finder.h"
#include "ui/compose/trial_bars.h"
#include "ui/widgets/parts.h"

#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QTabBar>

using namespace sconce;
using namespace sconce::ui;

class TrialsTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<ComposeFixture> m;

    template <class Dialog> Dialog* open(const char* name)
    {
        m->find<QTabBar>("compose.tabs")->setCurrentIndex(1);
        auto* button = m->find<QPushButton>(name);
        auto* panel = m->find<QScrollArea>("compose.training");
        if (!QTest::qWaitFor([&] { return button->isVisible() && button->isEnabled(); }, sconce::test::patienceMs)) return nullptr;
        panel->ensureWidgetVisible(button);
        QCoreApplication::processEvents();
        QTest::mouseClick(button, Qt::LeftButton);
        return m->page->findChild<Dialog*>();
    }
    template <class T> static T* in(QWidget* dialog, const char* name)
    {
        T* found = dialog->findChild<T*>(QString::fromLatin1(name));
        if (!found) qFatal("no widget is called %s", name);
        return found;
    }
    static QStringList names(const TrialBars* bars)
    {
        QStringList names;
        for (const TrialBars::Row& row : bars->rows()) names << row.name;
        return names;
    }
    static void pictures(QWidget* dialog, const QString& name)
    {
        const bool dark = Theme::instance().dark();
        for (const ThemeChoice choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
            Theme::instance().apply(*qApp, choice);
            QCoreApplication::processEvents();
            ui::test::savePicture(dialog, name + (choice == ThemeChoice::Dark ? QStringLiteral("-dark") : QStringLiteral("-light")));
        }
        Theme::instance().apply(*qApp, dark ? ThemeChoice::Dark : ThemeChoice::Light);
    }

  private Q_SLOTS:
    void init()
    {
        m = std::make_unique<ComposeFixture>();
        Recipe recipe = findStarter("digits-convnet")->recipe;
        recipe.device = "cpu";
        recipe.threads = 1;
        recipe.training.batchSize = 50;
        m->document().load(recipe, {});
    }
    void cleanup()
    {
        setFileChooser({});
        setAsker(nullptr);
        m.reset();
    }

    void theProfileShowsLayersAndOperationsAndSavesItsTrace()
    {
        auto* dialog = open<ProfileDialog>("compose.training.profile");
        QVERIFY(dialog);
        auto* save = in<QPushButton>(dialog, "profile.save");
        auto* bars = in<TrialBars>(dialog, "profile.bars");
        QVERIFY(!save->isEnabled() && bars->rows().empty());
        QTRY_VERIFY_WITH_TIMEOUT(save->isEnabled(), 5 * sconce::test::patienceMs);
        QVERIFY(!in<QWidget>(dialog, "profile.progress")->isVisible());
        const QStringList layers = names(bars);
        for (const char* part : {"data", "loss", "optimiser", "rest"}) QVERIFY2(layers.contains(QLatin1String(part)), qPrintable(layers.join(' ')));
        QVERIFY(layers.size() > 6);
        QVERIFY2(in<QLabel>(dialog, "profile.words")->text().contains(QLatin1String("median of 20 steps")), qPrintable(in<QLabel>(dialog, "profile.words")->text()));
        pictures(dialog, QStringLiteral("profile-layers"));
        QCOMPARE(ui::test::cutLabels(dialog), QStringList());
        const auto segments = in<QWidget>(dialog, "profile.by")->findChildren<QAbstractButton*>();
        QCOMPARE(segments.size(), 2);
        QTest::mouseClick(segments[1], Qt::LeftButton);
        const QStringList operations = names(bars);
        QVERIFY(operations != layers && operations.contains(QLatin1String("rest")));
        QVERIFY2(operations.join(' ').contains(QLatin1String("convolution")), qPrintable(operations.join(' ')));
        pictures(dialog, QStringLiteral("profile-operations"));

        QTemporaryDir folder;
        const QString file = folder.filePath(QStringLiteral("trace.json"));
        setFileChooser([&](QWidget*, const QString& kind, const QString&) { return kind == QLatin1String("save") ? file : QString(); });
        QTest::mouseClick(save, Qt::LeftButton);
        QFile written(file);
        QVERIFY(written.open(QIODevice::ReadOnly));
        QVERIFY(QJsonDocument::fromJson(written.readAll()).object()[QStringLiteral("traceEvents")].toArray().size() > 100);
        // A place that cannot be written to is a sentence.
        QString said;
        setAsker([&](QWidget*, const Question& question) {
            said = question.text;
            return 0;
        });
        setFileChooser([](QWidget*, const QString&, const QString&) { return QStringLiteral("/nowhere/at/all/trace.json"); });
        QTest::mouseClick(save, Qt::LeftButton);
        QVERIFY2(said.contains(QLatin1String("/nowhere")), qPrintable(said));
        QTest::mouseClick(in<QPushButton>(dialog, "profile.close"), Qt::LeftButton);
        QTRY_VERIFY(!m->page->findChild<ProfileDialog*>());
        QCOMPARE(m->runs->rows().size(), std::size_t{0}); // nothing is kept
    }

    void theBatchIsTakenAsOneEditAndRemindsOfTheRate()
    {
        auto* dialog = open<BatchFinder>("compose.training.findBatch");
        QVERIFY(dialog);
        auto* use = in<QPushButton>(dialog, "batchFinder.use");
        QVERIFY(!use->isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(use->isEnabled(), 5 * sconce::test::patienceMs);
        auto* bars = in<TrialBars>(dialog, "batchFinder.bars");
        QVERIFY(bars->rows().size() >= 2);
        QCOMPARE(bars->rows().front().name, QStringLiteral("50"));
        QVERIFY(bars->rows().back().first > bars->rows().front().first); // memory grows with the batch
        QVERIFY(in<QLabel>(dialog, "batchFinder.words")->text().contains(QLatin1String("learning rate")));
        QVERIFY(in<QLabel>(dialog, "batchFinder.how")->text().contains(QLatin1String("real steps")));
        pictures(dialog, QStringLiteral("batch-finder"));
        QCOMPARE(ui::test::cutLabels(dialog), QStringList());
        const QString said = use->text();
        QTest::mouseClick(use, Qt::LeftButton);
        const std::int64_t batch = m->recipe().training.batchSize;
        QVERIFY2(batch >= 64 && (batch & (batch - 1)) == 0, qPrintable(QString::number(batch)));
        QCOMPARE(said.section(QLatin1Char(' '), 1).remove(QLatin1Char(',')).toLongLong(), batch);
        QTRY_VERIFY(!m->page->findChild<BatchFinder*>());
        // The reminder leads to the test of rates.
        QPushButton* find = nullptr;
        QTRY_VERIFY([&] {
            for (auto* button : m->page->window()->findChildren<QPushButton*>())
                if (button->isVisible() && button->text() == QLatin1String("Find a rate")) find = button;
            return find != nullptr;
        }());
        QTest::mouseClick(find, Qt::LeftButton);
        QTRY_VERIFY(m->page->findChild<RateFinder*>());
        m->page->findChild<RateFinder*>()->reject();
        m->document().undoStack().undo();
        QCOMPARE(m->recipe().training.batchSize, std::int64_t{50});
    }

    void cancelChangesNothing()
    {
        auto* batch = open<BatchFinder>("compose.training.findBatch");
        QVERIFY(batch);
        auto* close = in<QPushButton>(batch, "batchFinder.close");
        QCOMPARE(close->text(), QStringLiteral("Cancel"));
        QTest::mouseClick(close, Qt::LeftButton);
        QTRY_VERIFY(!m->page->findChild<BatchFinder*>());
        QCOMPARE(m->recipe().training.batchSize, std::int64_t{50});
        auto* profile = open<ProfileDialog>("compose.training.profile");
        QVERIFY(profile);
        QTest::keyClick(profile, Qt::Key_Escape);
        QTRY_VERIFY(!m->page->findChild<ProfileDialog*>());
    }

    void aRecipeWithProblemsIsNotTried()
    {
        m->document().change(QStringLiteral("break it"), [](Recipe& recipe) { recipe.stack.layers.pop_back(); });
        for (const char* name : {"compose.training.findBatch", "compose.training.profile"}) {
            QVERIFY(!m->find<QPushButton>(name)->isEnabled());
            QVERIFY(!m->find<QPushButton>(name)->toolTip().isEmpty());
        }
    }
};

QTEST_MAIN(TrialsTest)
#include "trials_test.moc"
