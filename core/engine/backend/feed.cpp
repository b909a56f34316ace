// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/feed.h"

#include "core/engine/devices.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Parallel.h>
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sconce::engine {

namespace {
/// The device may be at the first of these while the host fills the last.
constexpr std::size_t lotsOfRows = 8, lotsOfRecords = 3;
constexpr std::int64_t mostBytesALot = 16 << 20;
/// For a thread, at least: below, starting it costs more than it gains.
constexpr std::int64_t fewestRows = 64, fewestChangedRows = 8;
}

void convertTableRecord(const float* in, float* out, const Scaling& scaling, const float* factors)
{
    for (std::size_t i = 0; i < scaling.fill.size(); ++i) {
        const float value = std::isnan(in[i]) ? scaling.fill[i] : in[i];
        out[i] = (value - scaling.mean[i]) * factors[i]; // in this order: a mean may be large beside the spread
    }
}

void Feed::convert(const std::uint8_t* record, float* out) const
{
    if (!m_factors.empty()) {
        // Gathered and contiguous records of floats alike begin where floats may stand.
        convertTableRecord(reinterpret_cast<const float*>(record), out, m_scaling, m_factors.data());
        return;
    }
    const std::int64_t channels = m_channelsLast ? m_sizes[0] : 1;
    convertRecord(record, out, channels, m_elements / channels, m_channelsLast, m_factor, m_offset);
}

Feed::Feed(DatasetPtr data, const ValueType& input, const InputSettings& settings, const Scaling& scaling, at::Device device, bool channelsLast, bool resident)
    : m_data(std::move(data))
    , m_sizes(input.sizes())
    , m_elements(input.elements())
    , m_device(device)
    , m_channelsLast(channelsLast && input.rank() == 3)
    , m_symbols(input.dtype == DType::I64)
    , m_scaling(scaling)
    , m_recordBytes(static_cast<std::size_t>(m_elements) * (scaling.mean.empty() ? 1 : sizeof(float)) + (m_symbols && m_data ? 1 : 0))
{
    for (const float deviation : m_scaling.deviation) m_factors.push_back(1.0f / deviation);
    if (!m_factors.empty()) {
        m_fillOnDevice = at::tensor(m_scaling.fill).to(m_device);
        m_factorsOnDevice = at::tensor(m_factors).to(m_device);
        m_meanOnDevice = at::tensor(m_scaling.mean).to(m_device);
    }
    const double scale = settings.scale ? 1.0 / 255.0 : 1.0;
    const double deviation = settings.normalise ? settings.deviation : 1.0;
    m_factor = static_cast<float>(scale / deviation);
    m_offset = static_cast<float>(settings.normalise ? -settings.mean / deviation : 0.0);
    if (!m_data) return;
    if (m_device.is_cuda()) {
        if (resident) makeResident();
    } else if (!m_data->contiguous(Part::Training).empty()) m_kind = "in place";
}

void Feed::change(const Augmentation& how, std::uint64_t seed, std::int64_t stepsPerEpoch)
{
    m_changing.reset();
    const auto size = m_data ? pictureSize(m_data->info().sample) : std::nullopt;
    if (!size || !how.any() || m_symbols || !m_factors.empty()) return;
    m_changing.emplace(Changing{how, *size, seed, std::max<std::int64_t>(1, stepsPerEpoch), PictureChanges(how, *size, m_device), {}});
}

void Feed::drawChanges(std::span<const std::int64_t> rows, std::int64_t step, PictureChange* out) const
{
    for (const std::int64_t row : rows) *out++ = drawChange(m_changing->how, m_changing->size, m_changing->seed, m_changing->epoch(step), row);
}

void Feed::convertChanged(const std::uint8_t* record, std::int64_t row, std::int64_t epoch, float* out)
{
    const Changing& changing = *m_changing;
    Changing::Lane& lane = m_changing->lanes[static_cast<std::size_t>(at::get_thread_num())];
    lane.changer.apply(drawChange(changing.how, changing.size, changing.seed, epoch, row), record, lane.picture.data());
    convertRecord(lane.picture.data(), out, changing.size.channels, changing.size.pixels(), m_channelsLast, m_factor, m_offset);
}

template <class Convert> at::Tensor Feed::onProcessor(Part part, std::span<const std::int64_t> rows, bool reuse, std::int64_t fewest, const Convert& convert)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    at::Tensor batch = batchTensor(count, reuse);
    float* out = batch.data_ptr<float>();
    const std::span<const std::uint8_t> all = m_data->contiguous(part);
    if (all.empty()) {
        m_staging.resize(rows.size() * m_recordBytes);
        m_data->gather(part, rows, m_staging);
    }
    const auto record = static_cast<std::int64_t>(m_recordBytes);
    at::parallel_for(0, count, fewest, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            convert(all.empty() ? m_staging.data() + i * record : all.data() + rows[static_cast<std::size_t>(i)] * record, i, out + i * m_elements);
    });
    return batch;
}

at::Tensor Feed::trainingInputs(std::span<const std::int64_t> rows, std::int64_t step)
{
    if (!m_changing) return inputs(Part::Training, rows, true);
    if (m_device.is_cuda()) {
        const at::Tensor changes = at::empty({static_cast<std::int64_t>(rows.size()), changeNumbers}, at::TensorOptions().dtype(at::kFloat).pinned_memory(true));
        drawChanges(rows, step, reinterpret_cast<PictureChange*>(changes.data_ptr<float>()));
        return fromBytes(bytesOnDevice(Part::Training, rows), changes.to(m_device, true));
    }
    while (m_changing->lanes.size() < static_cast<std::size_t>(at::get_num_threads()))
        m_changing->lanes.push_back({PictureChanger(m_changing->how, m_changing->size), std::vector<float>(static_cast<std::size_t>(m_elements))});
    const std::int64_t epoch = m_changing->epoch(step);
    return onProcessor(Part::Training, rows, true, fewestChangedRows, [&](const std::uint8_t* record, std::int64_t i, float* out) { convertChanged(record, rows[static_cast<std::size_t>(i)], epoch, out); });
}

void Feed::prepareStaging()
{
    const auto lanes = lanesOf(m_device);
    m_stagedRows = Staging(m_device, lanes, lotsOfRows, false);
    m_stagedRecords = Staging(m_device, lanes, lotsOfRecords, true);
    m_stagedTargets = Staging(m_device, lanes, lotsOfRecords, true);
    m_stagedChanges = Staging(m_device, lanes, lotsOfRows, false);
    const std::span<const std::uint8_t> all = m_data->contiguous(Part::Training);
    if (!m_device.is_cpu() || all.empty()) return;
    m_resident[0] = at::from_blob(const_cast<std::uint8_t*>(all.data()), {m_data->count(Part::Training), static_cast<std::int64_t>(m_recordBytes)},
                                  at::TensorOptions().dtype(at::kByte));
}

/// Class indices as int64; yes or no, numbers and labels (of each whether it is there) as floats.
void Feed::fillTargets(Part part, std::span<const std::int64_t> rows, Target target, void* to) const
{
    const auto each = [&](auto* out, auto value) {
        for (std::size_t i = 0; i < rows.size(); ++i) out[i] = value(static_cast<std::size_t>(rows[i]));
    };
    if (target == Target::Labels) {
        const std::span<const std::uint8_t> sets = m_data->labelSets(part);
        const std::size_t count = m_data->info().labelNames.size();
        float* out = static_cast<float*>(to);
        for (const std::int64_t row : rows) {
            const auto set = sets.subspan(static_cast<std::size_t>(row) * count, count);
            out = std::transform(set.begin(), set.end(), out, [](std::uint8_t has) { return has ? 1.0f : 0.0f; });
        }
        return;
    }
    const std::span<const std::int32_t> labels = m_data->labels(part);
    if (target == Target::Class) {
        each(static_cast<std::int64_t*>(to), [&](std::size_t row) { return static_cast<std::int64_t>(labels[row]); });
    } else if (target == Target::Flag) {
        each(static_cast<float*>(to), [&](std::size_t row) { return labels[row] > 0 ? 1.0f : 0.0f; });
    } else {
        const std::span<const float> numbers = m_data->targets(part);
        each(static_cast<float*>(to), [&](std::size_t row) { return static_cast<float>((static_cast<double>(numbers[row]) - m_scaling.targetMean) / m_scaling.targetDeviation); });
    }
}

namespace {

at::ScalarType typeOf(Target target) { return target == Target::Class ? at::kLong : at::kFloat; }
bool madeOfRecords(Target target) { return target == Target::Next || target == Target::Input; }

} // namespace

std::int64_t Feed::reserve(std::int64_t rows, Target target, std::int64_t most)
{
    if (!m_resident[0].defined()) {
        const std::int64_t row = static_cast<std::int64_t>(m_recordBytes) + (madeOfRecords(target) ? 0 : columnsOf(target) * static_cast<std::int64_t>(c10::elementSize(typeOf(target))));
        most = std::clamp<std::int64_t>(mostBytesALot / std::max<std::int64_t>(1, rows * row), 1, most);
    }
    for (Staging* each : stagings()) each->reserve(most * rows);
    return most;
}

void Feed::release()
{
    for (Staging* each : stagings()) each->release();
}

void Feed::hold(std::int64_t place, std::span<const std::int64_t> rows, Target target, std::int64_t step)
{
    m_staged = static_cast<std::int64_t>(rows.size());
    const std::int64_t first = place * m_staged;
    const bool resident = m_resident[0].defined();
    if (resident) {
        std::copy(rows.begin(), rows.end(), static_cast<std::int64_t*>(m_stagedRows.hold(first, m_staged, {}, at::kLong)));
    } else {
        auto* to = static_cast<std::uint8_t*>(m_stagedRecords.hold(first, m_staged, {static_cast<std::int64_t>(m_recordBytes)}, at::kByte));
        m_data->gather(Part::Training, rows, std::span(to, rows.size() * m_recordBytes));
    }
    if (m_changing) drawChanges(rows, step, static_cast<PictureChange*>(m_stagedChanges.hold(first, m_staged, {changeNumbers}, at::kFloat)));
    if (madeOfRecords(target)) return;
    const std::vector<std::int64_t> column(target == Target::Class ? 0 : 1, columnsOf(target));
    if (!resident) {
        fillTargets(Part::Training, rows, target, m_stagedTargets.hold(first, m_staged, column, typeOf(target)));
    } else if (!m_allTargets.defined()) {
        std::vector<std::int64_t> all(static_cast<std::size_t>(m_data->count(Part::Training)));
        std::iota(all.begin(), all.end(), 0);
        std::vector<std::int64_t> sizes = column;
        sizes.insert(sizes.begin(), static_cast<std::int64_t>(all.size()));
        const at::Tensor host = at::empty(sizes, at::TensorOptions().dtype(typeOf(target)));
        fillTargets(Part::Training, all, target, host.data_ptr());
        m_allTargets = host.to(m_device);
    }
}

void Feed::send(std::int64_t places)
{
    for (Staging* each : stagings()) each->send(places * m_staged);
}

void Feed::bringForward(std::int64_t place)
{
    for (Staging* each : stagings()) each->bringForward(place * m_staged, m_staged);
}

void Feed::stage(std::span<const std::int64_t> rows, Target target, std::int64_t step)
{
    hold(0, rows, target, step);
    send(1);
    use(0);
}

at::Tensor Feed::stagedBytes() const
{
    if (!m_resident[0].defined()) return staged(m_stagedRecords);
    return at::index_select(m_resident[0], 0, staged(m_stagedRows));
}

at::Tensor Feed::stagedInputs()
{
    const at::Tensor bytes = stagedBytes();
    return m_symbols ? bytes.narrow(1, 0, m_elements).to(at::kLong) : fromBytes(bytes, m_changing ? staged(m_stagedChanges) : at::Tensor());
}

at::Tensor Feed::stagedTargets(Target target)
{
    if (target == Target::Next) return stagedBytes().narrow(1, 1, m_elements).to(at::kLong);
    if (!m_resident[0].defined()) return staged(m_stagedTargets);
    return at::index_select(m_allTargets, 0, staged(m_stagedRows));
}

void Feed::makeResident()
{
    const std::uint64_t targets = std::max<std::uint64_t>(2, m_data->info().labelNames.size()) * sizeof(float); // all of them, too, where steps are recorded
    const std::uint64_t bytes = (static_cast<std::uint64_t>(m_recordBytes) + targets) * static_cast<std::uint64_t>(m_data->count(Part::Training) + m_data->count(Part::Test));
    const auto memory = c10::getDeviceAllocator(c10::kCUDA)->getMemoryInfo(m_device.index());
    if (bytes > memory.first / 4) return; // leave room for the network: its needs are not known yet
    for (Part part : {Part::Training, Part::Test}) {
        const std::span<const std::uint8_t> all = m_data->contiguous(part);
        if (m_data->count(part) == 0) continue;
        if (all.empty()) return;
        const at::Tensor host = at::from_blob(const_cast<std::uint8_t*>(all.data()), {m_data->count(part), static_cast<std::int64_t>(m_recordBytes)},
                                              at::TensorOptions().dtype(at::kByte));
        m_resident[part == Part::Training ? 0 : 1] = host.to(m_device);
    }
    m_kind = "on the device";
}

at::Tensor Feed::batchTensor(std::int64_t rows, bool reuse)
{
    std::vector<std::int64_t> sizes = m_sizes;
    sizes.insert(sizes.begin(), rows);
    if (!reuse) return emptyTensor(sizes, m_device, m_channelsLast);
    if (!m_batch.defined() || m_batch.size(0) < rows) m_batch = emptyTensor(sizes, m_device, m_channelsLast);
    return m_batch.narrow(0, 0, rows);
}

at::Tensor Feed::fromBytes(const at::Tensor& bytes, const at::Tensor& changes) const
{
    std::vector<std::int64_t> sizes = m_sizes;
    sizes.insert(sizes.begin(), bytes.size(0));
    if (!m_factors.empty()) {
        const at::Tensor raw = bytes.to(m_device).view(at::kFloat);
        return at::where(at::isnan(raw), m_fillOnDevice, raw).sub_(m_meanOnDevice).mul_(m_factorsOnDevice).view(sizes);
    }
    at::Tensor x = bytes.to(m_device, at::kFloat).view(sizes);
    if (changes.defined()) x = m_changing->onDevice.apply(x, changes);
    x.mul_(m_factor).add_(m_offset);
    if (!m_channelsLast) return x;
    at::Tensor result = emptyTensor(sizes, m_device, true);
    result.copy_(x);
    return result;
}

at::Tensor Feed::bytesOnDevice(Part part, std::span<const std::int64_t> rows)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    const at::Tensor& resident = m_resident[part == Part::Training ? 0 : 1];
    if (resident.defined()) {
        const at::Tensor index = at::from_blob(const_cast<std::int64_t*>(rows.data()), {count}, at::TensorOptions().dtype(at::kLong));
        return at::index_select(resident, 0, index.to(m_device));
    }
    // Page-locked memory from torch's own cache, which hands a block out again only when its copy is done.
    at::Tensor bytes = at::empty({count, static_cast<std::int64_t>(m_recordBytes)}, at::TensorOptions().dtype(at::kByte).pinned_memory(true));
    m_data->gather(part, rows, std::span(bytes.data_ptr<std::uint8_t>(), bytes.nbytes()));
    return bytes.to(m_device, true);
}

/// Of each record m_elements symbols from the place `from` on, 0 or 1.
at::Tensor Feed::symbols(Part part, std::span<const std::int64_t> rows, std::int64_t from, at::Tensor* kept)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    const at::Tensor& resident = m_resident[part == Part::Training ? 0 : 1];
    if (m_device.is_cuda() && resident.defined()) {
        const at::Tensor index = at::from_blob(const_cast<std::int64_t*>(rows.data()), {count}, at::TensorOptions().dtype(at::kLong));
        return at::index_select(resident, 0, index.to(m_device)).narrow(1, from, m_elements).to(at::kLong);
    }
    const auto options = at::TensorOptions().dtype(at::kLong);
    const bool onHost = m_device.is_cpu();
    at::Tensor host;
    if (kept && onHost) {
        if (!kept->defined() || kept->size(0) < count) *kept = at::empty({count, m_elements}, options);
        host = kept->narrow(0, 0, count);
    } else {
        host = at::empty({count, m_elements}, options.pinned_memory(!onHost));
    }
    std::span<const std::uint8_t> all = m_data->contiguous(part);
    const bool inPlace = !all.empty();
    if (!inPlace) {
        m_staging.resize(rows.size() * m_recordBytes);
        m_data->gather(part, rows, m_staging);
        all = m_staging;
    }
    std::int64_t* out = host.data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i, out += m_elements) {
        const std::uint8_t* record = all.data() + (inPlace ? static_cast<std::size_t>(rows[i]) : i) * m_recordBytes + from;
        std::copy(record, record + m_elements, out);
    }
    return onHost ? host : host.to(m_device, true);
}

at::Tensor Feed::nextSymbols(Part part, std::span<const std::int64_t> rows, bool reuse) { return symbols(part, rows, 1, reuse ? &m_batchTargets : nullptr); }

at::Tensor Feed::inputs(Part part, std::span<const std::int64_t> rows, bool reuse)
{
    if (m_symbols) return symbols(part, rows, 0, reuse ? &m_batchSymbols : nullptr);
    if (m_device.is_cuda()) return fromBytes(bytesOnDevice(part, rows));
    return onProcessor(part, rows, reuse, fewestRows, [this](const std::uint8_t* record, std::int64_t, float* out) { convert(record, out); });
}

at::Tensor Feed::targets(Part part, std::span<const std::int64_t> rows, bool reuse)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    const bool onHost = m_device.is_cpu();
    at::Tensor host;
    if (reuse && onHost) {
        if (!m_batchTargets.defined() || m_batchTargets.size(0) < count)
            m_batchTargets = at::empty({count}, at::TensorOptions().dtype(at::kLong));
        host = m_batchTargets.narrow(0, 0, count);
    } else {
        host = at::empty({count}, at::TensorOptions().dtype(at::kLong).pinned_memory(!onHost));
    }
    fillTargets(part, rows, Target::Class, host.data_ptr());
    return onHost ? host : host.to(m_device, true);
}

at::Tensor Feed::column(Part part, std::span<const std::int64_t> rows, Target target) const
{
    const at::Tensor host = at::empty({static_cast<std::int64_t>(rows.size()), columnsOf(target)}, at::TensorOptions().dtype(at::kFloat).pinned_memory(m_device.is_cuda()));
    fillTargets(part, rows, target, host.data_ptr());
    return m_device.is_cpu() ? host : host.to(m_device, true);
}

at::Tensor Feed::flags(Part part, std::span<const std::int64_t> rows) { return column(part, rows, Target::Flag); }

at::Tensor Feed::numbers(Part part, std::span<const std::int64_t> rows) { return column(part, rows, Target::Number); }

at::Tensor Feed::labelSets(Part part, std::span<const std::int64_t> rows) { return column(part, rows, Target::Labels); }

std::int64_t Feed::columnsOf(Target target) const
{
    return target == Target::Labels ? static_cast<std::int64_t>(m_data->info().labelNames.size()) : 1;
}

at::Tensor Feed::inputsOf(std::span<const std::uint8_t> records, std::int64_t count)
{
    if (m_symbols) {
        const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(records.data()), {count, m_elements}, at::TensorOptions().dtype(at::kByte));
        return bytes.to(m_device, at::kLong);
    }
    if (m_device.is_cuda())
        return fromBytes(at::from_blob(const_cast<std::uint8_t*>(records.data()), {count, static_cast<std::int64_t>(m_recordBytes)}, at::TensorOptions().dtype(at::kByte)));
    at::Tensor batch = batchTensor(count, false);
    float* out = batch.data_ptr<float>();
    for (std::int64_t i = 0; i < count; ++i) convert(records.data() + static_cast<std::size_t>(i) * m_recordBytes, out + i * m_elements);
    return batch;
}

} // namespace sconce::engine
