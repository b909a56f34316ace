// SPDX-License-Identifier: GPL-3.0-or-later
// The window's program. The empty window is painted first; then the store is opened, the services and the first page are
// made, and after that everything else (LibTorch's CUDA part last, by the hardware service).
#include "core/base/log.h"
#include "core/engine/devices.h"
#include "ui/settings/store_place.h"
#include "ui/shell/main_window.h"
#include "ui/shell/workspace.h"
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QTimer>

#include <cstdio>

using namespace sconce;
using namespace sconce::ui;

namespace {

struct Options
{
    QString store, theme, page;
    bool timings = false; ///< says when what was ready, for the bench of the first paint
};

ThemeChoice themeNamed(const QString& name)
{
    return name == QLatin1String("light") ? ThemeChoice::Light : name == QLatin1String("desktop") ? ThemeChoice::Desktop : ThemeChoice::Dark;
}

/// Opens the store; on failure says why and offers ways out until one works. Null: the person gave up.
std::shared_ptr<Store> openStore(MainWindow& window, QString folder)
{
    for (;;) {
        Result<std::shared_ptr<Store>> opened = Store::open(folder.toStdString());
        if (opened.ok()) return std::move(opened).value();
        const int answer = ask(&window, {QObject::tr("Your runs could not be opened"), QString::fromStdString(opened.error().text()) + QStringLiteral("\n\n") + folder,
                                         {QObject::tr("Try again"), QObject::tr("Another folder…"), QObject::tr("Quit")}, 0, 2});
        if (answer == 2) return nullptr;
        if (answer == 1) {
            const QString other = chooseFolder(&window, QObject::tr("Choose the folder for the runs"));
            if (!other.isEmpty()) folder = other;
        }
    }
}

/// The store's folder after a look at the note that a move leaves; empty: the person gave up.
QString placeOfStore(MainWindow& window, const QString& given)
{
    if (!given.isEmpty()) return QDir(given).absolutePath();
    const QString usual = QString::fromStdString(Store::defaultFolder());
    const MovedTo moved = movedTo(usual);
    if (moved.folder.isEmpty() || moved.there) return usual;
    const int answer = ask(&window, {QObject::tr("Your runs are not where they were moved to"),
                                     QObject::tr("%1 is not there. Is its disk connected? The old folder still holds what was there before the move.").arg(moved.folder),
                                     {QObject::tr("Try again"), QObject::tr("Use the old folder"), QObject::tr("Quit")}, 0, 2});
    if (answer == 0) return placeOfStore(window, given);
    return answer == 1 ? usual : QString();
}

bool parse(QApplication& app, Options& options)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(QObject::tr("Trains neural networks on this computer."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOptions({{QStringLiteral("store"), QObject::tr("Folder with the runs."), QStringLiteral("DIR")},
                       {QStringLiteral("theme"), QObject::tr("dark, light or desktop."), QStringLiteral("THEME")},
                       {QStringLiteral("page"), QObject::tr("Page to begin with: welcome, data, compose, live, runs, hardware, tryit, settings."), QStringLiteral("PAGE")},
                       {QStringLiteral("timings"), QObject::tr("Print when the window was painted and ready.")}});
    parser.process(app);
    options = {parser.value(QStringLiteral("store")), parser.value(QStringLiteral("theme")), parser.value(QStringLiteral("page")), parser.isSet(QStringLiteral("timings"))};
    if (!options.page.isEmpty() && !MainWindow::pageNamed(options.page)) {
        std::fprintf(stderr, "There is no page named %s.\n", qPrintable(options.page));
        return false;
    }
    if (!options.theme.isEmpty() && options.theme != QLatin1String("dark") && options.theme != QLatin1String("light") && options.theme != QLatin1String("desktop")) {
        std::fprintf(stderr, "There is no theme named %s: dark, light or desktop.\n", qPrintable(options.theme));
        return false;
    }
    return true;
}

/// Tells the first time that the window's content was painted.
class PaintWatch : public QObject
{
  public:
    PaintWatch(QWidget* window, std::function<void()> painted) : QObject(window), m_painted(std::move(painted)) { window->installEventFilter(this); }

  protected:
    bool eventFilter(QObject* object, QEvent* event) override
    {
        if (event->type() != QEvent::UpdateRequest && event->type() != QEvent::Paint) return false;
        object->removeEventFilter(this);
        // After this event the frame is on its way to the screen.
        QTimer::singleShot(0, this, [this] {
            m_painted();
            deleteLater();
        });
        return false;
    }

  private:
    std::function<void()> m_painted;
};

} // namespace

int main(int argc, char** argv)
{
    QElapsedTimer clock;
    clock.start();
    prepareEngineProcess();
    QApplication app(argc, argv);
    app.setApplicationName(QStringLiteral("Sconce"));
    app.setApplicationVersion(QStringLiteral(SCONCE_VERSION));
    app.setDesktopFileName(QStringLiteral("sconce"));
    Options options;
    if (!parse(app, options)) return 2;
    Settings settings;
    Theme::instance().apply(app, themeNamed(options.theme.isEmpty() ? settings.value(QStringLiteral("look/theme"), QStringLiteral("dark")).toString() : options.theme));

    MainWindow window(settings);
    std::unique_ptr<Workspace> workspace;
    const auto say = [&](const char* what) {
        if (options.timings) std::fprintf(stderr, "%s after %lld ms\n", what, static_cast<long long>(clock.elapsed()));
    };
    QObject::connect(&window, &MainWindow::firstPageReady, &window, [&] { say("first page"); });
    new PaintWatch(&window, [&] {
        say("first paint");
        const QString folder = placeOfStore(window, options.store);
        std::shared_ptr<Store> store = folder.isEmpty() ? nullptr : openStore(window, folder);
        if (!store) {
            app.exit(1);
            return;
        }
        openLog(store->folder() + "/sconce.log", LogLevel::Warning);
        const QString worker = QCoreApplication::applicationDirPath() + QStringLiteral("/sconce");
        workspace = std::make_unique<Workspace>(std::move(store), settings, worker);
        window.attach(workspace->studio(), MainWindow::pageNamed(options.page));
    });
    window.show();
    const int code = app.exec();
    // Pages stand on the services, so they go first.
    delete window.takeCentralWidget();
    workspace.reset();
    return code;
}
