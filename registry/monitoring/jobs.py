"""Reads the training data of a version where the server reaches them, and keeps their profile."""

from uuid import UUID

from registry.catalog.digest import manifest_of_uri
from registry.catalog.manifest import ContentError
from registry.catalog.tables import LineageRow
from registry.errors import UnprocessableError
from registry.jobs.worker import Work
from registry.monitoring.profile import TrainingProfile, profile_of_file
from registry.monitoring.service import keep_profile, training_sets


def profile_training_data(work: Work) -> None:
    """Profile every training data set of a version that lies below an allowed root and has the registered SHA-256.

    What cannot be read is left to a profile that a client states; the job's result says why.
    """
    version_id = UUID(work.lease.arguments["version_id"])
    with work.units.reading() as unit:
        edges = training_sets(unit, version_id)
        unit.session.expunge_all()
    profiles: list[tuple[LineageRow, TrainingProfile]] = []
    result = {}
    for position, edge in enumerate(edges):
        work.report(position / len(edges), f"reading {edge.name}")
        try:
            profile = _profile(edge, work.settings.artifact_roots)
        except UnprocessableError as error:
            result[edge.name] = f"not read: {error.sentence}"
        else:
            profiles.append((edge, profile))
            result[edge.name] = f"{profile.rows} rows, {len(profile.columns)} columns"
    with work.outcome(result) as unit:
        for edge, profile in profiles:
            keep_profile(unit, version_id, edge, profile, None)


def _profile(edge: LineageRow, roots: tuple[str, ...]) -> TrainingProfile:
    assert edge.digest is not None
    if edge.uri is None:
        raise UnprocessableError("training data", "The lineage does not say where it lies.")
    try:
        # Refuses what lies outside the roots, and links below them, before anything else opens it.
        manifest_of_uri(edge.uri, roots)
    except ContentError as error:
        raise UnprocessableError("training data", str(error)) from error
    return profile_of_file(edge.uri, edge.digest)
