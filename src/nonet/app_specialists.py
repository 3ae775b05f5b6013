"""`nonet specialists`: how its commands are called."""

from __future__ import annotations

from typing import Annotated

import typer

from nonet.app_options import JsonOption, ModelOption, examples, flags_given, group

specialists_app = group("Who works here: those that ship, yours from nonet.toml, and those of installed packs.")


@specialists_app.command("list", epilog=examples("nonet specialists list", "nonet specialists list --json"))
def specialists_list(*, model: ModelOption = None, json: JsonOption = False) -> int:
    """List the specialists, where each comes from, and the models it tries, smallest first."""
    from nonet import commands_specialists  # noqa: PLC0415

    return commands_specialists.show_all(flags_given(model=model), json=json)


@specialists_app.command("show", epilog=examples("nonet specialists show code", "nonet specialists show code --json"))
def specialists_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which.")],
    *,
    model: ModelOption = None,
    json: JsonOption = False,
) -> int:
    """Show what a specialist is made of, and which requests it gets."""
    from nonet import commands_specialists  # noqa: PLC0415

    return commands_specialists.show(name, flags_given(model=model), json=json)
