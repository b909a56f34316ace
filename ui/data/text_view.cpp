// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/text_view.h"

#include "core/base/text.h"
#include "core/data/text_dataset.h"
#include "core/formats/utf8.h"
#include "ui/theme/theme.h"
#include "ui/widgets/parts.h"

#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

constexpr std::size_t symbolsPerPage = 8192;

QString grouped(std::size_t value) { return QString::fromStdString(groupedInt(static_cast<std::int64_t>(value))); }

} // namespace

TextView::TextView(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("data.textView"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_text = new QPlainTextEdit(this);
    m_text->setObjectName(QStringLiteral("data.text"));
    m_text->setAccessibleName(tr("The text"));
    m_text->setReadOnly(true);
    m_text->setTabChangesFocus(true);
    m_text->setFont(ui::font(FontRole::Mono));
    m_text->setFrameShape(QFrame::NoFrame);
    m_text->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    column->addWidget(m_text, 1);
    auto* bar = new QHBoxLayout;
    bar->setSpacing(4);
    m_back = makeToolButton(QStringLiteral("chevron-left"), tr("The page before"), this);
    m_back->setObjectName(QStringLiteral("data.textBack"));
    m_on = makeToolButton(QStringLiteral("chevron-right"), tr("The next page"), this);
    m_on->setObjectName(QStringLiteral("data.textOn"));
    m_place = makeLabel({}, FontRole::Caption, Token::Text2, this);
    m_place->setObjectName(QStringLiteral("data.textPlace"));
    bar->addWidget(m_back);
    bar->addWidget(m_on);
    bar->addWidget(m_place);
    bar->addStretch(1);
    column->addLayout(bar);
    connect(m_back, &QToolButton::clicked, this, [this] { turnTo(m_page - 1); });
    connect(m_on, &QToolButton::clicked, this, [this] { turnTo(m_page + 1); });
}

std::size_t TextView::windowsPerPage() const
{
    const auto context = static_cast<std::size_t>(m_data->info().sample.elements());
    return std::max<std::size_t>(1, symbolsPerPage / context);
}

int TextView::pages() const { return m_data ? static_cast<int>((m_windows.size() + windowsPerPage() - 1) / windowsPerPage()) : 0; }

void TextView::setText(DatasetPtr text, std::vector<SampleGrid::Sample> windows)
{
    m_data = std::move(text);
    m_windows = std::move(windows);
    turnTo(0);
}

void TextView::turnTo(int page)
{
    m_page = std::clamp(page, 0, std::max(0, pages() - 1));
    m_back->setEnabled(m_page > 0);
    m_on->setEnabled(m_page + 1 < pages());
    if (m_windows.empty()) {
        m_text->setPlainText({});
        m_place->setText(tr("No window of the text is in this part."));
        return;
    }
    const std::size_t first = static_cast<std::size_t>(m_page) * windowsPerPage(), last = std::min(m_windows.size(), first + windowsPerPage());
    m_text->setPlainText(pageText(first, last));
    m_text->verticalScrollBar()->setValue(0);
    const auto context = static_cast<std::size_t>(m_data->info().sample.elements());
    m_place->setText(tr("Page %1 of %2   symbols %3 to %4 of %5").arg(grouped(static_cast<std::size_t>(m_page) + 1), grouped(static_cast<std::size_t>(pages())), grouped(first * context + 1), grouped(last * context), grouped(m_windows.size() * context)));
}

/// Windows that do not follow one another in the text stand apart.
QString TextView::pageText(std::size_t first, std::size_t last) const
{
    const auto& symbols = m_data->info().symbols;
    std::vector<std::uint8_t> record(m_data->recordBytes());
    std::string bytes;
    for (std::size_t i = first; i < last; ++i) {
        const SampleGrid::Sample& window = m_windows[i];
        if (i > first && (window.part != m_windows[i - 1].part || window.row != m_windows[i - 1].row + 1)) bytes += "\n⋯\n";
        m_data->gather(window.part, std::span(&window.row, 1), record);
        bytes += decodeText(symbols, std::span(record).first(record.size() - 1));
    }
    return QString::fromStdString(withoutBrokenCharacters(bytes));
}

} // namespace sconce::ui
