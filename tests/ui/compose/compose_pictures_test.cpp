// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of the Compose page for people to look at, written to the folder in SCONCE_PICTURES; and a check, always made,
// that no label of the page is cut off in either size class.

#include "fixture.h"

#include "ui/compose/compose_header.h"

#include <QLabel>
#include <QScrollArea>
#include <QTabBar>

using namespace sconce;
using namespace sconce::ui;

namespace {

/// Labels whose words do not fit, by name; those that shorten themselves are meant to.
QStringList cutLabels(QWidget* page)
{
    QStringList cut;
    for (QLabel* label : page->findChildren<QLabel*>()) {
        if (!label->isVisible() || label->text().isEmpty() || label->property("elides").toBool() || label->wordWrap()) continue;
        const int needed = label->fontMetrics().horizontalAdvance(label->text());
        if (label->textFormat() == Qt::PlainText && label->contentsRect().width() < needed)
            cut << QStringLiteral("%1 \"%2\" %3 < %4").arg(label->objectName(), label->text()).arg(label->contentsRect().width()).arg(needed);
    }
    for (QScrollArea* area : page->findChildren<QScrollArea*>())
        if (area->isVisible() && area->widget() && area->widget()->width() > area->viewport()->width())
            cut << QStringLiteral("%1 is %2 wide in %3").arg(area->objectName()).arg(area->widget()->width()).arg(area->viewport()->width());
    return cut;
}

} // namespace

class ComposePicturesTest : public QObject
{
    Q_OBJECT

    void picture(ComposeFixture& f, const QString& name)
    {
        QTest::qWait(120);
        const QString folder = qEnvironmentVariable("SCONCE_PICTURES");
        if (!folder.isEmpty()) QVERIFY(f.page->grab().save(folder + QLatin1Char('/') + name + QStringLiteral(".png")));
    }

  private Q_SLOTS:
    void pages_data()
    {
        QTest::addColumn<bool>("dark");
        QTest::addColumn<bool>("small");
        QTest::newRow("dark") << true << false;
        QTest::newRow("light") << false << false;
        QTest::newRow("small-dark") << true << true;
        QTest::newRow("small-light") << false << true;
    }

    void pages()
    {
        QFETCH(bool, dark);
        QFETCH(bool, small);
        Theme::instance().apply(*qApp, dark ? ThemeChoice::Dark : ThemeChoice::Light);
        ComposeFixture f;
        f.page->resize(small ? QSize(1280 - 52, 720 - 24) : QSize(1440 - 76, 900 - 28));
        f.page->setCompact(small, small);
        const QString tag = QString::fromLatin1(QTest::currentDataTag());
        QVERIFY(f.document().startable());
        f.clickRow(3);
        picture(f, tag + QStringLiteral("-layer"));
        QCOMPARE(cutLabels(f.page.get()).join(QLatin1Char(0x2c)), QString());
        f.find<QTabBar>("compose.tabs")->setCurrentIndex(1);
        picture(f, tag + QStringLiteral("-training"));
        QCOMPARE(cutLabels(f.page.get()).join(QLatin1Char(0x2c)), QString());

        // A broken stack: no Flatten, too many units.
        f.document().change(QStringLiteral("break"), [](Recipe& r) {
            std::erase_if(r.stack.layers, [](const Layer& l) { return l.type == "flatten"; });
            r.stack.layers.back().params["units"] = std::int64_t{12};
        });
        QVERIFY(!f.document().startable());
        f.stack()->selectLayers({f.recipe().stack.layers.back().id});
        f.find<QTabBar>("compose.tabs")->setCurrentIndex(0);
        picture(f, tag + QStringLiteral("-problems"));
        QCOMPARE(cutLabels(f.page.get()).join(QLatin1Char(0x2c)), QString());

        f.document().undoStack().undo();
        const StarterRecipe* nested = findStarter("small-resnet");
        QVERIFY(nested);
        f.document().load(nested->recipe, {});
        picture(f, tag + QStringLiteral("-nested"));
        QCOMPARE(cutLabels(f.page.get()).join(QLatin1Char(0x2c)), QString());
    }
};

QTEST_MAIN(ComposePicturesTest)
#include "compose_pictures_test.moc"
