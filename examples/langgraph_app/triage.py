"""A nonet workflow that LangGraph's own tools open: `langgraph dev --allow-blocking` in this folder serves it.

The workflow is as any other; `graph` is what langgraph.json names. NONET_RUNTIME and the other settings hold here, too.
"""

from pydantic import BaseModel

import nonet


class Ticket(BaseModel):
    """What is said of one line."""

    product: str
    urgent: bool


@nonet.step
def lines(log: str) -> list[str]:
    """Take the lines that tell of errors."""
    return [line for line in log.splitlines() if "ERROR" in line]


@nonet.step(specialist="general", each="line in lines", returns=Ticket)
def tickets(line: str) -> str:
    """Make a ticket of each line."""
    return f"Which product does this line speak of, and is it urgent? {line}"


@nonet.step(approve="Page somebody?")
def page(tickets: list[Ticket]) -> str:
    """Tell whom it may concern."""
    return f"{sum(ticket.urgent for ticket in tickets)} of {len(tickets)} are urgent."


triage = nonet.Workflow("triage", [lines, tickets, page], output=page)
graph = triage.graph
