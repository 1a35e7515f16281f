from __future__ import annotations

from cases.forms import EndForm
from cases.texts import LONGEST_REASON


def test_the_end_of_a_line_counts_once_in_a_reason():
    lines = "\r\n".join(["x"] * (LONGEST_REASON // 2))
    form = EndForm({"reason": lines})
    assert form.is_valid()
    assert form.cleaned_data["reason"] == lines.replace("\r", "")


def test_a_browser_takes_no_longer_reason_either():
    assert f'maxlength="{LONGEST_REASON}"' in str(EndForm()["reason"])
