// SPDX-License-Identifier: GPL-3.0-or-later
// What computing the inside of blocks again would save and cost, beside its switch: before it is on, and when it is.
#include "fixture.h"

#include "core/base/text.h"

#include "tests/support/patience.h"

#include <QComboBox>
#include <QLabel>
#include <QScrollArea>
#include <QTabBar>

using namespace sconce;
using namespace sconce::ui;

class RecomputingTest : public QObject
{
    Q_OBJECT

    static void picture(ComposeFixture& f, const QString& name)
    {
        const QString folder = qEnvironmentVariable("SCONCE_PICTURES");
        if (folder.isEmpty()) return;
        for (const ThemeChoice theme : {ThemeChoice::Light, ThemeChoice::Dark}) {
            Theme::instance().apply(*qApp, theme);
            QTest::qWait(120);
            QVERIFY(f.page->grab().save(folder + QLatin1Char('/') + name + (theme == ThemeChoice::Light ? QStringLiteral("-light.png") : QStringLiteral("-dark.png"))));
        }
    }

  private Q_SLOTS:
    void isSaidBesideTheSwitch()
    {
        ComposeFixture f;
        f.document().load(findStarter("small-resnet")->recipe, {});
        f.find<QTabBar>("compose.tabs")->setCurrentIndex(1);
        auto* words = f.find<QLabel>("compose.training.memory.words");
        auto* choice = f.find<QComboBox>("compose.training.memory.recompute");
        QTRY_VERIFY(words->text().startsWith(QStringLiteral("Would save about ")));
        const auto guess = recomputingEstimate(f.recipe(), f.document().report(), *f.document().facts());
        QVERIFY(guess && guess->saves > 0 && guess->time > 0.2 && guess->time < 0.4);
        QVERIFY(words->text().contains(QString::fromStdString(bytesText(guess->saves))));
        QVERIFY(words->text().contains(QString::fromStdString(percentText(guess->time, 0) + " longer (estimates)")));
        f.find<QScrollArea>("compose.training")->ensureWidgetVisible(words);
        picture(f, QStringLiteral("compose-recomputing"));
        choice->setFocus();
        QTest::keyClick(choice, Qt::Key_Down);
        QCOMPARE(wordOf(f.recipe().training, "memory", "recompute"), std::string("blocks"));
        QTRY_VERIFY(words->text().startsWith(QStringLiteral("Saves about ") + QString::fromStdString(bytesText(guess->saves))));
        f.document().undoStack().undo();
        QTRY_VERIFY(words->text().startsWith(QStringLiteral("Would save about ")));
        // Where it would be of no use.
        f.document().load(findStarter("mnist-mlp")->recipe, {});
        QTRY_VERIFY(words->text().contains(QStringLiteral("too little")));
        // Nothing is said of a network that does not fit its data.
        f.document().change(QStringLiteral("break"), [](Recipe& r) { r.stack.layers.clear(); });
        QTRY_VERIFY(!words->isVisible() || words->text().contains(QStringLiteral("too little")));
    }
};

QTEST_MAIN(RecomputingTest)
#include "recomputing_test.moc"
