// Where the bytes go: boxes, and the table of the same rows, by which the keyboard goes down.

const OWNERS = {
  own: "the program's own module",
  module: "other modules",
  standard: "the standard library",
  other: "no package",
};
const KIND_BOX = {
  code: "own",
  types: "standard",
  strings: "module",
  "read-only data": "constant",
  data: "data",
};
const RETAINED = "retained";

class SizeView {
  /** ``choose(row)`` is called for a symbol. */
  constructor(place, program, choose) {
    this.program = program;
    this.choose = choose;
    this.path = element("ol", { class: "path", "aria-label": `Where in ${program.name}` });
    // A thousand boxes and their labels would be as many elements of a document.
    this.chart = new Chart(element("div", { class: "chart treemap" }), "", (to) => this.open(to),
      "canvas");
    this.rows = element("div");
    place.append(this.path, this.chart.place, this.rows);
    this.arrange("module", "size");
  }

  arrange(how, measure) {
    this.measure = how === RETAINED ? RETAINED : measure;
    this.open([]);
  }

  /** Show what is in a place: [] for all, [module], [module, package]; by what would leave
      [package, package, …], each inside the one before. */
  open(place) {
    if (place.symbol !== undefined) return this.choose(place.symbol);
    this.place = place;
    const inside = this.inside();
    this.showPath();
    this.chart.place.setAttribute("aria-label",
      `Boxes for the ${inside.length} rows of the table that follows`);
    this.chart.show(treemap(inside.map((each) => this.node(each)), (data) => this.text(data)));
    this.rows.replaceChildren(this.table(inside));
    this.onopen?.(this.place);
    return undefined;
  }

  /** The rows of a place, the largest first: {kind, row, to}. */
  inside() {
    const { program, place } = this;
    let found;
    if (this.measure === RETAINED) {
      const at = place.at(-1);
      const rows = at === undefined ? program.roots : program.below[at];
      found = rows.map((row) => ({ kind: "packages", row, to: [...place, row] }));
      if (at !== undefined) found.push({ kind: "itself", row: at, to: [...place] });
    } else if (place.length === 0) {
      found = program.modules.name.map((_, row) => ({ kind: "modules", row, to: [row] }));
    } else if (place.length === 1) {
      found = program.packagesOf[place[0]].map((row) =>
        ({ kind: "packages", row, to: [place[0], row] }));
    } else {
      found = program.symbolsOf[place[1]].map((row) =>
        ({ kind: "symbols", row, to: { symbol: row } }));
    }
    // One package that is all of its module, as what has no package: its symbols at once.
    if (place.length === 1 && found.length === 1 && this.measure !== RETAINED) {
      this.place = found[0].to;
      return this.inside();
    }
    return found.map((each) => ({ ...each, value: this.value(each) }))
      .filter((each) => each.value > 0).sort((a, b) => b.value - a.value);
  }

  value({ kind, row }) {
    const { packages, symbols } = this.program;
    if (kind === "itself") return packages.code[row] + packages.data[row];
    if (kind !== "symbols") return this.program[kind][this.measure][row];
    if (this.measure === "size") return symbols.size[row];
    return this.column(row) === this.measure ? symbols.size[row] : 0;
  }

  /** The column that a symbol's bytes are counted in. */
  column(row) {
    const kind = this.program.kinds[this.program.symbols.kind[row]];
    return { code: "code", pclntab: "pclntab" }[kind] ?? "data";
  }

  name({ kind, row }) {
    return kind === "itself" ? "(itself)" : this.program[kind].name[row];
  }

  box({ kind, row }) {
    const { program } = this;
    if (kind === "symbols") return KIND_BOX[program.kinds[program.symbols.kind[row]]] ?? "other";
    if (kind === "modules") return program.owner(program.packagesOf[row][0]);
    return program.owner(row);
  }

  /** A box, and those in it, one level down. */
  node(each, deep = false) {
    const node = { name: this.name(each), value: each.value, box: this.box(each), pick: each.to };
    if (each.kind === "itself" || each.kind === "symbols" || deep) return node;
    if (each.kind === "packages" && this.measure !== RETAINED) return node;
    const view = Object.create(this, { place: { value: each.to, writable: true } });
    const inside = view.inside().filter((inner) => inner.kind !== "symbols");
    if (inside.length > 1) node.children = inside.map((inner) => this.node(inner, true));
    return node;
  }

  text(data) {
    const whole = this.measure === RETAINED ? "" : ` (${share(data.value, this.program.total)} of the file)`;
    return `${data.name}\n${number.format(data.value)} bytes${whole}`;
  }

  showPath() {
    const { program, place } = this;
    const steps = [["all of it", []]];
    place.forEach((row, at) => {
      const kind = this.measure !== RETAINED && at === 0 ? "modules" : "packages";
      const name = program[kind].name[row];
      if (steps.at(-1)[0] !== name) steps.push([name, place.slice(0, at + 1)]);
    });
    this.path.replaceChildren(...steps.map(([name, to], at) => element("li", {},
      at === steps.length - 1 ? element("span", { class: "name", "aria-current": "true" }, name)
        : link(name, () => { this.open(to); this.path.querySelector("[aria-current]").focus(); }))));
    const last = this.path.querySelector("[aria-current]");
    last.tabIndex = -1;
  }

  table(inside) {
    const { program } = this;
    const symbols = inside[0]?.kind === "symbols";
    const titles = { size: "all", code: "code", data: "data", pclntab: "line tables", debug: "debug" };
    if (this.measure === RETAINED) { delete titles.pclntab; delete titles.debug; }
    if (symbols) for (const each of COLUMNS) delete titles[each];
    const row = (at) => {
      const { kind, row: i, to } = inside[at];
      const columns = program[kind === "itself" ? "packages" : kind];
      const name = kind === "itself" ? "(itself)" : link(columns.name[i], () => {
        this.open(to);
        if (kind !== "symbols") this.path.querySelector("[aria-current]").focus();
      });
      const cells = Object.keys(titles).map((each) => amount(columns[each][i]));
      cells.push(kind === "itself" || columns.retained[i] === NONE ? "" : `≈${number.format(columns.retained[i])}`);
      return [name, ...cells, ...(symbols ? [program.kinds[columns.kind[i]]] : [])];
    };
    const what = symbols ? "Symbols; each leads to why it is there" : "What is here, in bytes";
    const heads = ["Name", ...Object.values(titles), "retained", ...(symbols ? ["kind"] : [])];
    return table(what, heads, Object.keys(titles).length + 1, inside.length, row);
  }
}

function amount(bytes) {
  return bytes ? number.format(bytes) : "–";
}

function share(part, whole) {
  return `${(100 * part / whole).toFixed(1)} %`;
}

/** What the colours mean, for packages or for symbols. */
function legend(symbols) {
  const words = symbols
    ? [...Object.entries(KIND_BOX).map(([kind, box]) => [box, kind]), ["other", "other"]]
    : Object.entries(OWNERS);
  document.getElementById("legend").replaceChildren(...words.map(([box, word]) =>
    element("li", { style: `--box: var(--box-${box})` }, word)));
}
