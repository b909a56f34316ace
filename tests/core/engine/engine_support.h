// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Shared by the engine's tests: a small data set made of random numbers, and plans from a few lines of JSON.

#include "core/base/random.h"
#include "core/engine/session.h"
#include "core/model/catalogue.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace sconce::test {

/// Pictures whose class decides which rows are bright: learnable at once, but not by a single pixel.
class StripesDataset final : public Dataset
{
  public:
    StripesDataset(ValueType sample, std::int64_t training, std::int64_t test, int classes, bool contiguous = true)
        : m_contiguous(contiguous)
    {
        sample.dtype = DType::U8;
        m_info.id = "stripes";
        m_info.title = "Stripes";
        m_info.sample = sample;
        m_info.trainingCount = training;
        m_info.testCount = test;
        for (int c = 0; c < classes; ++c) m_info.classes.push_back("class " + std::to_string(c));
        fill(Part::Training, m_bytes[0], m_labels[0]);
        fill(Part::Test, m_bytes[1], m_labels[1]);
    }
    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        const auto record = static_cast<std::size_t>(m_info.sample.elements());
        for (std::size_t i = 0; i < rows.size(); ++i)
            std::copy_n(m_bytes[index(part)].data() + static_cast<std::size_t>(rows[i]) * record, record, out.data() + i * record);
    }
    std::span<const std::int32_t> labels(Part part) const override { return m_labels[index(part)]; }
    std::span<const std::uint8_t> contiguous(Part part) const override
    {
        return m_contiguous ? std::span<const std::uint8_t>(m_bytes[index(part)]) : std::span<const std::uint8_t>();
    }

  private:
    static std::size_t index(Part part) { return part == Part::Training ? 0 : 1; }
    void fill(Part part, std::vector<std::uint8_t>& bytes, std::vector<std::int32_t>& labels)
    {
        const auto record = static_cast<std::size_t>(m_info.sample.elements());
        const auto rows = static_cast<std::size_t>(count(part));
        const auto classes = static_cast<std::int32_t>(m_info.classes.size());
        const Philox random(7, Purpose::Test, index(part));
        bytes.resize(rows * record);
        labels.resize(rows);
        for (std::size_t i = 0; i < rows; ++i) {
            labels[i] = static_cast<std::int32_t>(i) % classes;
            for (std::size_t j = 0; j < record; ++j) {
                const bool bright = static_cast<std::int32_t>(j * static_cast<std::size_t>(classes) / record) == labels[i];
                bytes[i * record + j] = static_cast<std::uint8_t>((random.bits(i * record + j) & 127u) + (bright ? 100u : 0u));
            }
        }
    }
    bool m_contiguous;
    std::vector<std::uint8_t> m_bytes[2];
    std::vector<std::int32_t> m_labels[2];
};

/// A stack from a JSON array; `error` gets the first problem.
inline Stack stackOf(const std::string& json, std::string* error = nullptr)
{
    const auto parsed = parseJson(json, "the test's stack");
    if (!parsed.ok()) {
        if (error) *error = parsed.error().text();
        return {};
    }
    std::vector<JsonProblem> problems;
    Stack stack = stackFromJson(*parsed, "/layers", problems);
    if (error && !problems.empty()) *error = problems.front().path + ": " + problems.front().message;
    return stack;
}

inline Result<Plan> planOf(const std::string& json, const ValueType& input)
{
    std::string error;
    const Stack stack = stackOf(json, &error);
    if (!error.empty()) return Error{ErrorCode::Invalid, error, {}, {}};
    return lower(stack, input);
}

inline SessionSpec specOf(Plan plan, const std::string& optimiser = "adam", ParamValues settings = {}, std::uint64_t seed = 3)
{
    SessionSpec spec;
    spec.plan = std::move(plan);
    spec.task = {"classification", {}};
    spec.optimiser = {optimiser, std::move(settings)};
    spec.threads = 1;
    spec.seed = seed;
    return spec;
}

inline std::vector<TensorView> viewsOf(const std::vector<HostTensor>& tensors)
{
    std::vector<TensorView> views;
    for (const HostTensor& tensor : tensors) views.push_back(tensor.view());
    return views;
}

inline std::vector<float> floatsOf(const HostTensor& tensor)
{
    std::vector<float> values(tensor.bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
}

/// Bit for bit: names, shapes and bytes.
inline bool sameBits(const std::vector<HostTensor>& a, const std::vector<HostTensor>& b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const HostTensor& x, const HostTensor& y) {
               return x.name == y.name && x.shape == y.shape && x.dtype == y.dtype && x.bytes == y.bytes;
           });
}

/// Rows of a step: a fixed order without randomness.
inline std::vector<std::int64_t> rowsOfStep(std::int64_t step, std::int64_t batch, std::int64_t count)
{
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    for (std::int64_t i = 0; i < batch; ++i) rows[static_cast<std::size_t>(i)] = (step * batch + i * 5) % count;
    return rows;
}

/// Ends the test program: without this there is nothing to test.
[[noreturn]] inline void giveUp(const Error& error)
{
    std::fprintf(stderr, "%s %s\n", error.text().c_str(), error.detail.c_str());
    std::abort();
}

// ---- a small network that trains, for the tests of the session ----

/// One of everything that holds state: convolution, batch norm, dropout.
inline constexpr const char* convnet = R"([
    {"type":"conv2d","filters":6,"kernel":[3,3],"activation":"relu"},
    {"type":"max_pool2d"},
    {"type":"conv2d","filters":8,"kernel":[3,3]},
    {"type":"batch_norm"},
    {"type":"relu"},
    {"type":"flatten"},
    {"type":"dropout","rate":0.4},
    {"type":"dense","units":4}])";

inline constexpr std::int64_t trainingCount = 96, batch = 16;

inline DatasetPtr stripes(bool contiguous = true)
{
    return std::make_shared<StripesDataset>(imageType(2, 12, 12), trainingCount, 20, 4, contiguous);
}

inline std::unique_ptr<Session> openSession(const std::string& optimiser = "adam", ParamValues settings = {}, std::uint64_t seed = 3,
                                     DatasetPtr data = stripes(), int threads = 1)
{
    auto plan = planOf(convnet, imageType(2, 12, 12));
    if (!plan) giveUp(plan.error());
    SessionSpec spec = specOf(std::move(*plan), optimiser, std::move(settings), seed);
    spec.threads = threads;
    auto session = Session::open(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(std::move(data)); !used) giveUp(used.error());
    return std::move(*session);
}

inline Result<void> trainStep(Session& session, std::int64_t step, double rate = 0.01)
{
    const auto rows = rowsOfStep(step, batch, trainingCount);
    SCONCE_TRY(session.forward(step, rows));
    SCONCE_TRY(session.backward());
    return session.commit(rate);
}

inline void train(Session& session, std::int64_t first, std::int64_t last)
{
    for (std::int64_t step = first; step < last; ++step) {
        const auto done = trainStep(session, step);
        if (!done) giveUp(done.error());
    }
}

inline const HostTensor& named(const std::vector<HostTensor>& tensors, const std::string& name)
{
    for (const HostTensor& tensor : tensors)
        if (tensor.name == name) return tensor;
    giveUp({ErrorCode::Internal, "no tensor called " + name, {}, {}});
}

struct State
{
    std::vector<HostTensor> weights, optimiser;
    bool operator==(const State& other) const { return sameBits(weights, other.weights) && sameBits(optimiser, other.optimiser); }
};

inline State stateOf(Session& session)
{
    return {*session.weights(), *session.optimiserState()};
}

} // namespace sconce::test
