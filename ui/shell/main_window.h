// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The window: rail, pages, status bar. It is shown before there is a store or an engine (first paint), and gets its services
// by attach(); pages are made one per turn of the event loop after that, the first one at once.

#include "ui/services/studio.h"

#include <QMainWindow>

#include <map>

class QStackedWidget;
class QVBoxLayout;

namespace sconce::ui {

class Banner;
class Page;
class Rail;
class StatusBar;

class MainWindow : public QMainWindow
{
    Q_OBJECT
  public:
    explicit MainWindow(Settings& settings, QWidget* parent = nullptr);
    ~MainWindow() override;

    /// Services are there: makes the page to begin with (default: as remembered), then the others in turns of the event loop.
    void attach(Studio& studio, std::optional<PageId> first = {});
    void goTo(PageId page);
    PageId currentPage() const { return m_current; }
    Page* page(PageId id); ///< makes it if need be; nullptr before attach()
    bool allPagesMade() const;
    Rail* rail() const { return m_rail; }
    StatusBar* statusLine() const { return m_status; }
    /// Adds a sentence above the pages; the window owns it.
    void addBanner(Banner* banner);

    static std::optional<PageId> pageNamed(const QString& name); ///< "data", "live", …
    static QString pageName(PageId page);

  Q_SIGNALS:
    void pageShown(sconce::ui::PageId page);
    void firstPageReady();

  protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    void addShortcuts();
    void makeNextPage();
    void followNavigator();
    void followRuns();
    void offerResume();
    void applySizeClass();
    void askBeforeClosing();
    void handOver();
    void finishClosing();
    void showShortcuts();

    Settings& m_settings;
    Studio* m_studio = nullptr;
    Rail* m_rail = nullptr;
    StatusBar* m_status = nullptr;
    QStackedWidget* m_stack = nullptr;
    QVBoxLayout* m_banners = nullptr;
    std::map<PageId, Page*> m_pages;
    PageId m_current = PageId::Welcome;
    bool m_narrow = false, m_low = false;
    bool m_resumeOffered = false;
    enum class Closing { No, Working, Yes } m_closing = Closing::No;
};

} // namespace sconce::ui
