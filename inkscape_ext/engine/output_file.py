"""Files that a command writes beside the document: found writable before the engine works, never half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Sequence

from gradvec.errors import InputError

from ..ui.messages import _


class OutputFile:
    """The file that the artist named.

    Raises:
        InputError: none is named, it ends with none of ``endings``, or its folder is not there or takes no files.
    """

    def __init__(self, name: str, endings: Sequence[str], folders: Sequence[Path]) -> None:
        """name: as the menu hands it over, relative to the last of ``folders``."""
        if not name.strip():
            raise InputError(_("No file is named."), _("Choose a folder and type a name that ends with one of "
                                                       "{endings}.").format(endings=", ".join(endings)))
        self.path = Path(os.path.expanduser(name.strip()))
        if not self.path.is_absolute():
            self.path = (folders[-1] if folders else Path.home()) / self.path
        self.ending = self.path.suffix.lower()
        if self.ending not in endings:
            raise InputError(_("The name {name} ends with none of {endings}.").format(
                name=self.path.name, endings=", ".join(endings)), _("Type a name that says which kind of file it is."))
        if not self.path.parent.is_dir() or not os.access(self.path.parent, os.W_OK) or self.path.is_dir():
            raise InputError(_("The file {path} cannot be written: {reason}.").format(
                path=self.path, reason=_("its folder does not exist, or takes no files")), _("Choose another folder."))

    def write(self, data: bytes) -> None:
        """Puts ``data`` in the file's place. Raises InputError where that fails; a file of before is left then."""
        handle, beside = -1, ""
        try:
            handle, beside = tempfile.mkstemp(prefix=".gradvec-", dir=str(self.path.parent))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(beside, 0o666 & ~_umask())
            os.replace(beside, str(self.path))
        except OSError as error:
            if beside and os.path.exists(beside):
                os.unlink(beside)
            raise InputError(_("The file {path} cannot be written: {reason}.").format(
                path=self.path, reason=error.strerror or error), _("Choose another folder.")) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
