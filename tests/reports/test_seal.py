"""The seal: how it is kept, what it covers, and that tampering is found and named."""

import hashlib
import re
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from io import BytesIO

import msgspec
import pikepdf
import pytest
from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from reports.card import CardStatus
from reports.errors import SealExistsError, SealingError, SealMissingError
from reports.facts import facts_digest
from reports.pdf import Attached, write_pdf
from reports.seal import create_seal, load_seal, seal_pdf
from reports.verify import Trust, verify_card
from tests.reports import sample
from tests.system_tools import require_tool

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def failed(pdf, seal, at=sample.NOW):
    """Name of the first step that does not hold."""
    found = verify_card(pdf, [seal.root], at)
    assert not found.verified
    assert found.conclusion.startswith("Not verified: ")
    return next(step.name for step in found.steps if not step.holds)


def test_keys_are_readable_by_their_owner_alone(tmp_path):
    create_seal(tmp_path / "seal", "Example Bank", CREATED)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "seal").iterdir()}
    assert {name: mode for name, mode in modes.items() if "key" in name} == {
        "root.key.pem": 0o600,
        "seal.key.pem": 0o600,
    }
    assert set(modes) == {"root.key.pem", "root.cert.pem", "seal.key.pem", "seal.cert.pem"}
    assert [path.name for path in tmp_path.iterdir()] == ["seal"]


def test_seal_is_never_overwritten(tmp_path):
    seal = create_seal(tmp_path / "seal", "Example Bank", CREATED)
    with pytest.raises(SealExistsError, match="not empty"):
        create_seal(tmp_path / "seal", "Other", CREATED)
    assert load_seal(tmp_path / "seal") == seal


def test_missing_seal_is_said_with_its_place(tmp_path):
    with pytest.raises(SealMissingError, match=str(tmp_path)):
        load_seal(tmp_path)


def test_certificates_allow_what_a_seal_needs_and_no_more(seal):
    root, leaf = x509.load_pem_x509_certificate(seal.root), x509.load_pem_x509_certificate(seal.certificate)
    leaf.verify_directly_issued_by(root)
    limits = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, True, False)


def test_sealing_keeps_every_byte_before_it(rendered, sealed):
    assert sealed.startswith(rendered)
    with pikepdf.open(BytesIO(rendered)) as before, pikepdf.open(BytesIO(sealed)) as after:
        assert before.Root.Metadata.read_raw_bytes() == after.Root.Metadata.read_raw_bytes()


def test_sealed_card_verifies_and_hands_back_what_it_carries(rendered, sealed, seal):
    found = verify_card(sealed, [seal.root], sample.NOW)
    assert found.verified, found.conclusion
    assert found.facts == sample.FACTS
    assert found.facts_digest == facts_digest(sample.FACTS)
    assert found.proof == sample.RECORD.proof
    assert found.unsigned_digest == hashlib.sha256(rendered).digest()
    assert (found.signer, found.sealed_at) == ("Example Bank", sample.NOW)


def test_self_made_root_is_called_that_when_nobody_vouches_for_it(sealed):
    found = verify_card(sealed, [], sample.NOW)
    assert (found.intact, found.verified, found.trust) == (True, False, Trust.SELF_MADE)
    assert "not trusted by anybody else" in found.conclusion


def test_another_root_of_the_same_name_does_not_vouch(sealed, tmp_path):
    other = create_seal(tmp_path / "seal", "Example Bank", CREATED)
    assert verify_card(sealed, [other.root], sample.NOW).trust is Trust.SELF_MADE


def test_certificate_out_of_its_time_is_no_chain(sealed, seal):
    assert failed(sealed, seal, sample.NOW + timedelta(days=365 * 11)) == "certificate chain"
    assert failed(sealed, seal, CREATED - timedelta(days=1)) == "certificate chain"


def test_altered_byte_is_found(rendered, sealed, seal):
    for place in range(2000, len(rendered) - 2000, len(rendered) // 6):
        altered = bytearray(sealed)
        altered[place] ^= 1
        assert not verify_card(bytes(altered), [seal.root], sample.NOW).verified


def test_altered_attachment_is_found(sealed, seal):
    with pikepdf.open(BytesIO(sealed)) as file:
        file.attachments["facts.json"].obj.EF.F.write(b"{}")
        out = BytesIO()
        file.save(out)
    assert not verify_card(out.getvalue(), [seal.root], sample.NOW).verified


def test_appended_bytes_are_found(sealed, seal):
    assert failed(sealed + b"\n% more", seal) == "whole file covered"


def test_incremental_change_is_found(sealed, seal):
    writer = IncrementalPdfFileWriter(BytesIO(sealed))
    writer.root["/Lang"] = generic.pdf_string("xx")
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    found = verify_card(out.getvalue(), [seal.root], sample.NOW)
    broken = [step.name for step in found.steps if not step.holds]
    assert broken == ["whole file covered", "no change allowed or made"]


def test_unsealed_card_and_other_bytes_are_not_verified(rendered, seal):
    assert failed(rendered, seal) == "one seal"
    assert failed(b"", seal) == "one seal"
    assert failed(b"%PDF-1.7\nnothing", seal) == "one seal"


@pytest.mark.parametrize(
    "attached, step",
    [
        ([], "facts"),
        ([Attached("facts.json", b"{}", "", "Data")], "facts"),
        ([Attached("facts.json", b'{ "a": 1 }', "", "Data")] * 2, "facts"),
    ],
)
def test_seal_over_anything_but_facts_is_no_card(attached, step, seal):
    page = "<html lang=en><title>t</title><link rel=stylesheet href=static/card.css><h1>t</h1><p id=seal>x"
    pdf = write_pdf(
        page,
        static=sample.TEMPLATES / "static",
        fonts=sample.FONTS,
        attached=attached,
        at=sample.NOW,
        seal_field="Seal",
    )
    assert failed(seal_pdf(pdf, seal, sample.NOW), seal) == step


def test_facts_that_are_not_canonical_are_no_facts(seal):
    loose = msgspec.json.encode(sample.FACTS)
    pdf = write_pdf(
        "<html lang=en><title>t</title><link rel=stylesheet href=static/card.css><h1>t</h1><p id=seal>x",
        static=sample.TEMPLATES / "static",
        fonts=sample.FONTS,
        attached=[Attached("facts.json", loose, "", "Data")],
        at=sample.NOW,
        seal_field="Seal",
    )
    assert failed(seal_pdf(pdf, seal, sample.NOW), seal) == "facts"


def test_draft_and_sealed_card_take_no_seal(render, sealed, seal):
    with pytest.raises(SealingError):
        seal_pdf(render(sample.FACTS, status=CardStatus.DRAFT), seal, sample.NOW)
    with pytest.raises(SealingError):
        seal_pdf(sealed, seal, sample.NOW)
    with pytest.raises(SealingError):
        seal_pdf(b"no pdf", seal, sample.NOW)


def test_poppler_agrees_about_a_whole_and_a_tampered_card(sealed, tmp_path):
    def poppler(data):
        path = tmp_path / "card.pdf"
        path.write_bytes(data)
        # pdfsig ends with 0 whatever it finds: its words count.
        return subprocess.run([require_tool("pdfsig"), str(path)], capture_output=True, text=True, check=False).stdout

    whole = poppler(sealed)
    assert re.search(r"Signature Validation: Signature is Valid", whole)
    assert "Total document signed" in whole
    assert "ETSI.CAdES.detached" in whole
    altered = bytearray(sealed)
    altered[5000] ^= 1
    assert "Digest Mismatch" in poppler(bytes(altered))
