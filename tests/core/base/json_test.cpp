// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/json.h"
#include "core/base/parameters.h"

#include "tests/support/paths.h"
#include "tests/support/patience.h"

#include <cmath>
#include <fstream>

using namespace sconce;

class JsonTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void readsWhatIsGood()
    {
        const auto json = parseJson(R"({"b":[1,-2,3.5,true,null,"ü\n"],"a":{}})", "The text");
        SCONCE_VERIFY_OK(json);
        QCOMPARE(json->dump(), std::string("{\"b\":[1,-2,3.5,true,null,\"ü\\n\"],\"a\":{}}")); // keys in their order
        QVERIFY(parseJson("18446744073709551615", "x").ok());
        QVERIFY(parseJson("1e308", "x").ok());
    }
    void refuses_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("sentence");
        QTest::newRow("empty") << QByteArray("") << "line 1, column 1";
        QTest::newRow("trailing") << QByteArray("{} x") << "not valid JSON at line 1, column 4";
        QTest::newRow("cut off") << QByteArray("{\"a\":\n [1,") << "line 2";
        QTest::newRow("duplicate") << QByteArray("{\"a\":1,\"b\":{\"a\":1},\"a\":2}") << "has the key “a” twice";
        QTest::newRow("overflow") << QByteArray("[1e400]") << "number that is too large";
        QTest::newRow("NaN") << QByteArray("[NaN]") << "not valid JSON";
        QTest::newRow("infinity") << QByteArray("[-Infinity]") << "not valid JSON";
        QTest::newRow("utf8") << QByteArray("\"\xff\xfe\"") << "not valid JSON";
        QTest::newRow("deep lists") << QByteArray(10'000, '[') << "nested deeper than 64";
        QTest::newRow("deep objects") << QByteArray("{\"a\":").repeated(10'000) << "nested deeper than 64";
        QTest::newRow("million deep") << QByteArray(1'000'000, '[') << "nested deeper than 64";
        QTest::newRow("large") << QByteArray(2 << 20, ' ') << "too large";
    }
    void refuses()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, sentence);
        const auto json = parseJson({text.constData(), static_cast<std::size_t>(text.size())}, "The recipe x.json");
        QVERIFY(!json.ok());
        const QString message = QString::fromStdString(json.error().message);
        QVERIFY2(message.startsWith("The recipe x.json") && message.contains(sentence), qPrintable(message));
        QVERIFY(message.endsWith('.'));
    }
    void depthIsExact()
    {
        const std::string good = std::string(64, '[') + std::string(64, ']'), bad = "[" + good + "]";
        QVERIFY(parseJson(good, "x").ok());
        QVERIFY(!parseJson(bad, "x").ok());
        QVERIFY(parseJson(bad, "x", {1000, 65}).ok());
    }
    void manyKeysAreNotQuadratic()
    {
        std::string text = "{";
        for (int i = 0; i < 90'000; ++i) text += (i ? "," : "") + ("\"k" + std::to_string(i) + "\":1");
        const sconce::test::CpuTimer timer;
        const auto json = parseJson(text + "}", "x", {4 << 20, 64});
        SCONCE_VERIFY_OK(json);
        QCOMPARE(json->size(), std::size_t(90'000));
        QVERIFY2(timer.ms() < 3000, qPrintable(QString::number(timer.ms()))); // the search of each key in a list takes 20 s
    }
    void readsFiles()
    {
        const sconce::test::TemporaryFolder folder;
        std::ofstream(folder / "a.json") << "{\"x\": 1}";
        const auto json = readJsonFile(folder / "a.json");
        SCONCE_VERIFY_OK(json);
        QCOMPARE((*json)["x"].get<int>(), 1);
        QVERIFY(readJsonFile(folder / "none.json").error().code == ErrorCode::NotFound);
        QVERIFY(!readJsonFile(folder.path()).ok());
        QVERIFY(!readJsonFile(folder / "a.json", {4, 64}).ok());
    }
    void readerCollectsProblems()
    {
        const auto json = parseJson(R"({"a":3.0,"b":"x","c":-1,"d":0.5,"e":true,"f":"word","g":5e300,"sed":1,"x/y~":2})", "x");
        std::vector<JsonProblem> problems;
        JsonReader r(*json, "/in", problems);
        QCOMPARE(r.integer("a", 0, 0, 10), 3);
        QCOMPARE(r.integer("b", 7, 0, 10), 7);
        QCOMPARE(r.integer("c", 7, 0, 10), 7);
        QCOMPARE(r.real("d", 0, 0, 1), 0.5);
        QCOMPARE(r.integer("d", 9, 0, 1), 9);
        QCOMPARE(r.boolean("e", false), true);
        QCOMPARE(r.boolean("f", true), true);
        QCOMPARE(r.text("f", ""), std::string("word"));
        QCOMPARE(r.text("f", "no", 3), std::string("no"));
        QCOMPARE(r.integer("g", 4, INT64_MIN, INT64_MAX), 4);
        QCOMPARE(r.integer("seed", 4, 0, 9), 4);
        QCOMPARE(problems.size(), std::size_t(6));
        QCOMPARE(problems[0].path, std::string("/in/b"));
        QCOMPARE(problems[1].message, std::string("“c” must be between 0 and 10, not -1."));
        problems.clear();
        r.refuseUnknown();
        QCOMPARE(problems.size(), std::size_t(2));
        QCOMPARE(problems[0].message, std::string("Unknown key “sed”; did you mean “seed”?"));
        QCOMPARE(problems[1].path, std::string("/in/x~1y~0"));
    }
    void readerTakesAnything()
    {
        for (const char* text : {"1", "[]", "null", "\"x\""}) {
            std::vector<JsonProblem> problems;
            const auto json = parseJson(text, "x");
            JsonReader r(*json, "/a", problems);
            QCOMPARE(problems.size(), std::size_t(1));
            QCOMPARE(r.integer("k", 5, 0, 9), 5);
        }
    }
    void parameters()
    {
        std::vector<ParamDescriptor> all{intParam("filters", "Filters", 32, 1, 4096, "h"), realParam("rate", "Rate", 0.5, 0, 1, "h"),
                                         choiceParam("padding", "Padding", "valid", {{"valid", "valid", ""}, {"same", "same", ""}, {"custom", "own", ""}}, "h"),
                                         intsParam("kernel", "Kernel", {3, 3}, 2, 2, 1, 99, "h"), intsParam("shape", "Shape", {7}, 1, 4, 1, 99, "h"),
                                         boolParam("bias", "Bias", true, "h")};
        all[4].onlyWhen = "padding=custom|same";
        QCOMPARE(checkParam(all[0], std::int64_t{0}), std::string("Filters must be between 1 and 4,096, not 0."));
        QVERIFY(!checkParam(all[0], 3.0).empty());
        QVERIFY(!checkParam(all[1], std::nan("")).empty());
        QVERIFY(!checkParam(all[2], std::string("sme")).empty());
        QVERIFY(!checkParam(all[3], std::vector<std::int64_t>{1}).empty());
        QVERIFY(checkParam(all[3], std::vector<std::int64_t>{1, 99}).empty());
        QCOMPARE(paramText(all[3], all[3].defaultValue), std::string("3×3"));
        QCOMPARE(paramText(all[2], std::string("custom")), std::string("own"));

        const auto read = [&](const char* text, std::vector<JsonProblem>& problems) {
            const auto json = parseJson(text, "x");
            JsonReader reader(*json, "", problems);
            ParamValues values = paramsFromJson(all, reader);
            reader.refuseUnknown();
            return values;
        };
        std::vector<JsonProblem> problems;
        auto values = read(R"({"filters":8,"kernel":5,"rate":1,"padding":"same","shape":[1,2,3],"bias":false})", problems);
        QVERIFY(problems.empty());
        QCOMPARE(std::get<std::vector<std::int64_t>>(valueOf(all, values, "kernel")), (std::vector<std::int64_t>{5, 5}));
        QCOMPARE(std::get<double>(valueOf(all, values, "rate")), 1.0);
        // Everything is written, and read back as it was.
        const Json written = paramsToJson(all, values);
        QCOMPARE(written.size(), all.size());
        std::vector<JsonProblem> none;
        JsonReader again(written, "", none);
        QCOMPARE(paramsFromJson(all, again), values);
        QVERIFY(none.empty());
        // Wrong values keep the default; what a choice has switched off is not complained about.
        values = read(R"({"filters":"8","kernel":[3],"rate":2,"padding":"valid","shape":[0],"filtrs":1})", problems);
        QCOMPARE(problems.size(), std::size_t(4));
        QCOMPARE(std::get<std::int64_t>(valueOf(all, values, "filters")), std::int64_t(32));
        QVERIFY(!isActive(all[4], all, values));
        values["padding"] = std::string("custom");
        QVERIFY(isActive(all[4], all, values));
    }
};

QTEST_GUILESS_MAIN(JsonTest)
#include "json_test.moc"
