"""The functions of triage.yaml."""


def lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if "ERROR" in line]


def report(tickets: list, summary: str) -> str:
    return f"{len(tickets)} tickets. {summary}"
