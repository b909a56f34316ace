// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/labels_dialog.h"

#include "core/base/text.h"
#include "ui/widgets/parts.h"

#include <QListWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

LabelsDialog::LabelsDialog(const DatasetInfo& table, QWidget* parent) : QDialog(parent), m_columns(table.columnNames.size())
{
    setObjectName(QStringLiteral("data.labelsDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Predict several labels"));
    resize(440, std::clamp(260 + 30 * static_cast<int>(table.yesNoColumns.size()), 300, 560));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(12);
    column->addWidget(makeLabel(tr("Predict several labels"), FontRole::Title, Token::Text, this));
    auto* what = makeLabel(tr("Of each ticked column the network learns to say whether it is yes or no, all of them at once. Columns that hold nothing but yes and no, 1 and 0, or true and false may be labels."), FontRole::Body, Token::Text2, this);
    what->setWordWrap(true);
    column->addWidget(what);
    m_list = new QListWidget(this);
    m_list->setObjectName(QStringLiteral("data.labelsList"));
    m_list->setAccessibleName(tr("Columns to predict"));
    for (const std::string& name : table.yesNoColumns) {
        auto* item = new QListWidgetItem(QString::fromStdString(name), m_list);
        item->setSizeHint(QSize(0, 30));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        item->setCheckState(std::find(table.labelNames.begin(), table.labelNames.end(), name) != table.labelNames.end() ? Qt::Checked : Qt::Unchecked);
    }
    if (m_list->count() > 0) m_list->setCurrentRow(0);
    column->addWidget(m_list, 1);
    m_words = makeLabel({}, FontRole::Caption, Token::Text2, this);
    m_words->setObjectName(QStringLiteral("data.labelsWords"));
    m_words->setWordWrap(true);
    column->addWidget(m_words);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch(1);
    auto* cancel = makeButton({}, tr("Cancel"), ButtonKind::Normal, this);
    cancel->setObjectName(QStringLiteral("data.labelsCancel"));
    m_predict = makeButton({}, tr("Predict these"), ButtonKind::Primary, this);
    m_predict->setObjectName(QStringLiteral("data.labelsPredict"));
    m_predict->setDefault(true);
    buttons->addWidget(cancel);
    buttons->addWidget(m_predict);
    column->addLayout(buttons);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_list, &QListWidget::itemChanged, this, &LabelsDialog::refresh);
    connect(m_predict, &QPushButton::clicked, this, [this] {
        Q_EMIT chosen(ticked());
        accept();
    });
    refresh();
}

std::vector<std::string> LabelsDialog::ticked() const
{
    std::vector<std::string> names;
    for (int i = 0; i < m_list->count(); ++i)
        if (m_list->item(i)->checkState() == Qt::Checked) names.push_back(m_list->item(i)->text().toStdString());
    return names;
}

/// At least one label, and a column to learn from.
void LabelsDialog::refresh()
{
    const std::size_t count = ticked().size();
    m_predict->setEnabled(count > 0 && count < m_columns);
    m_words->setText(count == 0 ? tr("Tick the columns that are labels.")
                                : count == m_columns ? tr("No column would be left to learn from.")
                                                     : tr("%1, learned from the other %2.").arg(QString::fromStdString(plural(static_cast<std::int64_t>(count), "label", "labels")), QString::fromStdString(plural(static_cast<std::int64_t>(m_columns - count), "column", "columns"))));
}

} // namespace sconce::ui
