"""Names, ranges and conditions of update_server."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from update_server.conditions import changed_since, continues, matches_strongly, matches_weakly, same_since
from update_server.names import is_file, is_version
from update_server.ranges import MAX_RANGES, UnsatisfiableRangeError, wanted

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "ranges"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-", [(0, 10)]),
        ("bytes=9-", [(9, 10)]),
        ("bytes=2-4", [(2, 5)]),
        ("bytes=2-99999999999999999999", [(2, 10)]),
        ("bytes=-3", [(7, 10)]),
        ("bytes=-99", [(0, 10)]),
        ("BYTES = 2-4 ,, 6-7", [(2, 5), (6, 8)]),
        ("bytes=6-7,2-4,3-5", [(2, 8)]),
        ("bytes=0-1,20-30", [(0, 2)]),
    ],
)
def test_ranges_are_read(header: str, ranges: list[tuple[int, int]]) -> None:
    assert wanted(header, 10) == ranges


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "items=0-5",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=0-1,x",
        "bytes=--1",
        "bytes=1_0-",
        "bytes=+1-",
        "bytes=١-",
        "bytes=0-1;",
    ],
)
def test_what_is_no_range_is_ignored(header: str) -> None:
    assert wanted(header, 100) is None


def test_too_many_ranges_are_ignored() -> None:
    assert wanted("bytes=" + ",".join(f"{start}-{start}" for start in range(0, 2 * MAX_RANGES, 2)), 100) is not None
    assert wanted("bytes=" + ",".join(f"{start}-{start}" for start in range(0, 2 * MAX_RANGES + 2, 2)), 100) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=50-60,70-"])
def test_ranges_behind_the_end_are_refused(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        wanted(header, 10)


_specifiers = st.one_of(
    st.tuples(st.integers(0, 60), st.integers(0, 60))
    .filter(lambda pair: pair[0] <= pair[1])
    .map(lambda pair: f"{pair[0]}-{pair[1]}"),
    st.integers(0, 60).map(lambda first: f"{first}-"),
    st.integers(0, 60).map(lambda last: f"-{last}"),
)


@given(size=st.integers(1, 50), specifiers=st.lists(_specifiers, min_size=1, max_size=MAX_RANGES))
def test_the_ranges_hold_every_byte_asked_for_and_no_other(size: int, specifiers: list[str]) -> None:
    asked: set[int] = set()
    for specifier in specifiers:
        first, _, last = specifier.partition("-")
        if not first:
            asked |= set(range(max(size - int(last), 0), size))
        else:
            asked |= set(range(int(first), min(int(last), size - 1) + 1 if last else size))
    header = "bytes=" + ",".join(specifiers)
    if not asked:
        with pytest.raises(UnsatisfiableRangeError):
            wanted(header, size)
        return
    ranges = wanted(header, size)
    assert ranges is not None
    assert [one for start, end in ranges for one in range(start, end)] == sorted(asked)
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(ranges))


@given(st.text(), st.integers(1, 100))
def test_no_text_breaks_it(header: str, size: int) -> None:
    try:
        ranges = wanted(header, size)
    except UnsatisfiableRangeError:
        return
    assert ranges is None or all(0 <= start < end <= size for start, end in ranges)


@pytest.mark.parametrize("text", ["0.0.0", "1.2.3", "1.2.3-rc.1+build.5", "10.20.30-alpha-b"])
def test_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "01.2.3",
        "1.2.3-",
        "1.2.3-01",
        "v1.2.3",
        "1.2.3/..",
        "..",
        "1.2.3\n",
        "١.2.3",
        "1.2.3+" + "a" * 64,
    ],
)
def test_no_versions(text: str) -> None:
    assert not is_version(text)


@pytest.mark.parametrize("text", ["app.bin", "app-1.2.3+x86_64.tar.gz", "a" * 128])
def test_file_names(text: str) -> None:
    assert is_file(text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "a\x00", "a\n", "-rf", "ä", "a" * 129]
)
def test_no_file_names(text: str) -> None:
    assert not is_file(text)


@given(st.text(alphabet="a0.-+/\\\0 ~"))
def test_a_name_never_leaves_its_folder(text: str) -> None:
    if is_file(text) or is_version(text):
        assert not set(text) & set("/\\\0")
        assert not text.startswith(".")


@pytest.mark.parametrize(
    ("header", "strongly", "weakly"),
    [
        ("*", True, True),
        (ETAG, True, True),
        (f"W/{ETAG}", False, True),
        (f'"x", {ETAG}', True, True),
        ('"x"', False, False),
        ("abc", False, False),
    ],
)
def test_validators(header: str, strongly: bool, weakly: bool) -> None:
    assert (matches_strongly(header, ETAG), matches_weakly(header, ETAG)) == (strongly, weakly)


@pytest.mark.parametrize(
    ("header", "same"),
    [(ETAG, True), (f"W/{ETAG}", False), ('"x"', False), ("Wed, 25 Nov 2026 10:00:00 GMT", False), ("*", False)],
)
def test_a_download_goes_on_only_with_the_same_file(header: str, same: bool) -> None:
    assert continues(header, ETAG) is same


@pytest.mark.parametrize(
    ("header", "same", "changed"),
    [
        ("Wed, 25 Nov 2026 10:00:00 GMT", True, False),
        ("Wed, 25 Nov 2026 09:59:59 GMT", False, True),
        ("Wed, 25 Nov 2026 10:00:01 GMT", True, False),
        ("Wednesday, 25-Nov-26 10:00:00 GMT", True, False),
        ("Wed Nov 25 10:00:00 2026", True, False),
        ("Wed Nov 25 09:59:59 2026", False, True),
        ("", False, False),
        ("yesterday", False, False),
        ("Wed, 25 Nov 2026 25:00:00 GMT", False, False),
        ("Wed, 25 Nov 99999999999999999999 10:00:00 GMT", False, False),
        ("Wed, 25 Nov 2026 10:00:00 +0100", False, False),
        (ETAG, False, False),
    ],
)
def test_dates(header: str, same: bool, changed: bool) -> None:
    modified = 1_795_600_800.9  # 25 November 2026, 10:00:00.9
    assert (same_since(header, modified), changed_since(header, modified)) == (same, changed)


@given(st.text())
def test_no_text_is_taken_for_both(header: str) -> None:
    assert not (same_since(header, 0) and changed_since(header, 0))
