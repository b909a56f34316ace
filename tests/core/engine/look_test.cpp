// SPDX-License-Identifier: GPL-3.0-or-later
// Looking closely at a step: the parts of a profile are those of the plan, nest, and add up to the step; the numbers of a network are
// those counted by hand; and a step that is looked at is, to the last bit, the step that is not.
#include "engine_support.h"

#include <QTest>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

using namespace sconce;
using namespace sconce::test;

namespace {

constexpr const char* blocks = R"([
    {"type":"conv2d","filters":8,"kernel":[3,3],"padding":"same"},
    {"type":"batch_norm"},
    {"type":"relu"},
    {"type":"residual","activation":"relu","branches":[[{"type":"conv2d","filters":8,"kernel":[3,3],"padding":"same","activation":"relu"},{"type":"batch_norm"},{"type":"dropout","rate":0.2}]]},
    {"type":"residual","activation":"relu","branches":[[{"type":"conv2d","filters":8,"kernel":[3,3],"padding":"same","activation":"gelu"},{"type":"batch_norm"}]]},
    {"type":"global_average_pool"},
    {"type":"dense","units":4}])";

struct Variant { const char* net = convnet; std::int64_t pieces = 0; bool recompute = false; std::string precision = "float32"; };

std::unique_ptr<Session> opened(const Variant& variant)
{
    auto plan = planOf(variant.net, imageType(2, 12, 12));
    if (!plan) giveUp(plan.error());
    SessionSpec spec = specOf(std::move(*plan));
    spec.step.microBatch = variant.pieces;
    spec.step.recompute = variant.recompute;
    spec.step.precision = variant.precision;
    auto session = Session::open(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(stripes()); !used) giveUp(used.error());
    return std::move(*session);
}

StepProfile profileOf(Session& session, std::int64_t step)
{
    auto profile = session.profileStep(step, rowsOfStep(step, batch, trainingCount), 0.01);
    if (!profile) giveUp(profile.error());
    return std::move(*profile);
}

std::vector<double> ownTimes(const StepProfile& profile)
{
    std::vector<double> own;
    for (const ProfileSpan& span : profile.spans) {
        own.push_back(span.seconds());
        if (span.parent >= 0) own[static_cast<std::size_t>(span.parent)] -= span.seconds();
    }
    return own;
}

} // namespace

class LookTest : public QObject
{
    Q_OBJECT

    static void addVariants()
    {
        QTest::addColumn<int>("which");
        QTest::newRow("whole batch") << 0;
        QTest::newRow("in pieces") << 1;
        QTest::newRow("computed again") << 2;
        QTest::newRow("bfloat16") << 3;
    }
    static Variant variant(int which)
    {
        return which == 1 ? Variant{convnet, 5} : which == 2 ? Variant{blocks, 0, true} : which == 3 ? Variant{convnet, 0, false, "bf16"} : Variant{};
    }

  private Q_SLOTS:
    void partsNestAndAddUp_data() { addVariants(); }
    void partsNestAndAddUp()
    {
        QFETCH(int, which);
        const auto session = opened(variant(which));
        train(*session, 0, 2);
        const StepProfile profile = profileOf(*session, 2);
        const auto& spans = profile.spans;
        QVERIFY(spans.size() > 10);
        QCOMPARE(spans.front().phase, ProfilePhase::Step);
        QCOMPARE(spans.front().parent, -1);
        std::map<int, double> until; // by parent: where its last child ended
        for (std::size_t i = 1; i < spans.size(); ++i) {
            const ProfileSpan& span = spans[i];
            QVERIFY(span.parent >= 0 && span.parent < static_cast<int>(i));
            const ProfileSpan& parent = spans[static_cast<std::size_t>(span.parent)];
            QVERIFY(span.begin <= span.end && parent.begin <= span.begin && span.end <= parent.end);
            QVERIFY2(!until.contains(span.parent) || until[span.parent] <= span.begin, span.name.c_str()); // siblings, one after another
            until[span.parent] = span.end;
        }
        const std::vector<double> own = ownTimes(profile);
        for (const double each : own) QVERIFY(each > -1e-9);
        QVERIFY(std::abs(std::accumulate(own.begin(), own.end(), 0.0) - spans.front().seconds()) < 1e-9); // by construction: rounding alone
        std::set<ProfilePhase> phases;
        for (const ProfileSpan& span : spans) phases.insert(span.phase);
        for (const ProfilePhase phase : {ProfilePhase::Data, ProfilePhase::Forward, ProfilePhase::Loss, ProfilePhase::Backward, ProfilePhase::Optimiser}) QVERIFY(phases.contains(phase));
        QCOMPARE(phases.contains(ProfilePhase::Again), which == 2);
        QVERIFY(profile.peakBytes > 16 * 2 * 12 * 12 * 4); // at least the batch
        QCOMPARE(profile.clock, std::string("processor"));
    }

    /// Every step of the plan is seen going forward, and everything that learns going back, under the layer that asked for it.
    void everyLayerIsSeenBothWays()
    {
        const auto session = opened({});
        const StepProfile profile = profileOf(*session, 0);
        std::map<LayerId, int> forward, backward;
        std::map<std::string, int> primitives;
        for (const ProfileSpan& span : profile.spans)
            for (const LayerId& layer : span.layers) {
                if (span.phase == ProfilePhase::Forward) ++forward[layer], ++primitives[span.primitive];
                if (span.phase == ProfilePhase::Backward) ++backward[layer];
            }
        const Stack stack = stackOf(convnet);
        QCOMPARE(forward.size(), stack.layers.size());
        for (const Layer& layer : stack.layers) {
            QVERIFY2(forward.contains(layer.id), layer.id.c_str());
            QVERIFY2(backward.contains(layer.id), layer.id.c_str());
        }
        QCOMPARE(primitives["linear"], 1);
        QCOMPARE(primitives["dropout"], 1);
    }

    void aFusedBlockIsCalledSo()
    {
        const auto session = opened({R"([{"type":"conv2d","filters":16,"kernel":[3,3],"activation":"relu"},{"type":"max_pool2d"},{"type":"flatten"},{"type":"dense","units":4}])"});
        const StepProfile profile = profileOf(*session, 0);
        bool forward = false, backward = false;
        for (const ProfileSpan& span : profile.spans) {
            if (!span.primitive.starts_with("fused ")) continue;
            QCOMPARE(span.primitive, std::string("fused conv + pool + activation"));
            QCOMPARE(span.layers.size(), std::size_t{2});
            (span.phase == ProfilePhase::Forward ? forward : backward) = true;
        }
        if (session->choices().value("fused_blocks", 0) == 0) QSKIP("This machine has no kernels for fused blocks.");
        QVERIFY(forward && backward);
    }

    void aProfiledStepIsAStep_data() { addVariants(); }
    void aProfiledStepIsAStep()
    {
        QFETCH(int, which);
        const auto looked = opened(variant(which)), plain = opened(variant(which));
        for (std::int64_t step = 0; step < 4; ++step) {
            (void)profileOf(*looked, step);
            train(*plain, step, step + 1);
        }
        QVERIFY(stateOf(*looked) == stateOf(*plain));
        const auto a = looked->takeMetrics(), b = plain->takeMetrics();
        QVERIFY(a.ok() && b.ok());
        QCOMPARE(a->size(), b->size());
        for (std::size_t i = 0; i < a->size(); ++i) QCOMPARE((*a)[i].loss, (*b)[i].loss);
    }

    void countingLeavesNoTrace_data() { addVariants(); }
    void countingLeavesNoTrace()
    {
        QFETCH(int, which);
        const auto looked = opened(variant(which)), plain = opened(variant(which));
        for (std::int64_t step = 0; step < 4; ++step) {
            const auto numbers = looked->numbers(step, rowsOfStep(step, batch, trainingCount));
            QVERIFY2(numbers.ok(), numbers.ok() ? "" : numbers.error().text().c_str());
            train(*looked, step, step + 1);
            train(*plain, step, step + 1);
        }
        QVERIFY(stateOf(*looked) == stateOf(*plain));
        QCOMPARE(looked->takeMetrics()->size(), std::size_t{4});
    }

    void countsAddUp_data() { addVariants(); }
    void countsAddUp()
    {
        QFETCH(int, which);
        const Variant how = variant(which);
        const auto session = opened(how);
        const auto numbers = session->numbers(0, rowsOfStep(0, batch, trainingCount));
        QVERIFY(numbers.ok());
        std::map<TensorNumbers::Kind, int> kinds;
        for (const TensorNumbers& tensor : *numbers) {
            ++kinds[tensor.kind];
            const std::int64_t elements = std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t{1}, std::multiplies<>());
            QCOMPARE(tensor.numbers.count, elements);
            QCOMPARE(tensor.numbers.nonFinite, 0);
            QCOMPARE(std::accumulate(tensor.numbers.bins.begin(), tensor.numbers.bins.end(), std::int64_t{0}), elements);
            if (tensor.kind == TensorNumbers::Kind::Activation) QCOMPARE(tensor.shape.front(), batch);
        }
        QCOMPARE(kinds[TensorNumbers::Kind::Gradient], kinds[TensorNumbers::Kind::Weight]);
        const Stack stack = stackOf(how.net);
        for (const Layer& layer : stack.layers)
            QVERIFY(std::any_of(numbers->begin(), numbers->end(), [&](const TensorNumbers& each) { return each.kind == TensorNumbers::Kind::Activation && each.layer == layer.id; }));
    }

    /// One dense layer, so that all can be computed here: outputs, gradients of the mean cross-entropy, and the weights themselves.
    void asComputedByHand()
    {
        auto plan = planOf(R"([{"type":"flatten"},{"type":"dense","units":4},{"type":"relu"}])", imageType(2, 12, 12));
        QVERIFY(plan.ok());
        auto session = Session::open(specOf(std::move(*plan), "sgd"));
        QVERIFY(session.ok());
        const DatasetPtr data = stripes();
        QVERIFY((*session)->useData(data).ok());
        const auto rows = rowsOfStep(0, batch, trainingCount);
        const auto numbers = (*session)->numbers(0, rows);
        QVERIFY(numbers.ok());
        const auto weights = *(*session)->weights();
        std::vector<float> w, b;
        std::string prefix;
        for (const HostTensor& tensor : weights) (tensor.shape.size() == 2 ? w : b) = floatsOf(tensor);
        QCOMPARE(w.size(), std::size_t{4 * 288});

        std::vector<std::uint8_t> bytes(rows.size() * 288);
        data->gather(Part::Training, rows, bytes);
        std::vector<double> gradient(4 * 288, 0), bias(4, 0);
        std::vector<float> outputs;
        const auto labels = data->labels(Part::Training);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            double z[4], p[4], sum = 0;
            for (std::size_t k = 0; k < 4; ++k) {
                z[k] = b[k];
                for (std::size_t j = 0; j < 288; ++j) z[k] += double(w[k * 288 + j]) * bytes[i * 288 + j] / 255.0;
                outputs.push_back(static_cast<float>(std::max(0.0, z[k])));
            }
            for (std::size_t k = 0; k < 4; ++k) sum += p[k] = std::exp(std::max(0.0, z[k]));
            for (std::size_t k = 0; k < 4; ++k) {
                const double d = z[k] > 0 ? (p[k] / sum - (labels[static_cast<std::size_t>(rows[i])] == static_cast<std::int32_t>(k) ? 1 : 0)) / double(rows.size()) : 0;
                bias[k] += d;
                for (std::size_t j = 0; j < 288; ++j) gradient[k * 288 + j] += d * bytes[i * 288 + j] / 255.0;
            }
        }
        const auto found = [&](TensorNumbers::Kind kind, std::size_t size, std::size_t dims) -> const Histogram& {
            for (const TensorNumbers& each : *numbers)
                if (each.kind == kind && each.numbers.count == static_cast<std::int64_t>(size) && each.shape.size() == dims) return each.numbers;
            giveUp({ErrorCode::Internal, "not among the numbers", {}, {}});
        };
        const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-5 * std::max(1.0, std::abs(b)) + 1e-7; };
        QVERIFY(found(TensorNumbers::Kind::Weight, w.size(), 2) == histogramOf(w)); // the very same
        const std::vector<float> expected(gradient.begin(), gradient.end());
        const Histogram byHand = histogramOf(expected), &got = found(TensorNumbers::Kind::Gradient, expected.size(), 2);
        for (const auto& [a, c] : {std::pair(got.min, byHand.min), {got.max, byHand.max}, {got.mean, byHand.mean}, {got.deviation, byHand.deviation}}) QVERIFY2(near(a, c), qPrintable(QString("%1 %2").arg(a).arg(c)));
        QCOMPARE(got.zeros, byHand.zeros);
        const Histogram out = histogramOf(outputs);
        const TensorNumbers& last = numbers->back();
        QCOMPARE(last.kind, TensorNumbers::Kind::Activation);
        QCOMPARE(last.shape, (std::vector<std::int64_t>{batch, 4}));
        for (const auto& [a, c] : {std::pair(last.numbers.min, out.min), {last.numbers.max, out.max}, {last.numbers.mean, out.mean}, {last.numbers.deviation, out.deviation}}) QVERIFY(near(a, c));
        QCOMPARE(last.numbers.zeros, out.zeros);
        QVERIFY(out.zeros > 0); // or the ReLU would not be there
    }

    void whatIsNoNumberIsCounted()
    {
        const auto session = opened({});
        auto weights = *session->weights();
        const float strange[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
        for (HostTensor& tensor : weights)
            if (tensor.shape.size() == 2) std::memcpy(tensor.bytes.data(), strange, sizeof strange);
        QVERIFY(session->setWeights(viewsOf(weights)).ok());
        const auto numbers = session->numbers(0, rowsOfStep(0, batch, trainingCount));
        QVERIFY2(numbers.ok(), numbers.ok() ? "" : numbers.error().text().c_str());
        bool weight = false, output = false;
        for (const TensorNumbers& each : *numbers) {
            weight = weight || (each.kind == TensorNumbers::Kind::Weight && each.numbers.nonFinite == 2);
            output = output || (each.kind == TensorNumbers::Kind::Activation && each.numbers.nonFinite > 0);
        }
        QVERIFY(weight && output);
    }

    /// What is refused is refused as without looking, and the session goes on.
    void anErrorIsAnError()
    {
        const auto session = opened({});
        const std::vector<std::int64_t> beyond{trainingCount};
        QVERIFY(!session->profileStep(0, beyond, 0.01).ok());
        QVERIFY(!session->numbers(0, beyond).ok());
        train(*session, 0, 1);
        const auto fresh = opened({});
        train(*fresh, 0, 1);
        QVERIFY(stateOf(*session) == stateOf(*fresh));
    }
};

QTEST_GUILESS_MAIN(LookTest)
#include "look_test.moc"
