// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A real Live page over real services, brought into every state by a scripted trainer.

#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/live/live_page.h"
#include "ui/services/pages.h"

#include <QLabel>

namespace sconce::ui::test {

class LivePageFixture : public QObject
{
  protected:
    template <class T> T* child(const char* name) { return page->findChild<T*>(QLatin1String(name)); }
    QPushButton* button(const char* name) { return child<QPushButton>(name); }
    void click(const char* name)
    {
        QPushButton* b = button(name);
        QVERIFY2(b, name);
        QTRY_VERIFY2(b->isVisible() && b->isEnabled(), name);
        QTest::mouseClick(b, Qt::LeftButton);
    }
    void press(const char* name)
    {
        QPushButton* b = button(name);
        QVERIFY2(b, name);
        b->setFocus();
        QTest::keyClick(b, Qt::Key_Space);
    }
    void open()
    {
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
        f = std::make_unique<StudioFixture>();
        f->useScript();
        page.reset(makeLivePage(f->studio, nullptr));
        page->resize(1364, 844);
        page->show();
        QVERIFY(QTest::qWaitForWindowExposed(page.get()));
        QTRY_VERIFY(f->runs->loaded());
    }
    void close()
    {
        setAsker(nullptr);
        setFileChooser(nullptr);
        page.reset();
        f.reset();
    }
    void begin(std::int64_t stepsPerEpoch = 100, std::int64_t epochs = 4)
    {
        Recipe recipe = quickRecipe(static_cast<int>(epochs));
        run = f->scriptedRun("mnist-convnet", recipe);
        f->runs->refresh();
        QTRY_VERIFY(f->runs->find(run));
        f->runService->resume(run);
        QTRY_VERIFY(f->script && f->script->run == run);
        f->script->begin(0, stepsPerEpoch, epochs);
        QTRY_VERIFY(f->runService->current() && f->runService->current()->status == RunStatus::Running);
    }
    /// Writes the page into the folder that the environment names, in both themes.
    void picture(const QString& name)
    {
        const QString folder = qEnvironmentVariable("SCONCE_PICTURES");
        if (folder.isEmpty()) return;
        QTest::qWait(200);
        for (const auto choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
            Theme::instance().apply(*qApp, choice);
            QTest::qWait(200);
            page->grab().save(QStringLiteral("%1/%2-%3.png").arg(folder, name, choice == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light")));
        }
    }
    QString allText()
    {
        QStringList words;
        const auto labels = page->findChildren<QLabel*>();
        for (const QLabel* label : labels) {
            const auto* elided = qobject_cast<const ElidedLabel*>(label);
            if (label->isVisible()) words << (elided ? elided->fullText() : label->text());
        }
        return words.join(QLatin1Char('\n'));
    }

    std::unique_ptr<StudioFixture> f;
    std::unique_ptr<Page> page;
    RunId run;
};

} // namespace sconce::ui::test
