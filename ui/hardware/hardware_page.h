// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The machine as a page: a card per GPU, one for the CPU with memory and disk, live plots over the same span, versions and
// the programs that use a GPU. Plain words where there is no GPU.

#include "ui/hardware/device_card.h"
#include "ui/services/studio.h"
#include "ui/widgets/page.h"

class QGridLayout;
class QVBoxLayout;

namespace sconce::ui {

class Card;
class PlotView;
class SegmentedControl;

class HardwarePage : public Page
{
    Q_OBJECT
  public:
    HardwarePage(Studio& studio, QWidget* parent);
    void shown() override;
    void setCompact(bool narrow, bool low) override;
    QString asText() const; ///< what *Copy as text* copies

  private:
    void build();           ///< the cards, once the machine is known
    void refresh();         ///< numbers and plots of the newest sample
    void refreshGpus(const std::vector<MachineReading>& history, double span);
    void refreshCpu(const std::vector<MachineReading>& history, double span);
    void refreshVersions();
    void fold();            ///< two plots a row in a small window
    void refreshProcesses();
    QWidget* makeNoGpuCard();

    Studio& m_studio;
    SegmentedControl* m_span = nullptr;
    QVBoxLayout* m_column = nullptr;
    bool m_built = false, m_narrow = false;
    int m_corePlots = 0;    ///< cores with a plot each; 0: bars
    std::vector<DeviceCard*> m_gpus;
    DeviceCard* m_cpu = nullptr;
    DeviceCard* m_memory = nullptr;
    Card* m_versions = nullptr;
    QGridLayout* m_versionGrid = nullptr;
    Card* m_processes = nullptr;
    QGridLayout* m_processGrid = nullptr;
    QString m_processesShown;
};

} // namespace sconce::ui
