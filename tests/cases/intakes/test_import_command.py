from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cases.models import Decision, Intake
from footprint.accounts.models import Person, Role
from tests.cases.views.test_decision_list import made
from tests.roles import person_with


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "list.txt"
    file.write_text("a.example\n*.b.example\nwords words\n")
    return file


def run(file: Path, *more: str, person: str = "rui") -> str:
    said = StringIO()
    given = ("--verdict", "blocked", "--reason", "List of the hoster", "--person", person)
    call_command("import_decisions", str(file), *given, *more, stdout=said)
    return said.getvalue()


def test_a_list_is_imported_in_the_name_of_a_person(rui: Person, file: Path) -> None:
    said = run(file)
    assert "3 lines read as plain-text: 2 new, 1 unreadable." in said
    assert "Imported: 1 decided, 1 proposed." in said
    assert Decision.objects.in_force().get().proposer == rui


def test_a_dry_run_decides_nothing(rui: Person, file: Path) -> None:
    run(file, "--dry-run")
    assert Intake.objects.get().state == "dropped"
    assert not Decision.objects.exists()


def test_what_is_not_decided_is_written_to_a_file(rui: Person, file: Path, tmp_path: Path) -> None:
    made(rui, "a.example", verdict="allowed")
    rest = tmp_path / "rest.csv"
    run(file, "--rest", str(rest))
    assert rest.read_text().splitlines() == [
        "line,text,what,reason",
        '1,a.example,contradicting,"allow of a.example, everywhere"',
        '3,words words,unreadable,"“words words” is no name, address or network."',
    ]


def test_until_a_day_and_over_what_contradicts(rui: Person, file: Path) -> None:
    made(rui, "a.example", verdict="allowed")
    run(file, "--until", "2031-01-31", "--take-over")
    decision = Decision.objects.in_force().get(subject="a.example")
    assert decision.verdict == "blocked"
    assert str(decision.expires_at).startswith("2031-01-31 23:59:59")


@pytest.mark.parametrize(
    ("more", "person", "said"),
    [
        ((), "nobody", "no active person"),
        ((), "rita", "may not import"),
        (("--format", "misp-warninglist"), "rui", "no whole JSON"),
        (("--until", "2020-01-01"), "rui", "future"),
        (("--until", "9999-12-31"), "rui", "10 years ahead"),
    ],
)
def test_bad_input_is_told_and_decides_nothing(
    rui: Person, file: Path, more: tuple[str, ...], person: str, said: str
) -> None:
    person_with(Role.READER, "rita")
    with pytest.raises(CommandError, match=said) as refusal:
        run(file, *more, person=person)
    assert refusal.value.returncode == 2
    assert not Intake.objects.filter(state="draft").exists()
    assert not Decision.objects.exists()


def test_a_file_that_is_not_there(rui: Person, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "nothing")
