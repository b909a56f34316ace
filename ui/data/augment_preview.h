// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One sample as it is stored and as training shows it to the network in its first nine epochs, made by the functions that training
// feeds by and with the seed that a recipe begins with. The window's thread; large pictures are made one after the other between
// events, so that a slider stays under the hand.

#include "ui/services/data_choices.h"

#include <QWidget>

class QLabel;
class QTimer;
class QToolButton;

namespace sconce::ui {

class AugmentPreview : public QWidget
{
    Q_OBJECT
  public:
    static constexpr int epochs = 9;

    explicit AugmentPreview(QWidget* parent = nullptr);
    /// Which sample; training: whether it is one that the network learns from. Hides itself where samples are no pictures.
    void setSample(DatasetPtr data, Part part, std::int64_t row, bool training);
    void setChanges(const Augmentation& how);
    void setAnotherPossible(bool possible); ///< is there a training sample to choose?
    /// As shown: first the stored one, then one an epoch where anything changes.
    const std::vector<QImage>& pictures() const { return m_pictures; }
    int shownPictures() const { return m_training && m_how.any() ? 1 + epochs : 1; }

  Q_SIGNALS:
    void anotherWanted();

  private:
    void restart();
    void makePictures();

    DatasetPtr m_data;
    Part m_part = Part::Training;
    std::int64_t m_row = -1;
    bool m_training = false;
    Augmentation m_how;
    std::vector<QImage> m_pictures;
    QTimer* m_rest = nullptr; ///< goes on with pictures that are not made yet
    QLabel *m_words = nullptr, *m_caption = nullptr;
    QToolButton* m_another = nullptr;
    class Tiles;
    Tiles* m_tiles = nullptr;
};

} // namespace sconce::ui
