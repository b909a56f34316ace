// SPDX-License-Identifier: GPL-3.0-or-later
// *Train on this data*: what was chosen on the Data page arrives in the recipe, and nothing else of it is lost.

#include "fixture.h"

#include "core/training/start_weights.h"
#include "ui/compose/stack_model.h"
#include "ui/services/data_choices.h"
#include "ui/widgets/parts.h"

#include "tests/support/patience.h"

#include <QComboBox>

#include <QDir>
#include <QLabel>
#include <QToolButton>

using namespace sconce;
using namespace sconce::ui;

class ComposeDataTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase()
    {
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_config.path());
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
    }

    void choicesArriveInOneStep()
    {
        ComposeFixture f;
        const Recipe before = f.recipe();
        const DatasetInfo* info = f.data->find("digits");
        QVERIFY(info);
        DataChoices choices = dataChoices(*f.settings, *info);
        choices.split.kind = SplitSettings::Kind::Shuffled;
        choices.split.validation = 0.25;
        choices.input.scale = true;
        choices.input.normalise = true;
        choices.shuffle = false;
        setDataChoices(*f.settings, "digits", choices);
        Q_EMIT f.navigator->composeData(QStringLiteral("digits"));

        const DataSettings& data = f.recipe().data;
        QCOMPARE(data.dataset, DatasetId("digits"));
        QCOMPARE(data.split.kind, SplitSettings::Kind::Shuffled);
        QCOMPARE(data.split.validation, 0.25);
        QVERIFY(data.input.normalise);
        QCOMPARE(data.input.mean, info->mean);
        QCOMPARE(data.input.deviation, info->deviation);
        QVERIFY(!data.shuffle);
        QVERIFY(f.recipe().stack == before.stack);
        QVERIFY(f.recipe().training == before.training);
        QVERIFY(f.document().startable());
        QCOMPARE(f.document().undoStack().count(), 1);
        f.document().undoStack().undo();
        QVERIFY(f.recipe() == before);
    }

    /// A set chosen in Compose's own header brings the same along as *Train on this data*.
    void choicesArriveFromTheHeaderToo()
    {
        QTemporaryDir pictures;
        for (int c = 0; c < 10; ++c) {
            QDir().mkpath(pictures.filePath(QString::number(c)));
            for (int i = 0; i < 6; ++i) {
                QImage image(28, 28, QImage::Format_Grayscale8);
                image.fill(20 * c + i);
                QVERIFY(image.save(pictures.filePath(QStringLiteral("%1/%2.png").arg(c).arg(i))));
            }
        }
        ComposeFixture f;
        QString id;
        connect(f.data.get(), &DataService::added, this, [&](const QString& added) { id = added; });
        f.data->add(pictures.path());
        QTRY_VERIFY_WITH_TIMEOUT(!id.isEmpty(), sconce::test::patienceMs);
        const DatasetInfo* info = f.data->find(id.toStdString());
        QVERIFY(info);
        DataChoices choices = dataChoices(*f.settings, *info);
        choices.split.kind = SplitSettings::Kind::Shuffled;
        choices.split.validation = 0.3;
        choices.input.normalise = true;
        setDataChoices(*f.settings, info->id, choices);
        const Recipe before = f.recipe();
        auto* combo = f.find<QComboBox>("compose.data");
        QTRY_VERIFY(combo->findData(id) >= 0);
        QCOMPARE(combo->currentData().toString(), QStringLiteral("digits"));
        combo->setFocus();
        while (combo->currentData().toString() != id) {
            const int at = combo->currentIndex();
            QTest::keyClick(combo, combo->findData(id) > at ? Qt::Key_Down : Qt::Key_Up);
            QVERIFY(combo->currentIndex() != at);
        }
        const DataSettings& data = f.recipe().data;
        QCOMPARE(QString::fromStdString(data.dataset), id);
        QCOMPARE(data.split.kind, SplitSettings::Kind::Shuffled);
        QCOMPARE(data.split.validation, 0.3);
        QVERIFY(data.split.test > 0); // a folder has no test part of its own
        QVERIFY(data.input.normalise);
        QCOMPARE(data.input.mean, info->mean);
        QCOMPARE(f.document().undoStack().count(), 1);
        // Chosen once more it leaves alone what was changed since.
        f.document().change(QStringLiteral("split"), [](Recipe& r) { r.data.split.validation = 0.15; });
        Q_EMIT combo->activated(combo->currentIndex());
        QCOMPARE(f.recipe().data.split.validation, 0.15);
        f.document().undoStack().undo();
        f.document().undoStack().undo();
        QVERIFY(f.recipe() == before);
    }

    /// Forward and backward: the first layer needs no gradient of the pictures.
    void computeSharesAreThoseOfAStep()
    {
        ComposeFixture f;
        f.document().load(findStarter("mnist-convnet")->recipe, {});
        const auto* model = static_cast<StackModel*>(f.stack()->model());
        QStringList shares;
        for (int row = 1; row <= 7; ++row) shares << model->row(row).compute;
        QCOMPARE(shares, (QStringList{"5.5 %", "0 %", "93.9 %", "0 %", "0 %", "0 %", "0.7 %"}));
        // Nothing but pooling: its own arithmetic is what there is.
        f.document().change(QStringLiteral("pools"), [](Recipe& r) { std::erase_if(r.stack.layers, [](const Layer& l) { return l.type != "max_pool2d"; }); });
        QVERIFY(f.document().report().ok());
        QVERIFY(model->row(1).computeShare > 0.5);
    }

    void otherShapeAndClassesKeepTheStack()
    {
        QTemporaryDir pictures;
        const QColor colours[] = {Qt::red, Qt::green, Qt::blue};
        for (int c = 0; c < 3; ++c) {
            QDir().mkpath(pictures.filePath(QString::number(c)));
            for (int i = 0; i < 10; ++i) {
                QImage image(20, 24, QImage::Format_RGB888);
                image.fill(colours[c]);
                image.setPixelColor(i, i, Qt::white);
                QVERIFY(image.save(pictures.filePath(QStringLiteral("%1/%2.png").arg(c).arg(i))));
            }
        }
        ComposeFixture f;
        const Recipe before = f.recipe();
        QVERIFY(f.document().startable());
        QString id;
        connect(f.data.get(), &DataService::added, this, [&](const QString& added) { id = added; });
        f.data->add(pictures.path());
        QTRY_VERIFY_WITH_TIMEOUT(!id.isEmpty(), sconce::test::patienceMs);
        Q_EMIT f.navigator->composeData(id);
        QCOMPARE(QString::fromStdString(f.recipe().data.dataset), id);
        QVERIFY(f.recipe().data.split.test > 0); // the folder has no test part: a share takes its place
        QVERIFY(f.recipe().stack == before.stack); // nothing was thrown away
        QVERIFY(f.document().facts());
        QCOMPARE(f.document().facts()->input.text(), std::string("3×24×20"));
        QVERIFY(!f.document().startable()); // ten outputs, three classes: said, with a way out
        QVERIFY(f.document().fixableCount() > 0);
        f.document().fixAll();
        QVERIFY(f.document().startable());
        while (f.document().undoStack().canUndo()) f.document().undoStack().undo();
        QVERIFY(f.recipe() == before);
        QVERIFY(f.document().startable());
    }

    /// What training starts from is chosen, not typed; the store keeps it, and it can be undone and cleared.
    void startWeightsAreChosen()
    {
        ComposeFixture f;
        const Recipe before = f.recipe();
        auto* words = f.find<QLabel>("compose.training.start.weights");
        auto* clear = f.find<QToolButton>("compose.training.start.clear");
        QCOMPARE(words->text(), QStringLiteral("random numbers, by the seed"));
        QVERIFY(clear->isHidden());
        QTemporaryDir dir;
        const QString file = dir.filePath(QStringLiteral("mine.safetensors"));
        const HostTensor tensor{"a.weight", DType::F32, {1}, std::vector<std::byte>(4)};
        QVERIFY(writeSafetensors(file.toStdString(), {tensor.view()}, {}).ok());
        QString chosen = file;
        setFileChooser([&](QWidget*, const QString&, const QString&) { return chosen; });
        f.find<QToolButton>("compose.training.start.file")->click();
        QTRY_COMPARE(words->text(), QStringLiteral("mine.safetensors"));
        QVERIFY(!clear->isHidden());
        const StartWeights start = startWeightsOf(f.recipe().training);
        QVERIFY(QFile::exists(QString::fromStdString(f.store->folder() + "/weights/" + start.sha256 + ".safetensors")));
        clear->click();
        QVERIFY(f.recipe() == before);
        f.document().undoStack().undo();
        QCOMPARE(words->text(), QStringLiteral("mine.safetensors"));
        // What is no weights is said, and changes nothing.
        QFile broken(dir.filePath(QStringLiteral("broken.safetensors")));
        QVERIFY(broken.open(QIODevice::WriteOnly) && broken.write("nothing of the kind") > 0);
        broken.close();
        chosen = broken.fileName();
        QString said;
        setAsker([&](QWidget*, const Question& question) {
            said = question.title;
            return 0;
        });
        f.find<QToolButton>("compose.training.start.file")->click();
        QTRY_COMPARE(said, QStringLiteral("These weights cannot be used"));
        QCOMPARE(startWeightsOf(f.recipe().training).sha256, start.sha256);
        setAsker(nullptr);
        setFileChooser({});
    }

  private:
    QTemporaryDir m_config;
};

QTEST_MAIN(ComposeDataTest)
#include "compose_data_test.moc"
