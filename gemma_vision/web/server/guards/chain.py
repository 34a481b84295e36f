"""Chain: what every request passes through before Gradio sees it, in order; what runs beside."""

from __future__ import annotations

from typing import Any

from starlette.middleware import Middleware

from gemma_vision.web.server.guards.access import ACCESS, secrets
from gemma_vision.web.server.guards.body_limits import BODY_LIMITS
from gemma_vision.web.server.guards.clients import proxies
from gemma_vision.web.server.guards.error_codes import ERROR_CODES
from gemma_vision.web.server.guards.rates import ALL, EACH, RATES, rates
from gemma_vision.web.server.guards.request_guard import guard_requests
from gemma_vision.web.server.guards.request_log import REQUEST_LOG, is_json
from gemma_vision.web.server.guards.sessions import keep_sessions_small
from gemma_vision.web.server.guards.slow_headers import HeaderWatch
from gemma_vision.web.server.guards.sweeper import Sweeper
from gemma_vision.web.server.live_switch import is_live
from gemma_vision.web.server.openapi_document import VALID_OPENAPI
from gemma_vision.web.server.page_delivery import ASSET_CACHE, COMPRESSED_PAGE
from gemma_vision.web.server.private_errors import ERROR_FILTER
from gemma_vision.web.server.upload_quota import UPLOAD_QUOTA, max_bytes


def chain(host: str) -> list[Middleware]:
    """The middleware of an app that listens on an address, the outermost first."""
    return [
        REQUEST_LOG,
        guard_requests(host),
        ACCESS,
        RATES,
        BODY_LIMITS,
        COMPRESSED_PAGE,
        ASSET_CACHE,
        ERROR_CODES,
        UPLOAD_QUOTA,
        ERROR_FILTER,
        VALID_OPENAPI,
    ]


def start_guards(app: Any) -> None:
    """What looks after a launched page while it runs."""
    keep_sessions_small(app)
    Sweeper(app).start()
    HeaderWatch(app.server).start()


def check_variables() -> None:
    """Refuse what cannot be meant before anything is loaded: UserError."""
    max_bytes()
    proxies()
    secrets()
    rates(EACH)
    rates(ALL)
    is_json()
    is_live()
