// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/picture_changes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <cstddef>

namespace sconce::engine {

using at::Tensor;

namespace {

static_assert(offsetof(PictureChange, fromX) == 0 && offsetof(PictureChange, fromY) == 3 * sizeof(float) && offsetof(PictureChange, brightness) == 6 * sizeof(float) &&
              offsetof(PictureChange, left) == 9 * sizeof(float) && changeNumbers == 13);
enum Column : std::int64_t { FromX = 0, FromY = 3, Brightness = 6, Contrast, Saturation, Left, Top, Right, Bottom };

/// One number of each picture, to be spread over so many axes.
Tensor column(const Tensor& changes, std::int64_t at, int axes)
{
    return changes.select(1, at).view(axes == 3 ? std::vector<std::int64_t>{-1, 1, 1, 1} : std::vector<std::int64_t>{-1, 1, 1});
}

std::vector<float> shares(std::int64_t channels)
{
    if (channels == 3) return {greyShares.begin(), greyShares.end()};
    return std::vector<float>(static_cast<std::size_t>(channels), 1.0f / static_cast<float>(channels));
}

} // namespace

PictureChanges::PictureChanges(const Augmentation& how, const PictureSize& size, at::Device device)
    : m_how(how)
    , m_size(size)
    , m_columns(at::arange(size.width, at::TensorOptions().dtype(at::kFloat).device(device)).view({1, 1, -1}))
    , m_rows(at::arange(size.height, at::TensorOptions().dtype(at::kFloat).device(device)).view({1, -1, 1}))
    , m_shares(at::tensor(shares(size.channels)).to(device).view({1, -1, 1, 1}))
{
}

Tensor PictureChanges::apply(Tensor pictures, const Tensor& changes) const
{
    if (m_how.moves()) pictures = move(pictures, changes);
    if (m_how.colours()) pictures = colour(std::move(pictures), changes);
    if (m_how.cutOut > 0) pictures = cut(std::move(pictures), changes);
    return pictures;
}

Tensor PictureChanges::move(const Tensor& pictures, const Tensor& changes) const
{
    // In the sampler's own measure the picture reaches from −1 to 1, outer edge to outer edge.
    const auto from = [&](Column first, std::int64_t side) {
        const Tensor at = column(changes, first, 2) * m_columns + column(changes, first + 1, 2) * m_rows + column(changes, first + 2, 2);
        return at.mul(2.0 / static_cast<double>(side)).add(1.0 / static_cast<double>(side) - 1.0);
    };
    const std::int64_t bilinear = 0, beyond = m_how.outside == Augmentation::Outside::Black ? 0 : m_how.outside == Augmentation::Outside::Edge ? 1 : 2;
    return at::grid_sampler_2d(pictures, at::stack({from(FromX, m_size.width), from(FromY, m_size.height)}, 3), bilinear, beyond, false);
}

Tensor PictureChanges::colour(Tensor pictures, const Tensor& changes) const
{
    const Tensor brightness = column(changes, Brightness, 3), contrast = column(changes, Contrast, 3);
    const Tensor mean = pictures.mul(m_shares).sum(1, true).mean({2, 3}, true);
    pictures = pictures.mul_(brightness * contrast).add_(mean * brightness * (1 - contrast));
    if (m_size.channels == 3 && m_how.saturation > 0) {
        const Tensor grey = pictures.mul(m_shares).sum(1, true);
        pictures = pictures.sub_(grey).mul_(column(changes, Saturation, 3)).add_(grey);
    }
    return pictures.clamp_(0, 255);
}

Tensor PictureChanges::cut(Tensor pictures, const Tensor& changes) const
{
    const auto within = [&](const Tensor& places, Column first, Column last) { return places.ge(column(changes, first, 2)).logical_and_(places.lt(column(changes, last, 2))); };
    const Tensor inside = within(m_columns, Left, Right).logical_and(within(m_rows, Top, Bottom));
    return pictures.masked_fill_(inside.unsqueeze(1), 0);
}

} // namespace sconce::engine
