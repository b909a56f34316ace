// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A real Data page over the services and the store of a StudioFixture.

#include "tests/support/patience.h"
#include "tests/support/studio_fixture.h"
#include "ui/data/data_page.h"
#include "ui/data/set_list.h"
#include "ui/widgets/parts.h"

#include <QListView>

namespace sconce::ui::test {

struct Shown
{
    StudioFixture services;
    std::unique_ptr<DataPage> page;

    explicit Shown(std::shared_ptr<QTemporaryDir> folder = std::make_shared<QTemporaryDir>()) : services(std::move(folder)) { open(); }
    ~Shown()
    {
        page.reset();
        setFileChooser({});
        setAsker({});
    }
    void open(QSize size = QSize(1364, 872))
    {
        page = std::make_unique<DataPage>(services.studio);
        page->resize(size);
        page->show();
        page->activateWindow();
        (void)QTest::qWaitForWindowActive(page.get());
        page->shown();
        (void)QTest::qWaitFor([this] { return grid()->data() != nullptr; }, sconce::test::patienceMs);
    }
    template <class T> T* find(const char* name) const
    {
        T* found = page->findChild<T*>(QString::fromLatin1(name));
        if (!found) qFatal("no widget is called %s", name);
        return found;
    }
    SampleGrid* grid() const { return find<SampleGrid>("data.samples"); }
    QListView* list() const { return find<QListView>("data.list"); }
    QString text(const char* label) const { return find<QLabel>(label)->text(); }
    std::array<std::int64_t, 3> shares() const
    {
        std::array<std::int64_t, 3> counts{};
        for (const auto& sample : grid()->samples()) ++counts[static_cast<std::size_t>(sample.share)];
        return counts;
    }
    void drop(const QString& path)
    {
        QMimeData mime;
        mime.setUrls({QUrl::fromLocalFile(path)});
        const QPoint where(600, 400);
        QDragEnterEvent enter(where, Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(page.get(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(where, Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(page.get(), &drop);
        QVERIFY(drop.isAccepted());
    }
    void select(const std::string& id)
    {
        for (int row = 0; row < list()->model()->rowCount(); ++row) {
            const QModelIndex index = list()->model()->index(row, 0);
            if (index.data(SetListModel::IdRole).toString().toStdString() == id)
                QTest::mouseClick(list()->viewport(), Qt::LeftButton, {}, list()->visualRect(index).center());
        }
    }
};

/// Three classes of coloured pictures, `each` a class, one of them wider than high.
inline void makePictures(const QString& folder, int each)
{
    const QColor colours[] = {Qt::red, Qt::green, Qt::blue};
    const char* names[] = {"apples", "leaves", "skies"};
    for (int c = 0; c < 3; ++c) {
        QDir().mkpath(folder + QLatin1Char('/') + QLatin1String(names[c]));
        for (int i = 0; i < each; ++i) {
            QImage image(24, 20, QImage::Format_RGB888);
            image.fill(colours[c]);
            for (int x = 0; x < 24; ++x) image.setPixelColor(x, i % 20, Qt::white);
            QVERIFY(image.save(QStringLiteral("%1/%2/%3.png").arg(folder, QLatin1String(names[c])).arg(i)));
        }
    }
}

} // namespace sconce::ui::test
