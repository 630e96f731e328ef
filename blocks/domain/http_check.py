"""An HTTP check in the words of a request: what the new revision is asked, and what its answer must be."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from blocks.domain.strict import Strict

# The longest text that an answer can be compared with.
LONGEST = 200


def read_scalar(value: Any) -> Any:
    """The value, or a `ValueError` for what is neither a text, nor a number, nor true or false."""
    if value is not None and not isinstance(value, str | bool | int | float):
        raise ValueError("write a text, a number, true or false")
    if isinstance(value, str) and len(value) > LONGEST:
        raise ValueError(f"write a text of at most {LONGEST} characters")
    if isinstance(value, float) and value - value != 0:
        raise ValueError("write a number that is finite")
    return value


Status = Annotated[int, Field(ge=100, le=599, strict=True)]
Scalar = Annotated[Any, BeforeValidator(read_scalar, json_schema_input_type=str | bool | int | float | None)]


class HttpCheck(Strict):
    """A GET on a path of the new revision's own; the plugin's host is asked and no other, and no redirect is followed.

    Its status must be one of those named. Of an answer in JSON a `field` may be named, as `queue.depth` or `checks.0.state`: it must be
    what `equals` says, or between the metric's `min` and `max`. After `timeout` seconds nothing was measured.
    """

    path: str = Field(pattern=r'^/([!"$-.0-~][!"$-~]{0,199})?$')
    status: tuple[Status, ...] = Field(default=(200,), min_length=1, max_length=20)
    field: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,9}$")
    equals: Scalar = None
    timeout: float = Field(default=5.0, gt=0, le=10, strict=True)

    @model_validator(mode="after")
    def _compares_a_field(self) -> Self:
        if self.equals is not None and self.field is None:
            raise ValueError("equals is about a field of the answer; name it in field")
        return self

    def refuse_bounds(self, *, bounded: bool) -> None:
        """Nothing if the answer can be judged by it, and by bounds if there are any; otherwise a `ValueError`."""
        if self.field is None and bounded:
            raise ValueError("min and max are about a field of the answer; name it in http.field")
        if self.equals is not None and bounded:
            raise ValueError("say either what the field equals, or its min and max")
        if self.field is not None and self.equals is None and not bounded:
            raise ValueError(f"say in http.equals, min or max what {self.field} must be")
