// Why it is there: a search, and for the symbol that was chosen the chain of reasons.

const HITS = 20;
const BRANCHES = 6;

class WhyView {
  /** ``choose(name)`` is called for a symbol of the chain. */
  constructor(place, program, choose) {
    this.program = program;
    this.choose = choose;
    this.told = element("p", { tabindex: "-1" }, "Choose a symbol.");
    this.picture = new Chart(element("div", { class: "chart" }), "", (name) => choose(name));
    this.list = element("div");
    this.side = element("div", { class: "side", hidden: true }, this.picture.place, this.list);
    place.append(this.told, this.side);
  }

  show(name) {
    const { program } = this;
    const row = program.find(name);
    this.side.hidden = row === NONE;
    if (row === NONE) {
      this.told.textContent = `${name} is not in this link.`;
      return;
    }
    const { symbols } = program;
    const rows = program.chain(row);
    const left = symbols.retained[row];
    this.told.replaceChildren(element("strong", { class: "name" }, name),
      ` is ${number.format(symbols.size[row])} bytes (${program.kinds[symbols.kind[row]]}) of `,
      element("span", { class: "name" }, program.packages.name[symbols.package[row]]),
      left === NONE ? "." : `; about ${number.format(left)} would leave with it.`);
    const after = program.after(row);
    this.draw(rows, after);
    this.write(rows, after);
  }

  draw(rows, after) {
    const { program } = this;
    const node = (row, more) => ({
      name: program.symbols.name[row],
      how: words(program.reason(row), false),
      box: program.owner(program.symbols.package[row]),
      pick: program.symbols.name[row],
      ...more,
    });
    const nodes = rows.map((row, at) => node(row, { chosen: at === rows.length - 1 }));
    const branches = after.slice(0, BRANCHES).map((row) => node(row, { branch: true }));
    if (branches.length) branches[0].how = `${number.format(after.length)} come by it next`;
    this.picture.place.setAttribute("aria-label",
      `The chain of ${rows.length} symbols of the list that follows, from the root down`);
    this.picture.show(chain([...nodes, ...branches]));
  }

  write(rows, after) {
    const { program } = this;
    const item = (row, current) => {
      const told = program.reason(row);
      const name = program.symbols.name[row];
      return element("li", {},
        link(name, () => this.choose(name), current ? { "aria-current": "true" } : {}),
        element("span", { class: "how" }, words(told, true)));
    };
    const parts = [
      heading(this.side, "The chain, from the root"),
      element("ol", { class: "chain" }, ...rows.map((row, at) => item(row, at === rows.length - 1))),
    ];
    if (after.length) {
      const most = after.slice(0, HITS);
      parts.push(
        heading(this.side, `What comes by it next: ${number.format(after.length)}`),
        element("ol", { class: "chain" }, ...most.map((row) => item(row, false))));
    }
    this.list.replaceChildren(...parts);
  }
}

/** A reason in words. */
function words({ kind, because, where, inlined }, whole) {
  const place = whole ? where : where.split("/").at(-1);
  const parts = [kind, place, whole && inlined ? `inlined ${inlined}` : "", because];
  return parts.filter(Boolean).join(" · ");
}

/** Names that have all words in them: of each link the best, the first link's first. */
function hits(programs, text) {
  const asked = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = new Map();
  if (!asked.length) return found;
  for (const program of programs) {
    for (const row of program.search(asked)) {
      const name = program.symbols.name[row];
      if (!found.has(name)) found.set(name, program.symbols.size[row]);
    }
  }
  return found;
}
