"""Checks of a version's files: that they are what was registered, and that loading them runs nothing unforeseen."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from registry.policy.checks.facts import CheckFacts, Files
from registry.policy.checks.protocol import Finding, Reads
from registry.policy.checks.wording import hex_of, some_of
from registry.policy.outcomes import Outcome

ARTIFACT_ONLY: frozenset[Reads] = frozenset({Reads.ARTIFACT})
MLMODEL = "MLmodel"
LARGEST_MLMODEL_BYTES = 2**20


def paths_below(folder: Path) -> list[str]:
    """Every file below a folder, by its path with `/` between its parts, sorted."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class ArtifactIntact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version's files are those that were registered, by their content digest; none is a link or a special file;
    and an MLmodel file says how to load them, with a flavour that is the version's framework.
    """

    name: ClassVar[str] = "artifact-intact"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ARTIFACT_ONLY

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return (hex_of(facts.content_digest), facts.framework)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        artifact = files.artifact
        if artifact is not None and artifact.at_fault:
            return Finding(Outcome.FAILED, artifact.problem or "The artifact cannot be read.")
        if artifact is not None and artifact.folder is not None and artifact.digest != facts.content_digest:
            evidence = {"registered": hex_of(facts.content_digest), "found": hex_of(artifact.digest)}
            return Finding(Outcome.FAILED, "The files are not those that were registered.", evidence)
        folder = files.sound_artifact(facts)
        evidence = {"content digest": hex_of(facts.content_digest), "files": some_of(paths_below(folder))}
        problem = self._problem(folder / MLMODEL, facts.framework)
        if problem is not None:
            return Finding(Outcome.FAILED, problem, evidence)
        return Finding(Outcome.PASSED, f"The files are those registered, and {MLMODEL} fits them.", evidence)

    def _problem(self, described: Path, framework: str) -> str | None:
        import yaml

        if not described.is_file():
            return f"There is no file {MLMODEL} that says how to load the model."
        if described.stat().st_size > LARGEST_MLMODEL_BYTES:
            return f"{MLMODEL} has more than {LARGEST_MLMODEL_BYTES:,} bytes."
        try:
            content = yaml.load(described.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            return f"{MLMODEL} is no YAML: {error}."
        flavours = content.get("flavors") if isinstance(content, dict) else None
        if not isinstance(flavours, dict) or not flavours:
            return f"{MLMODEL} names no flavour."
        if framework not in flavours:
            named = some_of(str(flavour) for flavour in flavours)
            return f"The version's framework is {framework!r}; {MLMODEL} names the flavours {named}."
        return None


class ArtifactSafeToLoad(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Loading the version's files runs nothing but what a list of known, harmless classes allows. Each file is looked
    into by its bytes, without loading it: pickles opcode by opcode, as plain files, in joblib's files and in PyTorch's
    archives; skops, safetensors, NumPy, ONNX, XGBoost and LightGBM by their formats. A file of an unknown kind is an
    *error*, a program or a class that is not on the list a failure. That a list is passed does not make a model good:
    wrong numbers in its trees may still crash the process that serves it.
    """

    name: ClassVar[str] = "artifact-safe-to-load"
    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[Reads]] = ARTIFACT_ONLY

    also_allowed: Annotated[tuple[str, ...], msgspec.Meta(max_length=200)] = ()
    """Classes and functions, as `module.name`, that may be named besides those of the list. Whatever is listed may be
    called with any arguments.
    """

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return (hex_of(facts.content_digest),)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        from registry.policy.checks.scanning.allowed import allowed_globals
        from registry.policy.checks.scanning.looking import Place, look_into, texts_of
        from registry.policy.checks.scanning.report import UnreadableFormatError

        folder = files.sound_artifact(facts)
        paths = paths_below(folder)
        loaded = texts_of((folder / MLMODEL).read_text(errors="replace")) if MLMODEL in paths else frozenset()
        allowed = allowed_globals() | set(self.also_allowed)
        dangers: list[str] = []
        unread: list[str] = []
        kinds: dict[str, int] = {}
        named: set[str] = set()
        for path in paths:
            try:
                seen = look_into(Place(folder, path, frozenset(paths), loaded))
            except UnreadableFormatError as error:
                unread.append(f"{path}: {error}")
                seen = error.seen
            dangers += [f"{path}: {danger}" for danger in seen.dangers]
            dangers += [f"{path}: {name}" for name in seen.beyond(allowed)]
            named |= seen.globals_named
            for kind in seen.kinds:
                kinds[kind] = kinds.get(kind, 0) + 1
        evidence = {
            "content digest": hex_of(facts.content_digest),
            "kinds of files": ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items())),
            "classes named": some_of(sorted(named)),
        }
        return _judged(dangers, unread, evidence)


def _judged(dangers: Iterable[str], unread: Iterable[str], evidence: dict[str, str]) -> Finding:
    dangers, unread = list(dangers), list(unread)
    if unread:
        evidence["not understood"] = some_of(unread)
    if dangers:
        evidence["not allowed"] = some_of(dangers)
        return Finding(Outcome.FAILED, f"Loading it would use what is not allowed: {some_of(dangers)}.", evidence)
    if unread:
        return Finding(Outcome.ERROR, f"Not everything is of a known kind: {some_of(unread)}.", evidence)
    return Finding(Outcome.PASSED, "Loading it uses nothing but classes that are known to be harmless.", evidence)
