"""What errors mean: their causes and what to do, by code or by what was printed.

One page for each class of linkpipe's errors, and on it what the messages of that class are about.
The words of a message are the oracle's where it has the same error, so what `go build` printed is
found, too, whichever of the two linked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from linkpipe.errors import (
    HostLinkError,
    InputError,
    LinkErrors,
    LinkpipeError,
    MissingFact,
    ObserverError,
    OptionError,
    PassError,
    PipelineError,
    Refused,
    UserError,
)
from linkpipe.values import Value, record


@record
class Topic(Value):
    """What some messages are about.

    Attributes:
        title: in words.
        pattern: a regular expression that is found in such messages.
        cause, cure: why it happens, and what to do.
    """

    title: str
    pattern: str
    cause: str
    cure: str


@record
class Page(Value):
    """A class of errors.

    Attributes:
        code: "LP201".
        title: what the class is.
        cause, cure: of all of them.
        topics: what there is to say of some.
    """

    code: str
    title: str
    cause: str
    cure: str
    topics: tuple[Topic, ...] = ()


PAGES = (
    Page(
        LinkpipeError.code,
        "An error of linkpipe itself",
        "Something that belongs to linkpipe, and not to the link, is not as it should be.",
        "Do what the last line of the message says.",
        (
            Topic(
                "A kernel is not compiled",
                r"the kernel \w+ (is not|was) compiled",
                "Loops over symbols are compiled when linkpipe is installed. They are not "
                "there for "
                "this Python, or their source has changed since.",
                "Install linkpipe again with pip; in its source tree, run `make kernels`.",
            ),
        ),
    ),
    Page(
        UserError.code,
        "What was asked for cannot be done",
        "The program, or the question, asks for something that there is not.",
        "The message names it. Where it is a name, the line below it has those that are like it.",
        (
            Topic(
                "A symbol is not defined",
                r"relocation target .+ not defined|function main is undeclared in the main package",
                "Something refers to a function or a variable that no package defines: a function "
                "without a body whose assembly is not built for this architecture or is left "
                "out by "
                "a build tag, a go:linkname to what is not there in this release of Go, or an "
                "archive that was built from other source than the rest.",
                "`linkpipe why` shows who refers to what. Define it, or correct the go:linkname; "
                "`go build -a` builds all archives anew.",
            ),
            Topic(
                "A go:linkname is refused",
                r"invalid reference to ",
                "A package may refer by go:linkname only to what the standard "
                "library "
                "offers for it.",
                "Use what the package exports. Until then, -ldflags=-checklinkname=0 lets it pass.",
            ),
            Topic(
                "A symbol is defined twice",
                r"duplicated definition of symbol|multiple definition",
                "Two packages define the same name: by go:linkname, in assembly, or one "
                "package was "
                "compiled twice, with different flags.",
                "Rename or remove one; `go build -a` if a package was built twice.",
            ),
            Topic(
                "Stack that must not grow is too small",
                r"nosplit stack (overflow|over )",
                "A chain of functions marked go:nosplit, which may not grow the stack, needs more "
                "than there is. Instrumentation and unoptimised code need more.",
                "Take go:nosplit off one of the chain, or make its frame smaller.",
            ),
            Topic(
                "The go command failed",
                r"linkpipe.*go (build|install) |cannot find the go command",
                "linkpipe lets the go command compile a package, and it did not.",
                "What it printed stands in the message. LINKPIPE_GO names another go command.",
            ),
            Topic(
                "No such name",
                r"no symbol, package or module is named|nothing of .+ refers to",
                "The question names something that is not in the program.",
                "`go tool nm` lists a program's symbols; patterns have * and ?.",
            ),
            Topic(
                "The Go version is not known",
                r"cannot tell the Go version",
                "A link by hand has neither a toolchain nor archives that say which release wrote "
                "them.",
                "Set GOROOT to the toolchain's folder (`go env GOROOT`).",
            ),
        ),
    ),
    Page(
        OptionError.code,
        "A flag is wrong",
        "A flag of the link is not known, has no such value, excludes another, or is not "
        "supported.",
        "`linkpipe link -h` lists the flags. Where a flag is not supported, use `go tool link`.",
        (
            Topic(
                "A flag is not supported",
                r"is not supported",
                "linkpipe links executables and plugins for Linux; some flags belong to what it "
                "does not do.",
                "Leave the flag out, or link with `go tool link`.",
            ),
            Topic(
                "An unknown flag",
                r"flag provided but not defined",
                "There is no such flag in this release of Go.",
                "`linkpipe link -h` lists those that there are.",
            ),
        ),
    ),
    Page(
        HostLinkError.code,
        "The host linker failed",
        "A program with C in it, or a plugin, is finished by the C compiler's linker. It is not "
        "there, or it failed.",
        "What it printed stands in the message, and the command, which can be run by hand.",
        (
            Topic(
                "A library is missing",
                r"cannot find -l|undefined reference to|ld returned \d",
                "The C linker does not find a library or a function that C code in the "
                "program uses.",
                "Install the library's development package, or name it with #cgo LDFLAGS.",
            ),
            Topic(
                "No C compiler",
                r"executable file not found in \$PATH",
                "There is no C compiler, or not the one that is named.",
                "Install one, or name it: CC for the go command, -extld for a link by hand. "
                "CGO_ENABLED=0 builds without, where the program can do without C.",
            ),
        ),
    ),
    Page(
        Refused.code,
        "What is linked is forbidden by a rule",
        "Somebody has put a gate into the pipeline: a policy, a limit, a check of the finished "
        "file. The link itself could be done.",
        "The message says which rule it is. Do without what it forbids, or change the rule; "
        "`linkpipe passes` shows which passes take part.",
    ),
    Page(
        InputError.code,
        "An input is damaged, or does not fit",
        "A file that the link reads is cut short, damaged, of another version of Go, or does not "
        "belong to the others.",
        "`go clean -cache` and a new build make archives anew. The message names file, symbol and "
        "offset, and what was expected and found there.",
        (
            Topic(
                "Packages do not fit each other",
                r"fingerprint mismatch|package \S+ has |object is \[.*expected",
                "A package was compiled with another version of what it imports, or by another "
                "release of Go.",
                "Build them all with one toolchain: `go build -a`.",
            ),
            Topic(
                "A plugin and its host do not fit",
                r"plugin was built with a different version of package",
                "The plugin and the program that opens it were not built from the same source, by "
                "the same Go, with the same flags.",
                "`linkpipe plugin-check HOST PLUGIN` names all packages that differ, and why.",
            ),
            Topic(
                "No file of the kind that is wanted",
                r"not an ELF file|not package main|no saved link|not an object file",
                "The file is something else than it should be.",
                "Name another one. A saved link is written by `linkpipe save`.",
            ),
            Topic(
                "A file changed",
                r"file changed while it was being linked",
                "Somebody wrote a package anew while it was read.",
                "Link again, when nothing else builds.",
            ),
        ),
    ),
    Page(
        LinkErrors.code,
        "Several errors",
        "Errors that do not keep others from being found are collected and shown together.",
        "Begin with the first one: those that follow may be its consequences.",
    ),
    Page(
        PipelineError.code,
        "A pipeline cannot be run",
        "A pipeline file names a pass that is not installed, an option that it has not, or an "
        "order "
        "in which a pass lacks what it needs. Nothing was read yet.",
        "The message has the line of the file. `linkpipe passes --installed` lists what there is.",
    ),
    Page(
        MissingFact.code,
        "A fact is not known yet",
        "Something was asked of a link that no pass has established: it ran not far enough, or a "
        "pass asks for what it does not require.",
        "The message names the passes that provide it: let the link run further, or add the fact "
        "to the pass's `requires`.",
    ),
    Page(
        PassError.code,
        "A pass is wrong",
        "A pass crashed, or did what it has not declared. That is no fault of the program.",
        "Report it to whoever maintains the pass: the message names the distribution. "
        "LINKPIPE_DEBUG=1 shows the traceback; `linkpipe save` makes a file that repeats the link.",
    ),
    Page(
        ObserverError.code,
        "An observer failed",
        "Something that watches the link (a dump, a log, a check of tables) failed; the link "
        "was as "
        "it should be.",
        "Leave the observer out, or give it what it needs, such as a folder that can be "
        "written to.",
    ),
)
"""One for each class of linkpipe.errors, by code."""


@record
class Explanation(Value):
    """What is said of one thing that was asked: a page, and the topics that it is about, all of
    the page's where it was asked for by code."""

    code: str
    title: str
    cause: str
    cure: str
    topics: tuple[Topic, ...]


def explain(text: str) -> tuple[Explanation, ...]:
    """What a code, or a text that was printed, is about: nothing where nothing is known."""
    code = text.strip().upper()
    whole = tuple(_explanation(page, page.topics) for page in PAGES if page.code == code)
    return whole or tuple(_found(text))


def _found(text: str) -> Iterator[Explanation]:
    for page in PAGES:
        topics = tuple(each for each in page.topics if re.search(each.pattern, text))
        if topics or re.search(rf"\b{page.code}\b", text):
            yield _explanation(page, topics)


def _explanation(page: Page, topics: tuple[Topic, ...]) -> Explanation:
    return Explanation(page.code, page.title, page.cause, page.cure, topics)
