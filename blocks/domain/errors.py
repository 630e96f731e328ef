"""Everything that can go wrong, as one tree.

* PipelineError
  - Transient            the outside world may recover: try again
    . Unreachable        an outside system cannot be seen: hold what is being done, conclude nothing
    . RecordAway         the database is away: the run stands aside, and another goes on later
  - Terminal             trying again cannot help: take back what was done
    . Unresolvable       no release satisfies what was asked for
    . IntegrityMismatch  what was fetched is not what the registry promised
    . BuildFailed        the image could not be built
    . ScanFailed         a scanner gave no answer that can be trusted
    . GateRefused        quality gates said no, with all their objections
    . DoesNotFit         a quota or a limit leaves no room
    . Refused            an outside system said no and will say no again
    . RolloutFailed      the plugin's pods do not become ready
    . VerificationFailed what answers is not what was installed
    . AnalysisFailed     the numbers of the new revision are worse than was asked for
    . PlanStale          the world or the plan changed since this was recorded
    . PointOfNoReturn    undo stopped at a step that cannot be taken back
    . Exhausted          a step was begun too often without ever coming to a result
    . NotAllowed         this person may not say this, or not now
    . WrongPlan          a word was given to another plan than the one that stands
    . AlreadyVoted       nobody's word counts twice
    . TooLate            the question no longer stands
    . Quarantined        a release that was rolled back is not tried again until somebody lifts it
    . Needed             other plugins need what is to go, or what this one needs is not there
    . ChainBroken        the journal was altered: nobody may act on it
  - StandAside           nothing is wrong, but this run has nothing more to say
    . Parked             a person must answer first
    . LeaseLost          another worker holds the operation

Arguments are positional, so that an error survives pickling; the text is made late, in `__str__`. `hint` says what a person can do.
"""

from typing import ClassVar


class PipelineError(Exception):
    """Something kept the pipeline from going on: one sentence, and by choice a hint for a person."""

    code: ClassVar[str] = "pipeline-error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)

    @property
    def message(self) -> str:
        """What went wrong, as one sentence."""
        return str(self.args[0])

    @property
    def hint(self) -> str:
        """What a person can do about it, or nothing."""
        return str(self.args[1])

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Transient(PipelineError):
    """The outside world may recover: another try can help, not before `retry_after` seconds."""

    code = "transient"

    def __init__(self, message: str, hint: str = "", retry_after: float = 0) -> None:
        super().__init__(message, hint)
        self.args = (message, hint, retry_after)

    @property
    def retry_after(self) -> float:
        """Seconds the other side asked us to wait, or 0."""
        return float(self.args[2])


class Unreachable(Transient):
    """An outside system cannot be seen: nothing is known of it, so nothing may be concluded."""

    code = "unreachable"


class RecordAway(Transient):
    """The database is away: whoever carries an operation cannot know whether it still may."""

    code = "record-away"


class Terminal(PipelineError):
    """Another try cannot help."""

    code = "terminal"


class Unresolvable(Terminal):
    """No release satisfies what was asked for."""

    code = "unresolvable"


class IntegrityMismatch(Terminal):
    """What was fetched is not what the registry promised."""

    code = "integrity-mismatch"


class BuildFailed(Terminal):
    """The image could not be built."""

    code = "build-failed"


class ScanFailed(Terminal):
    """A scanner gave no answer that can be trusted."""

    code = "scan-failed"


class GateRefused(Terminal):
    """Quality gates said no; all their objections are in it."""

    code = "gate-refused"

    def __init__(self, objections: tuple[str, ...], hint: str = "") -> None:
        super().__init__("; ".join(objections), hint)
        self.args = (objections, hint)

    @property
    def objections(self) -> tuple[str, ...]:
        """Every objection, each a sentence with its remedy."""
        return tuple(self.args[0])

    @property
    def message(self) -> str:
        """All objections in one line."""
        return "; ".join(self.objections)


class DoesNotFit(Terminal):
    """A quota or a limit leaves no room."""

    code = "does-not-fit"


class Refused(Terminal):
    """An outside system said no and will say no again."""

    code = "refused"


class RolloutFailed(Terminal):
    """The plugin's pods do not become ready; their own last words are in the message."""

    code = "rollout-failed"


class VerificationFailed(Terminal):
    """What answers is not what was installed."""

    code = "verification-failed"


class AnalysisFailed(Terminal):
    """The numbers of the new revision are worse than was asked for."""

    code = "analysis-failed"


class PlanStale(Terminal):
    """A step was called with something else than it was recorded with."""

    code = "plan-stale"


class PointOfNoReturn(Terminal):
    """Undo reached a step that cannot be taken back."""

    code = "point-of-no-return"


class ChainBroken(Terminal):
    """The journal was altered after it was written."""

    code = "chain-broken"


class Exhausted(Terminal):
    """A step was begun again and again and never came to a result."""

    code = "exhausted"


class NotAllowed(Terminal):
    """This person may not say this, or it cannot be said as things stand."""

    code = "not-allowed"


class WrongPlan(Terminal):
    """The word was meant for another plan than the one that stands."""

    code = "wrong-plan"


class AlreadyVoted(Terminal):
    """This person has had a say on the plan already."""

    code = "already-voted"


class TooLate(Terminal):
    """The question no longer stands."""

    code = "too-late"


class Quarantined(Terminal):
    """The release was rolled back on this installation and nobody has lifted that."""

    code = "quarantined"


class Needed(Terminal):
    """Plugins need each other: one that is needed cannot go, one that needs cannot come first."""

    code = "needed"


class StandAside(PipelineError):
    """This run ends here without a verdict; the journal is not told."""

    code = "stand-aside"


class Parked(StandAside):
    """A person must answer first; `question` is the JSON text of what is asked."""

    code = "parked"

    def __init__(self, message: str, hint: str = "", question: str = "null") -> None:
        super().__init__(message, hint)
        self.args = (message, hint, question)

    @property
    def question(self) -> str:
        """What is asked, as JSON text."""
        return str(self.args[2])


class LeaseLost(StandAside):
    """Another worker holds the operation, or may hold it."""

    code = "lease-lost"
