"""What goes into an image, under which name and key; what a service's own Dockerfile may not do."""

import json

import pytest

from blocks.domain.recipe import (
    Recipe,
    count_packages,
    find_bases,
    goes_into_image,
    hash_inputs,
    is_numbered_user,
    label_image,
    locked_integrity,
    name_image,
    object_to,
    tag_image,
    write_entrypoint,
    write_programs,
    write_project,
)
from blocks.domain.release import PassedOver, Release
from blocks.domain.resolution import Published, Search

RECIPE = Recipe(
    "frontend",
    (
        ("Dockerfile", "FROM scratch"),
        ("package.json", '{"dependencies": {"bundler": "1.0.0", "react": "18.0.0"}}'),
        ("pnpm-workspace.yaml", "nodeLinker: hoisted"),
        ("pnpmfile.cjs", "module.exports = {}"),
    ),
)
LOCK = """lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      '@a/b':
        specifier: 1.0.0

packages:

  '@a/b@1.0.0':
    resolution: {integrity: sha512-abc==, tarball: somewhere}
    engines: {node: '>=20'}

  c@2.0.0:
    resolution: {integrity: sha512-def==}

snapshots:

  '@a/b@1.0.0':
    dependencies:
      c: 2.0.0

  c@2.0.0: {}
"""


def test_project_holds_the_plugin_its_peers_and_what_the_runtime_needs() -> None:
    """The plugin exactly; the runtime's own version goes before a peer's range; types are left to compilers."""
    peers = (("@types/react", "*"), ("react", "^17"), ("react-dom", "^17"))
    search = Search(Published("1.0.0", "", "", "", peers), (), (PassedOver("2.0.0", ""),), (("mid", "1.1.0", "why"),))
    files = write_project(RECIPE, "@a/b", search)
    project = json.loads(files["package.json"])
    assert project["dependencies"] == {"@a/b": "1.0.0", "bundler": "1.0.0", "react": "18.0.0", "react-dom": "^17"}
    assert project["excludedVersions"] == {"mid": ["1.1.0"]}
    assert (files[".pnpmfile.cjs"], files["pnpm-workspace.yaml"]) == ("module.exports = {}", "nodeLinker: hoisted")


def test_programs_stand_beside_the_packages() -> None:
    """With the plugin's name; what was made into the project is not written again."""
    assert write_programs(RECIPE, "@a/b") == {"Dockerfile": "FROM scratch", "plugin.json": '{"plugin": "@a/b"}'}


def test_a_runtime_may_need_nothing() -> None:
    """Like a service's."""
    assert Recipe("service", ()).needs == {}


def test_packages_are_counted_once() -> None:
    """By the lock's packages, not by their uses."""
    assert count_packages(LOCK) == 2
    assert count_packages("") == 0


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        pytest.param("@a/b", "1.0.0", "sha512-abc==", id="with scope"),
        pytest.param("c", "2.0.0", "sha512-def==", id="without scope"),
        pytest.param("c", "2.0.1", "", id="another version"),
    ],
)
def test_finds_the_locked_checksum(name: str, version: str, expected: str) -> None:
    """Or nothing."""
    assert locked_integrity(LOCK, name, version) == expected


def test_the_key_depends_on_every_input_and_not_on_their_order() -> None:
    """Names belong to it: the same texts in other places are other inputs."""
    assert hash_inputs({"a": "1", "b": "2"}) == hash_inputs({"b": "2", "a": "1"})
    assert len({hash_inputs({"a": "1", "b": "2"}), hash_inputs({"a": "2", "b": "1"}), hash_inputs({"a": "1"})}) == 3


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        pytest.param("index.js", True, id="programs"),
        pytest.param("LICENSE", True, id="licences"),
        pytest.param("index.js.map", False, id="no source maps"),
        pytest.param("index.d.ts", False, id="no types"),
        pytest.param(".modules.yaml", False, id="nothing that names this machine"),
        pytest.param(".bin", False, id="no links to programs"),
    ],
)
def test_goes_into_image(name: str, *, goes: bool) -> None:
    """What is needed at run time."""
    assert goes_into_image(name) is goes


def test_images_are_named_by_plugin_and_inputs() -> None:
    """And labelled with what they were made of; the time of making is no part of it."""
    release, base = Release("@a/b", "1.0.0", "sha512-x", "https://registry.test/b.tgz"), f"registry/node@sha256:{'1' * 64}"
    key = hash_inputs({})
    labels = label_image(release, key, base)
    assert name_image("registry:5000", "@a/b") == "registry:5000/plugins/a-b"
    assert tag_image(key) == key[7:19]
    assert labels["org.opencontainers.image.version"] == "1.0.0"
    assert labels["org.opencontainers.image.base.digest"] == f"sha256:{'1' * 64}"
    assert labels["plugin-pipeline.io/inputs"] == key
    assert "org.opencontainers.image.created" not in labels


def test_start_command_becomes_the_entrypoint() -> None:
    """As a list, so that no shell stands between."""
    assert write_entrypoint("FROM x\n\n", ("node", "a b")) == 'FROM x\nENTRYPOINT ["node", "a b"]\n'


@pytest.mark.parametrize(
    "dockerfile",
    [
        pytest.param("ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY . .\nUSER 1", id="the configured base"),
        pytest.param("FROM $BASE_IMAGE AS Made\nFROM made", id="an earlier stage"),
        pytest.param(f"FROM --platform=linux/amd64 registry/x@sha256:{'a' * 64}", id="an image by its digest"),
        pytest.param("FROM scratch\nADD . /\n# ADD https://example.org /", id="nothing at all, and a comment"),
        pytest.param(
            "FROM scratch AS a\nFROM scratch\nCOPY --from=a --chmod=1 x /\nCOPY --from=0 x /", id="files of earlier stages"
        ),
        pytest.param("FROM scratch\nRUN --mount=type=bind,target=/a echo --from=b", id="a step's own words"),
        pytest.param("FROM", id="what the engine itself refuses"),
    ],
)
def test_accepts_dockerfile(dockerfile: str) -> None:
    """That needs no network."""
    assert object_to(dockerfile) == ()


@pytest.mark.parametrize(
    ("dockerfile", "said"),
    [
        pytest.param("FROM node:24", "FROM node:24", id="an image that the engine would pull by tag"),
        pytest.param("FROM ${OTHER}", "FROM ${OTHER}", id="a variable that we do not set"),
        pytest.param("FROM scratch\nADD \\\n  https://example.org/x /x", "ADD", id="an address, hidden on a second line"),
        pytest.param("# syntax = registry.test/other\nFROM scratch", "syntax", id="another program that reads the Dockerfile"),
        pytest.param("FROM scratch\nCOPY --from=node:24 x /", "COPY node:24", id="files of an image by tag"),
        pytest.param("FROM scratch\nRUN --mount=from=node:24,target=/a x", "RUN node:24", id="an image by tag, mounted"),
        pytest.param("FROM scratch\nadd git@example.org:x.git /x", "ADD", id="a repository, in small letters"),
    ],
)
def test_objects_to_dockerfile(dockerfile: str, said: str) -> None:
    """In a sentence."""
    (objection,) = object_to(dockerfile)
    assert said in objection


def test_finds_the_images_that_a_dockerfile_needs() -> None:
    """By their full names, once each; stages are none."""
    pinned, other = f"registry.test/a@sha256:{'a' * 64}", f"registry.test/b@sha256:{'b' * 64}"
    dockerfile = f"FROM ${{NODE_IMAGE}} AS x\nFROM $NODE_IMAGE\nCOPY --from=x a a\nCOPY --from={other} a a\nFROM scratch"
    assert find_bases(dockerfile, {"NODE_IMAGE": pinned, "BASE_IMAGE": "unused"}) == (pinned, other)


@pytest.mark.parametrize(
    ("user", "numbered"),
    [("10001:10001", True), ("1", True), ("0", False), ("0:10001", False), ("node", False), ("", False)],
)
def test_users_are_numbers(user: str, *, numbered: bool) -> None:
    """Other than root's."""
    assert is_numbered_user(user) is numbered
