"""The composition root: all routes and what they depend on."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import falcon.asgi

from atelier.http import App
from atelier.http.admin.changes import Changes
from atelier.http.admin.decisions import DecisionRoute, DecisionsRoute, UndoRoute
from atelier.http.admin.queue import QueueRoute
from atelier.http.admin.rules import RulesRoute, TrialRoute
from atelier.http.admin.search import SearchRoute
from atelier.http.admin.token import OwnToken
from atelier.http.admin.unanswered import Unanswered
from atelier.http.admin.webhooks import (
    DeliveriesRoute,
    PauseRoute,
    ReplayRoute,
    ResumeRoute,
    SecretRoute,
    TestRoute,
    WebhookRoute,
    WebhooksRoute,
)
from atelier.http.common.authorization import Authorizer
from atelier.http.common.cors import CorsPolicy
from atelier.http.common.errors import unavailable, unexpected
from atelier.http.common.methods import UnknownMethod
from atelier.http.common.no_store import NoStore
from atelier.http.common.schema_mismatch import SchemaMismatch
from atelier.http.common.writing.daily_limits import DailyLimit
from atelier.http.common.writing.posts import PostWriter
from atelier.http.common.writing.rules import RuleChecker
from atelier.http.common.writing.secret import SharedSecret
from atelier.http.common.writing.spam import SpamGuards
from atelier.http.common.writing.votes import Counters, voter_rules
from atelier.http.console.pages import serializer
from atelier.http.console.routes import Stores, add_console
from atelier.http.fast_path import FastPath, FastPathFailures
from atelier.http.fast_votes import FastVotes
from atelier.http.ops.health import Live, Ready, ReadyForReads
from atelier.http.ops.lifespan import Lifespan
from atelier.http.ops.metrics import Metrics, RequestTimer
from atelier.http.ops.sampler import Sampler
from atelier.http.pages.addresses import Addresses
from atelier.http.pages.demo import About, add_demo_shop, demo_addresses
from atelier.http.pages.documentation import add_documentation
from atelier.http.pages.errors import ErrorPages
from atelier.http.pages.questions import ProductQuestionsPage, QuestionList, QuestionPage
from atelier.http.pages.sitemap import add_sitemap
from atelier.http.pages.static import add_static_files
from atelier.http.pages.texts import Words
from atelier.http.pages.widget import add_widget
from atelier.http.qa.answers import Answers
from atelier.http.qa.questions import Questions
from atelier.http.qa.votes import Helpful, Report
from atelier.http.v1.answers import Answer, QuestionAnswers
from atelier.http.v1.own_post import OwnPost
from atelier.http.v1.posts import Posting
from atelier.http.v1.questions import ProductQuestions, Question, QuestionsOfProducts
from atelier.http.v1.readings import Readings
from atelier.http.v1.searching import Search, SimilarQuestions
from atelier.http.v1.summaries import ProductSummary, Summaries
from atelier.http.v1.votes import OwnVote, Reports
from atelier.http.webhooks.addresses import PermittedAddresses
from atelier.http.webhooks.client import Client
from atelier.http.webhooks.sender import Sender
from atelier.settings import (
    SEARCH_CONNECTIONS,
    STREAM_CONNECTIONS,
    TRIAL_CONNECTIONS,
    WEBHOOK_CONNECTIONS,
    Settings,
)
from atelier.store.batcher import OverloadedError
from atelier.store.changes import ChangeFeed
from atelier.store.connections.database import (
    Database,
    DatabaseUnavailableError,
    SchemaMismatchError,
)
from atelier.store.connections.standby_reads import StandbyReads
from atelier.store.limits import ClientHashes
from atelier.store.lists.reader import ListReader
from atelier.store.lists.sitemap import SitemapReader
from atelier.store.moderation import trial
from atelier.store.moderation.rule_versions import ActiveRules
from atelier.store.reads import PageReader
from atelier.store.search.searcher import Searcher
from atelier.store.voters import VoterWriter
from atelier.store.webhooks.deliveries import Deliveries
from atelier.store.webhooks.endpoints import Endpoints
from atelier.store.writes import Writer
from atelier.store.written import WrittenReader

_TRIAL_SECONDS = 25
"""The longest that each statement of a trial of moderation rules may take."""


class Service(NamedTuple):
    """The ASGI application of an instance, its fast path and its CORS policy."""

    app: App
    fast_path: FastPath
    cors: CorsPolicy
    stop_waiting: Callable[[], None]
    """Ends the requests that wait for an event, before the instance stops."""


def create_service(
    settings: Settings,
    database_url: str,
    *,
    instance: str = "",
    clock: Callable[[], float] = time.time,
) -> Service:
    """Build an instance; its connections open and close with the application.

    `instance` is its name on this host, under which the console shows it; "" if it does not.
    `clock` returns Unix time in seconds; it decides when the keys of voters' hashes rotate.
    """
    timeout = settings.request_timeout / 2  # a request waits for two batches at most: see Batcher
    database = Database(
        database_url, size=settings.pool_size, timeout=timeout, parameters=_parameters(settings)
    )
    streams = Database(database_url, size=STREAM_CONNECTIONS, timeout=timeout)
    searches = Database(database_url, size=SEARCH_CONNECTIONS, timeout=timeout)
    searcher = Searcher(searches)
    webhooks = _webhooks(settings, database_url, timeout)
    trials = _trials(database_url)
    reads = _standby_reads(settings, database_url, timeout) or database
    database.expose_metrics("requests")
    streams.expose_metrics("large pages")
    searches.expose_metrics("searches")
    if reads is not database:
        reads.expose_metrics("reads")
    key_lifetime = timedelta(hours=settings.idempotency_hours)
    writer = Writer(database, key_lifetime, timedelta(minutes=settings.spam_repeat_minutes))
    voters = VoterWriter(database, voter_rules(settings), key_lifetime)
    changes = ChangeFeed(database, timedelta(days=settings.changes_days))
    rules = ActiveRules(database)
    secret = SharedSecret(settings, voters.secret)
    clients = ClientHashes(database, settings.secret)
    post_limit = DailyLimit("posts", settings.posts_per_day, settings.rate_exempt, clients)
    guards, checker = SpamGuards.from_settings(settings), RuleChecker(rules, secret, clock)
    posts = PostWriter(writer, guards, post_limit, checker, secret)
    reports = DailyLimit("reports", settings.reports_per_day, settings.rate_exempt, clients)
    stores = Stores.of(database, streams, trials)
    cleanup_tasks = (
        stores.sessions.delete_expired,
        stores.samples.delete_old,
        writer.delete_expired_keys,
        writer.delete_expired_digests,
        voters.delete_expired,
        clients.delete_expired,
        changes.delete_expired,
        webhooks.deliveries.delete_expired,
        rules.delete_expired,
    )
    cors = CorsPolicy(settings.cors_origins)

    app: App = falcon.asgi.App(
        middleware=[
            RequestTimer(),
            FastPathFailures(),
            UnknownMethod(),
            Lifespan(
                cleanup_tasks,
                Sampler(stores.samples, instance),
                searcher,
                *webhooks.resources,
                *{database, streams, reads, trials},
            ),
            cors,
            NoStore(),
        ],
    )
    app.req_options.strip_url_path_trailing_slash = True
    _handle_errors(app, database)

    questions, answers = (PageReader(kind, reads, streams) for kind in ("questions", "answers"))
    count = Counters(settings, writer, voters, reports, secret, clock)
    app.add_route("/qa/questions", Questions(questions, posts))
    app.add_route("/qa/questions/{target_id}/answers", Answers(answers, posts))
    app.add_route("/qa/questions/{target_id}/helpful", Helpful(count.votes, "question"))
    app.add_route("/qa/questions/{target_id}/report", Report(count.reports, "question"))
    app.add_route("/qa/answers/{target_id}/helpful", Helpful(count.votes, "answer"))
    app.add_route("/qa/answers/{target_id}/report", Report(count.reports, "answer"))
    lists = ListReader(reads, streams)
    readings = Readings(lists)
    written = WrittenReader(database)
    _add_v1_routes(app, lists, readings, posts, count, written, searcher)
    app.add_route("/v1/posts/{token}", OwnPost(written, secret))
    words, console_words = Words(settings.language), Words(settings.language, "console")
    app.set_error_serializer(serializer(ErrorPages(words), console_words))
    _add_administration(app, stores, changes, settings, console_words)
    _add_operations(app, reads, database)
    add_documentation(app)
    _add_pages(app, lists, SitemapReader(streams), settings, words)
    return Service(
        app,
        FastPath(questions, answers, readings, FastVotes(count)),
        cors,
        _all_of(changes.stop, webhooks.sender.stop),
    )


def _handle_errors(app: App, database: Database) -> None:
    app.add_error_handler(Exception, unexpected)
    app.add_error_handler(DatabaseUnavailableError, unavailable)
    app.add_error_handler(SchemaMismatchError, SchemaMismatch(database).handle)
    app.add_error_handler(OverloadedError, unavailable)


def _add_operations(app: App, reads: Database, database: Database) -> None:
    app.add_route("/live", Live())
    app.add_route("/ready", Ready(reads, database))
    app.add_route("/ready/reads", ReadyForReads(reads))
    app.add_route("/metrics", Metrics())


def _add_administration(
    app: App, stores: Stores, changes: ChangeFeed, settings: Settings, words: Words
) -> None:
    authorizer = Authorizer(stores.tokens)
    addresses = PermittedAddresses(settings.webhook_networks)
    app.add_route("/admin/v1/token", OwnToken(authorizer))
    app.add_route("/admin/v1/changes", Changes(authorizer, changes))
    _add_moderation(app, authorizer, stores)
    _add_webhooks(app, authorizer, stores.endpoints, addresses)
    add_console(app, stores, addresses, words)


def _add_moderation(app: App, authorizer: Authorizer, stores: Stores) -> None:
    decisions = stores.decisions
    app.add_route("/admin/v1/queue", QueueRoute(authorizer, stores.queue))
    app.add_route("/admin/v1/search", SearchRoute(authorizer, stores.search))
    app.add_route("/admin/v1/decisions", DecisionsRoute(authorizer, decisions))
    app.add_route("/admin/v1/decisions/{decision_id}", DecisionRoute(authorizer, decisions))
    app.add_route("/admin/v1/decisions/{decision_id}/undo", UndoRoute(authorizer, decisions))
    app.add_route("/admin/v1/unanswered", Unanswered(authorizer, stores.unanswered))
    app.add_route("/admin/v1/rules", RulesRoute(authorizer, stores.rules))
    app.add_route("/admin/v1/rules/try", TrialRoute(authorizer, stores.trials))


def _add_webhooks(
    app: App, authorizer: Authorizer, endpoints: Endpoints, addresses: PermittedAddresses
) -> None:
    root = "/admin/v1/webhooks"
    one = f"{root}/{{webhook_id}}"
    app.add_route(root, WebhooksRoute(authorizer, endpoints, addresses))
    app.add_route(one, WebhookRoute(authorizer, endpoints))
    app.add_route(f"{one}/pause", PauseRoute(authorizer, endpoints))
    app.add_route(f"{one}/resume", ResumeRoute(authorizer, endpoints))
    app.add_route(f"{one}/test", TestRoute(authorizer, endpoints))
    app.add_route(f"{one}/secret", SecretRoute(authorizer, endpoints))
    app.add_route(f"{one}/deliveries", DeliveriesRoute(authorizer, endpoints))
    app.add_route(f"{one}/deliveries/{{delivery_id}}/replay", ReplayRoute(authorizer, endpoints))


def _add_v1_routes(  # noqa: PLR0913, PLR0917 - one per kind of what routes do
    app: App,
    lists: ListReader,
    readings: Readings,
    posts: PostWriter,
    count: Counters,
    written: WrittenReader,
    searcher: Searcher,
) -> None:
    posting = Posting(posts, written)
    search = Search(searcher, lists)
    app.add_route(
        "/v1/products/{product_id}/questions", ProductQuestions(readings, search, posting)
    )
    app.add_route("/v1/products/{product_id}/similar", SimilarQuestions(search))
    app.add_route("/v1/products/{product_id}/summary", ProductSummary(readings))
    app.add_route("/v1/summaries", Summaries(readings))
    app.add_route("/v1/questions", QuestionsOfProducts(readings))
    app.add_route("/v1/questions/{target_id}", Question(readings))
    app.add_route("/v1/questions/{target_id}/answers", QuestionAnswers(readings, posting))
    app.add_route("/v1/answers/{target_id}", Answer(readings))
    app.add_route("/v1/questions/{target_id}/vote", OwnVote("question", count, written))
    app.add_route("/v1/answers/{target_id}/vote", OwnVote("answer", count, written))
    app.add_route("/v1/questions/{target_id}/reports", Reports("question", count, written))
    app.add_route("/v1/answers/{target_id}/reports", Reports("answer", count, written))


def _trials(database_url: str) -> Database:
    """Return the connection for trials of moderation rules, which are read-only."""
    trials = Database(
        database_url, size=TRIAL_CONNECTIONS, timeout=_TRIAL_SECONDS, parameters=trial.PARAMETERS
    )
    trials.expose_metrics("trials")
    return trials


def _add_pages(
    app: App, lists: ListReader, sitemap: SitemapReader, settings: Settings, words: Words
) -> None:
    add_widget(app, settings.spam_honeypot)
    addresses = Addresses.from_settings(settings, demo_addresses() if settings.has_demo else {})
    questions = QuestionList(lists, addresses)
    page = ProductQuestionsPage(questions, addresses, words)
    app.add_route("/products/{product_id}/questions", page)
    app.add_route("/questions/{target_id}", QuestionPage(lists, addresses, words))
    add_static_files(app)
    add_sitemap(app, sitemap, addresses)
    if settings.has_demo:
        add_demo_shop(app, lists, questions, words)
    else:
        app.add_route("/", About())


class _Webhooks(NamedTuple):
    """What sends events, and its connection, which requests of shoppers do not wait for."""

    sender: Sender
    deliveries: Deliveries
    database: Database

    @property
    def resources(self) -> tuple[Sender, Database]:
        """What opens and closes with the application, in this order."""
        return self.sender, self.database


def _webhooks(settings: Settings, database_url: str, timeout: float) -> _Webhooks:
    database = Database(database_url, size=WEBHOOK_CONNECTIONS, timeout=timeout)
    database.expose_metrics("webhooks")
    deliveries = Deliveries(database, timedelta(days=settings.changes_days))
    client = Client(PermittedAddresses(settings.webhook_networks))
    return _Webhooks(Sender(deliveries, client, settings.webhook_timeout), deliveries, database)


def _all_of(*functions: Callable[[], None]) -> Callable[[], None]:
    def call_all() -> None:
        for function in functions:
            function()

    return call_all


def _parameters(settings: Settings) -> dict[str, str]:
    """Return the settings of sessions that the database's triggers read."""
    return {"atelier.moderation": "pre"} if settings.moderation == "pre" else {}


def _standby_reads(settings: Settings, database_url: str, timeout: float) -> StandbyReads | None:
    if not settings.read_database_url:
        return None
    return StandbyReads(
        database_url,
        settings.read_database_url,
        size=settings.pool_size,
        timeout=timeout,
        max_lag=settings.standby_max_lag,
    )
