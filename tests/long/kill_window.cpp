// SPDX-License-Identifier: GPL-3.0-or-later
// The window as the kill test kills it: the real main window on a store, which resumes one run on its training thread and
// closes when that has ended. PROGRAM RUN --store DIR
#include "core/engine/devices.h"
#include "ui/shell/main_window.h"
#include "ui/shell/workspace.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QTimer>

#include <cstdio>

using namespace sconce;
using namespace sconce::ui;

int main(int argc, char** argv)
{
    if (argc != 4) return std::fprintf(stderr, "sconce_kill_window RUN --store DIR\n"), 2;
    const RunId run = argv[1];
    prepareEngineProcess();
    QApplication app(argc, argv);
    app.setApplicationName(QStringLiteral("sconce-kill-window"));
    auto store = Store::open(argv[3]);
    if (!store.ok()) return std::fprintf(stderr, "%s\n", store.error().text().c_str()), 2;
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, QString::fromStdString((*store)->folder() + "/config"));
    Settings settings;
    Theme::instance().apply(app, ThemeChoice::Dark);
    MainWindow window(settings);
    Workspace workspace(*store, settings, QString());
    window.show();
    window.attach(workspace.studio(), PageId::Live);
    RunService* service = workspace.studio().runService;
    service->resume(run);
    bool trained = false;
    QTimer watch;
    QObject::connect(&watch, &QTimer::timeout, &app, [&] {
        trained |= service->training();
        if (trained && !service->training() && !service->preparing()) app.exit(0);
    });
    watch.start(50);
    const int code = app.exec();
    delete window.takeCentralWidget(); // pages stand on the services
    return code;
}
