// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/steps_panel.h"

#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QComboBox>
#include <QSlider>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {

constexpr int rowHeight = 26;

QString text(const std::string& value) { return QString::fromStdString(value); }

/// The wheel scrolls the panel until a field has been entered.
template <class Field> class Calm : public Field
{
  public:
    using Field::Field;

  protected:
    void wheelEvent(QWheelEvent* event) override
    {
        if (this->hasFocus()) Field::wheelEvent(event);
        else event->ignore();
    }
};

double numberOf(const ParamValue& value)
{
    const auto* whole = std::get_if<std::int64_t>(&value);
    return whole ? static_cast<double>(*whole) : std::get<double>(value);
}

/// A number that is the most of something, to either side; others are sizes.
bool eitherWay(const ParamDescriptor& number) { return number.title == "At most"; }

/// ± 2 px, ± 8°, 8 px
QString valueText(const ParamDescriptor& number, double value)
{
    const QString unit = number.unit == "°" ? text(number.unit) : QLatin1Char(' ') + text(number.unit);
    return (eitherWay(number) ? QStringLiteral("± ") : QString()) + QString::number(value, 'g', 4) + unit;
}

/// The places of a slider. Pixels one by one, up to a quarter of the side or, where they are a size, half of it; the rest in steps
/// that widen, since 3° differ from 2° as 90° do from 60°.
std::vector<double> stopsOf(const ParamDescriptor& number, const PictureSize& size)
{
    std::vector<double> stops;
    if (number.kind == ParamKind::Int) {
        const std::int64_t side = std::min(size.height, size.width), most = std::clamp<std::int64_t>(side / (eitherWay(number) ? 4 : 2), 2, 256);
        for (std::int64_t pixels = 1; pixels <= most; ++pixels) stops.push_back(static_cast<double>(pixels));
        return stops;
    }
    for (const double stop : {1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 75, 90, 100, 120, 150, 180})
        if (stop >= number.min && stop <= number.max) stops.push_back(stop);
    return stops;
}

int nearestStop(const std::vector<double>& stops, double value)
{
    const auto nearer = [value](double a, double b) { return std::abs(a - value) < std::abs(b - value); };
    return stops.empty() ? 0 : static_cast<int>(std::min_element(stops.begin(), stops.end(), nearer) - stops.begin());
}

} // namespace

StepsPanel::StepsPanel(QWidget* parent) : QWidget(parent)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 4, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeLine(Qt::Horizontal, this));
    column->addSpacing(12);
    column->addWidget(makeLabel(tr("Steps before the network"), FontRole::Strong, Token::Text, this));
    column->addSpacing(6);
    m_scale = addBox(column, "data.scale", tr("Scale"), tr("0…255 to 0…1"), tr("Stored pixels are whole numbers up to 255; networks learn better from numbers around 1."), m_scaleNote);
    m_normalise = addBox(column, "data.normalise", tr("Normalise"), {}, tr("Subtracts the mean of all training pixels and divides by their deviation."), m_normaliseNote);
    connect(m_scale, &QCheckBox::toggled, this, [this](bool on) {
        DataChoices next = m_choices;
        next.input.scale = on;
        if (!m_showing) Q_EMIT edited(next);
    });
    connect(m_normalise, &QCheckBox::toggled, this, [this](bool on) {
        DataChoices next = m_choices;
        next.input.normalise = on;
        if (!m_showing) Q_EMIT edited(next);
    });

    m_changes = new QWidget(this);
    m_changes->setObjectName(QStringLiteral("data.augment"));
    auto* changes = new QVBoxLayout(m_changes);
    changes->setContentsMargins(0, 6, 0, 0);
    changes->setSpacing(0);
    auto* aside = makeLabel(tr("Augmentation, anew in each epoch of training"), FontRole::Caption, Token::Text3, m_changes);
    aside->setToolTip(aboutAugmentation());
    changes->addWidget(aside);
    changes->addSpacing(4);
    m_rows.reserve(augmentationEntries().size()); // rows are referred to
    for (const OptionEntry& entry : augmentationEntries()) addRow(changes, entry);
    m_problem = makeLabel({}, FontRole::Caption, Token::Warn, m_changes);
    m_problem->setObjectName(QStringLiteral("data.augment.problem"));
    m_problem->setWordWrap(true);
    m_problem->setContentsMargins(0, 4, 0, 0);
    m_problem->hide();
    changes->addWidget(m_problem);
    column->addWidget(m_changes);
}

QCheckBox* StepsPanel::addBox(QVBoxLayout* column, const char* name, const QString& title, const QString& note, const QString& help, QLabel*& noteLabel)
{
    auto* row = new QWidget(this);
    row->setFixedHeight(rowHeight);
    auto* line = new QHBoxLayout(row);
    line->setContentsMargins(0, 0, 0, 0);
    auto* box = new QCheckBox(title, row);
    box->setObjectName(QLatin1String(name));
    box->setToolTip(help);
    line->addWidget(box);
    line->addStretch(1);
    noteLabel = makeLabel(note, FontRole::MonoSmall, Token::Text2, row);
    line->addWidget(noteLabel);
    column->addWidget(row);
    return box;
}

void StepsPanel::addRow(QVBoxLayout* column, const OptionEntry& entry)
{
    Row& row = m_rows.emplace_back();
    row.entry = &entry;
    row.line = new QWidget(m_changes);
    row.line->setFixedHeight(rowHeight);
    auto* line = new QHBoxLayout(row.line);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(8);
    const QString name = QStringLiteral("data.augment.") + text(entry.id);
    if (findParam(entry.params, "on")) {
        row.box = new QCheckBox(text(entry.title), row.line);
        row.box->setObjectName(name);
        row.box->setToolTip(text(entry.help));
        row.box->setAccessibleDescription(text(entry.help));
        line->addWidget(row.box);
        connect(row.box, &QCheckBox::toggled, this, [this, &entry](bool on) { set(entry, "on", on); });
    } else {
        auto* label = makeLabel(text(entry.title), FontRole::Body, Token::Text2, row.line);
        label->setToolTip(text(entry.help));
        line->addWidget(label);
    }
    line->addStretch(1);
    for (const ParamDescriptor& param : entry.params) {
        if (param.kind == ParamKind::Choice) addChoice(row, param, line);
        else if (param.kind != ParamKind::Bool && !row.slider) addSlider(row, param, line);
    }
    row.value = makeLabel({}, row.number ? FontRole::MonoSmall : FontRole::Caption, Token::Text3, row.line);
    row.value->setObjectName(name + QStringLiteral(".value"));
    row.value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    if (row.number) row.value->setFixedWidth(row.value->fontMetrics().horizontalAdvance(QStringLiteral("± 12.5 %")) + 2);
    line->addWidget(row.value);
    column->addWidget(row.line);
}

void StepsPanel::addSlider(Row& row, const ParamDescriptor& number, QHBoxLayout* line)
{
    row.number = &number;
    row.slider = new Calm<QSlider>(Qt::Horizontal, row.line);
    row.slider->setObjectName(QStringLiteral("data.augment.%1.%2").arg(text(row.entry->id), text(number.id)));
    row.slider->setAccessibleName(tr("%1, %2").arg(text(row.entry->title), text(number.title).toLower()));
    row.slider->setToolTip(text(number.help));
    row.slider->setFixedWidth(72);
    row.slider->setPageStep(3);
    row.slider->setFocusPolicy(Qt::StrongFocus);
    line->addWidget(row.slider);
    connect(row.slider, &QSlider::valueChanged, this, [this, &row](int place) {
        if (m_showing || place >= static_cast<int>(row.stops.size())) return;
        const double stop = row.stops[static_cast<std::size_t>(place)];
        set(*row.entry, row.number->id, row.number->kind == ParamKind::Int ? ParamValue(static_cast<std::int64_t>(stop)) : ParamValue(stop));
    });
}

void StepsPanel::addChoice(Row& row, const ParamDescriptor& choice, QHBoxLayout* line)
{
    auto* box = new Calm<QComboBox>(row.line);
    box->setObjectName(QStringLiteral("data.augment.%1.%2").arg(text(row.entry->id), text(choice.id)));
    box->setAccessibleName(row.box ? tr("%1, %2").arg(text(row.entry->title), text(choice.title).toLower()) : text(choice.title));
    box->setToolTip(text(choice.help));
    box->setFocusPolicy(Qt::StrongFocus);
    setControlHeight(box, 24);
    for (const ParamChoice& one : choice.choices) {
        box->addItem(text(one.title), text(one.id));
        box->setItemData(box->count() - 1, text(one.help), Qt::ToolTipRole);
    }
    line->addWidget(box);
    row.choices.emplace_back(&choice, box);
    connect(box, &QComboBox::currentIndexChanged, this, [this, &entry = *row.entry, id = choice.id, box] { set(entry, id, box->currentData().toString().toStdString()); });
}

void StepsPanel::set(const OptionEntry& entry, const std::string& id, ParamValue value)
{
    if (m_showing) return;
    DataChoices next = m_choices;
    setIn(augmentationEntries(), next.augmentation, entry.id, id, std::move(value));
    Q_EMIT edited(next);
}

const ParamValue& StepsPanel::valueOf(const Row& row, const std::string& id) const { return valueIn(augmentationEntries(), m_choices.augmentation, row.entry->id, id); }

bool StepsPanel::isOn(const Row& row) const { return row.box && std::get<bool>(valueOf(row, "on")); }

void StepsPanel::setSet(const DatasetInfo& info)
{
    m_info = info;
    const bool text = info.kind == "text", bytes = info.kind != "table" && !text;
    setVisible(!text); // symbols stay what they are
    // A table's numbers are always scaled, each by its own mean and deviation.
    m_scale->setVisible(bytes);
    m_scaleNote->setText(bytes ? tr("0…255 to 0…1") : tr("each column to mean 0, deviation 1"));
    m_normalise->parentWidget()->setVisible(bytes);
    m_normaliseNote->setText(tr("mean %1, dev. %2").arg(info.mean, 0, 'f', 4).arg(info.deviation, 0, 'f', 4));
    m_written = factsOf(info).written;
    const auto size = changeableSize(info);
    m_changes->setVisible(size.has_value());
    if (!size) return;
    m_showing = true;
    for (Row& row : m_rows) {
        if (!row.slider) continue;
        row.stops = stopsOf(*row.number, *size);
        row.slider->setRange(0, static_cast<int>(row.stops.size()) - 1);
    }
    m_showing = false;
}

void StepsPanel::setChoices(const DataChoices& choices)
{
    m_choices = choices;
    m_showing = true;
    m_scale->setChecked(choices.input.scale);
    m_normalise->setChecked(choices.input.normalise);
    for (Row& row : m_rows) showRow(row);
    showProblem();
    m_showing = false;
}

void StepsPanel::showRow(Row& row)
{
    const bool on = isOn(row);
    if (row.box) row.box->setChecked(on);
    for (const auto& [choice, box] : row.choices) {
        box->setCurrentIndex(box->findData(text(std::get<std::string>(valueOf(row, choice->id)))));
        box->setVisible(on || !row.box);
    }
    if (row.entry->id == "saturation") row.line->setVisible(on || changeableSize(m_info).value_or(PictureSize{}).channels == 3);
    if (!row.box) { // what comes in from beyond the edge, where anything does: a mirrored picture has its own edges
        Augmentation how = augmentationOf(m_choices);
        how.leftRight = how.upsideDown = Augmentation::Flip::Never;
        row.line->setVisible(how.moves());
        row.value->hide();
        return;
    }
    if (!row.slider) {
        row.value->setVisible(!on);
        const bool digits = m_written && m_info.classes.front().front() <= '9';
        row.value->setText(!m_written || row.entry->id != "flip" ? tr("off") : digits ? tr("off: digits are not mirrored") : tr("off: letters are not mirrored"));
        return;
    }
    const double value = numberOf(valueOf(row, row.number->id));
    row.slider->setValue(nearestStop(row.stops, value)); // a value between the places, or beyond them, stays what it is
    row.slider->setVisible(on);
    row.slider->setAccessibleDescription(valueText(*row.number, value));
    row.value->setText(valueText(*row.number, value));
    setLabelToken(row.value, on ? Token::Text : Token::Text3);
}

/// What the recipe would be told about these changes, in the same words.
void StepsPanel::showProblem()
{
    QStringList sentences;
    bool hard = false;
    if (augmentationOf(m_choices).any() && changeableSize(m_info))
        for (const Problem& problem : validate(withData(Recipe(), m_info, {}, m_choices), factsOf(m_info))) {
            if (!problem.path.starts_with("/data/augmentation/")) continue;
            sentences << text(problem.sentence);
            hard = hard || problem.severity == Severity::Problem;
        }
    setLabelToken(m_problem, hard ? Token::Error : Token::Warn);
    m_problem->setText(sentences.join(QLatin1Char('\n')));
    m_problem->setVisible(!sentences.isEmpty());
}

} // namespace sconce::ui
