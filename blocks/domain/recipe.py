"""How an image is made of a release: the project that is locked, what goes into the image, and the key of all inputs.

To add a runtime: give it a folder in `infra/images/` with a Dockerfile (stages that need no network, a numbered user, an ENTRYPOINT),
name it in `Runtime`, and, if it is made of npm packages, give the folder a `package.json` with what the runtime itself needs.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType

from blocks.domain.naming import slug
from blocks.domain.release import Release
from blocks.domain.resolution import Search

LOCK_FILE, PROJECT_FILE, HOOK_FILE, SETTINGS_FILE = "pnpm-lock.yaml", "package.json", ".pnpmfile.cjs", "pnpm-workspace.yaml"
DOCKERFILE, PLUGIN_FILE = "Dockerfile", "plugin.json"
# Files of a recipe that are not written as they are: they go into the project that is locked.
MADE_INTO_PROJECT = frozenset({PROJECT_FILE, SETTINGS_FILE, "pnpmfile.cjs"})
EXCLUDED = "excludedVersions"
# Named by number, so that Kubernetes can see that it is not root; the same number that pods run as.
USER = "10001:10001"
# What only people and editors read. Licences and readmes stay.
LEFT_BEHIND = (".map", ".d.ts", ".d.mts", ".d.cts")
# What the package manager keeps for itself, with paths and times of this machine, and links to programs that nobody calls by name.
NOTES = frozenset({".modules.yaml", ".pnpm-workspace-state-v1.json", ".pnpm", ".bin", ".npmrc"})
# Types are read by compilers only.
TYPES = "@types/"
BASES = MappingProxyType({"BASE_IMAGE": "base_image", "NODE_IMAGE": "node_image"})
PINNED = re.compile(r"@sha256:[0-9a-f]{64}$")
# Where BuildKit looks for the program that reads the Dockerfile.
SYNTAX = re.compile(r"\s*(?:#|//)\s*syntax\s*=", re.IGNORECASE)
# COPY --from=… and RUN --mount=…,from=…: a stage's name or number, or an image.
OTHER_STAGE = re.compile(r"[-,=]from=([^,]+)")
INSTRUCTION = re.compile(r"^\s*(?P<name>[A-Za-z]+)\s+(?P<rest>.*)$")


@dataclass(frozen=True)
class Recipe:
    """The files of one runtime, by name: its Dockerfile, its small programs and what it needs from npm."""

    runtime: str
    files: tuple[tuple[str, str], ...]

    def file(self, name: str) -> str:
        """The text of one file, or nothing."""
        return dict(self.files).get(name, "")

    @property
    def needs(self) -> dict[str, str]:
        """The packages that the runtime itself needs, with their ranges."""
        project = json.loads(self.file(PROJECT_FILE) or "{}")
        return {str(name): str(spec) for name, spec in project.get("dependencies", {}).items()}


def write_project(recipe: Recipe, plugin: str, search: Search) -> dict[str, str]:
    """The files that the package manager locks: the plugin by its exact version, its peers, the runtime's own needs."""
    peers = {name: spec for name, spec in search.candidate.peers if not name.startswith(TYPES)}
    needs = peers | recipe.needs | {plugin: search.candidate.version}
    project = {"name": "plugin-image", "private": True, "type": "module", "dependencies": dict(sorted(needs.items()))}
    project[EXCLUDED] = search.excluded
    return {
        PROJECT_FILE: json.dumps(project, indent=2),
        HOOK_FILE: recipe.file("pnpmfile.cjs"),
        SETTINGS_FILE: recipe.file(SETTINGS_FILE),
    }


def write_programs(recipe: Recipe, plugin: str) -> dict[str, str]:
    """The files that stand beside the packages in the image's context: the Dockerfile, small programs, and the plugin's name."""
    return {name: text for name, text in recipe.files if name not in MADE_INTO_PROJECT} | {
        PLUGIN_FILE: json.dumps({"plugin": plugin})
    }


def count_packages(lock: str) -> int:
    """How many packages the lock file holds, the same version counted once."""
    _, _, packages = lock.partition("\npackages:\n")
    return len(re.findall(r"^  \S.*:$", packages.partition("\nsnapshots:\n")[0], re.MULTILINE))


def locked_integrity(lock: str, name: str, version: str) -> str:
    """The checksum that the lock file holds for the release, or nothing."""
    found = re.search(
        rf"^  '?{re.escape(name)}@{re.escape(version)}'?:\n    resolution: {{.*?integrity: ([^,}}]+)", lock, re.MULTILINE
    )
    return found[1] if found else ""


def hash_inputs(inputs: Mapping[str, str]) -> str:
    """`sha256:…` of named texts, whatever their order; the request's own configuration is no input, so it causes no build."""
    text = json.dumps(dict(sorted(inputs.items())), separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def goes_into_image(name: str) -> bool:
    """Whether a file or folder of that name is needed at run time."""
    return name not in NOTES and not name.endswith(LEFT_BEHIND)


def name_image(registry: str, plugin: str) -> str:
    """The repository of the plugin's images."""
    return f"{registry}/plugins/{slug(plugin)}"


def tag_image(key: str) -> str:
    """The tag for images made from these inputs; for people and for the undo, never used to run anything."""
    return key.partition(":")[2][:12]


def label_image(release: Release, key: str, base: str) -> dict[str, str]:
    """The image's labels; no time of creation, because the same inputs should give the same image."""
    return {
        "org.opencontainers.image.title": release.name,
        "org.opencontainers.image.version": release.version,
        "org.opencontainers.image.source": release.location,
        "org.opencontainers.image.revision": release.integrity,
        "org.opencontainers.image.base.name": base,
        "org.opencontainers.image.base.digest": base.partition("@")[2],
        "plugin-pipeline.io/inputs": key,
    }


def write_entrypoint(dockerfile: str, start: tuple[str, ...]) -> str:
    """The Dockerfile with the service's own start command."""
    return f"{dockerfile.rstrip()}\nENTRYPOINT {json.dumps(list(start))}\n"


def object_to(dockerfile: str) -> tuple[str, ...]:
    """What a service's own Dockerfile does that no build here may do, one sentence each; nothing if all is well.

    The engine itself fetches base images, the addresses in ADD and another syntax's program, also where the build has no network.
    """
    objections = [f"{line.strip()} lets the engine fetch a program" for line in dockerfile.splitlines() if SYNTAX.match(line)]
    stages = {"scratch"}
    for name, rest in _instructions(dockerfile):
        words = [word for word in rest.split() if not word.startswith("--")]
        objections += [
            f"{name} {base} is neither ${{NODE_IMAGE}}, ${{BASE_IMAGE}}, an earlier stage nor pinned by a digest"
            for base in _read_bases(name, rest)
            if not _is_allowed_base(base, stages)
        ]
        if name == "FROM":
            stages.update(word.lower() for word in words[2:3])
        if name == "ADD" and any("://" in word or word.startswith("git@") for word in words):
            objections.append(f"ADD {rest} fetches from the network")
    return tuple(objections)


def find_bases(dockerfile: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """The images that the Dockerfile begins with or copies from, by their full names, sorted; its own stages are none."""
    named = {base for name, rest in _instructions(dockerfile) for base in _read_bases(name, rest)}
    images = {known.get(base.strip("${}"), base) for base in named}
    return tuple(sorted(image for image in images if PINNED.search(image)))


def is_numbered_user(user: str) -> bool:
    """Whether an image's USER is a number other than root's."""
    number = user.partition(":")[0]
    return number.isdigit() and int(number) > 0


def _instructions(dockerfile: str) -> list[tuple[str, str]]:
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\s*\n", " ", "\n".join(lines))
    return [(found["name"].upper(), found["rest"]) for line in joined.splitlines() if (found := INSTRUCTION.match(line))]


def _read_bases(name: str, rest: str) -> list[str]:
    """What the instruction needs from elsewhere: an image or another stage's name; stages named by number are nobody else's."""
    words = rest.split()
    flags = list(takewhile(lambda word: word.startswith("--"), words))
    begun = words[len(flags) :][:1] if name == "FROM" else []
    return begun + [base for flag in flags for base in OTHER_STAGE.findall(flag) if not base.isdigit()]


def _is_allowed_base(base: str, stages: set[str]) -> bool:
    variable = re.fullmatch(r"\$\{?(\w+)\}?", base)
    return base.lower() in stages or (variable is not None and variable[1] in BASES) or PINNED.search(base) is not None
