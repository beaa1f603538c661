// Read the data that the page contains. It is compressed, because a large fleet has 600,000 runs.

const RUN_BYTES = 5;
const MINUTE = 60;
const FAILED = ["failed", "aborted"];
const TEXTS = ["host", "task", "description", "state", "reason", "message", "direction", "mode", "schedule",
  "drill_state", "credential", "account", "path", "remote_path", "log", "log_end", "shared_with"];
const TIMES = ["started", "next", "overdue_since", "last_proven", "failing_since", "last_success"];

async function inflate(id) {
  const element = document.getElementById(id);
  const text = atob(element.textContent);
  element.remove();
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Return the report: hosts, tasks with texts and times in seconds since 1970, and the packed runs.
async function readReport() {
  const content = JSON.parse(new TextDecoder().decode(await inflate("data")));
  const hosts = content.hosts.map(([host, state, message, count, problems]) => (
    { host, state, message, count, problems }));
  return { ...content, hosts, tasks: readTasks(content), packed: await inflate("runs") };
}

function readTasks(content) {
  const names = Object.keys(content.columns);
  let firstRun = 0;
  return content.columns.host.map((_host, place) => {
    const task = {};
    for (const name of names) task[name] = content.columns[name][place];
    for (const name of TEXTS) task[name] = content.strings[task[name]];
    const ended = task.started === null ? null : task.started + (task.duration || 0);
    if (task.last_success === 0) task.last_success = ended;
    for (const name of TIMES) task[name] = task[name] === null ? null : task[name] + content.generated;
    task.level = content.levels[task.level];
    task.id = `${task.host}/${task.task}`;
    task.firstRun = firstRun;
    firstRun += task.runs;
    return task;
  });
}

// Return the last runs of a task, oldest first. Lengths and sizes are approximate.
function listRuns(report, task) {
  const total = report.packed.length / RUN_BYTES;
  const read = (part, place) => report.packed[part * total + task.firstRun + place];
  const measure = (level, step) => (level ? step ** (level - 1) : 0);
  const runs = [];
  let started = report.generated;
  for (let place = 0; place < task.runs; place += 1) {
    const [state, reason] = report.outcomes[read(0, place)];
    started -= (read(1, place) * 256 + read(2, place)) * MINUTE;
    const seconds = measure(read(3, place), report.steps[0]);
    runs.push({ state, reason, started, seconds, bytes: measure(read(4, place), report.steps[1]) });
  }
  return runs.reverse();
}

// Return the minute of the report, to which the starts of the tasks refer.
function findMinute(report) {
  return Math.floor(report.generated / MINUTE) * MINUTE;
}

// Return the starts of a task as minutes after that of the report. Regular ones have a negative number in front.
function listStarts(task) {
  const [number, first, distance] = task.starts;
  if (!(number < 0)) return task.starts;
  return Array.from({ length: -number }, (_none, place) => first + place * distance);
}
