from cases.folding import CAPS as KEPT
from hunts.kql.footprint import CAPS as ASKED


def test_as_many_of_a_set_are_kept_as_are_asked_for():
    asked = {{"device_names": "devices"}.get(name, name): cap for name, cap in ASKED.items()}
    assert asked == {name: cap for name, cap in KEPT.items() if not name.startswith("raw_")}
