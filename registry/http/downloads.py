"""Headers under which stored bytes are handed out."""

from urllib.parse import quote


def download_headers(file_name: str) -> dict[str, str]:
    """Headers under which a browser saves a file, and runs nothing of it even where it is made to open it.

    Content-Disposition: RFC 6266; the plain name for old clients holds ASCII only.
    """
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_. ") else "_" for sign in file_name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
