// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/profile_dialog.h"

#include "core/base/files.h"
#include "core/base/text.h"
#include "ui/compose/trial_bars.h"
#include "ui/widgets/parts.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }

/// Milliseconds with as many digits as a step of this length deserves.
QString milliseconds(double seconds) { return QStringLiteral("%1 ms").arg(seconds * 1000, 0, 'f', std::abs(seconds) < 0.1 ? 3 : 1).replace(QLatin1Char('-'), QChar(0x2212)); }

/// A square of a bar's colour and what it means.
class Key : public QWidget
{
  public:
    Key(const QString& words, double share, QWidget* parent) : QWidget(parent), m_words(words), m_share(share) { setFixedHeight(16); }
    QSize sizeHint() const override { return {QFontMetrics(ui::font(FontRole::Caption)).horizontalAdvance(m_words) + 18, 16}; }
    void setOnGpu(bool onGpu)
    {
        m_token = onGpu ? Token::Gpu : Token::Cpu;
        update();
    }

  protected:
    void paintEvent(QPaintEvent*) override
    {
        QPainter painter(this);
        painter.fillRect(QRect(0, 4, 8, 8), Theme::instance().blend(m_token, Token::Card, m_share));
        painter.setFont(ui::font(FontRole::Caption));
        painter.setPen(color(Token::Text2));
        painter.drawText(rect().adjusted(14, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, m_words);
    }

  private:
    QString m_words;
    double m_share;
    Token m_token = Token::Cpu;
};

} // namespace

ProfileDialog::ProfileDialog(Studio& studio, Recipe recipe, QWidget* parent)
    : TrialDialog(studio, std::move(recipe), QStringLiteral("profile"), tr("Profile a few steps"),
                  tr("A fresh copy of this network trains for %1 steps, each part of which is timed. Nothing of it is kept.").arg(ProfileOptions{}.steps), parent)
{
    auto* line = new QHBoxLayout;
    m_by = new SegmentedControl({tr("By layer"), tr("By operation")}, this);
    m_by->setObjectName(QStringLiteral("profile.by"));
    line->addWidget(m_by);
    line->addStretch(1);
    m_legend = new QWidget(this);
    auto* keys = new QHBoxLayout(m_legend);
    keys->setContentsMargins(0, 0, 0, 0);
    keys->setSpacing(12);
    keys->addWidget(new Key(tr("forward"), 1, m_legend));
    keys->addWidget(new Key(tr("backward"), 0.5, m_legend));
    line->addWidget(m_legend);
    body()->addLayout(line);
    m_bars = new TrialBars;
    m_bars->setObjectName(QStringLiteral("profile.bars"));
    m_scroll = new QScrollArea(this);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setWidgetResizable(true);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setMinimumHeight(300);
    m_scroll->setWidget(m_bars);
    body()->addWidget(m_scroll, 1);
    m_save = makeButton(QStringLiteral("save"), tr("Save trace…"), ButtonKind::Normal, this);
    m_save->setObjectName(QStringLiteral("profile.save"));
    m_save->setToolTip(tr("Every stretch of every step, in the format that chrome://tracing, Perfetto and Speedscope open."));
    actions()->addWidget(m_save);
    connect(m_by, &SegmentedControl::currentChanged, this, [this] { draw(); });
    connect(m_save, &QPushButton::clicked, this, &ProfileDialog::saveTrace);
    setMinimumWidth(640);
    begin();
}

void ProfileDialog::clear()
{
    m_profile.reset();
    m_save->setEnabled(false);
    draw();
}

void ProfileDialog::work(const TrialSource& source)
{
    setWords(tr("Timing…"));
    ProfileOptions options;
    options.storeFolder = source.storeFolder;
    inBackground<std::shared_ptr<Result<Profile>>>(
        [this, source, options, tell = teller()] {
            return std::make_shared<Result<Profile>>(profileSteps(source.recipe, source.data, options, [&](int done, int total) {
                return tell([this, done, total] { setShare(static_cast<double>(done) / total); });
            }));
        },
        [this](const std::shared_ptr<Result<Profile>>& profile) { showResult(*profile); });
}

void ProfileDialog::showResult(const Result<Profile>& profile)
{
    if (!profile) return finish(text(profile.error().text()));
    m_profile = *profile;
    const bool gpu = profile->device != "cpu";
    m_bars->setOnGpu(gpu);
    for (QObject* key : m_legend->children())
        if (auto* its = dynamic_cast<Key*>(key)) its->setOnGpu(gpu);
    draw();
    m_save->setEnabled(true);
    finish(tr("A step of %1 takes %2: the median of %3 steps, which took between %4 and %5. Memory at its fullest: %6.")
               .arg(text(groupedInt(profile->batch)), milliseconds(profile->stepSeconds))
               .arg(profile->steps)
               .arg(milliseconds(profile->fastest), milliseconds(profile->slowest), text(bytesText(profile->peakBytes))) +
           (profile->notice.empty() ? QString() : QLatin1Char(' ') + text(profile->notice)));
}

void ProfileDialog::draw()
{
    std::vector<TrialBars::Row> rows;
    double largest = 0;
    if (m_profile) {
        const auto& table = m_by->current() == 0 ? m_profile->layers : m_profile->operations;
        const auto share = [together = m_profile->together(table)](double seconds) { return text(percentText(seconds / together, 1)); };
        for (const ProfileRow& row : table) {
            rows.push_back({text(row.title), row.forward, row.backward, milliseconds(row.seconds()), share(row.seconds())});
            largest = std::max(largest, row.seconds());
        }
        rows.push_back({tr("rest"), m_profile->rest, 0, milliseconds(m_profile->rest), share(m_profile->rest), true});
        largest = std::max(largest, m_profile->rest);
    }
    m_legend->setVisible(m_profile.has_value());
    m_bars->setWhole(largest);
    m_bars->setRows(std::move(rows), m_by->current() == 0 ? tr("Time by layer") : tr("Time by operation"));
}

void ProfileDialog::saveTrace()
{
    if (!m_profile) return;
    const QString path = chooseSaveFile(this, tr("Save the trace"), tr("%1-trace.json").arg(text(m_recipe.name.empty() ? "profile" : m_recipe.name)), tr("Traces (*.json)"));
    if (path.isEmpty()) return;
    if (auto written = writeFileDurably(path.toStdString(), m_profile->trace); !written) {
        ask(this, {tr("The trace could not be saved"), text(written.error().text()), {tr("Close")}, 0, 0, false});
        return;
    }
    showToast(parentWidget(), tr("The trace is saved. chrome://tracing, ui.perfetto.dev and Speedscope open it."));
}

} // namespace sconce::ui
