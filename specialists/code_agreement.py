"""Whether answers that were written apart from each other do the same, beyond what the tests of the request show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nonet.specialists.code_checks import observe
from nonet.specialists.code_probes import Probe, probes
from nonet.specialists.code_request import CodeRequest
from nonet.specialists.protocol import Evidence
from nonet.specialists.sandbox.protocol import Sandbox

_AGREE = 0.8
"""Of the calls; on the others one of the two may rightly refuse what the other takes."""


class Agreement:
    """What candidates give on the same calls. A candidate is run once.

    Args:
        calls: what each of them is called with.
        sandbox: where.
        seconds: what the calls of one candidate may take together.
    """

    def __init__(self, calls: Sequence[Probe], sandbox: Sandbox, seconds: float) -> None:
        self._calls = calls
        self._sandbox = sandbox
        self._seconds = seconds
        self._seen: dict[str, Mapping[int, str]] = {}

    async def of(self, one: str, other: str) -> tuple[int, int]:
        """On how many calls the two give the same, of how many that tell anything.

        Raises SandboxUnavailableError.
        """
        first, second = await self._gave(one), await self._gave(other)
        told = [
            first[index] == second[index]
            for index in range(len(self._calls))
            if (first.get(index) and second.get(index)) and not first[index] == second[index] == "raised"
        ]
        return sum(told), len(told)

    async def _gave(self, code: str) -> Mapping[int, str]:
        if code not in self._seen:
            self._seen[code] = await observe(self._sandbox, code, self._calls, self._seconds)
        return self._seen[code]


class SecondLook:
    """Chooses among answers that passed the one test of a request, where the first answer failed it.

    What passes at once is hardly ever improved on by looking again; what passes later is often wrong (docs/code.md).
    """

    def __init__(self, request: CodeRequest, sandbox: Sandbox | None, seconds: float) -> None:
        self.wanted = request.language == "python" and len(request.tests) == 1
        """Whether there is one test only."""
        self._agreement = Agreement(probes(request.tests), sandbox, seconds) if sandbox is not None else None

    async def choose(self, codes: Sequence[str], tried: int) -> tuple[int, Evidence]:
        """The code that agrees most with another, and what that says of it. Raises SandboxUnavailableError.

        Args:
            codes: of the answers that pass; one at least.
            tried: so many answers were looked at.
        """
        shares: list[float] = []
        for index, code in enumerate(codes):
            others = [await self._share(code, other) for at, other in enumerate(codes) if at != index]
            shares.append(max(others, default=0.0))
        best = shares.index(max(shares))
        if shares[best] >= _AGREE:
            detail = f"another answer that passes gives the same on {shares[best]:.0%} of other calls like the test's"
        elif len(codes) == 1:
            detail = f"only 1 of {tried} answers passes the one test that there is"
        else:
            detail = f"the {len(codes)} answers that pass the one test differ on other calls like the test's"
        return best, Evidence("agreement", passed=shares[best] >= _AGREE, detail=detail)

    async def _share(self, one: str, other: str) -> float:
        if self._agreement is None:
            return 0.0
        same, told = await self._agreement.of(one, other)
        return same / told if told else 0.0
