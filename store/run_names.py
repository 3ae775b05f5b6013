"""Which run the user means: by its id, by a beginning of it, or by "last"."""

from __future__ import annotations

from nonet.errors import RunNotFoundError
from nonet.store.artifacts import storable
from nonet.store.names import nearest
from nonet.store.reader import Reader


def resolve(reader: Reader, name: str) -> str:
    """The id of the one run that `name` means. Raises RunNotFoundError."""
    wanted = storable(name).strip().lower()
    if wanted == "last":
        found = reader.rows("SELECT id FROM runs ORDER BY seq DESC LIMIT 1")
    elif wanted:
        found = reader.rows("SELECT id FROM runs WHERE substr(id, 1, ?) = ? LIMIT 4", (len(wanted), wanted))
    else:
        found = []
    if len(found) > 1:
        several = ", ".join(row[0] for row in found)
        raise RunNotFoundError(f"Several runs begin with {name}: {several}.", next_step="Give more of the id.")
    if not found:
        raise not_found(reader, name)
    return str(found[0][0])


def not_found(reader: Reader, name: str) -> RunNotFoundError:
    """The error that says so, with the ids that look like it."""
    known = [row[0] for row in reader.rows("SELECT id FROM runs ORDER BY seq DESC LIMIT 1000")]
    if not known:
        return RunNotFoundError("There are no runs yet.", next_step="Start one with `nonet run`.")
    hint = nearest(name.strip().lower(), known)
    return RunNotFoundError(f"There is no run {name}.", next_step=f"{hint} See `nonet runs list`.".strip())
