// Show the starts of the next 24 hours: a line for each account, with a cell for each quarter of an hour.

const CELL = 15 * MINUTE;
// A day, and the rest of the quarter of an hour in which it begins.
const CELLS = 24 * 4 + 1;
const LINES = 8;
// The hours with a label are multiples of three.
const STEP = 3 * 3600;
// So many hosts that start in one quarter of an hour are marked.
const CROWD = 20;

// Return the quarter of an hour in which the report was made. It is the first cell.
function findFirst(report) {
  return Math.floor(report.generated / CELL) * CELL;
}

function countStarts(report, rows) {
  const offset = findMinute(report) - findFirst(report);
  const lines = new Map();
  for (const task of rows.flatMap((row) => row.parts)) {
    if (!task.enabled || !task.starts.length) continue;
    const account = nameAccount(task);
    if (!lines.has(account)) lines.set(account, { account, credential: task.credential, cells: new Map() });
    const { cells } = lines.get(account);
    for (const minute of listStarts(task)) {
      const place = Math.min(CELLS - 1, Math.floor((minute * MINUTE + offset) / CELL));
      if (!cells.has(place)) cells.set(place, { place, starts: 0, hosts: new Set() });
      const cell = cells.get(place);
      cell.starts += 1;
      cell.hosts.add(task.host);
    }
  }
  return [...lines.values()].map((line) => ({ ...line, peak: findPeak(line) })).sort(
    (one, other) => other.peak.starts - one.peak.starts);
}

function findPeak(line) {
  return [...line.cells.values()].reduce((one, other) => (other.starts > one.starts ? other : one));
}

function showTimeline(report, rows, choose, all = false) {
  const lines = countStarts(report, rows);
  if (!lines.length) return [el("p", { class: "faint" }, "No task starts in the next 24 hours.")];
  const most = lines[0].peak.starts;
  const shown = all ? lines : lines.slice(0, LINES);
  const parts = [makeAxis(report), ...shown.map((line) => makeLine(report, line, most, choose))];
  if (shown.length < lines.length) {
    const more = el("button", { type: "button", class: "more" }, `Show all ${lines.length} accounts`);
    more.addEventListener("click", () => more.parentElement.replaceChildren(...showTimeline(report, rows, choose, true)));
    parts.push(more);
  }
  return parts;
}

function makeAxis(report) {
  const first = findFirst(report);
  const hours = [];
  for (let time = Math.ceil(first / STEP) * STEP; time < first + (CELLS - 8) * CELL; time += STEP) {
    const hour = el("span", null, formatHour(time));
    hour.style.left = `${(100 * (time - first)) / (CELLS * CELL)}%`;
    hours.push(hour);
  }
  return el("div", { class: "line axis faint" }, el("span"), el("div", { class: "hours" }, hours), el("span"));
}

function makeLine(report, line, most, choose) {
  const { peak } = line;
  const offset = findFirst(report) - findMinute(report);
  const readMinute = (place) => (place * CELL + offset) / MINUTE;
  const select = ({ place }) => choose({ account: line.account, from: readMinute(place), until: readMinute(place + 1) });
  const cells = [...line.cells.values()].map((cell) => {
    const rect = svg("rect", { x: cell.place, y: 0, width: 0.9, height: 1, "fill-opacity":
      (0.15 + 0.85 * Math.sqrt(cell.starts / most)).toFixed(2) },
    svg("title", null, `${nameCell(report, cell)}: ${describeCell(cell)}`));
    rect.addEventListener("click", () => select(cell));
    return rect;
  });
  const isCrowd = peak.hosts.size >= CROWD;
  const button = el("button", { type: "button", class: isCrowd ? "peak crowd" : "peak", title: "Show the tasks of this quarter of an hour" },
    el("b", null, nameCell(report, peak)), ` ${describeCell(peak)}`);
  button.addEventListener("click", () => select(peak));
  return el("div", { class: "line" },
    el("span", { class: "account" }, line.credential, el("small", null, line.account)),
    svg("svg", { viewBox: `0 0 ${CELLS} 1`, preserveAspectRatio: "none", role: "img",
      "aria-label": `Starts on ${line.account}, at most ${describeCell(peak)} at ${nameCell(report, peak)}` }, cells),
    el("span", null, button, isCrowd ? el("small", null, "Many hosts meet. Set spread in the schedule.") : null));
}

function nameCell(report, cell) {
  return formatHour(findFirst(report) + cell.place * CELL);
}

function describeCell(cell) {
  return `${formatCount(cell.starts, "start")} on ${formatCount(cell.hosts.size, "host")}`;
}
