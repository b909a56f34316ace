// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/welcome/digit_wall.h"

#include "ui/theme/theme.h"

#include <QPainter>

namespace sconce::ui {

namespace {
constexpr int side = 56, gap = 8, columns = 6, rows = 3;
}

DigitWall::DigitWall(QWidget* parent) : QWidget(parent)
{
    setFixedSize(columns * side + (columns - 1) * gap, rows * side + (rows - 1) * gap);
    setAccessibleName(tr("Some of the built-in digits"));
}

void DigitWall::setPictures(std::vector<QImage> pictures)
{
    m_pictures = std::move(pictures);
    update();
}

void DigitWall::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    for (int i = 0; i < columns * rows; ++i) {
        const QRect box((i % columns) * (side + gap), (i / columns) * (side + gap), side, side);
        const auto at = static_cast<std::size_t>(i);
        if (at < m_pictures.size()) painter.drawImage(box, m_pictures[at]);
        else painter.fillRect(box, color(Token::Raised));
    }
}

std::vector<QImage> samplePictures(const Dataset& data, int count)
{
    const std::vector<std::int64_t> dims = data.info().sample.sizes();
    if (dims.size() != 3 || (dims[0] != 1 && dims[0] != 3)) return {};
    const auto labels = data.labels(Part::Training);
    const int classes = std::max<int>(1, static_cast<int>(data.info().classes.size()));
    std::vector<QImage> pictures;
    std::vector<std::uint8_t> record(data.recordBytes());
    std::size_t row = 0;
    for (int i = 0; i < count; ++i) {
        while (row < labels.size() && labels[row] != i % classes) ++row;
        if (row >= labels.size()) break;
        const std::int64_t wanted = static_cast<std::int64_t>(row++);
        data.gather(Part::Training, {&wanted, 1}, record);
        const int tall = static_cast<int>(dims[1]), wide = static_cast<int>(dims[2]);
        QImage picture(wide, tall, QImage::Format_RGB32);
        const std::size_t plane = static_cast<std::size_t>(wide) * static_cast<std::size_t>(tall);
        for (int y = 0; y < tall; ++y)
            for (int x = 0; x < wide; ++x) {
                const std::size_t p = static_cast<std::size_t>(y) * static_cast<std::size_t>(wide) + static_cast<std::size_t>(x);
                picture.setPixel(x, y, dims[0] == 1 ? qRgb(record[p], record[p], record[p]) : qRgb(record[p], record[plane + p], record[2 * plane + p]));
            }
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

} // namespace sconce::ui
