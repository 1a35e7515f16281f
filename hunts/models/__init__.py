from hunts.models.coverage import Coverage
from hunts.models.hunt import Hunt
from hunts.models.look_up import LookUp
from hunts.models.run import Run, RunNews
from hunts.models.slice import Slice, StagedRows
from hunts.models.source import Source
from hunts.models.store_work import Removal, StoreChange, StoreWork, Upload, UploadedFile

__all__ = [
    "Coverage",
    "Hunt",
    "LookUp",
    "Removal",
    "Run",
    "RunNews",
    "Slice",
    "Source",
    "StagedRows",
    "StoreChange",
    "StoreWork",
    "Upload",
    "UploadedFile",
]
