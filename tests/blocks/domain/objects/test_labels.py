"""What belongs to whom, and what may be written over what."""

from uuid import UUID

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects import labels
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.phases import every, phases
from tests.blocks.domain.objects.blueprints import make_blueprint

RECOMMENDED = ("name", "instance", "version", "component", "part-of", "managed-by")
OURS = {labels.MANAGED_BY: labels.MANAGER}
MINE = {labels.INSTALLATION: "me", labels.OPERATION: "now"}
SHARED: Object = {"kind": "ResourceQuota", "metadata": {"name": "quota", "labels": OURS, "annotations": MINE}}
OWNED: Object = {"kind": "Service", "metadata": {"name": "it", "labels": OURS | MINE}}


def live(*, labelled: dict[str, str], annotated: dict[str, str] | None = None) -> Object:
    return {"metadata": {"labels": labelled, "annotations": annotated, "uid": "u", "resourceVersion": "7"}}


@pytest.mark.parametrize("runtime", ["backend", "frontend", "service"])
def test_every_object_says_what_it_is_and_who_made_it(runtime: str) -> None:
    for one in every(phases(make_blueprint(runtime, egress=[{"cidr": "192.0.2.0/24", "port": 443}]))):
        said = one["metadata"]["labels"]
        assert {f"app.kubernetes.io/{key}" for key in RECOMMENDED} <= said.keys(), one
        assert labels.stamp_of(one, labels.OPERATION) == ""
        assert labels.stamp_of(labels.stamped(one, UUID(int=2)), labels.OPERATION) == "00000000-0000-0000-0000-000000000002"
        assert labels.stamp_of(one, labels.INSTALLATION) == "00000000-0000-0000-0000-000000000001"
        assert labels.stamp_of(one, labels.REVISION) == "1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("1.2.3", "1.2.3", id="a plain version stays"),
        pytest.param("1.2.3+build", "1.2.3-build", id="what is not allowed becomes a dash"),
        pytest.param("1" * 70, "1" * 63, id="what is too long is cut"),
        pytest.param("1." + "-" * 70, "1", id="it does not end in a dash"),
    ],
)
def test_versions_become_label_values(text: str, value: str) -> None:
    assert labels.label_value(text) == value


def test_a_stamp_is_put_only_where_there_is_a_place_for_it() -> None:
    bare = {"kind": "Service", "metadata": {"name": "it", "labels": OURS}}
    assert labels.stamped(bare, "now") == bare
    assert labels.stamped(SHARED, "later")["metadata"]["annotations"] == MINE | {labels.OPERATION: "later"}


def test_what_is_not_there_may_be_written() -> None:
    assert labels.claim(OWNED, None) is OWNED


def test_the_writing_is_fenced_by_what_was_seen() -> None:
    metadata = labels.claim(OWNED, live(labelled=OURS | MINE))["metadata"]
    assert (metadata["uid"], metadata["resourceVersion"]) == ("u", "7")


def test_an_owned_object_keeps_who_made_it_and_moves_on_otherwise() -> None:
    moved = {"kind": "Service", "metadata": {"name": "it", "labels": OURS | MINE | {labels.REVISION: "2"}}}
    written = labels.claim(
        moved, live(labelled=OURS | {labels.INSTALLATION: "me", labels.OPERATION: "before", labels.REVISION: "1"})
    )
    assert written["metadata"]["labels"] == OURS | {labels.INSTALLATION: "me", labels.OPERATION: "before", labels.REVISION: "2"}


def test_a_shared_object_keeps_the_whole_stamp() -> None:
    before = {labels.INSTALLATION: "other", labels.OPERATION: "before", labels.REVISION: "9"}
    assert labels.claim(SHARED, live(labelled=OURS, annotated=before))["metadata"]["annotations"] == before


def test_what_a_person_made_and_handed_over_is_not_stamped_as_ours() -> None:
    written = labels.claim(SHARED, live(labelled=OURS))
    assert written["metadata"]["annotations"] == {}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        pytest.param(live(labelled={}), "is not ours", id="what nobody labelled is not ours"),
        pytest.param(live(labelled={labels.MANAGED_BY: "helm"}), "is not ours", id="what another tool manages is not ours"),
        pytest.param(
            live(labelled=OURS | {labels.INSTALLATION: "you"}), "belongs to installation you", id="another plugin's is not ours"
        ),
    ],
)
def test_what_is_not_ours_is_refused_by_name(found: Object, message: str) -> None:
    with pytest.raises(Refused, match=f"Service it {message}|Service it is there already and {message}"):
        labels.claim(OWNED, found)
