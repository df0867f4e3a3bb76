"""Signed notes, keys and checkpoints against the examples of their specifications.

The examples are from C2SP signed-note and tlog-checkpoint, and from the documentation of Go's
golang.org/x/mod/sumdb/note.
"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint, open_checkpoint, read_checkpoint, sign_checkpoint
from audit.errors import CheckpointError, KeyFileError, KeyFormatError, NoteError
from audit.keys import Ed25519Signer, create_key_file, load_key_file
from audit.note import MAX_SIGNATURES, VerifierKey, open_note, parse_note, sign_note
from audit.tree import EMPTY_ROOT
from tests.audit.examples import KEY, ORIGIN, SIGNER

GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)  # fmt: skip
GO_NOTE = GO_TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
C2SP_VERIFIER = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
CHECKPOINT_NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzP"
    "ICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def test_the_go_example_is_signed_byte_for_byte():
    assert sign_note(GO_TEXT, [Ed25519Signer.parse(GO_SIGNER)]) == GO_NOTE


@pytest.mark.parametrize("note, key", [(GO_NOTE, GO_VERIFIER), (C2SP_NOTE, C2SP_VERIFIER)])
def test_the_specifications_examples_open(note, key):
    assert open_note(note, [VerifierKey.parse(key)]).text == note[: note.index("\n\n") + 1]


def test_keys_keep_their_text_form():
    signer = Ed25519Signer.parse(GO_SIGNER)
    assert signer.private_text() == GO_SIGNER
    assert str(signer.verifier_key) == GO_VERIFIER
    assert "AYEK" not in repr(signer)


@given(st.integers(0, len(GO_NOTE) - 1), st.characters(codec="utf-8"))
def test_a_note_with_any_character_replaced_does_not_open(position, character):
    changed = GO_NOTE[:position] + character + GO_NOTE[position + 1 :]
    if changed == GO_NOTE:
        assert open_note(changed, [VerifierKey.parse(GO_VERIFIER)])
    else:
        with pytest.raises(NoteError):
            open_note(changed, [VerifierKey.parse(GO_VERIFIER)])


def test_signatures_of_unknown_keys_are_ignored_and_a_known_keys_false_one_is_not():
    go, ours = VerifierKey.parse(GO_VERIFIER), SIGNER
    both = sign_note(GO_TEXT, [ours, Ed25519Signer.parse(GO_SIGNER)])
    assert open_note(both, [go]).text == GO_TEXT
    forged = base64.b64encode(ours.verifier_key.key_id + bytes(64)).decode()
    with pytest.raises(NoteError, match="does not fit"):
        open_note(f"{GO_NOTE}— {ours.verifier_key.name} {forged}\n", [go, ours.verifier_key])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name",
        "text\n\n— name AAAA\n",
        "text\n\n- name AAAAAAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— name  AAAAAAAA\n",
        "te\txt\n\n— name AAAAAAAA\n",
        "text\n\n— name AAAAAAB=\n",
        "text\n" + "\n" + "— name AAAAAAAA\n" * (MAX_SIGNATURES + 1),
        "t" * 1_000_000 + "\n\n— name AAAAAAAA\n",
    ],
)
def test_malformed_notes_are_refused(note):
    with pytest.raises(NoteError):
        parse_note(note)


@pytest.mark.parametrize("text", ["no newline", "a\tb\n", ""])
def test_text_that_no_note_can_carry_is_not_signed(text):
    with pytest.raises(NoteError):
        sign_note(text, [SIGNER])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        GO_VERIFIER.replace("c74f20a3", "c74f20a4"),
        GO_VERIFIER.replace("c74f20a3", "C74F20A3"),
        GO_VERIFIER.replace("Peter", "Peter "),
        GO_VERIFIER[:-4],
        GO_VERIFIER.replace("+ARpc", "+BRpc"),
    ],
)
def test_malformed_verifier_keys_are_refused(text):
    with pytest.raises(KeyFormatError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("text", ["", GO_VERIFIER, GO_SIGNER[:-4], GO_SIGNER.replace("c74f20a3", "00000000")])
def test_malformed_signer_keys_are_refused_without_quoting_them(text):
    with pytest.raises(KeyFormatError) as failure:
        Ed25519Signer.parse(text)
    assert "KFALVFGy" not in str(failure.value)


def test_the_checkpoint_of_the_specification_reads():
    checkpoint = read_checkpoint(CHECKPOINT_NOTE)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == CHECKPOINT_NOTE[: CHECKPOINT_NOTE.index("\n\n") + 1]


def test_a_checkpoint_opens_for_its_own_log_only():
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), SIGNER)
    assert open_checkpoint(note, KEY).size == 0
    with pytest.raises(CheckpointError, match="not signed by"):
        open_checkpoint(note, VerifierKey.parse(GO_VERIFIER))
    foreign = sign_checkpoint(Checkpoint("other.example/log", 0, EMPTY_ROOT), SIGNER)
    with pytest.raises(CheckpointError, match="of the log other"):
        open_checkpoint(foreign, KEY)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"origin\n1\n{ROOT}",
        f"origin\n1\n{ROOT}\nextension\n",
        f"\n1\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n+1\n{ROOT}\n",
        f"origin\n1_0\n{ROOT}\n",
        f"origin\n١\n{ROOT}\n",
        f"origin\n{10**19}\n{ROOT}\n",
        f"origin\n0\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-4]}\n",
        "origin\n1\nnot base 64\n",
    ],
)
def test_malformed_checkpoints_are_refused(text):
    with pytest.raises(CheckpointError):
        Checkpoint.parse(text)


def test_a_key_file_is_for_its_owner_only_and_never_overwritten(tmp_path):
    path = tmp_path / "log.key"
    signer = create_key_file(path, ORIGIN)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key_file(path).verifier_key == signer.verifier_key
    with pytest.raises(KeyFileError, match="exists already"):
        create_key_file(path, ORIGIN)
    assert load_key_file(path).verifier_key == signer.verifier_key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_read_is_refused_with_the_remedy(tmp_path, mode):
    path = tmp_path / "log.key"
    create_key_file(path, ORIGIN)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {path}"):
        load_key_file(path)


def test_a_missing_or_foreign_key_file_is_named(tmp_path):
    with pytest.raises(KeyFileError, match="does not exist"):
        load_key_file(tmp_path / "absent.key")
    foreign = tmp_path / "foreign.key"
    foreign.touch(0o600)
    foreign.write_bytes(b"\xff\xfe")
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_key_file(foreign)
    with pytest.raises(KeyFileError, match="cannot be created"):
        create_key_file(tmp_path / "no" / "log.key", ORIGIN)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_key_has_a_name_that_a_note_can_carry(name):
    with pytest.raises(KeyFormatError):
        Ed25519Signer.of_seed(name, bytes(32))
