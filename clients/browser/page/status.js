// The page for operators: `GET /v1/status`, every two seconds.

import { clock } from "./subtitles.js";

const EVERY_MS = 2_000;
const [WIDTH, HEIGHT] = [220, 56];
const SVG = "http://www.w3.org/2000/svg";

const find = (id) => document.querySelector(`#${id}`);

/** The API key, kept in this variable only. */
let key = "";
let timer = 0;

const seconds = (value) => (value === null || value === undefined ? "" : `${value.toFixed(1)} s`);
const percent = (value) => `${Math.round(value * 100)} %`;
const megabytes = (value) => `${Math.round(value / 1e6)} MB`;

/** The columns of each table: the heading, and the cell of a row. */
const TABLES = {
  sessions: [
    ["Session", (row) => row.id], ["Key", (row) => row.account], ["Age", (row) => clock(row.age_seconds)],
    ["Lag", (row) => seconds(row.lag_seconds)], ["Language", (row) => row.language], ["Load", (row) => row.load],
    ["Model", (row) => row.model], ["Speakers", (row) => row.speakers], ["Turns", (row) => row.turns], ["Words", (row) => row.words],
  ],
  engines: [
    ["Model", (row) => row.model], ["Busy", (row) => percent(row.busy)], ["Load", (row) => row.load],
    ["Partials every", (row) => seconds(row.partial_interval_seconds) || "finals only"], ["Batch", (row) => row.batch_size.toFixed(1)],
    ["Queue", (row) => row.queue], ["More sessions", (row) => row.headroom],
  ],
  models: [
    ["Model", (row) => row.model], ["Weights", (row) => megabytes(row.weight_bytes)], ["Restarts", (row) => row.restarts ?? ""],
  ],
  errors: [
    ["Time", (row) => row.time.replace("T", " ").replace("+00:00", " UTC")], ["Level", (row) => row.level],
    ["Session", (row) => row.session], ["Message", (row) => row.message],
  ],
};

/** The plots of the history: the heading, the value of a sample, how it is written, and the least upper end of the axis. */
const PLOTS = [
  ["Sessions", (sample) => sample.sessions, String, 4],
  ["Engine busy", (sample) => sample.busy, percent, 1],
  ["Greatest lag", (sample) => sample.lag_seconds, seconds, 4],
  ["Queue", (sample) => sample.queue, String, 4],
];

async function refresh() {
  clearTimeout(timer);
  try {
    const response = await fetch("v1/status", { headers: key ? { authorization: `Bearer ${key}` } : {} });
    find("key-form").hidden = response.status !== 401;
    const body = await response.json();
    if (response.status === 401) {
      say("closed", "needs a key", key ? body.error.message : "");
      return;
    }
    if (!response.ok) throw new Error(body.error.message);
    show(body);
    say("open", `${body.sessions.length} of ${body.max_sessions} sessions, up ${clock(body.uptime_seconds)}`, body.ready ? "" : "The models are loading.");
  } catch (error) {
    say("lost", "not reachable, trying again", error instanceof TypeError ? "" : error.message);
  }
  timer = setTimeout(refresh, EVERY_MS);
}

function say(state, text, alert) {
  find("state").dataset.state = state;
  find("state").textContent = text;
  find("alert").textContent = alert;
  find("alert").hidden = !alert;
}

function show(status) {
  for (const [name, columns] of Object.entries(TABLES)) {
    const head = row("th", columns.map(([heading]) => heading));
    const rows = status[name].map((each) => row("td", columns.map(([, cell]) => cell(each))));
    const none = row("td", ["none"]);
    none.firstElementChild.colSpan = columns.length;
    find(name).replaceChildren(head, ...(rows.length ? rows : [none]));
  }
  find("plots").replaceChildren(...PLOTS.map((each) => plot(status.history, ...each)));
}

function row(kind, cells) {
  const element = document.createElement("tr");
  element.append(...cells.map((cell) => Object.assign(document.createElement(kind), { textContent: cell })));
  return element;
}

/** Draw one value of five minutes, the newest at the right. */
function plot(history, heading, value, written, least) {
  const values = history.map(value);
  const top = Math.max(least, ...values);
  const points = history.map((sample, index) => {
    const x = WIDTH * (1 - Math.min(1, sample.age_seconds / 300));
    return `${x.toFixed(1)},${(HEIGHT - 2 - (values[index] / top) * (HEIGHT - 4)).toFixed(1)}`;
  });
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.join(" "));
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  drawing.setAttribute("preserveAspectRatio", "none"); // the plot fills its frame; the line keeps its width
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", `${heading} over five minutes, at most ${written(Math.max(0, ...values))}`);
  drawing.append(line);
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = `${heading}: ${written(values.at(-1) ?? 0)}`;
  figure.append(caption, drawing);
  return figure;
}

find("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = find("key").value;
  refresh();
});
refresh();
