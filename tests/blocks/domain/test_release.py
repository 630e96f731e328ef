"""An image is named by what cannot move."""

from blocks.domain.release import Image


def test_image_is_pinned_by_its_digest() -> None:
    """Never by a tag."""
    assert Image("registry/plugins/x", "sha256:abc", "key").pinned == "registry/plugins/x@sha256:abc"
