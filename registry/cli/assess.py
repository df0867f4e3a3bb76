"""`acta assess`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.cli.arguments import VERSION
from registry.cli.connection import with_client
from registry.cli.output import Form, emit, json_option
from registry.errors import InvalidInputError

if TYPE_CHECKING:
    from registry.client import Client


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, help="Name of the registered model.")
@click.option("--version", "number", type=VERSION, required=True, help="Number of the version.")
@click.option("--outcome", required=True, help="Column of what really happened.")
@click.option("--prediction", required=True, help="Column of what the model decided.")
@click.option("--sensitive", required=True, metavar="COLUMN,...", help="Columns of the groups to be compared.")
@click.option("--positive", default="1", show_default=True, help="The label that counts as positive.")
@click.option("--score", help="Column of the model's scores.")
@click.option("--weight", help="Column of row weights.")
@click.option("--preset", help="How findings speak of people and decisions: credit.")
@click.option("--bands", multiple=True, metavar="COLUMN=EDGE,...", help="Cut numbers into bands: age=30,40,50,60.")
@click.option("--test-set", metavar="SHA256", help="Digest of the declared test set. [default: the version's only one]")
@json_option
@with_client
def assess(
    client: "Client",
    data: Path,
    model: str,
    number: int,
    outcome: str,
    prediction: str,
    sensitive: str,
    positive: str,
    score: str | None,
    weight: str | None,
    preset: str | None,
    bands: tuple[str, ...],
    test_set: str | None,
    form: Form,
) -> None:
    """Run the bias assessment of a version on DATA, a Parquet or CSV file of predictions; wait, and print its verdict.

    Exit status: 0 pass, 1 fail or inconclusive, 2 bad input, 3 could not assess.

    Example: acta assess predictions.parquet --model credit-default --version 1 --outcome defaulted
    --prediction prediction --sensitive sex,age --bands age=30,40,50,60
    """
    from registry.cli.progress import counting
    from registry.client.answers import ColumnRoles

    columns = ColumnRoles(
        outcome=outcome,
        prediction=prediction,
        sensitive=[column.strip() for column in sensitive.split(",") if column.strip()],
        positive=_label(positive),
        score=score,
        weight=weight,
        preset=preset,
        bands=dict(map(_bands, bands)),
        declared_digest=test_set or _declared_test_set(client, model, number),
    )
    requested = client.request_assessment(model, number, data, columns)
    assert requested.job_id is not None
    with counting("Assessing") as progress:
        client.wait_for_job(requested.job_id, lambda done, _text: progress(round(done * 100), 100))
    found = client.assessment(requested.id)
    if found.verdict is None:
        click.echo(f"acta: the assessment is {found.state}: {found.error or 'no reason was given'}", err=True)
        raise SystemExit(3)
    emit(found, form, f"{found.verdict}\t{found.summary or ''}")
    if found.verdict != "pass":
        raise SystemExit(1)


def _label(text: str) -> str | int:
    """Labels in data are whole numbers or words; the command line has only words."""
    return int(text) if text.removeprefix("-").isdecimal() else text


def _bands(text: str) -> tuple[str, list[float]]:
    column, mark, edges = text.partition("=")
    try:
        values = [float(edge) for edge in edges.split(",")]
    except ValueError:
        values = []
    if not mark or not column or not values:
        raise InvalidInputError("--bands", text, "write COLUMN=EDGE,EDGE,... such as age=30,40,50,60")
    return column, values


def _declared_test_set(client: "Client", model: str, number: int) -> str | None:
    declared = [edge.digest for edge in client.lineage(model, number) if edge.role == "test"]
    if len(declared) > 1:
        raise InvalidInputError("--test-set", None, f"the version declares {len(declared)}; say which: {declared}")
    return declared[0] if declared else None
