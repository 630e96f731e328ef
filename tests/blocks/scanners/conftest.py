"""What the tests of scanners share: recorded answers, and materials that a fake program may claim to have searched."""

from tests.blocks.scanners.contract import materials

__all__ = ["materials"]
