// SPDX-License-Identifier: GPL-3.0-or-later
// Texts: symbols and windows by hand and on a real one, that each symbol is predicted once, and that what is no text is refused.
#include "core/data/split.h"
#include "core/data/text_dataset.h"
#include "tests/support/paths.h"

#include <QtTest>

#include <fstream>
#include <numeric>

using namespace sconce;
using namespace sconce::test;

namespace {

ImportOptions windowsOf(int context)
{
    ImportOptions options;
    options.context = context;
    return options;
}

std::vector<std::uint8_t> recordOf(const Dataset& data, std::int64_t row)
{
    std::vector<std::uint8_t> record(data.recordBytes());
    data.gather(Part::Training, std::span(&row, 1), record);
    return record;
}

/// The text that the windows were cut from, as far as they reach.
std::string backTogether(const Dataset& data)
{
    std::vector<std::uint8_t> all{recordOf(data, 0).front()};
    for (std::int64_t row = 0; row < data.count(Part::Training); ++row) {
        const auto record = recordOf(data, row);
        if (record.front() != all.back()) return "a window does not begin where the one before ended";
        all.insert(all.end(), record.begin() + 1, record.end());
    }
    return decodeText(data.info().symbols, all);
}

/// 300 different characters, in more than one size.
std::string manyCharacters()
{
    std::string text;
    for (int i = 0; i < 300; ++i) text += QString(QChar(0x4E00 + i)).toStdString() + (i % 7 == 0 ? "\n" : "");
    return text;
}

} // namespace

class TextTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    int m_count = 0;

    std::string file(const std::string& text, const std::string& ending = ".txt")
    {
        const std::string path = m_folder / ("t" + std::to_string(++m_count) + ending);
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

  private Q_SLOTS:
    void byHand()
    {
        const auto data = openDataset(file("to be or not\n"), windowsOf(4));
        SCONCE_VERIFY_OK(data);
        const DatasetInfo& info = (*data)->info();
        QCOMPARE(info.kind, std::string("text"));
        QCOMPARE(info.symbols, (std::vector<std::string>{"\n", " ", "b", "e", "n", "o", "r", "t"}));
        QCOMPARE(info.sample.sizes(), (std::vector<std::int64_t>{4}));
        QVERIFY(info.sample.dtype == DType::U8 && info.sample.dims[0].axis == Axis::Length);
        QCOMPARE(info.trainingCount, std::int64_t{3}); // 12 to predict
        QCOMPARE(info.testCount, std::int64_t{0});
        QCOMPARE((*data)->recordBytes(), std::size_t{5});
        QCOMPARE(recordOf(**data, 0), (std::vector<std::uint8_t>{7, 5, 1, 2, 3}));
        QCOMPARE(recordOf(**data, 1), (std::vector<std::uint8_t>{3, 1, 5, 6, 1}));
        QCOMPARE(recordOf(**data, 2), (std::vector<std::uint8_t>{1, 4, 5, 7, 0}));
        QCOMPARE(backTogether(**data), std::string("to be or not\n"));
        const std::vector<std::int64_t> rows{0, 1, 2};
        QCOMPARE(symbolCounts(**data, rows), (std::vector<std::int64_t>{1, 3, 1, 1, 1, 3, 1, 1})); // the first “t” is not predicted
        QCOMPARE((*data)->contiguous(Part::Training).size(), std::size_t{15});
        QVERIFY((*data)->labels(Part::Training).empty() && (*data)->contiguous(Part::Test).empty());
        // Rows that do not exist are no reading beyond the end.
        QCOMPARE(recordOf(**data, 3), std::vector<std::uint8_t>(5, 0));
    }

    void keptAsItIs_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("kept");
        QTest::newRow("mark") << QByteArray("\xEF\xBB\xBF" "abcabcabc") << QByteArray("abcabcabc");
        QTest::newRow("CRLF") << QByteArray("ab\r\nab\r\nab\r\n1") << QByteArray("ab\r\nab\r\nab\r\n1");
        QTest::newRow("two and four bytes") << QByteArray("ä😀ä😀ä😀ä") << QByteArray("ä😀ä😀ä😀ä");
    }
    void keptAsItIs()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, kept);
        const auto data = openDataset(file(text.toStdString()), windowsOf(2));
        SCONCE_VERIFY_OK(data);
        const std::string back = backTogether(**data);
        QVERIFY2(kept.toStdString().starts_with(back) && !back.empty(), back.c_str());
    }

    void bytesWhereThereAreTooManyCharacters()
    {
        const std::string text = manyCharacters();
        const auto data = openDataset(file(text), windowsOf(3));
        SCONCE_VERIFY_OK(data);
        const auto& symbols = (*data)->info().symbols;
        QVERIFY(symbols.size() < 100 && symbols.front() == "\n" && symbols.back() == "<E4>");
        QVERIFY(text.starts_with(backTogether(**data)) && backTogether(**data).size() + 3 > text.size());
        const auto indices = encodeText(symbols, text.substr(0, 30));
        SCONCE_VERIFY_OK(indices);
        QCOMPARE(indices->size(), std::size_t{30});
        QCOMPARE(decodeText(symbols, *indices), text.substr(0, 30));
        QVERIFY(!encodeText(symbols, "ASCII").ok());
        // And through JSON, where a byte alone cannot stand.
        const auto back = DatasetInfo::fromJson(*parseJson((*data)->info().toJson().dump(), "the set"));
        SCONCE_VERIFY_OK(back);
        QCOMPARE(back->symbols, symbols);
    }

    void aWholeText()
    {
        SCONCE_NEEDS_DATA(path, "text/tinyshakespeare.txt");
        const auto data = openDataset(path);
        SCONCE_VERIFY_OK(data);
        const DatasetInfo& info = (*data)->info();
        QCOMPARE(info.id, std::string("tinyshakespeare"));
        QCOMPARE(info.title, std::string("Tinyshakespeare"));
        QCOMPARE(info.symbols.size(), std::size_t{65});
        QCOMPARE(info.sample.elements(), std::int64_t{64});
        QCOMPARE(info.trainingCount, std::int64_t{17428}); // (1,115,394 − 1) / 64
        QVERIFY(backTogether(**data).starts_with("First Citizen:\nBefore we proceed any further"));
        std::vector<std::int64_t> rows(static_cast<std::size_t>(info.trainingCount));
        std::iota(rows.begin(), rows.end(), 0);
        const auto counts = symbolCounts(**data, rows);
        QCOMPARE(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), info.trainingCount * 64);
        // The test share of a split is the end of the text.
        SplitSettings split;
        split.test = 0.1;
        const auto parts = splitRows(info.trainingCount, info.testCount, split, 1, info.validationCount);
        QVERIFY(parts.training.back() < parts.validation.front() && parts.validation.back() < parts.test.front() && parts.test.back() == info.trainingCount - 1);
    }

    void sameTextSameFingerprint()
    {
        const std::string text = "one and two and three and four";
        const auto print = [&](const std::string& path, int context) { return (*openDataset(path, windowsOf(context)))->info().fingerprint; };
        const std::string first = file(text), second = file(text), other = file(text + ".");
        QCOMPARE(print(first, 5), print(second, 5));
        QVERIFY(print(first, 5) != print(first, 4));
        QVERIFY(print(first, 5) != print(other, 5));
    }

    void aFolderIsJoinedByName()
    {
        const std::string folder = m_folder / "plays";
        std::filesystem::create_directories(folder);
        std::ofstream(folder + "/2.txt") << "second ";
        std::ofstream(folder + "/1.txt") << "\xEF\xBB\xBF" "first ";
        std::ofstream(folder + "/notes.md") << "not this";
        const auto data = openDataset(folder, windowsOf(2));
        SCONCE_VERIFY_OK(data);
        QCOMPARE(backTogether(**data), std::string("first second "));
        QCOMPARE((*data)->info().title, std::string("Plays"));
    }

    void isNoText_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("said");
        QTest::newRow("empty") << QByteArray() << "is empty";
        QTest::newRow("only a mark") << QByteArray("\xEF\xBB\xBF") << "is empty";
        QTest::newRow("too short") << QByteArray("abcdefgh") << "8 symbols, too few for windows of 4";
        QTest::newRow("Latin-1") << QByteArray("line\ncaf\xE9 au lait, and more") << "not written in UTF-8: see line 2";
        QTest::newRow("bytes") << QByteArray("ab\0cdefghijkl", 13) << "no text";
        QTest::newRow("UTF-16") << QByteArray("\xFF\xFE" "a\0b\0", 6) << "UTF-16";
    }
    void isNoText()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, said);
        const auto data = openDataset(file(text.toStdString()), windowsOf(4));
        QVERIFY(!data.ok());
        QVERIFY2(QString::fromStdString(data.error().message).contains(said), data.error().message.c_str());
        QVERIFY(data.error().message.ends_with('.') && !data.error().remedy.empty());
    }

    /// A file that says it is larger than may be read costs no memory.
    void sizeIsCheckedFirst()
    {
        const std::string path = file("");
        std::filesystem::resize_file(path, std::uintmax_t{1} << 36); // sparse
        const auto data = openDataset(path);
        QVERIFY(!data.ok() && data.error().message.find("too large") != std::string::npos);
        std::filesystem::remove(path);
    }

    void canBeCancelled()
    {
        for (const double at : {0.0, 0.5, 0.8, 1.0}) {
            const auto data = openDataset(file("some text that is long enough"), windowsOf(4), [at](double share, const std::string&) { return share < at; });
            QVERIFY(!data.ok() && data.error().code == ErrorCode::Cancelled);
        }
    }

    void unknownSymbols()
    {
        const std::vector<std::string> symbols{"\n", " ", "a", "ä"};
        QCOMPARE(*encodeText(symbols, "ä a\n"), (std::vector<std::uint8_t>{3, 1, 2, 0}));
        for (const char* text : {"ab", "a😀", "a\xFF", "\t"}) {
            const auto wrong = encodeText(symbols, text);
            QVERIFY2(!wrong.ok() && wrong.error().message.find("4 symbols") != std::string::npos && wrong.error().message.starts_with("“"), wrong.error().message.c_str());
        }
        QCOMPARE(symbolTitle("\n"), std::string("⏎"));
        QCOMPARE(symbolTitle(" "), std::string("␣"));
        QCOMPARE(symbolTitle("\x01"), std::string("<01>"));
        QCOMPARE(symbolBytes("<E4>"), std::string("\xE4"));
        QCOMPARE(symbolBytes("<"), std::string("<"));
    }

    /// Another text in the numbering that a model knows.
    void inOtherSymbols()
    {
        const auto large = openDataset(file("abcdefgh abcdefgh\n"), windowsOf(2)), small = openDataset(file("bad bad bad"), windowsOf(2)), strange = openDataset(file("bad xxx bad"), windowsOf(2));
        SCONCE_VERIFY_OK(large);
        const auto& symbols = (*large)->info().symbols;
        const auto known = withSymbols(*small, symbols);
        SCONCE_VERIFY_OK(known);
        QCOMPARE((*known)->info().symbols, symbols);
        QCOMPARE(backTogether(**known), backTogether(**small));
        QVERIFY(recordOf(**known, 0) != recordOf(**small, 0));
        QCOMPARE(withSymbols(*large, symbols)->get(), large->get());
        const auto wrong = withSymbols(*strange, symbols);
        QVERIFY(!wrong.ok() && wrong.error().message.find("“x”") != std::string::npos);
        QVERIFY(!withSymbols(builtinDigits(), symbols).ok());
        // Bytes and characters of one name are not the same.
        const auto bytes = openDataset(file(manyCharacters()), windowsOf(2));
        QVERIFY(!withSymbols(*bytes, symbols).ok());
    }

    void roundTrips()
    {
        ImportOptions options = windowsOf(128);
        QVERIFY(ImportOptions::fromJson(options.toJson()) == options);
        Json old = options.toJson();
        old.erase("context");
        QCOMPARE(ImportOptions::fromJson(old).context, 0);
        QCOMPARE(ImportOptions::fromJson(Json{{"context", 5000}}).context, 0); // makes no sense
        QCOMPARE(contextOf({}), 64);
        const Json choices{{"symbols", {"\n", "a", "<E4>"}}};
        QCOMPARE(*symbolsIn(choices), (std::vector<std::string>{"\n", "a", "<E4>"}));
        for (const Json& bad : {Json(), Json::object(), Json{{"symbols", 3}}, Json{{"symbols", Json::array()}}, Json{{"symbols", {"a", 1}}}, Json{{"symbols", {""}}}}) QVERIFY(!symbolsIn(bad).ok());
    }
};

QTEST_GUILESS_MAIN(TextTest)
#include "text_test.moc"
