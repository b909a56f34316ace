// SPDX-License-Identifier: GPL-3.0-or-later
// Tables: the text of CSV files in all its dialects, what is made of their columns, and that bombs and lies are refused.
#include "core/data/scaling.h"
#include "core/data/table.h"
#include "core/formats/csv.h"
#include "tests/support/paths.h"

#include <QtTest>

#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

using namespace sconce;
using namespace sconce::test;

namespace {

std::vector<float> recordOf(const Dataset& data, std::int64_t row)
{
    std::vector<float> record(data.recordBytes() / sizeof(float));
    data.gather(Part::Training, std::span(&row, 1), {reinterpret_cast<std::uint8_t*>(record.data()), data.recordBytes()});
    return record;
}

std::vector<std::string> rowOf(const CsvTable& table, std::size_t row)
{
    std::vector<std::string> texts;
    for (std::size_t c = 0; c < table.columns(); ++c) texts.emplace_back(table.at(row, c));
    return texts;
}

bool mentions(const DatasetInfo& info, const char* words)
{
    for (const std::string& problem : info.problems)
        if (problem.find(words) != std::string::npos) return true;
    return false;
}

} // namespace

class TableTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    int m_count = 0;

    std::string file(const std::string& text, const std::string& ending = ".csv")
    {
        const std::string path = m_folder / ("t" + std::to_string(++m_count) + ending);
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }
    static ImportOptions predicting(const std::string& target)
    {
        ImportOptions options;
        options.target = target;
        return options;
    }

  private Q_SLOTS:
    void dialects_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("plain") << QByteArray("a,b\n1,x y\n2,z\n");
        QTest::newRow("no end") << QByteArray("a,b\n1,x y\n2,z");
        QTest::newRow("CRLF") << QByteArray("a,b\r\n1,x y\r\n2,z\r\n");
        QTest::newRow("CR") << QByteArray("a,b\r1,x y\r2,z\r");
        QTest::newRow("mark") << QByteArray("\xEF\xBB\xBF" "a,b\n1,x y\n2,z\n");
        QTest::newRow("semicolons") << QByteArray("a;b\n1;x y\n2;z\n");
        QTest::newRow("tabs") << QByteArray("a\tb\n1\tx y\n2\tz\n");
        QTest::newRow("quotes") << QByteArray("\"a\",\"b\"\n\"1\",\"x y\"\n2,\"z\"\n");
        QTest::newRow("blanks and blank lines") << QByteArray("\n a , b\n1,  x y \n\n\n2 , z\n  \n");
    }
    void dialects()
    {
        QFETCH(QByteArray, text);
        const auto table = parseCsv(text.toStdString(), "The test");
        SCONCE_VERIFY_OK(table);
        QCOMPARE(table->rows(), std::size_t{3});
        QCOMPARE(rowOf(*table, 0), (std::vector<std::string>{"a", "b"}));
        QCOMPARE(rowOf(*table, 1), (std::vector<std::string>{"1", "x y"}));
        QCOMPARE(rowOf(*table, 2), (std::vector<std::string>{"2", "z"}));
    }

    void quotedFields()
    {
        const auto table = parseCsv("name,said\n\"Smith, J.\",\"he said \"\"no\"\"\"\n\"two\nlines\",\"\"\n", "The test");
        SCONCE_VERIFY_OK(table);
        QCOMPARE(rowOf(*table, 1), (std::vector<std::string>{"Smith, J.", "he said \"no\""}));
        QCOMPARE(rowOf(*table, 2), (std::vector<std::string>{"two\nlines", ""}));
        QCOMPARE(table->line(2), std::size_t{3});
        // Saved before UTF-8: as Latin-1.
        const auto old = parseCsv("caf\xE9,b\n1,2\n", "The test");
        SCONCE_VERIFY_OK(old);
        QCOMPARE(std::string(old->at(0, 0)), std::string("café"));
        // And UTF-8 at the very end is UTF-8.
        QCOMPARE(std::string(parseCsv("a,b\n1,é", "The test")->at(1, 1)), std::string("é"));
    }

    void isNoTable_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("said");
        QTest::newRow("empty") << QByteArray() << "is empty";
        QTest::newRow("blank") << QByteArray(" \n\n") << "is empty";
        QTest::newRow("ragged") << QByteArray("a,b\n1,2\n1,2,3\n") << "3 entries in line 3";
        QTest::newRow("open quote") << QByteArray("a,b\n1,\"2\n") << "line 2";
        QTest::newRow("behind a quote") << QByteArray("a,b\n\"1\"x,2\n") << "closing quote";
        QTest::newRow("binary") << QByteArray("a,b\n1,\0\n", 8) << "no text";
        QTest::newRow("UTF-16") << QByteArray("\xFF\xFE" "ab") << "UTF-16";
    }
    void isNoTable()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, said);
        const auto table = parseCsv(text.toStdString(), "The test");
        QVERIFY(!table.ok());
        QVERIFY2(QString::fromStdString(table.error().message).contains(said), table.error().message.c_str());
    }

    void sizesAreChecked()
    {
        QVERIFY(!parseCsv(std::string(20'000, ','), "The test").ok());                       // columns
        CsvLimits few;
        few.fields = 100;
        std::string many;
        for (int i = 0; i < 60; ++i) many += "1,2\n";
        QVERIFY(!parseCsv(many, "The test", few).ok());                                      // entries
        few = {};
        few.bytes = 100;
        QVERIFY(!readCsv(file(many), few).ok());                                             // bytes, before they are read
        // As many features as would fill the memory: 256 words in each of many columns, times the rows.
        std::string wide = "y";
        for (int c = 0; c < 400; ++c) wide += ",c" + std::to_string(c);
        wide += "\n";
        for (int r = 0; r < 250; ++r) {
            wide += std::to_string(r * 0.5);
            for (int c = 0; c < 400; ++c) wide += ",w" + std::to_string(r);
            wide += "\n";
        }
        const auto data = openDataset(file(wide), predicting("y"));
        SCONCE_VERIFY_OK(data);
        QCOMPARE((*data)->info().sample.elements(), std::int64_t{400 * 250});
        QCOMPARE((*data)->info().bytes, std::uint64_t{400u * 250u * 250u * 4u});
    }

    void columns()
    {
        const auto data = openDataset(file("colour,size,when,empty,label\nred,1.5,2001,,yes\n,2,,,no\nblue,NA,2003,,yes\nred,-1e2,2004,,\n"));
        SCONCE_VERIFY_OK(data);
        const DatasetInfo& info = (*data)->info();
        QCOMPARE(info.kind, std::string("table"));
        QCOMPARE(info.target, std::string("label"));
        QCOMPARE(info.classes, (std::vector<std::string>{"no", "yes"}));
        QVERIFY(!info.numbers);
        QCOMPARE(info.trainingCount, std::int64_t{3}); // the row without a label is left out
        QCOMPARE(info.trainingPerClass, (std::vector<std::int64_t>{1, 2}));
        QVERIFY(mentions(info, "1 row is left out") && mentions(info, "“empty”") && mentions(info, "median") && mentions(info, "kind of their own"));
        QCOMPARE(info.columns.size(), std::size_t{3});
        QCOMPARE(info.columns[0].words, (std::vector<std::string>{"", "blue", "red"}));
        QVERIFY(info.columns[1].words.empty());
        const auto record = recordOf(**data, 1);
        QCOMPARE(std::vector<float>(record.begin(), record.begin() + 4), (std::vector<float>{1, 0, 0, 2}));
        QVERIFY(std::isnan(record[4]));
        QCOMPARE(tableRow(**data, Part::Training, 0), (std::vector<std::string>{"red", "1.5", "2001", "yes"}));
        QCOMPARE(tableRow(**data, Part::Training, 1), (std::vector<std::string>{"–", "2", "–", "no"}));
        // Description and back.
        const auto back = DatasetInfo::fromJson(info.toJson());
        SCONCE_VERIFY_OK(back);
        QCOMPARE(back->columns, info.columns);
        QCOMPARE(back->columnNames, info.columnNames);
        QCOMPARE(back->toJson().dump(), info.toJson().dump());
    }

    void targets()
    {
        const std::string path = file("a,grade,height\n1,3,1.5\n2,5,2.5\n3,3,4.25\n4,4,0.5\n");
        const auto numbers = openDataset(path);
        SCONCE_VERIFY_OK(numbers);
        QVERIFY((*numbers)->info().numbers && (*numbers)->info().classes.empty() && (*numbers)->labels(Part::Training).empty());
        QCOMPARE((*numbers)->targets(Part::Training)[2], 4.25f);
        QCOMPARE((*numbers)->info().targetMost, 4.25);
        const auto grades = openDataset(path, predicting("grade")); // few whole numbers: both
        SCONCE_VERIFY_OK(grades);
        QCOMPARE((*grades)->info().classes, (std::vector<std::string>{"3", "4", "5"}));
        QVERIFY((*grades)->info().numbers);
        QCOMPARE((*grades)->labels(Part::Training)[1], 2);
        QCOMPARE((*openDataset(path, predicting("2")))->info().target, std::string("grade")); // by place
        QVERIFY((*grades)->info().fingerprint != (*numbers)->info().fingerprint);
        const auto wrong = openDataset(path, predicting("hight"));
        QVERIFY(!wrong.ok() && wrong.error().message.find("Did you mean “height”?") != std::string::npos);
    }

    void headers()
    {
        const auto names = [&](const std::string& text, const char* header = "auto") {
            ImportOptions options;
            options.header = header;
            const auto data = openDataset(file(text), options);
            return data ? (*data)->info().columnNames.front() + "/" + std::to_string((*data)->info().trainingCount) : data.error().message;
        };
        QCOMPARE(names("a,b\n1,2\n3,4\n"), std::string("a/2"));
        QCOMPARE(names("1,2\n3,4\n"), std::string("column 1/2"));
        QCOMPARE(names("red,yes\nblue,no\nred,no\n"), std::string("column 1/3")); // “red” is found again below
        QCOMPARE(names("colour,label\nred,yes\nblue,no\nred,no\n"), std::string("colour/3"));
        QCOMPARE(names("1,2\n3,4\n5,6\n", "yes"), std::string("1/2"));
        QVERIFY(names("a,b\n", "yes").find("no rows") != std::string::npos && names("a,b\n1,2\n").find("a single row") != std::string::npos);
        QCOMPARE(names("a,b\n1,2\n3,4\n", "no"), std::string("column 1/3"));
    }

    void decimalCommas()
    {
        const auto data = openDataset(file("a;b\n1,5;2\n2,25;3\n"), predicting("b"));
        SCONCE_VERIFY_OK(data);
        QCOMPARE(recordOf(**data, 1).front(), 2.25f);
    }

    void fingerprints()
    {
        const std::string text = "a,b\n1,2\n3,4\n";
        const auto of = [&](const std::string& content, const std::string& ending = ".csv") { return (*openDataset(file(content, ending)))->info().fingerprint; };
        QCOMPARE(of(text), of(text)); // wherever it lies
        QCOMPARE(of(text), of("a;b\r\n1.0;2\r\n3;4"));
        QVERIFY(of(text) != of("a,b\n1,2\n3,5\n"));
        QVERIFY(of(text) != of("c,b\n1,2\n3,4\n"));
    }

    /// Of the training rows alone; bit for bit through JSON.
    void scaling()
    {
        const auto data = openDataset(file("a,w,y\n1,x,10\n2,z,20\n,x,30\n9,x,40\n1000,z,5000\n"));
        SCONCE_VERIFY_OK(data);
        std::vector<std::int64_t> rows{0, 1, 2, 3};
        const Scaling scaling = fitScaling(**data, rows);
        QCOMPARE(scaling.fill.front(), 2.0f);
        QCOMPARE(scaling.mean, (std::vector<float>{3.5f, 0, 0})); // 1, 2, 2 (the median), 9
        QCOMPARE(scaling.deviation.front(), static_cast<float>(std::sqrt(10.25)));
        QCOMPARE(scaling.targetMean, 25.0);
        QCOMPARE(scaling.targetDeviation, std::sqrt(125.0));
        const auto back = Scaling::fromJson(*parseJson(scaling.toJson().dump(), "it"));
        SCONCE_VERIFY_OK(back);
        QVERIFY(*back == scaling);
        for (const char* broken : {"[]", "{}", R"({"fill":[1],"mean":[0],"deviation":[0]})", R"({"fill":[1],"mean":[0,1],"deviation":[1]})", R"({"fill":["x"],"mean":[0],"deviation":[1]})"})
            QVERIFY(!Scaling::fromJson(*parseJson(broken, "it")).ok());
    }

    void recordsOfAnotherFile()
    {
        const auto data = openDataset(file("a,w,y\n1,x,10\n2,z,20\n,x,30\n"));
        SCONCE_VERIFY_OK(data);
        const DatasetInfo& info = (*data)->info();
        const auto named = readRecordsOf(info, file("w,note,a\nz,hello,7\nq,there,\n")); // other order, more columns, no target
        SCONCE_VERIFY_OK(named);
        QCOMPARE(named->lines, (std::vector<std::size_t>{2, 3}));
        QCOMPARE(std::vector<float>(named->features.begin(), named->features.begin() + 3), (std::vector<float>{7, 0, 1}));
        QVERIFY(std::isnan(named->features[3]) && named->features[4] == 0 && named->features[5] == 0);
        QCOMPARE(named->problems.size(), std::size_t{1}); // “q” was never seen
        const auto placed = readRecordsOf(info, file("7,z\n8,x\n"));
        SCONCE_VERIFY_OK(placed);
        QCOMPARE(placed->features, (std::vector<float>{7, 0, 1, 8, 1, 0}));
        QVERIFY(!readRecordsOf(info, file("a,y\n1,2\n")).ok());
        QVERIFY(!readRecordsOf(info, file("a,w\nseven,x\n")).ok());
        QVERIFY(!readRecordsOf(info, file("1,x,2,3\n")).ok());
    }

    void realTables_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("target");
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("classes");
        QTest::addColumn<bool>("numbers");
        QTest::newRow("iris") << "iris.csv" << "species" << 150 << 3 << false;
        QTest::newRow("penguins") << "penguins.csv" << "species" << 344 << 3 << false;
        QTest::newRow("penguins' mass") << "penguins.csv" << "body_mass_g" << 342 << 0 << true;
        QTest::newRow("titanic") << "titanic.csv" << "survived" << 891 << 2 << true;
        QTest::newRow("wine") << "winequality-white.csv" << "column 12" << 4898 << 7 << true;
    }
    void realTables()
    {
        QFETCH(QString, name);
        QFETCH(QString, target);
        SCONCE_NEEDS_DATA(folder, "tabular");
        const std::string path = folder + "/" + name.toStdString();
        const auto data = openDataset(path, predicting(target.toStdString()));
        SCONCE_VERIFY_OK(data);
        const DatasetInfo& info = (*data)->info();
        QTEST(static_cast<int>(info.trainingCount), "rows");
        QTEST(static_cast<int>(info.classes.size()), "classes");
        QTEST(info.numbers, "numbers");
        QCOMPARE(info.columns.size(), info.columnNames.size() - 1 - static_cast<std::size_t>(mentions(info, "Left out for")));
        // Every feature can be scaled.
        std::vector<std::int64_t> rows(static_cast<std::size_t>(info.trainingCount));
        std::iota(rows.begin(), rows.end(), 0);
        const Scaling scaling = fitScaling(**data, rows);
        for (const float deviation : scaling.deviation) QVERIFY(std::isfinite(deviation) && deviation > 0);
    }
};

QTEST_GUILESS_MAIN(TableTest)
#include "table_test.moc"
