// SPDX-License-Identifier: GPL-3.0-or-later
// Every choice and number of a recipe says what it does, in sentences: window and command line have no other words for them.
#include "core/recipe/recipe.h"

#include <QStringList>
#include <QTest>

using namespace sconce;

namespace {

struct List { const char* name; std::span<const OptionEntry> entries; };

std::vector<List> lists()
{
    return {{"tasks", taskEntries()}, {"optimisers", optimiserEntries()}, {"schedules", scheduleEntries()}, {"training", trainingOptions()}, {"augmentation", augmentationEntries()}};
}

qsizetype words(const std::string& text) { return QString::fromStdString(text).split(QLatin1Char(' '), Qt::SkipEmptyParts).size(); }

} // namespace

class HelpsTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void everythingExplainsItself_data()
    {
        QTest::addColumn<QString>("help");
        QTest::addColumn<int>("leastWords");
        for (const List& list : lists()) {
            QVERIFY(!list.entries.empty());
            for (const OptionEntry& entry : list.entries) {
                const std::string at = std::string(list.name) + "/" + entry.id;
                QTest::newRow(at.c_str()) << QString::fromStdString(entry.help) << 6;
                for (const ParamDescriptor& param : entry.params) {
                    QTest::newRow((at + "/" + param.id).c_str()) << QString::fromStdString(param.help) << 6;
                    for (const ParamChoice& choice : param.choices)
                        QTest::newRow((at + "/" + param.id + "=" + choice.id).c_str()) << QString::fromStdString(choice.help) << 2; // a clause below the choice's title
                }
            }
        }
    }
    void everythingExplainsItself()
    {
        QFETCH(QString, help);
        QFETCH(int, leastWords);
        QVERIFY2(words(help.toStdString()) >= leastWords, qPrintable(help));
        QVERIFY2(help[0].isUpper() || help[0].isDigit(), qPrintable(help));
        QVERIFY2(leastWords == 2 || help.endsWith(QLatin1Char('.')), qPrintable(help));
        QVERIFY2(!help.contains(QLatin1String("  ")) && help.trimmed() == help, qPrintable(help));
    }

    /// What every change of pictures is for, and what it costs, where it is switched on.
    void changesOfPicturesTellTheirPrice()
    {
        for (const OptionEntry& entry : augmentationEntries()) {
            const ParamDescriptor* on = findParam(entry.params, "on");
            if (!on) continue;
            QCOMPARE(on->help, entry.help);
            QVERIFY2(entry.help.find("wants more epochs") != std::string::npos && entry.help.find(" cost one pass over the batch") != std::string::npos, entry.id.c_str());
        }
    }
};

QTEST_GUILESS_MAIN(HelpsTest)
#include "helps_test.moc"
