"""The bytes of entries, checkpoints and proofs are final: the golden log comes out the same for ever."""

from audit.note import VerifierKey
from audit.tlog_proof import verify_tlog_proof
from tests.audit.generate_golden import FOLDER, golden_files


def test_the_golden_log_is_reproduced_byte_for_byte():
    stored = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert golden_files() == stored


def test_the_golden_proof_verifies():
    key = VerifierKey.parse((FOLDER / "verifier-key").read_text(encoding="utf-8"))
    leaf = (FOLDER / "leaves").read_bytes().splitlines()[4]
    proof = (FOLDER / "entry-4.tlog-proof").read_text(encoding="utf-8")
    assert verify_tlog_proof(proof, leaf, key).size == 5
