// Show everything about one row: message, remedy, facts, charts, the end of the log, and the parts of a sharded task.

function showDetails(report, row) {
  const task = row.lead;
  return el("div", { class: "details" },
    showWarnings(row),
    showMessage(report, row),
    el("div", { class: "columns" }, showFacts(row),
      el("div", { class: "charts" },
        drawChart(report, row, "Duration", "seconds", formatLength),
        drawChart(report, row, "Transferred", "bytes", formatSize))),
    task.log_end ? el("figure", { class: "log" },
      el("figcaption", null, el("b", null, "End of the log"), el("span", { class: "faint" }, task.log)),
      el("pre", { tabindex: "0", "aria-label": "End of the log" }, task.log_end)) : null,
    row.isSharded ? showParts(row) : null);
}

function showMessage(report, row) {
  const task = row.lead;
  const remedy = task.level === "problem" ? report.remedies[task.reason] : "";
  return [
    task.message ? el("p", { class: "message" }, task.message) : null,
    remedy ? el("p", { class: "remedy" }, el("b", null, "What to do "), remedy) : null,
  ];
}

function showWarnings(row) {
  const warnings = [];
  if (row.shared) warnings.push(`Other hosts write to the same destination: ${row.shared}.`);
  if (row.missing > 0) {
    const verb = row.missing === 1 ? "is" : "are";
    warnings.push(`${row.missing} of ${row.lead.shard[1]} parts ${verb} not in this report.`);
  }
  return warnings.map((text) => el("p", { class: "warning" }, text));
}

function showFacts(row) {
  const task = row.lead;
  const counts = [formatCount(task.transfers, "file")];
  if (task.deletes) counts.push(`${task.deletes} deleted`);
  if (task.errors) counts.push(formatCount(task.errors, "error"));
  const facts = [
    ["Last success", when(task.last_success, "none in the last runs")],
    ["Failing since", when(task.failing_since)],
    ["Overdue since", when(task.overdue_since)],
    ["Last run", when(task.started, "never", task.started === null ? "" : `${formatLength(task.duration)}, ${
      formatSize(task.bytes)}, ${counts.join(", ")}`)],
    ["Next run", task.enabled ? when(task.next, "not scheduled") : "disabled"],
    ["Schedule", task.schedule],
    ["Last proven restore", task.drill_state ? when(task.last_proven, "never", showDrill(task)) : "no drills"],
    ["Transfer", `${task.direction} (${task.mode})`],
    ["Path", task.path],
    ["Remote path", `${task.credential}:${task.remote_path}`],
    ["Account", task.account],
    ["Description", task.description],
  ].filter(([_name, value]) => value);
  return el("dl", null, facts.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
}

function showDrill(task) {
  return ["success", "pending"].includes(task.drill_state) ? "" : `last drill: ${task.drill_state}`;
}

function showParts(row) {
  const parts = [...row.parts].sort((one, other) => one.shard[0] - other.shard[0]);
  return el("table", { class: "parts" },
    el("thead", null, el("tr", null, ["Part", "Host", "State", "Last success", "Message"].map(
      (name) => el("th", { scope: "col" }, name)))),
    el("tbody", null, parts.map((part) => el("tr", { class: part.level },
      el("td", null, `${part.shard[0] + 1} of ${part.shard[1]}`),
      el("th", { scope: "row" }, part.host),
      el("td", null, showState(part)),
      el("td", null, when(part.last_success, "never")),
      el("td", { class: "message" }, part.message)))));
}

// Return the state of a task as a coloured word with its reason.
function showState(task, overdue = task.overdue_since) {
  const percent = task.percent === null ? "" : ` ${task.percent}%`;
  const notes = [task.reason, overdue === null ? "" : "overdue", task.enabled ? "" : "disabled"].filter(Boolean);
  return el("span", { class: "state" }, el("b", null, `${task.state}${percent}`),
    notes.length ? el("small", null, notes.join(", ")) : null);
}
