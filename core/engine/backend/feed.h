// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Feed (rule 13): brings the rows of a data set to the device as the network wants them. Where the records lie in one piece
// they are read in place; on a GPU they are kept there as bytes when they fit. Gathering, scaling, normalising and the
// change of layout are one pass. A table's numbers get their own mean and deviation, and a missing one its median; a text's symbols
// stay whole numbers. Pictures of training may be changed on the way, differently in each epoch. Private to the engine.

#include "core/data/scaling.h"
#include "core/engine/backend/picture_changes.h"
#include "core/engine/backend/staging.h"
#include "core/recipe/recipe.h"
#include "core/recipe/task.h"

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace sconce::engine {

class Feed
{
  public:
    /// `resident`: a GPU keeps the records where they fit.
    Feed(DatasetPtr data, const ValueType& input, const InputSettings& settings, const Scaling& scaling, at::Device device, bool channelsLast, bool resident = true);

    /// From now on the pictures that are trained on are changed: differently in each epoch, which has so many steps. Other samples stay.
    void change(const Augmentation& how, std::uint64_t seed, std::int64_t stepsPerEpoch);
    /// Of the training part, for this step, changed where they are to be. Overwritten by the next call, as with `reuse` below.
    at::Tensor trainingInputs(std::span<const std::int64_t> rows, std::int64_t step);
    /// Inputs [rows, …] as floats; of a text [rows, length], int64. With `reuse` the tensor is overwritten by the next call with `reuse`.
    at::Tensor inputs(Part part, std::span<const std::int64_t> rows, bool reuse);
    /// Class indices [rows], int64; same rule.
    at::Tensor targets(Part part, std::span<const std::int64_t> rows, bool reuse);
    /// The symbol behind each of a text's [rows, length], int64; same rule.
    at::Tensor nextSymbols(Part part, std::span<const std::int64_t> rows, bool reuse);
    /// Class indices 0 and 1 as floats [rows, 1].
    at::Tensor flags(Part part, std::span<const std::int64_t> rows);
    /// Which labels the rows have, 0 and 1 as floats [rows, labels].
    at::Tensor labelSets(Part part, std::span<const std::int64_t> rows);
    /// The numbers to be predicted, scaled, as floats [rows, 1].
    at::Tensor numbers(Part part, std::span<const std::int64_t> rows);
    /// Inputs made of records that are not in the data set (of a text without the symbol behind).
    at::Tensor inputsOf(std::span<const std::uint8_t> records, std::int64_t count);

    // ---- a batch of training in two parts: what comes from the host, and what the device does with it, which can be recorded ----
    /// Once, before the first batch. On the processor the records are read as a GPU would read its copy of them.
    void prepareStaging();
    /// Copies what the batch needs to where it always lies: row numbers, where the device has the records, else records and targets; and
    /// what is done to the pictures in this step.
    void stage(std::span<const std::int64_t> rows, Target target, std::int64_t step);
    /// The same of several batches, all of a size: put at a place each, those of the first places then sent, and one of them used.
    void hold(std::int64_t place, std::span<const std::int64_t> rows, Target target, std::int64_t step);
    void send(std::int64_t places);
    void bringForward(std::int64_t place); ///< on the device, to place 0
    void use(std::int64_t place) { m_place = place; }
    /// How many batches of so many rows may have a place, and room for so many from now on.
    std::int64_t reserve(std::int64_t rows, Target target, std::int64_t most);
    void release(); ///< what was reserved; room for what is staged is made anew
    /// Inputs and targets of the staged rows, by work on the device alone. Not for Target::Input, which are the inputs.
    at::Tensor stagedInputs();
    at::Tensor stagedTargets(Target target);

    /// "in place", "gathered", "on the device".
    const char* kind() const { return m_kind; }
    const DatasetPtr& data() const { return m_data; }

  private:
    at::Tensor batchTensor(std::int64_t rows, bool reuse);
    at::Tensor bytesOnDevice(Part part, std::span<const std::int64_t> rows);
    /// On the device: change, where `changes` are given, scale, normalise, lay out.
    at::Tensor fromBytes(const at::Tensor& bytes, const at::Tensor& changes = {}) const;
    void drawChanges(std::span<const std::int64_t> rows, std::int64_t step, PictureChange* out) const;
    /// Calls convert(record, its place in the batch, out) for each row, on as many threads as have `fewest` of them.
    template <class Convert> at::Tensor onProcessor(Part part, std::span<const std::int64_t> rows, bool reuse, std::int64_t fewest, const Convert& convert);
    void convertChanged(const std::uint8_t* record, std::int64_t row, std::int64_t epoch, float* out);
    std::array<Staging*, 4> stagings() { return {&m_stagedRows, &m_stagedRecords, &m_stagedTargets, &m_stagedChanges}; }
    void makeResident();
    at::Tensor stagedBytes() const;
    at::Tensor staged(const Staging& staging) const { return staging.tensor().narrow(0, m_place * m_staged, m_staged); }
    void fillTargets(Part part, std::span<const std::int64_t> rows, Target target, void* to) const;
    std::int64_t columnsOf(Target target) const; ///< numbers of a target
    at::Tensor symbols(Part part, std::span<const std::int64_t> rows, std::int64_t from, at::Tensor* kept);
    at::Tensor column(Part part, std::span<const std::int64_t> rows, Target target) const;
    void convert(const std::uint8_t* record, float* out) const;

    DatasetPtr m_data; ///< may be null: records only
    std::vector<std::int64_t> m_sizes; ///< of one sample
    std::int64_t m_elements = 0;
    float m_factor = 1, m_offset = 0;  ///< x = byte · factor + offset
    at::Tensor m_fillOnDevice, m_meanOnDevice, m_factorsOnDevice;
    at::Device m_device;
    bool m_channelsLast;
    bool m_symbols;                    ///< of a text: indices, not numbers
    Scaling m_scaling;                 ///< of a table: its records are floats
    std::vector<float> m_factors;      ///< per feature of a table: 1 / deviation
    std::size_t m_recordBytes = 0;
    const char* m_kind = "gathered";
    at::Tensor m_batch, m_batchTargets, m_batchSymbols; ///< reused from step to step
    std::array<at::Tensor, 2> m_resident;           ///< bytes of training and test on the device
    std::vector<std::uint8_t> m_staging;            ///< gathered records
    std::int64_t m_staged = 0;                      ///< rows of a batch
    std::int64_t m_place = 0;
    Staging m_stagedRows, m_stagedRecords, m_stagedTargets, m_stagedChanges;
    at::Tensor m_allTargets;                        ///< of training, where the device has its records

    struct Changing
    {
        Augmentation how;
        PictureSize size;
        std::uint64_t seed = 0;
        std::int64_t stepsPerEpoch = 1;
        PictureChanges onDevice;
        struct Lane { PictureChanger changer; std::vector<float> picture; };
        std::vector<Lane> lanes; ///< of the threads
        std::int64_t epoch(std::int64_t step) const { return step / stepsPerEpoch; }
    };
    std::optional<Changing> m_changing;
};

/// out[i] = in[i]·factor + offset for one record; with channels > 1 and channelsLast, planes become interleaved.
void convertRecord(const std::uint8_t* in, float* out, std::int64_t channels, std::int64_t pixels, bool channelsLast, float factor,
                   float offset);
void convertRecord(const float* in, float* out, std::int64_t channels, std::int64_t pixels, bool channelsLast, float factor, float offset);

} // namespace sconce::engine
