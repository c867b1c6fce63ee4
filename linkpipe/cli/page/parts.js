// Elements, numbers and tables.

/** An element with attributes and content; text is always text, whatever is in it. */
function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...content);
  return made;
}

const number = new Intl.NumberFormat("en");

const UNITS = ["B", "KiB", "MiB", "GiB"];

/** The unit for so many bytes: its place in UNITS. */
function unitOf(bytes) {
  return Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(Math.abs(bytes), 1)) / 10));
}

/** Bytes in three digits or so. */
function short(bytes) {
  const at = unitOf(bytes);
  const value = bytes / 1024 ** at;
  return `${value.toFixed(at && Math.abs(value) < 100 ? 1 : 0)} ${UNITS[at]}`;
}

/** The end of a long name: what tells it from others. */
function end(name, count) {
  return name.length > count ? `…${name.slice(1 - count)}` : name;
}

/** A button that looks like a name. */
function link(text, onclick, attributes = {}) {
  return element("button", { type: "button", class: "name", onclick, ...attributes }, text);
}

const ROWS = 25;

/** A table whose first column is a name and whose others are numbers (``numeric`` of them) and
    text; the rest of many rows is shown when it is asked for. ``row(i)`` gives the cells. */
function table(caption, titles, numeric, count, row) {
  const body = element("tbody");
  const head = element("tr", {}, ...titles.map((title, at) =>
    element("th", { scope: "col", class: at && at <= numeric ? "number" : "text" }, title)));
  const more = element("button", { type: "button" });
  const show = (until) => {
    const first = body.rows.length;
    for (let at = first; at < Math.min(until, count); at++) {
      const [name, ...cells] = row(at);
      body.append(element("tr", {}, element("th", { scope: "row" }, name),
        ...cells.map((cell, i) => element("td", { class: i < numeric ? "number" : "text" }, cell))));
    }
    const left = count - body.rows.length;
    const next = Math.min(left, 20 * ROWS);
    more.textContent = `Show ${number.format(next)}${next < left ? ` of ${number.format(left)}` : ""} more`;
    more.hidden = left <= 0;
    if (first) body.rows[first]?.querySelector("button, a")?.focus();
  };
  more.addEventListener("click", () => show(body.rows.length + 20 * ROWS));
  show(ROWS);
  const whole = element("table", {}, element("caption", {}, caption), element("thead", {}, head), body);
  return element("div", {}, element("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": caption }, whole), more);
}

/** The heading below that of a section, or below that of a link in it. */
function heading(place, text) {
  return element(place.closest(".two") ? "h4" : "h3", {}, text);
}

/** A place for each link in a section, beside one another where there are two. */
function columns(section, programs) {
  const place = document.querySelector(`#${section} .programs`);
  place.classList.add(programs.length > 1 ? "two" : "one");
  return programs.map((program) => {
    const content = element("div", { class: "content" });
    const title = programs.length > 1 ? [element("h3", {}, program.name)] : [];
    place.append(element("article", { class: "program" }, ...title, content));
    return content;
  });
}
