"""What the repository promises about its own files."""

from __future__ import annotations

import os
from pathlib import Path
import re

import pytest

from tests.project.tree import ROOT, our_files

LONGEST_FILE = 400
CODE = {".py", ".js", ".css", ".html", ".sh"}
DOCUMENTS = ("README.md", "ARCHITECTURE.md")


def is_code(path: Path) -> bool:
    return path.suffix in CODE or (path.parent.name in {"scripts", ".ci"} and not path.suffix)


def test_a_file_longer_than_one_can_hold_in_the_head_has_its_reason_told() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in our_files()
        if is_code(path)
    }
    assert "addon/facegate/protocol.py" in lengths
    too_long = [file for file, lines in lengths.items() if lines > LONGEST_FILE]
    paragraphs = (ROOT / "ARCHITECTURE.md").read_text().split("\n\n")
    reasons = [text for text in paragraphs if f"{LONGEST_FILE} lines" in text]
    # The integration's copy of the protocol is as long as the protocol.
    names = {file.rpartition("/")[2] for file in too_long}
    assert [name for name in sorted(names) if not any(name in text for text in reasons)] == []


def test_the_supervisor_finds_one_app() -> None:
    # It takes every file of these names, anywhere in the repository, for an app's manifest.
    manifests = [
        path.relative_to(ROOT).as_posix()
        for path in our_files()
        if re.fullmatch(r"config\.(ya?ml|json)", path.name)
    ]
    assert set(manifests) <= {"addon/config.yaml"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_named_in_a_document_can_be_run(document: str) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"(?<![\w/.-])(?:scripts/[\w-]+|\.ci/run)", text))
    assert [name for name in sorted(named) if not os.access(ROOT / name, os.X_OK)] == []


def test_the_readme_names_the_demo_and_the_tests() -> None:
    text = (ROOT / "README.md").read_text()
    assert "scripts/demo" in text
    assert "scripts/test" in text


def test_every_script_with_a_first_line_for_the_kernel_is_executable() -> None:
    scripts = [
        path
        for path in our_files()
        if path.parent.name in {"scripts", ".ci"} and path.read_bytes().startswith(b"#!")
    ]
    assert scripts
    assert [path.name for path in scripts if not os.access(path, os.X_OK)] == []


def test_the_license_is_one_that_github_recognizes() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.lstrip().startswith("Apache License\n")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
