// SPDX-License-Identifier: GPL-3.0-or-later
// Losses and metrics of every task against PyTorch's (tests/fixtures/tasks/make.py made the numbers), from the file of a table to
// the weights after some steps; and that micro-batches, the gated commit and what does not fit behave as for classes.
#include "core/data/scaling.h"
#include "engine_support.h"
#include "tests/support/paths.h"

#include <QFile>
#include <QtTest>

#include <cmath>
#include <fstream>
#include <numeric>

using namespace sconce;
using namespace sconce::test;

namespace {

const Json& fixture()
{
    static const Json json = [] {
        QFile file(QStringLiteral(SCONCE_SOURCE_DIR "/tests/fixtures/tasks/losses.json"));
        if (!file.open(QIODevice::ReadOnly)) qFatal("The numbers of the tasks are missing.");
        return Json::parse(file.readAll().toStdString());
    }();
    return json;
}

/// A few bytes a row, all of one class.
class BytesData final : public Dataset
{
  public:
    BytesData()
        : m_bytes(fixture()["bytes"].get<std::vector<std::uint8_t>>())
    {
        m_info.id = m_info.title = "bytes";
        m_info.sample = featuresType(6);
        m_info.sample.dtype = DType::U8;
        m_info.trainingCount = static_cast<std::int64_t>(m_bytes.size() / 6);
    }
    void gather(Part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(m_bytes.data() + rows[i] * 6, 6, out.data() + i * 6);
    }
    std::span<const std::int32_t> labels(Part) const override { return {}; }

  private:
    std::vector<std::uint8_t> m_bytes;
};

DatasetPtr dataOf(const Json& one, const TemporaryFolder& folder)
{
    const bool labels = one.contains("labels");
    if (!labels && one["target"].is_null()) return std::make_shared<BytesData>();
    const std::string path = folder / "small.csv";
    std::ofstream(path) << fixture()[labels ? "label_table" : "table"].get<std::string>();
    ImportOptions options;
    if (labels) options.labels = one["labels"].get<std::vector<std::string>>();
    else options.target = one["target"].get<std::string>();
    auto data = openDataset(path, options);
    if (!data) giveUp(data.error());
    return *data;
}

Configured taskOf(const Json& one)
{
    Configured task{one["task"]["type"].get<std::string>(), {}};
    if (one["task"].contains("loss")) task.params["loss"] = one["task"]["loss"].get<std::string>();
    for (const char* id : {"threshold"})
        if (one["task"].contains(id)) task.params[id] = one["task"][id].get<double>();
    if (one["task"].contains("positive_weights")) task.params["positive_weights"] = one["task"]["positive_weights"].get<std::string>();
    if (one["task"].contains("delta")) task.params["delta"] = one["task"]["delta"].get<double>();
    return task;
}

std::vector<std::int64_t> range(std::int64_t from, std::int64_t to)
{
    std::vector<std::int64_t> rows(static_cast<std::size_t>(to - from));
    std::iota(rows.begin(), rows.end(), from);
    return rows;
}

struct Bench
{
    TemporaryFolder folder;
    DatasetPtr data;
    std::unique_ptr<Session> session;

    Bench(const Json& one, std::int64_t microBatch = 0, const std::string& last = "none", const Json& choices = {}) : data(dataOf(one, folder))
    {
        const std::int64_t outputs = static_cast<std::int64_t>(one["start"]["dense2.bias"].size());
        auto plan = planOf(R"([{"type":"dense","units":3,"activation":"tanh"},{"type":"dense","units":)" + std::to_string(outputs) + R"(,"activation":")" + last + "\"}]",
                           featuresType(data->info().sample.elements()));
        if (!plan) giveUp(plan.error());
        SessionSpec spec = specOf(std::move(*plan), "sgd", {{"momentum", 0.0}});
        spec.task = taskOf(one);
        spec.step.microBatch = microBatch;
        spec.scaling = fitScaling(*data, range(0, 10));
        spec.choices = choices;
        auto opened = Session::open(std::move(spec));
        if (!opened) giveUp(opened.error());
        session = std::move(*opened);
        if (auto used = session->useData(data); !used) giveUp(used.error());
        setWeights(one["start"]);
    }
    void setWeights(const Json& values)
    {
        auto weights = *session->weights();
        for (HostTensor& tensor : weights) {
            const auto numbers = values[tensor.name].get<std::vector<float>>();
            if (numbers.size() * sizeof(float) != tensor.bytes.size()) qFatal("The fixture's tensors are of another size.");
            std::memcpy(tensor.bytes.data(), numbers.data(), tensor.bytes.size());
        }
        if (auto set = session->setWeights(viewsOf(weights)); !set) giveUp(set.error());
    }
    std::vector<StepMetrics> train()
    {
        std::int64_t step = 0;
        for (const auto& rows : {range(0, 4), range(4, 8), range(8, 10)}) {
            for (const auto& done : {session->forward(step, rows), session->backward(), session->commit(fixture()["rate"].get<double>())})
                if (!done) giveUp(done.error());
            ++step;
        }
        auto metrics = session->takeMetrics();
        if (!metrics) giveUp(metrics.error());
        return *metrics;
    }
};

/// A network that learns the next symbol of the fixture's text.
struct TextBench
{
    TemporaryFolder folder;
    DatasetPtr data;
    std::unique_ptr<Session> session;

    TextBench(const Json& one, std::int64_t microBatch = 0, const Json& choices = {})
    {
        const std::string path = folder / "small.txt";
        std::ofstream(path) << fixture()["text"].get<std::string>();
        ImportOptions options;
        options.context = fixture()["context"].get<int>();
        auto opened = openDataset(path, options);
        if (!opened) giveUp(opened.error());
        data = *opened;
        const std::string symbols = std::to_string(data->info().symbols.size());
        auto plan = planOf(R"([{"type":"embedding","symbols":)" + symbols + R"(,"width":5},{"type":"dense","units":)" + symbols + "}]", factsOf(data->info()).input);
        if (!plan) giveUp(plan.error());
        SessionSpec spec = specOf(std::move(*plan), "sgd", {{"momentum", 0.0}});
        spec.task = {"language", {{"label_smoothing", one["smoothing"].get<double>()}}};
        spec.step.microBatch = microBatch;
        spec.choices = choices;
        auto made = Session::open(std::move(spec));
        if (!made) giveUp(made.error());
        session = std::move(*made);
        if (auto used = session->useData(data); !used) giveUp(used.error());
        auto weights = *session->weights();
        for (HostTensor& tensor : weights) {
            const auto numbers = one["start"][tensor.name].get<std::vector<float>>();
            if (numbers.size() * sizeof(float) != tensor.bytes.size()) qFatal("The fixture's tensors are of another size.");
            std::memcpy(tensor.bytes.data(), numbers.data(), tensor.bytes.size());
        }
        if (auto set = session->setWeights(viewsOf(weights)); !set) giveUp(set.error());
    }
    std::vector<StepMetrics> train()
    {
        std::int64_t step = 0;
        for (const auto& rows : {range(0, 4), range(4, 8), range(8, 10)}) {
            for (const auto& done : {session->forward(step, rows), session->backward(), session->commit(fixture()["rate"].get<double>())})
                if (!done) giveUp(done.error());
            ++step;
        }
        auto metrics = session->takeMetrics();
        if (!metrics) giveUp(metrics.error());
        return *metrics;
    }
};

bool close(double ours, double theirs, double least = 1e-6) { return std::abs(ours - theirs) <= least + 2e-6 * std::abs(theirs); }

} // namespace

class TasksTest : public QObject
{
    Q_OBJECT

    static void cases()
    {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const Json& one : fixture()["cases"]) QTest::newRow(one["name"].get<std::string>().c_str()) << index++;
    }
    static const Json& labelCase(std::size_t index) { return fixture()["label_cases"][index]; }
    static void compare(const Json& one, Bench& bench)
    {
        const auto metrics = bench.train();
        QCOMPARE(metrics.size(), one["losses"].size());
        for (std::size_t i = 0; i < metrics.size(); ++i)
            QVERIFY2(close(metrics[i].loss, one["losses"][i].get<double>()), qPrintable(QString("step %1: %2, PyTorch %3").arg(i).arg(metrics[i].loss, 0, 'g', 9).arg(one["losses"][i].get<double>(), 0, 'g', 9)));
        const auto weights = *bench.session->weights();
        for (const HostTensor& tensor : weights) {
            const auto theirs = one["end"][tensor.name].get<std::vector<double>>();
            const auto ours = floatsOf(tensor);
            for (std::size_t i = 0; i < ours.size(); ++i)
                QVERIFY2(close(static_cast<double>(ours[i]), theirs[i]), qPrintable(QString("%1[%2]: %3, PyTorch %4").arg(tensor.name.c_str()).arg(i).arg(static_cast<double>(ours[i]), 0, 'g', 9).arg(theirs[i], 0, 'g', 9)));
        }
        const auto rest = range(10, 16);
        const auto totals = bench.session->evaluate(Part::Training, rest, 4, {});
        SCONCE_VERIFY_OK(totals);
        QVERIFY(close(totals->loss, one["loss"].get<double>()));
        QCOMPARE(totals->count, std::int64_t{6});
        for (const MetricEntry& metric : metricsOf(one["task"]["type"].get<std::string>())) {
            const double ours = metricOf(metric.id, *totals), theirs = one[metric.id].get<double>();
            QVERIFY2(close(ours, theirs, 1e-5), qPrintable(QString("%1: %2, PyTorch %3").arg(metric.id.c_str()).arg(ours, 0, 'g', 9).arg(theirs, 0, 'g', 9)));
        }
        const auto answers = bench.session->predict(Part::Training, rest, 4, {});
        SCONCE_VERIFY_OK(answers);
        const auto theirs = one["answers"].get<std::vector<double>>();
        const bool flags = one["task"]["type"] == "binary"; // both classes' probabilities
        QCOMPARE(answers->size(), theirs.size() * (flags ? 2 : 1));
        for (std::size_t i = 0; i < theirs.size(); ++i) QVERIFY(close(static_cast<double>((*answers)[flags ? 2 * i + 1 : i]), theirs[i], 1e-5));
    }

  private Q_SLOTS:
    void isPyTorchs_data() { cases(); }
    void isPyTorchs()
    {
        QFETCH(int, index);
        const Json& one = fixture()["cases"][static_cast<std::size_t>(index)];
        Bench bench(one);
        compare(one, bench);
    }

    /// In pieces, and with the commit gated as on a GPU: the same step.
    void inPiecesAndGated_data() { cases(); }
    void inPiecesAndGated()
    {
        QFETCH(int, index);
        const Json& one = fixture()["cases"][static_cast<std::size_t>(index)];
        Bench pieces(one, 3);
        compare(one, pieces);
        Bench gated(one, 0, "none", Json{{"commit", "gated on the device"}});
        compare(one, gated);
        // The sums that the metrics of an epoch follow from do not depend on how a batch was cut.
        Bench whole(one), again(one, 1);
        MetricSums a, b;
        for (const StepMetrics& step : whole.train()) a += step;
        for (const StepMetrics& step : again.train()) b += step;
        QCOMPARE(a.count, std::int64_t{10});
        QCOMPARE(b.count, a.count);
        QCOMPARE(b.correct, a.correct);
        QVERIFY(close(a.absolute, b.absolute, 1e-5) && close(a.squared, b.squared, 1e-4) && close(a.targetSquared, b.targetSquared, 1e-6));
    }

    /// A network that ends in the sigmoid which the loss has already is the same network.
    void aFinalSigmoidIsJoined_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"binary", "autoencoder bce"}) QTest::newRow(name) << name;
    }
    void aFinalSigmoidIsJoined()
    {
        QFETCH(QString, name);
        for (const Json& one : fixture()["cases"]) {
            if (one["name"] != name.toStdString()) continue;
            Bench bench(one, 0, "sigmoid");
            compare(one, bench);
            QCOMPARE(bench.session->choices()["loss"].get<std::string>(), std::string("final sigmoid joined to the loss"));
            // As given, the network still ends in it.
            const auto outputs = bench.session->run(std::vector<float>(static_cast<std::size_t>(bench.data->info().sample.elements()), 0.5f), 1, false);
            SCONCE_VERIFY_OK(outputs);
            for (const float value : *outputs) QVERIFY(value > 0 && value < 1);
        }
    }

    /// Loss, gradients (by the weights after three steps), perplexity and answers of a text; in pieces and gated as well.
    void nextSymbolsArePyTorchs_data()
    {
        QTest::addColumn<int>("index");
        QTest::addColumn<int>("pieces");
        QTest::addColumn<bool>("gated");
        for (int i = 0; i < static_cast<int>(fixture()["texts"].size()); ++i) {
            const std::string name = fixture()["texts"][static_cast<std::size_t>(i)]["name"];
            QTest::newRow(name.c_str()) << i << 0 << false;
            QTest::newRow((name + ", in pieces").c_str()) << i << 3 << false;
            QTest::newRow((name + ", gated").c_str()) << i << 0 << true;
        }
    }
    void nextSymbolsArePyTorchs()
    {
        QFETCH(int, index);
        QFETCH(int, pieces);
        QFETCH(bool, gated);
        const Json& one = fixture()["texts"][static_cast<std::size_t>(index)];
        TextBench bench(one, pieces, gated ? Json{{"commit", "gated on the device"}} : Json{});
        const auto metrics = bench.train();
        QCOMPARE(metrics.size(), std::size_t{3});
        for (std::size_t i = 0; i < 3; ++i) {
            QCOMPARE(metrics[i].count, std::int64_t{i < 2 ? 32 : 16}); // symbols, not windows
            QVERIFY2(close(metrics[i].loss, one["losses"][i]), qPrintable(QString::number(metrics[i].loss, 'g', 9)));
            QVERIFY(close(metrics[i].surprise / static_cast<double>(metrics[i].count), one["surprises"][i]));
        }
        const auto weights = *bench.session->weights();
        for (const HostTensor& tensor : weights) {
            const auto theirs = one["end"][tensor.name].get<std::vector<double>>();
            const auto ours = floatsOf(tensor);
            QCOMPARE(ours.size(), theirs.size());
            for (std::size_t i = 0; i < ours.size(); ++i) QVERIFY2(close(static_cast<double>(ours[i]), theirs[i]), tensor.name.c_str());
        }
        const auto rest = range(10, 10 + one["rest"].get<std::int64_t>());
        QCOMPARE(rest.back() + 1, bench.data->count(Part::Training));
        const auto totals = bench.session->evaluate(Part::Training, rest, 4, {}); // the last batch is smaller
        SCONCE_VERIFY_OK(totals);
        QCOMPARE(totals->count, static_cast<std::int64_t>(rest.size()) * 8);
        QVERIFY(close(totals->loss, one["loss"]));
        QVERIFY(close(metricOf("perplexity", *totals), one["perplexity"], 1e-5));
        QCOMPARE(metricOf("accuracy", *totals), one["accuracy"].get<double>());
        const auto answers = bench.session->predict(Part::Training, std::span(rest).first(1), 4, {});
        SCONCE_VERIFY_OK(answers);
        const auto theirs = one["answers"].get<std::vector<double>>();
        QCOMPARE(answers->size(), theirs.size());
        for (std::size_t i = 0; i < theirs.size(); ++i) QVERIFY(close(static_cast<double>((*answers)[i]), theirs[i]));
        // The same window from outside, without the symbol behind.
        std::vector<std::uint8_t> record(bench.data->recordBytes());
        bench.data->gather(Part::Training, std::span(rest).first(1), record);
        QCOMPARE(*bench.session->predictRecords(std::span(record).first(8), 1), *answers);
        QVERIFY(!bench.session->predictRecords(record, 1).ok());
    }

    /// Loss, gradients, weights of labels, threshold, the counts of every label and its F1; in pieces, gated as on a GPU, and with a
    /// sigmoid at the end that the loss has already.
    void labelsArePyTorchs_data()
    {
        QTest::addColumn<int>("index");
        QTest::addColumn<int>("pieces");
        QTest::addColumn<bool>("gated");
        QTest::addColumn<QString>("last");
        for (int i = 0; i < 2; ++i) {
            const std::string name = labelCase(static_cast<std::size_t>(i))["name"];
            QTest::newRow(name.c_str()) << i << 0 << false << "none";
            QTest::newRow((name + ", in pieces").c_str()) << i << 3 << false << "none";
            QTest::newRow((name + ", gated").c_str()) << i << 0 << true << "none";
            QTest::newRow((name + ", gated and in pieces").c_str()) << i << 3 << true << "none";
            QTest::newRow((name + ", sigmoid").c_str()) << i << 0 << false << "sigmoid";
        }
    }
    void labelsArePyTorchs()
    {
        QFETCH(int, index);
        QFETCH(int, pieces);
        QFETCH(bool, gated);
        QFETCH(QString, last);
        const Json& one = labelCase(static_cast<std::size_t>(index));
        Bench bench(one, pieces, last.toStdString(), gated ? Json{{"commit", "gated on the device"}} : Json{});
        compare(one, bench);
        const auto totals = bench.session->evaluate(Part::Training, range(10, 16), 4, {});
        SCONCE_VERIFY_OK(totals);
        QCOMPARE(totals->labels.size(), std::size_t{3});
        for (std::size_t i = 0; i < 3; ++i) {
            const LabelCounts& label = totals->labels[i];
            QCOMPARE(label, (LabelCounts{one["found"][i], one["wrong"][i], one["missed"][i]}));
            QVERIFY(close(label.f1(), one["f1"][i], 1e-12));
        }
        // As many samples are told of a step as it had, whichever way it was counted; a second time round, too.
        Bench again(one, pieces, last.toStdString(), gated ? Json{{"commit", "gated on the device"}} : Json{}), whole(one);
        MetricSums a, b;
        for (const StepMetrics& step : again.train()) a += step;
        for (const StepMetrics& step : whole.train()) b += step;
        QCOMPARE(a.count, std::int64_t{10});
        QVERIFY(a == b); // counts: exact, however a batch was cut
        QCOMPARE(a.labels.size(), std::size_t{3});
        QCOMPARE(a.labels[0].there() + a.labels[1].there() + a.labels[2].there(), std::int64_t{5 + 5 + 2});
    }

    /// The same rows as a table's records from outside.
    void recordsFromOutside()
    {
        const Json& one = fixture()["cases"][0];
        Bench bench(one);
        const std::vector<std::int64_t> rows{10, 13};
        std::vector<std::uint8_t> records(2 * bench.data->recordBytes());
        bench.data->gather(Part::Training, rows, records);
        const auto direct = bench.session->predict(Part::Training, rows, 2, {});
        const auto outside = bench.session->predictRecords(records, 2);
        SCONCE_VERIFY_OK(outside);
        QCOMPARE(*outside, *direct);
        QVERIFY(!bench.session->predictRecords(std::span(records).first(7), 1).ok());
    }

    void whatDoesNotFit()
    {
        const auto refused = [](const char* task, const char* net, const ValueType& input, DatasetPtr data) {
            auto plan = planOf(net, input);
            if (!plan) giveUp(plan.error());
            SessionSpec spec = specOf(std::move(*plan));
            spec.task = {task, {}};
            auto session = Session::open(std::move(spec));
            if (!session) giveUp(session.error());
            const auto used = (*session)->useData(std::move(data));
            return used.ok() ? std::string() : used.error().message;
        };
        const char* four = R"([{"type":"flatten"},{"type":"dense","units":4}])";
        const ValueType picture = imageType(2, 12, 12);
        QCOMPARE(refused("classification", four, picture, stripes()), std::string());
        QVERIFY(refused("binary", four, picture, stripes()).find("two classes") != std::string::npos);
        QVERIFY(refused("regression", four, picture, stripes()).find("no numbers") != std::string::npos);
        QVERIFY(refused("autoencoder", four, picture, stripes()).find("2×12×12") != std::string::npos);
        QVERIFY(refused("autoencoder", R"([{"type":"conv2d","filters":2,"kernel":[3,3],"padding":"same"}])", picture, stripes()).empty());
        TextBench text(fixture()["texts"][0]);
        QVERIFY(!text.session->useData(stripes()).ok());
        QVERIFY(refused("classification", four, picture, text.data).find("2×12×12") != std::string::npos);
        QVERIFY(refused("language", four, picture, stripes()).find("no text") != std::string::npos);
        const ValueType symbols = factsOf(text.data->info()).input;
        QVERIFY(refused("language", R"([{"type":"embedding","symbols":99,"width":4},{"type":"dense","units":3}])", symbols, text.data).find("8×3") != std::string::npos);
        QVERIFY(refused("language", R"([{"type":"embedding","symbols":99,"width":4},{"type":"dense","units":99}])", symbols, text.data).empty());
        TemporaryFolder folder;
        const DatasetPtr labels = dataOf(labelCase(0), folder);
        const ValueType row = featuresType(labels->info().sample.elements());
        QVERIFY(refused("multilabel", four, picture, stripes()).find("several labels") != std::string::npos);
        QVERIFY(refused("multilabel", R"([{"type":"dense","units":4}])", row, labels).find("3 labels") != std::string::npos);
        QVERIFY(refused("classification", R"([{"type":"dense","units":3}])", row, labels).find("no classes") != std::string::npos);
        SessionSpec unknown = specOf(*planOf(four, picture));
        unknown.task = {"divination", {}};
        QVERIFY(!Session::open(std::move(unknown)).ok());
    }

    /// NaN stops before the step for these losses too.
    void notANumber()
    {
        const Json& one = fixture()["cases"][0];
        Bench bench(one);
        Json broken = one["start"];
        broken["dense1.weight"][0] = 1e38;
        broken["dense2.weight"][0] = 1e38;
        broken["dense2.bias"][0] = 3e38;
        bench.setWeights(broken);
        const auto before = *bench.session->weights();
        const auto rows = range(0, 4);
        SCONCE_VERIFY_OK(bench.session->forward(0, rows));
        SCONCE_VERIFY_OK(bench.session->backward());
        const auto done = bench.session->commit(0.1);
        QVERIFY(!done.ok() && done.error().code == ErrorCode::NotFinite);
        QVERIFY(sameBits(*bench.session->weights(), before));
    }
};

QTEST_GUILESS_MAIN(TasksTest)
#include "tasks_test.moc"
