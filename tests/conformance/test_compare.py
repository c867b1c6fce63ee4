"""`linkpipe compare`: the difference that was made is the difference that is named.

The files are the oracle's, changed at known places, so these tests need no link of linkpipe's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from linkpipe.cli import compare
from linkpipe.compare.files import differences
from linkpipe.errors import InputError
from linkpipe.formats import elfread
from tests.conformance.oracle import link_oracle
from tests.conformance.programs import TINY, inputs, table


@pytest.fixture(scope="module")
def executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_oracle(inputs(TINY), ["-w"], tmp_path_factory.mktemp("tiny")).output


@pytest.fixture(scope="module")
def stripped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_oracle(inputs(TINY), ["-s", "-w"], tmp_path_factory.mktemp("tiny")).output


@pytest.fixture(scope="module")
def go_object(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    return link_oracle(inputs(table()["plugin"]), ["-w"], folder, external=True).tmpdir / "go.o"


def changed(
    file: Path, folder: Path, section: str, offset: Callable[[elfread.Elf, int], int]
) -> list[str]:
    """Flip a bit in a section of a copy; what is said."""
    read = elfread.read(file)
    index = read.index(section)
    assert index is not None
    data = bytearray(file.read_bytes())
    data[int(read.sections[index]["offset"]) + offset(read, index)] ^= 1
    other = folder / "changed"
    other.write_bytes(data)
    return list(differences(file, other))


def place(symbol: str, more: int) -> Callable[[elfread.Elf, int], int]:
    """The offset in its section of a place in a symbol."""

    def offset(read: elfread.Elf, index: int) -> int:
        value = int(read.symbols.records["value"][read.symbols.names.index(symbol)])
        return value + more - (0 if read.relocatable else int(read.sections[index]["addr"]))

    return offset


def test_same_file(executable: Path) -> None:
    assert list(differences(executable, executable)) == []
    assert compare.main([str(executable), str(executable)]) == 0


@pytest.fixture(scope="module")
def debug_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same program with its debug sections compressed, and plain."""
    folder = tmp_path_factory.mktemp("debug")
    flags: dict[str, list[str]] = {"compressed": [], "plain": ["-compressdwarf=false"]}
    files = [link_oracle(inputs(TINY), flags[name], folder / name).output for name in flags]
    return files[0], files[1]


def test_compression_is_no_difference(debug_pair: tuple[Path, Path]) -> None:
    """Unless it is asked for bytes: then it is one."""
    names = [str(file) for file in debug_pair]
    assert list(differences(*debug_pair)) == []
    assert compare.main(names) == 0
    assert compare.main([*names, "--bytes", "--quiet"]) == 1


@pytest.mark.parametrize("section", [".debug_info", ".debug_line", ".symtab"])
def test_sees_into_compressed_files(
    debug_pair: tuple[Path, Path], section: str, tmp_path: Path
) -> None:
    """A changed byte is found in a section that is compressed in one file, and in one behind it."""
    compressed, plain = debug_pair
    changed(plain, tmp_path, section, lambda *_: 0x31)
    text = "\n".join(differences(compressed, tmp_path / "changed"))
    assert f"{section}: 1 of" in text
    assert "section header" not in text


def test_compressed_section_that_is_damaged(debug_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """It cannot be read: said so, with the section's name."""
    with pytest.raises(InputError, match=r"\.debug_info"):
        changed(debug_pair[0], tmp_path, ".debug_info", lambda *_: 0x131)
    assert compare.main([str(debug_pair[0]), str(tmp_path / "changed")]) == 2


def test_names_the_function(executable: Path, tmp_path: Path) -> None:
    text = "\n".join(changed(executable, tmp_path, ".text", place("main.main", 3)))
    assert "main.main+0x3" in text
    assert ".text: 1 of" in text


def test_names_the_field_of_the_module_data(executable: Path, tmp_path: Path) -> None:
    place_ = place("runtime.firstmoduledata", 0x88)
    text = "\n".join(changed(executable, tmp_path, ".go.module", place_))
    assert "moduledata.ftab (length)" in text


def test_names_the_sub_table_and_the_function(executable: Path, tmp_path: Path) -> None:
    """In .gopclntab: the third word of a function's record is its args."""

    def args_of_main(read: elfread.Elf, index: int) -> int:
        from linkpipe.compare.golang import Pclntab

        pclntab = Pclntab.read(read, index)
        assert pclntab is not None
        names = [pclntab.function(i) for i in range(pclntab.functions)]
        record = int(pclntab.functab[names.index("main.main"), 1])
        return pclntab.starts["functab"] + record + 8

    text = "\n".join(changed(executable, tmp_path, ".gopclntab", args_of_main))
    assert "functab differs in 1 bytes" in text
    assert "args of function" in text
    assert "main.main" in text


def test_names_the_entry_of_the_symbol_table(executable: Path, tmp_path: Path) -> None:
    def size(read: elfread.Elf, _: int) -> int:
        return read.symbols.names.index("main.main") * 24 + 16

    text = "\n".join(changed(executable, tmp_path, ".symtab", size))
    assert "symbols of another size: 1" in text
    assert ".symtab: 1 of" in text
    assert "main.main" in text


def test_names_the_relocation(go_object: Path, tmp_path: Path) -> None:
    text = "\n".join(changed(go_object, tmp_path, ".rela.text", lambda *_: 24 * 7 + 16))
    assert ".rela.text: 1 of" in text
    assert "entry 7, first" in text
    assert ", in " in text


def test_names_the_header(executable: Path, tmp_path: Path) -> None:
    data = bytearray(executable.read_bytes())
    data[24] ^= 1
    (tmp_path / "changed").write_bytes(data)
    text = "\n".join(differences(executable, tmp_path / "changed"))
    assert "ELF header: entry is" in text


def test_borrows_symbols(stripped: Path, executable: Path, tmp_path: Path) -> None:
    """A stripped file's places are named by its unstripped twin."""
    at = elfread.read(stripped)
    text = at.index(".text")
    assert text is not None
    data = bytearray(stripped.read_bytes())
    offset = place("main.main", 5)(elfread.read(executable), text)
    data[int(at.sections[text]["offset"]) + offset] ^= 1
    (tmp_path / "changed").write_bytes(data)
    told = differences(stripped, tmp_path / "changed", executable)
    assert "main.main+0x5" in "\n".join(told)


def test_symbols_that_one_file_lacks(go_object: Path, tmp_path: Path) -> None:
    other = tmp_path / "go.o"
    subprocess.run(
        ["objcopy", "--strip-symbol=go:link.addmoduledatainit", go_object, other], check=True
    )
    text = "\n".join(differences(go_object, other))
    assert "symbols in the first file only: 1" in text
    assert "go:link.addmoduledatainit at" in text


@pytest.mark.parametrize("cut", [10, 63, 100, 5000])
def test_damaged_file(executable: Path, tmp_path: Path, cut: int) -> None:
    """A file that is cut off is an error (status 2), never a traceback."""
    (tmp_path / "cut").write_bytes(executable.read_bytes()[:cut])
    assert compare.main([str(executable), str(tmp_path / "cut")]) == 2


def test_no_elf_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cannot be read, so 2 and not 1 as the help says; but what is the same is the same."""
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    assert compare.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "not an ELF file" in capsys.readouterr().err
    assert compare.main([str(tmp_path / "a"), str(tmp_path / "a")]) == 0


def test_missing_file(tmp_path: Path) -> None:
    assert compare.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 2


@pytest.mark.parametrize("program", ["hello-386", "hello-s390x"])
def test_names_things_in_files_of_other_machines(program: str, tmp_path: Path) -> None:
    """Of another word size, of another byte order."""
    linked = link_oracle(inputs(table()[program]), ["-w"], tmp_path).output
    word = 8 if elfread.read(linked).elf_class == 2 else 4
    where = place("runtime.firstmoduledata", 17 * word)
    assert "moduledata.ftab (length)" in "\n".join(changed(linked, tmp_path, ".go.module", where))
    told = "\n".join(changed(linked, tmp_path, ".text", place("main.main", 3)))
    assert "main.main+0x3" in told
    assert ".text: 1 of" in told


def test_files_that_come_through_pipes(executable: Path, stripped: Path) -> None:
    """As a shell's <(COMMAND): each can be read once."""
    feeds = [
        subprocess.Popen(["cat", file], stdout=subprocess.PIPE) for file in (executable, stripped)
    ]
    paths = [f"/dev/fd/{feed.stdout.fileno()}" for feed in feeds if feed.stdout]
    (first, *_) = differences(Path(paths[0]), Path(paths[1]))
    for feed in feeds:
        feed.communicate()
    sizes = executable.stat().st_size, stripped.stat().st_size
    assert first.startswith(f"{paths[0]} and {paths[1]} differ: {sizes[0]} bytes, then {sizes[1]}")
