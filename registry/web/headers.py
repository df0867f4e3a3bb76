"""Headers of every HTML response, set in one place: nothing from elsewhere, nothing inline, nothing framed or kept."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_PAGE = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # With `no-referrer` browsers would send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # After signing out, the browser's back button shows nothing.
    "Cache-Control": "private, no-store",
}


async def secure_pages(message: Message, _scope: Scope) -> None:
    """Before a response goes out: HTML gets all headers of a page, everything else `nosniff`."""
    if message["type"] != "http.response.start":
        return
    message.setdefault("headers", [])
    headers = MutableScopeHeaders.from_message(message)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if headers.get("content-type", "").startswith("text/html"):
        for name, value in _PAGE.items():
            headers[name] = value
