"""The content digest: a final format, and readers that follow nothing and leave no root."""

import hashlib
import json
import os
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.catalog.digest import (
    ContentChangedError,
    ContentError,
    ContentMissingError,
    EmptyContentError,
    LinkRefusedError,
    Manifest,
    ManifestFile,
    OutsideRootsError,
    UnreadableNameError,
    canonical_bytes,
    content_digest,
    manifest_of_folder,
    manifest_of_uri,
)

paths = st.text("abz/.-_ éß中😀\uffee", min_size=1, max_size=12).filter(
    lambda path: all(part not in ("", ".", "..") for part in path.split("/"))
)
files = st.dictionaries(paths, st.binary(max_size=64), min_size=1, max_size=8).filter(
    # A name cannot be a file and a folder at once.
    lambda tree: not any(other.startswith(path + "/") for path in tree for other in tree)
)


def write_tree(folder: Path, tree: dict[str, bytes]) -> Path:
    for path, content in tree.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


@pytest.fixture
def model(tmp_path):
    return write_tree(tmp_path / "models" / "credit", {"MLmodel": b"flavors: {}\n", "data/model.skops": b"bytes"})


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()


def test_the_format_never_changes(model):
    manifest = manifest_of_folder(model)
    assert canonical_bytes(manifest) == (
        b'[{"path":"MLmodel","sha256":"7f8f4a879eefb3f9fed9c6af4077c9acb0db066b2906d6570c42913478686b0f","size":12},'
        b'{"path":"data/model.skops","sha256":"277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9","size":5}]'
    )
    assert content_digest(manifest).hex() == "132cfe836b11cce6ef38fd29712d2595b9abbe3eafea08724bed4cb2b16aa16d"


@given(tree=files)
def test_any_folder_equals_a_digest_computed_without_our_code(tmp_path_factory, tree):
    folder = write_tree(tmp_path_factory.mktemp("tree"), tree)
    entries = [
        {"path": path, "sha256": hashlib.sha256(tree[path]).hexdigest(), "size": len(tree[path])}
        for path in sorted(tree, key=lambda path: path.encode("utf-8"))
    ]
    oracle = json.dumps(entries, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
    assert content_digest(manifest_of_folder(folder)) == hashlib.sha256(oracle).digest()


@given(tree=files, other=files)
def test_different_folders_have_different_digests(tmp_path_factory, tree, other):
    one = content_digest(manifest_of_folder(write_tree(tmp_path_factory.mktemp("one"), tree)))
    two = content_digest(manifest_of_folder(write_tree(tmp_path_factory.mktemp("two"), other)))
    assert (one == two) == (tree == other)


@given(tree=files)
def test_memory_and_local_file_systems_give_the_same_manifest(tmp_path_factory, tree):
    system = fsspec.filesystem("memory")
    system.store.clear()
    for path, content in tree.items():
        system.pipe(f"/bucket/models/credit/{path}", content)
    local = manifest_of_folder(write_tree(tmp_path_factory.mktemp("tree"), tree))
    assert manifest_of_uri("memory://bucket/models/credit", ["memory://bucket/models"]) == local


def test_order_is_by_code_point_and_not_by_utf16(tmp_path):
    # U+FF5E sorts after U+1F600 in UTF-16, before it by code point and in UTF-8.
    write_tree(tmp_path, {"\U0001f600": b"", "\uff5e": b""})
    assert [file.path for file in manifest_of_folder(tmp_path).files] == ["\uff5e", "\U0001f600"]


@pytest.mark.parametrize("names", [(), ("b", "a"), ("a", "a")])
def test_a_manifest_is_sorted_unique_and_not_empty(names):
    with pytest.raises(ValueError, match="sorted by unique path"):
        Manifest(tuple(ManifestFile(name, "0" * 64, 0) for name in names))


def test_a_single_file_is_a_manifest_of_its_name(model):
    manifest = manifest_of_folder(model / "MLmodel")
    assert [file.path for file in manifest.files] == ["MLmodel"]
    assert manifest == manifest_of_uri((model / "MLmodel").as_uri(), [str(model)])


def test_empty_folders_leave_no_trace(model):
    before = manifest_of_folder(model)
    (model / "nothing" / "here").mkdir(parents=True)
    assert manifest_of_folder(model) == before


def test_a_folder_without_files_is_refused(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(EmptyContentError, match=r"holds no file"):
        manifest_of_folder(tmp_path)


def test_a_missing_place_is_named(tmp_path):
    with pytest.raises(ContentMissingError, match="nowhere"):
        manifest_of_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("target", ["MLmodel", "data", "/etc/passwd", "nowhere"])
def test_a_link_anywhere_below_is_refused_and_named(model, target):
    (model / "data" / "link").symlink_to(target if target.startswith("/") else model / target)
    with pytest.raises(LinkRefusedError, match="data/link"):
        manifest_of_folder(model)


def test_a_link_to_the_folder_itself_is_refused(model, tmp_path):
    (tmp_path / "link").symlink_to(model)
    with pytest.raises(LinkRefusedError, match="link"):
        manifest_of_folder(tmp_path / "link")


def test_a_pipe_is_refused_without_waiting_for_it(model):
    os.mkfifo(model / "pipe")
    with pytest.raises(LinkRefusedError, match="pipe"):
        manifest_of_folder(model)


def test_a_name_that_is_not_utf8_is_refused(model):
    (Path(os.fsdecode(os.fsencode(model) + b"/\xff"))).write_bytes(b"")
    with pytest.raises(UnreadableNameError, match="rename"):
        manifest_of_folder(model)


def test_progress_ends_at_the_total(tmp_path):
    write_tree(tmp_path, {"large": bytes(3 * (1 << 20) + 1), "small": b"x"})
    steps = []
    manifest = manifest_of_folder(tmp_path, lambda done, total: steps.append((done, total)))
    assert len(steps) == 5  # four chunks of 1 MiB at most, and one file more
    assert steps == sorted(steps)
    assert steps[-1] == (manifest.size_bytes, manifest.size_bytes)


@pytest.mark.parametrize("content", [b"", b"longer than it was", b"BYTES"], ids=["shorter", "longer", "same size"])
def test_a_file_changed_while_it_is_read_is_refused(model, content):
    def interfere(done, total):
        if done == len("flavors: {}\n"):  # the first file is read, the second is not
            (model / "data" / "model.skops").write_bytes(content)

    with pytest.raises(ContentChangedError, match=r"data/model\.skops"):
        manifest_of_folder(model, interfere)


def test_a_file_added_or_removed_while_it_is_read_is_refused(model):
    with pytest.raises(ContentChangedError, match="extra"):
        manifest_of_folder(model, lambda done, total: (model / "extra").touch())
    with pytest.raises(ContentError, match="MLmodel"):
        manifest_of_folder(model, lambda done, total: (model / "MLmodel").unlink(missing_ok=True))


def test_a_folder_swapped_for_a_link_while_it_is_read_leads_nowhere(model, tmp_path):
    write_tree(tmp_path / "elsewhere", {"model.skops": b"bytes"})

    def swap(done, total):
        if (model / "data").is_symlink():
            return
        (model / "data").rename(tmp_path / "moved")
        (model / "data").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(LinkRefusedError, match="data"):
        manifest_of_folder(model, swap)


@pytest.mark.parametrize("form", ["path", "file:", "file://", "file://localhost"])
def test_every_way_to_name_a_local_folder_reads_the_same(model, form):
    prefix = "" if form == "path" else form
    assert manifest_of_uri(f"{prefix}{model}", [str(model.parent)]) == manifest_of_folder(model)
    assert manifest_of_uri(f"{prefix}{model}", [model.parent.as_uri()]) == manifest_of_folder(model)


def test_an_encoded_space_names_the_folder_with_the_space(tmp_path):
    folder = write_tree(tmp_path / "my model 100%", {"a": b"1"})
    assert manifest_of_uri(folder.as_uri(), [str(tmp_path)]) == manifest_of_folder(folder)
    assert manifest_of_uri(str(folder), [str(tmp_path)]) == manifest_of_folder(folder)


def test_a_root_may_be_named_through_a_link_or_be_the_place_itself(model, tmp_path):
    (tmp_path / "alias").symlink_to(model.parent)
    assert manifest_of_uri(str(tmp_path / "alias" / "credit"), [str(tmp_path / "alias")]) == manifest_of_folder(model)
    assert manifest_of_uri(str(model), [str(tmp_path / "alias")]) == manifest_of_folder(model)
    assert manifest_of_uri(str(model), [str(model)]) == manifest_of_folder(model)


def test_a_link_between_root_and_files_is_refused(model, tmp_path):
    write_tree(tmp_path / "secret" / "deep", {"key": b"1"})
    (model.parent / "link").symlink_to(tmp_path / "secret")
    for place in ("link", "link/deep", "link/deep/key"):
        with pytest.raises(LinkRefusedError):
            manifest_of_uri(str(model.parent / place), [str(model.parent)])


@pytest.mark.parametrize(
    "tail",
    [
        "/../secret",
        "/credit/../../secret",
        "/%2e%2e/secret",
        "/%252e%252e/secret",
        "/%25252E./secret",
        "/..%2fsecret",
        "/%2e%2e%2fsecret",
        "/./credit",
        "-evil",
        "-evil/credit",
        "/credit%00",
        "/credit?x=1",
        "/credit#x",
        "/credit::file:///etc",
        "\\..\\secret",
    ],
)
@pytest.mark.parametrize("scheme", ["file://", "memory://"])
def test_no_spelling_leads_out_of_a_root(model, tmp_path, memory, scheme, tail):
    root = f"{scheme}{model.parent}"
    for folder in ("secret", "models-evil/credit", "models-evil"):
        write_tree(tmp_path / folder, {"key": b"1"})
        memory.pipe(f"{tmp_path}/{folder}/key", b"1")
    with pytest.raises(OutsideRootsError, match="ACTA_ARTIFACT_ROOTS") as refusal:
        manifest_of_uri(root + tail, [root])
    assert refusal.value.roots == (root,)


@pytest.mark.parametrize(
    "uri",
    [
        "/etc",
        "file:///etc/passwd",
        "local:///etc",
        "etc",
        "",
        "file://otherhost/models",
        "memory://other/models",
        "memory://user@models/credit",
        "s3://models/credit",
        "zip://x::file:///models.zip",
        "models:/m-1",
        "http://169.254.169.254/latest",
    ],
)
def test_nothing_is_read_outside_the_roots(uri):
    with pytest.raises(OutsideRootsError, match="operator"):
        manifest_of_uri(uri, ["/models", "memory://models"])


def test_without_roots_nothing_is_read(model):
    with pytest.raises(OutsideRootsError, match="none is set"):
        manifest_of_uri(str(model), [])


def test_an_object_alone_or_missing_or_gone_in_memory(memory):
    memory.pipe("/bucket/model.skops", b"bytes")
    manifest = manifest_of_uri("memory://bucket/model.skops", ["memory://bucket"])
    assert manifest.files == (ManifestFile("model.skops", hashlib.sha256(b"bytes").hexdigest(), 5),)
    with pytest.raises(ContentMissingError, match="nothing-here"):
        manifest_of_uri("memory://bucket/nothing-here", ["memory://bucket"])
    memory.pipe("/bucket/two/a", b"1")
    memory.pipe("/bucket/two/b", b"1")
    with pytest.raises(ContentChangedError, match="b"):
        manifest_of_uri(
            "memory://bucket/two", ["memory://bucket"], lambda done, total: memory.pipe("/bucket/two/b", b"22")
        )


def test_a_scheme_nobody_reads_is_named():
    with pytest.raises(ContentError, match="nosuch"):
        manifest_of_uri("nosuch://bucket/model", ["nosuch://bucket"])
