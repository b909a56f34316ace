// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/compose_header.h"

#include "core/base/text.h"
#include "ui/compose/param_field.h"
#include "ui/compose/recipe_files.h"
#include "ui/widgets/parts.h"

#include <QAbstractItemView>
#include <QComboBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QStylePainter>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

const QString addDataItem = QStringLiteral("+");

QString text(const std::string& value) { return QString::fromStdString(value); }

/// Shortens its text with … instead of cutting it.
class ElidingCombo : public QComboBox
{
  public:
    using QComboBox::QComboBox;

  protected:
    void paintEvent(QPaintEvent*) override
    {
        QStylePainter painter(this);
        QStyleOptionComboBox option;
        initStyleOption(&option);
        painter.drawComplexControl(QStyle::CC_ComboBox, option);
        const int icon = option.currentIcon.isNull() ? 0 : iconSize().width() + 6;
        option.currentText = fontMetrics().elidedText(option.currentText, Qt::ElideRight, width() - 9 - 28 - icon);
        painter.drawControl(QStyle::CE_ComboBoxLabel, option);
    }
};

/// A button that opens a menu, and says so with a chevron behind its word.
class MenuButton : public QPushButton
{
  public:
    using QPushButton::QPushButton;
    QSize sizeHint() const override
    {
        const int icon = this->icon().isNull() ? 0 : 16 + 6;
        return {12 + icon + fontMetrics().horizontalAdvance(text()) + 6 + 12 + 12, QPushButton::sizeHint().height()};
    }
    QSize minimumSizeHint() const override { return sizeHint(); }

  protected:
    void paintEvent(QPaintEvent*) override
    {
        QStylePainter painter(this);
        QStyleOptionButton option;
        initStyleOption(&option);
        option.text.clear();
        option.icon = {};
        painter.drawControl(QStyle::CE_PushButton, option);
        int x = 12;
        if (!icon().isNull()) {
            icon().paint(&painter, QRect(x, (height() - 16) / 2, 16, 16));
            x += 22;
        }
        painter.setFont(font());
        painter.setPen(color(Token::Text));
        const int words = fontMetrics().horizontalAdvance(text()) + 2;
        painter.drawText(QRect(x, 0, words, height()), Qt::AlignLeft | Qt::AlignVCenter, text());
        painter.drawPixmap(QRect(x + words + 4, (height() - 12) / 2 + 1, 12, 12),
                           Theme::instance().pixmap(QStringLiteral("chevron-down"), Token::Text2, 12, devicePixelRatioF()));
    }
};

QComboBox* makeCombo(const QString& name, const QString& spoken, QWidget* page)
{
    auto* combo = new ElidingCombo(page);
    combo->setObjectName(name);
    combo->setAccessibleName(spoken);
    combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    combo->setMinimumContentsLength(6);
    combo->setIconSize({16, 16});
    return combo;
}

/// The list is as wide as its longest line, however narrow the field is.
void widenPopup(QComboBox* combo)
{
    int width = combo->width();
    for (int i = 0; i < combo->count(); ++i) width = std::max(width, combo->fontMetrics().horizontalAdvance(combo->itemText(i)) + 64);
    combo->view()->setMinimumWidth(width);
}

QString timeText(const QDateTime& time)
{
    const QDate today = QDate::currentDate();
    if (time.date() == today) return time.toString(QStringLiteral("HH:mm"));
    if (time.date() == today.addDays(-1)) return QObject::tr("yesterday %1").arg(time.toString(QStringLiteral("HH:mm")));
    return QLocale(QLocale::English).toString(time, QStringLiteral("d MMM yyyy"));
}

} // namespace

ComposeHeader::ComposeHeader(RecipeDocument& document, Studio& studio, RecipeFiles& files, QHBoxLayout* left, QHBoxLayout* right, QWidget* page)
    : QObject(page), m_document(document), m_studio(studio), m_files(files)
{
    makeName(left, page);
    makeChoices(left, page);
    makeActions(right, page);
    connect(&document, &RecipeDocument::changed, this, [this] { update(); });
    connect(&document, &RecipeDocument::stateChanged, this, [this] { updateState(); });
    if (studio.data) connect(studio.data, &DataService::changed, this, [this] { fillData(); });
    if (studio.hardware) {
        connect(studio.hardware, &HardwareService::devicesKnown, this, [this] { fillDevices(); });
        connect(studio.hardware, &HardwareService::sampled, this, [this] { refreshFreeMemory(); });
    }
    if (studio.runService) connect(studio.runService, &RunService::statusChanged, this, [this] { update(); });
    connect(&document.undoStack(), &QUndoStack::indexChanged, this, [this] { updateState(); });
    fillData();
    fillDevices();
    update();
    updateState();
}

void ComposeHeader::makeName(QHBoxLayout* left, QWidget* page)
{
    auto* box = new QWidget(page);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 4, 0, 4);
    column->setSpacing(0);
    auto* line = new QHBoxLayout;
    line->setSpacing(2);
    m_name = new QLineEdit(box);
    m_name->setObjectName(QStringLiteral("compose.name"));
    m_name->setAccessibleName(tr("Name of the recipe"));
    m_name->setMaxLength(120);
    setRole(m_name, "inline");
    m_name->setTextMargins(-11, 0, -6, 0);
    setControlHeight(m_name, 24);
    m_name->setStyleSheet(QStringLiteral("QLineEdit { font-size: 16px; font-weight: 600; }")); // a style sheet on the program undoes setFont here
    guardField(m_name);
    m_pencil = makeToolButton(QStringLiteral("pencil"), tr("Rename the recipe"), box);
    m_pencil->setObjectName(QStringLiteral("compose.rename"));
    m_pencil->setIconSize({14, 14});
    m_pencil->setFixedSize(22, 22);
    m_pencil->setFocusPolicy(Qt::NoFocus);
    line->addWidget(m_name);
    line->addWidget(m_pencil);
    line->addStretch(1);
    m_state = new ElidedLabel({}, Qt::ElideRight, box);
    m_state->setObjectName(QStringLiteral("compose.state"));
    m_state->setFont(ui::font(FontRole::Caption));
    m_state->setProperty("token", QStringLiteral("text2"));
    column->addLayout(line);
    column->addWidget(m_state);
    left->addWidget(box);
    connect(m_name, &QLineEdit::textEdited, this, [this](const QString& name) { m_document.setName(name); });
    connect(m_name, &QLineEdit::editingFinished, this, [this] { m_name->setText(text(m_document.recipe().name)); });
    connect(m_pencil, &QToolButton::clicked, this, [this] {
        m_name->setFocus(Qt::ShortcutFocusReason);
        m_name->selectAll();
    });
}

void ComposeHeader::makeChoices(QHBoxLayout* left, QWidget* page)
{
    left->addSpacing(12);
    m_dataLabel = makeLabel(tr("Data"), FontRole::Caption, Token::Text2, page);
    m_data = makeCombo(QStringLiteral("compose.data"), tr("Data to train on"), page);
    left->addWidget(m_dataLabel);
    left->addWidget(m_data);
    left->addSpacing(8);
    m_deviceLabel = makeLabel(tr("Train on"), FontRole::Caption, Token::Text2, page);
    m_device = makeCombo(QStringLiteral("compose.device"), tr("Device to train on"), page);
    left->addWidget(m_deviceLabel);
    left->addWidget(m_device);
    connect(m_data, &QComboBox::activated, this, [this](int index) {
        const QString id = m_data->itemData(index).toString();
        if (id == addDataItem) {
            fillData(); // back to what was chosen
            Q_EMIT addDataClicked();
        } else if (id.toStdString() != m_document.recipe().data.dataset) { // else its settings in this recipe stay as they are
            Q_EMIT dataChosen(id);
        }
    });
    connect(m_device, &QComboBox::activated, this, [this](int index) {
        const std::string id = m_device->itemData(index).toString().toStdString();
        m_document.change(tr("Choose the device"), [&](Recipe& r) { r.device = id; });
    });
}

void ComposeHeader::makeActions(QHBoxLayout* right, QWidget* page)
{
    m_undo = makeToolButton(QStringLiteral("undo"), tr("Undo"), page);
    m_undo->setObjectName(QStringLiteral("compose.undo"));
    m_redo = makeToolButton(QStringLiteral("redo"), tr("Redo"), page);
    m_redo->setObjectName(QStringLiteral("compose.redo"));
    m_recipes = new MenuButton(page);
    m_recipes->setText(tr("Recipes"));
    m_recipes->setIcon(Theme::instance().icon(QStringLiteral("folder"), Token::Text));
    m_recipes->setIconSize({16, 16});
    m_recipes->setFont(ui::font(FontRole::BodyMedium));
    setRole(m_recipes, "normal");
    m_recipes->setObjectName(QStringLiteral("compose.recipes"));
    auto* menu = new QMenu(m_recipes);
    menu->setObjectName(QStringLiteral("compose.recipes.menu"));
    m_recipes->setMenu(menu);
    connect(menu, &QMenu::aboutToShow, this, [this, menu] { m_files.fillMenu(menu); });
    m_save = makeButton(QStringLiteral("download"), tr("Save"), ButtonKind::Normal, page);
    m_save->setObjectName(QStringLiteral("compose.save"));
    m_save->setToolTip(tr("Save the recipe as a file (Ctrl+S); Save as… is under Recipes"));
    m_start = makeButton(QStringLiteral("play"), tr("Start training"), ButtonKind::Primary, page);
    m_start->setObjectName(QStringLiteral("compose.start"));
    for (QWidget* widget : std::initializer_list<QWidget*>{m_undo, m_redo, m_recipes, m_save, m_start}) right->addWidget(widget);
    connect(m_undo, &QToolButton::clicked, &m_document.undoStack(), &QUndoStack::undo);
    connect(m_redo, &QToolButton::clicked, &m_document.undoStack(), &QUndoStack::redo);
    connect(m_save, &QPushButton::clicked, this, [this] { m_files.save(); });
    connect(m_start, &QPushButton::clicked, this, &ComposeHeader::startClicked);
}

QString ComposeHeader::deviceText(const ComputeDevice& device) const
{
    if (device.id == "cpu") {
        const int cores = m_studio.hardware ? m_studio.hardware->facts().cpu.usable : 0;
        return cores > 0 ? tr("CPU, %1 cores").arg(cores) : tr("CPU");
    }
    QString name = text(device.name);
    if (m_narrow) name.remove(QLatin1String("NVIDIA "));
    QString words = tr("GPU %1, %2").arg(text(device.id).section(QLatin1Char(':'), 1), name);
    if (const std::uint64_t free = freeMemory(device); free > 0 && !m_narrow) words += tr(", %1 free").arg(text(bytesText(free)));
    return words;
}

/// As measured now where the machine is watched, else as it was when the devices were found.
std::uint64_t ComposeHeader::freeMemory(const ComputeDevice& device) const
{
    const auto& gpus = m_studio.hardware->facts().gpus;
    const auto& readings = m_studio.hardware->reading().gpus;
    for (std::size_t i = 0; i < gpus.size() && i < readings.size(); ++i)
        if (!device.uuid.empty() && gpus[i].uuid == device.uuid && readings[i].memoryTotal && readings[i].memoryUsed)
            return *readings[i].memoryTotal - std::min(*readings[i].memoryTotal, *readings[i].memoryUsed);
    return device.freeBytes;
}

void ComposeHeader::refreshFreeMemory()
{
    if (m_narrow || m_device->view()->isVisible()) return;
    for (const ComputeDevice& device : m_studio.hardware->devices())
        if (const int row = m_device->findData(text(device.id)); row >= 0 && device.id != "cpu" && m_device->itemText(row) != deviceText(device))
            m_device->setItemText(row, deviceText(device));
}

QString ComposeHeader::resolvedDevice() const
{
    const std::string& wanted = m_document.recipe().device;
    return wanted == "auto" ? automaticDevice() : text(wanted);
}

QString ComposeHeader::automaticDevice() const
{
    if (m_studio.hardware)
        for (const ComputeDevice& device : m_studio.hardware->devices())
            if (device.id != "cpu" && device.usable) return text(device.id);
    return QStringLiteral("cpu");
}

void ComposeHeader::fillDevices()
{
    const QSignalBlocker quiet(m_device);
    m_device->clear();
    const Theme& theme = Theme::instance();
    const auto icon = m_narrow ? QIcon() : theme.icon(QStringLiteral("hardware"), Token::Text2);
    const auto devices = m_studio.hardware ? m_studio.hardware->devices() : std::vector<ComputeDevice>{};
    const QString best = automaticDevice();
    const QString bestText = best == QLatin1String("cpu") ? tr("CPU") : tr("GPU %1").arg(best.section(QLatin1Char(':'), 1));
    m_device->addItem(icon, devices.empty() ? tr("Automatic") : tr("Automatic: %1").arg(bestText), QStringLiteral("auto"));
    if (devices.empty()) m_device->addItem(icon, tr("CPU"), QStringLiteral("cpu"));
    for (const ComputeDevice& device : devices) {
        m_device->addItem(icon, deviceText(device), text(device.id));
        const int row = m_device->count() - 1;
        m_device->setItemData(row, text(device.usable ? device.name : device.whyNot), Qt::ToolTipRole);
        if (!device.usable) m_device->setItemData(row, 0, Qt::UserRole - 1); // shown, not to be chosen
    }
    const QString wanted = text(m_document.recipe().device);
    if (m_device->findData(wanted) < 0) m_device->addItem(icon, tr("%1, not here").arg(wanted), wanted);
    m_device->setCurrentIndex(m_device->findData(wanted));
    m_device->setToolTip(m_device->currentText());
    widenPopup(m_device);
}

void ComposeHeader::fillData()
{
    const QSignalBlocker quiet(m_data);
    m_data->clear();
    const auto icon = m_narrow ? QIcon() : Theme::instance().icon(QStringLiteral("data"), Token::Text2);
    if (m_studio.data)
        for (const DatasetInfo& info : m_studio.data->sets()) m_data->addItem(icon, text(info.title), text(info.id));
    const QString wanted = text(m_document.recipe().data.dataset);
    if (m_data->findData(wanted) < 0) {
        const auto& facts = m_document.facts();
        m_data->insertItem(0, icon, tr("%1, not added").arg(facts ? text(facts->title) : wanted), wanted);
    }
    m_data->insertSeparator(m_data->count());
    m_data->addItem(m_narrow ? QIcon() : Theme::instance().icon(QStringLiteral("plus"), Token::Text2), tr("Add data…"), addDataItem);
    m_data->setCurrentIndex(m_data->findData(wanted));
    m_data->setToolTip(m_data->currentText());
    widenPopup(m_data);
}

void ComposeHeader::update()
{
    const Recipe& recipe = m_document.recipe();
    const QString name = text(recipe.name);
    if (m_name->text().simplified() != name && !(m_name->hasFocus() && m_name->text().trimmed().isEmpty())) m_name->setText(name);
    const int longest = m_narrow ? 150 : 240;
    m_name->setFixedWidth(std::clamp(QFontMetrics(ui::font(FontRole::Title)).horizontalAdvance(m_name->text()) + 14, 60, longest));
    if (m_data->currentData().toString() != text(recipe.data.dataset)) fillData();
    if (m_device->currentData().toString() != text(recipe.device)) fillDevices();

    const bool preparing = m_studio.runService && m_studio.runService->preparing();
    m_start->setEnabled(m_document.startable() && !preparing);
    QString why = tr("Start training (Ctrl+Return)");
    if (preparing) why = tr("A run is being prepared.");
    else if (!m_document.startable()) {
        for (const Problem& problem : m_document.problems())
            if (problem.severity == Severity::Problem) {
                why = tr("Training can start when the problems are gone. %1").arg(text(problem.sentence));
                break;
            }
    } else if (m_studio.runService && m_studio.runService->training()) {
        why = tr("Another run is training: this one will wait in the queue (Ctrl+Return)");
    }
    m_start->setToolTip(why);
    m_start->setAccessibleDescription(why);
    updateState();
}

void ComposeHeader::updateState()
{
    const RecipeDocument::Origin& origin = m_document.origin();
    QString state;
    if (m_document.dirty()) state = tr("Changed, not saved");
    else if (!origin.path.isEmpty()) state = m_narrow ? tr("Saved %1").arg(timeText(origin.saved)) : tr("Recipe, saved %1").arg(timeText(origin.saved));
    else state = origin.title.isEmpty() ? tr("Not saved yet") : origin.title;
    m_state->setFullText(state);
    if (!origin.path.isEmpty()) m_state->setToolTip(origin.path);
    QUndoStack& undo = m_document.undoStack();
    m_undo->setEnabled(undo.canUndo());
    m_redo->setEnabled(undo.canRedo());
    m_undo->setToolTip(undo.canUndo() ? tr("Undo: %1 (Ctrl+Z)").arg(undo.undoText()) : tr("Nothing to undo"));
    m_redo->setToolTip(undo.canRedo() ? tr("Redo: %1 (Ctrl+Shift+Z)").arg(undo.redoText()) : tr("Nothing to redo"));
}

void ComposeHeader::setCompact(bool narrow, bool)
{
    m_narrow = narrow;
    m_data->setFixedWidth(narrow ? 132 : 164);
    m_device->setFixedWidth(narrow ? 136 : 200);
    m_recipes->setIcon(narrow ? QIcon() : Theme::instance().icon(QStringLiteral("folder"), Token::Text));
    m_save->setIcon(narrow ? QIcon() : Theme::instance().icon(QStringLiteral("download"), Token::Text));
    fillData();
    fillDevices();
    update();
}

} // namespace sconce::ui
