"""docs/architecture.md agrees with the code: the map of files, who may import whom, traits and messages."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from traitlets import HasTraits

from rnnbow_widget import Comparison, RNNbow, Sweep

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENT = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
PYTHON_MAP = DOCUMENT[DOCUMENT.index("Python, `rnnbow_widget/`") : DOCUMENT.index("TypeScript, `js/src/`")]
TYPESCRIPT_MAP = DOCUMENT[DOCUMENT.index("TypeScript, `js/src/`") : DOCUMENT.index("## How to add")]
ORDER = re.findall(r"`(\w+)\.py`", "\n".join(re.findall(r"^\| (`[^|]*) \|", PYTHON_MAP, re.MULTILINE)))
FLOORS = dict(re.findall(r"\*\*([^*]+)\*\*\n\n((?:\|.*\n)+)", PYTHON_MAP))
MODULES = sorted(path.stem for path in (REPOSITORY / "rnnbow_widget").glob("*.py") if path.stem != "__init__")

WIDGETS = {"anywidget", "ipywidgets", "traitlets", "IPython", "ipykernel"}
TORCH = ("torch", "watched_pass", "watched_layers", "watched_cells")
EXTRAS = {
    **{module: {"torch"} for module in TORCH},
    "lightning": {"lightning", "torch"},
    "picture": {"matplotlib"},
    "command_line": {"click"},
}
"""What is no dependency of the core, by the modules that are of no use without."""
CORE = {"numpy", *WIDGETS}
ON_CALL = {"run": {"page", "picture"}, "widget": {"attempt_view"}}
"""What a run can be made into, and what shows an attempt: imported when they are called."""

SOURCES = REPOSITORY / "js" / "src"
SCRIPTS = sorted(path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.ts") if path.name != "css.d.ts")


def script_floors() -> list[list[str]]:
    """Scripts as the map has them, floor by floor: the files of a folder, or those that stand beside the folders."""
    floors = []
    for heading, section in re.findall(r"^\*\*(`.+)\*\*\n((?:(?!\*\*).*\n)*)", TYPESCRIPT_MAP, re.MULTILINE):
        named = re.findall(r"`([\w.]+/?)`", heading.split(": ")[0])
        if named[0].endswith("/"):
            rows = "\n".join(re.findall(r"^\|.*\|$", section, re.MULTILINE))
            named = [named[0] + file for file in re.findall(r"`(\w+\.ts)`", rows)]
        floors.append(named)
    return floors


SCRIPT_FLOORS = script_floors()


def test_every_module_is_on_the_map_once() -> None:
    assert sorted(ORDER) == MODULES


def test_the_maps_say_of_every_file_what_it_is_and_no_more() -> None:
    rows = re.findall(r"^\|.*\|$", PYTHON_MAP + TYPESCRIPT_MAP, re.MULTILINE)
    assert {len(re.findall(r"\|", row)) for row in rows} == {3}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_those_above_it_only(module: str) -> None:
    above = set(ORDER[: ORDER.index(module)])
    own = {name for level, name in imported(module, at_once=True) if level and name in MODULES}
    assert own <= above, f"{module} imports {sorted(own - above)}"
    on_call = {name for level, name in imported(module, at_once=False) if level and name in MODULES}
    assert on_call - above == ON_CALL.get(module, set())


@pytest.mark.parametrize("module", MODULES)
def test_numeric_code_imports_no_widget_and_the_core_no_extra(module: str) -> None:
    roots = {name for level, name in imported(module, at_once=True) if not level}
    if f"`{module}.py`" not in FLOORS["Widgets"]:
        on_call = {name for level, name in imported(module, at_once=False) if not level}
        assert not (roots | on_call) & WIDGETS
    outside = roots - sys.stdlib_module_names - CORE
    assert outside == EXTRAS.get(module, set())


def imported(module: str, *, at_once: bool) -> Iterator[tuple[int, str]]:
    """Level and first name of what a module imports: when it is imported itself, or when its functions are called."""

    def walk(node: ast.AST, *, on_call: bool) -> Iterator[tuple[int, str]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue  # types bind nobody
            if isinstance(child, ast.ImportFrom) and on_call is not at_once:
                names = [child.module] if child.module else [alias.name for alias in child.names]
                yield from ((child.level, name.split(".")[0]) for name in names)
            elif isinstance(child, ast.Import) and on_call is not at_once:
                yield from ((0, alias.name.split(".")[0]) for alias in child.names)
            called = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, on_call=on_call or called)

    path = REPOSITORY / "rnnbow_widget" / f"{module}.py"
    return walk(ast.parse(path.read_text(encoding="utf-8")), on_call=False)


def test_every_script_is_on_the_map_once() -> None:
    assert sorted(script for floor in SCRIPT_FLOORS for script in floor) == SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_imports_from_its_own_floor_and_those_above_it_only(script: str) -> None:
    place = next(place for place, floor in enumerate(SCRIPT_FLOORS) if script in floor)
    above = {known for floor in SCRIPT_FLOORS[: place + 1] for known in floor}
    assert set(script_imports(script, types=True)) <= above


def test_scripts_import_in_no_circle() -> None:
    imports = {script: set(script_imports(script)) for script in SCRIPTS}
    while free := {script for script, wanted in imports.items() if not wanted & imports.keys()}:
        for script in free:
            del imports[script]
    assert not imports, "each of these imports another of them"


def script_imports(script: str, *, types: bool = False) -> Iterator[str]:
    source = (SOURCES / script).read_text(encoding="utf-8")
    # What is imported as a type only is not there when the page runs.
    kind = r"\s" if types else r"\s(?!type\s)"
    for statement in re.findall(rf"^(?:import|export){kind}[^;]*?from \"(\.[^\"]+)\";", source, re.MULTILINE):
        target = (SOURCES / script).parent / statement
        yield target.resolve().with_suffix(".ts").relative_to(SOURCES).as_posix()


@pytest.mark.parametrize("panel", [script for script in SCRIPTS if script.startswith("panels/")])
def test_panels_know_neither_the_view_nor_the_kernel(panel: str) -> None:
    assert not {name for name in script_imports(panel) if name.startswith(("view/", "session/"))}


@pytest.mark.parametrize(
    ("widget", "heading"), [(RNNbow, "Traits: "), (Comparison, "Comparisons\n"), (Sweep, "Sweeps\n")]
)
def test_every_trait_is_described(widget: type[HasTraits], heading: str) -> None:
    section = DOCUMENT[DOCUMENT.index(f"\n## {heading}") :]
    section = section[: section.index("\n## ", 1)]
    described = set(re.findall(r"`(_?[a-z_0-9]+)`", section))
    own = {name for name in widget.class_own_traits(sync=True) if name not in {"_esm", "_css", "_anywidget_id"}}
    assert {re.sub(r"_side_[12]", "_side_0", name) for name in own} <= described


def test_the_tables_of_messages_have_every_kind() -> None:
    section = DOCUMENT[DOCUMENT.index("\n## Messages") : DOCUMENT.index("### The lease, step by step")]
    to_kernel, to_browser = section.split("Kernel → browser.")
    conversation = (REPOSITORY / "rnnbow_widget" / "conversation.py").read_text(encoding="utf-8")
    handlers = conversation[conversation.index("def _handlers") : conversation.index("def _side")]
    assert kinds(to_kernel) == set(re.findall(r'"(\w+)":', handlers))
    sources = [
        (REPOSITORY / "rnnbow_widget" / f"{name}.py").read_text(encoding="utf-8")
        for name in ("conversation", "leases", "reporter")
    ]
    assert kinds(to_browser) == {kind for source in sources for kind in re.findall(r'{"kind": "(\w+)"', source)}
    contract = (SOURCES / "protocol" / "contract.ts").read_text(encoding="utf-8")
    assert kinds(section) <= set(re.findall(r'kind: "(\w+)"', contract))


def kinds(section: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md", "docs/measures.md", "docs/run_files.md"])
def test_names_that_the_text_tells_are_those_of_the_code(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    told = set(
        re.findall(r"`([A-Za-z_][\w.]*)(?:\(\))?`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    )
    files = [REPOSITORY / name for name in ("Makefile", "pyproject.toml", "js/package.json")]
    for folder in ("benchmarks", "js/dev", "js/src", "js/test", "rnnbow_widget", "scripts", "tests"):
        files += [path for path in (REPOSITORY / folder).rglob("*") if path.suffix in {".css", ".py", ".ts"}]
    words = set(re.findall(r"\w+", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    named = {path.name for path in files} | {path.name for path in REPOSITORY.glob("docs/*")}
    assert told, "there are names to look for"
    assert not {name for name in told - named if not set(name.split(".")) <= words}
