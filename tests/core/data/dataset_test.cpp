// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/dataset.h"

#include "core/base/files.h"
#include "core/data/split.h"
#include "core/formats/picture.h"

#include "tests/support/paths.h"
#include "tests/support/patience.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <zlib.h>

using namespace sconce;
namespace fs = std::filesystem;

namespace {

std::string idxFile(int type, const std::vector<std::uint32_t>& dims, const std::string& body)
{
    std::string file{'\0', '\0', static_cast<char>(type), static_cast<char>(dims.size())};
    for (const auto dim : dims) {
        for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(dim >> shift);
    }
    return file + body;
}

void put(const std::string& path, const std::string& content)
{
    std::ofstream(path, std::ios::binary) << content;
}

void putPacked(const std::string& path, const std::string& content)
{
    gzFile file = gzopen(path.c_str(), "wb1");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
}

std::string unpacked(const std::string& path)
{
    std::string content(60'000'000, '\0');
    gzFile file = gzopen(path.c_str(), "rb");
    content.resize(static_cast<std::size_t>(gzread(file, content.data(), 60'000'000)));
    gzclose(file);
    return content;
}

void putPicture(const std::string& path, int width, int height, int value, int channels = 3)
{
    fs::create_directories(fs::path(path).parent_path());
    (void)writePng(path, {width, height, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * channels), static_cast<std::uint8_t>(value))});
}

/// Test accuracy of a softmax regression trained by plain gradient descent: what a linear model can do.
double linearAccuracy(const Dataset& data)
{
    const std::size_t n = data.recordBytes();
    std::vector<float> weights(n * 10, 0), bias(10, 0), x(n);
    const auto logits = [&](const std::uint8_t* from, std::array<float, 10>& out) {
        std::copy(bias.begin(), bias.end(), out.begin());
        for (std::size_t i = 0; i < n; ++i) {
            x[i] = from[i] / 255.0f;
            if (from[i] > 0) {
                for (std::size_t c = 0; c < 10; ++c) out[c] += weights[i * 10 + c] * x[i];
            }
        }
    };
    std::array<float, 10> p{};
    const auto training = data.contiguous(Part::Training), test = data.contiguous(Part::Test);
    for (int epoch = 0; epoch < 12; ++epoch) {
        const float rate = 0.02f / static_cast<float>(1 + epoch);
        for (std::size_t row = 0; row < data.labels(Part::Training).size(); ++row) {
            logits(training.data() + row * n, p);
            const float top = *std::max_element(p.begin(), p.end());
            float sum = 0;
            for (float& v : p) sum += v = std::exp(v - top);
            for (std::size_t c = 0; c < 10; ++c) p[c] = p[c] / sum - (data.labels(Part::Training)[row] == static_cast<int>(c) ? 1.0f : 0.0f);
            for (std::size_t c = 0; c < 10; ++c) bias[c] -= rate * p[c];
            for (std::size_t i = 0; i < n; ++i) {
                if (x[i] == 0) continue;
                for (std::size_t c = 0; c < 10; ++c) weights[i * 10 + c] -= rate * x[i] * p[c];
            }
        }
    }
    int right = 0;
    for (std::size_t row = 0; row < data.labels(Part::Test).size(); ++row) {
        logits(test.data() + row * n, p);
        right += std::max_element(p.begin(), p.end()) - p.begin() == data.labels(Part::Test)[row];
    }
    return right / static_cast<double>(data.labels(Part::Test).size());
}

} // namespace

class DatasetTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void mnist()
    {
        SCONCE_NEEDS_DATA(folder, "mnist");
        const auto packed = openDataset(folder);
        SCONCE_VERIFY_OK(packed);
        const DatasetInfo& info = (*packed)->info();
        QCOMPARE(info.id, std::string("mnist"));
        QCOMPARE(info.title, std::string("MNIST"));
        QCOMPARE(info.kind, std::string("idx"));
        QCOMPARE(info.sample.text(), std::string("1×28×28"));
        QCOMPARE(info.trainingCount, std::int64_t(60'000));
        QCOMPARE(info.testCount, std::int64_t(10'000));
        QCOMPARE(info.classes.size(), std::size_t(10));
        QCOMPARE(info.trainingPerClass, (std::vector<std::int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
        QCOMPARE(info.testPerClass, (std::vector<std::int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
        QVERIFY(std::abs(info.mean - 0.1307) < 1e-4 && std::abs(info.deviation - 0.3081) < 1e-4); // the well-known figures
        QVERIFY(info.problems.empty());
        QCOMPARE((*packed)->labels(Part::Training)[0], 5);

        // Unpacked, elsewhere, opened by any of its files: the same data.
        const sconce::test::TemporaryFolder plain;
        for (const auto& entry : fs::directory_iterator(folder)) put(plain / entry.path().stem().string(), unpacked(entry.path().string()));
        for (const char* name : {"", "/train-images-idx3-ubyte", "/t10k-labels-idx1-ubyte"}) {
            const auto again = openDataset(plain.path() + name);
            SCONCE_VERIFY_OK(again);
            QCOMPARE((*again)->info().fingerprint, info.fingerprint);
            QCOMPARE((*again)->info().id, std::string("mnist"));
        }
        // One pixel differs: other data, another id.
        fs::remove(plain / "t10k-images-idx3-ubyte");
        std::string images = unpacked(folder + "/t10k-images-idx3-ubyte.gz");
        images.back() = 1;
        put(plain / "t10k-images-idx3-ubyte", images);
        const auto changed = openDataset(plain.path());
        SCONCE_VERIFY_OK(changed);
        QVERIFY((*changed)->info().fingerprint != info.fingerprint && (*changed)->info().id != "mnist");

        std::vector<std::int64_t> rows{59'999, 0, 0, 31};
        std::vector<std::uint8_t> out(4 * 784);
        (*packed)->gather(Part::Training, rows, out);
        const auto all = (*packed)->contiguous(Part::Training);
        for (std::size_t i = 0; i < 4; ++i) QVERIFY(std::equal(out.begin() + static_cast<std::ptrdiff_t>(i * 784), out.begin() + static_cast<std::ptrdiff_t>((i + 1) * 784), all.begin() + rows[i] * 784));
    }
    void infoJson()
    {
        const sconce::test::TemporaryFolder folder;
        put(folder / "train-images-idx3-ubyte", idxFile(8, {3, 1, 2}, "abcdef"));
        putPacked(folder / "train-labels-idx1-ubyte.gz", idxFile(8, {3}, std::string("\0\2\1", 3)));
        const auto data = openDataset(folder.path());
        SCONCE_VERIFY_OK(data);
        QCOMPARE((*data)->count(Part::Test), std::int64_t(0));
        QCOMPARE((*data)->info().classes, (std::vector<std::string>{"0", "1", "2"}));
        const Json json = (*data)->info().toJson();
        const auto again = DatasetInfo::fromJson(json);
        SCONCE_VERIFY_OK(again);
        QCOMPARE(again->toJson().dump(), json.dump());
        for (const char* bad : {"[]", "{\"sample\":1}", "{\"sample\":{\"dims\":[{\"axis\":\"x\",\"size\":-1}]}}", "{\"id\":3,\"sample\":{\"dims\":[{\"axis\":\"width\",\"size\":1}]}}"}) QVERIFY(!DatasetInfo::fromJson(*parseJson(bad, "x")).ok());
    }
    void badIdx_data()
    {
        QTest::addColumn<QByteArray>("images");
        QTest::addColumn<QByteArray>("labels");
        const auto row = [](const char* name, const std::string& images, const std::string& labels) { QTest::newRow(name) << QByteArray::fromStdString(images) << QByteArray::fromStdString(labels); };
        const std::string good = idxFile(8, {2, 1, 2}, "abcd"), two = idxFile(8, {2}, std::string("\0\1", 2));
        row("counts differ", good, idxFile(8, {3}, std::string("\0\1\1", 3)));
        row("labels are pictures", good, good);
        row("labels are real", good, idxFile(0x0D, {2}, "12345678"));
        row("label is negative", good, idxFile(9, {2}, "\1\xff"));
        row("label is huge", good, idxFile(0x0C, {2}, std::string("\x7f\0\0\0\0\0\0\1", 8)));
        row("images are real", idxFile(0x0D, {2, 1}, "12345678"), two);
        row("images are cut", good.substr(0, good.size() - 1), two);
        row("images are text", "hello there", two);
        row("labels are empty", good, "");
    }
    void badIdx()
    {
        QFETCH(QByteArray, images);
        QFETCH(QByteArray, labels);
        const sconce::test::TemporaryFolder folder;
        put(folder / "train-images-idx3-ubyte", images.toStdString());
        put(folder / "train-labels-idx1-ubyte", labels.toStdString());
        const auto data = openDataset(folder.path());
        QVERIFY(!data.ok());
        QVERIFY2(data.error().message.ends_with('.') && !data.error().remedy.empty(), data.error().text().c_str());
    }
    void badPaths()
    {
        const sconce::test::TemporaryFolder folder;
        QVERIFY(openDataset(folder / "none").error().code == ErrorCode::NotFound);
        QVERIFY(openDataset("").error().code == ErrorCode::NotFound);
        QVERIFY(openDataset(folder.path()).error().code == ErrorCode::Invalid);
        put(folder / "notes.txt", "hello");
        QVERIFY(!openDataset(folder / "notes.txt").ok());
        put(folder / "train-images-idx3-ubyte", idxFile(8, {2, 1, 2}, "abcd"));
        QVERIFY(QString::fromStdString(openDataset(folder.path()).error().message).contains("labels")); // missing
    }
    /// A folder val/ beside train/ is the validation, whatever it is called, and the test only where it is called so.
    void pictureFolderWithValidation_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("withTest");
        for (const char* name : {"val", "valid", "Validation"})
            for (const bool withTest : {false, true}) QTest::addRow("%s%s", name, withTest ? " and test" : "") << QString(name) << withTest;
    }
    void pictureFolderWithValidation()
    {
        QFETCH(QString, name);
        QFETCH(bool, withTest);
        const sconce::test::TemporaryFolder folder;
        for (int i = 0; i < 12; ++i) {
            putPicture(folder / ("set/train/cat/" + std::to_string(i) + ".png"), 4, 4, 10 + i);
            putPicture(folder / ("set/train/dog/" + std::to_string(i) + ".png"), 4, 4, 30 + i);
            if (i < 3) putPicture(folder / ("set/" + name.toStdString() + "/dog/" + std::to_string(i) + ".png"), 4, 4, 130 + i);
            if (i < 2) putPicture(folder / ("set/" + name.toStdString() + "/cat/" + std::to_string(i) + ".png"), 4, 4, 110 + i);
            if (i < 4 && withTest) putPicture(folder / ("set/test/dog/" + std::to_string(i) + ".png"), 4, 4, 230 + i);
        }
        put(folder / ("set/" + name.toStdString() + "/cat/broken.png"), "no picture");
        const auto data = openDataset(folder / "set");
        SCONCE_VERIFY_OK(data);
        const DatasetInfo& info = (*data)->info();
        QCOMPARE(info.trainingCount, std::int64_t(29));
        QCOMPARE(info.validationCount, std::int64_t(5));
        QCOMPARE(info.testCount, std::int64_t(withTest ? 4 : 0));
        QCOMPARE(DatasetInfo::fromJson(info.toJson())->validationCount, std::int64_t(5));
        const SplitRows rows = splitRows(info.trainingCount, info.testCount, {SplitSettings::Kind::Last, 0.5, 0.25}, 1, info.validationCount);
        QCOMPARE(rows.validation.size(), std::size_t(5));
        const auto first = [&](std::int64_t row) { return static_cast<int>((*data)->contiguous(Part::Training)[static_cast<std::size_t>(row) * (*data)->recordBytes()]); };
        for (const std::int64_t row : rows.validation) {
            QVERIFY(first(row) >= 100 && first(row) < 200); // those of the folder, and no others
            QCOMPARE((*data)->labels(Part::Training)[static_cast<std::size_t>(row)], first(row) >= 130 ? 1 : 0);
        }
        for (const std::int64_t row : rows.training) QVERIFY(first(row) < 100);
        QCOMPARE(rows.training.size(), std::size_t(withTest ? 24 : 18)); // no test part of its own: a quarter of those to train on
        QCOMPARE(rows.test.size(), std::size_t(withTest ? 4 : 6));
        if (!withTest)
            for (const std::int64_t row : rows.test) QVERIFY(first(row) < 100);
        // Shuffled draws from all.
        const SplitRows drawn = splitRows(info.trainingCount, info.testCount, {SplitSettings::Kind::Shuffled, 0.1, 0}, 1, info.validationCount);
        QCOMPARE(drawn.training.size(), std::size_t(26));
    }
    void pictureFolder()
    {
        const sconce::test::TemporaryFolder folder;
        for (int i = 0; i < 20; ++i) {
            putPicture(folder / ("set/train/cat/" + std::to_string(i) + ".png"), 8, 6, 10 + i);
            putPicture(folder / ("set/train/dog/" + std::to_string(i) + ".PNG"), 8, 6, 110 + i);
            if (i < 5) putPicture(folder / ("set/test/dog/deeper/" + std::to_string(i) + ".png"), 16, 16, 200, 1);
        }
        put(folder / "set/train/cat/broken.png", "\x89PNG\r\n\x1a\nno");
        put(folder / "set/train/cat/text.txt", "ignored");
        put(folder / "set/train/dog/other.webp", "RIFF");
        fs::create_directories(folder / "set/train/empty");
        fs::create_directory_symlink(folder / "set", folder / "set/train/dog/circle");
        const auto data = openDataset(folder / "set");
        SCONCE_VERIFY_OK(data);
        const DatasetInfo& info = (*data)->info();
        QCOMPARE(info.classes, (std::vector<std::string>{"cat", "dog"}));
        QCOMPARE(info.sample.text(), std::string("3×6×8")); // the commonest size
        QCOMPARE(info.trainingPerClass, (std::vector<std::int64_t>{20, 20}));
        QCOMPARE(info.testPerClass, (std::vector<std::int64_t>{0, 5}));
        QCOMPARE(info.id, std::string("set"));
        QCOMPARE(info.problems.size(), std::size_t(2));
        QVERIFY(QString::fromStdString(info.problems[0]).contains("broken.png"));
        QVERIFY(QString::fromStdString(info.problems[1]).contains(".webp"));
        const auto labels = (*data)->labels(Part::Training);
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const int value = (*data)->contiguous(Part::Training)[i * (*data)->recordBytes()];
            QCOMPARE(labels[i], value >= 110 ? 1 : 0); // each picture kept its class
        }
        QVERIFY(std::count(labels.end() - 10, labels.end(), 0) >= 1 && std::count(labels.end() - 10, labels.end(), 1) >= 1); // mixed
        QCOMPARE((*openDataset(folder / "set"))->info().fingerprint, info.fingerprint);
        const auto small = openDataset(folder / "set", {4, 5, 1});
        QCOMPARE((*small)->info().sample.text(), std::string("1×5×4"));
        QVERIFY((*small)->info().fingerprint != info.fingerprint);
        // Cancelled at the start and in the middle.
        for (const int after : {0, 2}) {
            int calls = 0;
            const auto cancelled = openDataset(folder / "set", {}, [&](double share, const std::string& what) { return share >= 0 && share <= 1 && !what.empty() && calls++ < after; });
            QVERIFY(!cancelled.ok() && cancelled.error().code == ErrorCode::Cancelled);
        }
    }
    void cifarPhotographs()
    {
        SCONCE_NEEDS_DATA(tar, "images/cifar10-small.tar");
        const sconce::test::TemporaryFolder folder;
        QCOMPARE(std::system(("tar -xf '" + tar + "' -C '" + folder.path() + "'").c_str()), 0);
        std::string root = folder.path();
        if (!fs::exists(root + "/train")) root = fs::directory_iterator(root)->path().string();
        const auto data = openDataset(root);
        SCONCE_VERIFY_OK(data);
        QCOMPARE((*data)->info().sample.text(), std::string("3×32×32"));
        QCOMPARE((*data)->info().trainingCount, std::int64_t(2500));
        QCOMPARE((*data)->info().testCount, std::int64_t(500));
        QCOMPARE((*data)->info().trainingPerClass, std::vector<std::int64_t>(10, 250));
        QVERIFY((*data)->info().problems.empty());
    }
    void digits()
    {
        const sconce::test::CpuTimer timer(CLOCK_PROCESS_CPUTIME_ID); // drawn by several threads
        const DatasetPtr data = builtinDigits();
        QVERIFY2(timer.ms() < 2000, qPrintable(QString::number(timer.ms()))); // drawn each time, never stored: it must be cheap
        const DatasetInfo& info = data->info();
        QCOMPARE(info.trainingPerClass, std::vector<std::int64_t>(10, 1000));
        QCOMPARE(info.testPerClass, std::vector<std::int64_t>(10, 200));
        QCOMPARE((*openDataset(builtinDigitsPath))->info().fingerprint, info.fingerprint);
        // The same on every machine and in every version: recipes and runs name it.
        QCOMPARE(info.fingerprint, std::string("b6867ff7502f2dd5e9dc233d0f4b604436f934f124fe34452d65285b9230fca0"));
        QVERIFY(builtinDigits(2)->info().fingerprint != info.fingerprint);
        const auto labels = data->labels(Part::Training);
        QVERIFY(!std::is_sorted(labels.begin(), labels.end()));
        for (std::size_t i = 0; i < labels.size(); ++i) { // no empty picture
            const auto record = data->contiguous(Part::Training).subspan(i * 784, 784);
            QVERIFY(std::count_if(record.begin(), record.end(), [](std::uint8_t v) { return v > 120; }) > 8);
        }
    }
    void digitsAreNotLinear()
    {
        const double accuracy = linearAccuracy(*builtinDigits());
        qInfo("A linear model reads %.1f %% of the built-in digits.", accuracy * 100);
        QVERIFY2(accuracy > 0.5 && accuracy < 0.92, std::to_string(accuracy).c_str());
    }
};

QTEST_GUILESS_MAIN(DatasetTest)
#include "dataset_test.moc"
