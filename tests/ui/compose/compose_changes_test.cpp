// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of pictures while training, in Compose: brought along by *Train on this data*, shown and set in the Input card's inspector,
// undone like any edit, their problems at their fields.
#include "fixture.h"

#include "tests/support/page_checks.h"
#include "ui/compose/changes_form.h"
#include "ui/compose/stack_model.h"
#include "ui/services/data_choices.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QScrollArea>
#include <QSpinBox>

using namespace sconce;
using namespace sconce::ui;

namespace {

const ParamValue& setting(const Recipe& recipe, const char* group, const char* id) { return valueIn(augmentationEntries(), recipe.data.augmentation, group, id); }

QString inputSummary(ComposeFixture& f) { return f.stack()->model()->index(0, 0).data(StackModel::SummaryRole).toString(); }

void press(QCheckBox* box) { QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2)); }

} // namespace

class ComposeChangesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase()
    {
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_config.path());
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
    }

    void choicesOfTheDataPageArrive()
    {
        ComposeFixture f;
        QVERIFY(!inputSummary(f).contains(QStringLiteral("augmented")));
        const DatasetInfo* info = f.data->find("digits");
        QVERIFY(info);
        DataChoices choices = dataChoices(*f.settings, *info);
        setIn(augmentationEntries(), choices.augmentation, "shift", "on", true);
        setIn(augmentationEntries(), choices.augmentation, "shift", "pixels", std::int64_t{3});
        setDataChoices(*f.settings, "digits", choices);
        Q_EMIT f.navigator->composeData(QStringLiteral("digits"));
        QCOMPARE(augmentationOf(f.recipe().data).shift, 3);
        QVERIFY(inputSummary(f).contains(QStringLiteral(", augmented, scaled")));
        f.clickRow(0);
        QVERIFY(f.find<QCheckBox>("compose.input.shift.on")->isChecked());
        QCOMPARE(f.find<QSpinBox>("compose.input.shift.pixels")->value(), 3);
        QVERIFY(!f.find<QWidget>("compose.input.rotate.degrees")->isVisible());
        f.document().undoStack().undo();
        QVERIFY(!augmentationOf(f.recipe().data).any());
        QVERIFY(!inputSummary(f).contains(QStringLiteral("augmented")));
    }

    void switchedAndSetAndUndone()
    {
        ComposeFixture f;
        f.clickRow(0);
        auto* form = f.find<ChangesForm>("compose.changes");
        QVERIFY(form->isVisible());
        const Recipe before = f.recipe();
        auto* edges = f.find<QComboBox>("compose.input.edges.fill");
        QVERIFY(!edges->isVisible());
        press(f.find<QCheckBox>("compose.input.rotate.on"));
        QCOMPARE(std::get<bool>(setting(f.recipe(), "rotate", "on")), true);
        QVERIFY(edges->isVisible()); // something comes in from beyond the edge now
        const Recipe switched = f.recipe();
        auto* degrees = f.find<QDoubleSpinBox>("compose.input.rotate.degrees");
        QVERIFY(degrees->isVisible());
        degrees->setFocus();
        degrees->selectAll();
        QTest::keyClicks(degrees, QStringLiteral("15"));
        QTest::keyClick(degrees, Qt::Key_Tab);
        QCOMPARE(augmentationOf(f.recipe().data).rotate, 15.0);
        QCOMPARE(f.document().undoStack().count(), 2); // digits typed are one edit
        f.document().undoStack().undo();
        QVERIFY(f.recipe() == switched);
        QCOMPARE(degrees->value(), 8.0);
        f.document().undoStack().undo();
        QVERIFY(f.recipe() == before);
        QVERIFY(!f.find<QCheckBox>("compose.input.rotate.on")->isChecked());
        f.document().undoStack().redo();
        QVERIFY(f.find<QCheckBox>("compose.input.rotate.on")->isChecked());
        // A layer has no such settings.
        f.clickRow(1);
        QVERIFY(!form->isVisible());
    }

    void aMirrorHasNoEdge()
    {
        ComposeFixture f;
        f.clickRow(0);
        press(f.find<QCheckBox>("compose.input.flip.on"));
        QVERIFY(augmentationOf(f.recipe().data).leftRight == Augmentation::Flip::Random);
        QVERIFY(!f.find<QComboBox>("compose.input.edges.fill")->isVisible());
        QVERIFY(!f.find<QWidget>("compose.input.saturation.on")->isVisible()); // the digits are grey
        auto* turns = f.find<QComboBox>("compose.input.flip.turns");
        turns->setFocus();
        QTest::keyClick(turns, Qt::Key_Down);
        QVERIFY(augmentationOf(f.recipe().data).leftRight == Augmentation::Flip::Alternating);
    }

    void aProblemIsAtItsFieldAndLeadsToTheCard()
    {
        ComposeFixture f;
        f.document().change(QStringLiteral("shift"), [](Recipe& r) {
            setIn(augmentationEntries(), r.data.augmentation, "shift", "on", true);
            setIn(augmentationEntries(), r.data.augmentation, "shift", "pixels", std::int64_t{28});
        });
        QVERIFY(!f.document().startable());
        f.clickRow(2);
        auto* form = f.find<ChangesForm>("compose.changes");
        QVERIFY(!form->isVisible());
        auto* row = f.find<QWidget>("compose.problem.0");
        QVERIFY(row->accessibleName().contains(QStringLiteral("28 pixels")));
        QTest::mouseClick(row, Qt::LeftButton);
        QVERIFY(form->isVisible());
        auto* pixels = f.find<QSpinBox>("compose.input.shift.pixels");
        QVERIFY(pixels->isVisible() && pixels->property("problem").toBool());
        bool said = false;
        for (auto* label : form->findChildren<QLabel*>()) said = said || (label->isVisible() && label->text().contains(QStringLiteral("out of sight")));
        QVERIFY(said);
        // The way out is on a button.
        QTest::mouseClick(f.find<QPushButton>("compose.fix.0.0"), Qt::LeftButton);
        QTRY_VERIFY(f.document().startable());
        QCOMPARE(pixels->value(), 2);
        QVERIFY(!pixels->property("problem").toBool());
    }

    /// A text has no pictures: no form, unless a recipe that came from elsewhere asks for what cannot be.
    void onlyPicturesHaveThem()
    {
        ComposeFixture f;
        const StarterRecipe* text = findStarter("char-gpt");
        QVERIFY(text);
        f.document().load(text->recipe, {});
        f.clickRow(0);
        auto* form = f.find<ChangesForm>("compose.changes");
        QVERIFY(!form->isVisible());
        f.document().change(QStringLiteral("flip"), [](Recipe& r) { setIn(augmentationEntries(), r.data.augmentation, "flip", "on", true); });
        QVERIFY(form->isVisible());
        press(f.find<QCheckBox>("compose.input.flip.on"));
        QVERIFY(!form->isVisible());
        QVERIFY(f.recipe().data.augmentation.empty());
    }

    void pictures_data()
    {
        QTest::addColumn<bool>("dark");
        QTest::newRow("dark") << true;
        QTest::newRow("light") << false;
    }
    void pictures()
    {
        QFETCH(bool, dark);
        Theme::instance().apply(*qApp, dark ? ThemeChoice::Dark : ThemeChoice::Light);
        ComposeFixture f;
        f.document().change(QStringLiteral("some"), [](Recipe& r) {
            for (const char* group : {"shift", "rotate", "flip", "cut_out"}) setIn(augmentationEntries(), r.data.augmentation, group, "on", true);
            setIn(augmentationEntries(), r.data.augmentation, "cut_out", "pixels", std::int64_t{30});
        });
        f.clickRow(0);
        QTest::qWait(200);
        ui::test::savePicture(f.page.get(), QStringLiteral("compose-changes-") + QString::fromLatin1(QTest::currentDataTag()));
        QCOMPARE(ui::test::cutLabels(f.find<QWidget>("compose.changes")).join(QStringLiteral("; ")), QString());
    }

  private:
    QTemporaryDir m_config;
};

int main(int argc, char** argv)
{
    QApplication app(argc, argv);
    ComposeChangesTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "compose_changes_test.moc"
