"""The organisation's seal: two certificates of its own making, and how they seal a card.

A PAdES B-B signature (ETSI EN 319 142-1), ECDSA on P-256 with SHA-256, certifies the file: after
it nothing may change (DocMDP 1). The root is self-made, so nobody trusts it unless told to: give
`root.cert.pem` to whoever verifies, by another way than the card.
"""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reports.errors import SealExistsError, SealingError, SealMissingError
from reports.pdf import SEAL_FIELD

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

_ROOT_VALIDITY = timedelta(days=20 * 365)
_LEAF_VALIDITY = timedelta(days=10 * 365)
_ROOT_KEY, _ROOT_CERTIFICATE = "root.key.pem", "root.cert.pem"
_LEAF_KEY, _LEAF_CERTIFICATE = "seal.key.pem", "seal.cert.pem"


@dataclass(frozen=True)
class Seal:
    """Leaf key and certificate with the root above it, as PEM. The root's key stays in its file."""

    organisation: str
    certificate: bytes
    root: bytes
    key: bytes = field(repr=False)


def create_seal(directory: Path, organisation: str, now: datetime) -> Seal:
    """Make root and leaf, valid from `now`, and keep them in `directory` (all four files or none).

    Keys are readable by their owner alone (0600).

    Raises:
        SealExistsError: the directory holds anything already.
    """
    if directory.exists() and any(directory.iterdir()):
        raise SealExistsError(f"The seal directory {directory} is not empty: load its seal, or name another directory.")
    root_key, root = _root(organisation, now)
    leaf_key, leaf = _leaf(organisation, now, root, root_key)
    seal = Seal(organisation=organisation, certificate=_pem(leaf), root=_pem(root), key=_private_pem(leaf_key))
    directory.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own, renamed when complete: a crash in between leaves no half seal.
    partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    _write_exclusively(partial / _ROOT_KEY, _private_pem(root_key), 0o600)
    _write_exclusively(partial / _ROOT_CERTIFICATE, seal.root, 0o644)
    _write_exclusively(partial / _LEAF_KEY, seal.key, 0o600)
    _write_exclusively(partial / _LEAF_CERTIFICATE, seal.certificate, 0o644)
    try:
        # Replaces an empty directory and nothing else.
        partial.rename(directory)
    except OSError as error:
        for path in partial.iterdir():
            path.unlink()
        partial.rmdir()
        raise SealExistsError(f"The seal directory {directory} was filled meanwhile: load its seal.") from error
    return seal


def load_seal(directory: Path) -> Seal:
    """The seal that `create_seal` left.

    Raises:
        SealMissingError: a file of it is missing or unreadable.
    """
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        certificate = (directory / _LEAF_CERTIFICATE).read_bytes()
        key = (directory / _LEAF_KEY).read_bytes()
        root = (directory / _ROOT_CERTIFICATE).read_bytes()
        subject = x509.load_pem_x509_certificate(certificate).subject
    except (OSError, ValueError) as error:
        raise SealMissingError(f"No seal in {directory} ({error}): create one, or restore the folder.") from error
    organisation = str(subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)
    return Seal(organisation=organisation, certificate=certificate, root=root, key=key)


def seal_pdf(pdf: bytes, seal: Seal, now: datetime) -> bytes:
    """`pdf` with the seal appended in its prepared field; the bytes of `pdf` stay as they are.

    Not reproducible (ECDSA draws a nonce): whoever logs a digest logs that of `pdf`.

    Raises:
        SealingError: no prepared field (a draft), signed already, or not a PDF.
    """
    from pyhanko.keys.pemder import load_certs_from_pemder_data, load_private_key_from_pemder_data
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.writer import BasePdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.signers.pdf_signer import PdfSigningSession
    from pyhanko.stamp import NoOpStampStyle
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class UnchangedWriter(IncrementalPdfFileWriter):
        """Appends the signature and touches neither metadata nor version: the file stays PDF/A-3.

        pyHanko would rewrite the XMP, and for P-256 declare PDF 2.0 with an extension of it.
        """

        def _update_meta(self) -> None:
            pass

        def ensure_output_version(self, version: tuple[int, int]) -> None:
            pass

        def register_extension(self, ext: object) -> None:
            pass

    class DatedSigner(signers.PdfSigner):
        """Dates the signature with the caller's time."""

        def init_signing_session(
            self,
            pdf_out: BasePdfFileWriter,
            existing_fields_only: bool = False,  # noqa: FBT001 -- pyHanko's own signature
        ) -> PdfSigningSession:
            session = super().init_signing_session(pdf_out, existing_fields_only)
            session.system_time = now
            return session

    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    store.register_multiple(load_certs_from_pemder_data(seal.root))
    signer = signers.SimpleSigner(
        signing_cert=next(iter(load_certs_from_pemder_data(seal.certificate))),
        signing_key=load_private_key_from_pemder_data(seal.key, None),
        cert_registry=store,
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=SEAL_FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        name=seal.organisation,
    )
    out = io.BytesIO()
    try:
        writer = UnchangedWriter(io.BytesIO(pdf))
        DatedSigner(metadata, signer, stamp_style=NoOpStampStyle()).sign_pdf(
            writer, existing_fields_only=True, output=out
        )
    except (PdfError, SigningError) as error:
        raise SealingError(f"The file was not sealed: {error}. Seal a final card, once.") from error
    return out.getvalue()


def _root(organisation: str, now: datetime) -> tuple[EllipticCurvePrivateKey, Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(organisation, "Acta seal root (self-made)")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _ROOT_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _leaf(
    organisation: str, now: datetime, root: Certificate, root_key: EllipticCurvePrivateKey
) -> tuple[EllipticCurvePrivateKey, Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    # RFC 9336 documentSigning; poppler knows only emailProtection as a use for documents.
    uses = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"), ExtendedKeyUsageOID.EMAIL_PROTECTION])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(organisation, "Acta seal"))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _LEAF_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature", "content_commitment"), critical=True)
        .add_extension(uses, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return key, certificate


def _name(organisation: str, common_name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    # X.520 allows an organisation's name 64 characters.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    from cryptography import x509

    uses = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
        "crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{use: use in allowed for use in uses.split()})


def _pem(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _private_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_exclusively(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
