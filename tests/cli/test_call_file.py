"""Reading call files. Mirrors src/talktime/cli/call_file.py."""

import re
from pathlib import Path

import pytest

from talktime.cli.call_file import PlannedCall, check_calls, read_calls
from talktime.cli.failures import Failure

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "call-files.md"


def file_with(folder, *lines):
    path = folder / "calls.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_line_with_the_needed_columns_alone_is_a_plain_call(tmp_path):
    path = file_with(tmp_path, "used_seconds,to,from,call_id", "61,+493012345678,+14255550100,c1")
    assert check_calls(path) == 1
    assert list(read_calls(path)) == [
        PlannedCall(
            call_id="c1",
            organisation="(not named)",
            at="",
            asked={"type": "user_out", "from": "+14255550100", "to": "+493012345678"},
            used_s=61,
            cause="normal",
            answer=False,
            repeats=0,
            settle=True,
        )
    ]


def test_the_example_of_the_document_is_read_as_it_says(tmp_path):
    example = re.search(r"```csv\n(.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    path = file_with(tmp_path, example[1].rstrip())
    assert check_calls(path) == 3
    first, second, third = read_calls(path)
    assert (first.answer, first.used_s, first.settle) == (True, 95, True)
    assert (second.used_s, second.cause) == (0, "busy")
    assert (third.repeats, third.settle) == (1, False)


def test_an_organisation_that_is_not_given_is_that_of_the_user(tmp_path):
    path = file_with(
        tmp_path,
        "call_id,from,to,used_seconds,user",
        "c1,,+493012345678,61,front-desk@contoso.example",
    )
    [call] = read_calls(path)
    assert call.organisation == "contoso.example"
    assert "from" not in call.asked


HEADER = "call_id,from,to,used_seconds,answer,repeats,settle"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",+1,+49,5,,,", "call_id is empty"),
        ("c0,+1,+49,5,,,", "call_id 'c0' stands in the file already"),
        ("c1,+1,+49,five,,,", "used_seconds 'five' is not a whole number"),
        ("c1,+1,+49,-5,,,", "used_seconds '-5' is not a whole number"),
        ("c1,+1,+49,5,,11,", "repeats is more than 10"),
        ("c1,+1,+49,5,maybe,,", "answer is neither no nor yes"),
        ("c1,+1,+49,5,,,never", "settle is neither sent nor lost"),
        ("c1,+1,+49", "it has more or fewer columns than the header"),
        ("c1,+1,+49,5,,,,,", "it has more or fewer columns than the header"),
    ],
)
def test_a_wrong_line_is_named_with_its_reason(tmp_path, line, reason):
    path = file_with(tmp_path, HEADER, "c0,+1,+49,5,,,", line)
    with pytest.raises(Failure) as failure:
        check_calls(path)
    assert str(failure.value) == f"{path}: 1 line is wrong, no call was made"
    assert failure.value.details == (f"line 3: {reason}",)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("call_id,from,to", "the header misses used_seconds"),
        ("call_id,from,to,used_seconds,used_seconds", "the header names a column twice"),
        ("call_id,from,to,used_seconds,colour", "the header has the unknown columns colour"),
    ],
)
def test_a_wrong_header_is_named_with_its_reason(tmp_path, header, reason):
    with pytest.raises(Failure, match=reason):
        check_calls(file_with(tmp_path, header, "c1,+1,+49,5"))


def test_what_is_no_text_and_what_is_empty_is_refused(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_bytes(b"call_id,from,to,used_seconds\nc\xff1,+1,+49,5\n")
    with pytest.raises(Failure, match="is not UTF-8"):
        check_calls(path)
    with pytest.raises(Failure, match="holds no calls"):
        check_calls(file_with(tmp_path, "call_id,from,to,used_seconds"))
