// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/files.h"
#include "core/history/migrate.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace sconce;

namespace {

/// A later version's ladder: today's steps and one more.
std::vector<const char*> ladder(const char* more)
{
    std::vector<const char*> steps(allMigrations().begin(), allMigrations().end());
    steps.push_back(more);
    return steps;
}

constexpr const char* addStars = "ALTER TABLE runs ADD COLUMN stars INTEGER NOT NULL DEFAULT 3;";
/// Changes something, then fails.
constexpr const char* failing = "ALTER TABLE runs ADD COLUMN stars INTEGER; INSERT INTO no_such_table VALUES (1);";

} // namespace

class MigrateTest : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_count = 0;

    std::string freshPath() { return (m_dir.path() + "/" + QString::number(++m_count)).toStdString() + ".db"; }
    std::string backups() const { return m_dir.path().toStdString() + "/backups"; }
    std::unique_ptr<Database> open(const std::string& path)
    {
        auto db = Database::open(path, Database::Mode::ReadWrite);
        return db ? std::move(*db) : nullptr;
    }
    std::unique_ptr<Database> withOneRun(const std::string& path)
    {
        auto db = open(path);
        if (!db || !migrate(*db, allMigrations(), backups())) return nullptr;
        return db->execute("INSERT INTO runs (id, name) VALUES ('r1', 'first')") ? std::move(db) : nullptr;
    }

  private Q_SLOTS:
    void fresh()
    {
        auto db = open(freshPath());
        QVERIFY(db);
        const auto migrated = migrate(*db, allMigrations(), backups());
        QVERIFY(migrated.ok() && *migrated == Migrated::Fresh);
        QCOMPARE(*db->number("PRAGMA user_version"), std::int64_t(allMigrations().size()));
        QCOMPARE(*db->number("SELECT count(*) FROM runs"), std::int64_t(0));
        const auto again = migrate(*db, allMigrations(), backups());
        QVERIFY(again.ok() && *again == Migrated::Current);
        QVERIFY(QDir(QString::fromStdString(backups())).entryList({"before-*"}).isEmpty());
    }

    void climbsAndKeepsACopy()
    {
        auto db = withOneRun(freshPath());
        QVERIFY(db);
        const auto steps = ladder(addStars);
        const auto migrated = migrate(*db, steps, backups());
        QVERIFY(migrated.ok() && *migrated == Migrated::Migrated);
        QCOMPARE(*db->number("SELECT stars FROM runs WHERE id = 'r1'"), std::int64_t(3));
        QCOMPARE(*db->number("PRAGMA user_version"), std::int64_t(steps.size()));
        const QStringList copies = QDir(QString::fromStdString(backups())).entryList({"before-version-*.db"});
        QCOMPARE(copies.size(), 1);
        auto copy = open(backups() + "/" + copies.front().toStdString());
        QVERIFY(copy);
        QCOMPARE(*copy->number("PRAGMA user_version"), std::int64_t(allMigrations().size()));
        QCOMPARE(*copy->number("SELECT count(*) FROM runs"), std::int64_t(1));
    }

    void aFailingStepLeavesEverything()
    {
        auto db = withOneRun(freshPath());
        QVERIFY(db);
        const auto migrated = migrate(*db, ladder(failing), backups());
        QVERIFY(!migrated.ok());
        QVERIFY(!migrated.error().message.empty());
        QVERIFY(!db->inTransaction());
        QCOMPARE(*db->number("PRAGMA user_version"), std::int64_t(allMigrations().size()));
        QVERIFY(!db->number("SELECT stars FROM runs").ok());
        QCOMPARE(*db->number("SELECT count(*) FROM runs"), std::int64_t(1));
    }

    void newerIsLeftAlone()
    {
        auto db = withOneRun(freshPath());
        QVERIFY(db && db->execute("PRAGMA user_version = 4711"));
        const auto migrated = migrate(*db, allMigrations(), backups());
        QVERIFY(migrated.ok() && *migrated == Migrated::TooNew);
        QCOMPARE(*db->number("PRAGMA user_version"), std::int64_t(4711));
    }

    void anotherProgramsFileIsRefused()
    {
        auto db = open(freshPath());
        QVERIFY(db && db->execute("CREATE TABLE recipes (cake TEXT)"));
        const auto migrated = migrate(*db, allMigrations(), backups());
        QVERIFY(!migrated.ok());
        QVERIFY(migrated.error().code == ErrorCode::Invalid);
    }

    void theLadderMayBeClimbedByAnotherMeanwhile()
    {
        // Both look at the version, then one is faster: the other must see that inside its transaction.
        const std::string path = freshPath();
        QVERIFY(withOneRun(path));
        auto first = open(path), second = open(path);
        const auto steps = ladder(addStars);
        QVERIFY(migrate(*first, steps, backups()).ok());
        const auto late = migrate(*second, steps, backups());
        QVERIFY(late.ok());
        QCOMPARE(*second->number("SELECT stars FROM runs"), std::int64_t(3));
    }
};

QTEST_GUILESS_MAIN(MigrateTest)
#include "migrate_test.moc"
