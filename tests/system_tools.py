"""What tests need from the operating system. Absent on a user's machine, a test says how to get it; in CI it fails."""

import ctypes
import ctypes.util
import os
import shutil
from dataclasses import dataclass
from typing import NoReturn

import pytest

MISSING = "is missing here: "
"""What the reason of every such skip contains; the summary at the end of a run looks for it."""


@dataclass(frozen=True)
class Tool:
    """A program, the names it goes by, and the Debian package that brings it."""

    programs: tuple[str, ...]
    remedy: str


TOOLS = {
    "chromium": Tool(("chromium", "chromium-browser", "google-chrome"), "apt-get install chromium"),
    "git": Tool(("git",), "apt-get install git"),
    "pdfsig": Tool(("pdfsig",), "apt-get install poppler-utils"),
    "pdftoppm": Tool(("pdftoppm",), "apt-get install poppler-utils"),
    "pdftotext": Tool(("pdftotext",), "apt-get install poppler-utils"),
    "qpdf": Tool(("qpdf",), "apt-get install qpdf"),
    "uv": Tool(("uv",), "pip install uv"),
}

PANGO_LIBRARIES = {
    "pango-1.0": "libpango-1.0.so.0",
    "pangoft2-1.0": "libpangoft2-1.0.so.0",
    "harfbuzz-subset": "libharfbuzz-subset.so.0",
}
PANGO_REMEDY = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def require_tool(name: str) -> str:
    """Path of a program of `TOOLS`; without it the test is skipped, in CI it fails."""
    tool = TOOLS[name]
    found = [path for path in map(shutil.which, tool.programs) if path is not None]
    if not found:
        _lacking(name, tool.remedy)
    return found[0]


def require_pango() -> None:
    """Skip the test, in CI fail it, where WeasyPrint's libraries are not installed."""
    for name, file_name in PANGO_LIBRARIES.items():
        try:
            ctypes.CDLL(ctypes.util.find_library(name) or file_name)
        except OSError:
            _lacking(name, PANGO_REMEDY)


def _lacking(name: str, remedy: str) -> NoReturn:
    reason = f"{name} {MISSING}{remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
