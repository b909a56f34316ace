// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/data_page.h"

#include "core/base/text.h"
#include "ui/data/augment_preview.h"
#include "ui/data/class_bars.h"
#include "ui/data/set_list.h"
#include "ui/data/split_panel.h"
#include "ui/data/table_view.h"
#include "ui/data/text_view.h"
#include "ui/services/data_choices.h"
#include "ui/services/pages.h"
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QComboBox>
#include <QDesktopServices>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QListView>
#include <QMenu>
#include <QMimeData>
#include <QScrollArea>
#include <QSlider>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QUrl>
#include <QVBoxLayout>

namespace sconce::ui {

namespace {

const char* shareNames[] = {QT_TRANSLATE_NOOP("DataPage", "training"), QT_TRANSLATE_NOOP("DataPage", "validation"), QT_TRANSLATE_NOOP("DataPage", "test")};

} // namespace

QString DataPage::shareName(int share) { return tr(shareNames[share]); }

Page* makeDataPage(Studio& studio, QWidget* parent) { return new DataPage(studio, parent); }

DataPage::DataPage(Studio& studio, QWidget* parent) : Page(parent), m_studio(studio)
{
    setObjectName(QStringLiteral("page.data"));
    setAcceptDrops(true);
    buildHeader();
    auto* row = new QHBoxLayout(body());
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(buildLeft());
    row->addWidget(buildMiddle(), 1);
    m_split = new SplitPanel;
    auto* scroll = new QScrollArea(this);
    scroll->setObjectName(QStringLiteral("data.right"));
    scroll->setWidget(m_split);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFixedWidth(336);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    row->addWidget(scroll);
    connectServices();
    m_studio.data->refresh();
}

void DataPage::buildHeader()
{
    setTitle(tr("Data"), tr("Reading the library…"));
    auto* add = makeButton(QStringLiteral("plus"), tr("Add data…"), ButtonKind::Normal, this);
    add->setObjectName(QStringLiteral("data.add"));
    add->setToolTip(tr("MNIST-style IDX files, a folder of pictures with one folder a class or with a labels.csv, a table (CSV), or a text (.txt). You can also drop them on this page."));
    auto* menu = new QMenu(add);
    auto* folder = menu->addAction(Theme::instance().icon(QStringLiteral("folder")), tr("A folder…"), this, [this] { addByButton(true); });
    folder->setObjectName(QStringLiteral("data.addFolder"));
    auto* file = menu->addAction(Theme::instance().icon(QStringLiteral("note")), tr("A file…"), this, [this] { addByButton(false); });
    file->setObjectName(QStringLiteral("data.addFile"));
    add->setMenu(menu);
    headerRight()->addWidget(add);
    m_train = makeButton(QStringLiteral("arrow-right"), tr("Train on this data"), ButtonKind::Primary, this);
    m_train->setObjectName(QStringLiteral("data.train"));
    m_train->setToolTip(tr("Opens Compose with this data set, its split and its steps."));
    m_train->setEnabled(false);
    connect(m_train, &QPushButton::clicked, this, &DataPage::trainOnThis);
    headerRight()->addWidget(m_train);
}

QWidget* DataPage::buildLeft()
{
    auto* left = new QWidget(this);
    setRole(left, "panelLeft");
    left->setAttribute(Qt::WA_StyledBackground);
    left->setFixedWidth(252);
    auto* column = new QVBoxLayout(left);
    column->setContentsMargins(0, 12, 1, 12);
    column->setSpacing(8);
    m_search = new QLineEdit(left);
    m_search->setObjectName(QStringLiteral("data.search"));
    m_search->setPlaceholderText(tr("Find a data set"));
    m_search->setClearButtonEnabled(true);
    m_search->addAction(Theme::instance().icon(QStringLiteral("search"), Token::Text3), QLineEdit::LeadingPosition);
    auto* searchRow = new QHBoxLayout;
    searchRow->setContentsMargins(12, 0, 12, 0);
    searchRow->addWidget(m_search);
    column->addLayout(searchRow);

    m_model = new SetListModel(this);
    m_filter = new QSortFilterProxyModel(this);
    m_filter->setSourceModel(m_model);
    m_filter->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_list = new QListView(left);
    m_list->setObjectName(QStringLiteral("data.list"));
    m_list->setAccessibleName(tr("Data sets"));
    m_list->setModel(m_filter);
    m_list->setItemDelegate(new SetDelegate(m_list));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setMouseTracking(true);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    column->addWidget(m_list, 1);
    connect(m_search, &QLineEdit::textChanged, m_filter, &QSortFilterProxyModel::setFilterFixedString);
    connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
        if (now.isValid()) select(now.data(SetListModel::IdRole).toString().toStdString());
    });

    m_progress = new QWidget(left);
    auto* progress = new QVBoxLayout(m_progress);
    progress->setContentsMargins(12, 0, 12, 0);
    m_progressText = new ElidedLabel({}, Qt::ElideMiddle, m_progress);
    m_progressStrip = new ProgressStrip(4, m_progress);
    auto* cancel = makeButton(QStringLiteral("cross"), tr("Cancel"), ButtonKind::Flat, m_progress);
    cancel->setObjectName(QStringLiteral("data.cancelAdd"));
    connect(cancel, &QPushButton::clicked, m_studio.data, &DataService::cancelAdd);
    progress->addWidget(m_progressText);
    progress->addWidget(m_progressStrip);
    progress->addWidget(cancel, 0, Qt::AlignRight);
    m_progress->hide();
    column->addWidget(m_progress);

    auto* drop = new QFrame(left);
    m_drop = drop;
    setRole(drop, "drop");
    auto* dropRow = new QHBoxLayout(drop);
    dropRow->setContentsMargins(12, 10, 12, 10);
    auto* words = makeLabel(tr("Drop a folder of pictures, IDX files such as MNIST, a CSV table or a text here"), FontRole::Caption, Token::Text2, drop);
    words->setWordWrap(true);
    dropRow->addWidget(words, 1);
    auto* dropMargin = new QHBoxLayout;
    dropMargin->setContentsMargins(12, 0, 12, 0);
    dropMargin->addWidget(drop);
    column->addLayout(dropMargin);
    return left;
}

QWidget* DataPage::buildMiddle()
{
    auto* middle = new QWidget(this);
    auto* column = new QVBoxLayout(middle);
    column->setContentsMargins(16, 12, 16, 12);
    column->setSpacing(12);
    auto* line = new QHBoxLayout;
    line->setSpacing(8);
    m_name = makeLabel({}, FontRole::Title, Token::Text, middle);
    m_name->setObjectName(QStringLiteral("data.name"));
    m_checked = makeLabel(tr("✓ checked"), FontRole::Caption, Token::Ok, middle);
    m_checked->setFixedHeight(20);
    m_checked->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setRole(m_checked, "pill");
    const auto paint = [this] { m_checked->setStyleSheet(QStringLiteral("background:%1;color:%2").arg(Theme::instance().hex(Token::OkSoft), Theme::instance().hex(Token::Ok))); };
    paint();
    connect(&Theme::instance(), &Theme::changed, m_checked, paint);
    m_checked->hide();
    m_checked->setToolTip(tr("Every sample was read, and the fingerprint of the data was taken."));
    m_facts = new ElidedLabel({}, Qt::ElideRight, middle);
    m_facts->setProperty("token", tokenName(Token::Text2));
    m_facts->setFont(ui::font(FontRole::Body));
    m_facts->setObjectName(QStringLiteral("data.facts"));
    line->addWidget(m_name);
    line->addWidget(m_checked);
    line->addWidget(m_facts, 1);
    m_more = makeButton(QStringLiteral("dots"), {}, ButtonKind::Flat, middle);
    m_more->setObjectName(QStringLiteral("data.more"));
    m_more->setAccessibleName(tr("More"));
    m_more->setToolTip(tr("Show the folder, or take this set off the list"));
    auto* menu = new QMenu(m_more);
    menu->addAction(tr("Show in folder"), this, [this] {
        if (m_data) QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(QString::fromStdString(m_data->info().location)).absolutePath()));
    });
    menu->addAction(tr("Take off this list…"), this, &DataPage::removeSet)->setObjectName(QStringLiteral("data.remove"));
    m_more->setMenu(menu);
    line->addWidget(m_more);
    column->addLayout(line);
    m_error = makeLabel({}, FontRole::Body, Token::Error, middle);
    m_error->setObjectName(QStringLiteral("data.error"));
    m_error->setWordWrap(true);
    m_error->hide();
    column->addWidget(m_error);
    column->addWidget(buildSamplesCard(), 1);
    m_classCard = new Card(tr("Classes"), middle);
    m_bars = new ClassBars(m_classCard);
    m_classCard->content()->addWidget(m_bars);
    m_classCard->setFixedHeight(214);
    m_classCard->titleBar()->addStretch(1);
    const Token tokens[] = {Token::Train, Token::Val, Token::Test};
    for (int share = 0; share < 3; ++share) {
        m_classCard->titleBar()->addWidget(makeDot(tokens[share], m_classCard));
        m_classCard->titleBar()->addWidget(makeLabel(shareName(share), FontRole::Caption, Token::Text2, m_classCard));
    }
    column->addWidget(m_classCard);
    return middle;
}

void DataPage::connectServices()
{
    auto* data = m_studio.data;
    connect(data, &DataService::changed, this, [this] {
        const auto& sets = m_studio.data->sets();
        m_model->setSets(sets);
        setTitle(tr("Data"), QString::fromStdString(plural(static_cast<std::int64_t>(sets.size()), "data set", "data sets")));
        const QString wanted = m_id.empty() ? m_studio.settings->value(QStringLiteral("data/current"), QStringLiteral("digits")).toString() : QString::fromStdString(m_id);
        int row = m_model->rowOf(wanted.toStdString());
        if (row < 0 && !sets.empty()) row = 0;
        if (row >= 0) m_list->setCurrentIndex(m_filter->mapFromSource(m_model->index(row)));
        if (isVisible()) fillThumbnails();
    });
    connect(data, &DataService::progress, this, [this](const QString& what, double share) {
        m_progress->setVisible(!what.isEmpty());
        m_progressText->setFullText(what);
        m_progressStrip->setShare(share);
    });
    connect(data, &DataService::added, this, [this](const QString& id) {
        m_progress->hide();
        m_error->hide();
        const int row = m_model->rowOf(id.toStdString());
        m_id.clear(); // so that the same set read again is opened afresh
        if (row >= 0) {
            m_list->setCurrentIndex(m_filter->mapFromSource(m_model->index(row)));
            select(id.toStdString());
        } else {
            m_studio.settings->setValue(QStringLiteral("data/current"), id);
        }
    });
    connect(data, &DataService::addFailed, this, [this](const QString& sentence) {
        m_progress->hide();
        m_error->setText(sentence);
        m_error->setVisible(!sentence.isEmpty());
    });
    connect(m_split, &SplitPanel::choicesChanged, this, [this] {
        setDataChoices(*m_studio.settings, m_id, m_split->choices());
        showChanges();
        if (m_split->choices().split == m_shownSplit) return; // the samples are the same, and so is the one that is looked at
        showSamples();
        showClasses();
    });
    connect(m_split->preview(), &AugmentPreview::anotherWanted, this, &DataPage::chooseAnother);
    connect(m_split, &SplitPanel::importAsked, this, [this](const ImportOptions& options) {
        if (m_data) m_studio.data->add(QString::fromStdString(m_data->info().location), options);
    });
}

void DataPage::shown()
{
    m_studio.data->refresh();
    fillThumbnails();
}

void DataPage::fillThumbnails()
{
    for (const auto& info : m_studio.data->sets()) {
        const DatasetId id = info.id;
        if (info.kind == "table" || info.kind == "text") continue; // nothing to picture
        if (!m_model->index(m_model->rowOf(id)).data(Qt::DecorationRole).isNull()) continue;
        if (info.bytes > (std::uint64_t{256} << 20)) continue; // a picture in a list is not worth reading gigabytes
        m_studio.data->open(id, this, [this, id](DatasetPtr data, const QString&) {
            if (data) m_model->setThumbnail(id, thumbnailOf(*data));
        });
    }
}

void DataPage::setCompact(bool narrow, bool low)
{
    m_classCard->setVisible(!low);
    m_labels->setText(narrow ? QString() : tr("Labels…"));
}

void DataPage::addByButton(bool folder)
{
    const QString path = folder ? chooseFolder(this, tr("Add a folder of pictures, IDX files or texts")) : chooseOpenFile(this, tr("Add a table, a text or an IDX file"), tr("Tables, texts and IDX files (*.csv *.tsv *.txt *-ubyte *.idx *.gz);;All files (*)"));
    if (!path.isEmpty()) addPath(path);
}

void DataPage::addPath(const QString& path)
{
    m_error->hide();
    m_progress->show();
    m_progressText->setFullText(tr("Reading %1").arg(QFileInfo(path).fileName()));
    m_progressStrip->setShare(-1);
    m_studio.data->add(path);
}

void DataPage::select(const DatasetId& id)
{
    if (id == m_id) return;
    m_id = id;
    m_mix = 0;
    m_data.reset();
    m_train->setEnabled(false);
    showSampleLine(-1);
    m_studio.settings->setValue(QStringLiteral("data/current"), QString::fromStdString(id));
    if (const auto* info = m_studio.data->find(id)) m_name->setText(QString::fromStdString(info->title));
    m_samples->setCurrentIndex(0);
    m_grid->setMessage(tr("Reading the samples…"));
    m_studio.data->open(id, this, [this, id](DatasetPtr data, const QString& sentence) { opened(id, std::move(data), sentence); });
}

void DataPage::opened(const DatasetId& id, DatasetPtr data, const QString& sentence)
{
    if (id != m_id) return;
    m_data = std::move(data);
    m_checked->setVisible(m_data != nullptr);
    m_error->setVisible(!m_data);
    if (!m_data) {
        showSampleLine(-1);
        m_error->setText(sentence);
        m_grid->setMessage(tr("The samples cannot be shown."));
        m_facts->setFullText({});
        m_bars->setBars({});
        return;
    }
    m_train->setEnabled(true);
    DatasetInfo info = m_data->info();
    info.id = id;
    m_split->setSet(info, {}, dataChoices(*m_studio.settings, info));
    {
        const QSignalBlocker blocker(m_classFilter);
        m_classFilter->clear();
        m_classFilter->addItem(info.labelNames.empty() ? tr("all classes") : tr("all labels"));
        for (const auto& name : info.labelNames.empty() ? info.classes : info.labelNames) m_classFilter->addItem(QString::fromStdString(name));
    }
    if (!isTable() && !isText()) m_model->setThumbnail(id, thumbnailOf(*m_data));
    showTarget();
    showInfo();
    showChanges();
    showSamples();
    showClasses();
}

void DataPage::showInfo()
{
    const auto& info = m_data->info();
    m_name->setText(QString::fromStdString(info.title));
    QString words = tr("%1, %2").arg(countWords(info), shapeWords(info));
    if (!info.problems.empty()) words += tr("; %1").arg(QString::fromStdString(info.problems.front()));
    m_facts->setFullText(words);
    QStringList problems;
    for (const auto& problem : info.problems) problems << QString::fromStdString(problem);
    m_facts->setToolTip(problems.join(QLatin1Char('\n')) + (problems.isEmpty() ? QString() : QStringLiteral("\n")) + tr("Fingerprint %1").arg(QString::fromStdString(info.fingerprint.substr(0, 16))));
    m_more->setEnabled(!info.location.empty());
}

void DataPage::removeSet()
{
    if (!m_data || m_data->info().location.empty()) return;
    const int answer = ask(this, {tr("Take “%1” off the list?").arg(m_name->text()), tr("The files stay where they are. Runs that were trained on them can still be read."),
                                  {tr("Take it off"), tr("Cancel")}, 0, 1, false});
    if (answer != 0) return;
    const DatasetId id = m_id;
    m_id.clear();
    m_data.reset();
    m_studio.settings->setValue(QStringLiteral("data/current"), QStringLiteral("digits"));
    m_studio.data->forget(id);
}

void DataPage::trainOnThis()
{
    setDataChoices(*m_studio.settings, m_id, m_split->choices());
    Q_EMIT m_studio.navigator->composeData(QString::fromStdString(m_id));
    Q_EMIT m_studio.navigator->goTo(PageId::Compose);
}

void DataPage::dragEnterEvent(QDragEnterEvent* event)
{
    if (!event->mimeData()->hasUrls() || !event->mimeData()->urls().front().isLocalFile()) return;
    setRole(m_drop, "dropActive");
    event->acceptProposedAction();
}

void DataPage::dragLeaveEvent(QDragLeaveEvent*) { setRole(m_drop, "drop"); }

void DataPage::dropEvent(QDropEvent* event)
{
    setRole(m_drop, "drop");
    event->acceptProposedAction();
    addPath(event->mimeData()->urls().front().toLocalFile());
}

void DataPage::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Delete && m_list->hasFocus()) return removeSet();
    Page::keyPressEvent(event);
}

} // namespace sconce::ui
