// Show rows as a table. Rows are created in chunks when they come into view, so a large fleet has few elements.

const CHUNK = 60;

const COLUMNS = {
  level: { title: "State", show: (row) => showState(row.lead, row.overdue) },
  host: { title: "Host", show: (row) => nameHosts(row) },
  task: { title: "Task", show: (row) => row.lead.task },
  success: { title: "Last success", show: (row) => when(row.success, row.lead.started === null ? "" : "none") },
  strip: { title: "Last 30 runs", show: (row, report) => drawStrip(report, row) },
  duration: { title: "Duration", show: (row, report) => showMeasure(
    row.lead.duration === null ? "" : formatLength(row.lead.duration), drawBars(report, row, "seconds", formatLength)) },
  bytes: { title: "Transferred", show: (row, report) => showMeasure(
    row.lead.started === null ? "" : formatSize(row.bytes), drawBars(report, row, "bytes", formatSize)) },
  next: { title: "Next run", show: (row) => showNext(row) },
  failing: { title: "Since", show: (row) => when(row.lead.failing_since ?? row.overdue ?? row.lead.started) },
  message: { title: "Message", show: (row) => explain(row) },
};
const ALL_COLUMNS = ["level", "host", "task", "success", "strip", "duration", "bytes", "next"];
const PROBLEM_COLUMNS = ["host", "task", "failing", "message", "strip"];

// Return why the row is a problem. The message of a successful run does not say that the next one is missing.
function explain(row) {
  if (row.overdue === null || FAILED.includes(row.lead.state)) return row.lead.message;
  return `No run has started since ${formatClock(row.overdue)} UTC.`;
}

function showMeasure(text, chart) {
  return text ? el("span", { class: "measure" }, el("span", null, text), chart) : null;
}

function showNext(row) {
  const time = when(row.next, row.lead.enabled ? "" : "disabled");
  if (time?.tagName === "TIME") markPassed(time);
  return time;
}

// Create a table of rows. ``sort`` has the name and direction of the sorted column, and a function to change it.
function makeTable(report, rows, columns, label, { sort = null, chunk = CHUNK } = {}) {
  const body = el("tbody");
  const more = el("button", { type: "button", class: "more" });
  const table = el("table", { class: "tasks", "aria-label": label },
    el("thead", null, el("tr", null, columns.map((name) => makeHeading(name, sort)))), body);
  let shown = 0;
  const add = (count) => {
    body.append(...rows.slice(shown, shown + count).map((row) => makeRow(report, row, columns)));
    shown = Math.min(rows.length, shown + count);
    more.textContent = `Show more (${formatCount(rows.length - shown, "row")})`;
    more.hidden = shown === rows.length;
  };
  more.addEventListener("click", () => add(CHUNK));
  add(chunk);
  const part = el("div", { class: "scroll" }, table, more);
  if (sort) watch(more, () => add(CHUNK));
  return part;
}

// Call the function whenever the element comes near the visible part of the page.
function watch(element, call) {
  new IntersectionObserver((entries) => {
    if (entries.at(-1).isIntersecting && !element.hidden) call();
  }, { rootMargin: "600px" }).observe(element);
}

function makeHeading(name, sort) {
  const { title } = COLUMNS[name];
  if (!sort || !SORTS[name]) return el("th", { scope: "col", class: `c-${name}` }, title);
  const order = sort.isDown ? "descending" : "ascending";
  const button = el("button", { type: "button", "data-sort": name }, title);
  button.addEventListener("click", () => sort.change(name));
  return el("th", { scope: "col", class: `c-${name}`, "aria-sort": sort.name === name ? order : null }, button);
}

function makeRow(report, row, columns) {
  const cells = columns.map((name) => {
    const attributes = { class: `c-${name}`, "data-label": COLUMNS[name].title };
    if (name === "task") return el("th", { ...attributes, scope: "row" }, makeOpener(report, row, columns.length));
    return el("td", attributes, COLUMNS[name].show(row, report));
  });
  return el("tr", { class: `row ${row.lead.level}` }, cells);
}

// Create the button with the name of the task, which opens and closes the details below its row.
function makeOpener(report, row, width) {
  const notes = [`${row.lead.direction} ${row.lead.mode}`, row.lead.credential];
  if (row.isSharded) notes.unshift(`${row.parts.length} parts`);
  const button = el("button", { type: "button", class: "open", "aria-expanded": "false", "data-id": row.lead.id },
    el("span", { class: "name" }, row.lead.task, row.shared || row.missing > 0
      ? el("span", { class: "mark", title: "Open the row to read the warning." }, row.shared ? "shared" : "parts") : null),
    el("small", null, notes.filter(Boolean).join(" · ")));
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    const place = button.closest("tr");
    if (isOpen) place.nextSibling.remove();
    else place.after(el("tr", { class: `opened ${row.lead.level}` }, el("td", { colspan: width }, showDetails(report, row))));
  });
  return button;
}
