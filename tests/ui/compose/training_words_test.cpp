// SPDX-License-Identifier: GPL-3.0-or-later
// What the training settings say of themselves: a tooltip at every field, the chosen entry's own words, which epoch is the best, and
// the drawn learning rate.

#include "fixture.h"

#include "core/training/policies.h"
#include "tests/support/page_checks.h"
#include "ui/charts/plot_view.h"
#include "ui/compose/param_field.h"
#include "ui/compose/training_panel.h"
#include "ui/widgets/parts.h"

#include <QAbstractButton>
#include <QAbstractSpinBox>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QHelpEvent>
#include <QImage>
#include <QLabel>
#include <QLineEdit>
#include <QTemporaryDir>
#include <QToolTip>

#include <cmath>

using namespace sconce;
using namespace sconce::ui;

namespace {

bool isEditor(const QWidget* widget)
{
    if (widget->objectName().startsWith(QLatin1String("qt_")) || qobject_cast<const QAbstractSpinBox*>(widget->parentWidget())) return false; // inside of one
    return qobject_cast<const QAbstractSpinBox*>(widget) || qobject_cast<const QComboBox*>(widget) || qobject_cast<const QCheckBox*>(widget) || qobject_cast<const QLineEdit*>(widget);
}

QString labelOf(const QWidget* panel, const char* field, QString* tip)
{
    const auto* editor = panel->findChild<QWidget*>(QString::fromLatin1(field));
    for (const QLabel* label : panel->findChildren<QLabel*>())
        if (editor && label->buddy() && (label->buddy() == editor || label->buddy()->isAncestorOf(editor))) {
            *tip = label->toolTip();
            return label->text();
        }
    return {};
}

} // namespace

class TrainingWordsTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() { Theme::instance().apply(*qApp, ThemeChoice::Dark); }

    void everyFieldHasATooltip_data()
    {
        QTest::addColumn<QString>("optimiser");
        QTest::addColumn<QString>("schedule");
        QTest::addColumn<QString>("task");
        const auto at = [](std::span<const OptionEntry> entries, std::size_t i) { return QString::fromStdString(entries[std::min(i, entries.size() - 1)].id); };
        for (std::size_t i = 0; i < std::max({optimiserEntries().size(), scheduleEntries().size(), taskEntries().size()}); ++i)
            QTest::addRow("%zu", i) << at(optimiserEntries(), i) << at(scheduleEntries(), i) << at(taskEntries(), i);
    }
    void everyFieldHasATooltip()
    {
        QFETCH(QString, optimiser);
        QFETCH(QString, schedule);
        QFETCH(QString, task);
        ComposeFixture f;
        f.document().change(QStringLiteral("others"), [&](Recipe& r) {
            r.training.optimiser = {optimiser.toStdString(), {}};
            r.training.schedule = {schedule.toStdString(), {}};
            r.task = {task.toStdString(), {}};
        });
        const auto* panel = f.find<TrainingPanel>("compose.training");
        int editors = 0;
        for (const QWidget* each : panel->findChildren<QWidget*>()) {
            if (!isEditor(each)) continue;
            ++editors;
            QVERIFY2(each->toolTip().count(QLatin1Char(' ')) >= 5, qPrintable(each->objectName() + QStringLiteral(": ") + each->toolTip()));
            QVERIFY2(!each->accessibleName().isEmpty(), qPrintable(each->objectName()));
        }
        QVERIFY2(editors > 40, qPrintable(QString::number(editors)));
        for (const auto* button : panel->findChildren<QAbstractButton*>())
            if (!qobject_cast<const QCheckBox*>(button) && button->text().isEmpty()) QVERIFY2(!button->toolTip().isEmpty(), qPrintable(button->objectName()));
    }

    /// The closed list tells what its entry costs; the glossary does not hide what the option itself says.
    void chosenEntriesAndTermsAreTold()
    {
        ComposeFixture f;
        const auto* panel = f.find<TrainingPanel>("compose.training");
        auto* method = f.find<QComboBox>("compose.training.optimiser");
        for (const OptionEntry& entry : optimiserEntries()) {
            f.document().change(QStringLiteral("another"), [&](Recipe& r) { r.training.optimiser = {entry.id, {}}; });
            QVERIFY2(method->toolTip().endsWith(QString::fromStdString(entry.title + ": " + entry.help)), qPrintable(method->toolTip()));
            QVERIFY(method->toolTip().startsWith(QStringLiteral("The rule that changes the weights")));
        }
        f.document().change(QStringLiteral("weights of classes"), [&](Recipe& r) { r.task.params["class_weights"] = std::string("balanced"); });
        QVERIFY(f.find<QComboBox>("compose.training.task.class_weights")->toolTip().endsWith(QStringLiteral("balanced: Rare classes count more, so that all classes count alike")));
        f.document().change(QStringLiteral("SGD"), [&](Recipe& r) { r.training.optimiser = {"sgd", {}}; });
        QString tip;
        QCOMPARE(labelOf(panel, "compose.training.optimiser.momentum", &tip), QStringLiteral("Momentum"));
        QVERIFY2(tip.startsWith(explainTerm(QStringLiteral("momentum"))) && tip.contains(QStringLiteral("one number beside each weight")), qPrintable(tip));
        QHelpEvent asked(QEvent::ToolTip, {4, 4}, method->mapToGlobal(QPoint(4, 4)));
        QApplication::sendEvent(method, &asked);
        bool seen = false;
        for (QWidget* each : QApplication::topLevelWidgets())
            if (each->inherits("QTipLabel") && each->isVisible()) {
                seen = true;
                QVERIFY2(each->width() < 700, qPrintable(QString::number(each->width())));
                sconce::ui::test::savePicture(each, QStringLiteral("compose-tooltip"));
            }
        QVERIFY(seen);
        QToolTip::hideText();
        QCOMPARE(labelOf(panel, "compose.training.batchSize", &tip), QStringLiteral("Batch size"));
        QVERIFY2(tip.startsWith(explainTerm(QStringLiteral("batch size"))) && tip.contains(QStringLiteral("need more memory")), qPrintable(tip));
    }

    /// The best epoch is that of the number which early stopping watches.
    void keepTheBestNamesWhatItGoesBy()
    {
        ComposeFixture f;
        const auto* panel = f.find<TrainingPanel>("compose.training");
        auto* best = f.find<QCheckBox>("compose.training.checkpointBest");
        QCOMPARE(best->text(), QStringLiteral("by validation loss"));
        for (const bool enabled : {false, true, false})
            for (const char* watch : {"val_accuracy", "val_loss", "val_accuracy"}) {
                f.document().change(QStringLiteral("stops"), [&](Recipe& r) {
                    setOption(r.training, "early_stopping", "enabled", enabled);
                    setOption(r.training, "early_stopping", "watch", std::string(watch));
                });
                const QString word = StoppingPolicy(f.recipe().training).byAccuracy ? QStringLiteral("validation accuracy") : QStringLiteral("validation loss");
                QCOMPARE(word.endsWith(QLatin1String("accuracy")), enabled && std::string(watch) == "val_accuracy");
                QString tip;
                QCOMPARE(labelOf(panel, "compose.training.checkpointBest", &tip), QStringLiteral("Keep the best"));
                QCOMPARE(best->text(), QStringLiteral("by ") + word);
                QVERIFY2(best->toolTip().contains(word) && tip == best->toolTip(), qPrintable(best->toolTip()));
            }
    }

    /// A share cannot be typed where the data's own validation folder is taken whole; one that came with the recipe is set back.
    void ownValidationFolderLeavesNothingToSet()
    {
        QTemporaryDir pictures;
        for (const char* part : {"train", "val", "test"})
            for (int c = 0; c < 10; ++c) {
                const QString folder = pictures.filePath(QStringLiteral("%1/class %2").arg(QLatin1String(part)).arg(c));
                QDir().mkpath(folder);
                for (int i = 0; i < 2; ++i) {
                    QImage image(28, 28, QImage::Format_Grayscale8);
                    image.fill(20 * c + i);
                    QVERIFY(image.save(QStringLiteral("%1/%2.png").arg(folder).arg(i)));
                }
            }
        ComposeFixture f;
        auto* share = f.find<QAbstractSpinBox>("compose.training.validation");
        auto* count = f.find<QAbstractSpinBox>("compose.training.validationCount");
        QVERIFY(share->isEnabled() && count->isEnabled());
        QString id;
        connect(f.data.get(), &DataService::added, this, [&](const QString& added) { id = added; });
        f.data->add(pictures.path());
        QTRY_VERIFY_WITH_TIMEOUT(!id.isEmpty(), sconce::test::patienceMs);
        Q_EMIT f.navigator->composeData(id);
        QTRY_VERIFY_WITH_TIMEOUT(f.document().facts() && f.document().facts()->validationCount == 20, sconce::test::patienceMs);
        QVERIFY(!share->isEnabled() && !count->isEnabled());
        f.document().change(QStringLiteral("share"), [](Recipe& r) { r.data.split.validation = 0.3; });
        const auto hint = [&]() -> const Problem* {
            for (const Problem& problem : f.document().problems())
                if (problem.path == "/data/split/validation") return &problem;
            return nullptr;
        };
        QVERIFY(hint() && hint()->severity == Severity::Hint);
        sconce::ui::test::savePicture(f.page.get(), QStringLiteral("compose-own-validation"));
        const auto mended = applyFix(f.recipe(), hint()->fixes.at(0));
        QVERIFY(mended.ok());
        f.document().change(QStringLiteral("mended"), [&](Recipe& r) { r = *mended; });
        QVERIFY(!hint());
        f.document().change(QStringLiteral("drawn"), [](Recipe& r) { r.data.split.kind = SplitSettings::Kind::Shuffled; });
        QVERIFY(share->isEnabled() && count->isEnabled());
    }

    void drawnScheduleIsTheRateOfEachStep_data()
    {
        QTest::addColumn<QString>("type");
        QTest::addColumn<double>("warmUp");
        QTest::newRow("steps") << QStringLiteral("step") << 0.0;
        QTest::newRow("cosine with warm-up") << QStringLiteral("cosine") << 0.2;
        QTest::newRow("exponential with warm-up") << QStringLiteral("exponential") << 0.1;
    }
    void drawnScheduleIsTheRateOfEachStep()
    {
        QFETCH(QString, type);
        QFETCH(double, warmUp);
        ComposeFixture f;
        f.document().change(QStringLiteral("schedule"), [&](Recipe& r) {
            r.training.epochs = 12;
            r.training.learningRate = 0.02;
            r.training.schedule = {type.toStdString(), {{"warm_up", warmUp}}};
            if (type == QLatin1String("step")) r.training.schedule.params["every"] = std::int64_t{3};
        });
        QVERIFY(f.document().estimate());
        const std::int64_t perEpoch = f.document().estimate()->stepsPerEpoch, total = 12 * perEpoch;
        QVERIFY(total > 240);
        const auto* plot = f.find<PlotView>("compose.training.curve");
        QVERIFY2(plot->summary().contains(QStringLiteral("121 points")), qPrintable(plot->summary()));
        double highest = 0, first = -1;
        for (std::int64_t i = 0; i <= 120; ++i) {
            const std::int64_t step = std::min(total - 1, total * i / 120);
            const double x = double(i == 120 ? total : step) / double(perEpoch); // the last step's rate stands at the end
            const auto values = plot->valuesAt(x);
            QCOMPARE(values.size(), std::size_t(1));
            QCOMPARE(values[0].x, x);
            QCOMPARE(values[0].y, learningRateAt(f.recipe().training, {step, total, perEpoch}));
            highest = std::max(highest, values[0].y);
            if (i == 0) first = values[0].y;
        }
        QVERIFY2(std::abs(highest - 0.02) < 0.0005, qPrintable(QString::number(highest)));
        QVERIFY(warmUp > 0 ? first < 0.001 : first == 0.02);
        QVERIFY(plot->valuesAt(12)[0].y < 0.015); // it fell
        QVERIFY(plot->yRange().second >= highest);
    }
};

QTEST_MAIN(TrainingWordsTest)
#include "training_words_test.moc"
