// SPDX-License-Identifier: GPL-3.0-or-later
// PlotView and its arithmetic: nothing is hidden by decimation, gaps stay gaps, a log axis never sees what it cannot show,
// ticks are round, and mouse and keyboard give the signals that pages stand on.
#include "ui/charts/plot_scale.h"
#include "ui/charts/plot_view.h"

#include "tests/support/patience.h"

#include <QApplication>
#include <QSignalSpy>
#include <QTest>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <cmath>
#include <limits>

using namespace sconce::ui;
using plot::Range;

namespace {

const double gapValue = std::numeric_limits<double>::quiet_NaN();

Curve curveOf(std::vector<double> x, std::vector<double> y, Curve::Style style = Curve::Style::Smooth)
{
    Curve curve;
    curve.id = curve.title = QStringLiteral("training");
    curve.style = style;
    curve.x = std::move(x);
    curve.y = std::move(y);
    return curve;
}

Curve noisy(int points, int spikeAt, double spike)
{
    std::vector<double> x, y;
    for (int i = 0; i < points; ++i) {
        x.push_back(i);
        y.push_back(1 + 0.1 * std::sin(i * 12.9898));
    }
    if (spikeAt >= 0) y[static_cast<std::size_t>(spikeAt)] = spike;
    return curveOf(std::move(x), std::move(y), Curve::Style::Raw);
}

/// Pixels of a picture that are near a colour.
int pixelsLike(const QImage& picture, const QColor& wanted, int tolerance = 12)
{
    int count = 0;
    for (int y = 0; y < picture.height(); ++y)
        for (int x = 0; x < picture.width(); ++x) {
            const QColor c = picture.pixelColor(x, y);
            if (std::abs(c.red() - wanted.red()) <= tolerance && std::abs(c.green() - wanted.green()) <= tolerance && std::abs(c.blue() - wanted.blue()) <= tolerance) ++count;
        }
    return count;
}

} // namespace

class PlotTest : public QObject
{
    Q_OBJECT
  private Q_SLOTS:
    void initTestCase() { Theme::instance().apply(*qApp, ThemeChoice::Dark); }

    void decimationKeepsEveryExtreme()
    {
        const Curve curve = noisy(100000, 54321, 99);
        const auto pieces = plot::decimate(curve, {0, 100000}, 400, false);
        QCOMPARE(pieces.lines.size(), std::size_t(1));
        QVERIFY(pieces.lines[0].size() <= 802);
        double top = 0, before = -1;
        for (const QPointF& p : pieces.lines[0]) {
            top = std::max(top, p.y());
            QVERIFY(p.x() >= before);
            before = p.x();
        }
        QCOMPARE(top, 99.0);
    }

    void fewPointsAreDrawnAsTheyAre()
    {
        const auto pieces = plot::decimate(curveOf({0, 1, 2, 3}, {4, 5, 6, 7}), {0, 3}, 400, false);
        QCOMPARE(pieces.lines[0].size(), std::size_t(4));
        // Zoomed in, one neighbour on either side keeps the line going to the edge.
        QCOMPARE(plot::decimate(curveOf({0, 1, 2, 3, 4}, {4, 5, 6, 7, 8}), {1.5, 2.5}, 400, false).lines[0].size(), std::size_t(3));
    }

    void nanIsAGapAndIsReported()
    {
        const auto pieces = plot::decimate(curveOf({0, 1, 2, 3, 4}, {1, 2, gapValue, 4, 5}), {0, 4}, 100, false);
        QCOMPARE(pieces.lines.size(), std::size_t(2));
        QCOMPARE(pieces.notFinite, std::vector<double>{2});
    }

    void aLogAxisNeverSeesZeroOrLess()
    {
        const auto pieces = plot::decimate(curveOf({0, 1, 2, 3}, {10, 0, -5, 1000}), {0, 3}, 100, true);
        QCOMPARE(pieces.lines.size(), std::size_t(1));
        QCOMPARE(pieces.lines[0].size(), std::size_t(2));
        QCOMPARE(pieces.lines[0][0].y(), 1.0);
        QCOMPARE(pieces.lines[0][1].y(), 3.0);
    }

    void emptyAndBrokenInputsDrawNothing()
    {
        QVERIFY(plot::decimate(curveOf({}, {}), {0, 1}, 10, false).lines.empty());
        QVERIFY(plot::decimate(curveOf({1}, {1}), {1, 1}, 10, false).lines.empty());
        QVERIFY(plot::decimate(curveOf({1, 2}, {0, -1}), {0, 3}, 10, true).lines.empty());
        const auto fitted = plot::fitY({curveOf({0, 1}, {gapValue, gapValue})}, {0, 1}, true, false, PlotView::YFormat::Number);
        QVERIFY(fitted.range.to > fitted.range.from);
    }

    void robustRangesLetTheStartRunOutAndSaySo()
    {
        std::vector<double> x, y;
        for (int i = 0; i < 1000; ++i) {
            x.push_back(i);
            y.push_back(0.05 + 2.25 * std::exp(-i / 15.0));
        }
        const auto robust = plot::fitY({curveOf(x, y)}, {0, 1000}, true, false, PlotView::YFormat::Number);
        QVERIFY(robust.range.to < 0.5);
        QVERIFY(robust.startsOutside && robust.atTop);
        QCOMPARE(robust.startsAt, y.front());
        const auto whole = plot::fitY({curveOf(x, y)}, {0, 1000}, false, false, PlotView::YFormat::Number);
        QVERIFY(whole.range.to >= 2.3 && !whole.startsOutside);
    }

    void constantCurvesGetARange()
    {
        const auto fitted = plot::fitY({curveOf({0, 1, 2}, {0.001, 0.001, 0.001})}, {0, 2}, false, false, PlotView::YFormat::Number);
        QVERIFY(fitted.range.from <= 0.001 && fitted.range.to > 0.001);
        // The same but for the last bit, as an accuracy of two epochs may be.
        const double value = 0.09375;
        const auto nearly = plot::fitY({curveOf({0, 1}, {value, std::nextafter(value, 1.0)})}, {0, 1}, false, false, PlotView::YFormat::Percent);
        QVERIFY2(nearly.range.to - nearly.range.from > 0.01, qPrintable(QString::number(nearly.range.to - nearly.range.from)));
    }

    void percentRangesStayWithinPercent()
    {
        const auto fitted = plot::fitY({curveOf({0, 1, 2}, {0.97, 0.99, 1.0})}, {0, 2}, false, false, PlotView::YFormat::Percent);
        QVERIFY(fitted.range.to <= 1.0);
        QVERIFY(fitted.range.from >= 0.9);
    }

    void ticksAreRound()
    {
        QCOMPARE(plot::niceStep(0.3, 3), 0.1);
        QCOMPARE(plot::niceStep(12345, 4), 5000.0);
        QCOMPARE(plot::linearTicks({0, 0.3}, 0.1).size(), std::size_t(4));
        QCOMPARE(plot::timeStep(600, 4), 300.0);
        QCOMPARE(plot::niceStep(16.0 * 1024 * 1024 * 1024, 4, true), 5.0 * 1024 * 1024 * 1024);
        QVERIFY(plot::linearTicks({0, 1e9}, 1e-3).empty()); // never millions of them
        // A step that is lost in the size of the numbers has no marks, and takes no time or memory.
        QVERIFY(plot::linearTicks({1e18, 1e18 + 4096}, 100).size() <= 1001);
        QVERIFY(plot::linearTicks({-1e300, -1e300}, 1e-3).empty());
    }

    void logTicksKeepToOneTwoFive()
    {
        const auto ticks = plot::logTicks({-1, 0.4}, 6);
        QCOMPARE(ticks.size(), std::size_t(5)); // 0.1 0.2 0.5 1 2
        QVERIFY(std::abs(ticks[1] - 0.2) < 1e-12);
        QVERIFY(plot::logTicks({-3, 6}, 4).size() <= 4);
    }

    void wordsOfNumbers()
    {
        using Y = PlotView::YFormat;
        QCOMPARE(plot::yText(0.975, 0.025, Y::Percent), QStringLiteral("97.5 %"));
        QCOMPARE(plot::yText(1, 0.1, Y::Percent), QStringLiteral("100 %"));
        QCOMPARE(plot::yText(24.0 * 1024 * 1024 * 1024, 1, Y::Bytes), QStringLiteral("24 GiB"));
        QCOMPARE(plot::yText(0.3, 0.1, Y::Number), QStringLiteral("0.3"));
        QCOMPARE(plot::yText(12000, 2000, Y::Number), QStringLiteral("12 k"));
        QCOMPARE(plot::yText(-2, 1, Y::Number), QString(QChar(0x2212)) + QStringLiteral("2"));
        QCOMPARE(plot::xText(54000, 1000, PlotView::XUnit::Number, false), QStringLiteral("54,000"));
        QCOMPARE(plot::xText(-300, 300, PlotView::XUnit::Seconds, true), QString(QChar(0x2212)) + QStringLiteral("5 min"));
        QCOMPARE(plot::xText(0, 300, PlotView::XUnit::Seconds, true), QStringLiteral("now"));
        QCOMPARE(plot::xText(71, 10, PlotView::XUnit::Seconds, false), QStringLiteral("1m 11s"));
        QCOMPARE(plot::valueText(0.9915, Y::Percent), QStringLiteral("99.15 %"));
        QCOMPARE(plot::valueText(gapValue, Y::Number), QStringLiteral("NaN"));
    }

    void smoothingHasNoStartBias()
    {
        const auto constant = smoothed({5, 5, 5, 5}, 0.97);
        for (double v : constant) QVERIFY(std::abs(v - 5) < 1e-12);
        const auto gap = smoothed({2, gapValue, 2}, 0.9);
        QVERIFY(std::isnan(gap[1]) && std::abs(gap[2] - 2) < 1e-12);
        QCOMPARE(smoothed({1, 2, 3}, 0.0), (std::vector<double>{1, 2, 3}));
    }

    void drawsCurveDotsRingAndStrip()
    {
        PlotView view;
        view.resize(500, 240);
        Curve dots = curveOf({1, 2, 3, 4}, {4, 3, 2, 3}, Curve::Style::Dots);
        dots.token = Token::Val;
        dots.ringAt = 2;
        view.setCurves({curveOf({0, 1, 2, 3, 4}, {5, 4, 3, 3, 2}), dots});
        view.setXRange(0, 4);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        const QImage picture = view.grab().toImage();
        QVERIFY2(pixelsLike(picture, color(Token::Train)) > 300, "the smoothed curve is missing");
        QVERIFY2(pixelsLike(picture, color(Token::Val)) > 300, "the validation curve is missing");
        // Nothing at all is drawn in these colours once the curves are gone.
        view.setCurves({});
        const QImage empty = view.grab().toImage();
        QCOMPARE(pixelsLike(empty, color(Token::Train)), 0);
        QCOMPARE(pixelsLike(empty, color(Token::Val)), 0);
    }

    void nanIsARedLine()
    {
        PlotView view;
        view.resize(500, 240);
        view.setCurves({curveOf({0, 1, 2, 3, 4}, {5, 4, 3, gapValue, gapValue})});
        view.setXRange(0, 5);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QVERIFY(pixelsLike(view.grab().toImage(), color(Token::Error)) > 200);
    }

    void themeChangeRepaints()
    {
        PlotView view;
        view.resize(300, 120);
        view.setCurves({curveOf({0, 1}, {0, 1})});
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QCOMPARE(view.grab().toImage().pixelColor(299, 60), color(Token::Card));
        Theme::instance().apply(*qApp, ThemeChoice::Light);
        QCOMPARE(view.grab().toImage().pixelColor(299, 60), color(Token::Card));
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
    }

    void hoverIsSharedByTheGroup()
    {
        QWidget window;
        auto* column = new QVBoxLayout(&window);
        auto* first = new PlotView;
        auto* second = new PlotView;
        for (PlotView* plot : {first, second}) {
            plot->setCurves({curveOf({0, 5, 10}, {1, 2, 3})});
            plot->setXRange(0, 10);
            column->addWidget(plot);
        }
        PlotView::group({first, second});
        window.resize(600, 300);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QSignalSpy spy(first, &PlotView::hovered);
        const QPoint at = first->plotArea().center().toPoint();
        QTest::mouseMove(first, at);
        QTRY_VERIFY(!spy.isEmpty());
        QVERIFY(std::abs(first->hover() - first->xAt(at.x())) < 1e-9);
        QCOMPARE(second->hover(), first->hover());
        const auto values = first->valuesAt(first->hover());
        QCOMPARE(values.size(), std::size_t(1));
        QCOMPARE(values[0].y, 2.0);
        QEvent leave(QEvent::Leave);
        QApplication::sendEvent(first, &leave);
        QVERIFY(std::isnan(second->hover()));
    }

    void zoomByDragWheelKeyAndDoubleClick()
    {
        PlotView view;
        view.setCurves({curveOf({0, 5, 10}, {1, 2, 3})});
        view.setXRange(0, 10);
        view.resize(600, 240);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QSignalSpy spy(&view, &PlotView::zoomRequested);
        const QRect area = view.plotArea().toRect();
        QTest::mousePress(&view, Qt::LeftButton, {}, {area.left() + area.width() / 4, area.center().y()});
        QTest::mouseMove(&view, {area.left() + area.width() / 2, area.center().y()});
        QTest::mouseRelease(&view, Qt::LeftButton, {}, {area.left() + area.width() / 2, area.center().y()});
        QCOMPARE(spy.size(), 1);
        QVERIFY(std::abs(spy[0][0].toDouble() - 2.5) < 0.05 && std::abs(spy[0][1].toDouble() - 5) < 0.05);

        QWheelEvent wheel(QPointF(area.center()), QPointF(area.center()), {}, {0, 120}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(&view, &wheel);
        QCOMPARE(spy.size(), 2);
        QVERIFY(spy[1][1].toDouble() - spy[1][0].toDouble() < 10);

        QTest::keyClick(&view, Qt::Key_Plus);
        QCOMPARE(spy.size(), 3);
        QTest::mouseDClick(&view, Qt::LeftButton, {}, area.center());
        QVERIFY(std::isnan(spy.last()[0].toDouble()) && std::isnan(spy.last()[1].toDouble()));
        QTest::keyClick(&view, Qt::Key_Right);
        QVERIFY(view.hover() > 5 - 1e-9);
    }

    /// The best epoch right before the NaN, near the start: three words want the same place.
    void wordsDoNotLieOnEachOther()
    {
        Curve train = curveOf({}, {});
        for (int i = 0; i < 100; ++i) {
            train.x.push_back(i);
            train.y.push_back(i < 8 ? 9.0 - i : 1 + 0.01 * (i % 7));
        }
        train.x.push_back(100);
        train.y.push_back(gapValue);
        for (int best : {0, 4, 9}) {
            std::vector<double> x, y;
            for (int i = 1; i <= 10; ++i) {
                x.push_back(10 * i - 1);
                y.push_back(1.2 - 0.01 * i);
            }
            Curve val = curveOf(x, y, Curve::Style::Dots);
            val.ringAt = best;
            PlotView view;
            view.resize(500, 240);
            view.setYAuto(true);
            view.setXName(QStringLiteral("step"));
            view.setCurves({train, val});
            view.setXRange(0, 102);
            view.show();
            QVERIFY(QTest::qWaitForWindowExposed(&view));
            view.grab();
            const auto words = view.wordRects();
            QVERIFY2(words.size() >= 2, qPrintable(QString::number(words.size()))); // best, NaN at step 100
            for (std::size_t i = 0; i < words.size(); ++i) {
                QVERIFY(QRectF(view.rect()).contains(words[i]));
                for (std::size_t j = i + 1; j < words.size(); ++j) QVERIFY(!words[i].intersects(words[j]));
            }
        }
    }

    /// After the first epoch there is one value; no share is more than all.
    void onePercentageHasARoomOfItsOwn()
    {
        for (double value : {0.88, 1.0, 0.0, 0.5}) {
            const Curve one = curveOf({1}, {value}, Curve::Style::Dots);
            for (bool robust : {false, true}) {
                const auto fitted = plot::fitY({one}, {0, 2}, robust, false, PlotView::YFormat::Percent);
                QVERIFY(fitted.range.from >= 0 && fitted.range.to <= 1 && fitted.range.from < fitted.range.to);
                QVERIFY(fitted.range.from <= value && value <= fitted.range.to);
            }
        }
    }

    void byteTicksFitTheGutter()
    {
        for (double mib : {30.0, 300.0, 540.0, 700.0, 1000.0, 1500.0, 24'000.0, 140'000.0}) {
            const double top = mib * 1024 * 1024;
            for (int wanted : {2, 3, 4}) {
                const double step = plot::niceStep(top, wanted, true);
                QVERIFY(step >= top / wanted * 0.999 && step <= top / wanted * 2.6);
                for (double tick : plot::linearTicks({0, step * std::ceil(top / step)}, step)) {
                    const QString text = plot::yText(tick, step, PlotView::YFormat::Bytes);
                    QVERIFY2(text.size() <= 7, qPrintable(text)); // "512 MiB", never "1000 MiB"
                }
            }
        }
    }

    void summaryNamesPointsAndLast()
    {
        PlotView view;
        view.setCurves({curveOf({0, 1, 2}, {1, 2, 0.0457})});
        QCOMPARE(view.summary(), QStringLiteral("training: 3 points, last 0.0457"));
    }

    /// On the window a plot is drawn anew when its turn comes, one per turn; a picture of it is true at once.
    void redrawsInTurn()
    {
        Curve curve = curveOf({0, 1, 2}, {3, 1, 2}, Curve::Style::Dots);
        QWidget window;
        PlotView first(&window), second(&window);
        for (PlotView* view : {&first, &second}) {
            view->resize(300, 120);
            view->setCurves({curve});
            view->setXRange(0, 2);
        }
        second.move(0, 130);
        window.resize(300, 260);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QTRY_VERIFY(first.wordRects().empty());

        curve.ringAt = 1; // with the word “best” beside it
        for (PlotView* view : {&first, &second}) {
            view->setCurves({curve});
            view->repaint();
        }
        QVERIFY(first.wordRects().empty() && second.wordRects().empty());
        QTRY_VERIFY(!first.wordRects().empty() && !second.wordRects().empty());

        curve.ringAt = -1;
        first.setCurves({curve});
        first.grab();
        QVERIFY(first.wordRects().empty());
    }

    void bigRunsStayQuick()
    {
        PlotView view;
        view.resize(900, 240);
        view.setCurves({noisy(1000000, 777777, 30)});
        view.setXRange(0, 1e6);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        view.grab();
        const sconce::test::CpuTimer timer;
        view.setXRange(0, 999999);
        view.grab();
        QVERIFY2(timer.ms() < 200, qPrintable(QStringLiteral("%1 ms").arg(timer.ms())));
    }
};

QTEST_MAIN(PlotTest)
#include "plot_test.moc"
