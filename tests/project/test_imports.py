"""Who may import whom: stages share nouns, one module conducts them, the halves share a copy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.tree import ENGINE, INTEGRATION, ROOT, our_files

STAGES = ("camera", "face", "identity", "decision", "door", "visitor", "record")
# What everything may import: nouns (of a passage, of the office, of hardware), errors, the wire.
FOUNDATION = ("domain", "verdicts", "register", "hardware", "errors", "protocol")
# What the API may take from stages: it reads records, and refuses a body before it is a picture.
OPEN_TO_THE_API = ("facegate.record", "facegate.face.picture")
# From the outermost layer inwards: none imports one that stands before it.
LAYERS = ("assembly", "api", "importing", "site", "office")
# Tools of the command line: they measure the stages, and nothing of the engine knows them.
TOOLS = ("evaluation", "bench")


def imported_modules(path: Path, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the dotted name of everything that a file of a package imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*parents, *((node.module,) if node.module else ())))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_of(folder: Path, package: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (file, imported module) for every import below a package's folder."""
    return [
        (path.relative_to(ROOT).as_posix(), module)
        for path in our_files(folder)
        if path.suffix == ".py"
        for module in imported_modules(path, (*package, *path.relative_to(folder).parts[:-1]))
    ]


def engine_parts(folder: Path, package: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (file, part of the engine), where a part is what stands right under ``facegate``."""
    return [
        (file, module.split(".")[1])
        for file, module in imports_of(folder, package)
        if module.startswith("facegate.") and module != "facegate.__version__"
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_the_nouns_and_itself_and_no_other_part(stage: str) -> None:
    found = engine_parts(ENGINE / stage, ("facegate", stage))
    assert [(file, part) for file, part in found if part not in (*FOUNDATION, stage)] == []


@pytest.mark.parametrize("layer", LAYERS[1:])
def test_a_layer_imports_none_that_is_further_out(layer: str) -> None:
    further_out = LAYERS[: LAYERS.index(layer)]
    found = engine_parts(ENGINE / layer, ("facegate", layer))
    assert [(file, part) for file, part in found if part in further_out] == []


def test_the_api_decides_nothing_and_reads_records() -> None:
    closed = tuple(f"facegate.{stage}" for stage in STAGES)
    forbidden = [
        (file, module)
        for file, module in imports_of(ENGINE / "api", ("facegate", "api"))
        if module.startswith(closed) and not module.startswith(OPEN_TO_THE_API)
    ]
    assert forbidden == []


@pytest.mark.parametrize("module", FOUNDATION)
def test_the_nouns_the_errors_and_the_wire_import_only_each_other(module: str) -> None:
    path = ENGINE / f"{module}.py"
    found = [name for name in imported_modules(path, ("facegate",)) if name.startswith("facegate.")]
    assert [name for name in found if name.split(".")[1] not in FOUNDATION] == []


def test_only_the_command_line_imports_the_assembly() -> None:
    found = engine_parts(ENGINE, ("facegate",))
    importers = {file for file, part in found if part == "assembly"}
    assert importers <= {"addon/facegate/__main__.py"}


def test_every_folder_of_the_engine_has_an_import_rule() -> None:
    folders = {path.name for path in ENGINE.iterdir() if (path / "__init__.py").is_file()}
    assert folders == {*STAGES, *LAYERS[1:], *TOOLS}


@pytest.mark.parametrize("tool", TOOLS)
def test_only_the_command_line_imports_a_tool(tool: str) -> None:
    importers = {file for file, part in engine_parts(ENGINE, ("facegate",)) if part == tool}
    own = f"addon/facegate/{tool}/"
    assert {file for file in importers if not file.startswith(own)} <= {
        "addon/facegate/__main__.py"
    }


def test_the_engine_works_without_home_assistant() -> None:
    found = imports_of(ENGINE, ("facegate",))
    foreign = {"homeassistant", "custom_components", "voluptuous_serialize"}
    assert [(file, name) for file, name in found if name.split(".")[0] in foreign] == []


def test_the_integration_knows_the_engine_only_through_the_protocol() -> None:
    found = imports_of(INTEGRATION, ("custom_components", "facegate"))
    engine_only = {"facegate", "sqlalchemy", "numpy", "cv2", "av", "onnx", "onnxruntime"}
    assert [(file, name) for file, name in found if name.split(".")[0] in engine_only] == []


def test_both_halves_carry_the_same_protocol() -> None:
    ours, theirs = (folder / "protocol.py" for folder in (ENGINE, INTEGRATION))
    assert ours.read_bytes() == theirs.read_bytes(), "run scripts/sync-protocol"
