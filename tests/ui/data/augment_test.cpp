// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of pictures while training, on the Data page: switched and set with real events, remembered, taken into a recipe; the
// preview and the samples show what training feeds.
#include "fixture.h"

#include "tests/support/page_checks.h"
#include "tests/support/paths.h"
#include "tests/support/small_data.h"
#include "ui/data/augment_preview.h"
#include "ui/services/data_choices.h"

#include <QCheckBox>
#include <QComboBox>
#include <QScrollArea>
#include <QSignalSpy>
#include <QSlider>
#include <QToolButton>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <fstream>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

namespace {

void press(QAbstractButton* box) { QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2)); }

DataChoices kept(Shown& s) { return dataChoices(*s.services.settings, s.grid()->data()->info()); }

const ParamValue& setting(const DataChoices& choices, const char* group, const char* id) { return valueIn(augmentationEntries(), choices.augmentation, group, id); }

/// From stored bytes by the two functions that training calls, without the page's own way there.
QImage fed(const Dataset& data, std::int64_t row, const Augmentation& how, std::int64_t epoch)
{
    std::vector<std::uint8_t> bytes(data.recordBytes());
    data.gather(Part::Training, std::span(&row, 1), bytes);
    const PictureSize size = *pictureSize(data.info().sample);
    std::vector<float> changed(bytes.size());
    PictureChanger(how, size).apply(drawChange(how, size, 42, epoch, row), bytes.data(), changed.data());
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(std::lround(changed[i]));
    return recordImage(bytes, data.info().sample);
}

int firstOf(const SampleGrid* grid, int share)
{
    const auto& samples = grid->samples();
    return static_cast<int>(std::find_if(samples.begin(), samples.end(), [share](const auto& sample) { return sample.share == share; }) - samples.begin());
}

} // namespace

class AugmentTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void settingsKeepWhatIsSwitchedOff();
    void switchedSetAndRemembered();
    void valuesBeyondTheSliderStay();
    void choicesAndReasons();
    void coloursAreForColour();
    void previewIsWhatTrainingFeeds();
    void previewFollowsTheSample();
    void samplesAsTheNetworkSeesThem();
    void largeSamplesLeaveTheWindowItsTurn();
    void trainOnThisData();
    void tablesAndTextsHaveNone();
    void theWheelScrollsThePanel();
    void pictures_data();
    void pictures();
};

void AugmentTest::settingsKeepWhatIsSwitchedOff()
{
    StudioFixture f;
    DataChoices choices = dataChoices(*f.settings, StudioFixture::builtinInfo());
    QVERIFY(choices.augmentation.empty());
    setIn(augmentationEntries(), choices.augmentation, "rotate", "degrees", 12.5);
    setIn(augmentationEntries(), choices.augmentation, "shift", "on", true);
    setIn(augmentationEntries(), choices.augmentation, "shift", "pixels", std::int64_t{5});
    setIn(augmentationEntries(), choices.augmentation, "flip", "turns", std::string("alternating"));
    setIn(augmentationEntries(), choices.augmentation, "edges", "fill", std::string("mirror"));
    setDataChoices(*f.settings, "digits", choices);
    const DataChoices again = dataChoices(*f.settings, StudioFixture::builtinInfo());
    QVERIFY(again == choices);
    QCOMPARE(std::get<double>(setting(again, "rotate", "degrees")), 12.5);
    const Augmentation how = augmentationOf(again);
    QCOMPARE(how.shift, 5);
    QCOMPARE(how.rotate, 0.0); // off
    QVERIFY(how.outside == Augmentation::Outside::Mirror);
    // Another set has its own.
    DatasetInfo other = StudioFixture::builtinInfo();
    other.id = "other";
    QVERIFY(dataChoices(*f.settings, other).augmentation.empty());
}

void AugmentTest::switchedSetAndRemembered()
{
    Shown s;
    auto* box = s.find<QCheckBox>("data.augment.shift");
    auto* slider = s.find<QSlider>("data.augment.shift.pixels");
    QVERIFY(box->isVisible() && !box->isChecked() && !slider->isVisible());
    QCOMPARE(s.text("data.augment.shift.value"), QStringLiteral("± 2 px")); // what switching it on would do
    press(box);
    QVERIFY(slider->isVisible());
    QCOMPARE(augmentationOf(kept(s)).shift, 2);
    QCOMPARE(slider->maximum() + 1, 7); // a quarter of 28
    const int looked = 5;
    s.grid()->setCurrent(looked);
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_Right);
    QCOMPARE(augmentationOf(kept(s)).shift, 3);
    QCOMPARE(s.text("data.augment.shift.value"), QStringLiteral("± 3 px"));
    QCOMPARE(s.grid()->current(), looked); // steps leave the samples where they are
    QTest::keyClick(slider, Qt::Key_End);
    QCOMPARE(augmentationOf(kept(s)).shift, 7);

    press(s.find<QCheckBox>("data.augment.rotate"));
    auto* degrees = s.find<QSlider>("data.augment.rotate.degrees");
    degrees->setFocus();
    QTest::keyClick(degrees, Qt::Key_Right);
    QCOMPARE(augmentationOf(kept(s)).rotate, 10.0);
    QCOMPARE(s.text("data.augment.rotate.value"), QStringLiteral("± 10°"));
    press(box); // off: how far it would go stays
    QVERIFY(!slider->isVisible());
    QCOMPARE(augmentationOf(kept(s)).shift, 0);
    for (const char* name : {"data.augment.zoom.percent", "data.augment.cut_out.pixels", "data.augment.flip.direction", "data.augment.edges.fill"})
        QVERIFY2(!s.find<QWidget>(name)->accessibleName().isEmpty() && !s.find<QWidget>(name)->toolTip().isEmpty(), name);

    s.open();
    QVERIFY(s.find<QCheckBox>("data.augment.rotate")->isChecked());
    QCOMPARE(s.text("data.augment.rotate.value"), QStringLiteral("± 10°"));
    QVERIFY(!s.find<QCheckBox>("data.augment.shift")->isChecked());
    QCOMPARE(s.text("data.augment.shift.value"), QStringLiteral("± 7 px"));
    press(s.find<QCheckBox>("data.augment.shift"));
    QCOMPARE(augmentationOf(kept(s)).shift, 7);
}

void AugmentTest::valuesBeyondTheSliderStay()
{
    Shown s;
    DataChoices choices = kept(s);
    setIn(augmentationEntries(), choices.augmentation, "shift", "on", true);
    setIn(augmentationEntries(), choices.augmentation, "shift", "pixels", std::int64_t{20});
    setIn(augmentationEntries(), choices.augmentation, "rotate", "on", true);
    setIn(augmentationEntries(), choices.augmentation, "rotate", "degrees", 12.5);
    setDataChoices(*s.services.settings, "digits", choices);
    s.open();
    QCOMPARE(s.text("data.augment.shift.value"), QStringLiteral("± 20 px"));
    QCOMPARE(s.text("data.augment.rotate.value"), QStringLiteral("± 12.5°"));
    press(s.find<QCheckBox>("data.augment.zoom"));
    QCOMPARE(augmentationOf(kept(s)).shift, 20);
    QCOMPARE(augmentationOf(kept(s)).rotate, 12.5);
    auto* slider = s.find<QSlider>("data.augment.shift.pixels");
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_Left);
    QCOMPARE(augmentationOf(kept(s)).shift, 6); // moved by hand it is where the hand put it
}

void AugmentTest::choicesAndReasons()
{
    Shown s;
    auto* flip = s.find<QCheckBox>("data.augment.flip");
    auto* direction = s.find<QComboBox>("data.augment.flip.direction");
    auto* fill = s.find<QComboBox>("data.augment.edges.fill");
    auto* problem = s.find<QLabel>("data.augment.problem");
    QCOMPARE(s.text("data.augment.flip.value"), QStringLiteral("off: digits are not mirrored"));
    QVERIFY(!direction->isVisible() && !fill->isVisible() && !problem->isVisible());
    press(flip);
    QVERIFY(direction->isVisible() && !fill->isVisible()); // a mirrored picture has its own edges
    QVERIFY(problem->isVisible() && problem->text().startsWith(QStringLiteral("Mirrored digits")));
    direction->setFocus();
    QTest::keyClick(direction, Qt::Key_Down);
    auto* turns = s.find<QComboBox>("data.augment.flip.turns");
    turns->setFocus();
    QTest::keyClick(turns, Qt::Key_Down);
    const Augmentation how = augmentationOf(kept(s));
    QVERIFY(how.leftRight == Augmentation::Flip::Never && how.upsideDown == Augmentation::Flip::Alternating);
    press(flip);
    QVERIFY(!problem->isVisible());
    press(s.find<QCheckBox>("data.augment.slant"));
    QVERIFY(fill->isVisible());
    fill->setFocus();
    QTest::keyClick(fill, Qt::Key_End);
    QVERIFY(augmentationOf(kept(s)).outside == Augmentation::Outside::Mirror);
}

void AugmentTest::coloursAreForColour()
{
    Shown s;
    QVERIFY(!s.find<QCheckBox>("data.augment.saturation")->isVisible()); // the digits are grey
    makePictures(s.services.folder()->filePath(QStringLiteral("garden")), 12);
    s.drop(s.services.folder()->filePath(QStringLiteral("garden")));
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().kind == "picture-folder", sconce::test::patienceMs);
    auto* saturation = s.find<QCheckBox>("data.augment.saturation");
    QVERIFY(saturation->isVisible());
    QCOMPARE(s.text("data.augment.flip.value"), QStringLiteral("off")); // nothing against mirrored skies
    press(saturation);
    auto* preview = s.find<AugmentPreview>("data.preview");
    const auto row = s.grid()->samples()[static_cast<std::size_t>(s.grid()->current())].row;
    QTRY_COMPARE(static_cast<int>(preview->pictures().size()), 1 + AugmentPreview::epochs);
    QVERIFY(preview->pictures()[3] == fed(*s.grid()->data(), row, augmentationOf(kept(s)), 2));
    QVERIFY(preview->pictures()[3] != preview->pictures()[0]);
}

void AugmentTest::previewIsWhatTrainingFeeds()
{
    Shown s;
    auto* preview = s.find<AugmentPreview>("data.preview");
    QVERIFY(preview->isVisible());
    QCOMPARE(static_cast<int>(preview->pictures().size()), 1); // nothing is on: said in words
    QVERIFY(s.find<QLabel>("data.preview.words")->isVisible() && s.text("data.preview.words").contains(QStringLiteral("The same in every epoch")));
    QVERIFY(!s.find<QLabel>("data.preview.caption")->isVisible());
    for (const char* name : {"data.augment.shift", "data.augment.rotate", "data.augment.brightness", "data.augment.cut_out"}) press(s.find<QCheckBox>(name));
    QVERIFY(!s.find<QLabel>("data.preview.words")->isVisible());
    QCOMPARE(s.text("data.preview.caption"), QStringLiteral("The first is as stored. Seed 42, anew in each epoch."));
    const auto sample = s.grid()->samples()[0];
    const Augmentation how = augmentationOf(kept(s));
    QVERIFY(how.shift > 0 && how.rotate > 0 && how.brightness > 0 && how.cutOut > 0);
    QTRY_COMPARE(static_cast<int>(preview->pictures().size()), 1 + AugmentPreview::epochs);
    QVERIFY(preview->pictures()[0] == sampleImage(*s.grid()->data(), sample.part, sample.row));
    for (int epoch = 0; epoch < AugmentPreview::epochs; ++epoch)
        QVERIFY2(preview->pictures()[static_cast<std::size_t>(epoch) + 1] == fed(*s.grid()->data(), sample.row, how, epoch), qPrintable(QString::number(epoch)));
    QVERIFY(preview->pictures()[1] != preview->pictures()[2]);

    // Under the hand: every place of the slider shows at once.
    const auto before = preview->pictures();
    auto* slider = s.find<QSlider>("data.augment.rotate.degrees");
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_End);
    QTRY_COMPARE(static_cast<int>(preview->pictures().size()), 1 + AugmentPreview::epochs);
    QVERIFY(preview->pictures()[1] != before[1]);
    QVERIFY(preview->pictures()[0] == before[0]);
    QVERIFY(preview->pictures()[1] == fed(*s.grid()->data(), sample.row, augmentationOf(kept(s)), 0));

    // And drawn: ten tiles that are not all one colour.
    auto* tiles = s.find<QWidget>("data.preview.tiles");
    const QImage seen = tiles->grab().toImage();
    const int step = (tiles->width() + 6) / 5;
    for (int i = 0; i < 10; ++i) {
        int light = 0;
        for (int y = 4; y < step - 10; ++y)
            for (int x = 4; x < step - 10; ++x) light += qGray(seen.pixel(i % 5 * step + x, i / 5 * step + y)) > 100;
        QVERIFY2(light > 20, qPrintable(QStringLiteral("tile %1 has %2 light pixels").arg(i).arg(light)));
    }
}

void AugmentTest::previewFollowsTheSample()
{
    Shown s;
    auto* preview = s.find<AugmentPreview>("data.preview");
    press(s.find<QCheckBox>("data.augment.shift"));
    s.grid()->setFocus();
    QTest::keyClick(s.grid(), Qt::Key_Right);
    const auto second = s.grid()->samples()[1];
    QTRY_COMPARE(static_cast<int>(preview->pictures().size()), 1 + AugmentPreview::epochs);
    QVERIFY(preview->pictures()[0] == sampleImage(*s.grid()->data(), second.part, second.row));
    QVERIFY(preview->pictures()[4] == fed(*s.grid()->data(), second.row, augmentationOf(kept(s)), 3));
    // Samples for validation are never changed, and that is said.
    s.grid()->setCurrent(firstOf(s.grid(), 1));
    QCOMPARE(static_cast<int>(preview->pictures().size()), 1);
    QVERIFY(s.text("data.preview.words").contains(QStringLiteral("never changed")));
    auto* another = s.find<QToolButton>("data.preview.another");
    press(another);
    const auto chosen = s.grid()->samples()[static_cast<std::size_t>(s.grid()->current())];
    QCOMPARE(chosen.share, 0);
    QTRY_COMPARE(static_cast<int>(preview->pictures().size()), 1 + AugmentPreview::epochs);
    QVERIFY(preview->pictures()[0] == sampleImage(*s.grid()->data(), chosen.part, chosen.row));
    // Where only test samples are shown there is none to choose.
    auto* parts = s.find<QComboBox>("data.partFilter");
    parts->setFocus();
    QTest::keyClick(parts, Qt::Key_End);
    QVERIFY(!another->isEnabled());
}

void AugmentTest::samplesAsTheNetworkSeesThem()
{
    Shown s;
    for (const char* name : {"data.augment.shift", "data.augment.slant"}) press(s.find<QCheckBox>(name));
    SampleGrid* grid = s.grid();
    const auto stored = [&](int index) { return sampleImage(*grid->data(), grid->samples()[static_cast<std::size_t>(index)].part, grid->samples()[static_cast<std::size_t>(index)].row); };
    for (int i = 0; i < 20; ++i) QVERIFY(grid->picture(i) == stored(i)); // as stored, to begin with
    const QImage before = grid->viewport()->grab().toImage();
    auto* view = s.find<SegmentedControl>("data.view");
    QVERIFY(view->isVisible());
    press(view->findChild<QAbstractButton*>(QStringLiteral("segment1")));
    const Augmentation how = augmentationOf(kept(s));
    int changed = 0;
    for (int i = 0; i < 20; ++i) {
        QCOMPARE(grid->samples()[static_cast<std::size_t>(i)].share, 0);
        QVERIFY(grid->picture(i) == fed(*grid->data(), grid->samples()[static_cast<std::size_t>(i)].row, how, 0));
        changed += grid->picture(i) != stored(i);
    }
    QVERIFY(changed > 15);
    QVERIFY(grid->viewport()->grab().toImage() != before);
    for (const int share : {1, 2}) {
        const int first = firstOf(grid, share);
        for (int i = first; i < first + 20; ++i) QVERIFY(grid->picture(i) == stored(i));
    }
    QVERIFY(s.text("data.sampleLine").contains(QStringLiteral("training, as in epoch 1")));
    grid->setCurrent(firstOf(grid, 2));
    QVERIFY(s.text("data.sampleLine").contains(QStringLiteral("test, never changed")));
    grid->setCurrent(0);
    // A slider reaches the samples, too; and back.
    auto* slider = s.find<QSlider>("data.augment.shift.pixels");
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_End);
    QVERIFY(grid->picture(0) == fed(*grid->data(), grid->samples()[0].row, augmentationOf(kept(s)), 0));
    press(view->findChild<QAbstractButton*>(QStringLiteral("segment0")));
    QVERIFY(grid->picture(0) == stored(0));
    QVERIFY(grid->viewport()->grab().toImage() == before);
}

/// Large pictures are made a few between events; in the end all that are on view stand there.
void AugmentTest::largeSamplesLeaveTheWindowItsTurn()
{
    QTemporaryDir folder;
    for (int i = 0; i < 40; ++i) {
        QImage picture(512, 512, QImage::Format_RGB888);
        picture.fill(QColor::fromHsv(i * 9, 200, 200));
        QVERIFY(QDir(folder.path()).mkpath(i % 2 ? QStringLiteral("a") : QStringLiteral("b")));
        picture.save(folder.filePath(QStringLiteral("%1/%2.png").arg(i % 2 ? QStringLiteral("a") : QStringLiteral("b")).arg(i)));
    }
    ImportOptions large;
    large.width = large.height = 512;
    const auto data = openDataset(folder.path().toStdString(), large);
    QVERIFY(data);
    std::vector<SampleGrid::Sample> samples;
    for (std::int64_t row = 0; row < (*data)->count(Part::Training); ++row) samples.push_back({Part::Training, row, row % 3 == 0 ? 1 : 0}); // among them some that are shown as stored
    SampleGrid grid;
    grid.setCellSize(56);
    grid.resize(700, 500);
    grid.setData(*data, samples);
    grid.show();
    QVERIFY(QTest::qWaitForWindowExposed(&grid));
    grid.viewport()->grab();
    QVERIFY(grid.isComplete()); // as stored
    grid.setChanges({.rotate = 20, .contrast = 0.5});
    grid.viewport()->grab();
    QVERIFY(!grid.isComplete());
    QTRY_VERIFY_WITH_TIMEOUT(grid.isComplete(), sconce::test::patienceMs);
    grid.setChanges({});
    grid.viewport()->grab();
    QVERIFY(grid.isComplete());
}

void AugmentTest::trainOnThisData()
{
    Shown s;
    press(s.find<QCheckBox>("data.augment.rotate"));
    press(s.find<QCheckBox>("data.augment.cut_out"));
    auto* side = s.find<QSlider>("data.augment.cut_out.pixels");
    QCOMPARE(side->maximum() + 1, 14); // half of 28
    side->setFocus();
    QTest::keyClick(side, Qt::Key_Home);
    QSignalSpy data(s.services.navigator.get(), &Navigator::composeData);
    press(s.find<QPushButton>("data.train"));
    QCOMPARE(data.count(), 1);
    const DatasetInfo& info = s.grid()->data()->info();
    const Recipe recipe = withData(Recipe(), info, {}, kept(s));
    Augmentation wanted;
    wanted.rotate = 8;
    wanted.cutOut = 1;
    QVERIFY(augmentationOf(recipe.data) == wanted);
}

void AugmentTest::tablesAndTextsHaveNone()
{
    Shown s;
    QVERIFY(s.find<QWidget>("data.augment")->isVisible());
    std::ofstream(s.services.folder()->filePath(QStringLiteral("flags.csv")).toStdString()) << sconce::test::labelsTable(60, 3);
    std::ofstream(s.services.folder()->filePath(QStringLiteral("letters.txt")).toStdString()) << sconce::test::lettersText(4000);
    for (const char* file : {"flags.csv", "letters.txt"}) {
        s.drop(s.services.folder()->filePath(QLatin1String(file)));
        const QString name = QString::fromLatin1(file).section(QLatin1Char('.'), 0, 0);
        QTRY_VERIFY_WITH_TIMEOUT(s.text("data.name").contains(name, Qt::CaseInsensitive), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(s.find<QPushButton>("data.train")->isEnabled(), sconce::test::patienceMs);
        for (const char* hidden : {"data.augment", "data.augment.shift", "data.preview", "data.view"}) QVERIFY2(!s.find<QWidget>(hidden)->isVisible(), hidden);
        QVERIFY(s.find<QCheckBox>("data.shuffle")->isVisible());
        QCOMPARE(cutLabels(s.page.get()).join(QStringLiteral("; ")), QString());
    }
    s.select("digits");
    QTRY_VERIFY_WITH_TIMEOUT(s.find<QWidget>("data.augment")->isVisible(), sconce::test::patienceMs);
    QTRY_VERIFY_WITH_TIMEOUT(s.find<QWidget>("data.preview")->isVisible(), sconce::test::patienceMs);
}

/// A slider that is scrolled past is not set.
void AugmentTest::theWheelScrollsThePanel()
{
    Shown s;
    press(s.find<QCheckBox>("data.augment.shift"));
    auto* slider = s.find<QSlider>("data.augment.shift.pixels");
    s.grid()->setFocus();
    const auto wheel = [&] {
        const QPointF at(slider->rect().center());
        QWheelEvent event(at, slider->mapToGlobal(at), {}, QPoint(0, 120), Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(slider, &event);
    };
    wheel();
    QCOMPARE(augmentationOf(kept(s)).shift, 2);
    slider->window()->activateWindow();
    slider->setFocus();
    QTRY_VERIFY_WITH_TIMEOUT(slider->hasFocus(), sconce::test::patienceMs);
    wheel();
    QVERIFY(augmentationOf(kept(s)).shift != 2);
}

void AugmentTest::pictures_data()
{
    QTest::addColumn<bool>("dark");
    QTest::addColumn<bool>("small");
    QTest::newRow("dark") << true << false;
    QTest::newRow("light") << false << false;
    QTest::newRow("small-dark") << true << true;
    QTest::newRow("small-light") << false << true;
}

void AugmentTest::pictures()
{
    QFETCH(bool, dark);
    QFETCH(bool, small);
    Theme::instance().apply(*qApp, dark ? ThemeChoice::Dark : ThemeChoice::Light);
    Shown s;
    const QSize size = small ? QSize(1280 - 52, 720 - 24) : QSize(1440 - 76, 900 - 28);
    s.page->applySizeClass(small, small);
    s.page->resize(size);
    const QString tag = QString::fromLatin1(QTest::currentDataTag());
    QCOMPARE(s.page->size(), size); // what there is fits
    const auto look = [&](const QString& name) {
        QTest::qWait(250);
        savePicture(s.page.get(), name + tag);
        QCOMPARE(cutLabels(s.page.get()).join(QStringLiteral("; ")), QString());
    };
    look(QStringLiteral("augment-none-"));
    for (const char* name : {"data.augment.shift", "data.augment.rotate", "data.augment.flip"}) press(s.find<QCheckBox>(name));
    press(s.find<SegmentedControl>("data.view")->findChild<QAbstractButton*>(QStringLiteral("segment1")));
    s.grid()->setCurrent(11);
    look(QStringLiteral("augment-"));
    QVERIFY(s.text("data.sampleLine").contains(QStringLiteral("as in epoch 1")));
    auto* scroll = s.page->findChild<QScrollArea*>(QStringLiteral("data.right"));
    QVERIFY(scroll);
    scroll->ensureWidgetVisible(s.find<QCheckBox>("data.shuffle"));
    look(QStringLiteral("augment-below-"));
    makePictures(s.services.folder()->filePath(QStringLiteral("garden")), 12);
    s.drop(s.services.folder()->filePath(QStringLiteral("garden")));
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().kind == "picture-folder", sconce::test::patienceMs);
    for (const OptionEntry& entry : augmentationEntries())
        if (auto* box = s.page->findChild<QCheckBox*>(QStringLiteral("data.augment.") + QString::fromStdString(entry.id))) press(box);
    look(QStringLiteral("augment-colour-"));
    if (!small) return;
    s.page->resize(1100 - 52, 680 - 24); // the smallest window
    QCOMPARE(s.page->width(), 1100 - 52);
    look(QStringLiteral("augment-least-"));
    QVERIFY(s.find<QComboBox>("data.classFilter")->mapTo(s.page.get(), QPoint()).y() > s.find<QWidget>("data.view")->mapTo(s.page.get(), QPoint()).y() + 20);
}

int main(int argc, char** argv)
{
    QApplication app(argc, argv);
    Theme::instance().apply(app, ThemeChoice::Dark);
    AugmentTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "augment_test.moc"
