"""Projects to start from, which ``linkpipe new-pass`` copies: one folder for each kind of plugin.

Each is a whole, working package called "sample", installed and used by linkpipe's own tests; a copy
has the name of its author's choice in the place of that word. To add a kind, add a folder.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from linkpipe.errors import UserError

HOME = Path(__file__).parent
KINDS = tuple(sorted(each.name for each in HOME.iterdir() if (each / "pyproject.toml").exists()))
_NAME = r"[a-z][a-z0-9]*([._-][a-z0-9]+)*"
_LEFT_OUT = ("__pycache__", ".egg-info", ".pytest_cache")


def copy(kind: str, name: str, folder: Path) -> tuple[Path, ...]:
    """Write the project of a kind into a folder that is not there yet; what was written, sorted.

    ``name`` is what pipelines and flags call the plugin ("acme.count"); its distribution is then
    linkpipe-acme-count, its package linkpipe_acme_count. The folder is there whole or not at all.

    Raises UserError for a name that is none or is taken, or a folder that is there; OSError.
    """
    from linkpipe.engine.plugins import Catalog

    source = HOME / kind
    if not re.fullmatch(_NAME, name):
        raise UserError(
            f'"{name}" is no name of a plugin',
            status=2,
            label="linkpipe",
            remedy='write small letters and digits, as in "acme.count"',
        )
    # What a pipeline extends may be a file, or "default".
    catalog, groups = Catalog(), _groups(source)
    owners = [each.owner for group in groups for each in catalog.offers(group).get(name, ())]
    if owners or name == "default" or name.endswith(".toml"):
        raise UserError(
            f'the name "{name}" is taken' + (f": {owners[0]} has it" if owners else ""),
            status=2,
            label="linkpipe",
            remedy='call it as nothing else is called, as in "acme.count"',
        )
    whither = Path(os.path.abspath(folder))  # "a/../b" where there is no a yet
    if os.path.lexists(whither):
        raise UserError(
            f"{folder} is there already",
            status=2,
            label="linkpipe",
            remedy="name another folder with --output, or move that one away",
        )
    names = {
        "linkpipe-sample": f"linkpipe-{re.sub('[._]', '-', name)}",
        "linkpipe_sample": f"linkpipe_{re.sub('[.-]', '_', name)}",
        "sample": name,
    }

    def renamed(text: str) -> str:
        return re.sub(r"linkpipe[-_]sample|\bsample\b", lambda found: names[found[0]], text)

    import tempfile

    whither.parent.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory(dir=whither.parent, prefix=f".{whither.name}-") as whole:
        for file in sorted(source.rglob("*")):
            relative = file.relative_to(source)
            if file.is_dir() or any(part.endswith(_LEFT_OUT) for part in relative.parts):
                continue
            target = Path(whole, "project", renamed(str(relative)))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(renamed(file.read_text("utf-8")), "utf-8")
            written.append(folder / renamed(str(relative)))
        os.rename(os.path.join(whole, "project"), whither)
    return tuple(written)


def _groups(source: Path) -> tuple[str, ...]:
    """The kinds of things that a project offers under its own name."""
    import tomllib

    project = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]
    return tuple(
        group.removeprefix("linkpipe.")
        for group, entries in project["entry-points"].items()
        if "sample" in entries
    )
