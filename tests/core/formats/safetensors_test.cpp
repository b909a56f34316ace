// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/safetensors.h"

#include "core/base/files.h"
#include "core/base/hash.h"

#include "tests/support/paths.h"

#include <fstream>

#include <cerrno>
#include <cstring>

using namespace sconce;

namespace {

void put(const std::string& path, const std::string& content) // not durably: hundreds of files
{
    std::ofstream(path, std::ios::binary) << content;
}

HostTensor tensor(const std::string& name, DType dtype, std::vector<std::int64_t> shape, std::size_t bytes, int fill)
{
    return {name, dtype, std::move(shape), std::vector<std::byte>(bytes, static_cast<std::byte>(fill))};
}

std::string fileOf(const std::string& header, std::size_t body)
{
    std::uint64_t length = header.size();
    std::string file(8, '\0');
    std::memcpy(file.data(), &length, 8);
    return file + header + std::string(body, 'x');
}

} // namespace

class SafetensorsTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void roundTrip()
    {
        const sconce::test::TemporaryFolder folder;
        const std::vector<HostTensor> tensors{tensor("b", DType::BF16, {3}, 6, 1), tensor("z", DType::F32, {2, 2}, 16, 2), tensor("a", DType::F32, {}, 4, 3),
                                              tensor("n", DType::I64, {1}, 8, 4), tensor("e", DType::F32, {0, 5}, 0, 5), tensor("m", DType::Bool, {3}, 3, 1)};
        std::vector<TensorView> views;
        for (const auto& t : tensors) views.push_back(t.view());
        const auto hash = writeSafetensors(folder / "w", views, {{"format", "pt"}, {"note", "ü \"x\""}});
        SCONCE_VERIFY_OK(hash);
        const auto text = readTextFile(folder / "w", 1 << 20);
        QCOMPARE(*hash, sha256(*text));
        std::uint64_t length = 0;
        std::memcpy(&length, text->data(), 8);
        QCOMPARE(length % 8, std::uint64_t(0)); // the data is aligned

        const auto file = SafetensorsFile::open(folder / "w");
        SCONCE_VERIFY_OK(file);
        QCOMPARE(file->metadata().at("note"), std::string("ü \"x\""));
        std::string order;
        for (const auto& t : file->tensors()) order += t.name;
        // The widest element first, then by name; "e" is empty and starts where its neighbour does.
        QCOMPARE(order.size(), std::size_t(6));
        QCOMPARE(order.front(), 'n');
        QCOMPARE(order.substr(4), std::string("bm"));
        for (const auto& t : tensors) {
            const TensorView* found = file->find(t.name);
            QVERIFY(found && found->dtype == t.dtype && found->shape == t.shape);
            QVERIFY(std::equal(found->bytes.begin(), found->bytes.end(), t.bytes.begin(), t.bytes.end()));
        }
        QVERIFY(!file->find("none"));
        std::reverse(views.begin(), views.end()); // canonical: the order given does not matter
        QCOMPARE(*writeSafetensors(folder / "v", views, {{"format", "pt"}, {"note", "ü \"x\""}}), *hash);
    }
    void refusesToWriteNonsense()
    {
        const sconce::test::TemporaryFolder folder;
        const auto a = tensor("a", DType::F32, {2}, 8, 0), wrong = tensor("a", DType::F32, {3}, 8, 0), kept = tensor("__metadata__", DType::F32, {2}, 8, 0);
        QVERIFY(!writeSafetensors(folder / "w", {a.view(), a.view()}, {}).ok());
        QVERIFY(!writeSafetensors(folder / "w", {wrong.view()}, {}).ok());
        QVERIFY(!writeSafetensors(folder / "w", {kept.view()}, {}).ok());
        QVERIFY(!writeSafetensors(folder / "w", {tensor("\xff", DType::F32, {2}, 8, 0).view()}, {}).ok());
        SCONCE_VERIFY_OK(writeSafetensors(folder / "w", {a.view()}, {}));
        writeFault = [](WriteStep at, const std::string&) { return at == WriteStep::Write ? ENOSPC : 0; };
        QVERIFY(writeSafetensors(folder / "w", {tensor("b", DType::U8, {4}, 4, 1).view()}, {}).error().code == ErrorCode::DiskFull);
        writeFault = nullptr;
        QVERIFY(SafetensorsFile::open(folder / "w")->find("a"));
    }
    void refusesBadFiles_data()
    {
        QTest::addColumn<QByteArray>("header");
        QTest::addColumn<int>("body");
        QTest::addColumn<QString>("why");
        const auto row = [](const char* name, const char* header, int body, const char* why) { QTest::newRow(name) << QByteArray(header) << body << QString(why); };
        row("not JSON", "{\"a\":", 0, "JSON");
        row("a list", "[1,2,3,4]", 0, "not a safetensors file");
        row("duplicate", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "twice");
        row("overlap", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", 3, "overlap");
        row("hole", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", 3, "hole");
        row("hole in front", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2, "hole");
        row("more behind", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 2, "more in it");
        row("beyond the end", R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", 4, "beyond its end");
        row("shape wraps", R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}})", 0, "too large");
        row("shape wraps to fit", R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", 4, "too large");
        row("negative", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "whole numbers");
        row("fraction", R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "whole numbers");
        row("backwards", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1, "does not fit");
        row("huge offset", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]}})", 1, "does not fit");
        row("wrong size", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "does not fit");
        row("unknown type", R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}})", 4, "not supported");
        row("missing key", R"({"a":{"dtype":"F32","shape":[1]}})", 4, "is not made of");
        row("extra key", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4, "is not made of");
        row("wrong kind", R"({"a":{"dtype":1,"shape":{},"data_offsets":[0,4]}})", 4, "wrong kind");
        row("entry is a number", R"({"a":1234})", 0, "is not made of");
        row("notes", R"({"__metadata__":{"a":1}})", 0, "not a text");
        row("deep", R"({"a":[[[[[[[[1]]]]]]]]})", 0, "nested");
    }
    void refusesBadFiles()
    {
        QFETCH(QByteArray, header);
        QFETCH(int, body);
        QFETCH(QString, why);
        const sconce::test::TemporaryFolder folder;
        put(folder / "w", fileOf(header.toStdString(), static_cast<std::size_t>(body)));
        const auto file = SafetensorsFile::open(folder / "w");
        QVERIFY(!file.ok());
        QVERIFY2(QString::fromStdString(file.error().message).contains(why), file.error().message.c_str());
        QVERIFY(file.error().code == ErrorCode::Corrupt);
    }
    void everyTruncationIsRefused()
    {
        const sconce::test::TemporaryFolder folder;
        const std::vector<HostTensor> tensors{tensor("a", DType::F32, {2, 2}, 16, 2), tensor("b", DType::U8, {3}, 3, 3)};
        SCONCE_VERIFY_OK(writeSafetensors(folder / "w", {tensors[0].view(), tensors[1].view()}, {}));
        const std::string whole = *readTextFile(folder / "w", 1 << 20);
        for (std::size_t length = 0; length < whole.size(); ++length) {
            put(folder / "t", whole.substr(0, length));
            QVERIFY(!SafetensorsFile::open(folder / "t").ok());
        }
        std::string lying = whole;
        std::memset(lying.data(), 0xff, 8);
        put(folder / "t", lying);
        QVERIFY(!SafetensorsFile::open(folder / "t").ok());
        QVERIFY(!SafetensorsFile::open(folder.path()).ok());
        QVERIFY(SafetensorsFile::open(folder / "none").error().code == ErrorCode::NotFound);
    }
};

QTEST_GUILESS_MAIN(SafetensorsTest)
#include "safetensors_test.moc"
