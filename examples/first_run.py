"""One task over a few documents, from Python: python examples/first_run.py."""

from __future__ import annotations

from pathlib import Path

import nonet

DOCUMENTS = Path(nonet.__file__).parent / "data" / "documents"  # the same as examples/documents


def main() -> None:
    result = nonet.run("Look up the serial number of the new pump in bay 3.", documents=[DOCUMENTS])
    print(result.answer)
    for citation in result.citations:
        print(f"  {citation.document} [{citation.start}-{citation.end}]: {citation.quote!r}")
    print(f"{result.verdict}: {result.usage.calls} calls, {result.usage.seconds:.1f} s, kept as run {result.run}")


if __name__ == "__main__":
    main()
