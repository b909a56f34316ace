// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A dialog over Compose that tries something with a few steps of the recipe's network: it opens the data, works in the background, shows
// how far it is, can be cancelled, and says what came of it. What is tried and shown is the derived class's. Owned by its parent;
// deletes itself when it is closed, which also ends what is under way.

#include "core/training/trial.h"
#include "ui/services/studio.h"

#include <QDialog>

#include <atomic>

class QHBoxLayout;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace sconce::ui {

class ProgressStrip;

class TrialDialog : public QDialog
{
    Q_OBJECT
  public:
    ~TrialDialog() override;

  protected:
    /// `name` begins the names of its widgets: NAME.progress, NAME.words, NAME.again, NAME.close.
    TrialDialog(Studio& studio, Recipe recipe, const QString& name, const QString& title, const QString& what, QWidget* parent);

    QVBoxLayout* body() const { return m_body; }       ///< between the explanation and the progress
    QHBoxLayout* actions() const { return m_actions; } ///< right of Close
    /// From the start, ending what is under way. For the derived class's constructor to call last.
    void begin();
    /// Takes away what was shown.
    virtual void clear() = 0;
    /// The data are there; inBackground() and tell() do the rest.
    virtual void work(const TrialSource& source) = 0;

    /// Work on another thread; `done` on the window's, unless it was cancelled meanwhile.
    template <class T> void inBackground(std::function<T()> work, std::function<void(const T&)> done)
    {
        m_studio.jobs->run<T>(this, std::move(work), [done = std::move(done), cancelled = m_cancelled](const T& result) {
            if (!cancelled->load()) done(result);
        });
    }
    /// For the work: runs what it is given on the window's thread in a moment. False once it was cancelled.
    std::function<bool(std::function<void()>)> teller();
    void setShare(double share); ///< 0…1, or -1: not known
    void setWords(const QString& words);
    void finish(const QString& words); ///< nothing is under way any more

    Studio& m_studio;
    const Recipe m_recipe;

  private:
    std::shared_ptr<std::atomic<bool>> m_cancelled;
    QVBoxLayout* m_body = nullptr;
    QHBoxLayout* m_actions = nullptr;
    ProgressStrip* m_progress = nullptr;
    QLabel* m_words = nullptr;
    QPushButton *m_again = nullptr, *m_close = nullptr;
};

} // namespace sconce::ui
