"""The rules of the house that no linter knows: who may touch what, how large things grow, what they are called."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("deployments", "flows", "tasks", "blocks")
SOURCES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
FORBIDDEN_ENDINGS = re.compile(r"(Manager|Helper|Util|Utils|Handler|Service|Data|Info|Base|Impl)$")

# Only these places touch each outside thing.
TOUCHED_ONLY_IN = {
    "kubernetes": ("blocks/cluster/", "blocks/traffic/"),
    "docker": ("blocks/image_builder.py",),
    "sqlmodel": ("blocks/catalog/", "tasks/record.py"),
    "sqlalchemy": ("blocks/catalog/",),
    "asyncpg": ("blocks/databases.py",),
    "prometheus_client": ("deployments/api/metrics.py",),
    "fastapi": ("deployments/api/",),
    "typer": ("deployments/cli",),
}
TOP_LEVEL = {"flows", "tasks", "blocks", "deployments", "tests", "infra", "build"}
# A flow is a story and a test is a table: both may be longer than a function elsewhere.
LONGEST_FUNCTION = {"flows": 60, "tests": 60}


def read(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(), filename=str(path))


def relative(path: Path) -> str:
    """The path as people write it."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of the file, inner ones too."""
    return (node for node in ast.walk(read(path)) if isinstance(node, FUNCTION))


def imported(node: ast.AST) -> Iterator[str]:
    """The top names that an import statement brings in."""
    if isinstance(node, ast.Import):
        yield from (name.name.split(".")[0] for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.split(".")[0]


every_source = pytest.mark.parametrize("path", SOURCES, ids=relative)


@every_source
def test_file_fits_the_wall(path: Path) -> None:
    """At most 300 lines; then it becomes a package of the same name."""
    assert len(path.read_text().splitlines()) <= 300


@every_source
def test_functions_fit_the_walls(path: Path) -> None:
    """At most 40 lines (a flow 60) and 5 parameters."""
    longest = LONGEST_FUNCTION.get(relative(path).split("/")[0], 40)
    for function in functions(path):
        assert (function.end_lineno or 0) - function.lineno < longest, function.name
        asked = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        assert len([one for one in asked if one.arg not in ("self", "cls")]) <= 5, function.name


@every_source
def test_imports_stand_at_the_top(path: Path) -> None:
    """None hides in a function."""
    for function in functions(path):
        assert not [node for node in ast.walk(function) if isinstance(node, (ast.Import, ast.ImportFrom))], function.name


@every_source
def test_outside_things_are_touched_in_one_place(path: Path) -> None:
    """So that a change outside is a change in one file."""
    for name in {name for node in ast.walk(read(path)) for name in imported(node)} & TOUCHED_ONLY_IN.keys():
        assert relative(path).startswith(TOUCHED_ONLY_IN[name]), f"{name} is imported in {relative(path)}"


@every_source
def test_environment_is_read_in_one_place(path: Path) -> None:
    """`blocks/settings.py`, and there through pydantic-settings; a forked child is given its own in the file that makes it one."""
    assert "os.environ" not in path.read_text() or relative(path) == "deployments/pools/child.py"
    assert "getenv(" not in path.read_text()


@every_source
def test_classes_are_nouns_without_suffix(path: Path) -> None:
    """A name that says nothing hides a thing that has no idea."""
    names = [node.name for node in ast.walk(read(path)) if isinstance(node, ast.ClassDef)]
    assert not [name for name in names if FORBIDDEN_ENDINGS.search(name)]


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=relative)
def test_file_says_what_it_is(path: Path) -> None:
    """In a docstring at its top; and its folder is a package."""
    assert ast.get_docstring(read(path))
    assert (path.parent / "__init__.py").exists()


@pytest.mark.parametrize("path", [path for path in TESTS if path.name.startswith("test_")], ids=relative)
def test_every_test_asserts(path: Path) -> None:
    """Or expects an error, or leaves that to a function that says so in its name; a test that cannot fail is none."""
    for function in functions(path):
        if function.name.startswith("test_"):
            text = ast.unparse(function)
            assert re.search(r"\bassert\b|pytest\.raises|\bassert_\w+\(|expect\(|eventually\(", text), (
                f"{function.name} asserts nothing"
            )


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_nothing_is_skipped(path: Path) -> None:
    """Neither skipped nor expected to fail."""
    marks = ["skip", "skipif", "xfail"]
    assert not [mark for mark in marks if f"mark.{mark}" in path.read_text() or f"pytest.{mark}(" in path.read_text()]


def test_no_folder_is_added_at_the_top() -> None:
    """The seven are given."""
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert {name for name in found if not name.endswith(".egg-info")} <= TOP_LEVEL


def test_every_flow_is_deployed_exactly_once() -> None:
    """And nothing is deployed that is no flow."""
    declared = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]
    found = [
        f"flows.{path.stem}.{function.name}"
        for path in sorted((ROOT / "flows").glob("*.py"))
        for function in functions(path)
        if any("flow" in ast.unparse(mark) for mark in function.decorator_list)
    ]
    assert sorted(one["entrypoint"] for one in declared) == sorted(found)


def test_no_absolute_path_of_a_machine_is_written_down() -> None:
    """Nor a home folder: the project runs wherever it is cloned."""
    texts = [path for path in [*SOURCES, *TESTS, *(ROOT / "infra").rglob("*.sh")] if path != Path(__file__)]
    assert not [relative(path) for path in texts if re.search(r"(?<![\w.])/(root|home/\w+|work)/", path.read_text())]
