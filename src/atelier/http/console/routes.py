"""All routes of the console."""

from datetime import timedelta
from importlib.resources import files
from typing import NamedTuple

from atelier.http import App
from atelier.http.console.audit import AuditExport, AuditPage
from atelier.http.console.decisions import DecisionsRoute, UndoRoute
from atelier.http.console.form_decisions import FormDecisions
from atelier.http.console.imports import ImportsPage
from atelier.http.console.overview import Figures, Overview
from atelier.http.console.pages import Pages
from atelier.http.console.queue import QueuePage
from atelier.http.console.rules import RulesPage
from atelier.http.console.search import SearchPage
from atelier.http.console.session import Guard
from atelier.http.console.sign_in import SignIn, SignOut
from atelier.http.console.tokens import RevokeToken, TokensPage
from atelier.http.console.unanswered import UnansweredPage
from atelier.http.console.webhooks import WebhookPage, WebhooksPage
from atelier.http.pages.documentation import File
from atelier.http.pages.texts import Words
from atelier.http.webhooks.addresses import PermittedAddresses
from atelier.store.connections.database import Database
from atelier.store.console.samples import Samples
from atelier.store.console.sessions import Sessions
from atelier.store.imports import Imports
from atelier.store.moderation.decisions import Decisions
from atelier.store.moderation.queue import Queue
from atelier.store.moderation.rule_versions import RuleVersions
from atelier.store.moderation.search import PostSearch
from atelier.store.tokens import TokenReader
from atelier.store.unanswered import UnansweredReader
from atelier.store.webhooks.endpoints import Endpoints

_SESSION = timedelta(hours=12)
_CSS, _JS = "text/css", "text/javascript"
_FILES = {
    "console.css": _CSS,
    "overview.js": _JS,
    "queue.js": _JS,
    "imports.js": _JS,
    "unanswered.js": _JS,
    "common.js": _JS,
    "vendor/uplot-1.6.32.js": _JS,
    "vendor/uplot-1.6.32.css": _CSS,
}


class Stores(NamedTuple):
    """What operators and moderators read and change, in the console and under /admin."""

    tokens: TokenReader
    sessions: Sessions
    samples: Samples
    queue: Queue
    decisions: Decisions
    unanswered: UnansweredReader
    rules: RuleVersions
    trials: Database
    search: PostSearch
    endpoints: Endpoints
    imports: Imports

    @classmethod
    def of(cls, database: Database, streams: Database, trials: Database) -> "Stores":
        """Return those of a database: its connections, those for exports, and those for trials."""
        return cls(
            TokenReader(database),
            Sessions(database, _SESSION),
            Samples(database),
            Queue(database),
            Decisions(database, streams),
            UnansweredReader(database),
            RuleVersions(database),
            trials,
            PostSearch(streams),
            Endpoints(database.write),
            Imports(database),
        )


def add_console(app: App, stores: Stores, addresses: PermittedAddresses, words: Words) -> None:
    """Add the pages, what their scripts request, and their files.

    `addresses` are those that webhooks may have; `words` those of the console.
    """
    guard = Guard(stores.sessions)
    pages = Pages(guard, stores.samples, words)
    app.add_route("/console", Overview(pages))
    app.add_route("/console/metrics", Figures(pages, stores.samples))
    app.add_route("/console/sign-in", SignIn(pages, stores.tokens, stores.sessions))
    app.add_route("/console/sign-out", SignOut(guard, stores.sessions))
    by_form = FormDecisions(stores.decisions)
    app.add_route("/console/queue", QueuePage(pages, stores.queue, by_form))
    app.add_route("/console/decisions", DecisionsRoute(pages, stores.decisions))
    app.add_route("/console/decisions/{decision_id}/undo", UndoRoute(pages, stores.decisions))
    unanswered = UnansweredPage(pages, stores.unanswered, stores.samples, by_form)
    app.add_route("/console/unanswered", unanswered)
    app.add_route("/console/rules", RulesPage(pages, stores.rules, stores.trials))
    app.add_route("/console/search", SearchPage(pages, stores.search))
    app.add_route("/console/audit", AuditPage(pages, stores.decisions))
    app.add_route("/console/audit/export", AuditExport(guard, stores.decisions))
    app.add_route("/console/imports", ImportsPage(pages, stores.imports))
    app.add_route("/console/tokens", TokensPage(pages, stores.sessions))
    app.add_route("/console/tokens/revoke", RevokeToken(pages, stores.sessions))
    app.add_route("/console/webhooks", WebhooksPage(pages, stores.endpoints, addresses))
    app.add_route("/console/webhooks/{webhook_id}", WebhookPage(pages, stores.endpoints))
    _add_files(app)


def _add_files(app: App) -> None:
    folder = files("atelier") / "web" / "console"
    for name, content_type in _FILES.items():
        source = folder.joinpath(*name.split("/"))
        app.add_route(f"/console/files/{name}", File(source, content_type, "no-cache"))
