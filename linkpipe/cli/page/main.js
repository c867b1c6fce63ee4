// The page: reads its data, fills the sections, and listens.

const byId = (id) => document.getElementById(id);

/** The theme: the system's, or the one chosen before. */
function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const choice = byId("theme");
  const kept = { get value() { try { return localStorage.getItem("linkpipe-theme") ?? ""; } catch { return ""; } },
    set value(name) { try { localStorage.setItem("linkpipe-theme", name); } catch { /* a page from a file may not keep anything */ } } };
  const show = () => {
    document.documentElement.dataset.theme = choice.value || (dark.matches ? "dark" : "light");
    for (const chart of charts) chart.redraw();
  };
  choice.value = kept.value;
  choice.addEventListener("change", () => { kept.value = choice.value; show(); });
  dark.addEventListener("change", show);
  show();
}

function facts(programs) {
  byId("facts").append(...programs.map((program) => element("li", {},
    element("strong", {}, program.name), ` ${program.program}, ${short(program.total)} `
    + `(${number.format(program.total)} bytes), ${program.go}, linux/${program.goarch}, `
    + `-buildmode=${program.buildmode}, ${number.format(program.symbols.name.length)} symbols`)));
}

function sizes(programs, choose) {
  const views = columns("size", programs).map((place, at) =>
    new SizeView(place, programs[at], (row) => choose(programs[at].symbols.name[row])));
  const colours = () => legend(views.every((view) =>
    view.measure !== RETAINED && view.place.length > 1));
  for (const view of views) view.onopen = colours;
  colours();
  document.querySelector("#size form").addEventListener("change", ({ currentTarget }) => {
    const { arrange, measure } = Object.fromEntries(new FormData(currentTarget));
    byId("measures").disabled = arrange === RETAINED;
    for (const note of document.querySelectorAll("#size .note")) note.hidden = note.dataset.for !== arrange;
    for (const view of views) view.arrange(arrange, measure ?? "size");
  });
}

function search(programs, choose) {
  const field = byId("search");
  let first = "";
  let waiting = 0;
  const look = () => {
    clearTimeout(waiting);
    const found = hits(programs, field.value);
    const names = [...found.keys()].slice(0, HITS);
    [first = ""] = names;
    byId("hits").replaceChildren(...names.map((name) => element("li", {},
      link(name, () => choose(name)), element("span", {}, `${number.format(found.get(name))} bytes`))));
    const shown = found.size > HITS ? `; the first ${HITS} are shown` : "";
    const many = found.size === 1 ? "1 symbol matches" : `${number.format(found.size)} symbols match`;
    byId("found").textContent = field.value.trim() ? `${many}${shown}` : "";
  };
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 150); });
  document.querySelector("#why form").addEventListener("submit", (event) => {
    event.preventDefault();
    look();
    if (first) choose(first);
  });
}

async function start() {
  theme();
  const { programs, changes } = await readAll();
  facts(programs);
  const views = [];
  const choose = (name) => {
    for (const view of views) view.show(name);
    byId("why").scrollIntoView();
    views[0].told.focus({ preventScroll: true });
  };
  await pause();
  sizes(programs, choose);
  await pause();
  columns("why", programs).forEach((place, at) => views.push(new WhyView(place, programs[at], choose)));
  search(programs, choose);
  await pause();
  columns("methods", programs).forEach((place, at) => showMethods(place, programs[at], choose));
  await pause();
  columns("passes", programs).forEach((place, at) => showPasses(place, programs[at]));
  if (changes) {
    byId("changes").hidden = false;
    document.querySelector('a[href="#changes"]').hidden = false;
    const view = new ChangesView(changes, choose);
    document.querySelector("#changes form").addEventListener("change",
      ({ target }) => view.show(target.value));
  }
  await drawing;
  byId("loading").remove();
  document.documentElement.dataset.ready = "";
}

start();
