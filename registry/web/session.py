"""Signing in with an API token and out again, and the guard that refuses forms sent by other sites."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from registry.access import service
from registry.access.actor import Actor
from registry.errors import RefusedError, UnauthenticatedError
from registry.http.guards import SESSION_COOKIE, Connection, open_to_all, signed_in
from registry.http.transactions import writes
from registry.settings import Settings
from registry.unit import Unit
from registry.web.frame import framed

LONGEST_NEXT = 2000


class SignIn(msgspec.Struct):
    """The form of the sign-in page."""

    token: str
    next: str = "/"


async def same_origin(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Refuse a form that another site sent, or of which the browser does not say who sent it.

    Raises:
        RefusedError: `Sec-Fetch-Site` or `Origin` names another site, or both are missing.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    settings: Settings = connection.app.state.settings
    own = {connection.headers.get("host", ""), urlsplit(settings.public_url).netloc}
    # Either header may be missing in an older browser, but each that is there must be right.
    right_site = site is None or site == "same-origin"
    right_origin = origin is None or (urlsplit(origin).netloc in own and bool(urlsplit(origin).netloc))
    if (site is None and origin is None) or not right_site or not right_origin:
        raise RefusedError(
            "This form was sent by another site; nothing was done.",
            "Open Acta itself in the browser and repeat it there.",
        )


def own_path(target: str) -> str:
    """`target` where it is a path of this installation, else the first page: never an address elsewhere."""
    if (
        len(target) > LONGEST_NEXT
        or not target.startswith("/")
        or target.startswith("//")
        or "\\" in target
        or not target.isprintable()
        or not target.isascii()
    ):
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc or parts.path in {"/sign-in", "/sign-out"} else target


class SessionController(Controller):
    """Browser sessions."""

    path = "/"
    include_in_schema = False

    @get("/sign-in", guards=[open_to_all])
    async def form(self, target: Annotated[str, QueryParameter(name="next")] = "/") -> Template:
        """The form."""
        return framed(None, "sign_in.html", {"next": own_path(target), "error": None})

    @post("/sign-in", guards=[open_to_all, same_origin], status_code=303)
    @writes
    def sign_in(
        self,
        data: URLEncodedBody[SignIn],
        unit: NamedDependency[Unit],
        settings: NamedDependency[Settings],
    ) -> Response[Any]:
        """Exchange a token for a session."""
        try:
            secret = service.sign_in(unit, data.token.strip(), settings.session_hours)
        except UnauthenticatedError as error:
            return framed(None, "sign_in.html", {"next": own_path(data.next), "error": error}, 401)
        cookie = _cookie(settings, secret, settings.session_hours * 3600)
        return Redirect(own_path(data.next), status_code=303, cookies=[cookie])

    @post("/sign-out", guards=[signed_in, same_origin], status_code=303)
    @writes
    def sign_out(
        self,
        request: Request[Any, Any, Any],
        unit: NamedDependency[Unit],
        actor: NamedDependency[Actor],
        settings: NamedDependency[Settings],
    ) -> Redirect:
        """End the session."""
        service.sign_out(unit, actor, request.cookies.get(SESSION_COOKIE, ""))
        return Redirect("/sign-in", status_code=303, cookies=[_cookie(settings, "", 0)])


def _cookie(settings: Settings, value: str, max_age: int) -> Cookie:
    return Cookie(
        key=SESSION_COOKIE,
        value=value,
        max_age=max_age,
        path="/",
        secure=settings.public_url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )
