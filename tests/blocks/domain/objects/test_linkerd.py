"""A plugin behind Linkerd: proxies in its pods, and nobody reaches it but gateway and tenant."""

from dataclasses import replace

from blocks.domain.mesh import Mesh
from blocks.domain.objects.linkerd import protection
from blocks.domain.objects.phases import OWNED, Phase, every, phases
from blocks.domain.objects.workload import pod_template
from tests.blocks.domain.objects.blueprints import SITE, make_blueprint

MESHED = replace(SITE, mesh=Mesh.LINKERD)


def test_the_first_port_is_closed_and_two_are_let_in() -> None:
    found = {(one["kind"], one["metadata"]["name"]): one["spec"] for one in protection(make_blueprint("service"))}
    server = found["Server", "hello"]
    assert (server["port"], server["accessPolicy"]) == ("http", "deny")
    assert found["NetworkAuthentication", "hello-gateway"] == {"networks": [{"cidr": "10.244.0.1/32"}]}
    assert found["MeshTLSAuthentication", "hello-tenant"] == {"identityRefs": [{"kind": "ServiceAccount"}]}
    for kind, name in (("NetworkAuthentication", "hello-gateway"), ("MeshTLSAuthentication", "hello-tenant")):
        policy = found["AuthorizationPolicy", name]
        assert policy["targetRef"] == {"group": "policy.linkerd.io", "kind": "Server", "name": "hello"}
        assert policy["requiredAuthenticationRefs"] == [{"group": "policy.linkerd.io", "kind": kind, "name": name}]


def test_the_proxy_reaches_its_control_plane() -> None:
    policy = protection(make_blueprint("service"))[0]["spec"]
    (out,), (come,) = policy["egress"], policy["ingress"]
    assert out["to"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "linkerd"}}}]
    assert [one["port"] for one in (*out["ports"], *come["ports"])] == [8080, 8086, 8090, 4143]


def test_pods_get_a_proxy_that_does_not_read_what_the_database_says() -> None:
    service, backend = (replace(make_blueprint(kind), site=MESHED) for kind in ("service", "backend"))
    marks = pod_template(service)["metadata"]["annotations"]
    assert marks["linkerd.io/inject"] == "enabled"
    assert "config.linkerd.io/opaque-ports" not in marks
    assert pod_template(backend)["metadata"]["annotations"]["config.linkerd.io/opaque-ports"] == "15432"


def test_everything_is_put_up_before_pods_and_taken_away_with_the_plugin() -> None:
    staged = phases(replace(make_blueprint("service"), site=MESHED))
    added = {one["kind"] for one in every(staged)} - {one["kind"] for one in every(phases(make_blueprint("service")))}
    assert added == {"Server", "NetworkAuthentication", "MeshTLSAuthentication", "AuthorizationPolicy"} <= {*OWNED}
    assert added <= {one["kind"] for one in staged[Phase.LIMITS]}


def test_without_a_mesh_nothing_is_different() -> None:
    blueprint = make_blueprint("backend")
    assert phases(replace(blueprint, site=replace(SITE, mesh=Mesh.GATEWAY_API))) == phases(blueprint)
    assert "linkerd.io/inject" not in pod_template(blueprint)["metadata"]["annotations"]
