// SPDX-License-Identifier: GPL-3.0-or-later
// Samples with several labels: columns of yes and no of a table, and a folder of pictures with a labels.csv in each of its forms.
#include "core/data/scaling.h"
#include "core/data/split.h"
#include "core/data/table.h"
#include "core/formats/csv.h"
#include "core/formats/picture.h"
#include "tests/support/paths.h"

#include <QtTest>

#include <filesystem>
#include <fstream>

using namespace sconce;
using namespace sconce::test;

namespace {

const char* pets = "weight,dog,colour,ball,rare\n"
                   "1.5,1,red,yes,false\n"
                   "2.5,0,blue,No,FALSE\n"
                   ",1,,YES,true\n"
                   "4.0,0,red,n,t\n";

ImportOptions predicting(std::vector<std::string> labels)
{
    ImportOptions options;
    options.labels = std::move(labels);
    return options;
}

std::vector<int> setOf(const Dataset& data, Part part, std::int64_t row)
{
    const auto labels = static_cast<std::int64_t>(data.info().labelNames.size());
    const auto all = data.labelSets(part).subspan(static_cast<std::size_t>(row * labels), static_cast<std::size_t>(labels));
    return {all.begin(), all.end()};
}

/// The only pixel's value of each record, which says which picture it was.
int shadeOf(const Dataset& data, Part part, std::int64_t row)
{
    std::vector<std::uint8_t> record(data.recordBytes());
    data.gather(part, std::span(&row, 1), record);
    return record.front();
}

bool mentions(const DatasetInfo& info, const char* words)
{
    return std::any_of(info.problems.begin(), info.problems.end(), [&](const std::string& problem) { return problem.find(words) != std::string::npos; });
}

} // namespace

class LabelsTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    int m_count = 0;

    std::string file(const std::string& text)
    {
        const std::string path = m_folder / ("t" + std::to_string(++m_count) + ".csv");
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }
    /// A folder with pictures of the shades 10, 20, … by the names given, and its labels.csv.
    std::string pictures(const std::vector<std::string>& names, const std::string& list)
    {
        const std::string folder = m_folder / ("photos" + std::to_string(++m_count));
        int shade = 0;
        for (const std::string& name : names) {
            shade += 10;
            std::filesystem::create_directories(std::filesystem::path(folder + "/" + name).parent_path());
            if (!writePng(folder + "/" + name, {4, 4, 1, std::vector<std::uint8_t>(16, static_cast<std::uint8_t>(shade))})) qFatal("no picture");
        }
        std::ofstream(folder + "/labels.csv", std::ios::binary) << list;
        return folder;
    }

  private Q_SLOTS:
    void columnsOfATable()
    {
        const auto opened = openDataset(file(pets), predicting({"rare", "dog", "ball"}));
        QVERIFY2(opened.ok(), opened.ok() ? "" : opened.error().text().c_str());
        const Dataset& data = **opened;
        const DatasetInfo& info = data.info();
        QCOMPARE(info.labelNames, (std::vector<std::string>{"dog", "ball", "rare"})); // in the order of the file
        QVERIFY(info.classes.empty() && !info.numbers && info.target.empty());
        QCOMPARE(info.yesNoColumns, (std::vector<std::string>{"dog", "ball", "rare"}));
        QCOMPARE(info.sample.sizes(), (std::vector<std::int64_t>{4})); // weight; no colour, blue, red
        QCOMPARE(info.trainingPerLabel, (std::vector<std::int64_t>{2, 2, 2}));
        QCOMPARE(setOf(data, Part::Training, 0), (std::vector<int>{1, 1, 0}));
        QCOMPARE(setOf(data, Part::Training, 1), (std::vector<int>{0, 0, 0}));
        QCOMPARE(setOf(data, Part::Training, 3), (std::vector<int>{0, 0, 1}));
        const TargetCounts some = countTargets(data, std::vector<std::int64_t>{0, 1, 3});
        QCOMPARE(some.samples, 3);
        QVERIFY(some.perClass.empty());
        QCOMPARE(some.perLabel, (std::vector<std::int64_t>{1, 1, 1}));
        QVERIFY(data.labels(Part::Training).empty() && data.targets(Part::Training).empty() && data.labelSets(Part::Test).empty());
        QCOMPARE(tableRow(data, Part::Training, 0), (std::vector<std::string>{"1.5", "red", "dog, ball"}));
        QCOMPARE(tableRow(data, Part::Training, 1), (std::vector<std::string>{"2.5", "blue", "none"}));
        const Scaling scaling = fitScaling(data, std::vector<std::int64_t>{0, 1});
        QCOMPARE(scaling.mean.size(), std::size_t{4});
        QCOMPARE(scaling.targetDeviation, 1.0);

        const auto again = DatasetInfo::fromJson(info.toJson());
        QVERIFY(again.ok());
        QCOMPARE(again->labelNames, info.labelNames);
        QCOMPARE(again->trainingPerLabel, info.trainingPerLabel);
        QCOMPARE(again->yesNoColumns, info.yesNoColumns);
        const ImportOptions options = predicting({"rare", "dog"});
        QVERIFY(ImportOptions::fromJson(options.toJson()) == options);
    }

    /// What is predicted, and what of each row, is part of what the data is; a table that predicts one column is what it was.
    void fingerprints()
    {
        const std::string path = file(pets);
        const auto print = [&](const ImportOptions& options) { return (*openDataset(path, options))->info().fingerprint; };
        ImportOptions one;
        one.target = "dog";
        QVERIFY(print(predicting({"dog"})) != print(one));
        QVERIFY(print(predicting({"dog", "ball"})) != print(predicting({"dog", "rare"})));
        QCOMPARE(print(predicting({"dog", "ball"})), print(predicting({"ball", "2"}))); // by place, in any order
        std::string other(pets);
        other.replace(other.find("1,red"), 1, "0");
        QVERIFY((*openDataset(file(other), predicting({"dog", "ball"})))->info().fingerprint != print(predicting({"dog", "ball"})));
    }

    void rowsWithGaps()
    {
        const auto opened = openDataset(file("x,a,b\n1,1,0\n2,,1\n3,0,1\n"), predicting({"a", "b"}));
        QVERIFY(opened.ok());
        QCOMPARE((*opened)->count(Part::Training), std::int64_t{2});
        QVERIFY(mentions((*opened)->info(), "1 row is left out: nothing stands in one of the columns"));
    }

    void refusedTables_data()
    {
        QTest::addColumn<QStringList>("labels");
        QTest::addColumn<QString>("says");
        QTest::newRow("numbers") << QStringList{"dog", "weight"} << "“1.5” in line 2, column “weight”";
        QTest::newRow("misspelt") << QStringList{"dog", "bal"} << "Did you mean “ball”?";
        QTest::newRow("twice") << QStringList{"dog", "2"} << "“dog” twice";
        QTest::newRow("nothing to learn from") << QStringList{"1", "2", "3", "4", "5"} << "column “weight”";
    }
    void refusedTables()
    {
        QFETCH(QStringList, labels);
        QFETCH(QString, says);
        std::vector<std::string> names;
        for (const QString& label : labels) names.push_back(label.toStdString());
        const auto opened = openDataset(file(pets), predicting(names));
        QVERIFY(!opened.ok());
        QVERIFY2(opened.error().text().find(says.toStdString()) != std::string::npos, opened.error().text().c_str());
        const auto alone = openDataset(file("a,b\n1,0\n0,1\n"), predicting({"a", "b"}));
        QVERIFY(!alone.ok() && alone.error().text().find("besides those to be predicted") != std::string::npos);
    }

    /// Rows from outside: with the labels' columns or without them, by name or by place.
    void rowsFromOutside()
    {
        const auto opened = openDataset(file(pets), predicting({"dog", "ball", "rare"}));
        const DatasetInfo& info = (*opened)->info();
        const auto named = readRecordsOf(info, file("colour,weight\nred,3\n"));
        QVERIFY(named.ok());
        QCOMPARE(named->features, (std::vector<float>{3, 0, 0, 1}));
        for (const char* text : {"3,red\n", "3,1,red,0,0\n"}) { // without them; with all
            const auto placed = readRecordsOf(info, file(text));
            QVERIFY2(placed.ok(), placed.ok() ? "" : placed.error().text().c_str());
            QCOMPARE(placed->features, (std::vector<float>{3, 0, 0, 1}));
        }
        QVERIFY(!readRecordsOf(info, file("3,red,1\n")).ok());
    }

    void pictureLists_data()
    {
        QTest::addColumn<QString>("list");
        QTest::addColumn<QStringList>("labels");
        const QStringList names{"big ball", "cat", "dog"};
        QTest::newRow("columns") << "file,dog,cat,big ball\na.png,1,0,1\nb.png,0,0,0\nsub/c.png,yes,TRUE,\n" << QStringList{"dog", "cat", "big ball"};
        QTest::newRow("a list") << "file,label,label\na.png,dog,big ball\nb.png\nsub/c.png,cat,dog\n" << names;
        QTest::newRow("without a head") << "a.png,dog,big ball\nb.png\nsub/c.png,cat,dog\n" << names;
        QTest::newRow("bars") << "image_name;tags\na;dog|big ball\nb;\nsub/c;cat | dog\n" << names;
        QTest::newRow("a line for each label") << "image_id,tag\na.png,dog\nsub/c.png,cat\n./a.png,big ball|dog\nsub/c,dog\nb.png,\n" << names;
        QTest::newRow("blanks") << "file,tags\na.png,dog big_ball\nb.png,\nsub/c.png,cat dog\n" << QStringList{"big_ball", "cat", "dog"};
    }
    void pictureLists()
    {
        QFETCH(QString, list);
        QFETCH(QStringList, labels);
        const std::string folder = pictures({"a.png", "b.png", "sub/c.png"}, list.toStdString());
        const auto opened = openDataset(folder);
        QVERIFY2(opened.ok(), opened.ok() ? "" : opened.error().text().c_str());
        const Dataset& data = **opened;
        const DatasetInfo& info = data.info();
        QCOMPARE(info.kind, std::string("labelled-pictures"));
        QStringList names;
        for (const std::string& name : info.labelNames) names << QString::fromStdString(name);
        QCOMPARE(names, labels);
        QCOMPARE(data.count(Part::Training), std::int64_t{3});
        QCOMPARE(info.sample.sizes(), (std::vector<std::int64_t>{1, 4, 4}));
        const auto at = [&](const char* label) { return static_cast<std::size_t>(labels.indexOf(QString::fromUtf8(label))); };
        for (std::int64_t row = 0; row < 3; ++row) { // mixed: each kept its labels
            const auto set = setOf(data, Part::Training, row);
            const int shade = shadeOf(data, Part::Training, row);
            QCOMPARE(set[at("dog")], shade != 20 ? 1 : 0);
            QCOMPARE(set[at("cat")], shade == 30 ? 1 : 0);
            QCOMPARE(std::accumulate(set.begin(), set.end(), 0), shade == 20 ? 0 : 2);
        }
        QVERIFY(info.problems.empty());
        QCOMPARE((*openDataset(folder))->info().fingerprint, info.fingerprint);
    }

    void partsOfPictures()
    {
        const std::string folder = pictures({"train/a.png", "train/b.png", "val/c.png", "test/d.png"}, "file,dog\ntrain/a.png,1\ntrain/b.png,0\nval/c.png,1\ntest/d.png,1\ntrain/lost.png,1\n../t1.csv,1\n");
        const auto opened = openDataset(folder);
        QVERIFY(opened.ok());
        const DatasetInfo& info = (*opened)->info();
        QCOMPARE(info.trainingCount, std::int64_t{3});
        QCOMPARE(info.validationCount, std::int64_t{1});
        QCOMPARE(shadeOf(**opened, Part::Training, 2), 30); // validation is the last of training
        QCOMPARE(info.testCount, std::int64_t{1});
        QCOMPARE(info.trainingPerLabel, (std::vector<std::int64_t>{2}));
        QCOMPARE(info.testPerLabel, (std::vector<std::int64_t>{1}));
        QVERIFY(mentions(info, "2 pictures of labels.csv are not in the folder and left out: “train/lost.png”")); // nothing outside of it is read
    }

    /// A part is a folder; a picture may be called so all the same.
    void aPictureCalledTest()
    {
        const auto opened = openDataset(pictures({"test.png", "val.png", "sub/test.png"}, "file,dog\ntest,1\nval,0\nsub/test,1\n"));
        QVERIFY2(opened.ok(), opened.ok() ? "" : opened.error().text().c_str());
        QCOMPARE((*opened)->info().trainingCount, std::int64_t{3});
        QCOMPARE((*opened)->info().validationCount + (*opened)->info().testCount, std::int64_t{0});
    }

    void refusedPictures_data()
    {
        QTest::addColumn<QString>("list");
        QTest::addColumn<QString>("says");
        QTest::newRow("no labels") << "file\na.png\n" << "names no labels";
        QTest::newRow("none at all") << "file,tags\na.png,\n" << "names no labels";
        QTest::newRow("nothing") << "file,dog\n" << "no lines";
        QTest::newRow("elsewhere") << "file,dog\nz.png,1\n" << "as “z.png”";
        QTest::newRow("empty") << "" << "is empty";
    }
    void refusedPictures()
    {
        QFETCH(QString, list);
        QFETCH(QString, says);
        const auto opened = openDataset(pictures({"a.png"}, list.toStdString()));
        QVERIFY(!opened.ok());
        QVERIFY2(opened.error().text().find(says.toStdString()) != std::string::npos, opened.error().text().c_str());
    }

    /// A list beside folders of classes that says what the classes are called: they are classes all the same.
    void aListOfSomethingElse()
    {
        const std::string folder = pictures({"cats/a.png", "cats/b.png", "dogs/c.png"}, "ClassId,Name\n0,cats\n1,dogs\n");
        const auto opened = openDataset(folder);
        QVERIFY2(opened.ok(), opened.ok() ? "" : opened.error().text().c_str());
        QCOMPARE((*opened)->info().kind, std::string("picture-folder"));
        QCOMPARE((*opened)->info().classes, (std::vector<std::string>{"cats", "dogs"}));
        QVERIFY((*opened)->info().labelNames.empty());
    }

    /// Lines of different lengths are a fault of other tables.
    void raggedLines()
    {
        CsvLimits limits;
        limits.ragged = true;
        const auto table = parseCsv("a,b\nc\nd,e,\"f,g\"\n", "The file", limits);
        QVERIFY(table.ok());
        QCOMPARE(table->rows(), std::size_t{3});
        QCOMPARE(table->columns(), std::size_t{3});
        QCOMPARE(std::string(table->at(1, 0) ), std::string("c"));
        QVERIFY(table->at(1, 1).empty() && table->at(0, 2).empty());
        QCOMPARE(std::string(table->at(2, 2)), std::string("f,g"));
        QVERIFY(!parseCsv("a,b\nc\n", "The file").ok());
        limits.fields = 6; // nine would be needed
        QVERIFY(!parseCsv("a,b\nc\nd,e,f\n", "The file", limits).ok());
    }

    void yesAndNo()
    {
        const auto opened = openDataset(file(pets));
        QCOMPARE((*opened)->info().yesNoColumns, (std::vector<std::string>{"dog", "ball", "rare"}));
        QVERIFY((*opened)->info().labelNames.empty());
        QVERIFY((*openDataset(file("a,b\n1,2\n0,yes\n")))->info().yesNoColumns == std::vector<std::string>{"a"});
    }
};

QTEST_GUILESS_MAIN(LabelsTest)
#include "labels_test.moc"
