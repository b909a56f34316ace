// SPDX-License-Identifier: GPL-3.0-or-later
// The Try it page with real events: two networks are really trained on the built-in digits, then drawn for, looked into and
// saved. What the page says is compared with the command line in a second process.
#include "tests/support/page_checks.h"
#include "tests/support/paths.h"
#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "core/formats/safetensors.h"
#include "core/training/checkpoint.h"
#include "ui/services/data_choices.h"
#include "ui/tryit/draw_canvas.h"
#include "ui/tryit/tryit_page.h"
#include "ui/tryit/views.h"
#include "ui/widgets/parts.h"

#include <QComboBox>
#include <QSignalSpy>
#include <QTableWidget>
#include <QToolButton>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class TryItPageTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<StudioFixture> m_services;
    std::unique_ptr<TryItPage> m_page;
    RunId m_first, m_second;

    template <class T> T* find(const char* name) const
    {
        T* found = m_page->findChild<T*>(QString::fromLatin1(name));
        if (!found) qFatal("no widget is called %s", name);
        return found;
    }
    ConfusionView* matrix() const { return find<ConfusionView>("tryit.confusion"); }
    DrawCanvas* canvas() const { return find<DrawCanvas>("tryit.canvas"); }
    ProbabilityBars* bars() const { return find<ProbabilityBars>("tryit.probabilities"); }
    QString fact(int i) const { return m_page->findChild<ElidedLabel*>(QStringLiteral("tryit.fact%1").arg(i))->fullText(); }
    std::int64_t total() const
    {
        std::int64_t sum = 0;
        for (int t = 0; t < 10; ++t)
            for (int said = 0; said < 10; ++said) sum += matrix()->count(t, said);
        return sum;
    }
    double right() const
    {
        double sum = 0;
        for (int t = 0; t < 10; ++t) sum += static_cast<double>(matrix()->count(t, t));
        return sum / static_cast<double>(total());
    }
    float sure() const
    {
        const auto& p = bars()->probabilities();
        return std::accumulate(p.begin(), p.end(), 0.0f);
    }
    bool answered() const { return QTest::qWaitFor([this] { return bars()->probabilities().size() == 10; }, sconce::test::patienceMs); }
    RunId train(const Recipe& recipe, const QString& name)
    {
        QSignalSpy ended(m_services->runService.get(), &RunService::ended);
        m_services->runService->start(recipe, name);
        if (!QTest::qWaitFor([&] { return ended.count() > 0; }, 240'000)) return {};
        if (ended.first().at(1).toString() != QStringLiteral("finished")) return {};
        return ended.first().first().toString().toStdString();
    }
    /// Presses, moves and releases as a hand does.
    void stroke(const QList<QPoint>& points, Qt::MouseButton button = Qt::LeftButton)
    {
        QTest::mousePress(canvas(), button, {}, points.front());
        for (const QPoint& point : points) {
            QMouseEvent move(QEvent::MouseMove, point, canvas()->mapToGlobal(point), Qt::NoButton, button, Qt::NoModifier);
            QApplication::sendEvent(canvas(), &move);
        }
        QTest::mouseRelease(canvas(), button, {}, points.back());
    }
    void click(const char* name) { QTest::mouseClick(find<QAbstractButton>(name), Qt::LeftButton); }
    void choose(const RunId& run)
    {
        auto* box = find<QComboBox>("tryit.run");
        box->setFocus();
        for (int i = 0; i < box->count() && box->currentData().toString().toStdString() != run; ++i)
            QTest::keyClick(box, box->findData(QString::fromStdString(run)) > box->currentIndex() ? Qt::Key_Down : Qt::Key_Up);
        QCOMPARE(box->currentData().toString().toStdString(), run);
        QTRY_COMPARE_WITH_TIMEOUT(total(), 2'000, 5 * sconce::test::patienceMs);
    }

  private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void cleanup();
    void withoutRunsItSaysWhatToDo();
    void chosenRunIsEvaluated();
    void anotherRunOtherNumbers();
    void weightsOfTheBestEpoch();
    void cellShowsItsSamples();
    void drawingIsAnswered();
    void firstStrokePutsTheSampleAway();
    void undoAndClear();
    void sampleAndPicture();
    void brokenPictureGivesASentence();
    void tabsOfANarrowWindow();
    void pictures_data();
    void pictures();
    void modelIsSaved();
    void damagedModelGivesASentence();
};

void TryItPageTest::initTestCase()
{
    m_services = std::make_unique<StudioFixture>();
    Recipe recipe = quickRecipe(2);
    recipe.training.batchSize = 250;
    m_first = train(recipe, QStringLiteral("convnet"));
    QVERIFY(!m_first.empty());
    const StarterRecipe* mlp = findStarter("mnist-mlp");
    QVERIFY(mlp);
    Recipe other = quickRecipe();
    other.stack = mlp->recipe.stack;
    m_second = train(other, QStringLiteral("mlp"));
    QVERIFY(!m_second.empty());
    QTRY_VERIFY_WITH_TIMEOUT(m_services->runs->find(m_second) && std::isfinite(m_services->runs->find(m_second)->summary.testAccuracy), sconce::test::patienceMs);
    m_page = std::make_unique<TryItPage>(m_services->studio);
    m_page->resize(1364, 872);
    m_page->show();
    m_page->activateWindow();
    (void)QTest::qWaitForWindowActive(m_page.get());
    m_page->shown();
}

void TryItPageTest::cleanupTestCase()
{
    m_page.reset();
    m_services.reset();
}

void TryItPageTest::cleanup() { setFileChooser({}); }

void TryItPageTest::withoutRunsItSaysWhatToDo()
{
    StudioFixture services(std::make_shared<QTemporaryDir>());
    TryItPage page(services.studio);
    page.show();
    page.shown();
    QTRY_VERIFY(services.runs->loaded());
    auto* empty = page.findChild<EmptyState*>();
    QVERIFY(empty && empty->isVisible());
    QVERIFY(!page.findChild<QPushButton*>(QStringLiteral("tryit.save"))->isEnabled());
    QVERIFY(!page.findChild<DrawCanvas*>()->isVisible());
    QSignalSpy goes(services.navigator.get(), &Navigator::goTo);
    QTest::mouseClick(empty->findChild<QPushButton*>(), Qt::LeftButton);
    QCOMPARE(goes.count(), 1);
    QCOMPARE(goes.first().first().value<PageId>(), PageId::Compose);
    // The settings are one file a process: back to this test's folder.
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_services->folder()->filePath(QStringLiteral("config")));
}

void TryItPageTest::chosenRunIsEvaluated()
{
    choose(m_first);
    const RunRow* row = m_services->runs->find(m_first);
    QVERIFY(row);
    QVERIFY2(std::abs(right() - row->summary.testAccuracy) < 1e-3, qPrintable(QStringLiteral("%1 and %2").arg(right()).arg(row->summary.testAccuracy)));
    auto* table = find<QTableWidget>("tryit.perClass");
    QCOMPARE(table->rowCount(), 11);
    QCOMPARE(table->item(10, 1)->text(), QStringLiteral("2,000"));
    for (int t = 0; t < 10; ++t) {
        std::int64_t of = 0;
        for (int said = 0; said < 10; ++said) of += matrix()->count(t, said);
        QCOMPARE(table->item(t, 1)->text().toLongLong(), of);
        QCOMPARE(table->item(t, 3)->text(), QString::number(100.0 * static_cast<double>(matrix()->count(t, t)) / static_cast<double>(of), 'f', 1));
    }
    QVERIFY(answered()); // a sample is there at once, nothing is empty
    QVERIFY(std::abs(sure() - 1) < 1e-4);
    if (!commandLineBuilt()) QSKIP("The command line is not built: its evaluation was not compared.");
    QString message;
    const QJsonObject said = commandLine({QStringLiteral("evaluate"), QString::fromStdString(m_first)}, QString::fromStdString(m_services->storeFolder()), message);
    QVERIFY2(!said.isEmpty(), qPrintable(message));
    QVERIFY(std::abs(said.value(QStringLiteral("accuracy")).toDouble() - right()) < 1e-9);
    const auto rows = said.value(QStringLiteral("confusion")).toArray();
    QCOMPARE(rows.size(), 10);
    for (int t = 0; t < 10; ++t)
        for (int s = 0; s < 10; ++s) QCOMPARE(static_cast<std::int64_t>(rows.at(t).toArray().at(s).toDouble()), matrix()->count(t, s));
}

void TryItPageTest::anotherRunOtherNumbers()
{
    choose(m_first);
    const double before = right();
    const QString parameters = fact(2);
    choose(m_second);
    QVERIFY(right() != before);
    QVERIFY(fact(2) != parameters);
    QCOMPARE(fact(2), QStringLiteral("203,530"));
    QVERIFY(find<QComboBox>("tryit.run")->currentText().startsWith(QStringLiteral("mlp")));
    // Another page asks for a run.
    Q_EMIT m_services->navigator->tryRun(QString::fromStdString(m_first));
    QTRY_COMPARE_WITH_TIMEOUT(fact(2), parameters, sconce::test::patienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(total(), 2'000, 5 * sconce::test::patienceMs);
    QCOMPARE(right(), before);
}

void TryItPageTest::weightsOfTheBestEpoch()
{
    choose(m_first);
    const auto best = bestCheckpoint(m_services->runs->find(m_first)->folder);
    SCONCE_VERIFY_OK(best);
    auto* weights = find<QComboBox>("tryit.weights");
    weights->setFocus();
    QTest::keyClick(weights, Qt::Key_Down);
    QTRY_VERIFY_WITH_TIMEOUT(fact(3).startsWith(QStringLiteral("best")), sconce::test::patienceMs);
    QCOMPARE(fact(3), QStringLiteral("best, epoch %1").arg(best->state.epoch));
    QTRY_COMPARE_WITH_TIMEOUT(total(), 2'000, 5 * sconce::test::patienceMs);
    QTest::keyClick(weights, Qt::Key_Up);
    QTRY_VERIFY_WITH_TIMEOUT(fact(3).startsWith(QStringLiteral("last")), sconce::test::patienceMs);
}

void TryItPageTest::cellShowsItsSamples()
{
    choose(m_first);
    // The fullest wrong cell, and a right one.
    int truth = 0, said = 1;
    for (int t = 0; t < 10; ++t)
        for (int s = 0; s < 10; ++s)
            if (t != s && matrix()->count(t, s) > matrix()->count(truth, said)) truth = t, said = s;
    QVERIFY(matrix()->count(truth, said) > 0);
    auto* strip = find<SampleStrip>("tryit.samples");
    QTest::mouseClick(matrix(), Qt::LeftButton, {}, matrix()->cell(truth, said).center());
    QCOMPARE(find<SegmentedControl>("tryit.tabs")->current(), 1);
    QCOMPARE(static_cast<std::int64_t>(strip->count()), matrix()->count(truth, said));
    for (const auto& item : strip->items()) {
        QCOMPARE(item.truth, truth);
        QCOMPARE(item.said, said);
    }
    QVERIFY(std::is_sorted(strip->items().begin(), strip->items().end(), [](const auto& a, const auto& b) { return a.confidence > b.confidence; }));
    // A sample of it goes to the canvas, and is answered as the matrix says.
    QTest::mouseClick(strip, Qt::LeftButton, {}, strip->cell(0).center());
    QTRY_COMPARE_WITH_TIMEOUT(find<QLabel>("tryit.said")->text(), QString::number(said), sconce::test::patienceMs);
    QTest::keyClick(matrix(), Qt::Key_Right);
    QCOMPARE(matrix()->selectedSaid(), std::min(9, said + 1));
    // Least sure: the first is the least.
    QTest::mouseClick(find<SegmentedControl>("tryit.tabs")->findChild<QAbstractButton*>(QStringLiteral("segment2")), Qt::LeftButton);
    QVERIFY(strip->count() > 100);
    QVERIFY(strip->items()[0].confidence <= strip->items()[50].confidence);
    QTest::mouseClick(find<SegmentedControl>("tryit.tabs")->findChild<QAbstractButton*>(QStringLiteral("segment0")), Qt::LeftButton);
    for (const auto& item : strip->items()) QVERIFY(item.truth != item.said);
    // Per cent of a row.
    auto* unit = find<QComboBox>("tryit.unit");
    const QImage counts = matrix()->grab().toImage();
    unit->setFocus();
    QTest::keyClick(unit, Qt::Key_Down);
    QVERIFY(matrix()->grab().toImage() != counts);
    QTest::keyClick(unit, Qt::Key_Up);
}

void TryItPageTest::drawingIsAnswered()
{
    choose(m_first);
    click("tryit.clear");
    QTRY_VERIFY(bars()->probabilities().empty());
    QCOMPARE(find<QLabel>("tryit.said")->text(), QStringLiteral("–"));
    stroke({{140, 40}, {140, 90}, {141, 140}, {140, 190}, {140, 240}});
    QVERIFY(!canvas()->isEmpty());
    QVERIFY(qGray(canvas()->image().pixel(140, 140)) > 200);
    QVERIFY(answered());
    QVERIFY2(std::abs(sure() - 1) < 1e-4, qPrintable(QString::number(sure())));
    const auto one = bars()->probabilities();
    const auto top = std::max_element(one.begin(), one.end()) - one.begin();
    QCOMPARE(find<QLabel>("tryit.said")->text(), QString::number(top));
    QVERIFY(find<QLabel>("tryit.sure")->text().endsWith(QString::number(top)));
    // The pen goes on: a ring is something else than a line.
    QTest::keyClick(canvas(), Qt::Key_Delete);
    QTRY_VERIFY(bars()->probabilities().empty());
    QList<QPoint> ring;
    for (int i = 0; i <= 24; ++i) ring << QPoint(140 + static_cast<int>(70 * std::cos(i * 0.2618)), 140 + static_cast<int>(90 * std::sin(i * 0.2618)));
    stroke(ring);
    QVERIFY(answered());
    QTRY_VERIFY_WITH_TIMEOUT(bars()->probabilities().size() == 10 && std::abs(bars()->probabilities()[0] - one[0]) > 0.01f, sconce::test::patienceMs);
    QVERIFY(std::abs(sure() - 1) < 1e-4);
}

void TryItPageTest::firstStrokePutsTheSampleAway()
{
    choose(m_first);
    click("tryit.sample");
    QVERIFY(!canvas()->picture().isNull());
    stroke({{20, 270}, {40, 270}});
    QVERIFY(canvas()->picture().isNull());
    int light = 0;
    for (int y = 0; y < 240; ++y)
        for (int x = 0; x < 280; ++x) light += qGray(canvas()->image().pixel(x, y)) > 20;
    QCOMPARE(light, 0); // nothing of the sample is left under the pen
    QTest::keyClick(canvas(), Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(!canvas()->picture().isNull());
}

void TryItPageTest::undoAndClear()
{
    choose(m_first);
    click("tryit.clear");
    stroke({{60, 60}, {200, 60}});
    const QImage first = canvas()->image();
    stroke({{60, 160}, {200, 160}});
    QVERIFY(canvas()->image() != first);
    // The right button rubs out.
    stroke({{60, 160}, {200, 160}}, Qt::RightButton);
    QVERIFY(qGray(canvas()->image().pixel(130, 160)) < 40);
    click("tryit.undo");
    QVERIFY(qGray(canvas()->image().pixel(130, 160)) > 200);
    click("tryit.undo");
    QCOMPARE(canvas()->image(), first);
    QVERIFY(answered());
    click("tryit.undo");
    QVERIFY(canvas()->isEmpty());
    QTRY_VERIFY(bars()->probabilities().empty());
}

void TryItPageTest::sampleAndPicture()
{
    choose(m_first);
    click("tryit.clear");
    QTRY_VERIFY(bars()->probabilities().empty());
    click("tryit.sample");
    QVERIFY(answered());
    const QImage shown = canvas()->picture();
    QCOMPARE(shown.size(), QSize(28, 28));
    const auto probabilities = bars()->probabilities();
    // The same picture as a file: the same answer.
    const QString path = m_services->folder()->filePath(QStringLiteral("sample.png"));
    QVERIFY(shown.save(path));
    click("tryit.clear");
    QTRY_VERIFY(bars()->probabilities().empty());
    QString asked;
    setFileChooser([&](QWidget*, const QString& kind, const QString&) {
        asked = kind;
        return path;
    });
    click("tryit.open");
    QCOMPARE(asked, QStringLiteral("open"));
    QVERIFY(answered());
    for (std::size_t i = 0; i < 10; ++i) QVERIFY(std::abs(bars()->probabilities()[i] - probabilities[i]) < 1e-6f);
    // And dropped on the canvas.
    click("tryit.clear");
    QTRY_VERIFY(bars()->probabilities().empty());
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile(path)});
    QDragEnterEvent enter(QPoint(100, 100), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(canvas(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop(QPoint(100, 100), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(canvas(), &drop);
    QVERIFY(answered());
    for (std::size_t i = 0; i < 10; ++i) QVERIFY(std::abs(bars()->probabilities()[i] - probabilities[i]) < 1e-6f);
}

void TryItPageTest::brokenPictureGivesASentence()
{
    choose(m_first);
    const QString path = m_services->folder()->filePath(QStringLiteral("broken.png"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromHex("89504e470d0a1a0a0000000d49484452"));
    file.close();
    const QImage before = canvas()->image();
    setFileChooser([&](QWidget*, const QString&, const QString&) { return path; });
    click("tryit.open");
    auto* problem = find<QLabel>("tryit.problem");
    QVERIFY(problem->isVisible());
    QVERIFY2(problem->text().size() > 20, qPrintable(problem->text()));
    QCOMPARE(canvas()->image(), before);
    QCOMPARE(total(), 2'000); // the model stays
    click("tryit.sample");    // and the sentence goes with the next answer
    QTRY_VERIFY(!problem->isVisible());
}

void TryItPageTest::modelIsSaved()
{
    choose(m_second);
    const QString path = m_services->folder()->filePath(QStringLiteral("saved.safetensors"));
    setFileChooser([&](QWidget*, const QString& kind, const QString&) { return kind == QStringLiteral("save") ? path : QString(); });
    click("tryit.save");
    QTRY_VERIFY_WITH_TIMEOUT(QFileInfo::exists(path), sconce::test::patienceMs);
    const auto file = SafetensorsFile::open(path.toStdString());
    SCONCE_VERIFY_OK(file);
    const auto checkpoint = newestValidCheckpoint(m_services->runs->find(m_second)->folder);
    SCONCE_VERIFY_OK(checkpoint);
    const auto weights = openWeights(*checkpoint);
    SCONCE_VERIFY_OK(weights);
    std::size_t compared = 0;
    for (const auto& tensor : file->tensors()) {
        const TensorView* own = weights->find(tensor.name);
        QVERIFY2(own, tensor.name.c_str());
        QCOMPARE(own->bytes.size(), tensor.bytes.size());
        QVERIFY(std::equal(own->bytes.begin(), own->bytes.end(), tensor.bytes.begin()));
        compared += tensor.bytes.size();
    }
    QVERIFY2(compared >= 203'530u * 4, qPrintable(QString::number(compared)));
    // Where it cannot be written a sentence says so.
    setFileChooser([&](QWidget*, const QString&, const QString&) { return m_services->folder()->filePath(QStringLiteral("no/such/folder/x.safetensors")); });
    click("tryit.save");
    QTest::qWait(300);
    QVERIFY(!QFileInfo::exists(m_services->folder()->filePath(QStringLiteral("no/such/folder/x.safetensors"))));
}

void TryItPageTest::tabsOfANarrowWindow()
{
    choose(m_first);
    m_page->applySizeClass(true, true);
    QTest::qWait(50);
    m_page->resize(1228, 696);
    auto* tabs = find<SegmentedControl>("tryit.tabs");
    auto* table = find<QTableWidget>("tryit.perClass");
    QVERIFY(!table->isVisible());
    QTest::mouseClick(tabs->findChild<QAbstractButton*>(QStringLiteral("segment3")), Qt::LeftButton);
    QTRY_VERIFY(table->isVisible());
    QTRY_VERIFY(m_page->rect().contains(QRect(table->mapTo(m_page.get(), QPoint(0, 0)), table->size()))); // once it is laid out
    QTest::mouseClick(tabs->findChild<QAbstractButton*>(QStringLiteral("segment4")), Qt::LeftButton);
    QVERIFY(find<ElidedLabel>("tryit.fact0")->isVisible());
    m_page->applySizeClass(false, false);
    m_page->resize(1364, 872);
    QCOMPARE(tabs->current(), 0);
    QTRY_VERIFY(table->isVisible());
    QVERIFY(!tabs->findChild<QAbstractButton*>(QStringLiteral("segment3"))->isVisible());
}

void TryItPageTest::pictures_data()
{
    QTest::addColumn<bool>("dark");
    QTest::addColumn<bool>("small");
    QTest::newRow("dark") << true << false;
    QTest::newRow("light") << false << false;
    QTest::newRow("small-dark") << true << true;
}

void TryItPageTest::pictures()
{
    QFETCH(bool, dark);
    QFETCH(bool, small);
    Theme::instance().apply(*qApp, dark ? ThemeChoice::Dark : ThemeChoice::Light);
    m_page->applySizeClass(small, small);
    QTest::qWait(50); // the smaller layout must be in place before the page can be made smaller
    const QSize size = small ? QSize(1280 - 52, 720 - 24) : QSize(1360 - 76, 800 - 28);
    // A page becomes small as soon as its layout has followed.
    const bool fits = QTest::qWaitFor([&] { m_page->resize(size); return m_page->size() == size; }, sconce::test::patienceMs);
    // The smallest window of its class; where it is too small, what needs the room is named.
    QString high;
    for (QWidget* w : m_page->findChildren<QWidget*>())
        if (w->isVisible() && w->minimumSizeHint().height() > 150) high += QStringLiteral("%1 %2 %3; ").arg(QLatin1String(w->metaObject()->className()), w->objectName()).arg(w->minimumSizeHint().height());
    QVERIFY2(fits, qPrintable(QStringLiteral("%1×%2: %3").arg(m_page->width()).arg(m_page->height()).arg(high)));
    if (!small) m_page->resize(1440 - 76, 900 - 28);
    choose(m_first);
    const QString tag = QString::fromLatin1(QTest::currentDataTag());
    click("tryit.clear");
    const double scale = canvas()->width() / 280.0;
    QList<QPoint> three;
    for (const QPoint& p : {QPoint(90, 80), QPoint(120, 55), QPoint(165, 60), QPoint(180, 95), QPoint(150, 125), QPoint(120, 130), QPoint(165, 140), QPoint(190, 175), QPoint(170, 215), QPoint(120, 225), QPoint(85, 205)})
        three << QPoint(static_cast<int>(p.x() * scale), static_cast<int>(p.y() * scale));
    stroke(three);
    QVERIFY(answered());
    QTest::qWait(200);
    savePicture(m_page.get(), QStringLiteral("tryit-") + tag);
    QCOMPARE(cutLabels(m_page.get()).join(QStringLiteral("; ")), QString());
    if (small) {
        QTest::mouseClick(find<SegmentedControl>("tryit.tabs")->findChild<QAbstractButton*>(QStringLiteral("segment3")), Qt::LeftButton);
        savePicture(m_page.get(), QStringLiteral("tryit-classes-") + tag);
    }
    if (small) {
        const QSize smallest(1100 - 52, 680 - 24); // of all windows
        (void)QTest::qWaitFor([&] { m_page->resize(smallest); return m_page->size() == smallest; }, sconce::test::patienceMs);
        QCOMPARE(m_page->size(), smallest);
        savePicture(m_page.get(), QStringLiteral("tryit-smallest"));
    }
    m_page->applySizeClass(false, false);
}

void TryItPageTest::damagedModelGivesASentence()
{
    choose(m_first);
    const std::string folder = m_services->runs->find(m_second)->folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.path().filename() == "weights.safetensors") std::filesystem::resize_file(entry.path(), 100);
    auto* box = find<QComboBox>("tryit.run");
    box->setCurrentIndex(box->findData(QString::fromStdString(m_second)));
    auto* problem = find<QLabel>("tryit.problem");
    QTRY_VERIFY_WITH_TIMEOUT(problem->isVisible(), sconce::test::patienceMs);
    QVERIFY2(problem->text().size() > 20, qPrintable(problem->text()));
    QVERIFY(!find<QPushButton>("tryit.save")->isEnabled());
    QCOMPARE(matrix()->count(0, 0), 0);
    QVERIFY(bars()->probabilities().empty());
    choose(m_first); // the page goes on
    QVERIFY(!problem->isVisible());
}

int main(int argc, char** argv)
{
    QApplication app(argc, argv);
    Theme::instance().apply(app, ThemeChoice::Dark);
    TryItPageTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "tryit_page_test.moc"
