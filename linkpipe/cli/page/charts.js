// Charts: options for ECharts, which draws all of them, as SVG where there are few shapes. Each has a table or a list beside it
// that says the same and takes the keyboard, so to a screen reader it is one picture.

const charts = new Set();
let drawing = Promise.resolve();

/** A colour of the style sheet. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const FONT = "system-ui, sans-serif";
const MONO = 'ui-monospace, "DejaVu Sans Mono", monospace';

/** A chart in an element. ``option(width)`` is asked again when the width or the theme changes. */
class Chart {
  constructor(place, label, onpick, renderer = "svg") {
    this.place = place;
    this.renderer = renderer;
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", label);
    this.onpick = onpick;
    charts.add(this);
    new ResizeObserver(() => this.resize()).observe(place);
  }

  /** Draw, in a turn of its own: several charts at once would be a stall. */
  show(option) {
    this.option = option;
    this.redraw();
  }

  resize() {
    if (this.width && this.place.clientWidth !== this.width) this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    drawing = drawing.then(pause).then(() => { this.waiting = false; this.draw(); });
  }

  draw() {
    this.width = this.place.clientWidth;
    if (!this.option || !this.width) return;
    const option = this.option(this.width, this.place.clientHeight);
    if (option.height) this.place.style.height = `${option.height}px`;
    if (!this.drawn) {
      this.drawn = echarts.init(this.place, null, { renderer: this.renderer });
      this.drawn.on("click", ({ data }) => data?.pick !== undefined && this.onpick(data.pick));
    }
    // It draws what was there again, so only where the size is another.
    const { clientWidth, clientHeight } = this.place;
    if (this.drawn.getWidth() !== clientWidth || this.drawn.getHeight() !== clientHeight) this.drawn.resize();
    this.drawn.setOption({ animation: false, textStyle: { fontFamily: FONT }, ...option.chart }, true);
  }
}

/** What a box shows when the mouse is on it: text alone. */
function tooltip(text) {
  return {
    confine: true,
    backgroundColor: colour("ground"),
    borderColor: colour("line"),
    textStyle: { color: colour("text"), fontSize: 13 },
    formatter: ({ data }) => {
      const box = element("div", { style: "max-width: 24rem; white-space: pre-wrap; overflow-wrap: anywhere" });
      box.textContent = text(data);
      return box;
    },
  };
}

const LETTER = 6.6;
const SEEN = 200;
/** Pixels of a box that can be told from others. */

/** Whether a box has room for so many letters: a square of its area, and a bit less, would. */
function fits(area, letters) {
  return 0.8 * Math.sqrt(area) > letters * LETTER + 8;
}

/** Boxes in boxes, the largest first. A node: {name, value, box (a colour), pick, children}. */
function treemap(nodes, text) {
  return (width, height) => {
    const total = nodes.reduce((sum, node) => sum + node.value, 0);
    const line = { borderColor: colour("ground"), borderWidth: 1, gapWidth: 1 };
    const room = (node) => width * height * node.value / total;
    // What is too small to be seen is one box.
    const cut = (some) => {
      const seen = some.filter((node) => room(node) >= SEEN);
      const rest = some.slice(seen.length);
      if (rest.length < 2) return some;
      const value = rest.reduce((sum, node) => sum + node.value, 0);
      return [...seen, { name: `(${number.format(rest.length)} smaller)`, value, box: "other" }];
    };
    const dress = (node) => ({
      ...node,
      itemStyle: node.children ? { ...line, color: colour(`box-${node.box}`), borderColor: colour(`box-${node.box}`), borderWidth: 2 }
        : { ...line, color: colour(`box-${node.box}`) },
      label: { show: fits(room(node), Math.min(node.name.length, 12)) },
      children: node.children && cut(node.children).map(dress),
    });
    const label = { color: "#ffffff", fontSize: 12, lineHeight: 16, overflow: "truncate", ellipsis: "…" };
    const top = { ...label, height: 20, fontWeight: 600, padding: [0, 4] };
    return {
      chart: {
        tooltip: tooltip(text),
        series: [{
          type: "treemap",
          // It is animated by itself, of which each frame draws all boxes.
          animation: false,
          animationDurationUpdate: 0,
          left: 0, right: 0, top: 0, bottom: 0,
          roam: false,
          nodeClick: false,
          breadcrumb: { show: false },
          visibleMin: 30,
          childrenVisibleMin: 900,
          label: { ...label, position: [5, 4], formatter: ({ data }) => fits(room(data), 9) ? `${data.name}\n${short(data.value)}` : data.name },
          upperLabel: { ...top, show: true, formatter: ({ data }) => `${data.name}  ${short(data.value)}` },
          levels: [{ upperLabel: { show: false }, itemStyle: { borderWidth: 0, gapWidth: 1, borderColor: colour("ground") } }],
          emphasis: { itemStyle: { borderColor: colour("text") }, upperLabel: { ...top, show: true } },
          data: cut(nodes).map(dress),
        }],
      },
    };
  };
}

const STEP = 72;
const BOX = 30;

/** A chain of reasons, from the root down, and what comes by its end. A node: {name, how, box,
    pick, chosen, branch}. */
function chain(nodes) {
  return (width) => {
    const boxes = [];
    let y = BOX / 2 + 4;
    nodes.forEach((node, at) => {
      if (at) y += node.branch && nodes[at - 1].branch ? BOX + 8 : STEP;
      const left = node.branch ? 28 : 0;
      boxes.push({ ...node, y, left, size: Math.min(width - left - 8, 560) });
    });
    const height = y + BOX / 2 + 4;
    const point = (name, x, at) => ({ name, x, y: at, symbolSize: 0, label: { show: false } });
    // Lines end at points on the edges of boxes, and two corners hold the picture in its place.
    const points = [point("first", 0, 0), point("last", width, height)];
    const lines = [];
    boxes.forEach((box, at) => {
      const x = box.left + 4 + Math.min(40, box.size / 4);
      const from = boxes.findLast((each, i) => i < at && !each.branch);
      if (!from || (box.branch && boxes[at - 1].branch)) return;
      points.push(point(`from ${at}`, x, from.y + BOX / 2), point(`to ${at}`, x, box.y - BOX / 2));
      lines.push({
        source: `from ${at}`,
        target: `to ${at}`,
        words: box.how,
        label: { show: true, formatter: `   ${end(box.how, Math.floor((width - x - 24) / 6.6))}` },
      });
    });
    const frame = boxes.filter((box) => box.chosen).map((box) => ({
      ...point("chosen", box.left + box.size / 2 + 4, box.y),
      symbolSize: [box.size + 6, BOX + 6],
      itemStyle: { color: colour("text") },
    }));
    return {
      height,
      chart: {
        tooltip: tooltip((data) => data.text ?? data.words),
        series: [{
          type: "graph",
          layout: "none",
          left: 0, top: 0, width, height,
          data: [...points, ...frame, ...boxes.map((box, at) => ({
            name: String(at),
            text: box.name,
            pick: box.pick,
            x: box.left + box.size / 2 + 4,
            y: box.y,
            symbolSize: [box.size, BOX],
            label: { show: true, formatter: end(box.name, Math.floor((box.size - 16) / 7.4)) },
            itemStyle: { color: colour(`box-${box.box}`) },
          }))],
          links: lines,
          symbol: "rect",
          edgeSymbol: ["none", "arrow"],
          edgeSymbolSize: 9,
          lineStyle: { color: colour("muted"), width: 1.5, opacity: 1 },
          label: { color: "#ffffff", fontSize: 12, fontFamily: MONO },
          edgeLabel: { color: colour("text"), fontSize: 12, rotate: 0, align: "left", verticalAlign: "middle" },
          emphasis: { disabled: true },
        }],
      },
    };
  };
}

/** Bars from left to right. A row: {name, value, text, box}; values have a unit. */
function bars(rows, unit) {
  return (width) => {
    const room = Math.min(220, width * 0.42);
    return {
      height: rows.length * 20 + 40,
      chart: {
        tooltip: tooltip((data) => `${data.name}\n${data.text}`),
        grid: { left: room, right: 16, top: 8, bottom: 28 },
        xAxis: {
          type: "value",
          axisLabel: { color: colour("muted"), formatter: `{value} ${unit}`, hideOverlap: true },
          splitNumber: width < 600 ? 3 : 6,
          splitLine: { lineStyle: { color: colour("line") } },
        },
        yAxis: {
          type: "category",
          inverse: true,
          data: rows.map((row) => row.name),
          axisLabel: {
            color: colour("text"), fontSize: 12, interval: 0,
            formatter: (name) => end(name, Math.floor(room / 7)),
          },
          axisTick: { show: false },
          axisLine: { lineStyle: { color: colour("line") } },
        },
        series: [{
          type: "bar",
          barWidth: 12,
          data: rows.map((row) => ({ ...row, itemStyle: { color: colour(`box-${row.box ?? "own"}`) } })),
        }],
      },
    };
  };
}
