// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/plot_impl.h"

#include <QBackingStore>
#include <QBasicTimer>
#include <QGraphicsLayout>
#include <QKeyEvent>
#include <QMetaMethod>
#include <QMouseEvent>
#include <QPaintEngine>
#include <QPainter>
#include <QTimerEvent>
#include <QWheelEvent>

#include <algorithm>
#include <deque>

namespace sconce::ui {

namespace {

const double none = std::numeric_limits<double>::quiet_NaN();

/// Plots that wait to be drawn anew: one per turn of the event loop, so that a page of several does not hold the window up.
class Turns : public QObject
{
  public:
    static Turns& instance()
    {
        static Turns turns;
        return turns;
    }
    void wait(PlotView* view, std::function<void()> draw)
    {
        if (std::none_of(m_waiting.begin(), m_waiting.end(), [view](const Waiting& w) { return w.view == view; })) m_waiting.push_back({view, std::move(draw)});
        if (!m_timer.isActive()) m_timer.start(0, this);
    }

  protected:
    void timerEvent(QTimerEvent*) override
    {
        while (!m_waiting.empty()) {
            const Waiting next = std::move(m_waiting.front());
            m_waiting.pop_front();
            if (!next.view || !next.view->isVisible()) continue;
            next.draw();
            next.view->update();
            return;
        }
        m_timer.stop();
    }

  private:
    struct Waiting
    {
        QPointer<PlotView> view;
        std::function<void()> draw;
    };
    std::deque<Waiting> m_waiting;
    QBasicTimer m_timer;
};

/// Whether a painter paints on the window itself, not into a picture of it.
bool onWindow(const QWidget& widget, const QPainter& painter)
{
    const QBackingStore* store = widget.window()->backingStore();
    return store && painter.paintEngine() && painter.paintEngine()->paintDevice() == const_cast<QBackingStore*>(store)->paintDevice();
}

} // namespace

PlotView::Impl::Impl(PlotView* view) : q(view)
{
    chart = new QChart;
    chart->setBackgroundVisible(false);
    chart->setPlotAreaBackgroundVisible(false);
    chart->setMargins({});
    chart->layout()->setContentsMargins(0, 0, 0, 0);
    chart->legend()->hide();
    chart->setAnimationOptions(QChart::NoAnimation);
    axisX = new QValueAxis;
    axisY = new QValueAxis;
    // Qt Charts draws the curves alone; grid, labels and marks are ours, since they need round ticks and words.
    for (QValueAxis* axis : {axisX, axisY}) axis->setVisible(false);
    chart->addAxis(axisX, Qt::AlignBottom);
    chart->addAxis(axisY, Qt::AlignLeft);
    scene.addItem(chart);
}

PlotView::PlotView(QWidget* parent) : QWidget(parent), m(std::make_unique<Impl>(this))
{
    setMouseTracking(true);
    setFocusPolicy(Qt::TabFocus);
    setMinimumSize(80, 32);
    connect(&Theme::instance(), &Theme::changed, this, [this] { m->markDirty(); });
}

PlotView::~PlotView() = default;

void PlotView::Impl::markDirty()
{
    dirty = true;
    q->update();
}

void PlotView::setCurves(std::vector<Curve> curves)
{
    for (Curve& curve : curves) {
        const std::size_t size = std::min(curve.x.size(), curve.y.size());
        curve.x.resize(size);
        curve.y.resize(size);
    }
    m->curves = std::move(curves);
    const bool letters = std::any_of(m->curves.begin(), m->curves.end(), [](const Curve& c) { return !c.letter.isEmpty(); });
    if (letters && m->right < 32) m->right = 32;
    m->markDirty();
}

void PlotView::setXRange(double from, double to)
{
    if (!std::isfinite(from) || !std::isfinite(to)) return;
    if (!(to > from)) to = from + 1;
    if (m->xRange.from == from && m->xRange.to == to) return;
    m->xRange = {from, to};
    m->markDirty();
}

void PlotView::setXAxisVisible(bool visible)
{
    m->xVisible = visible;
    m->markDirty();
}

void PlotView::setXUnit(XUnit unit)
{
    m->unit = unit;
    m->markDirty();
}

void PlotView::setYAuto(bool robust)
{
    m->autoY = true;
    m->robust = robust;
    m->markDirty();
}

void PlotView::setYRange(double from, double to)
{
    m->autoY = false;
    m->fixedY = {from, to > from ? to : from + 1};
    m->markDirty();
}

void PlotView::setLogY(bool on)
{
    if (m->log == on) return;
    m->log = on;
    m->markDirty();
}

void PlotView::setYFormat(YFormat format)
{
    m->format = format;
    m->markDirty();
}

void PlotView::setLeftGutter(int pixels)
{
    m->left = pixels;
    m->markDirty();
}

void PlotView::setHoverBox(bool on)
{
    m->boxed = on;
    update();
}

void PlotView::setRightGutter(int pixels)
{
    m->right = pixels;
    m->markDirty();
}

void PlotView::setSurface(Token token)
{
    m->surface = token;
    m->markDirty();
}

void PlotView::setXName(const QString& name)
{
    m->xName = name;
    m->markDirty();
}

void PlotView::setSecondXLabels(std::function<QString(double)> label)
{
    m->secondLabel = std::move(label);
    m->markDirty();
}

void PlotView::setHoverTitle(std::function<std::pair<QString, QString>(double)> title)
{
    m->hoverTitle = std::move(title);
}

void PlotView::group(const std::vector<PlotView*>& plots)
{
    for (PlotView* plot : plots) plot->m->peers.assign(plots.begin(), plots.end());
}

QRectF PlotView::plotArea() const
{
    return m->area();
}

double PlotView::xAt(double pixel) const
{
    const QRectF a = m->area();
    return m->xRange.from + (pixel - a.left()) / std::max(1.0, a.width()) * (m->xRange.to - m->xRange.from);
}

std::pair<double, double> PlotView::yRange() const
{
    m->updateScale();
    return m->log ? std::pair(std::pow(10, m->shownY.from), std::pow(10, m->shownY.to)) : std::pair(m->shownY.from, m->shownY.to);
}

std::vector<QRectF> PlotView::wordRects() const
{
    return m->wordsDrawn;
}

double PlotView::hover() const
{
    return m->hoverX;
}

void PlotView::setHover(double x)
{
    m->showHover(x, m->mouseHere);
}

std::vector<PlotView::HoverValue> PlotView::valuesAt(double x) const
{
    std::vector<HoverValue> values;
    const double reach = 0.03 * (m->xRange.to - m->xRange.from);
    for (const Curve& curve : m->curves) {
        const int i = plot::nearestIndex(curve.x, x);
        // Beyond its ends a curve has no value; between the dots of a coarse one the nearest dot counts.
        if (i < 0 || x < curve.x.front() - reach || x > curve.x.back() + reach) continue;
        values.push_back({curve.title, curve.token, curve.x[static_cast<std::size_t>(i)], curve.y[static_cast<std::size_t>(i)]});
    }
    return values;
}

QString PlotView::summary() const
{
    QStringList parts;
    for (const Curve& curve : m->curves) {
        if (curve.y.empty()) parts << tr("%1: no points").arg(curve.title);
        else parts << tr("%1: %n points, last %2", nullptr, static_cast<int>(curve.y.size())).arg(curve.title, plot::valueText(curve.y.back(), m->format));
    }
    return parts.join(QStringLiteral("; "));
}

// ---- events ----

void PlotView::resizeEvent(QResizeEvent*)
{
    m->dirty = true;
}

void PlotView::paintEvent(QPaintEvent*)
{
    const bool old = m->dirty || m->picture.devicePixelRatio() != devicePixelRatioF();
    QPainter painter(this);
    // What it showed last stays for the moment until its turn comes; a picture of the window wants the truth at once.
    if (old && !m->picture.isNull() && onWindow(*this, painter)) {
        Turns::instance().wait(this, [this] {
            if (m->dirty || m->picture.devicePixelRatio() != devicePixelRatioF()) m->render();
        });
        painter.drawPixmap(rect(), m->picture);
        return;
    }
    if (old) m->render();
    painter.drawPixmap(0, 0, m->picture);
    m->drawHover(painter);
    if (hasFocus() && property("kbfocus").toBool()) {
        painter.setPen(QPen(color(Token::Focus), 2));
        painter.drawRect(m->area());
    }
}

void PlotView::Impl::showHover(double x, bool here)
{
    if ((std::isnan(x) && std::isnan(hoverX)) || (x == hoverX && here == mouseHere)) return;
    hoverX = x;
    mouseHere = here && !std::isnan(x);
    q->update();
}

void PlotView::Impl::tellGroup(double x)
{
    for (const auto& peer : peers)
        if (peer && peer != q) peer->m->showHover(x, false);
    Q_EMIT q->hovered(x);
}

void PlotView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !isSignalConnected(QMetaMethod::fromSignal(&PlotView::zoomRequested))) return QWidget::mousePressEvent(event);
    const QRectF a = m->area();
    m->dragFrom = m->dragTo = std::clamp(event->position().x(), a.left(), a.right());
}

void PlotView::mouseMoveEvent(QMouseEvent* event)
{
    const QRectF a = m->area();
    if (!std::isnan(m->dragFrom)) {
        m->dragTo = std::clamp(event->position().x(), a.left(), a.right());
        update();
    }
    const double px = event->position().x();
    const double x = px >= a.left() && px <= a.right() ? xAt(px) : none;
    m->showHover(x, true);
    m->tellGroup(x);
}

void PlotView::mouseReleaseEvent(QMouseEvent* event)
{
    if (std::isnan(m->dragFrom)) return QWidget::mouseReleaseEvent(event);
    const double from = std::min(m->dragFrom, m->dragTo), to = std::max(m->dragFrom, m->dragTo);
    m->dragFrom = none;
    update();
    if (to - from > 6) Q_EMIT zoomRequested(xAt(from), xAt(to));
}

void PlotView::mouseDoubleClickEvent(QMouseEvent*)
{
    m->dragFrom = none;
    Q_EMIT zoomRequested(none, none);
}

void PlotView::wheelEvent(QWheelEvent* event)
{
    // Where nobody listens the page scrolls instead.
    if (!isSignalConnected(QMetaMethod::fromSignal(&PlotView::zoomRequested)) || event->angleDelta().y() == 0) return event->ignore();
    const double factor = std::pow(0.8, event->angleDelta().y() / 120.0);
    const double x = xAt(event->position().x());
    Q_EMIT zoomRequested(x - (x - m->xRange.from) * factor, x + (m->xRange.to - x) * factor);
    event->accept();
}

void PlotView::leaveEvent(QEvent*)
{
    m->showHover(none, false);
    m->tellGroup(none);
}

void PlotView::keyPressEvent(QKeyEvent* event)
{
    const double span = m->xRange.to - m->xRange.from;
    const double here = std::isnan(m->hoverX) ? m->xRange.from + span / 2 : m->hoverX;
    double next = here;
    switch (event->key()) {
    case Qt::Key_Left: next = here - span / 60; break;
    case Qt::Key_Right: next = here + span / 60; break;
    case Qt::Key_Home: next = m->xRange.from; break;
    case Qt::Key_End: next = m->xRange.to; break;
    case Qt::Key_Escape: next = none; break;
    case Qt::Key_Plus: Q_EMIT zoomRequested(here - (here - m->xRange.from) * 0.8, here + (m->xRange.to - here) * 0.8); return;
    case Qt::Key_Minus: Q_EMIT zoomRequested(here - (here - m->xRange.from) * 1.25, here + (m->xRange.to - here) * 1.25); return;
    case Qt::Key_0: Q_EMIT zoomRequested(none, none); return;
    default: return QWidget::keyPressEvent(event);
    }
    if (!std::isnan(next)) next = std::clamp(next, m->xRange.from, m->xRange.to);
    m->showHover(next, true);
    m->tellGroup(next);
}

void PlotView::focusInEvent(QFocusEvent* event)
{
    setAccessibleDescription(summary());
    QWidget::focusInEvent(event);
}

} // namespace sconce::ui
