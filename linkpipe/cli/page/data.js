// The data of the page: one link, or two. Columns stay columns; what belongs to a row is looked up.

const COLUMNS = ["code", "data", "pclntab", "debug", "other"];
const NONE = -1;
const STANDARD = "std";

/** Reads a block of data, and gives the browser a turn: a large one takes a while. */
async function block(id) {
  await pause();
  return JSON.parse(document.getElementById(id).textContent);
}

/** A turn for everything else: no stall is as long as all of the work. */
function pause() {
  return new Promise((done) => setTimeout(done));
}

/** One link. */
class Program {
  constructor(told) {
    Object.assign(this, told);
    for (const parts of [this.modules, this.packages]) {
      parts.size = parts.name.map((_, row) => COLUMNS.reduce((sum, c) => sum + parts[c][row], 0));
    }
    this.packagesOf = rowsBy(this.packages.inside, this.modules.name.length);
    this.symbolsOf = rowsBy(this.symbols.package, this.packages.name.length);
    this.below = rowsBy(this.packages.above, this.packages.name.length);
    this.roots = this.packages.above.flatMap((above, row) =>
      above === NONE && this.packages.retained[row] !== NONE ? [row] : []);
  }

  /** Whose code a package is: "own", "module", "standard", or "other" for what is no package. */
  owner(pkg) {
    const name = this.modules.name[this.packages.inside[pkg]] ?? "";
    if (name === STANDARD) return "standard";
    if (name === this.main) return "own";
    return this.packages.name[pkg].startsWith("(") ? "other" : "module";
  }

  /** The rows of a chain of reasons, from a root to a symbol. */
  chain(row) {
    const found = [];
    for (let at = row; at !== NONE; at = this.symbols.before[at]) found.unshift(at);
    return found;
  }

  /** The symbols whose chains come by a symbol next. */
  after(row) {
    this.following ??= rowsBy(this.symbols.before, this.symbols.name.length);
    return this.following[row];
  }

  /** What keeps a symbol: the kind of reason, what else it takes, and where. */
  reason(row) {
    const { reason, because, file, line, inlined } = this.symbols;
    return {
      kind: this.reasons[reason[row]],
      because: this.texts[because[row]],
      where: file[row] ? `${this.files[file[row]]}:${line[row]}` : "",
      inlined: this.texts[inlined[row]],
    };
  }

  /** The row of the largest symbol of a name, NONE where there is none. */
  find(name) {
    this.byName ??= new Map(this.symbols.name.map((each, row) => [each, row]).reverse());
    return this.byName.get(name) ?? NONE;
  }

  /** The rows of symbols whose names have all these words in them, the best first. */
  search(words) {
    this.lower ??= this.symbols.name.map((name) => name.toLowerCase());
    const whole = words.join(" ");
    const rank = (row) => {
      const name = this.lower[row];
      if (name === whole) return 0;
      return name.endsWith(`.${whole}`) || name.startsWith(whole) ? 1 : 2;
    };
    const found = [];
    this.lower.forEach((name, row) => {
      if (words.every((word) => name.includes(word))) found.push(row);
    });
    // Rows are the largest first, and sorting keeps that.
    const ranks = new Map(found.map((row) => [row, rank(row)]));
    return found.sort((a, b) => ranks.get(a) - ranks.get(b));
  }
}

/** For each of ``count`` values the rows that have it. */
function rowsBy(column, count) {
  const found = Array.from({ length: count }, () => []);
  column.forEach((value, row) => found[value]?.push(row));
  return found;
}

/** Reads all that the page holds. */
async function readAll() {
  const page = await block("data");
  const programs = [];
  for (const id of page.links) {
    const told = await block(id);
    for (const part of page.columns) told.symbols[part] = await block(`${id}-${part}`);
    await pause();
    programs.push(new Program(told));
  }
  return { programs, changes: page.changes };
}
