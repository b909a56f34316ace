// SPDX-License-Identifier: GPL-3.0-or-later
// Words of the field, explained where they stand.
#include "ui/widgets/parts.h"

#include <QHash>
#include <QPainter>

namespace sconce::ui {

QString explainTerm(const QString& term)
{
    static const QHash<QString, QString> terms{
        {QStringLiteral("epoch"), TermLabel::tr("Epoch: one pass over all training samples. A network usually needs several.")},
        {QStringLiteral("step"), TermLabel::tr("Step: one batch goes through the network, and the weights are changed once.")},
        {QStringLiteral("loss"), TermLabel::tr("Loss: how wrong the answers are, as one number. Training tries to make it small; 0 would be perfect.")},
        {QStringLiteral("accuracy"), TermLabel::tr("Accuracy: the share of samples that get the right answer.")},
        {QStringLiteral("overfitting"), TermLabel::tr("Overfitting: the network learns its training samples by heart. Training loss still falls while validation loss rises.")},
        {QStringLiteral("learning rate"), TermLabel::tr("Learning rate: how far the weights move at each step. Too high and the loss jumps about, too low and it hardly falls.")},
        {QStringLiteral("batch"), TermLabel::tr("Batch: the samples that go through the network together in one step.")},
        {QStringLiteral("batch size"), TermLabel::tr("Batch size: how many samples go through the network together in one step.")},
        {QStringLiteral("validation"), TermLabel::tr("Validation: samples kept apart from training, asked after every epoch. They show how the network does on what it has not seen.")},
        {QStringLiteral("training"), TermLabel::tr("Training: the samples from which the network learns.")},
        {QStringLiteral("test"), TermLabel::tr("Test: samples used once, at the end, to say how good the network is.")},
        {QStringLiteral("parameters"), TermLabel::tr("Parameters: the numbers that the network learns, also called weights.")},
        {QStringLiteral("optimiser"), TermLabel::tr("Optimiser: the rule that turns the gradients into a change of the weights.")},
        {QStringLiteral("gradient"), TermLabel::tr("Gradient: for every weight, the direction in which the loss falls.")},
        {QStringLiteral("seed"), TermLabel::tr("Seed: where the random numbers begin. The same seed gives the same run.")},
        {QStringLiteral("checkpoint"), TermLabel::tr("Checkpoint: weights and everything else that a run needs to go on exactly from there, kept on disk.")},
        {QStringLiteral("confusion matrix"), TermLabel::tr("Confusion matrix: how often each true class (row) was given each answer (column). Right answers lie on the diagonal.")},
        {QStringLiteral("schedule"), TermLabel::tr("Schedule: how the learning rate changes while the run goes on.")},
        {QStringLiteral("dropout"), TermLabel::tr("Dropout: in training, a share of the numbers is set to 0 at random, which helps against overfitting.")},
        {QStringLiteral("weight decay"), TermLabel::tr("Weight decay: pulls every weight a little towards 0 at each step, which helps against overfitting.")},
        {QStringLiteral("momentum"), TermLabel::tr("Momentum: the share of the last change that is added to the next, so that small bumps are rolled over.")},
        {QStringLiteral("fingerprint"), TermLabel::tr("Fingerprint: a check sum over all samples. The same data has the same fingerprint, wherever it lies.")},
        {QStringLiteral("smoothed"), TermLabel::tr("Smoothed: a moving average, so that the trend can be seen through the noise of single steps.")},
        {QStringLiteral("precision"), TermLabel::tr("Precision: of the answers with this class, the share that is right.")},
        {QStringLiteral("recall"), TermLabel::tr("Recall: of the samples of this class, the share that was found.")},
        {QStringLiteral("class balance"), TermLabel::tr("Class balance: how many samples each class has. A rare class is learned less well.")},
        {QStringLiteral("gpu use"), TermLabel::tr("Use: the share of time with work on the device. It is not efficiency.")},
        {QStringLiteral("gpu reserved"), TermLabel::tr("Reserved: what this run's process keeps of the GPU's memory, since asking for it at each step is slow. Allocated: the part of it that numbers lie in.")},
        {QStringLiteral("stall"), TermLabel::tr("Stall: the longest time in which the window could not answer.")},
    };
    return terms.value(term.toLower());
}

TermLabel::TermLabel(const QString& term, const QString& shown, QWidget* parent) : QLabel(shown.isEmpty() ? term : shown, parent)
{
    setTextFormat(Qt::PlainText);
    setProperty("token", tokenName(Token::Text2));
    setFont(ui::font(FontRole::Caption));
    const QString help = explainTerm(term);
    setToolTip(help);
    setAccessibleDescription(help);
    setCursor(help.isEmpty() ? Qt::ArrowCursor : Qt::WhatsThisCursor);
}

void TermLabel::paintEvent(QPaintEvent* event)
{
    QLabel::paintEvent(event);
    if (toolTip().isEmpty()) return;
    // The dotted line below says that the word explains itself.
    QPainter painter(this);
    const QFontMetrics metrics = fontMetrics();
    const int wide = metrics.horizontalAdvance(text());
    const QRect inner = contentsRect();
    int x = inner.left();
    if (alignment() & Qt::AlignRight) x = inner.right() - wide;
    else if (alignment() & Qt::AlignHCenter) x = inner.center().x() - wide / 2;
    const int middle = inner.center().y();
    const int y = qMin(inner.bottom(), middle + metrics.ascent() - metrics.height() / 2 + 3);
    painter.setPen(color(Token::Tick));
    for (int dot = x; dot < x + wide; dot += 3) painter.drawPoint(dot, y);
}

} // namespace sconce::ui
