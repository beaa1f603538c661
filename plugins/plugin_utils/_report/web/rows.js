// Turn tasks into rows, and filter and sort them. The parts of a sharded task are one row.

const SORTS = {
  level: (row) => row.rank,
  host: (row) => row.lead.host,
  task: (row) => row.lead.task,
  credential: (row) => row.lead.credential,
  success: (row) => row.success ?? -Infinity,
  duration: (row) => row.lead.duration ?? -1,
  bytes: (row) => row.bytes,
  next: (row) => row.next ?? Infinity,
};
const natural = new Intl.Collator("en", { numeric: true });

// Return the rows in the order of the report. The first part of a sharded task is the worst one.
function buildRows(report) {
  const sharded = new Map();
  const rows = [];
  for (const task of report.tasks) {
    const known = task.part ? sharded.get(task.part) : undefined;
    if (known) {
      known.parts.push(task);
    } else {
      const row = { lead: task, parts: [task], rank: rows.length };
      if (task.part) sharded.set(task.part, row);
      rows.push(row);
    }
  }
  return rows.map(describeRow);
}

function describeRow(row) {
  const { lead, parts } = row;
  const least = (name) => parts.reduce((found, part) => (
    found === null || part[name] === null ? null : Math.min(found, part[name])), Infinity);
  return Object.assign(row, {
    isSharded: lead.part > 0,
    missing: lead.part ? lead.shard[1] - new Set(parts.map((part) => part.shard[0])).size : 0,
    overdue: (parts.find((part) => part.overdue_since !== null) || lead).overdue_since,
    success: least("last_success"),
    next: lead.enabled ? lead.next : null,
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    shared: parts.map((part) => part.shared_with).filter(Boolean).join(", "),
  });
}

function nameHosts(row) {
  return row.isSharded ? formatCount(row.parts.length, "host") : row.lead.host;
}

function readHaystack(task) {
  task.haystack ??= [task.host, task.task, task.description, task.credential, task.account, task.state, task.reason,
    task.message, task.remote_path, task.path].join("\n").toLowerCase();
  return task.haystack;
}

// Return whether a part of the row passes the filter.
function passes(row, filter) {
  if (filter.level && row.lead.level !== filter.level) return false;
  return row.parts.some((task) => passesTask(task, filter));
}

function passesTask(task, filter) {
  if (filter.host && !task.host.toLowerCase().includes(filter.host.toLowerCase())) return false;
  if (filter.task && !task.task.toLowerCase().includes(filter.task.toLowerCase())) return false;
  if (filter.credential && task.credential !== filter.credential) return false;
  if (filter.state && nameState(task) !== filter.state) return false;
  if (filter.window && !startsWithin(task, filter.window)) return false;
  return filter.text.toLowerCase().split(/\s+/).every((word) => readHaystack(task).includes(word));
}

function startsWithin(task, { account, from, until }) {
  if (nameAccount(task) !== account) return false;
  return listStarts(task).some((minute) => minute >= from && minute < until);
}

function nameAccount(task) {
  return task.account || `credential ${task.credential} (local)`;
}

// Return the reason of a failure, else the state.
function nameState(task) {
  return task.reason && FAILED.includes(task.state) ? `${task.state}: ${task.reason}` : task.state;
}

function sortRows(rows, name, isDown) {
  const read = SORTS[name];
  const sign = isDown ? -1 : 1;
  const compare = (one, other) => (
    typeof one === "string" ? natural.compare(one, other) : Number(one > other) - Number(one < other));
  return [...rows].sort((one, other) => sign * compare(read(one), read(other)) || one.rank - other.rank);
}

// Return the groups of a Map by the keys that the function returns, in the order of the rows.
function groupBy(items, read) {
  const groups = new Map();
  for (const item of items) {
    const key = read(item);
    if (groups.has(key)) groups.get(key).push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
