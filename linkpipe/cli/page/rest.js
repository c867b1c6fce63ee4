// What switched pruning off, the passes, and what changed from one link to another.

/** The causes, each with its chain. */
function showMethods(place, program, choose) {
  const { causes, together } = program.why_no_dce;
  if (!causes.length) {
    place.append(element("p", {}, "Unused methods are dropped: nothing switched that off."));
    return;
  }
  const many = causes.length === 1 ? "1 cause keeps" : `${causes.length} causes keep`;
  place.append(element("p", {}, `Unused methods are not dropped: ${many} ${keeps(together)}.`));
  causes.forEach((cause, at) => {
    const calls = cause.calls ? ` calls ${cause.calls}` : " looks methods up";
    const does = cause.kind === "reflection" ? calls : ": other modules may call any method";
    const picture = element("div", { class: "chart" });
    const list = element("ol", { class: "chain" }, ...cause.chain.map((step, number) => element("li", {},
      program.find(step.target) === NONE ? element("span", { class: "name" }, step.target)
        : link(step.target, () => choose(step.target)),
      element("span", { class: number === cause.own ? "how own" : "how" },
        stepWords(step, true), number === cause.own ? " · here your own code comes to it" : ""))));
    if (cause.kind === "reflection" && cause.chain.length) {
      list.append(element("li", {}, element("span", { class: "name" }, cause.calls || "a look-up"),
        element("span", { class: "how" }, ["look-up", cause.line].filter(Boolean).join(" · "))));
    }
    place.append(
      heading(place, `${at + 1}. ${cause.name}${does}`),
      element("p", {}, causes.length === 1 ? "" : alone(cause)),
      element("div", { class: "side" }, picture, list));
    if (!cause.chain.length) return;
    const last = cause.chain.length - 1;
    const nodes = cause.chain.map((step, number) => ({
      name: step.target,
      how: stepWords(step, false),
      box: boxOf(program, step.target),
      pick: step.target,
      chosen: number === last,
    }));
    if (cause.calls) nodes.push({ name: cause.calls, how: `look-up · ${cause.line.split("/").at(-1)}`, box: "other", pick: cause.calls });
    new Chart(picture, `The chain of the list that follows, from the root down to ${cause.name}`,
      choose).show(chain(nodes));
  });
}

function boxOf(program, name) {
  const row = program.find(name);
  return row === NONE ? "other" : program.owner(program.symbols.package[row]);
}

function stepWords(step, whole) {
  const inlined = step.inlined.map((each) => `${each.function} ${each.line}`).join(", ");
  return words({ kind: step.kind, because: step.because, where: step.line, inlined }, whole);
}

function keeps({ size, symbols, methods }) {
  return `${number.format(size)} bytes in ${number.format(symbols)} symbols, ${number.format(methods)} methods among them`;
}

function alone(cause) {
  return cause.alone.symbols ? `Without it alone would go ${keeps(cause.alone)}.`
    : "Without it alone nothing would go: others keep the same.";
}

/** The plan, and what each pass cost. */
function showPasses(place, program) {
  const { passes } = program;
  const ran = passes.filter((pass) => pass.ran);
  const total = ran.reduce((sum, pass) => sum + pass.seconds, 0);
  const milliseconds = (pass) => (1000 * pass.seconds).toFixed(1);
  const peak = Math.max(0, ...ran.map((pass) => pass.peak));
  place.append(element("p", {},
    `${ran.length} passes took ${total.toFixed(2)} s; at most ${short(peak)} of memory were in use. `,
    `${passes.length - ran.length} had nothing to do in this link.`));
  const picture = element("div", { class: "chart" });
  const row = (at) => {
    const pass = passes[at];
    const cost = pass.ran ? [milliseconds(pass), (pass.peak / 2 ** 20).toFixed(0)] : ["–", "–"];
    return [element("span", { class: "name" }, pass.name), ...cost, pass.why,
      pass.requires.join(" "), pass.provides.join(" ")];
  };
  const plan = table("The plan: passes in order, and those that had nothing to do",
    ["Pass", "ms", "peak MiB", "what for", "requires", "provides"], 2, passes.length, row);
  place.append(picture, plan);
  const rows = ran.map((pass) => ({ name: pass.name, value: 1000 * pass.seconds, text: `${milliseconds(pass)} ms` }));
  new Chart(picture, "What each pass of the table that follows took", () => {}).show(bars(rows, "ms"));
}

const BARS = 20;

/** What changed, by module, package or symbol. */
class ChangesView {
  constructor(changes, choose) {
    this.changes = changes;
    this.choose = choose;
    const place = document.getElementById("difference");
    this.told = document.getElementById("changed");
    this.chart = new Chart(element("div", { class: "chart" }), "The largest changes of the table that follows", () => {});
    this.rows = element("div");
    place.append(this.chart.place, this.rows);
    this.show("packages");
  }

  show(by) {
    const { before, after, difference, percent, changes } = this.changes[by];
    this.told.textContent = `${number.format(before)} → ${number.format(after)} bytes: `
      + `${signed(difference)} (${percent > 0 ? "+" : ""}${percent} %).`;
    this.chart.place.hidden = !changes.length;
    const unit = unitOf(Math.max(...changes.map((each) => Math.abs(each.difference))));
    this.chart.show(bars(changes.slice(0, BARS).map((each) => ({
      name: each.name,
      value: each.difference / 1024 ** unit,
      text: `${signed(each.difference)} bytes`,
      box: each.difference > 0 ? "data" : "module",
    })), UNITS[unit]));
    const name = (each) => by === "symbols" ? link(each.name, () => this.choose(each.name))
      : element("span", { class: "name" }, each.name);
    this.rows.replaceChildren(table("Changes, the largest first", ["Name", "difference", "before", "after", "change"],
      3, changes.length, (at) => {
        const each = changes[at];
        return [name(each), signed(each.difference), amount(each.before), amount(each.after), each.change];
      }));
  }
}

function signed(bytes) {
  return `${bytes > 0 ? "+" : ""}${number.format(bytes)}`;
}
