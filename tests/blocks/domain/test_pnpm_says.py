"""pnpm's last words are understood: what is not published is a gap, what may recover is transient, what is forged is said to be."""

import json
from pathlib import Path

import pytest

from blocks.domain.errors import IntegrityMismatch, PipelineError, Refused, Terminal, Transient
from blocks.domain.pnpm_says import read_complaint
from blocks.domain.resolution import Gap

CASES = json.loads((Path(__file__).parents[2] / "cases/packages/pnpm.json").read_text())
ERRORS = {one.__name__: one for one in (IntegrityMismatch, Refused, Terminal, Transient)}


@pytest.mark.parametrize("case", [pytest.param(one, id=one["rule"]) for one in CASES])
def test_understands(case: dict[str, object]) -> None:
    """Recorded lines of pnpm 12.21."""
    complaint = read_complaint("\n".join(json.dumps(line) for line in [{"level": "debug"}, case["said"]]))
    assert type(complaint.error) is ERRORS[str(case["error"])]
    expected = case.get("gap")
    assert complaint.gap == (
        Gap(expected["missing"], tuple(map(tuple, expected["chain"]))) if isinstance(expected, dict) else None
    )


@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param("", "nothing", id="silence"),
        pytest.param("Segmentation fault", "Segmentation fault", id="no JSON"),
        pytest.param("[1]\n12", "[1] | 12", id="JSON of another shape"),
        pytest.param("\n".join(map(str, range(100))), "88 | 89", id="only the last lines of many"),
    ],
)
def test_repeats_what_it_does_not_understand(output: str, said: str) -> None:
    """Never a pass."""
    complaint = read_complaint(output)
    assert isinstance(complaint.error, PipelineError)
    assert said in str(complaint.error)
    assert complaint.gap is None
