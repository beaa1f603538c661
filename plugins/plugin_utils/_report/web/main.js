// Connect the parts: the filter, its address, the keys, and the clock.

const TICK = 15000;
// A nightly report is fresh for a day, and some time for the play.
const STALE = 26 * 3600;
const EMPTY = { text: "", host: "", task: "", credential: "", state: "", level: "", window: null };
const TITLES = { problem: "Problems", running: "Running", pending: "Pending", fine: "Fine", disabled: "Disabled" };
const find = (id) => document.getElementById(id);

const page = { report: null, rows: [], filter: { ...EMPTY }, sort: { name: "level", isDown: false }, grouping: "reason" };

function show() {
  const { report, rows, filter } = page;
  const chosen = rows.filter((row) => passes(row, { ...filter, level: "" }));
  const shown = filter.level ? chosen.filter((row) => row.lead.level === filter.level) : chosen;
  showLevels(chosen);
  showSection("problems", find("groups"), listProblems(shown));
  showSection("ahead", find("timeline"), showTimeline(report, shown, chooseWindow));
  showTable(shown);
  showWindow();
  find("reset").hidden = isEmpty();
  find("all").hidden = false;
  document.title = `${filter.level || !isEmpty() ? "Filtered: " : ""}${page.title}`;
  writeAddress();
}

function showSection(id, place, parts) {
  find(id).hidden = !parts.length;
  place.replaceChildren(...parts);
}

function listProblems(shown) {
  const problems = shown.filter((row) => row.lead.level === "problem");
  return showProblems(page.report, problems, listHostProblems(), page.grouping);
}

// Return the hosts without an answer or with problems. A filter for tasks excludes them.
function listHostProblems() {
  const { text, host, task, credential, state, level, window } = page.filter;
  if (task || credential || state || window || (level && level !== "problem")) return [];
  const words = text.toLowerCase().split(/\s+/);
  return page.report.hosts.filter((row) => {
    const hay = [row.host, row.state, row.message, ...row.problems].join("\n").toLowerCase();
    return row.host.toLowerCase().includes(host.toLowerCase()) && words.every((word) => hay.includes(word));
  }).filter((row) => row.state !== "answered" || row.problems.length);
}

function showLevels(chosen) {
  const buttons = page.report.levels.map((level) => {
    const count = chosen.filter((row) => row.lead.level === level).length;
    const button = el("button", { type: "button", class: level, "aria-pressed": String(page.filter.level === level),
      disabled: !count && page.filter.level !== level }, el("b", null, count.toLocaleString("en")), TITLES[level]);
    button.addEventListener("click", () => change({ level: page.filter.level === level ? "" : level }, `.levels .${level}`));
    return button;
  });
  find("levels").replaceChildren(...buttons);
}

function showTable(shown) {
  const { name, isDown } = page.sort;
  const sorted = name === "level" && !isDown ? shown : sortRows(shown, name, isDown);
  const table = makeTable(page.report, sorted, ALL_COLUMNS, "Tasks", { sort: { name, isDown, change: changeSort } });
  find("table").replaceChildren(sorted.length ? table : el("p", { class: "faint" }, describeNothing()));
  find("count").textContent = shown.length === page.rows.length
    ? formatCount(shown.length, "row") : `${shown.length.toLocaleString("en")} of ${formatCount(page.rows.length, "row")}`;
}

function describeNothing() {
  return page.rows.length ? "No task passes the filter." : "No host has a task.";
}

function showWindow() {
  const { window } = page.filter;
  find("window").hidden = !window;
  if (!window) return;
  const clock = (minute) => formatHour(findMinute(page.report) + minute * MINUTE);
  find("window").textContent = `Only tasks on ${window.account} that start from ${clock(window.from)} to ${clock(window.until)}.`;
}

function change(part, focus = "") {
  Object.assign(page.filter, part);
  show();
  if (focus) document.querySelector(focus)?.focus();
}

function changeSort(name) {
  page.sort = { name, isDown: page.sort.name === name && !page.sort.isDown };
  showTable(page.rows.filter((row) => passes(row, page.filter)));
  writeAddress();
  document.querySelector(`[data-sort="${name}"]`)?.focus();
}

function chooseWindow(window) {
  change({ window });
  find("all").scrollIntoView();
  find("reset").focus({ preventScroll: true });
}

function reset() {
  page.filter = { ...EMPTY };
  writeFields();
  show();
}

function isEmpty() {
  return Object.keys(EMPTY).every((name) => !page.filter[name]);
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["text", "host", "task", "credential", "state", "level"]) page.filter[name] = given.get(name) || "";
  if (SORTS[given.get("sort")]) page.sort = { name: given.get("sort"), isDown: given.has("down") };
  if (GROUPINGS[given.get("group")]) page.grouping = given.get("group");
}

// Keep the filter in the address, so that it can be shared and survives a reload.
function writeAddress() {
  const { name, isDown } = page.sort;
  const words = Object.entries(page.filter).filter(([key, value]) => value && key !== "window");
  if (name !== "level" || isDown) words.push(["sort", name], ...(isDown ? [["down", "1"]] : []));
  if (page.grouping !== "reason") words.push(["group", page.grouping]);
  const text = new URLSearchParams(words).toString();
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

function writeFields() {
  for (const name of ["text", "host", "task", "credential", "state"]) find(name).value = page.filter[name];
}

function connectFields() {
  let timer = 0;
  for (const name of ["text", "host", "task"]) {
    find(name).addEventListener("input", (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => change({ [name]: event.target.value.trim() }), 120);
    });
  }
  for (const name of ["credential", "state"]) {
    find(name).addEventListener("change", (event) => change({ [name]: event.target.value }));
  }
  find("filter").addEventListener("submit", (event) => event.preventDefault());
  find("reset").addEventListener("click", reset);
}

function fillChoices() {
  const list = (read) => [...new Set(page.report.tasks.map(read))].filter(Boolean).sort(natural.compare);
  const options = (names) => names.map((name) => el("option", { value: name }, name));
  find("hosts").append(...options(list((task) => task.host)));
  find("tasks").append(...options(list((task) => task.task)));
  find("credential").append(...options(list((task) => task.credential)));
  find("state").append(...options(list(nameState)));
}

function showGrouping() {
  find("grouping").replaceChildren(...Object.entries(GROUPINGS).map(([name, title]) => {
    const button = el("button", { type: "button", "aria-pressed": String(page.grouping === name) }, title);
    button.addEventListener("click", () => {
      page.grouping = name;
      showGrouping();
      show();
      find("grouping").querySelector("[aria-pressed=true]").focus();
    });
    return button;
  }));
}

function connectKeys() {
  document.addEventListener("keydown", (event) => {
    const isTyping = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (event.key === "Escape") {
      reset();
      event.target.blur?.();
    } else if (!isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const call = { "/": () => find("text").focus(), j: () => moveFocus(1), k: () => moveFocus(-1) }[event.key];
      if (call) event.preventDefault();
      call?.();
    }
  });
}

function moveFocus(distance) {
  const openers = [...document.querySelectorAll("button.open")].filter((button) => button.offsetParent);
  const place = openers.indexOf(document.activeElement);
  const next = place < 0 ? openers[0] : openers[Math.min(openers.length - 1, Math.max(0, place + distance))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function tick() {
  const age = readClock() - page.report.generated;
  find("age").textContent = age < MINUTE ? "" : `, ${formatLength(age)} ago`;
  find("stale").hidden = age < STALE;
  find("stale").textContent = `These data are ${formatLength(age)} old. Run the playbook report again.`;
  document.body.classList.toggle("old", age >= STALE);
  updateTimes();
}

async function start() {
  page.title = document.title;
  page.report = await readReport();
  page.rows = buildRows(page.report);
  readAddress();
  fillChoices();
  writeFields();
  showGrouping();
  find("filter").hidden = false;
  show();
  const bare = page.report.hosts.filter((host) => host.state === "answered" && !host.count);
  find("bare").hidden = !bare.length;
  find("bare").querySelector("p").textContent = bare.map((host) => host.host).join(", ");
  connectFields();
  connectKeys();
  tick();
  setInterval(tick, TICK);
  document.addEventListener("visibilitychange", tick);
  find("main").removeAttribute("aria-busy");
}

start().catch((error) => {
  find("stale").hidden = false;
  find("stale").textContent = `The page cannot show its data: ${error.message}. Use a newer browser, or read report.json.`;
  find("main").removeAttribute("aria-busy");
});
