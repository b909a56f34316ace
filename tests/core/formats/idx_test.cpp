// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/idx.h"

#include "core/base/files.h"

#include "tests/support/paths.h"
#include "tests/support/patience.h"

#include <fstream>

#include <sys/resource.h>
#include <zlib.h>

using namespace sconce;

namespace {

void put(const std::string& path, const std::string& content) // not durably: hundreds of files
{
    std::ofstream(path, std::ios::binary) << content;
}

std::string be(std::uint32_t value)
{
    return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string idx(int type, std::initializer_list<std::uint32_t> dims, const std::string& body)
{
    std::string file{'\0', '\0', static_cast<char>(type), static_cast<char>(dims.size())};
    for (const auto dim : dims) file += be(dim);
    return file + body;
}

void writePacked(const std::string& path, const std::string& content)
{
    gzFile file = gzopen(path.c_str(), "wb9");
    for (std::size_t at = 0; at < content.size(); at += 1 << 20) gzwrite(file, content.data() + at, static_cast<unsigned>(std::min<std::size_t>(1 << 20, content.size() - at)));
    gzclose(file);
}

long peakKib()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

} // namespace

class IdxTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void reads()
    {
        const sconce::test::TemporaryFolder folder;
        const std::string file = idx(8, {2, 2, 3}, "abcdefghijkl");
        put(folder / "a", file);
        writePacked(folder / "a.gz", file);
        for (const char* name : {"a", "a.gz"}) {
            const auto array = readIdx(folder / name);
            SCONCE_VERIFY_OK(array);
            QCOMPARE(array->header.shape, (std::vector<std::int64_t>{2, 2, 3}));
            QCOMPARE(std::string(array->bytes.begin(), array->bytes.end()), std::string("abcdefghijkl"));
            QCOMPARE(readIdxHeader(folder / name)->shape, array->header.shape);
            QVERIFY(readIdx(folder / name, 11).error().code == ErrorCode::Unsupported);
        }
        put(folder / "f", idx(0x0E, {1}, "12345678"));
        QVERIFY(readIdx(folder / "f")->header.dtype == DType::F64);
    }
    void refuses_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<bool>("packed");
        const auto row = [](const char* name, const std::string& file) {
            QTest::newRow(name) << QByteArray::fromStdString(file) << false;
            QTest::newRow((std::string(name) + " packed").c_str()) << QByteArray::fromStdString(file) << true;
        };
        row("empty", "");
        row("text", "hello, this is a text file");
        row("cut in the header", idx(8, {2, 2}, "").substr(0, 9));
        row("cut in the body", idx(8, {2, 2}, "abc"));
        row("too long", idx(8, {2, 2}, "abcde"));
        row("rank 0", idx(8, {}, "a"));
        row("rank 5", idx(8, {1, 1, 1, 1, 1}, "a"));
        row("side 0", idx(8, {0, 2}, ""));
        row("unknown type", idx(7, {1}, "a"));
        row("lies", idx(8, {60000, 28, 28}, "abc"));
        row("lies hugely", idx(0x0E, {0xffffffff, 0xffffffff, 0xffffffff}, "abc"));
        row("product wraps to 4", idx(8, {0x80000001, 0x80000000, 4, 2}, "abcd"));
    }
    void refuses()
    {
        QFETCH(QByteArray, file);
        QFETCH(bool, packed);
        const sconce::test::TemporaryFolder folder;
        if (packed) writePacked(folder / "a", file.toStdString());
        else put(folder / "a", file.toStdString());
        const auto array = readIdx(folder / "a");
        QVERIFY(!array.ok());
        QVERIFY(array.error().message.ends_with('.'));
    }
    void damagedPacking()
    {
        const sconce::test::TemporaryFolder folder;
        std::string body;
        for (int i = 0; i < 5000; ++i) body += static_cast<char>(i * i * 31 >> 3);
        writePacked(folder / "a.gz", idx(8, {5000}, body));
        const std::string whole = *readTextFile(folder / "a.gz", 1 << 20);
        for (const std::size_t length : {std::size_t(3), std::size_t(12), whole.size() / 2, whole.size() - 9, whole.size() - 1}) {
            put(folder / "b.gz", whole.substr(0, length));
            QVERIFY2(!readIdx(folder / "b.gz").ok(), std::to_string(length).c_str());
        }
        for (const std::size_t at : {whole.size() / 3, whole.size() - 6}) { // data, and the check sum behind it
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
            put(folder / "b.gz", flipped);
            QVERIFY(!readIdx(folder / "b.gz").ok());
        }
    }
    void bombsCostNothing()
    {
        const sconce::test::TemporaryFolder folder;
        std::string file = idx(8, {1000}, "");
        file.resize(300u << 20, '\0'); // packs to 300 KB
        writePacked(folder / "bomb.gz", file);
        writePacked(folder / "lie.gz", idx(8, {280u << 20}, std::string(1 << 20, 'x'))); // promises 280 MiB, packs 1 MiB
        file.clear();
        file.shrink_to_fit();
        const long before = peakKib();
        const sconce::test::CpuTimer timer;
        QVERIFY(!readIdx(folder / "bomb.gz").ok());
        QVERIFY(!readIdx(folder / "lie.gz").ok());
        QVERIFY2(timer.ms() < 1000, qPrintable(QString::number(timer.ms())));
        QVERIFY(peakKib() - before < 100'000);
    }
};

QTEST_GUILESS_MAIN(IdxTest)
#include "idx_test.moc"
