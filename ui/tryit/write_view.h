// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A model of texts at work: a beginning, how long and how boldly, and the text that appears as it is written. Shown in place of the
// canvas and the confusion matrix, which would have nothing to say.

#include "core/evaluate/evaluate.h"
#include "core/evaluate/generate.h"

#include <QWidget>

class QDoubleSpinBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;

namespace sconce::ui {

class Card;
class ProgressStrip;
class Settings;
struct LoadedModel;

class WriteView : public QWidget
{
    Q_OBJECT
  public:
    explicit WriteView(Settings& settings, QWidget* parent = nullptr);
    /// True if the model's answers belong here.
    static bool fits(const LoadedModel& model);
    void setModel(const LoadedModel& model);
    void setProgress(std::int64_t done, std::int64_t total);
    void setReport(const EvaluationReport& report);
    /// Of the writing with that number; what comes late of another is not shown.
    void add(const QString& piece, int writing);
    void end(const QString& error, double seconds, int writing);
    bool writing() const { return m_writing; }

  Q_SIGNALS:
    void asked(const QString& prompt, const sconce::GenerateSettings& settings, int writing);
    void stopAsked();

  private:
    QWidget* buildLeft();
    QWidget* buildRight();
    void generate();
    void showState();

    Settings& m_settings;
    QPlainTextEdit *m_prompt = nullptr, *m_text = nullptr;
    QSpinBox *m_length = nullptr, *m_seed = nullptr;
    QDoubleSpinBox* m_temperature = nullptr;
    QPushButton *m_generate = nullptr, *m_copy = nullptr;
    QLabel *m_knows = nullptr, *m_note = nullptr, *m_problem = nullptr, *m_took = nullptr;
    Card* m_card = nullptr;
    ProgressStrip* m_progress = nullptr;
    int m_number = 0;     ///< of the writing that is shown
    std::int64_t m_symbols = 0; ///< written so far
    bool m_writing = false;
};

} // namespace sconce::ui
