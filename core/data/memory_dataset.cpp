// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/memory_dataset.h"

#include "core/base/hash.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <filesystem>

namespace sconce {
namespace {

std::vector<std::int64_t> countPerClass(const PartContent& part, std::size_t classes)
{
    std::vector<std::int64_t> counts(classes, 0);
    for (const std::int32_t label : part.labels) ++counts[static_cast<std::size_t>(label)];
    return counts;
}

std::vector<std::int64_t> countPerLabel(const PartContent& part, std::size_t labels)
{
    std::vector<std::int64_t> counts(labels, 0);
    for (std::size_t i = 0; i < part.labelSets.size(); ++i) counts[i % labels] += part.labelSets[i];
    return counts;
}

std::int64_t recordsOf(const PartContent& part, std::size_t labels) { return static_cast<std::int64_t>(labels > 0 ? part.labelSets.size() / labels : part.labels.size()); }

void addText(Sha256& hash, std::string_view text)
{
    hash.add(std::to_string(text.size()) + ":");
    hash.add(text);
}

std::string fingerprintOf(const DatasetInfo& info, const PartContent& training, const PartContent& test)
{
    Sha256 hash;
    addText(hash, "sconce-data-1");
    addText(hash, info.sample.text());
    for (const PartContent* part : {&training, &test}) {
        addText(hash, std::to_string(part->labels.size()));
        hash.add(std::as_bytes(std::span(part->samples)));
        hash.add(std::as_bytes(std::span(part->labels))); // little-endian on every machine that is supported
    }
    for (const std::string& name : info.classes) addText(hash, name);
    for (const std::string& name : info.labelNames) addText(hash, name); // other data has none, and is what it was
    for (const PartContent* part : {&training, &test}) hash.add(std::as_bytes(std::span(part->labelSets)));
    if (info.validationCount > 0) addText(hash, "validation " + std::to_string(info.validationCount)); // divided elsewhere, it is other data
    return hash.hex();
}

/// By counting values: exact, and quick.
void setMoments(DatasetInfo& info, const std::vector<std::uint8_t>& samples)
{
    std::array<std::array<std::uint64_t, 256>, 4> counts{}; // four tables: no waiting for the counter just written
    std::size_t i = 0;
    for (; i + 4 <= samples.size(); i += 4) {
        for (std::size_t k = 0; k < 4; ++k) ++counts[k][samples[i + k]];
    }
    for (; i < samples.size(); ++i) ++counts[0][samples[i]];
    double sum = 0, squares = 0;
    for (std::size_t value = 0; value < 256; ++value) {
        const auto count = static_cast<double>(counts[0][value] + counts[1][value] + counts[2][value] + counts[3][value]);
        const double scaled = static_cast<double>(value) / 255.0;
        sum += count * scaled;
        squares += count * scaled * scaled;
    }
    const double all = std::max<double>(1, static_cast<double>(samples.size()));
    info.mean = sum / all;
    const double variance = squares / all - info.mean * info.mean;
    info.deviation = variance > 1e-12 ? std::sqrt(variance) : 1; // all pixels alike: nothing to divide by
}

} // namespace

MemoryDataset::MemoryDataset(DatasetInfo info, PartContent training, PartContent test)
    : m_training(std::move(training))
    , m_test(std::move(test))
{
    m_info = std::move(info);
    m_info.sample.dtype = DType::U8;
    m_info.trainingCount = recordsOf(m_training, m_info.labelNames.size());
    m_info.testCount = recordsOf(m_test, m_info.labelNames.size());
    m_info.trainingPerLabel = countPerLabel(m_training, m_info.labelNames.size());
    m_info.testPerLabel = countPerLabel(m_test, m_info.labelNames.size());
    m_info.trainingPerClass = countPerClass(m_training, m_info.classes.size());
    m_info.testPerClass = countPerClass(m_test, m_info.classes.size());
    m_info.bytes = m_training.samples.size() + m_test.samples.size();
    setMoments(m_info, m_training.samples);
    m_info.fingerprint = fingerprintOf(m_info, m_training, m_test);
}

void MemoryDataset::gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const
{
    const std::size_t record = recordBytes();
    const std::vector<std::uint8_t>& samples = content(part).samples;
    assert(out.size() >= rows.size() * record);
    const auto count = static_cast<std::uint64_t>(this->count(part));
    std::uint8_t* to = out.data();
    for (const std::int64_t row : rows) {
        // A row that does not exist is a bug of the caller; it must not become a read beyond the memory.
        assert(static_cast<std::uint64_t>(row) < count);
        if (static_cast<std::uint64_t>(row) < count) std::memcpy(to, samples.data() + static_cast<std::size_t>(row) * record, record);
        else std::memset(to, 0, record);
        to += record;
    }
}

void MemoryDataset::setIdentity(DatasetId id, std::string title)
{
    m_info.id = std::move(id);
    m_info.title = std::move(title);
}

DatasetId slugFor(const std::string& name, const std::string& fingerprint)
{
    std::string slug;
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (letter) slug += c;
        else if (c >= 'A' && c <= 'Z') slug += static_cast<char>(c - 'A' + 'a');
        else if (!slug.empty() && slug.back() != '-') slug += '-';
        if (slug.size() >= 40) break;
    }
    while (!slug.empty() && slug.back() == '-') slug.pop_back();
    if (slug.empty()) return "data-" + fingerprint.substr(0, 8);
    if (slug == "mnist" || slug == "digits") return slug + "-" + fingerprint.substr(0, 6);
    return slug;
}

std::string folderName(const std::string& path)
{
    std::error_code failure;
    std::filesystem::path at = std::filesystem::absolute(path, failure).lexically_normal();
    if (!at.has_filename()) at = at.parent_path();
    return at.filename().string();
}

} // namespace sconce
