"""A Job as a metric in the words of a request: what is run beside the new revision, and says by how it ends whether that one is good."""

from pydantic import Field

from blocks.domain.strict import Strict

# A registry that is named and a digest: nobody's default registry, and no name that can move.
PINNED_IMAGE = r"^(localhost|[a-z0-9.-]*(\.[a-z0-9-]+|:[0-9]{1,5}))/[a-z0-9]([a-z0-9._/-]{0,200}[a-z0-9])?@sha256:[0-9a-f]{64}$"


class JobCheck(Strict):
    """A container that is run once at each stage; exit code 0 says that the revision is good, any other that it is bad.

    It finds in its environment where the revision is. After `deadline` seconds nothing was measured.
    """

    image: str = Field(pattern=PINNED_IMAGE, description="with its registry, by digest")
    args: tuple[str, ...] = Field(default=(), max_length=50)
    deadline: int = Field(default=60, ge=1, le=3600, strict=True, description="seconds")
