// SPDX-License-Identifier: GPL-3.0-or-later
// The kernels of attention over few positions: every instruction set against the formula in double, within the room that it asked for, with
// nothing hidden that is no number; and the operator over them. That a plan uses it where it fits is in transformer_test.
#include "core/engine/backend/attention.h"
#include "core/engine/backend/attention_kernels.h"
#include "core/model/passes.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

#include <QTest>

#include <cmath>
#include <limits>

using at::Tensor;
using namespace sconce;
using namespace sconce::engine;
using shortattention::Kernels;
using shortattention::Shape;

namespace {

constexpr float guardValue = 7;
constexpr std::int64_t guard = 64;

/// x [N, length, 3 × heads × width], in its own type.
Tensor formula(const Tensor& x, std::int64_t heads, bool causal)
{
    const std::int64_t batch = x.size(0), length = x.size(1), all = x.size(2) / 3, width = all / heads;
    const auto part = [&](std::int64_t which) { return x.narrow(2, which * all, all).reshape({batch, length, heads, width}).transpose(1, 2); };
    Tensor scores = at::matmul(part(0), part(1).transpose(2, 3)) / std::sqrt(static_cast<double>(width));
    if (causal) scores = scores + at::full({length, length}, -std::numeric_limits<double>::infinity(), x.options()).triu(1);
    return at::matmul(at::softmax(scores, 3), part(2)).transpose(1, 2).reshape({batch, length, all});
}

double furthest(const Tensor& a, const Tensor& b) { return a.numel() == 0 ? 0 : (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>(); }

/// Exactly the size that was asked for lies before the guard.
struct Guarded
{
    Tensor all;
    std::int64_t size;
    explicit Guarded(std::int64_t count) : all(at::full({count + guard}, guardValue, at::kFloat)), size(count) {}
    float* at() { return all.data_ptr<float>(); }
    bool intact() const { return all.narrow(0, size, guard).eq(guardValue).all().item<bool>(); }
};

struct Case { std::int64_t batch, positions, heads, width; bool causal; };

} // namespace

Q_DECLARE_METATYPE(Case)

class AttentionTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void everyInstructionSet_data()
    {
        QTest::addColumn<int>("set");
        QTest::addColumn<Case>("shape");
        const Kernels* sets[4];
        const int count = shortattention::kernelSets(sets, 4);
        for (int set = 0; set < count; ++set)
            for (const std::int64_t positions : {1, 2, 6, 7, 15, 16, 17, 31, 48, 64, 101, 256})
                for (const std::int64_t width : {16, 32, 80})
                    for (const bool causal : {false, true})
                        QTest::addRow("%s, %lld positions, width %lld%s", sets[set]->name, static_cast<long long>(positions), static_cast<long long>(width), causal ? ", causal" : "")
                            << set << Case{2, positions, 3, width, causal};
    }
    void everyInstructionSet()
    {
        QFETCH(int, set);
        QFETCH(Case, shape);
        const Kernels* sets[4];
        shortattention::kernelSets(sets, 4);
        const Kernels& kernels = *sets[set];
        at::manual_seed(static_cast<std::uint64_t>(shape.positions));
        const Shape s{shape.positions, shape.heads, shape.width, shape.causal};
        const Tensor x = at::randn({shape.batch, s.positions, 3 * s.all()}), pull = at::randn({shape.batch, s.positions, s.all()});
        Guarded out(x.numel() / 3), sums(shape.batch * s.heads * s.positions), dx(x.numel());
        for (std::int64_t sample = 0; sample < shape.batch; ++sample)
            for (std::int64_t head = 0; head < s.heads; ++head) {
                const std::int64_t at = sample * s.positions * s.all();
                float* logs = sums.at() + (sample * s.heads + head) * s.positions;
                Guarded room(kernels.forwardRoom(s)), back(kernels.backwardRoom(s));
                kernels.forward(s, x.const_data_ptr<float>() + 3 * at, head, room.at(), out.at() + at, logs);
                kernels.backward(s, x.const_data_ptr<float>() + 3 * at, out.at() + at, logs, pull.const_data_ptr<float>() + at, head, back.at(), dx.at() + 3 * at);
                QVERIFY(room.intact() && back.intact());
            }
        QVERIFY(out.intact() && sums.intact() && dx.intact());
        const Tensor exact = x.to(at::kDouble).set_requires_grad(true), expected = formula(exact, s.heads, s.causal);
        expected.backward(pull.to(at::kDouble));
        const double apart = furthest(out.all.narrow(0, 0, out.size).view_as(expected), expected.detach()), gradients = furthest(dx.all.narrow(0, 0, dx.size).view_as(exact), exact.grad());
        QVERIFY2(apart < 2e-5, qPrintable(QString::number(apart)));
        QVERIFY2(gradients < 1e-4, qPrintable(QString::number(gradients)));
    }

    /// Scores of hundreds, as an untrained or a runaway network has them: the largest takes all, and nothing overflows.
    void largeScores()
    {
        const Kernels* sets[4];
        const int count = shortattention::kernelSets(sets, 4);
        at::manual_seed(2);
        const Shape s{40, 2, 16, true};
        const Tensor x = at::randn({1, s.positions, 3 * s.all()}) * 30, pull = at::ones({1, s.positions, s.all()});
        const Tensor expected = formula(x.to(at::kDouble), s.heads, true);
        QVERIFY((formula(x, s.heads, true) - x.narrow(2, 2 * s.all(), s.all())).abs().max().item<double>() > 1); // not each its own alone
        for (int set = 0; set < count; ++set) {
            Tensor out = at::zeros_like(expected, at::kFloat), sums = at::zeros({s.heads, s.positions}), dx = at::zeros_like(x), room = at::zeros({sets[set]->backwardRoom(s)});
            for (std::int64_t head = 0; head < s.heads; ++head) {
                float* logs = sums.data_ptr<float>() + head * s.positions;
                sets[set]->forward(s, x.const_data_ptr<float>(), head, room.data_ptr<float>(), out.data_ptr<float>(), logs);
                sets[set]->backward(s, x.const_data_ptr<float>(), out.const_data_ptr<float>(), logs, pull.const_data_ptr<float>(), head, room.data_ptr<float>(), dx.data_ptr<float>());
            }
            QVERIFY(out.isfinite().all().item<bool>() && sums.isfinite().all().item<bool>() && dx.isfinite().all().item<bool>());
            QVERIFY2(furthest(out, expected) < 0.1, qPrintable(QString::number(furthest(out, expected)))); // of values around 30: 2⁻²⁴ of a score of 1,000 is a share's error
        }
    }

    /// A NaN reaches every position that sees it, so that the step is refused; and none that does not.
    void nothingHidesNan_data()
    {
        QTest::addColumn<int>("part");
        QTest::addColumn<bool>("causal");
        for (const int part : {0, 1, 2})
            for (const bool causal : {false, true}) QTest::addRow("%s%s", part == 0 ? "Q" : part == 1 ? "K" : "V", causal ? ", causal" : "") << part << causal;
    }
    void nothingHidesNan()
    {
        QFETCH(int, part);
        QFETCH(bool, causal);
        const Kernels* sets[4];
        const int count = shortattention::kernelSets(sets, 4);
        at::manual_seed(3);
        const Shape s{37, 1, 16, causal};
        Tensor x = at::randn({1, s.positions, 3 * s.all()});
        x[0][20][part * s.all() + 5] = std::numeric_limits<double>::quiet_NaN();
        for (int set = 0; set < count; ++set) {
            Tensor out = at::zeros({1, s.positions, s.all()}), room = at::zeros({sets[set]->forwardRoom(s)});
            sets[set]->forward(s, x.const_data_ptr<float>(), 0, room.data_ptr<float>(), out.data_ptr<float>(), nullptr);
            const Tensor met = out.isnan().any(2)[0];
            for (std::int64_t i = 0; i < s.positions; ++i) {
                const bool sees = part == 0 ? i == 20 : !causal || i >= 20;
                if (sees) QVERIFY2(met[i].item<bool>(), qPrintable(QString("%1: position %2").arg(sets[set]->name).arg(i)));
                else if (part != 2 || i < 15) QVERIFY2(!met[i].item<bool>(), qPrintable(QString("%1: position %2 sees what it must not").arg(sets[set]->name).arg(i))); // nothing times NaN, in a block's last rows
            }
        }
    }

    void theOperator()
    {
        at::manual_seed(5);
        const Tensor wide = at::randn({5, 64, 3 * 64 + 8});
        const Tensor x = wide.narrow(2, 0, 3 * 64).set_requires_grad(true); // not in one piece
        const Tensor y = shortAttention(x, 4, true), pull = at::randn({64, 5, 64}).transpose(0, 1);
        QCOMPARE(y.sizes().vec(), (std::vector<std::int64_t>{5, 64, 64}));
        const Tensor given = torch::autograd::grad({y}, {x}, {pull})[0];
        const Tensor exact = x.detach().to(at::kDouble).set_requires_grad(true);
        const Tensor expected = torch::autograd::grad({formula(exact, 4, true)}, {exact}, {pull.to(at::kDouble)})[0];
        QVERIFY(furthest(given, expected) < 1e-5);
        // The numbers do not depend on the threads.
        const int threads = at::get_num_threads();
        at::set_num_threads(1);
        const Tensor alone = shortAttention(x, 4, true), alonesGradient = torch::autograd::grad({alone}, {x}, {pull})[0];
        at::set_num_threads(threads);
        QVERIFY(at::equal(alone, y) && at::equal(alonesGradient, given));
        // Nobody's turn: an empty batch.
        const Tensor nobody = at::randn({0, 64, 3 * 64}).set_requires_grad(true), none = shortAttention(nobody, 4, true);
        QCOMPARE(none.sizes().vec(), (std::vector<std::int64_t>{0, 64, 64}));
        none.sum().backward();
        QCOMPARE(nobody.grad().numel(), 0);
    }
};

QTEST_GUILESS_MAIN(AttentionTest)
#include "attention_test.moc"
