// SPDX-License-Identifier: GPL-3.0-or-later
// UTF-8 against Qt's own decoder for every character, and the tables of what is none.
#include "core/formats/utf8.h"

#include <QtTest>

using namespace sconce;

class Utf8Test : public QObject
{
    Q_OBJECT
  private Q_SLOTS:
    void everyCharacter()
    {
        for (char32_t c = 0; c <= 0x10FFFF; ++c) {
            if (c >= 0xD800 && c < 0xE000) continue;
            const std::string text = characterText(c);
            const char32_t behind[] = {U'a', c}; // at the beginning Qt takes U+FEFF for a mark
            if (characterBytes(text, 0) != static_cast<int>(text.size()) || characterAt(text, 0) != c || "a" + text != QString::fromUcs4(behind, 2).toUtf8().toStdString())
                QFAIL(qPrintable(QString("U+%1").arg(static_cast<uint>(c), 0, 16)));
        }
    }

    void isNoCharacter_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("inside alone") << QByteArray("\x80");
        QTest::newRow("overlong slash") << QByteArray("\xC0\xAF");
        QTest::newRow("overlong of three") << QByteArray("\xE0\x9F\xBF");
        QTest::newRow("overlong of four") << QByteArray("\xF0\x8F\xBF\xBF");
        QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80");
        QTest::newRow("too large") << QByteArray("\xF4\x90\x80\x80");
        QTest::newRow("no first byte") << QByteArray("\xF5\x80\x80\x80");
        QTest::newRow("cut") << QByteArray("\xE2\x82");
        QTest::newRow("broken off") << QByteArray("\xE2\x82\x41");
    }
    void isNoCharacter()
    {
        QFETCH(QByteArray, bytes);
        const std::string text = "a" + bytes.toStdString();
        QCOMPARE(characterBytes(text, 1), 0);
        QCOMPARE(firstNoCharacter(text), std::size_t{1});
        QCOMPARE(firstNoCharacter(withoutBrokenCharacters(text)), std::string::npos);
        QVERIFY(withoutBrokenCharacters(text).starts_with("a\xEF\xBF\xBD"));
    }

    /// Every beginning of a text, byte by byte: what is held back and what is shown make up the whole.
    void unfinished()
    {
        const std::string text = "aä€😀";
        for (std::size_t size = 0; size <= text.size(); ++size) {
            const std::string begun = text.substr(0, size);
            const std::size_t held = unfinishedBytes(begun);
            QVERIFY(held <= 3);
            QCOMPARE(firstNoCharacter(std::string_view(begun).substr(0, size - held)), std::string::npos);
        }
        QCOMPARE(unfinishedBytes("\xF0\x9F\x98"), std::size_t{3});
        QCOMPARE(unfinishedBytes("\xE0\x80"), std::size_t{0}); // can become nothing
        QCOMPARE(unfinishedBytes("\x80\x80"), std::size_t{0});
        QCOMPARE(unfinishedBytes(""), std::size_t{0});
        QCOMPARE(withoutBrokenCharacters(text), text);
    }
};

QTEST_GUILESS_MAIN(Utf8Test)
#include "utf8_test.moc"
