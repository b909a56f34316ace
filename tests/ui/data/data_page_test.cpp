// SPDX-License-Identifier: GPL-3.0-or-later
// The Data page with real events over a real store; what it did is read through a second handle on the store.
#include "fixture.h"

#include "tests/support/page_checks.h"
#include "tests/support/paths.h"
#include "ui/data/class_bars.h"
#include "ui/services/data_choices.h"
#include "ui/widgets/parts.h"

#include <QComboBox>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QSignalSpy>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>
#include <set>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class DataPageTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void firstStartShowsTheBuiltInDigits();
    void searchNarrowsTheList();
    void mnistIsAddedByButton();
    void picturesAreAddedByDropAndReadAgain();
    void whatIsNoFileIsNotTaken();
    void classAndPartFilterTheSamples();
    void splitByFieldAndByHandle();
    void splitByNumber();
    void ownValidationFolderLeavesNothingToSet();
    void handleFollowsTheMouseBesideATestShare();
    void stepsAreRemembered();
    void mixShowsAnotherOrder();
    void keysMoveAndEnlarge();
    void setIsTakenOffTheList();
    void brokenFileGivesASentence();
    void trainOnThisData();
    void pictures_data();
    void pictures();
};

void DataPageTest::firstStartShowsTheBuiltInDigits()
{
    Shown s;
    QCOMPARE(s.list()->model()->rowCount(), 1);
    QCOMPARE(s.text("data.name"), QStringLiteral("Built-in digits"));
    const DatasetInfo& info = s.grid()->data()->info();
    QCOMPARE(static_cast<std::int64_t>(s.grid()->samples().size()), info.trainingCount + info.testCount);
    QVERIFY(s.find<ElidedLabel>("data.facts")->fullText().contains(QStringLiteral("12,000 pictures, 28×28 grey, 10 classes")));
    QVERIFY(s.find<QPushButton>("data.train")->isEnabled());
    // The first picture is drawn: light strokes on black.
    const QRect cell(s.grid()->viewport()->mapTo(s.page.get(), s.grid()->cellRect(0).topLeft()), QSize(84, 84));
    const QImage seen = s.page->grab(cell).toImage();
    int light = 0, dark = 0;
    for (int y = 0; y < seen.height(); ++y)
        for (int x = 0; x < seen.width(); ++x) (qGray(seen.pixel(x, y)) > 100 ? light : dark)++;
    QVERIFY2(light > 50 && dark > 1000, qPrintable(QStringLiteral("%1 light pixels, %2 dark").arg(light).arg(dark)));
    // Class balance: ten classes whose sum is the whole set.
    const QStringList classes = s.find<ClassBars>("data.classes")->accessibleDescription().split(QStringLiteral(", "));
    QCOMPARE(classes.size(), 10);
    std::int64_t sum = 0;
    for (const QString& one : classes) sum += one.section(QStringLiteral(": "), 1).toLongLong();
    QCOMPARE(sum, 12'000);
    const auto known = s.services.second()->datasets();
    SCONCE_VERIFY_OK(known);
    QCOMPARE(known->size(), 1u);
}

void DataPageTest::searchNarrowsTheList()
{
    Shown s;
    auto* search = s.find<QLineEdit>("data.search");
    search->setFocus();
    QTest::keyClicks(search, QStringLiteral("cats"));
    QCOMPARE(s.list()->model()->rowCount(), 0);
    QVERIFY(s.grid()->data()); // what is looked at stays
    for (int i = 0; i < 4; ++i) QTest::keyClick(search, Qt::Key_Backspace);
    QTest::keyClicks(search, QStringLiteral("DIGI"));
    QCOMPARE(s.list()->model()->rowCount(), 1);
}

void DataPageTest::mnistIsAddedByButton()
{
    SCONCE_NEEDS_DATA(mnist, "mnist");
    Shown s;
    QString asked;
    setFileChooser([&](QWidget*, const QString& kind, const QString&) {
        asked = kind;
        return QString::fromStdString(mnist);
    });
    QVERIFY(clickInMenu(s.find<QPushButton>("data.add"), QStringLiteral("data.addFolder")));
    QCOMPARE(asked, QStringLiteral("folder"));
    QTRY_COMPARE_WITH_TIMEOUT(s.list()->model()->rowCount(), 2, 5 * sconce::test::patienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(s.text("data.name"), QStringLiteral("MNIST"), sconce::test::patienceMs);
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().title == "MNIST", 5 * sconce::test::patienceMs);
    QCOMPARE(s.grid()->samples().size(), 70'000u);
    QCOMPARE(s.text("data.count.training"), QStringLiteral("54,000"));
    QCOMPARE(s.text("data.count.validation"), QStringLiteral("6,000"));
    QCOMPARE(s.text("data.count.test"), QStringLiteral("10,000"));
    const auto seen = s.services.second()->datasets();
    SCONCE_VERIFY_OK(seen);
    QCOMPARE(seen->size(), 2u);
    QCOMPARE(seen->back().trainingCount, 60'000);
    QCOMPARE(seen->back().location, mnist);
    if (!commandLineBuilt()) QSKIP("The command line is not built: its view of the same data was not compared.");
    QString message;
    const QJsonObject said = commandLine({QStringLiteral("data"), QStringLiteral("inspect"), QString::fromStdString(mnist)}, QString::fromStdString(s.services.storeFolder()), message);
    QVERIFY2(!said.isEmpty(), qPrintable(message));
    QCOMPARE(said.value(QStringLiteral("fingerprint")).toString().toStdString(), seen->back().fingerprint);
}

void DataPageTest::picturesAreAddedByDropAndReadAgain()
{
    QTemporaryDir folder;
    const QString pictures = folder.filePath(QStringLiteral("garden"));
    makePictures(pictures, 20);
    Shown s;
    s.drop(pictures);
    QTRY_COMPARE_WITH_TIMEOUT(s.list()->model()->rowCount(), 2, sconce::test::patienceMs);
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().kind == "picture-folder", sconce::test::patienceMs);
    QCOMPARE(s.grid()->samples().size(), 60u);
    QVERIFY(s.find<QSpinBox>("data.importWidth")->isVisible());
    QCOMPARE(s.find<QSpinBox>("data.importWidth")->value(), 24);
    QCOMPARE(s.find<QSpinBox>("data.importHeight")->value(), 20);
    // No test part of its own: a share is held back, and says so.
    QVERIFY(s.find<QDoubleSpinBox>("data.testShare")->isVisible());
    QCOMPARE(s.text("data.count.test"), QStringLiteral("6"));

    // Another size, in grey.
    auto* width = s.find<QSpinBox>("data.importWidth");
    auto* height = s.find<QSpinBox>("data.importHeight");
    for (QSpinBox* box : {width, height}) {
        box->setFocus();
        box->selectAll();
        QTest::keyClicks(box, QStringLiteral("16"));
        QTest::keyClick(box, Qt::Key_Tab);
    }
    QTest::keyClick(s.find<QComboBox>("data.importChannels"), Qt::Key_Down);
    QTest::mouseClick(s.find<QPushButton>("data.importAgain"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().sample.text() == "1×16×16", sconce::test::patienceMs);
    QCOMPARE(s.list()->model()->rowCount(), 2); // the same set, not another
    const auto again = s.services.second()->dataset(s.grid()->data()->info().id);
    SCONCE_VERIFY_OK(again);
    QVERIFY(again->has_value());
    QCOMPARE((*again)->first.sample.text(), std::string("1×16×16"));
    QVERIFY(((*again)->second == ImportOptions{16, 16, 1}));
}

void DataPageTest::whatIsNoFileIsNotTaken()
{
    Shown s;
    QMimeData mime;
    mime.setUrls({QUrl(QStringLiteral("https://example.org/mnist.gz"))});
    QDragEnterEvent enter(QPoint(600, 400), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(s.page.get(), &enter);
    QVERIFY(!enter.isAccepted());
}

void DataPageTest::classAndPartFilterTheSamples()
{
    Shown s;
    const DatasetInfo info = s.grid()->data()->info();
    auto* classes = s.find<QComboBox>("data.classFilter");
    classes->setFocus();
    QTest::keyClicks(classes, QStringLiteral("3"));
    QCOMPARE(classes->currentText(), QStringLiteral("3"));
    QCOMPARE(static_cast<std::int64_t>(s.grid()->samples().size()), info.trainingPerClass[3] + info.testPerClass[3]);
    for (const auto& sample : s.grid()->samples()) QCOMPARE(s.grid()->data()->labels(sample.part)[static_cast<std::size_t>(sample.row)], 3);
    auto* parts = s.find<QComboBox>("data.partFilter");
    parts->setFocus();
    QTest::keyClick(parts, Qt::Key_End);
    QCOMPARE(parts->currentText(), QStringLiteral("test"));
    QCOMPARE(static_cast<std::int64_t>(s.grid()->samples().size()), info.testPerClass[3]);
    QCOMPARE(s.shares()[2], info.testPerClass[3]);
}

void DataPageTest::splitByFieldAndByHandle()
{
    Shown s;
    const std::int64_t training = s.grid()->data()->info().trainingCount;
    auto* share = s.find<QDoubleSpinBox>("data.validationShare");
    share->setFocus();
    share->selectAll();
    QTest::keyClicks(share, QStringLiteral("20"));
    QTest::keyClick(share, Qt::Key_Return);
    QCOMPARE(s.text("data.count.validation"), QString::fromStdString("2,000"));
    QCOMPARE(s.shares()[1], training / 5);

    // The handle between training and validation, dragged to the middle of both.
    auto* bar = s.find<SplitBar>("data.splitBar");
    const auto own = s.shares();
    const double total = static_cast<double>(own[0] + own[1] + own[2]);
    const QPoint handle(static_cast<int>(bar->width() * static_cast<double>(own[0]) / total), 12);
    const QPoint middle(static_cast<int>(bar->width() * static_cast<double>(own[0] + own[1]) / total / 2), 12);
    QTest::mousePress(bar, Qt::LeftButton, {}, handle);
    QTest::mouseMove(bar, (handle + middle) / 2);
    QTest::mouseMove(bar, middle);
    QTest::mouseRelease(bar, Qt::LeftButton, {}, middle);
    QVERIFY2(std::abs(share->value() - 50) < 1, qPrintable(share->text()));
    const auto halves = s.shares();
    QVERIFY(std::abs(static_cast<double>(halves[0] - halves[1])) < 0.02 * static_cast<double>(training));
    QCOMPARE(halves[0] + halves[1], training);
    // By keyboard: one per cent a press.
    const double before = share->value();
    bar->setFocus();
    QTest::keyClick(bar, Qt::Key_Left);
    QVERIFY(std::abs(share->value() - before - 1) < 0.11);

    // Shuffled out: as many, but not the last ones.
    auto* kind = s.find<QComboBox>("data.splitKind");
    kind->setFocus();
    QTest::keyClick(kind, Qt::Key_Down);
    const auto shuffled = s.shares();
    QVERIFY(s.grid()->samples().size() == 12'000);
    std::int64_t smallest = training;
    for (const auto& sample : s.grid()->samples())
        if (sample.share == 1) smallest = std::min(smallest, sample.row);
    QVERIFY(smallest < shuffled[0] / 2);

    // Remembered: another page over the same settings shows the same.
    const QString wanted = share->text();
    s.open();
    QCOMPARE(s.find<QDoubleSpinBox>("data.validationShare")->text(), wanted);
    QCOMPARE(s.find<QComboBox>("data.splitKind")->currentIndex(), 1);
    QCOMPARE(s.shares(), shuffled);
}

/// So many samples in place of a share: as many as before at first, then as typed; what cannot be is said; it goes into the recipe.
void DataPageTest::splitByNumber()
{
    Shown s;
    auto* mode = s.find<QComboBox>("data.validationMode");
    auto* share = s.find<QDoubleSpinBox>("data.validationShare");
    auto* number = s.find<QSpinBox>("data.validationCount");
    QVERIFY(share->isVisible() && !number->isVisible());
    mode->setFocus();
    QTest::keyClick(mode, Qt::Key_Down);
    QVERIFY(!share->isVisible() && number->isVisible() && !number->toolTip().isEmpty());
    QCOMPARE(number->value(), 1000); // the share's tenth
    QCOMPARE(s.shares()[1], std::int64_t{1000});
    number->setFocus();
    number->selectAll();
    QTest::keyClicks(number, QStringLiteral("1234"));
    QTest::keyClick(number, Qt::Key_Return);
    QCOMPARE(s.text("data.count.validation"), QStringLiteral("1,234"));
    QCOMPARE(s.shares()[1], std::int64_t{1234});
    // The handle says a number now.
    auto* bar = s.find<SplitBar>("data.splitBar");
    bar->setFocus();
    QTest::keyClick(bar, Qt::Key_Left);
    QCOMPARE(number->value(), 1334);
    const DatasetInfo& info = s.grid()->data()->info();
    const Recipe recipe = withData(Recipe(), info, {}, dataChoices(*s.services.studio.settings, info));
    QCOMPARE(recipe.data.split.validationCount, std::int64_t{1334});
    // More than there are: said, and one is left.
    auto* problem = s.find<QLabel>("data.splitProblem");
    QVERIFY(!problem->isVisible());
    number->setFocus();
    number->selectAll();
    QTest::keyClicks(number, QStringLiteral("10000"));
    QTest::keyClick(number, Qt::Key_Return);
    QVERIFY(problem->isVisible() && problem->text().contains(QStringLiteral("only 10,000 samples")));
    QCOMPARE(s.shares()[0], std::int64_t{1});
    number->setFocus();
    number->selectAll();
    QTest::keyClicks(number, QStringLiteral("2500"));
    QTest::keyClick(number, Qt::Key_Return);
    QVERIFY(!problem->isVisible());
    // Remembered, and back to a share that holds back as many.
    s.open();
    QCOMPARE(s.find<QSpinBox>("data.validationCount")->value(), 2500);
    mode = s.find<QComboBox>("data.validationMode");
    mode->setFocus();
    QTest::keyClick(mode, Qt::Key_Up);
    QCOMPARE(s.find<QDoubleSpinBox>("data.validationShare")->value(), 25.0);
    QCOMPARE(s.shares()[1], std::int64_t{2500});
}

/// A folder val/ is taken whole: what would not be used cannot be set, until validation is drawn from all.
void DataPageTest::ownValidationFolderLeavesNothingToSet()
{
    QTemporaryDir folder;
    const QString set = folder.filePath(QStringLiteral("garden"));
    makePictures(set + QStringLiteral("/train"), 10);
    makePictures(set + QStringLiteral("/val"), 4);
    makePictures(set + QStringLiteral("/test"), 2);
    Shown s;
    auto* own = s.find<QLabel>("data.validationOwn");
    auto* share = s.find<QDoubleSpinBox>("data.validationShare");
    auto* mode = s.find<QComboBox>("data.validationMode");
    auto* kind = s.find<QComboBox>("data.splitKind");
    QVERIFY(own->isHidden() && share->isVisible() && mode->isEnabled());
    QCOMPARE(kind->itemText(0), QStringLiteral("the last part"));
    s.drop(set);
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().kind == "picture-folder", sconce::test::patienceMs);
    QVERIFY(own->isVisible() && !own->toolTip().isEmpty());
    QVERIFY(!share->isVisible() && !s.find<QSpinBox>("data.validationCount")->isVisible() && !mode->isEnabled());
    QCOMPARE(kind->itemText(0), QStringLiteral("its own folder"));
    QCOMPARE(s.shares(), (std::array<std::int64_t, 3>{30, 12, 6}));
    savePicture(s.page.get(), QStringLiteral("data-own-validation"));
    // Not by the bar's handle either.
    auto* bar = s.find<SplitBar>("data.splitBar");
    const auto before = dataChoices(*s.services.studio.settings, s.grid()->data()->info());
    bar->setFocus();
    QTest::keyClick(bar, Qt::Key_Left);
    QCOMPARE(s.shares(), (std::array<std::int64_t, 3>{30, 12, 6}));
    QCOMPARE(s.text("data.count.validation"), QStringLiteral("12"));
    QVERIFY(dataChoices(*s.services.studio.settings, s.grid()->data()->info()) == before);
    kind->setFocus();
    QTest::keyClick(kind, Qt::Key_Down);
    QVERIFY(own->isHidden() && share->isVisible() && mode->isEnabled());
    QTRY_VERIFY_WITH_TIMEOUT(s.shares()[1] != 12, sconce::test::patienceMs);
}

void DataPageTest::handleFollowsTheMouseBesideATestShare()
{
    QTemporaryDir folder;
    makePictures(folder.filePath(QStringLiteral("garden")), 100);
    Shown s;
    s.drop(folder.filePath(QStringLiteral("garden")));
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().kind == "picture-folder", sconce::test::patienceMs);
    auto* test = s.find<QDoubleSpinBox>("data.testShare");
    test->setFocus();
    test->selectAll();
    QTest::keyClicks(test, QStringLiteral("40"));
    QTest::keyClick(test, Qt::Key_Return);
    QCOMPARE(s.text("data.count.test"), QStringLiteral("120"));
    auto* bar = s.find<SplitBar>("data.splitBar");
    const QPoint there(static_cast<int>(bar->width() * 0.3), 12); // half of the 60 % left
    QTest::mouseClick(bar, Qt::LeftButton, {}, there);
    const auto counts = s.shares();
    QVERIFY2(std::abs(static_cast<double>(counts[0]) - 90) <= 3, qPrintable(QString::number(counts[0])));
    QCOMPARE(counts[2], 120);
}

void DataPageTest::stepsAreRemembered()
{
    Shown s;
    QSignalSpy stored(s.services.settings.get(), &Settings::changed);
    for (const char* name : {"data.scale", "data.normalise", "data.shuffle"}) {
        auto* box = s.find<QAbstractButton>(name);
        const bool before = box->isChecked();
        QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
        QCOMPARE(box->isChecked(), !before);
    }
    QVERIFY(stored.count() >= 3);
    const DatasetInfo& info = s.grid()->data()->info();
    const DataChoices kept = dataChoices(*s.services.settings, info);
    QVERIFY(!kept.input.scale && kept.input.normalise && !kept.shuffle);
    QCOMPARE(kept.input.mean, info.mean);
}

void DataPageTest::mixShowsAnotherOrder()
{
    Shown s;
    const auto key = [](const SampleGrid::Sample& a) { return std::pair(static_cast<int>(a.part), a.row); };
    const auto stored = s.grid()->samples();
    QTest::mouseClick(s.find<QToolButton>("data.mix"), Qt::LeftButton);
    const auto mixed = s.grid()->samples();
    QCOMPARE(mixed.size(), stored.size());
    std::set<std::pair<int, std::int64_t>> all;
    std::size_t moved = 0;
    for (std::size_t i = 0; i < mixed.size(); ++i) {
        all.insert(key(mixed[i]));
        moved += key(mixed[i]) != key(stored[i]);
    }
    QCOMPARE(all.size(), stored.size()); // every sample once
    QVERIFY(moved > stored.size() / 2);
    QTest::mouseClick(s.find<QToolButton>("data.mix"), Qt::LeftButton);
    QVERIFY(key(s.grid()->samples()[0]) != key(mixed[0]) || key(s.grid()->samples()[1]) != key(mixed[1]));
}

void DataPageTest::keysMoveAndEnlarge()
{
    Shown s;
    SampleGrid* grid = s.grid();
    grid->setFocus();
    QTest::keyClick(grid, Qt::Key_Right);
    QTest::keyClick(grid, Qt::Key_Right);
    QCOMPARE(grid->current(), 2);
    QVERIFY(s.text("data.sampleLine").startsWith(QStringLiteral("Sample 3 of 12,000")));
    QTest::keyClick(grid, Qt::Key_Down);
    QVERIFY(grid->current() > 3);
    QTest::mouseClick(grid->viewport(), Qt::LeftButton, {}, grid->cellRect(1).center());
    QCOMPARE(grid->current(), 1);
    QTest::keyClick(grid, Qt::Key_End);
    QCOMPARE(grid->current(), 11'999);
    QVERIFY(grid->viewport()->rect().contains(grid->cellRect(11'999).center()));
    QTest::keyClick(grid, Qt::Key_Return);
    QPointer<QDialog> large = s.page->findChild<QDialog*>(QStringLiteral("data.large"));
    QVERIFY(large);
    QTRY_VERIFY(large->isVisible());
    bool picture = false;
    for (auto* label : large->findChildren<QLabel*>()) picture = picture || label->pixmap().width() == 448;
    QVERIFY(picture);
    QTest::keyClick(large.data(), Qt::Key_Escape);
    QTRY_VERIFY(!large);
}

void DataPageTest::setIsTakenOffTheList()
{
    QTemporaryDir folder;
    const QString pictures = folder.filePath(QStringLiteral("garden"));
    makePictures(pictures, 4);
    Shown s;
    QVERIFY(!s.find<QPushButton>("data.more")->isEnabled()); // the built-in set stays
    s.drop(pictures);
    QTRY_COMPARE_WITH_TIMEOUT(s.list()->model()->rowCount(), 2, sconce::test::patienceMs);
    QTRY_VERIFY_WITH_TIMEOUT(s.find<QPushButton>("data.more")->isEnabled(), sconce::test::patienceMs);
    int asked = 0, answer = 1;
    setAsker([&](QWidget*, const Question& question) {
        ++asked;
        return answer < static_cast<int>(question.buttons.size()) ? answer : -1;
    });
    QVERIFY(clickInMenu(s.find<QPushButton>("data.more"), QStringLiteral("data.remove")));
    QCOMPARE(asked, 1);
    QTest::qWait(100);
    QCOMPARE(s.services.second()->datasets()->size(), 2u); // Cancel keeps it
    answer = 0;
    s.page->window()->activateWindow(); // the menu had it, and gives it back when it likes
    s.list()->setFocus();
    QTRY_VERIFY_WITH_TIMEOUT(s.list()->hasFocus(), sconce::test::patienceMs);
    QTest::keyClick(s.list(), Qt::Key_Delete);
    QCOMPARE(asked, 2);
    QTRY_COMPARE_WITH_TIMEOUT(s.list()->model()->rowCount(), 1, sconce::test::patienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(s.text("data.name"), QStringLiteral("Built-in digits"), sconce::test::patienceMs);
    QCOMPARE(s.services.second()->datasets()->size(), 1u);
    QVERIFY(QFileInfo::exists(pictures + QStringLiteral("/apples/0.png"))); // files are the person's
}

void DataPageTest::brokenFileGivesASentence()
{
    Shown s;
    const QString path = s.services.folder()->filePath(QStringLiteral("train-images-idx3-ubyte"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromHex("00000803" "0000ea60" "0000001c" "0000001c") + QByteArray(100, 'x')); // says 60,000, holds none
    file.close();
    setFileChooser([&](QWidget*, const QString&, const QString&) { return path; });
    QVERIFY(clickInMenu(s.find<QPushButton>("data.add"), QStringLiteral("data.addFile")));
    auto* error = s.find<QLabel>("data.error");
    QTRY_VERIFY_WITH_TIMEOUT(error->isVisible(), sconce::test::patienceMs);
    QVERIFY2(error->text().size() > 30 && error->text().endsWith(QLatin1Char('.')), qPrintable(error->text()));
    QCOMPARE(s.list()->model()->rowCount(), 1);
    QVERIFY(s.grid()->data()); // what was shown still is
    QCOMPARE(s.services.second()->datasets()->size(), 1u);
    QVERIFY(cutLabels(s.page.get()).isEmpty());
}

void DataPageTest::trainOnThisData()
{
    Shown s;
    QSignalSpy data(s.services.navigator.get(), &Navigator::composeData);
    QSignalSpy page(s.services.navigator.get(), &Navigator::goTo);
    auto* share = s.find<QDoubleSpinBox>("data.validationShare");
    share->setFocus();
    share->selectAll();
    QTest::keyClicks(share, QStringLiteral("25"));
    QTest::mouseClick(s.find<QPushButton>("data.train"), Qt::LeftButton);
    QCOMPARE(data.count(), 1);
    QCOMPARE(data.first().first().toString(), QStringLiteral("digits"));
    QCOMPARE(page.count(), 1);
    QCOMPARE(page.first().first().value<PageId>(), PageId::Compose);
    QCOMPARE(dataChoices(*s.services.settings, s.grid()->data()->info()).split.validation, 0.25);
}

void DataPageTest::pictures_data()
{
    QTest::addColumn<bool>("dark");
    QTest::addColumn<bool>("small");
    QTest::newRow("dark") << true << false;
    QTest::newRow("light") << false << false;
    QTest::newRow("small-dark") << true << true;
}

void DataPageTest::pictures()
{
    QFETCH(bool, dark);
    QFETCH(bool, small);
    Theme::instance().apply(*qApp, dark ? ThemeChoice::Dark : ThemeChoice::Light);
    QTemporaryDir folder;
    makePictures(folder.filePath(QStringLiteral("garden")), 30);
    Shown s;
    s.page->resize(small ? QSize(1280 - 52, 720 - 24) : QSize(1440 - 76, 900 - 28));
    s.page->applySizeClass(small, small);
    s.drop(folder.filePath(QStringLiteral("garden")));
    QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().kind == "picture-folder", sconce::test::patienceMs);
    const QString tag = QString::fromLatin1(QTest::currentDataTag());
    QTest::qWait(200);
    savePicture(s.page.get(), QStringLiteral("data-folder-") + tag);
    QCOMPARE(cutLabels(s.page.get()).join(QStringLiteral("; ")), QString());
    const std::string mnist = sconce::test::testData("mnist");
    if (mnist.empty()) {
        s.select("digits");
    } else {
        s.drop(QString::fromStdString(mnist));
        QTRY_VERIFY_WITH_TIMEOUT(s.grid()->data() && s.grid()->data()->info().title == "MNIST", 5 * sconce::test::patienceMs);
    }
    QTest::qWait(400);
    s.grid()->setFocus();
    s.grid()->setCurrent(11);
    savePicture(s.page.get(), QStringLiteral("data-") + tag);
    QCOMPARE(cutLabels(s.page.get()).join(QStringLiteral("; ")), QString());
}

int main(int argc, char** argv)
{
    QApplication app(argc, argv);
    Theme::instance().apply(app, ThemeChoice::Dark);
    DataPageTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "data_page_test.moc"
