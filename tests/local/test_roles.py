"""The service's role can do everything the service does, and nothing else."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from atelier.errors import AtelierError
from atelier.local.postgres import roles
from atelier.local.postgres.server import Server
from atelier.settings import Settings
from atelier.store.migrate import migrate
from atelier.store.queries import queries
from tests.support.cluster import as_role, cluster
from tests.support.commands import run
from tests.support.postgres import every_postgres
from tests.transfer.exports import load, write_export

_NOWHERE = Path("/nonexistent/home")
_numbers = itertools.count(1)

_FORBIDDEN = [
    "SELECT asker_email FROM questions",
    "SELECT answerer_email FROM answers",
    "SELECT * FROM questions",
    "SELECT q FROM questions q",
    "SELECT id FROM questions ORDER BY asker_email",
    "INSERT INTO questions (product_id, body) VALUES (7, '') RETURNING asker_email",
    "COPY questions TO STDOUT",
    "COPY (SELECT answerer_email FROM answers) TO STDOUT",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "CREATE TABLE atelier.mine (id int)",
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION atelier.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION iso_date(moment timestamptz) RETURNS text LANGUAGE sql AS $$''$$",
    "CREATE ROLE mine",
    "ALTER TABLE questions DISABLE TRIGGER ALL",
    "ALTER FUNCTION count_votes SECURITY INVOKER",
    "DROP TABLE questions",
    "DROP SCHEMA atelier CASCADE",
    "TRUNCATE questions CASCADE",
    "TRUNCATE idempotency_keys",
    "TRUNCATE recent_texts",
    "TRUNCATE daily_counts",
    "UPDATE address_keys SET key = ''",
    "SELECT done_by FROM erasures",
    "SELECT voter FROM voters",
    "UPDATE voters SET voter = ''",
    "INSERT INTO voters (target_id, voter, target, action) VALUES (1, '', 'question', 'report')",
    "SELECT reason FROM reports",
    "INSERT INTO reports (target_id, reporter, target) VALUES (1, '', 'question')",
    "SELECT hash FROM tokens",
    "SELECT name FROM tokens",
    "UPDATE tokens SET revoked_at = NULL",
    "INSERT INTO tokens (name, scope, hash) VALUES ('x', 'operate', '')",
    "SELECT hash FROM console_sessions",
    "INSERT INTO console_sessions (hash, token_id, expires_at) VALUES ('', 1, now())",
    "DELETE FROM console_sessions",
    "UPDATE instance_samples SET requests = 0",
    "UPDATE imports SET error = NULL",
    "UPDATE voter_secret SET secret = ''",
    "DELETE FROM voter_secret",
    "UPDATE moderation_decisions SET note = NULL",
    "DELETE FROM moderation_decisions",
    "TRUNCATE moderation_decisions",
    "DELETE FROM edited_texts",
    "DELETE FROM moderation_states",
    "SELECT set_post_state('question', 1, 1, 'visible')",
    "SELECT set_post_text('question', 1, 'x')",
    "SELECT clear_reports('question', 1)",
    "UPDATE search_texts SET everything = ''",
    "DELETE FROM search_texts",
    "DELETE FROM search_products",
    "UPDATE search_words SET word = ''",
    "INSERT INTO erasures (done_by, mode) VALUES ('x', 'x')",
    "INSERT INTO changes (kind, target) VALUES ('imported', 'all')",
    "UPDATE changes SET position = 1",
    "SELECT inner_key FROM webhook_keys",
    "SELECT id FROM webhook_keys",
    "INSERT INTO webhook_keys (webhook_id, inner_key, outer_key) VALUES (1, '', '')",
    "INSERT INTO webhooks VALUES (DEFAULT, '', '{}', 'active', '', now(), 0, 0)",
    "UPDATE webhooks SET url = 'https://attacker.example'",
    "INSERT INTO webhook_deliveries (webhook_id, kind, target) VALUES (1, 'test', 'all')",
    "UPDATE webhook_deliveries SET state = 'delivered'",
    "TRUNCATE webhooks CASCADE",
    "DELETE FROM questions",
    "DELETE FROM answers",
    "DELETE FROM photos",
    "DELETE FROM question_documents",
    "UPDATE questions SET body = 'x'",
    "UPDATE questions SET helpful = 1000",
    "UPDATE answers SET reported = false",
    "UPDATE question_documents SET document = '{}'",
    "INSERT INTO question_documents VALUES (1, 1, 1, '{}')",
    "INSERT INTO questions (id, product_id, body) VALUES (9, 9, '')",
    "INSERT INTO questions (product_id, body, helpful) VALUES (9, '', 9)",
    "SELECT 1 FROM questions FOR UPDATE",
    "SELECT document FROM question_document_view",
    "SELECT setval('questions_id_seq', 1)",
    "INSERT INTO public._pogo_migration VALUES ('x', 'x', now(), 'atelier')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT pg_read_file('/etc/passwd')",
    "SET ROLE atelier",
    "SET SESSION AUTHORIZATION atelier",
    "GRANT SELECT ON questions TO PUBLIC",
    "SELECT word FROM secrets",
]
"""Statements that PostgreSQL must reject. The last reads a table added after the grants."""

_PRIVILEGES = """
    SELECT name, grantee::regrole::text, privilege_type, is_grantable
    FROM (
        SELECT nspname::text AS name, coalesce(nspacl, acldefault('n', nspowner)) AS acl
        FROM pg_namespace WHERE nspname = 'atelier'
        UNION ALL
        SELECT relname, coalesce(relacl, acldefault(
            CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
        FROM pg_class WHERE relnamespace = 'atelier'::regnamespace AND relkind IN ('r', 'v', 'S')
        UNION ALL
        SELECT relname || '.' || attname, attacl
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'atelier'::regnamespace
        UNION ALL
        SELECT proname, coalesce(proacl, acldefault('f', proowner))
        FROM pg_proc WHERE pronamespace = 'atelier'::regnamespace
    ) AS objects, aclexplode(acl)
    ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Own:
    """A test's own migrated database, its owner without superuser rights, and a service role."""

    admin: str
    service: str
    role: str
    superuser: str

    async def execute(self, statement: str, url: str | None = None) -> None:
        connection = await asyncpg.connect(
            url or self.admin, server_settings={"search_path": "atelier"}
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
async def owned(postgres: Server) -> AsyncIterator[str]:
    """Create a migrated template database of an owner without superuser rights; return its URL."""
    superuser = await asyncpg.connect(postgres.dsn())
    await superuser.execute("CREATE ROLE roles_owner LOGIN")
    await superuser.execute("CREATE DATABASE roles_template OWNER roles_owner")
    admin = as_role(postgres.dsn("roles_template"), "roles_owner")
    await migrate(admin)
    yield admin
    await superuser.execute("DROP DATABASE roles_template")
    await superuser.execute("DROP ROLE roles_owner")
    await superuser.close()


@pytest.fixture
async def own(postgres: Server, owned: str) -> AsyncIterator[Own]:
    number = next(_numbers)
    name, role = f"roles_{number}", f"Roles-web's {number}"
    connection = await asyncpg.connect(postgres.dsn())
    await connection.execute("ALTER ROLE roles_owner CREATEROLE")
    await connection.execute(
        f"CREATE DATABASE {name} OWNER roles_owner TEMPLATE roles_template STRATEGY file_copy"
    )
    service = as_role(postgres.dsn(name), role.replace(" ", "%20"))
    admin = owned.replace("roles_template", name)
    yield Own(admin, service, role, postgres.dsn(name))
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.execute(f'DROP ROLE IF EXISTS "{role}"')
    await connection.close()


def use(own: Own) -> None:
    """Call every route of a service and run its statements; all of it must be permitted."""
    posted = {"body": "b", "name": "n", "email": "n@example.com"}
    key = {"Idempotency-Key": "k"}
    as_user = own.role.replace(" ", "%20")
    with (
        cluster(own.admin, instances=1, role=as_user, ATELIER_SPAM_REPEAT_MINUTES="5") as running,
        httpx.Client(base_url=running.base_url) as client,
    ):
        new = client.post("/qa/questions", json=posted | {"product_id": 7}, headers=key)
        again = client.post("/qa/questions", json=posted | {"product_id": 7}, headers=key)
        assert (new.status_code, again.status_code) == (201, 201)
        (question,) = client.get("/qa/questions", params={"product_id": 7}).json()["results"][-1:]
        answers = f"/qa/questions/{question['question_id']}/answers"
        answered = posted | {"body": "c", "photos": ["http://a/b"]}
        assert [client.post(answers, json=answered).status_code for _ in range(2)] == [201, 422]
        (answer,) = client.get(answers).json()["results"][:1]
        responses = [
            client.put(f"/qa/questions/{question['question_id']}/helpful"),
            client.put(f"/qa/answers/{answer['answer_id']}/helpful", headers={**key, "a": "b"}),
            client.put(f"/qa/answers/{answer['answer_id']}/helpful"),
            client.get("/qa/questions", params={"product_id": 7, "count": 500}),
            client.get(answers, params={"count": 500, "page": 2}),
            *(
                client.get("/v1/products/7/questions", params={"sort": sort})
                for sort in ("helpful", "newest", "oldest", "most_answers")
            ),
            client.get(f"/v1/questions/{question['question_id']}"),
            client.get(f"/v1/questions/{question['question_id']}/answers"),
            client.get("/v1/products/7/summary"),
            client.put(f"/qa/answers/{answer['answer_id']}/report"),
            client.put(f"/qa/questions/{question['question_id']}/report"),
            client.get("/ready"),
            client.get("/ready/reads"),
        ]
        assert [each.status_code for each in responses] == [
            204,
            422,
            204,
            200,
            200,
            *[200] * 7,
            204,
            204,
            200,
            200,
        ]
        assert '"helpfulness":1' in responses[3].text
    voting = cluster(own.admin, instances=1, role=as_user, ATELIER_VOTE_ONCE="address")
    with voting as running, httpx.Client(base_url=running.base_url) as client:
        path = f"/qa/questions/{question['question_id']}"
        votes = [client.put(f"{path}/helpful"), client.put(f"{path}/report", json={"reason": "x"})]
        assert [each.status_code for each in votes] == [204, 204]
    asyncio.run(assert_permitted(own))


async def assert_permitted(own: Own) -> None:
    """Run every statement of the service with nulls; none may fail for a missing privilege."""
    connection = await asyncpg.connect(own.service, server_settings={"search_path": "atelier"})
    try:
        for name, query in queries("atelier.store").items():
            if not name.startswith(("privacy_", "owner_")):  # these run as the owner
                assert not await _is_rejected(connection, query), name
    finally:
        await connection.close()


async def assert_forbidden(own: Own) -> None:
    """Try the forbidden statements; each must fail for a missing privilege."""
    await own.execute(
        "DROP TABLE IF EXISTS atelier.secrets; CREATE TABLE atelier.secrets (word text)"
    )
    connection = await asyncpg.connect(own.service, server_settings={"search_path": "atelier"})
    try:
        for statement in _FORBIDDEN:
            assert await _is_rejected(connection, statement), statement
    finally:
        await connection.close()


async def _is_rejected(connection: asyncpg.Connection, statement: str) -> bool:
    """Return whether a privilege for a statement is missing; its parameters are null."""
    try:
        prepared = await connection.prepare(statement)
        await prepared.fetch(*[None] * len(prepared.get_parameters()))
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.NotNullViolationError:
        return False
    return False


@every_postgres
async def test_granted_role_serves_every_route_and_nothing_else(own: Own) -> None:
    assert await roles.apply(own.admin, own.role)
    await asyncio.to_thread(use, own)
    await assert_forbidden(own)


@every_postgres
async def test_role_has_the_same_privileges_after_a_schema_swap(own: Own, tmp_path: Path) -> None:
    await roles.apply(own.admin, own.role)
    await own.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC")
    await load(own.admin, write_export(tmp_path / "export"), replace=True)
    await own.execute("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC")
    await asyncio.to_thread(use, own)
    await assert_forbidden(own)


async def test_import_preserves_every_privilege_of_the_replaced_schema(
    own: Own, tmp_path: Path
) -> None:
    await roles.apply(own.admin, own.role)
    role = roles.quoted(own.role)
    await own.execute(
        f"GRANT UPDATE (body) ON questions TO {role} WITH GRANT OPTION;"
        f"GRANT USAGE ON SEQUENCE questions_id_seq TO {role};"
        "GRANT TRIGGER ON photos TO PUBLIC;"
        "REVOKE EXECUTE ON FUNCTION iso_date FROM PUBLIC"
    )
    before = await privileges(own)
    await load(own.admin, write_export(tmp_path / "export"), replace=True)
    assert await privileges(own) == before


async def privileges(own: Own) -> list[tuple[object, ...]]:
    """Return all grants in the schema: object, role, privilege, grant option."""
    connection = await asyncpg.connect(own.admin)
    try:
        return [tuple(row) for row in await connection.fetch(_PRIVILEGES)]
    finally:
        await connection.close()


async def test_excess_privileges_are_revoked(own: Own) -> None:
    role = roles.quoted(own.role)
    await own.execute(
        f"CREATE ROLE {role} LOGIN;"
        f"GRANT ALL ON SCHEMA atelier TO {role};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA atelier TO {role};"
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role}"
    )
    assert not await roles.apply(own.admin, own.role)
    assert not await roles.apply(own.admin, own.role)
    await assert_forbidden(own)


async def test_temporary_tables_cannot_replace_those_of_the_schema(own: Own) -> None:
    await roles.apply(own.admin, own.role)
    await own.execute(
        "INSERT INTO questions (id, product_id, body, asker_name, asker_email)"
        " VALUES (1, 7, 'b', 'n', 'e')"
    )
    attack = """
        CREATE TEMP TABLE questions (id bigint, helpful int, reported bool);
        INSERT INTO questions VALUES (1, 0, false);
        CREATE FUNCTION pg_temp.escalate() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'I am %', current_user; END $$;
        CREATE TRIGGER escalate BEFORE UPDATE ON questions
        FOR EACH ROW EXECUTE FUNCTION pg_temp.escalate();
        SET search_path = pg_temp, atelier;
        SELECT atelier.count_votes(
            '{question}', '{1}', '{helpful}', '{1}', '{NULL}', '{NULL}', '1 hour');
    """
    await own.execute(attack, own.service)
    connection = await asyncpg.connect(own.admin)
    assert await connection.fetchval("SELECT helpful FROM atelier.questions") == 1
    await connection.close()


async def test_security_definer_functions_have_a_fixed_search_path(own: Own) -> None:
    connection = await asyncpg.connect(own.admin)
    found = await connection.fetch(
        "SELECT proname::text, proconfig FROM pg_proc"
        " WHERE prosecdef AND pronamespace = 'atelier'::regnamespace ORDER BY 1"
    )
    await connection.close()
    path = "search_path=atelier, pg_temp"
    names = {
        *("count_votes", "count_votes_once", "decide", "find_token", "moderation_queue"),
        "newest_posts",
        *("open_session", "find_session", "close_session", "session_tokens", "queue_counts"),
        *("session_create_token", "session_revoke_token", "delete_expired_sessions"),
        *("position_changes", "record_answers", "record_photos", "record_questions"),
        *("add_webhook", "claim_webhook_delivery", "finish_webhook_delivery"),
        *("plan_webhook_deliveries", "replay_webhook_delivery", "rotate_webhook_key"),
        *("set_webhook_state", "test_webhook"),
        *("refresh_documents", "report_added", "undo_decision", "visibility_changed"),
    }
    assert names <= {name for name, _ in found}
    assert [name for name, settings in found if path not in settings] == []


async def test_printed_statements_are_those_applied_and_can_be_rerun(own: Own) -> None:
    done = run(_NOWHERE, "db", "roles", "--role", own.role, ATELIER_DATABASE_URL=own.admin)
    await own.execute(done.stdout)
    before = await privileges(own)
    await own.execute(done.stdout)
    await roles.apply(own.admin, own.role)
    assert await privileges(own) == before
    await assert_forbidden(own)


async def test_password_from_a_file_is_sent_as_a_scram_verifier(own: Own, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret word\n")
    arguments = ("db", "roles", "--apply", "--role", own.role, "--password-file", str(file))
    done = run(_NOWHERE, *arguments, ATELIER_DATABASE_URL=own.admin)
    assert done.stdout == f"Created the role {own.role} with the service's grants.\n"
    connection = await asyncpg.connect(own.superuser)
    query = "SELECT rolpassword FROM pg_authid WHERE rolname = $1"
    stored = await connection.fetchval(query, own.role)
    await connection.close()
    assert stored.startswith("SCRAM-SHA-256$4096:")
    again = run(_NOWHERE, *arguments[:-2], ATELIER_DATABASE_URL=own.admin)
    assert again.stdout == f"Updated the role {own.role} with the service's grants.\n"


def test_password_outside_printable_ascii_is_rejected() -> None:
    for password in ("", "pässword", "a\nb"):
        with pytest.raises(AtelierError, match="printable ASCII"):
            roles.scram_verifier(password)


async def test_missing_createrole_names_the_role_to_create(own: Own) -> None:
    owner = own.admin.partition("//")[2].partition("@")[0]
    await own.execute(f"ALTER ROLE {owner} NOCREATEROLE", own.superuser)
    done = run(_NOWHERE, "db", "roles", "--apply", "--role", "web", ATELIER_DATABASE_URL=own.admin)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert 'requires CREATEROLE: have a role with that run CREATE ROLE "web" LOGIN;' in done.stderr
    await own.execute(f"CREATE ROLE {roles.quoted(own.role)} LOGIN", own.superuser)
    assert not await roles.apply(own.admin, own.role)


async def test_owner_or_superuser_is_rejected_as_service_role(own: Own) -> None:
    for name in ("atelier", own.admin.partition("//")[2].partition("@")[0]):
        with pytest.raises(AtelierError, match="name another role"):
            await roles.apply(own.admin, name)


async def test_unmigrated_database_asks_for_a_migration(postgres: Server) -> None:
    with pytest.raises(AtelierError, match="run `atelier migrate` first"):
        await roles.apply(postgres.dsn(), "web")


async def test_migration_updates_the_grants_of_the_service_role(own: Own) -> None:
    await roles.apply(own.admin, own.role)
    role = roles.quoted(own.role)
    await own.execute(f"REVOKE EXECUTE ON FUNCTION count_votes FROM {role}")
    urls = {"ATELIER_DATABASE_URL": own.service, "ATELIER_ADMIN_DATABASE_URL": own.admin}
    assert run(_NOWHERE, "migrate", **urls).stdout == "The database is up to date.\n"
    await asyncio.to_thread(use, own)


async def test_migrating_as_the_service_role_asks_for_the_admin_url(own: Own) -> None:
    await roles.apply(own.admin, own.role)
    await own.execute("DELETE FROM public._pogo_migration WHERE migration_id ~ '_09_'")
    done = run(_NOWHERE, "migrate", ATELIER_DATABASE_URL=own.service)
    assert done.returncode == 1
    assert "set ATELIER_ADMIN_DATABASE_URL to the URL of the role that owns" in done.stderr
    assert "GRANT" not in done.stderr


async def test_errors_name_the_setting_of_the_wrong_url(own: Own) -> None:
    urls = {"ATELIER_DATABASE_URL": own.service, "ATELIER_ADMIN_DATABASE_URL": f"{own.admin}&x=y"}
    done = run(_NOWHERE, "migrate", **urls)
    assert "Remove this parameter from ATELIER_ADMIN_DATABASE_URL" in done.stderr
    serve = run(_NOWHERE, "serve", "--port", "1", ATELIER_ADMIN_DATABASE_URL=own.admin)
    assert "set ATELIER_DATABASE_URL to the URL of the service, too" in serve.stderr


def test_service_role_is_that_of_its_url_unless_it_is_the_admins() -> None:
    shop, web = "postgresql://shop@db/qa", "postgresql://shop_web:x@db/qa"
    assert roles.service_role(Settings(database_url=web, admin_database_url=shop)) == "shop_web"
    assert roles.service_role(Settings(database_url=shop)) == "atelier_service"
    assert roles.service_role(Settings(database_url=shop, admin_database_url=shop)) == (
        "atelier_service"
    )
