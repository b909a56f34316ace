// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/augment_preview.h"

#include "ui/widgets/parts.h"

#include <QElapsedTimer>
#include <QHelpEvent>
#include <QPainter>
#include <QTimer>
#include <QToolTip>
#include <QVBoxLayout>

namespace sconce::ui {

namespace {
constexpr int perRow = 5, gap = 6, side = 56; ///< side: of a tile, where there is room for it
constexpr qint64 turnMs = 8;                  ///< spent on pictures before the window has its turn again
}

/// The pictures in rows of five, those to come as empty places.
class AugmentPreview::Tiles : public QWidget
{
  public:
    explicit Tiles(AugmentPreview& preview) : QWidget(&preview), m_preview(preview)
    {
        setObjectName(QStringLiteral("data.preview.tiles"));
        setAccessibleName(tr("Preview"));
        connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
    }
    void fit()
    {
        const bool one = m_preview.shownPictures() == 1;
        setMinimumWidth(one ? side : perRow * 40);
        setMaximumWidth(one ? side : perRow * side + (perRow - 1) * gap);
        setFixedHeight(one ? side : 2 * tileSide() + gap);
        setAccessibleDescription(one ? tr("One sample as it is stored") : tr("One sample as it is stored, and as the network sees it in epochs 1 to %1").arg(epochs));
        update();
    }

  protected:
    void resizeEvent(QResizeEvent*) override { fit(); }
    void paintEvent(QPaintEvent*) override
    {
        QPainter painter(this);
        for (int i = 0; i < m_preview.shownPictures(); ++i) {
            const QRect box = tile(i);
            painter.fillRect(box, color(Token::Raised));
            const auto& pictures = m_preview.pictures();
            if (static_cast<std::size_t>(i) < pictures.size() && !pictures[static_cast<std::size_t>(i)].isNull()) {
                const QImage& picture = pictures[static_cast<std::size_t>(i)];
                QRect whole(QPoint(), picture.size().scaled(box.size(), Qt::KeepAspectRatio));
                whole.moveCenter(box.center());
                painter.setRenderHint(QPainter::SmoothPixmapTransform, picture.width() > box.width()); // small pixels stay pixels
                painter.drawImage(whole, picture);
            }
            if (i > 0) continue;
            painter.setPen(QPen(color(Token::Text2), 1));
            painter.drawRect(box.adjusted(0, 0, -1, -1));
            painter.setPen(QPen(color(Token::Panel), 1)); // else a dark frame is lost on a dark picture
            painter.drawRect(box.adjusted(1, 1, -2, -2));
        }
    }
    bool event(QEvent* event) override
    {
        if (event->type() != QEvent::ToolTip) return QWidget::event(event);
        const auto* help = static_cast<QHelpEvent*>(event);
        for (int i = 0; i < m_preview.shownPictures(); ++i)
            if (tile(i).contains(help->pos())) QToolTip::showText(help->globalPos(), i == 0 ? tr("As stored") : tr("As in epoch %1").arg(i), this, tile(i));
        return true;
    }

  private:
    int tileSide() const { return std::min(side, (width() - (perRow - 1) * gap) / perRow); }
    QRect tile(int i) const
    {
        const int length = m_preview.shownPictures() == 1 ? side : tileSide();
        return QRect(i % perRow * (length + gap), i / perRow * (length + gap), length, length);
    }
    AugmentPreview& m_preview;
};

AugmentPreview::AugmentPreview(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("data.preview"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 4, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeLine(Qt::Horizontal, this));
    column->addSpacing(8);
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    head->addWidget(makeLabel(tr("Preview"), FontRole::Strong, Token::Text, this));
    auto* aside = new ElidedLabel(tr("as the network sees a sample"), Qt::ElideRight, this);
    aside->setFont(ui::font(FontRole::Caption));
    aside->setProperty("token", tokenName(Token::Text3));
    head->addWidget(aside, 1);
    m_another = makeToolButton(QStringLiteral("shuffle"), tr("Another sample"), this);
    m_another->setObjectName(QStringLiteral("data.preview.another"));
    head->addWidget(m_another);
    column->addLayout(head);
    column->addSpacing(4);
    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    m_tiles = new Tiles(*this);
    row->addWidget(m_tiles);
    m_words = makeLabel({}, FontRole::Caption, Token::Text2, this);
    m_words->setObjectName(QStringLiteral("data.preview.words"));
    m_words->setWordWrap(true);
    row->addWidget(m_words, 1);
    column->addLayout(row);
    column->addSpacing(6);
    m_caption = makeLabel(tr("The first is as stored. Seed %1, anew in each epoch.").arg(startSeed()), FontRole::Caption, Token::Text3, this);
    m_caption->setObjectName(QStringLiteral("data.preview.caption"));
    column->addWidget(m_caption);
    m_rest = new QTimer(this);
    m_rest->setSingleShot(true);
    connect(m_rest, &QTimer::timeout, this, &AugmentPreview::makePictures);
    connect(m_another, &QToolButton::clicked, this, &AugmentPreview::anotherWanted);
    hide();
    restart();
}

void AugmentPreview::setSample(DatasetPtr data, Part part, std::int64_t row, bool training)
{
    if (data == m_data && part == m_part && row == m_row && training == m_training) return;
    m_data = std::move(data);
    m_part = part;
    m_row = row;
    m_training = training;
    setVisible(m_data && row >= 0 && changeableSize(m_data->info()));
    restart();
}

void AugmentPreview::setChanges(const Augmentation& how)
{
    if (how == m_how) return;
    m_how = how;
    restart();
}

void AugmentPreview::setAnotherPossible(bool possible) { m_another->setEnabled(possible); }

void AugmentPreview::restart()
{
    m_pictures.clear();
    m_words->setText(!m_training ? tr("Samples for validation and test are never changed. Choose one for training to see what the steps do.")
                                 : tr("The same in every epoch: no step with chance is on. Switch on Shift or Rotate to see what they do."));
    const bool one = shownPictures() == 1;
    m_words->setVisible(one);
    m_caption->setVisible(!one);
    m_tiles->fit();
    makePictures();
}

void AugmentPreview::makePictures()
{
    m_rest->stop();
    if (!m_data || m_row < 0 || !changeableSize(m_data->info())) return;
    QElapsedTimer turn;
    turn.start();
    while (m_pictures.size() < static_cast<std::size_t>(shownPictures())) {
        const auto epoch = static_cast<std::int64_t>(m_pictures.size()) - 1;
        m_pictures.push_back(epoch < 0 ? sampleImage(*m_data, m_part, m_row) : changedImage(*m_data, m_row, m_how, startSeed(), epoch));
        if (turn.elapsed() >= turnMs && m_pictures.size() < static_cast<std::size_t>(shownPictures())) {
            m_rest->start(0);
            break;
        }
    }
    m_tiles->update();
}

} // namespace sconce::ui
