// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/hardware/hardware_page.h"

#include "core/base/text.h"
#include "ui/services/pages.h"
#include "ui/services/words.h"
#include "ui/widgets/parts.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QGridLayout>
#include <QGuiApplication>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce::ui {

namespace {

const double missing = std::numeric_limits<double>::quiet_NaN();

QString text(const std::string& s)
{
    return QString::fromStdString(s);
}

QString percent(std::optional<double> share)
{
    return share ? QStringLiteral("%1 %").arg(qRound(*share * 100)) : QStringLiteral("–");
}

QString bytes(std::optional<std::uint64_t> value)
{
    return value ? text(bytesText(*value)) : QStringLiteral("–");
}

QString number(std::optional<double> value, const QString& unit)
{
    return value ? QStringLiteral("%1 %2").arg(qRound(*value)).arg(unit) : QStringLiteral("–");
}

/// x and y of one value over the samples of the span; gaps are left out, so that a strip has no false zero.
template <class F> std::pair<std::vector<double>, std::vector<double>> series(const std::vector<MachineReading>& history, double span, F value)
{
    std::pair<std::vector<double>, std::vector<double>> out;
    if (history.empty()) return out;
    const double now = history.back().seconds;
    for (const MachineReading& one : history) {
        if (one.seconds < now - span) continue;
        const double y = value(one);
        if (std::isnan(y)) continue;
        out.first.push_back(one.seconds - now);
        out.second.push_back(y);
    }
    return out;
}

} // namespace

Page* makeHardwarePage(Studio& studio, QWidget* parent)
{
    return new HardwarePage(studio, parent);
}

HardwarePage::HardwarePage(Studio& studio, QWidget* parent) : Page(parent), m_studio(studio)
{
    setTitle(tr("Hardware"), tr("This computer, read once a second"));
    m_right->addWidget(makeLabel(tr("Show the last"), FontRole::Caption, Token::Text2, this));
    m_span = new SegmentedControl({tr("1 min"), tr("10 min")}, this);
    m_span->setObjectName(QStringLiteral("hardware.span"));
    m_span->setCurrent(1);
    connect(m_span, &SegmentedControl::currentChanged, this, &HardwarePage::refresh);
    m_right->addWidget(m_span);
    auto* copy = makeButton(QStringLiteral("copy"), tr("Copy as text"), ButtonKind::Normal, this);
    copy->setObjectName(QStringLiteral("hardware.copy"));
    connect(copy, &QPushButton::clicked, this, [this] {
        QGuiApplication::clipboard()->setText(asText());
        showToast(this, tr("What this page says is on the clipboard."));
    });
    m_right->addWidget(copy);

    auto* whole = new QVBoxLayout(m_body);
    whole->setContentsMargins(0, 0, 0, 0);
    auto* scroll = new QScrollArea(m_body);
    scroll->setObjectName(QStringLiteral("hardware.scroll"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    auto* inner = new QWidget(scroll);
    m_column = new QVBoxLayout(inner);
    m_column->setContentsMargins(16, 12, 16, 12);
    m_column->setSpacing(12);
    scroll->setWidget(inner);
    whole->addWidget(scroll);
    connect(studio.hardware, &HardwareService::sampled, this, [this] { if (isVisible()) refresh(); });
    connect(studio.hardware, &HardwareService::devicesKnown, this, [this] { if (m_built) refreshVersions(); });
}

QWidget* HardwarePage::makeNoGpuCard()
{
    auto* card = new QFrame(this);
    card->setObjectName(QStringLiteral("hardware.noGpu"));
    setRole(card, "info");
    auto* row = new QHBoxLayout(card);
    row->setContentsMargins(16, 12, 16, 12);
    row->setSpacing(12);
    row->addWidget(makeIconLabel(QStringLiteral("info"), Token::Info, 16, card), 0, Qt::AlignTop);
    auto* words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(makeLabel(tr("No NVIDIA GPU is in use. Training uses the CPU, and everything works."), FontRole::Strong, Token::Text, card));
    auto* why = makeLabel(text(m_studio.hardware->facts().gpuState) + QLatin1Char(' ') +
                              tr("If this computer has an NVIDIA card, install its driver and start Sconce again. Small networks train well without one."),
                          FontRole::Body, Token::Text2, card);
    why->setWordWrap(true);
    words->addWidget(why);
    row->addLayout(words, 1);
    return card;
}

void HardwarePage::build()
{
    m_built = true;
    const MachineFacts& facts = m_studio.hardware->facts();
    if (facts.gpus.empty()) m_column->addWidget(makeNoGpuCard());
    for (const GpuFacts& gpu : facts.gpus) {
        auto* card = new DeviceCard(tr("GPU %1").arg(gpu.index), text(gpu.name), this);
        card->setObjectName(QStringLiteral("hardware.gpu%1").arg(gpu.index));
        card->addPlot(tr("Use"), Token::Gpu, PlotView::YFormat::Percent);
        card->addPlot(tr("Memory"), Token::Gpu, PlotView::YFormat::Bytes);
        card->addPlot(tr("Power"), Token::Gpu, PlotView::YFormat::Number);
        card->addPlot(tr("Temperature"), Token::Gpu, PlotView::YFormat::Number);
        m_gpus.push_back(card);
        m_column->addWidget(card, 2);
    }
    const CpuFacts& cpu = facts.cpu;
    m_cpu = new DeviceCard(tr("CPU"), tr("%1, %2").arg(text(cpu.model), text(plural(cpu.usable, "core", "cores"))), this);
    m_cpu->setObjectName(QStringLiteral("hardware.cpu"));
    m_cpu->setFact(tr("Cores"), cpu.usable < cpu.cores ? tr("%1 of %2 may be used").arg(cpu.usable).arg(cpu.cores) : QString::number(cpu.cores));
    QStringList features;
    for (const std::string& one : cpu.features) features << text(one);
    m_cpu->setFact(tr("Can do"), features.isEmpty() ? QStringLiteral("–") : features.join(QStringLiteral(", ")), true);
    m_cpu->setFact(tr("System"), text(facts.system), true);
    m_cpu->setFact(tr("Kernel"), text(facts.kernel));
    m_cpu->addPlot(tr("Use"), Token::Cpu, PlotView::YFormat::Percent);
    // Few cores have a plot each, many are bars.
    const auto cores = m_studio.hardware->reading().perCore.size();
    m_corePlots = cores >= 1 && cores <= 3 ? static_cast<int>(cores) : 0;
    for (int i = 0; i < m_corePlots; ++i) m_cpu->addPlot(tr("Core %1").arg(i), Token::Cpu, PlotView::YFormat::Percent);
    if (m_corePlots == 0) m_cpu->addBars(tr("Cores"));
    m_column->addWidget(m_cpu, 2);

    m_memory = new DeviceCard(tr("Memory and disk"), {}, this);
    m_memory->setObjectName(QStringLiteral("hardware.memory"));
    m_memory->addPlot(tr("Memory"), Token::Cpu, PlotView::YFormat::Bytes);
    m_memory->addPlot(tr("Sconce's part"), Token::Cpu, PlotView::YFormat::Bytes);
    m_memory->addPlot(tr("Disk free"), Token::Cpu, PlotView::YFormat::Bytes);
    m_column->addWidget(m_memory, 2);

    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    if (!facts.gpus.empty()) {
        m_processes = new Card(tr("Programs on the GPU"), this);
        m_processes->setObjectName(QStringLiteral("hardware.processes"));
        m_processGrid = new QGridLayout;
        m_processGrid->setHorizontalSpacing(24);
        m_processGrid->setVerticalSpacing(6);
        m_processes->content()->addLayout(m_processGrid);
        m_processes->content()->addStretch(1);
        row->addWidget(m_processes, 2);
    }
    m_versions = new Card(tr("Versions"), this);
    m_versions->setObjectName(QStringLiteral("hardware.versions"));
    m_versionGrid = new QGridLayout;
    m_versionGrid->setHorizontalSpacing(24);
    m_versionGrid->setVerticalSpacing(6);
    m_versionGrid->setColumnStretch(1, 1);
    m_versions->content()->addLayout(m_versionGrid);
    m_versions->content()->addStretch(1);
    row->addWidget(m_versions, 1);
    m_column->addLayout(row);
    m_column->addStretch(1);
    fold();
    refreshVersions();
}

void HardwarePage::shown()
{
    refresh();
}

void HardwarePage::setCompact(bool narrow, bool)
{
    m_narrow = narrow;
    if (m_built) fold();
}

void HardwarePage::fold()
{
    for (DeviceCard* card : m_gpus) card->setColumns(m_narrow ? 2 : 4);
    // Three or fewer fit side by side in a small window too.
    m_cpu->setColumns(m_narrow && m_corePlots == 3 ? 2 : 4);
}

void HardwarePage::refresh()
{
    if (m_studio.hardware->facts().cpu.cores == 0) return; // the first sample is on its way
    if (!m_built) build();
    const double span = m_span->current() == 0 ? 60 : 600;
    const auto& history = m_studio.hardware->history();
    if (history.empty()) return;
    refreshGpus(history, span);
    refreshCpu(history, span);
    if (m_processes) refreshProcesses();
}

void HardwarePage::refreshGpus(const std::vector<MachineReading>& history, double span)
{
    const MachineReading& now = history.back();
    const auto& facts = m_studio.hardware->facts().gpus;
    const LiveRun* run = m_studio.runService->current();
    for (std::size_t i = 0; i < m_gpus.size() && i < now.gpus.size(); ++i) {
        const GpuReading& gpu = now.gpus[i];
        DeviceCard* card = m_gpus[i];
        const bool ours = run && !facts[i].uuid.empty() && run->row.deviceUuid == facts[i].uuid;
        QString others;
        for (const GpuProcess& process : gpu.processes)
            if (process.pid != QCoreApplication::applicationPid() && (others.isEmpty() || !process.name.empty()))
                others = process.name.empty() ? tr("process %1").arg(process.pid) : text(process.name);
        if (ours) card->setState(QStringLiteral("running"), tr("used for training, run #%1").arg(run->row.number));
        else if (!others.isEmpty()) card->setState(QStringLiteral("stopped"), tr("used by another program: %1").arg(others));
        else if (gpu.use.value_or(0) > 0) card->setState(QStringLiteral("stopped"), tr("in use"));
        else if (gpu.use) card->setState(QStringLiteral("stopped"), tr("idle"));
        else card->setState({}, {}); // not known
        card->setFact(tr("Clock"), number(gpu.smClockMhz, tr("MHz")));
        QStringList limits;
        for (const std::string& one : gpu.limitedBy) limits << text(one);
        card->setFact(tr("Held back by"), limits.isEmpty() ? tr("nothing") : limits.join(QStringLiteral(", ")));
        card->setFact(tr("Fan"), gpu.fan ? percent(gpu.fan) : tr("none, or it cannot be read"));
        card->setFact(tr("Bus"), text(facts[i].pciBusId));
        const auto plot = [&](int slot, const QString& value, const QString& aside, double top, auto pick) {
            auto [x, y] = series(history, span, [&](const MachineReading& one) { return i < one.gpus.size() ? pick(one.gpus[i]) : missing; });
            card->setPlot(slot, value, aside, std::move(x), std::move(y), top, span);
        };
        plot(0, percent(gpu.use), {}, 1, [](const GpuReading& g) { return g.use.value_or(missing); });
        const auto total = static_cast<double>(gpu.memoryTotal.value_or(facts[i].memoryBytes));
        plot(1, gpu.memoryUsed ? words::memory(*gpu.memoryUsed) : QStringLiteral("–"), tr("of %1").arg(words::memory(static_cast<std::uint64_t>(total))), total,
             [](const GpuReading& g) { return g.memoryUsed ? static_cast<double>(*g.memoryUsed) : missing; });
        const double limit = facts[i].powerLimitWatts.value_or(0);
        plot(2, number(gpu.powerWatts, QStringLiteral("W")), limit > 0 ? tr("of %1 W").arg(qRound(limit)) : QString(), limit, [](const GpuReading& g) { return g.powerWatts.value_or(missing); });
        plot(3, number(gpu.temperature, QStringLiteral("°C")), facts[i].temperatureSlowdown ? tr("slows at %1").arg(*facts[i].temperatureSlowdown) : QString(), 100,
             [](const GpuReading& g) { return g.temperature.value_or(missing); });
    }
}

void HardwarePage::refreshCpu(const std::vector<MachineReading>& history, double span)
{
    const MachineReading& now = history.back();
    const LiveRun* run = m_studio.runService->current();
    if (run && run->row.device == "cpu") m_cpu->setState(QStringLiteral("running"), tr("used for training, run #%1").arg(run->row.number));
    else if (run) m_cpu->setState(QStringLiteral("running"), tr("feeds run #%1").arg(run->row.number));
    else m_cpu->setState({}, {});
    auto [ux, uy] = series(history, span, [](const MachineReading& one) { return one.cpu.value_or(missing); });
    m_cpu->setPlot(0, percent(now.cpu), {}, std::move(ux), std::move(uy), 1, span);
    for (int i = 0; i < m_corePlots; ++i) {
        const auto core = static_cast<std::size_t>(i);
        auto [cx, cy] = series(history, span, [core](const MachineReading& one) { return core < one.perCore.size() ? one.perCore[core] : missing; });
        m_cpu->setPlot(1 + i, core < now.perCore.size() ? percent(now.perCore[core]) : QStringLiteral("–"), {}, std::move(cx), std::move(cy), 1, span);
    }
    if (m_corePlots == 0) {
        const auto busy = std::count_if(now.perCore.begin(), now.perCore.end(), [](double share) { return share > 0.5; });
        m_cpu->setBars(1, tr("%1 busy").arg(busy), tr("of %1").arg(now.perCore.size()), now.perCore);
    }
    const auto total = static_cast<double>(now.memoryTotal);
    auto [mx, my] = series(history, span, [](const MachineReading& one) { return static_cast<double>(one.memoryUsed); });
    m_memory->setPlot(0, words::memory(now.memoryUsed), tr("of %1").arg(words::memory(now.memoryTotal)), std::move(mx), std::move(my), total, span);
    auto [px, py] = series(history, span, [](const MachineReading& one) { return static_cast<double>(one.processMemory); });
    m_memory->setPlot(1, words::memory(now.processMemory), {}, std::move(px), std::move(py), 0, span);
    auto [dx, dy] = series(history, span, [](const MachineReading& one) { return one.diskFree ? static_cast<double>(*one.diskFree) : missing; });
    m_memory->setPlot(2, bytes(now.diskFree), {}, std::move(dx), std::move(dy), 0, span);
    m_memory->setFact(tr("Memory"), words::memory(now.memoryTotal));
    m_memory->setFact(tr("Disk free"), bytes(now.diskFree));
    m_memory->setFact(tr("Runs are in"), text(m_studio.store->folder()));
}

void HardwarePage::refreshVersions()
{
    while (QLayoutItem* item = m_versionGrid->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    const EngineVersions& versions = m_studio.hardware->versions();
    const MachineFacts& facts = m_studio.hardware->facts();
    const bool known = !versions.torch.empty();
    const QString unknown = known ? tr("none") : tr("being loaded");
    int line = 0;
    const auto add = [&](const QString& name, const std::string& value, const QString& otherwise) {
        // Beside the programs a column, alone in its row three of them.
        const int columns = m_processes ? 1 : 3;
        const int row = line / columns, column = 3 * (line % columns);
        m_versionGrid->addWidget(makeLabel(name, FontRole::Caption, Token::Text2, m_versions), row, column);
        m_versionGrid->addWidget(makeLabel(value.empty() ? otherwise : text(value), FontRole::MonoSmall, Token::Text, m_versions), row, column + 1);
        m_versionGrid->setColumnStretch(column + 1, 1);
        ++line;
    };
    add(tr("Driver"), facts.gpuDriver, tr("none"));
    add(tr("CUDA"), versions.cuda, facts.gpus.empty() && known ? tr("not needed") : unknown);
    add(tr("cuDNN"), versions.cudnn, facts.gpus.empty() && known ? tr("not needed") : unknown);
    add(tr("LibTorch"), versions.torch, unknown);
    add(tr("CPU code"), versions.cpuCapability, unknown);
    add(tr("Qt"), qVersion(), {});
    add(tr("Sconce"), SCONCE_VERSION, {});
}

void HardwarePage::refreshProcesses()
{
    const MachineReading& now = m_studio.hardware->reading();
    QStringList shown;
    for (std::size_t i = 0; i < now.gpus.size(); ++i)
        for (const GpuProcess& process : now.gpus[i].processes) shown << QStringLiteral("%1|%2|%3|%4").arg(i).arg(process.pid).arg(text(process.name), bytes(process.memoryBytes));
    const QString key = shown.isEmpty() ? QStringLiteral("none") : shown.join(QLatin1Char('\n'));
    if (key == m_processesShown) return;
    m_processesShown = key;
    while (QLayoutItem* item = m_processGrid->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    if (shown.isEmpty()) {
        m_processGrid->addWidget(makeLabel(tr("No program uses a GPU now."), FontRole::Body, Token::Text2, m_processes), 0, 0);
        return;
    }
    const QStringList heads{tr("Device"), tr("PID"), tr("Program"), tr("GPU memory")};
    for (int c = 0; c < heads.size(); ++c) m_processGrid->addWidget(makeLabel(heads[c], FontRole::Caption, Token::Text2, m_processes), 0, c);
    m_processGrid->setColumnStretch(2, 1);
    for (int r = 0; r < shown.size(); ++r) {
        const QStringList cells = shown[r].split(QLatin1Char('|'));
        m_processGrid->addWidget(makeLabel(tr("GPU %1").arg(cells[0]), FontRole::Body, Token::Text2, m_processes), r + 1, 0);
        m_processGrid->addWidget(makeLabel(cells[1], FontRole::MonoSmall, Token::Text2, m_processes), r + 1, 1);
        auto* name = new ElidedLabel(cells[2], Qt::ElideMiddle, m_processes);
        name->setFont(ui::font(FontRole::Strong));
        m_processGrid->addWidget(name, r + 1, 2);
        m_processGrid->addWidget(makeLabel(cells[3], FontRole::MonoSmall, Token::Text, m_processes), r + 1, 3);
    }
}

QString HardwarePage::asText() const
{
    QStringList parts;
    const MachineFacts& facts = m_studio.hardware->facts();
    parts << QStringLiteral("%1, %2, %3").arg(text(facts.hostName), text(facts.system), text(facts.kernel));
    if (facts.gpus.empty()) parts << text(facts.gpuState);
    for (const DeviceCard* card : m_gpus) parts << card->asText();
    if (m_cpu) parts << m_cpu->asText();
    if (m_memory) parts << m_memory->asText();
    const EngineVersions& versions = m_studio.hardware->versions();
    parts << QStringLiteral("Sconce %1, LibTorch %2, CUDA %3, cuDNN %4, driver %5")
                 .arg(QStringLiteral(SCONCE_VERSION), text(versions.torch), versions.cuda.empty() ? QStringLiteral("–") : text(versions.cuda),
                      versions.cudnn.empty() ? QStringLiteral("–") : text(versions.cudnn), facts.gpuDriver.empty() ? QStringLiteral("–") : text(facts.gpuDriver));
    return parts.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

} // namespace sconce::ui
