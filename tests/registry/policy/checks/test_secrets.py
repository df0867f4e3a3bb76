"""Secrets are found by kind and line, and what only looks like one is not."""

import base64
import json
import random
import string
import zlib
from dataclasses import replace

import pytest

from registry.policy.checks import inputs_digest
from registry.policy.checks.secrets_scan import BASE62, CHUNK_BYTES, SecretsAbsent
from registry.policy.outcomes import Outcome
from tests.registry.policy.checks.samples import GOOD, NOW, Bench, document

DRAWN = random.Random(7)


def drawn(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(DRAWN.choice(alphabet) for _ in range(count))


def github_token(body: str) -> str:
    """With the checksum that GitHub appends."""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return f"ghp_{body}{digits.rjust(6, '0')}"


def web_token(header: object) -> str:
    parts = [json.dumps(header), json.dumps({"sub": "acta"})]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "." + drawn(43)


# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "AWS access key id": "AKIA" + drawn(16, string.ascii_uppercase + "234567"),
    "GitHub token": github_token(drawn(30)),
    "GitHub fine-grained token": "github_pat_" + drawn(22) + "_" + drawn(59),
    "GitLab token": "glpat-" + drawn(20),
    "Slack token": "xoxb-" + "123456789012-1234567890123-" + drawn(24),
    "Stripe key": "sk_live_" + drawn(24),
    "Google API key": "AIza" + drawn(35),
    "Hugging Face token": "hf_" + drawn(34, string.ascii_letters),
    "Databricks token": "dapi" + drawn(32, "0123456789abcdef"),
    "JSON Web Token": web_token({"alg": "HS256", "typ": "JWT"}),
    "password in a URL": "postgresql://acta:" + drawn(12) + "@db.example/acta",
    "value of a password, token or key": f'db_password = "{drawn(16)}"',
}
HARMLESS = {
    "certificate": "-----BEGIN CERTIFICATE-----",
    "too short for a key id": "AKIA" + "ABCDEFGH",
    "token whose checksum is wrong": "ghp_" + "0" * 36,
    "three parts without an algorithm": web_token({"kind": "none"}),
    "placeholder": "password = your-password-goes-here",
    "variable": "api_key = ${ACTA_API_KEY}",
    "environment": 'token = os.environ["ACTA_TOKEN"]',
    "words": "The secret: keeptheseedsandthedata",
    "digest": "content digest " + drawn(64, "0123456789abcdef"),
    "address without password": "https://acta.example/models",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_secret_in_a_file_is_found_with_its_line_and_never_repeated(kind, tmp_path):
    text = f"first line\nsecond line {SECRETS[kind]} and more\n"
    case = Bench(tmp_path).case({"notes.md": text.encode()})
    finding = SecretsAbsent().examine(case.facts, NOW, case.files)
    assert finding.outcome is Outcome.FAILED
    assert f"notes.md:2: {kind}" in finding.reason
    told = finding.reason + json.dumps(dict(finding.evidence))
    assert SECRETS[kind].rsplit(" ", 1)[-1].strip('"') not in told or kind == "private key"


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_only_looks_like_a_secret_is_none(kind, tmp_path):
    case = Bench(tmp_path).case({"notes.md": HARMLESS[kind].encode()})
    finding = SecretsAbsent().examine(case.facts, NOW, case.files)
    assert (finding.outcome, finding.evidence.get("found")) == (Outcome.PASSED, None)


def test_secret_in_a_document_is_found(tmp_path):
    case = Bench(tmp_path).case(report=f"Use {SECRETS['AWS access key id']}.".encode())
    assert "document validation-report:1" in SecretsAbsent().examine(case.facts, NOW, case.files).reason


def test_secret_across_two_pieces_of_a_large_binary_file_is_found_once(tmp_path):
    secret = SECRETS["GitHub token"].encode()
    data = b"\0\n" * ((CHUNK_BYTES - 10) // 2) + secret + b"\n" + bytes(CHUNK_BYTES)
    case = Bench(tmp_path).case({"weights.bin": data})
    finding = SecretsAbsent().examine(case.facts, NOW, case.files)
    assert finding.evidence["found"] == f"weights.bin:{(CHUNK_BYTES - 10) // 2 + 1}: GitHub token"


def test_policy_may_leave_a_kind_out(tmp_path):
    case = Bench(tmp_path).case({"notes.md": SECRETS["private key"].encode()})
    assert SecretsAbsent(ignored_kinds=("private key",)).examine(case.facts, NOW, case.files).outcome is Outcome.PASSED


def test_result_goes_stale_with_artifact_and_documents():
    check = SecretsAbsent()
    base = inputs_digest(check, GOOD, NOW)
    assert inputs_digest(check, replace(GOOD, content_digest=bytes(32)), NOW) != base
    more = (*GOOD.documents, document("qa"))
    assert inputs_digest(check, replace(GOOD, documents=more), NOW) != base
    assert inputs_digest(check, replace(GOOD, metrics={}), NOW) == base
