// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The Data page: the library at the left, the samples of the chosen set and its class balance in the middle, split and steps at
// the right.

#include "ui/data/sample_grid.h"
#include "ui/services/data_choices.h"
#include "ui/services/studio.h"
#include "ui/widgets/page.h"

class QAbstractButton;
class QComboBox;
class QGridLayout;
class QLabel;
class QLineEdit;
class QListView;
class QPushButton;
class QSlider;
class QStackedWidget;
class QSortFilterProxyModel;

namespace sconce::ui {

class Card;
class ClassBars;
class ElidedLabel;
class ProgressStrip;
class SegmentedControl;
class SetListModel;
class SplitPanel;
class TableView;
class TextView;

class DataPage : public Page
{
    Q_OBJECT
  public:
    explicit DataPage(Studio& studio, QWidget* parent = nullptr);
    void shown() override;
    void setCompact(bool narrow, bool low) override;

  protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* object, QEvent* event) override;

  private:
    void buildHeader();
    QWidget* buildLeft();
    QWidget* buildMiddle();
    QWidget* buildSamplesCard();
    void buildView(QWidget* card);
    void buildTools();
    void connectServices();
    void addPath(const QString& path);
    void addByButton(bool folder);
    void select(const DatasetId& id);
    void opened(const DatasetId& id, DatasetPtr data, const QString& sentence);
    void showInfo();
    void showSamples();
    void showClasses();
    void showSampleLine(int index);
    void enlarge(int index);
    void removeSet();
    void trainOnThis();
    void showTarget();
    void showTools();
    void fitTools();
    bool isChangeable() const { return !m_data || changeableSize(m_data->info()); } ///< by the steps before the network
    void showChanges();
    void chooseAnother();
    static QString shareName(int share); ///< 0 training, 1 validation, 2 test
    void showSymbols(const SplitRows& rows);
    void showLabels(const SplitRows& rows);
    bool hasLabels() const { return m_data && !m_data->info().labelNames.empty(); }
    void chooseTarget(int index);
    void chooseLabels();
    bool isText() const { return m_data && m_data->info().kind == "text"; }
    bool isTable() const { return m_data && m_data->info().kind == "table"; }
    void fillThumbnails();

    Studio& m_studio;
    SetListModel* m_model = nullptr;
    QSortFilterProxyModel* m_filter = nullptr;
    QListView* m_list = nullptr;
    QLineEdit* m_search = nullptr;
    QWidget* m_drop = nullptr;
    QWidget* m_progress = nullptr;
    ElidedLabel* m_progressText = nullptr;
    ProgressStrip* m_progressStrip = nullptr;
    QLabel *m_name = nullptr, *m_checked = nullptr;
    ElidedLabel* m_facts = nullptr;
    QLabel* m_error = nullptr;
    SegmentedControl* m_view = nullptr;  ///< as stored, or as the network sees them
    QLabel* m_showLabel = nullptr;
    QWidget *m_tools = nullptr, *m_filters = nullptr;
    QGridLayout* m_toolRows = nullptr;
    static constexpr int m_toolGap = 8;
    QComboBox *m_classFilter = nullptr, *m_partFilter = nullptr;
    QSlider* m_size = nullptr;
    SampleGrid* m_grid = nullptr;
    QStackedWidget* m_samples = nullptr; ///< pictures, the rows of a table, or a text
    TableView* m_table = nullptr;
    TextView* m_text = nullptr;
    QAbstractButton* m_mixButton = nullptr;
    QComboBox* m_target = nullptr;       ///< the column of a table that is predicted
    QPushButton* m_labels = nullptr;     ///< or several of them at once
    QLabel *m_targetLabel = nullptr, *m_sizeLabel = nullptr;
    QLabel* m_sampleLine = nullptr;
    ElidedLabel* m_keyLine = nullptr;
    Card* m_classCard = nullptr;
    ClassBars* m_bars = nullptr;
    SplitPanel* m_split = nullptr;
    QPushButton* m_train = nullptr;
    QPushButton* m_more = nullptr;
    DatasetId m_id;
    DatasetPtr m_data;
    SplitSettings m_shownSplit;
    std::uint64_t m_mix = 0; ///< 0: as stored; else the seed of a shuffled view
};

} // namespace sconce::ui
