"""`acta doctor`."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(as_json: bool) -> None:
    """Check this machine and this installation; say what is missing and how to get it.

    Exit status: 0 all is well, 1 something is missing. Example: acta doctor
    """
    from registry.cli.configuration import load_settings
    from registry.diagnosis import diagnose_installation, diagnose_machine

    findings = [*diagnose_machine(), *diagnose_installation(load_settings())]
    if as_json:
        click.echo(json.dumps([{"what": f.what, "ok": f.ok, "detail": f.detail, "remedy": f.remedy} for f in findings]))
    else:
        for finding in findings:
            click.echo(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.what}: {finding.detail}")
            if not finding.ok:
                for line in (finding.remedy or "").splitlines():
                    click.echo(f"         {line}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
