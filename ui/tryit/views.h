// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Pictures of an evaluation: probabilities as bars, the confusion matrix, and rows of samples with what was said.

#include "core/evaluate/evaluate.h"

#include <QWidget>

#include <optional>

class QPainter;

namespace sconce::ui {

class ProbabilityBars : public QWidget
{
    Q_OBJECT
  public:
    explicit ProbabilityBars(QWidget* parent = nullptr);
    void setClasses(const std::vector<std::string>& classes);
    void setProbabilities(std::vector<float> probabilities); ///< empty: nothing to show yet
    /// Of labels, any number of which may be there: all above it are lit, and a line stands at it. Without one, the likeliest is lit.
    void setThreshold(std::optional<double> threshold);
    const std::vector<float>& probabilities() const { return m_probabilities; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override; ///< rows stand closer in a low window
    /// "3: 86.5 %", for tests and accessibility.
    QString best() const;

  protected:
    void paintEvent(QPaintEvent*) override;

  private:
    std::vector<std::string> m_classes;
    int shown() const; ///< classes that have a row
    std::optional<double> m_threshold;
    std::vector<float> m_probabilities;
};

class ConfusionView : public QWidget
{
    Q_OBJECT
  public:
    explicit ConfusionView(QWidget* parent = nullptr);
    void setReport(const EvaluationReport& report);
    void clear();
    void setShares(bool shares); ///< per cent of a row instead of counts
    int selectedTruth() const { return m_truth; }
    int selectedSaid() const { return m_said; }
    std::int64_t count(int truth, int said) const; ///< 0 where nothing is known
    QRect cell(int truth, int said) const;

  Q_SIGNALS:
    void cellChosen(int truth, int said);

  protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

  private:
    int classes() const { return static_cast<int>(m_names.size()); }
    void choose(int truth, int said);
    std::vector<std::string> m_names;
    std::vector<std::vector<std::int64_t>> m_counts;
    bool m_shares = false;
    int m_truth = -1, m_said = -1;
};

/// Samples with "said 8, is 6" and how sure it was; a click shows one in the canvas.
class SampleStrip : public QWidget
{
    Q_OBJECT
  public:
    explicit SampleStrip(QWidget* parent = nullptr);
    /// With a title, it stands below the picture in place of the classes, and the note in place of the confidence.
    struct Item { Part part; std::int64_t row; int truth, said; float confidence; QString title = {}, note = {}; };
    void setItems(DatasetPtr data, std::vector<Item> items, const QString& whenEmpty);
    int count() const { return static_cast<int>(m_items.size()); }
    const std::vector<Item>& items() const { return m_items; }
    QRect cell(int index) const;
    static int rowHeight();
    QSize sizeHint() const override { return {500, 100}; }

  Q_SIGNALS:
    void chosen(int part, std::int64_t row);

  protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

  private:
    int columns() const;
    static void drawTitle(QPainter& painter, const Item& item, const QRect& rect, const QRect& picture);
    DatasetPtr m_data;
    std::vector<Item> m_items;
    QString m_empty;
    int m_first = 0; ///< first row shown
    int m_current = -1;
};

} // namespace sconce::ui
