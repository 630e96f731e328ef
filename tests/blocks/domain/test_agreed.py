"""What people agree to is put together from values alone."""

from blocks.domain.agreed import agree_on, recall_revision
from blocks.domain.objects.phases import every
from blocks.domain.packages import Moved
from blocks.domain.plan import objects_of
from blocks.domain.replaced import Replaced
from tests.blocks.domain.plans import make_hashed, make_replaced, make_revision


def test_releases_are_told_with_the_plugins_among_the_dependencies() -> None:
    moved = (
        Moved("@backstage/plugin-b", "1", "2"),
        Moved("left-pad", "1", "2"),
        Moved("hello", "1", "2"),
        Moved("plugin-c", "", "1"),
    )
    told = agree_on(make_revision(revision=2), make_replaced(), "update", moved)["releases"]
    assert told["plugin"] == {"before": "hello@1.2.3", "after": "hello@1.2.3"}
    assert [one["name"] for one in told["dependencies"]] == ["@backstage/plugin-b", "plugin-c"]


def test_who_must_agree_and_which_gates_stood_is_part_of_it() -> None:
    dev, prod = (make_hashed(environment=one)["policy"] for one in ("dev", "prod"))
    assert dev["approval"] is None
    assert prod["approval"] == {"roles": ["admin", "approver"], "quorum": 1, "stands_ms": 24 * 3600 * 1000}
    assert dev["gates"] != prod["gates"]
    assert "no secrets" in dev["gates"]


def test_only_an_update_of_a_plugin_with_data_says_what_becomes_of_it() -> None:
    served = make_replaced("backend")
    told = {verb: agree_on(make_revision("backend", revision=2), served, verb, ())["data"] for verb in ("update", "rollback")}
    assert "what revision 2 writes into the database stays there, and revision 1 finds it" in told["update"]
    assert told["rollback"] == ""
    assert agree_on(make_revision("backend"), served, "update", ())["data"] == ""
    assert agree_on(make_revision("backend"), Replaced(), "install", ())["data"] == ""


def test_what_plugins_share_does_not_go_back_with_one_of_them() -> None:
    past, serving = make_hashed(), make_replaced(revision=2)
    quota = next(one for one in serving.objects if one["kind"] == "ResourceQuota")
    quota["spec"]["hard"]["pods"] = "7"
    recalled = every(objects_of(recall_revision(past, serving.objects)))
    assert quota in recalled
    assert [one["metadata"]["name"] for one in recalled if one["kind"] == "Deployment"] == ["hello-r1"]
