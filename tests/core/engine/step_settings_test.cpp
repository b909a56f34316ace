// SPDX-License-Identifier: GPL-3.0-or-later
// What a recipe may say of how a step is made of its gradients: micro-batches, clipping, averaged weights, smoothed labels and
// weighted classes. Gradients are read off plain SGD with a learning rate of one.

#include "engine_support.h"

#include <QtTest>

#include <cmath>
#include <limits>

using namespace sconce;
using namespace sconce::test;

namespace {

/// Dropout, but no batch normalisation: the one layer whose numbers depend on how a batch is cut.
constexpr const char* plainNet = R"([
    {"type":"conv2d","filters":16,"kernel":[3,3],"activation":"relu"},
    {"type":"max_pool2d"},
    {"type":"flatten"},
    {"type":"dropout","rate":0.4},
    {"type":"dense","units":4}])";

constexpr std::int64_t samples = 96;

std::unique_ptr<Session> openWith(const StepSettings& step, ParamValues task = {}, const char* net = plainNet, const std::string& optimiser = "sgd",
                                  ParamValues settings = {{"momentum", 0.0}}, Json choices = {})
{
    SessionSpec spec = specOf(*planOf(net, imageType(2, 12, 12)), optimiser, std::move(settings));
    spec.task.params = std::move(task);
    spec.step = step;
    spec.choices = std::move(choices);
    auto session = Session::open(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(stripes()); !used) giveUp(used.error());
    return std::move(*session);
}

std::vector<float> flat(const std::vector<HostTensor>& tensors)
{
    std::vector<float> all;
    for (const HostTensor& tensor : tensors) {
        const std::vector<float> values = floatsOf(tensor);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

double furthest(const std::vector<float>& a, const std::vector<float>& b)
{
    double most = a.size() == b.size() ? 0 : 1e9;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return most;
}

/// The gradient of one step: what SGD with rate 1 takes off.
std::vector<float> gradientOf(Session& session, std::int64_t step = 0)
{
    const std::vector<float> before = flat(*session.weights());
    if (auto done = trainStep(session, step, 1.0); !done) giveUp(done.error());
    std::vector<float> gradient = flat(*session.weights());
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = before[i] - gradient[i];
    return gradient;
}

double normOf(const std::vector<float>& values)
{
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum);
}

} // namespace

class StepSettingsTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void everySettingIsTakenOver();
    void theSameEveryTime();
    void microBatchesAddUp_data();
    void microBatchesAddUp();
    void microBatchesCarryStatistics();
    void microBatchMayChangeInBetween();
    void clipsTheNorm_data();
    void clipsTheNorm();
    void clipsValues();
    void averagesWeights_data();
    void averagesWeights();
    void averageGoesOnFromACheckpoint();
    void nanLeavesTheAverageAlone_data();
    void nanLeavesTheAverageAlone();
    void smoothsLabels();
    void balancesClasses();
    void offSwitches();
    void dropoutByTorchsGenerator();
};

void StepSettingsTest::microBatchesAddUp_data()
{
    QTest::addColumn<int>("size");
    QTest::addColumn<bool>("balanced");
    QTest::addColumn<bool>("gated");
    QTest::addColumn<bool>("counted");
    QTest::newRow("equal pieces") << 4 << false << false << true;
    QTest::newRow("a smaller last piece") << 7 << false << false << true;
    QTest::newRow("one by one") << 1 << false << false << true;
    QTest::newRow("larger than the batch") << 100 << false << false << true;
    QTest::newRow("weighted classes") << 5 << true << false << true;
    QTest::newRow("as on a GPU") << 5 << false << true << true;
    QTest::newRow("dropout by torch's generator") << 5 << false << false << false;
}

void StepSettingsTest::microBatchesAddUp()
{
    QFETCH(int, size);
    QFETCH(bool, balanced);
    QFETCH(bool, gated);
    QFETCH(bool, counted);
    const ParamValues task = balanced ? ParamValues{{"class_weights", std::string("balanced")}, {"label_smoothing", 0.1}} : ParamValues{};
    const Json choices = gated ? Json{{"commit", "gated on the device"}} : Json();
    StepSettings usual, pieces;
    usual.countedDropout = pieces.countedDropout = counted;
    pieces.microBatch = size;
    auto whole = openWith(usual, task), cut = openWith(pieces, task, plainNet, "sgd", {{"momentum", 0.0}}, choices);
    for (std::int64_t step = 0; step < 4; ++step) {
        const std::vector<float> a = gradientOf(*whole, step), b = gradientOf(*cut, step);
        QVERIFY(normOf(a) > 0.01);
        QVERIFY2(furthest(a, b) < 2e-5, qPrintable(QString::number(furthest(a, b))));
    }
    const auto a = *whole->takeMetrics(), b = *cut->takeMetrics();
    QCOMPARE(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        QVERIFY(std::abs(a[i].loss - b[i].loss) < 1e-5);
        QCOMPARE(a[i].correct, b[i].correct);
        QCOMPARE(a[i].count, b[i].count);
    }
    QCOMPARE(cut->choices().value("micro_batch", 0), size);
}

/// Each piece's statistics go on from those of the piece before, and all become real at the commit.
void StepSettingsTest::microBatchesCarryStatistics()
{
    StepSettings pieces;
    pieces.microBatch = 4;
    auto session = openWith(pieces, {}, convnet);
    const auto rows = rowsOfStep(0, batch, trainingCount);
    const std::vector<HostTensor> before = *session->weights();
    QVERIFY(session->forward(0, rows).ok());
    QVERIFY(session->backward().ok());
    QVERIFY(sameBits(*session->weights(), before));
    QVERIFY(session->commit(0.0).ok());
    // The same pieces as four steps that change nothing else.
    auto alone = openWith({}, {}, convnet);
    for (std::int64_t piece = 0; piece < batch / 4; ++piece) {
        QVERIFY(alone->forward(piece, std::span(rows).subspan(static_cast<std::size_t>(piece) * 4, 4)).ok());
        QVERIFY(alone->backward().ok() && alone->commit(0.0).ok());
    }
    QVERIFY(!sameBits(*session->weights(), before));
    QVERIFY(sameBits(*session->weights(), *alone->weights()));
}

void StepSettingsTest::microBatchMayChangeInBetween()
{
    auto steady = openWith({}), changed = openWith({});
    QVERIFY(furthest(gradientOf(*steady, 0), gradientOf(*changed, 0)) == 0);
    // Memory ran out: the step begun is forgotten, and made again in pieces.
    QVERIFY(changed->forward(1, rowsOfStep(1, batch, samples)).ok());
    changed->setMicroBatch(3);
    QVERIFY(furthest(gradientOf(*steady, 1), gradientOf(*changed, 1)) < 2e-5);
    QCOMPARE(changed->choices().value("micro_batch", 0), 3);
    // What was found out is taken over, whatever the recipe says.
    auto resumed = openWith({}, {}, plainNet, "sgd", {}, changed->choices());
    QCOMPARE(resumed->choices().value("micro_batch", 0), 3);
}

void StepSettingsTest::clipsTheNorm_data()
{
    QTest::addColumn<bool>("gated");
    QTest::newRow("at once") << false;
    QTest::newRow("as on a GPU") << true;
}

void StepSettingsTest::clipsTheNorm()
{
    QFETCH(bool, gated);
    const Json choices = gated ? Json{{"commit", "gated on the device"}} : Json();
    auto plain = openWith({});
    const std::vector<float> gradient = gradientOf(*plain);
    const double norm = normOf(gradient);
    for (const double limit : {norm / 4, norm * 2}) {
        StepSettings step;
        step.clipNorm = limit;
        auto clipped = openWith(step, {}, plainNet, "sgd", {{"momentum", 0.0}}, choices);
        std::vector<float> expected = gradient;
        for (float& value : expected) value *= static_cast<float>(std::min(1.0, limit / norm));
        QVERIFY(furthest(gradientOf(*clipped), expected) < 1e-6);
    }
}

void StepSettingsTest::clipsValues()
{
    auto plain = openWith({});
    const std::vector<float> gradient = gradientOf(*plain);
    StepSettings step;
    step.clipValue = 0.01;
    auto clipped = openWith(step);
    std::vector<float> expected = gradient;
    int cut = 0;
    for (float& value : expected) {
        cut += std::abs(value) > 0.01f;
        value = std::clamp(value, -0.01f, 0.01f);
    }
    QVERIFY(cut > 0);
    QVERIFY(furthest(gradientOf(*clipped), expected) < 1e-6);
}

void StepSettingsTest::averagesWeights_data()
{
    clipsTheNorm_data();
}

void StepSettingsTest::averagesWeights()
{
    QFETCH(bool, gated);
    const Json choices = gated ? Json{{"commit", "gated on the device"}} : Json();
    StepSettings step;
    step.averageDecay = 0.3;
    auto averaged = openWith(step, {}, plainNet, "adam", {}, choices), plain = openWith({}, {}, plainNet, "adam", {});
    std::vector<float> expected = flat(*plain->weights());
    for (std::int64_t n = 1; n <= 6; ++n) {
        QVERIFY(trainStep(*averaged, n - 1).ok() && trainStep(*plain, n - 1).ok());
        const double keep = std::min(0.3, (1.0 + static_cast<double>(n)) / (10.0 + static_cast<double>(n)));
        const std::vector<float> now = flat(*plain->weights());
        for (std::size_t i = 0; i < now.size(); ++i) expected[i] = static_cast<float>(keep * static_cast<double>(expected[i]) + (1 - keep) * static_cast<double>(now[i]));
        QVERIFY(furthest(flat(*averaged->weights()), expected) < 1e-6);
    }
    QVERIFY(furthest(flat(*averaged->weights()), flat(*plain->weights())) > 1e-4); // training itself went on from the last step
    // What is looked at uses the average.
    auto other = openWith({}, {}, plainNet, "adam", {});
    QVERIFY(other->setWeights(viewsOf(*averaged->weights())).ok());
    const auto rows = rowsOfStep(0, batch, 20);
    QCOMPARE(averaged->evaluate(Part::Test, rows, 8, {})->loss, other->evaluate(Part::Test, rows, 8, {})->loss);
}

void StepSettingsTest::averageGoesOnFromACheckpoint()
{
    StepSettings step;
    step.averageDecay = 0.9;
    auto whole = openWith(step, {}, convnet, "adam", {}), first = openWith(step, {}, convnet, "adam", {});
    train(*whole, 0, 7);
    train(*first, 0, 3);
    const State saved = stateOf(*first);
    auto second = openWith(step, {}, convnet, "adam", {});
    QVERIFY(second->setWeights(viewsOf(saved.weights)).ok());
    QVERIFY(second->setOptimiserState(viewsOf(saved.optimiser)).ok());
    train(*second, 3, 7);
    QVERIFY(stateOf(*second) == stateOf(*whole));
    // The average alone does not do: that is what the optimiser's state is for.
    auto without = openWith({}, {}, convnet, "adam", {});
    QCOMPARE(without->setOptimiserState(viewsOf(saved.optimiser)).error().code, ErrorCode::Corrupt);
}

void StepSettingsTest::nanLeavesTheAverageAlone_data()
{
    clipsTheNorm_data();
}

void StepSettingsTest::nanLeavesTheAverageAlone()
{
    QFETCH(bool, gated);
    const Json choices = gated ? Json{{"commit", "gated on the device"}} : Json();
    StepSettings step;
    step.averageDecay = 0.5;
    step.clipNorm = 1;
    step.microBatch = 6;
    auto session = openWith(step, {}, convnet, "adam", {}, choices);
    train(*session, 0, 2);
    QCOMPARE(session->takeMetrics()->size(), std::size_t{2});
    State state = stateOf(*session);
    // Poison the weights that training goes on from; their average stays good.
    for (HostTensor& tensor : state.optimiser)
        if (tensor.name == "weights/conv1.weight") {
            const float nan = std::numeric_limits<float>::quiet_NaN();
            std::memcpy(tensor.bytes.data(), &nan, sizeof nan);
        }
    QVERIFY(session->setOptimiserState(viewsOf(state.optimiser)).ok());
    const std::vector<HostTensor> before = *session->weights();
    const auto done = trainStep(*session, 2);
    const auto later = session->takeMetrics();
    QVERIFY(!done || !later);
    QCOMPARE((done ? later.error() : done.error()).code, ErrorCode::NotFinite);
    QVERIFY(sameBits(*session->weights(), before));
}

/// The loss of a smoothed label, by its definition over the probabilities.
void StepSettingsTest::smoothsLabels()
{
    auto plain = openWith({}), smooth = openWith({}, {{"label_smoothing", 0.2}});
    const auto rows = rowsOfStep(0, batch, samples);
    const std::vector<float> p = *plain->predict(Part::Training, rows, batch, {});
    const DatasetPtr data = stripes();
    double expected = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t c = 0; c < 4; ++c) {
            const bool right = static_cast<std::size_t>(data->labels(Part::Training)[static_cast<std::size_t>(rows[i])]) == c;
            expected -= (0.05 + (right ? 0.8 : 0.0)) * std::log(static_cast<double>(p[i * 4 + c])) / static_cast<double>(rows.size());
        }
    QVERIFY(std::abs(smooth->evaluate(Part::Training, rows, 5, {})->loss - expected) < 1e-5);
    QVERIFY(plain->evaluate(Part::Training, rows, 5, {})->loss < expected);
}

/// A class with a third of the samples counts three times as much: the same gradient as with its samples three times over.
void StepSettingsTest::balancesClasses()
{
    class Uneven final : public Dataset
    {
      public:
        Uneven()
        {
            m_info.sample = imageType(2, 12, 12);
            m_info.sample.dtype = DType::U8;
            m_info.classes = {"a", "b", "c", "d"};
            m_info.trainingCount = 12;
            m_info.trainingPerClass = {6, 2, 4, 0};
        }
        void gather(Part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
        {
            for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>((static_cast<std::size_t>(rows[i / 288]) * 37 + i % 288 * 11) % 251);
        }
        std::span<const std::int32_t> labels(Part) const override { return m_labels; }

      private:
        std::vector<std::int32_t> m_labels{0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2};
    };
    const auto gradient = [&](ParamValues task, std::vector<std::int64_t> rows) {
        constexpr const char* net = R"([{"type":"flatten"},{"type":"dense","units":4}])";
        SessionSpec spec = specOf(*planOf(net, imageType(2, 12, 12)), "sgd", {{"momentum", 0.0}});
        spec.task.params = std::move(task);
        auto session = Session::open(std::move(spec));
        if (!session || !(*session)->useData(std::make_shared<Uneven>())) qFatal("no session");
        const std::vector<float> before = flat(*(*session)->weights());
        if (!(*session)->forward(0, rows) || !(*session)->backward() || !(*session)->commit(1.0)) qFatal("no step");
        std::vector<float> after = flat(*(*session)->weights());
        for (std::size_t i = 0; i < after.size(); ++i) after[i] = before[i] - after[i];
        return after;
    };
    // One sample of class 0 (weight 12/24) and one of class 1 (12/8): as one and three.
    const auto balanced = gradient({{"class_weights", std::string("balanced")}}, {0, 6});
    const auto repeated = gradient({}, {0, 6, 6, 6});
    QVERIFY(normOf(repeated) > 0.01);
    QVERIFY2(furthest(balanced, repeated) < 1e-5, qPrintable(QString::number(furthest(balanced, repeated))));
    QVERIFY(furthest(gradient({}, {0, 6}), repeated) > 1e-3);
}

void StepSettingsTest::offSwitches()
{
    StepSettings off;
    off.fuse = false;
    auto on = openWith({}), without = openWith(off);
    QVERIFY(on->choices()["fusion"] != "off");
    QCOMPARE(without->choices()["fusion"].get<std::string>(), std::string("off"));
    QVERIFY(furthest(gradientOf(*on), gradientOf(*without)) < 1e-5);
    off.channelsLast = false;
    auto plain = openWith(off);
    QCOMPARE(plain->choices()["layout"].get<std::string>(), std::string("contiguous"));
    QVERIFY(furthest(gradientOf(*plain), gradientOf(*openWith({}))) < 1e-5);
    // A run goes on as it began, whatever is on by default now.
    Json begun = without->choices();
    auto resumed = openWith({}, {}, plainNet, "sgd", {}, begun);
    QCOMPARE(resumed->choices()["fusion"].get<std::string>(), std::string("off"));
    begun.erase("fusion"); // before there were fused blocks
    QCOMPARE(openWith({}, {}, plainNet, "sgd", {}, begun)->choices()["fusion"].get<std::string>(), std::string("off"));
}

/// Other masks than those by counters, and the same ones each time: after a resume, too, also where the switch has been turned since.
void StepSettingsTest::dropoutByTorchsGenerator()
{
    StepSettings drawn;
    drawn.countedDropout = false;
    auto usual = openWith({}, {}, plainNet, "adam", {}), whole = openWith(drawn, {}, plainNet, "adam", {}), first = openWith(drawn, {}, plainNet, "adam", {});
    QCOMPARE(usual->choices()["dropout"].get<std::string>(), std::string("counted"));
    QCOMPARE(whole->choices()["dropout"].get<std::string>(), std::string("drawn"));
    train(*usual, 0, 7);
    train(*whole, 0, 7);
    train(*first, 0, 3);
    QVERIFY(!(stateOf(*usual) == stateOf(*whole)));
    const State saved = stateOf(*first);
    auto second = openWith({}, {}, plainNet, "adam", {}, first->choices());
    QCOMPARE(second->choices()["dropout"].get<std::string>(), std::string("drawn"));
    QVERIFY(second->setWeights(viewsOf(saved.weights)).ok());
    QVERIFY(second->setOptimiserState(viewsOf(saved.optimiser)).ok());
    train(*second, 3, 7);
    QVERIFY(stateOf(*second) == stateOf(*whole));
}

/// On the CPU the switch changes nothing: the numbers are the same each time without it. That torch has it, the session says.
void StepSettingsTest::theSameEveryTime()
{
    StepSettings repeatable;
    repeatable.deterministic = true;
    const auto trained = [](const StepSettings& step) {
        auto session = openWith(step);
        const std::string says = session->choices()["deterministic"];
        train(*session, 0, 8);
        return std::pair(says, stateOf(*session));
    };
    const auto plain = trained({}), first = trained(repeatable), second = trained(repeatable), after = trained({});
    QCOMPARE(first.first, std::string("refuses what is not"));
    QCOMPARE(plain.first, std::string("for the same number of threads"));
    QCOMPARE(after.first, plain.first); // it does not stay behind
    QVERIFY(first.second == second.second);
    QVERIFY(first.second == plain.second);
    // Beside a run that asked for it, a model that is only looked at leaves it on.
    auto run = openWith(repeatable);
    SessionSpec looking = specOf(*planOf(plainNet, imageType(2, 12, 12)), "");
    QVERIFY(Session::open(std::move(looking)).ok());
    QCOMPARE(run->choices()["deterministic"].get<std::string>(), std::string("refuses what is not"));
}

/// What a recipe says reaches the engine: each setting by itself, and nothing with it.
void StepSettingsTest::everySettingIsTakenOver()
{
    const auto with = [](const char* group, const char* id, ParamValue value) {
        TrainingSettings training;
        setOption(training, group, id, std::move(value));
        return stepSettings(training);
    };
    const StepSettings usual = stepSettings(TrainingSettings{});
    QVERIFY(usual.channelsLast && usual.poolsFirst && usual.fuse && usual.fusedOptimiser && usual.record && usual.autotune && !usual.deterministic && !usual.recompute);
    QCOMPARE(usual.precision, std::string("float32"));
    QCOMPARE(usual.batch, TrainingSettings{}.batchSize);
    const std::pair<const char*, bool StepSettings::*> switches[] = {{"channels_last", &StepSettings::channelsLast}, {"pools_first", &StepSettings::poolsFirst}, {"fused_blocks", &StepSettings::fuse},
                                                                     {"fused_optimiser", &StepSettings::fusedOptimiser}, {"counted_dropout", &StepSettings::countedDropout}, {"cuda_graph", &StepSettings::record}, {"autotune", &StepSettings::autotune}, {"resident_data", &StepSettings::resident},
                                                                     {"deterministic", &StepSettings::deterministic}};
    for (const auto& [id, member] : switches) {
        const StepSettings step = with("speed", id, !(usual.*member));
        for (const auto& [other, another] : switches) QVERIFY2((step.*another != usual.*another) == (member == another), other);
    }
    QCOMPARE(with("gradients", "micro_batch", std::int64_t{8}).microBatch, std::int64_t{8});
    QCOMPARE(with("gradients", "micro_batch", std::int64_t{8}).batch, std::int64_t{8});
    QCOMPARE(with("gradients", "clip_norm", 0.5).clipNorm, 0.5);
    QCOMPARE(with("gradients", "clip_value", 0.25).clipValue, 0.25);
    QCOMPARE(with("averaging", "decay", 0.9).averageDecay, 0.9);
    QCOMPARE(with("precision", "compute", std::string("fp16")).precision, std::string("fp16"));
    QCOMPARE(with("precision", "first_scale", 8.0).firstScale, 8.0);
    QCOMPARE(with("precision", "scale_grows_after", std::int64_t{7}).scaleGrowsAfter, std::int64_t{7});
    QVERIFY(with("memory", "recompute", std::string("blocks")).recompute);
}

QTEST_GUILESS_MAIN(StepSettingsTest)
#include "step_settings_test.moc"
