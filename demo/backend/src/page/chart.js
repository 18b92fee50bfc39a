// Draws the requests of all visitors in the last minute: one column per second, stacked by instance, with the same scale in both lanes.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600; // like the viewBox in lane.html
const HEIGHT = 96;
const SCALES = [4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024];

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function showCharts() {
  if (roster.length === 0) return;
  const highest = Math.max(...Object.keys(lanes).flatMap((name) => stacked(name)));
  const scale = SCALES.find((scale) => scale >= highest) ?? highest;
  for (const lane of Object.values(lanes)) {
    drawColumns(lane, scale);
    showTotals(lane);
    say(lane.root.querySelector(".scale"), t("scale", { count: scale }));
  }
}

function stacked(name) {
  const columns = roster.map(({ requests }) => requests[name]);
  return columns[0].map((_, second) => sum(columns.map((column) => column[second])));
}

function drawColumns({ name, root }, scale) {
  const shapes = [];
  const add = (className, x, y, width, height) => {
    const shape = document.createElementNS(SVG, "rect");
    shape.setAttribute("class", className);
    for (const [attribute, value] of Object.entries({ x, y, width, height })) shape.setAttribute(attribute, value);
    shapes.push(shape);
  };
  for (const share of [0, 0.5]) add("grid", 0, HEIGHT * share, WIDTH, 1);
  add("ground", 0, HEIGHT - 1, WIDTH, 1);
  const seconds = roster[0].requests[name].length;
  const width = WIDTH / seconds;
  for (let second = 0; second < seconds; second += 1) {
    let top = HEIGHT;
    for (const { name: instance, requests } of roster) {
      const height = (requests[name][second] / scale) * (HEIGHT - 2);
      top -= height;
      if (height > 0) add(`hue-${hue(instance)}`, second * width + 1, top, width - 2, height);
    }
  }
  root.querySelector(".chart").replaceChildren(...shapes);
}

function showTotals({ name, root }) {
  const totals = roster.map(({ name: instance, requests }) => ({ instance, count: sum(requests[name]) }));
  const list = root.querySelector(".totals");
  while (list.children.length < totals.length) list.append(element("li"));
  while (list.children.length > totals.length) list.lastChild.remove();
  totals.forEach(({ instance, count }, at) => {
    list.children[at].className = `hue-${hue(instance)}`;
    say(list.children[at], t("total", { instance, count }));
  });
  say(root.querySelector(".load"), loadText(name, totals));
}

function loadText(name, totals) {
  const count = sum(totals.map((total) => total.count));
  const busy = totals.filter((total) => total.count > 0);
  const idle = totals.filter((total) => total.count === 0).map((total) => total.instance);
  if (count === 0) return t("load_none");
  if (busy.length > 1) return name === "sticky" ? t("load_sticky_shared") : t("load_plain", { count });
  if (count === 1) return t("load_one", { instance: busy[0].instance });
  const values = { count, instance: busy[0].instance, idle: idle.join(", ") };
  if (idle.length === 0) return t("load_alone", values);
  return name === "sticky" ? t("load_sticky", values) : t("load_plain_one", values);
}
