"""Events as Defender's streaming API writes them to an Event Hub or a storage account.

`category` names the table and `properties` holds the row. An Event Hub may put `records` around many, and
tools that read it `body` around each.
"""

from collections.abc import Mapping

from hunts.telemetry.cells import Cells
from hunts.telemetry.readers.base import OTHER_TABLE, OtherTable
from hunts.telemetry.readers.device_rows import is_ours, is_row, row_cells

TITLE = "streaming API JSON"


def cells_of(event: Mapping[str, object]) -> Cells | OtherTable | None:
    properties = event.get("properties")
    if not isinstance(properties, dict):
        return None
    category = event.get("category")
    if is_ours(category) or (category is None and is_row(properties)):
        return row_cells(properties)
    return OTHER_TABLE
