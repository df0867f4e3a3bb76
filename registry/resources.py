"""Finds the files that are not code: templates, migrations, fonts, the default policy.

In a checkout, and so in an editable install, `templates/` and `migrations/` lie beside the packages. In a wheel
they lie inside this one, in `_data/`. The policy always lies inside `registry/policy/`.
"""

from pathlib import Path

from registry.errors import UnavailableError

_PACKAGE = Path(__file__).resolve().parent


def templates_directory() -> Path:
    """Directory of the Jinja2 templates of pages and cards.

    Raises:
        UnavailableError: the installation is not complete.
    """
    return _directory("templates")


def static_directory() -> Path:
    """Directory of stylesheets, fonts and scripts, served under `/static`."""
    return templates_directory() / "static"


def fonts_directory() -> Path:
    """Directory of the fonts of pages, cards and charts."""
    return static_directory() / "fonts"


def migrations_directory() -> Path:
    """Directory of the Alembic environment.

    Raises:
        UnavailableError: the installation is not complete.
    """
    return _directory("migrations")


def default_policy_path() -> Path:
    """The policy that governs where an installation brings none of its own (YAML)."""
    return _PACKAGE / "policy" / "default.yaml"


def _directory(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent
    # Beside an installed package lie the packages of others: only a checkout has our pyproject.toml.
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise UnavailableError(
        f"The directory {name!r} is missing from this installation of Acta ({_PACKAGE}).",
        "Install acta-registry again from its wheel, or run from a complete checkout.",
    )
