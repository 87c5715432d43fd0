"""Taking the utility's files in: CSV and XLSX of what it knows.

``files`` reads rows of cells, ``headers`` finds out which column is which, ``cells`` and
``kinds`` turn cells into values, ``stores`` writes a batch, ``importer`` drives them.
docs/importing.md says the same to the people who make the files.
"""

from core.importing.errors import ImportFileError, RowError
from core.importing.importer import ImportReport, Progress, import_file
from core.importing.kinds import KINDS, Kind

__all__ = [
    "KINDS",
    "ImportFileError",
    "ImportReport",
    "Kind",
    "Progress",
    "RowError",
    "import_file",
]
