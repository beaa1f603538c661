// Show the problems in groups: by reason, by credential, or by host. A group is filled when it is opened.

const GROUPINGS = { reason: "Reason", credential: "Credential", host: "Host" };
const OPENED_ROWS = 40;
const HOST_WORDS = {
  unreachable: "These hosts could not be reached, so the state of their tasks is unknown.",
  failed: "These hosts could not tell the state of their tasks.",
  not_asked: "The play ended for these hosts before their tasks were read.",
};

function nameReason(row) {
  if (FAILED.includes(row.lead.state) && row.lead.reason) return row.lead.reason;
  if (row.overdue !== null) return "overdue";
  return row.lead.reason || (row.lead.drill_state && row.lead.drill_state !== "success" ? "drill" : "other");
}

const READ_GROUP = {
  reason: nameReason,
  credential: (row) => row.lead.credential || "none",
  host: (row) => nameHosts(row),
};

function showProblems(report, rows, hosts, grouping) {
  const groups = [...groupBy(rows, READ_GROUP[grouping])].sort((one, other) => other[1].length - one[1].length);
  const isOpen = rows.length <= OPENED_ROWS || groups.length === 1;
  return [
    ...showHostGroups(hosts),
    ...groups.map(([name, some]) => makeGroup(name, describeGroup(some), findRemedy(report, grouping, name), isOpen,
      () => makeTable(report, some, PROBLEM_COLUMNS, `Problems: ${name}`, { chunk: 25 }))),
  ];
}

function describeGroup(rows) {
  const hosts = new Set(rows.flatMap((row) => row.parts.map((part) => part.host)));
  const times = rows.map((row) => row.lead.failing_since ?? row.overdue).filter((time) => time !== null);
  const since = times.length ? ["oldest ", when(times.reduce((one, other) => Math.min(one, other)))] : [];
  return [`${formatCount(rows.length, "task")} on ${formatCount(hosts.size, "host")}`, since.length ? ", " : "", ...since];
}

function findRemedy(report, grouping, name) {
  if (grouping !== "reason") return "";
  if (name === "overdue") return "No run has started in time. Check the timer, the clock and the power of the hosts.";
  return report.remedies[name] || "";
}

function showHostGroups(hosts) {
  const silent = groupBy(hosts.filter((host) => host.state !== "answered"), (host) => host.state);
  const unhealthy = hosts.filter((host) => host.problems.length);
  const groups = [...silent].map(([state, some]) => makeGroup(state.replace("_", " "),
    [formatCount(some.length, "host")], HOST_WORDS[state], some.length <= OPENED_ROWS, () => listHosts(some)));
  if (unhealthy.length) {
    groups.push(makeGroup("host", [formatCount(unhealthy.length, "host")], "These problems concern a whole host.",
      unhealthy.length <= OPENED_ROWS, () => listHosts(unhealthy)));
  }
  return groups;
}

function listHosts(hosts) {
  return el("table", { class: "hosts", "aria-label": "Hosts" },
    el("thead", null, el("tr", null, el("th", { scope: "col" }, "Host"), el("th", { scope: "col" }, "Message"))),
    el("tbody", null, hosts.map((host) => el("tr", { class: "problem" }, el("th", { scope: "row" }, host.host),
      el("td", { class: "message" }, host.message || host.problems.join("\n"))))));
}

function makeGroup(name, counts, remedy, isOpen, build) {
  const body = el("div", { class: "body", hidden: true });
  const button = el("button", { type: "button", class: "fold", "aria-expanded": "false" },
    el("span", { class: "badge" }, name), el("span", null, ...counts));
  const toggle = () => {
    if (!body.firstChild) body.append(build());
    body.hidden = !body.hidden;
    button.setAttribute("aria-expanded", String(!body.hidden));
  };
  button.addEventListener("click", toggle);
  if (isOpen) toggle();
  return el("div", { class: "group" }, el("h3", null, button), remedy ? el("p", { class: "remedy" }, remedy) : null, body);
}
