// SPDX-License-Identifier: GPL-3.0-or-later
// The look: every token pair that text stands on has the contrast that the design asks for, icons render in both themes,
// the style sheet has no name left unexpanded, and the shared parts keep their measures.
#include "ui/theme/tokens.h"
#include "ui/widgets/page.h"
#include "ui/widgets/parts.h"

#include "tests/support/patience.h"

#include <QApplication>
#include <QDirIterator>
#include <QFontInfo>
#include <QHeaderView>
#include <QHelpEvent>
#include <QListWidget>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QTimer>
#include <QToolTip>
#include <QVBoxLayout>

using namespace sconce::ui;

class ThemeTest : public QObject
{
    Q_OBJECT
  private Q_SLOTS:
    void init() { Theme::instance().apply(*qApp, ThemeChoice::Dark); }

    /// A theme change of the desktop makes Qt forget the fonts set for classes: fields with numbers keep theirs all the same.
    void numbersStayMonoWhateverTheDesktopDoes()
    {
        for (int round = 0; round < 2; ++round) {
            QSpinBox field;
            field.setValue(5);
            field.ensurePolished();
            QVERIFY2(QFontInfo(field.font()).fixedPitch(), qPrintable(field.font().family()));
            QCOMPARE(field.font().pixelSize(), 13);
            QHeaderView heads(Qt::Horizontal);
            heads.ensurePolished();
            QCOMPARE(heads.font().pixelSize(), 12);
            QApplication::setFont(font(FontRole::Body)); // what forgets the classes' fonts
        }
    }

    /// Sentences are broken into lines; a few words stay as they are, and so does what is not for Qt's rich text to read.
    void longTooltipsAreBrokenIntoLines()
    {
        QWidget window;
        window.resize(300, 200);
        window.show();
        const auto shown = [&](const QString& tip) {
            QToolTip::hideText();
            window.setToolTip(tip);
            QHelpEvent event(QEvent::ToolTip, {10, 10}, window.mapToGlobal(QPoint(10, 10)));
            QApplication::sendEvent(&window, &event);
            return QToolTip::text();
        };
        QCOMPARE(shown(QStringLiteral("A new seed")), QStringLiteral("A new seed"));
        const QString sentence = QStringLiteral("So many words & signs that nobody would want them on a single line, because 1 < 2 and the screen ends somewhere. ");
        const QString long_ = shown(sentence.repeated(3) + QStringLiteral("\nAnd more."));
        QVERIFY2(long_.startsWith(QLatin1String("<qt>So many words &amp; signs")) && long_.contains(QLatin1String("1 &lt; 2")) && long_.contains(QLatin1String("<br>And more.")), qPrintable(long_));
        QListWidget list;
        list.resize(300, 200);
        list.addItem(QStringLiteral("Adam"));
        list.item(0)->setToolTip(sentence.repeated(3));
        list.show();
        const QPoint over = list.visualItemRect(list.item(0)).center();
        QToolTip::hideText();
        QHelpEvent asked(QEvent::ToolTip, over, list.viewport()->mapToGlobal(over));
        QApplication::sendEvent(list.viewport(), &asked);
        QVERIFY2(QToolTip::text().startsWith(QLatin1String("<qt>So many words")), qPrintable(QToolTip::text()));
        for (const QWidget* each : QApplication::topLevelWidgets())
            if (each->inherits("QTipLabel")) QVERIFY2(each->width() < 800 && each->height() > 40, qPrintable(QStringLiteral("%1×%2").arg(each->width()).arg(each->height())));
        QToolTip::hideText();
    }

    void textIsReadableOnEverySurface()
    {
        const Token surfaces[] = {Token::Win, Token::Panel, Token::Card, Token::Raised, Token::Hover, Token::Input};
        const Token texts[] = {Token::Text, Token::Text2, Token::Text3, Token::AccentText, Token::Error, Token::Info};
        for (ThemeChoice choice : {ThemeChoice::Dark, ThemeChoice::Light}) {
            Theme::instance().apply(*qApp, choice);
            for (Token text : texts)
                for (Token surface : surfaces)
                    QVERIFY2(contrast(color(text), color(surface)) >= 4.5,
                             qPrintable(QStringLiteral("%1 on %2, %3").arg(tokenName(text), tokenName(surface)).arg(contrast(color(text), color(surface)))));
            for (Token state : {Token::Ok, Token::Warn, Token::Error, Token::Info})
                QVERIFY(contrast(color(state), color(static_cast<Token>(static_cast<int>(state) + 1))) >= 4.5);
            QVERIFY(contrast(color(Token::OnAccent), color(Token::Accent)) >= 4.5);
        }
    }

    void contrastMatchesKnownValues()
    {
        QVERIFY(qAbs(contrast(Qt::black, Qt::white) - 21) < 1e-9);
        QVERIFY(qAbs(contrast(QColor(0x77, 0x77, 0x77), Qt::white) - 4.478) < 0.01);
    }

    void everyTokenOfTheSheetIsExpanded()
    {
        for (ThemeChoice choice : {ThemeChoice::Dark, ThemeChoice::Light}) {
            Theme::instance().apply(*qApp, choice);
            const QString sheet = qApp->styleSheet();
            QVERIFY(sheet.size() > 1000);
            QVERIFY2(!sheet.contains(QRegularExpression(QStringLiteral("@[a-z]"))), "a token name was not expanded");
            QVERIFY(!sheet.contains(QLatin1String("%dir")));
            QRegularExpressionMatchIterator files = QRegularExpression(QStringLiteral("url\\(([^)]*)\\)")).globalMatch(sheet);
            int found = 0;
            while (files.hasNext()) {
                const QString path = files.next().captured(1);
                QVERIFY2(!QImage(path).isNull(), qPrintable(path));
                ++found;
            }
            QVERIFY(found >= 8);
        }
    }

    void everyIconDrawsSomethingInItsColour()
    {
        QDirIterator files(QStringLiteral(":/icons"));
        int count = 0;
        while (files.hasNext()) {
            files.next();
            const QImage picture = Theme::instance().pixmap(files.fileInfo().baseName(), Token::Error, 16, 2).toImage();
            QCOMPARE(picture.size(), QSize(32, 32));
            int tinted = 0, inked = 0;
            for (int y = 0; y < 32; ++y)
                for (int x = 0; x < 32; ++x) {
                    const QColor c = picture.pixelColor(x, y);
                    if (c.alpha() > 200) ++inked;
                    if (c.alpha() > 200 && qAbs(c.red() - color(Token::Error).red()) < 6) ++tinted;
                }
            QVERIFY2(inked > 12 && tinted > 8, qPrintable(files.fileName()));
            // Nothing touches the edge: a stroke that does is cut off.
            for (int i = 0; i < 32; ++i)
                QVERIFY2(qAlpha(picture.pixel(i, 0)) < 200 && qAlpha(picture.pixel(0, i)) < 200 && qAlpha(picture.pixel(i, 31)) < 200 && qAlpha(picture.pixel(31, i)) < 200,
                         qPrintable(files.fileName()));
            ++count;
        }
        QVERIFY(count > 70);
    }

    void iconsFollowTheTheme()
    {
        const QIcon icon = Theme::instance().icon(QStringLiteral("stop"), Token::Text);
        const QImage dark = icon.pixmap(16, 16).toImage();
        Theme::instance().apply(*qApp, ThemeChoice::Light);
        QVERIFY(dark != icon.pixmap(16, 16).toImage());
    }

    void fontsAreInPixelsAndUnhinted()
    {
        QCOMPARE(font(FontRole::Body).pixelSize(), 13);
        QCOMPARE(font(FontRole::Value).pixelSize(), 20);
        QCOMPARE(font(FontRole::Body).hintingPreference(), QFont::PreferNoHinting);
        if (!QFontInfo(font(FontRole::Body)).family().startsWith(QLatin1String("Inter"))) QSKIP("the font package of Inter is not installed");
        QVERIFY(QFontInfo(font(FontRole::Mono)).fixedPitch());
    }

    void controlsHaveTheHeightsOfTheDesign()
    {
        QWidget window;
        auto* column = new QVBoxLayout(&window);
        auto* button = makeButton(QStringLiteral("play"), QStringLiteral("Start"), ButtonKind::Primary);
        auto* small = makeButton({}, QStringLiteral("Small"));
        setControlHeight(small, 24);
        auto* field = new QLineEdit;
        auto* pill = new StatusPill;
        pill->setStatus(QStringLiteral("running"));
        for (QWidget* w : std::initializer_list<QWidget*>{button, small, field, pill}) column->addWidget(w);
        window.resize(400, 600);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QCOMPARE(button->sizeHint().height(), 32);
        QCOMPARE(small->sizeHint().height(), 24);
        QCOMPARE(field->height(), 32);
        QCOMPARE(pill->height(), 20);
    }

    void elidedLabelShortensAndTellsTheWhole()
    {
        QWidget window;
        auto* column = new QVBoxLayout(&window);
        auto* label = new ElidedLabel(QStringLiteral("a rather long name of a run that cannot fit"));
        column->addWidget(label);
        window.setFixedWidth(120);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QVERIFY(label->text().contains(QChar(0x2026)));
        QCOMPARE(label->toolTip(), label->fullText());
        label->setFullText(QStringLiteral("short"));
        QCOMPARE(label->text(), QStringLiteral("short"));
        QVERIFY(label->toolTip().isEmpty());
    }

    void segmentsByMouseAndKeyboard()
    {
        SegmentedControl segments({QStringLiteral("Step"), QStringLiteral("Epoch"), QStringLiteral("Time")});
        segments.show();
        QVERIFY(QTest::qWaitForWindowExposed(&segments));
        QSignalSpy spy(&segments, &SegmentedControl::currentChanged);
        QTest::mouseClick(segments.findChild<QAbstractButton*>(QStringLiteral("segment2")), Qt::LeftButton);
        QCOMPARE(segments.current(), 2);
        segments.activateWindow();
        segments.findChild<QAbstractButton*>(QStringLiteral("segment2"))->setFocus(Qt::TabFocusReason);
        QTest::keyClick(segments.findChild<QAbstractButton*>(QStringLiteral("segment2")), Qt::Key_Left);
        QCOMPARE(segments.current(), 1);
        QCOMPARE(spy.size(), 2);
    }

    void questionsAreAnsweredByTheSeam()
    {
        setAsker([](QWidget*, const Question& question) { return question.buttons.indexOf(QStringLiteral("Cancel")); });
        QCOMPARE(ask(nullptr, {QStringLiteral("Title"), QStringLiteral("Text"), {QStringLiteral("Go"), QStringLiteral("Cancel")}, 0, 1}), 1);
        setAsker(nullptr);
    }

    void theRealDialogAnswersEscapeWithCancel()
    {
        QTimer::singleShot(50, this, [] {
            auto* dialog = qApp->activeModalWidget();
            if (dialog) QTest::keyClick(dialog, Qt::Key_Escape);
        });
        QCOMPARE(ask(nullptr, {QStringLiteral("Delete this run?"), QStringLiteral("Its files go too."), {QStringLiteral("Delete"), QStringLiteral("Keep")}, 0, 1, true}), 1);
    }

    void toastOffersItsActionOnce()
    {
        QWidget window;
        window.resize(600, 300);
        window.show();
        int undone = 0;
        showToast(&window, QStringLiteral("Layer removed"), QStringLiteral("Undo"), [&] { ++undone; });
        auto* action = window.findChild<QPushButton*>(QStringLiteral("toastAction"));
        QVERIFY(action);
        QTest::mouseClick(action, Qt::LeftButton);
        QCOMPARE(undone, 1);
        QTRY_VERIFY(!window.findChild<QWidget*>(QStringLiteral("toast")));
    }

    void termsAreExplained()
    {
        for (const char* term : {"epoch", "loss", "accuracy", "overfitting", "learning rate", "batch", "validation"}) QVERIFY(explainTerm(QLatin1String(term)).size() > 30);
        QVERIFY(explainTerm(QStringLiteral("no such word")).isEmpty());
    }
};

QTEST_MAIN(ThemeTest)
#include "theme_test.moc"
