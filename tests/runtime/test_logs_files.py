"""The file of a log: names, format, the limit, a full disk, reading from anywhere, following."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import RequestError
from batuta.runtime.log_attempt import STALE_TICKS, STDERR, STDOUT, AttemptLog
from batuta.runtime.log_files import LIMIT_BYTES_MIN, log_files
from batuta.runtime.logs import LogLine, LogSink, attempt_log_path, follow, read, remove_log

KIB = 1024


def texts(path: Path) -> list[str]:
    return [line.text for line in read(path)]


def bytes_on_disk(path: Path) -> int:
    return sum(os.path.getsize(name) for _, name in log_files(path))


def write_numbers(path: Path, count: int, limit_bytes: int) -> None:
    sink = LogSink(path, limit_bytes)
    for number in range(count):
        sink.write_line("INFO", "numbers", f"line {number}")
    sink.close()


# Names


def test_path_holds_run_step_index_and_attempt() -> None:
    assert attempt_log_path("logs", 7, "load", 2) == "logs/7/load.2.log"
    assert attempt_log_path(Path("logs"), 7, "load", 1, index=3) == "logs/7/load[3].1.log"


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_are_one_component_and_stay_different(one: str, other: str) -> None:
    first, second = (attempt_log_path("logs", 1, step, 1) for step in (one, other))
    name = first.removeprefix("logs/1/")
    assert "/" not in name
    assert name not in (".", "..")
    assert not name.startswith(".")
    assert len(os.fsencode(name)) < 255
    assert (first == second) == (one == other)


def test_long_names_are_shortened_and_stay_different() -> None:
    names = {attempt_log_path("logs", 1, "x" * 500 + end, 1) for end in "ab"}
    assert len(names) == 2
    assert all(len(name) < 150 for name in names)


# Format


def test_a_line_is_readable_by_people(tmp_path: Path) -> None:
    sink = LogSink(tmp_path / "a.log")
    sink.write_line("INFO", "etl.load", "1,200 rows", at_s=1_769_860_800.1239)
    sink.write_line("ERROR", "etl", "failed\nbecause", at_s=1_769_860_801)
    sink.close()
    assert (tmp_path / "a.log").read_text() == (
        "2026-01-31T12:00:00.123Z INFO  etl.load | 1,200 rows\n2026-01-31T12:00:01.000Z ERROR etl | failed\n| because\n"
    )
    first, second = read(tmp_path / "a.log")
    assert first.at.isoformat() == "2026-01-31T12:00:00.123000+00:00"
    assert (first.level, first.source, first.text, first.offset) == ("INFO", "etl.load", "1,200 rows", 0)
    assert (second.text, second.offset) == ("failed\nbecause", first.end)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["INFO", "my level", "a|b", ""]), st.sampled_from(["etl", "a b", "x | y", "ü"]), st.text()
        ),
        max_size=5,
    )
)
def test_records_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("logs") / "a.log"
    sink = LogSink(path)
    for level, source, text in records:
        sink.write_line(level, source, text)
    sink.close()
    assert texts(path) == [text for _, _, text in records]


def test_what_cannot_be_encoded_is_escaped(tmp_path: Path) -> None:
    sink = LogSink(tmp_path / "a.log")
    sink.write_line("INFO", "etl", "caf\udce9 \x1b[31mred\x1b[0m")
    sink.close()
    assert texts(tmp_path / "a.log") == ["caf\\udce9 \x1b[31mred\x1b[0m"]


def test_silence_makes_no_file(tmp_path: Path) -> None:
    LogSink(tmp_path / "logs" / "a.log").close()
    log = AttemptLog(tmp_path / "logs" / "b.log")
    log.flush(STDOUT)
    assert not log.close()
    assert list(tmp_path.iterdir()) == []
    assert texts(tmp_path / "logs" / "a.log") == []


# Streams


def stream_lines(path: Path, *pieces: str, stream: str = STDOUT) -> list[str]:
    log = AttemptLog(path)
    for piece in pieces:
        log.write(stream, piece)
    log.close()
    return texts(path)


def test_lines_are_put_together(tmp_path: Path) -> None:
    assert stream_lines(tmp_path / "a.log", "a", "b\nc\nd", "", "e\n", "\n", "f") == ["ab", "c", "de", "", "f"]


def test_lines_written_at_once_are_records_of_their_own(tmp_path: Path) -> None:
    lines = stream_lines(tmp_path / "a.log", "one\n| two\n+ three\n> four\n")
    assert lines == ["one", "| two", "+ three", "> four"]
    assert {(line.level, line.source) for line in read(tmp_path / "a.log")} == {("OUT", "stdout")}


def test_a_progress_bar_leaves_its_last_state(tmp_path: Path) -> None:
    steps = [f"\r{percent}%" for percent in range(0, 101, 10)]
    assert stream_lines(tmp_path / "a.log", *steps, "\n", "done\r\n") == ["100%", "done"]
    assert stream_lines(tmp_path / "b.log", *(f"{step}\r" for step in range(4))) == ["3"]


def test_a_traceback_is_one_record(tmp_path: Path) -> None:
    pieces = [
        "before\n",
        "Traceback (most recent call last):\n",
        '  File "x.py", line 1\n',
        "    f()\n",
        "ValueError: x\n",
        "after\n",
    ]
    expected = ["before", 'Traceback (most recent call last):\n  File "x.py", line 1\n    f()\nValueError: x', "after"]
    assert stream_lines(tmp_path / "a.log", *pieces, stream=STDERR) == expected
    assert stream_lines(tmp_path / "b.log", "".join(pieces), stream=STDERR) == expected


def test_the_beginning_of_a_line_is_seen_when_flushed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = AttemptLog(path)
    log.write(STDOUT, "working... ")
    log.flush(STDOUT)
    assert texts(path) == ["working... "]
    log.write(STDOUT, "done\nnext\n")
    log.close()
    assert texts(path) == ["working... done", "next"]


def test_a_line_that_never_ends_is_seen_after_some_ticks(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = AttemptLog(path)
    log.write(STDOUT, "\r50%")
    for _ in range(STALE_TICKS - 1):
        log.tick()
    assert texts(path) == []
    log.tick()
    assert texts(path) == ["50%"]
    log.close()


@given(st.text(st.sampled_from("ab\n"), max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_cuts_between_writes_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, text: str, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("logs") / "a.log"
    edges = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
    lines = text.split("\n")
    assert stream_lines(path, *pieces) == (lines if lines[-1] else lines[:-1])


def test_a_line_longer_than_a_piece_comes_back_whole(tmp_path: Path) -> None:
    line = "".join(f"{number}," for number in range(100_000))
    assert stream_lines(tmp_path / "a.log", line[:300_000], line[300_000:] + "\n", "next\n") == [line, "next"]


# The limit


def test_below_the_limit_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_numbers(path, 1000, 64 * KIB)
    assert bytes_on_disk(path) > 16 * KIB
    assert len(log_files(path)) > 1
    assert texts(path) == [f"line {number}" for number in range(1000)]


def test_above_the_limit_head_and_tail_remain_and_the_gap_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_numbers(path, 10_000, 64 * KIB)
    assert 54 * KIB < bytes_on_disk(path) <= 64 * KIB
    lines = list(read(path))
    notices = [line for line in lines if line.source == "batuta.logs"]
    assert len(notices) == 1
    place = lines.index(notices[0])
    numbers = [int(line.text.removeprefix("line ")) for line in lines if line is not notices[0]]
    assert numbers[:place] == list(range(place))
    assert numbers[place:] == list(range(numbers[place], 10_000))
    # Every line takes the same number of bytes but for the digits of its number.
    width = len("2026-01-31T12:00:00.123Z INFO  numbers | line \n")
    missing = sum(width + len(str(number)) for number in range(place, numbers[place]))
    assert notices[0].text.startswith(f"{missing:,} bytes are dropped")
    assert notices[0].end - notices[0].offset == missing


def test_the_limit_holds_whatever_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = AttemptLog(path, LIMIT_BYTES_MIN)
    for text in (
        "\n" * 50_000,
        "\udcff" * 50_000,
        "ü" * 50_000,
        "Traceback (most recent call last):\n" + " x\n" * 9_000,
    ):
        log.write(STDOUT, text)
        assert bytes_on_disk(path) <= LIMIT_BYTES_MIN
    log.close()
    assert bytes_on_disk(path) <= LIMIT_BYTES_MIN
    assert list(read(path))


def test_a_huge_record_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    sink = LogSink(path, LIMIT_BYTES_MIN)
    sink.write_line("INFO", "etl", "x" * 1_000_000)
    sink.close()
    (line,) = read(path)
    assert line.text.startswith("xxx")
    assert "more characters cut]" in line.text


def test_another_process_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    for begin in range(0, 3000, 100):
        sink = LogSink(path, 64 * KIB)
        for number in range(begin, begin + 100):
            sink.write_line("INFO", "numbers", f"line {number}")
        sink.close()
    assert bytes_on_disk(path) <= 64 * KIB
    lines = texts(path)
    assert lines[0] == "line 0"
    assert lines[-1] == "line 2999"


def test_half_a_line_of_a_killed_writer_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("2026-01-31T12:00:00.123Z INFO  etl | hal")
    sink = LogSink(path)
    sink.write_line("INFO", "etl", "whole")
    sink.close()
    assert texts(path) == ["hal", "whole"]


def test_removing_a_log_takes_its_segments_along(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_numbers(path, 3000, 64 * KIB)
    remove_log(path)
    assert list(tmp_path.iterdir()) == []
    remove_log(path)


# A disk that fails


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_loses_lines_and_says_so_once(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.symlink_to("/dev/full")
    sink = LogSink(path, retry_after_s=0)
    for number in range(5):
        sink.write_line("INFO", "etl", f"line {number}")
    assert sink.lost_lines == 5
    path.unlink()
    sink.write_line("INFO", "etl", "again")
    sink.write_line("INFO", "etl", "and again")
    sink.close()
    notice, again, and_again = texts(path)
    assert notice.startswith("5 lines (")
    assert "No space left on device" in notice
    assert (again, and_again) == ("again", "and again")
    assert sink.lost_lines == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_not_asked_for_every_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.symlink_to("/dev/full")
    sink = LogSink(path, retry_after_s=3600)
    sink.write_line("INFO", "etl", "one")
    path.unlink()
    sink.write_line("INFO", "etl", "two")
    assert not path.exists()
    sink.close()
    (notice,) = texts(path)
    assert notice.startswith("2 lines (")


def test_a_directory_that_cannot_be_made_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    log = AttemptLog(tmp_path / "file" / "a.log")
    assert log.write(STDOUT, "lost\n")
    assert log.close()
    assert texts(tmp_path / "file" / "a.log") == []


# Reading


def test_reading_goes_on_from_any_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = AttemptLog(path, 64 * KIB)
    for number in range(3000):
        log.write(STDOUT if number % 3 else STDERR, f"{number}\nsame time {number}\n")
    log.close()
    everything = list(read(path))
    for start in (*range(0, len(everything), 97), len(everything) - 1):
        assert list(read(path, offset=everything[start].offset)) == everything[start:]
    assert list(read(path, offset=everything[-1].end)) == []


def test_reading_in_pages_gives_what_reading_at_once_does(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_numbers(path, 5000, 64 * KIB)
    pages: list[LogLine] = []
    while page := list(read(path, offset=pages[-1].end if pages else 0, limit=100)):
        pages += page
    assert pages == list(read(path))


def test_reading_from_the_middle_of_a_line_begins_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_numbers(path, 3, 64 * KIB)
    assert [line.text for line in read(path, offset=5)] == ["line 1", "line 2"]


def test_reading_from_the_gap_begins_with_the_notice(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_numbers(path, 10_000, 64 * KIB)
    (gap,) = (line for line in read(path) if line.source == "batuta.logs")
    first, *rest = read(path, offset=gap.offset + 1000)
    assert first.end == gap.end
    assert first.text.startswith(f"{gap.end - gap.offset - 1000:,} bytes are dropped")
    assert rest == list(read(path, offset=gap.end))


def test_filters(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    sink = LogSink(path)
    for level in ("DEBUG", "INFO", "OUT", "ERR", "WARNING", "Level 25", "Level 45", "ERROR", "CRITICAL"):
        sink.write_line(level, "etl", f"said {level}")
    sink.close()

    def levels(level: str) -> list[str]:
        return [line.text.removeprefix("said ") for line in read(path, level=level)]

    assert levels("debug") == ["DEBUG", "INFO", "OUT", "ERR", "WARNING", "Level 25", "Level 45", "ERROR", "CRITICAL"]
    assert levels("info") == ["INFO", "OUT", "ERR", "WARNING", "Level 25", "Level 45", "ERROR", "CRITICAL"]
    assert levels("warn") == ["ERR", "WARNING", "Level 45", "ERROR", "CRITICAL"]
    assert levels("ERROR") == ["Level 45", "ERROR", "CRITICAL"]
    assert [line.text for line in read(path, grep=r"R$")] == ["said ERR", "said ERROR"]
    assert [line.text for line in read(path, limit=1, grep=r"4\d")] == ["said Level 45"]
    assert list(read(path, limit=0)) == []


def test_filters_that_make_no_sense_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="not a log level"):
        read(tmp_path / "a.log", level="loud")
    with pytest.raises(RequestError, match="not a pattern"):
        follow(tmp_path / "a.log", stop=lambda: True, grep="(")


# Following


def test_following_gives_all_lines_in_order_across_rotation(tmp_path: Path) -> None:
    """The writer waits until each batch was seen, so nothing is dropped before the reader comes by."""
    path = tmp_path / "a.log"
    seen = threading.Semaphore(0)
    finished = threading.Event()

    def write() -> None:
        sink = LogSink(path, 64 * KIB)
        for batch in range(30):
            for number in range(batch * 100, batch * 100 + 100):
                sink.write_line("INFO", "numbers", f"line {number}\nof the log")
            for _ in range(100):
                seen.acquire()
        sink.close()
        finished.set()

    writer = threading.Thread(target=write)
    writer.start()
    lines = []
    for line in follow(path, stop=finished.is_set, poll_s=0.001):
        lines.append(line.text)
        seen.release()
    writer.join()
    assert lines == [f"line {number}\nof the log" for number in range(3000)]
    assert len(texts(path)) < 3000


def test_following_waits_for_a_file_that_does_not_exist_yet(tmp_path: Path) -> None:
    path = tmp_path / "later" / "a.log"
    looks = iter(range(10))

    def stop() -> bool:
        look = next(looks)
        if look == 3:
            sink = LogSink(path)
            sink.write_line("INFO", "etl", "here")
            sink.close()
        return look == 9

    assert [line.text for line in follow(path, stop, poll_s=0.001)] == ["here"]


def test_following_a_finished_log_is_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write_numbers(path, 5000, 64 * KIB)
    assert list(follow(path, stop=lambda: True)) == list(read(path))
