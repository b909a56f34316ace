// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What stands in the way of training, as sentences with their fixes on buttons; one quiet line where nothing does. Above
// it, a notice that something else went wrong (a file, a start) or was found out.

#include "ui/compose/recipe_document.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QScrollArea;
class QToolButton;
class QVBoxLayout;

namespace sconce::ui {

class ProblemPanel : public QWidget
{
    Q_OBJECT
  public:
    explicit ProblemPanel(RecipeDocument& document, QWidget* parent = nullptr);

    /// A sentence that stays until it is dismissed or replaced; empty hides it.
    void setNotice(const QString& sentence, bool error);
    QString notice() const;
    void setSelected(const LayerId& layer); ///< its problem is marked
    /// In a low window the line stands in the estimate bar; the panel then only shows the list when asked.
    void setLow(bool low);
    void toggleList();
    /// "No problems", "2 problems and 1 hint".
    static QString summary(const std::vector<Problem>& problems);

  Q_SIGNALS:
    void layerChosen(const sconce::LayerId& layer);
    void inputChosen(); ///< a problem of what the network is fed
    void keyboardFreed(); ///< the last fix that had the keyboard is done

  protected:
    bool eventFilter(QObject* object, QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void update();
    void showList();
    void fitList();
    QWidget* makeRow(const Problem& problem, int index);

    RecipeDocument& m_document;
    QWidget* m_notice = nullptr;
    QLabel* m_noticeIcon = nullptr;
    QLabel* m_noticeText = nullptr;
    QWidget* m_line = nullptr;
    QLabel* m_icon = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_detail = nullptr;
    QPushButton* m_fixAll = nullptr;
    QToolButton* m_fold = nullptr;
    QScrollArea* m_scroll = nullptr;
    QWidget* m_list = nullptr;
    std::vector<QWidget*> m_rows;
    std::vector<LayerId> m_rowLayers;
    std::vector<bool> m_rowOfInput;
    std::string m_shown; ///< what the rows show: rebuilt only when it changes
    LayerId m_selected;
    bool m_open = true, m_low = false, m_lowOpen = false;
};

} // namespace sconce::ui
