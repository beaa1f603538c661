// Draw the last runs as small charts: one path for each colour, so that a chart is a few elements.

const RUNS_SHOWN = 30;
const HEIGHT = 18;

function listRowRuns(report, row) {
  row.runs ??= listRuns(report, row.lead);
  return row.runs;
}

// Draw a strip with a bar for each run, the newest one at the right. A failure is taller, so colour is not needed.
function drawStrip(report, row, step = 5) {
  const runs = listRowRuns(report, row);
  if (!runs.length) return el("span", { class: "faint" }, "no runs");
  const paths = new Map();
  runs.forEach((run, place) => {
    const kind = nameKind(run.state);
    const top = kind === "problem" ? 1 : 6;
    const x = (RUNS_SHOWN - runs.length + place) * step;
    paths.set(kind, `${paths.get(kind) || ""}M${x} ${top}h${step - 1.5}V${HEIGHT - 1}h${1.5 - step}z`);
  });
  const words = [...groupBy(runs, (run) => run.state)].map(([state, some]) => `${some.length} ${state}`);
  return svg("svg", { class: "strip", viewBox: `0 0 ${RUNS_SHOWN * step} ${HEIGHT}`, role: "img",
    "aria-label": `Last ${formatCount(runs.length, "run")}: ${words.join(", ")}` },
  [...paths].map(([kind, path]) => svg("path", { class: kind, d: path })));
}

function nameKind(state) {
  if (FAILED.includes(state)) return "problem";
  if (state === "success") return "fine";
  return state === "skipped" ? "disabled" : "running";
}

// Draw the durations or the sizes of the runs as bars, in proportion to the largest one.
function drawBars(report, row, name, format) {
  const values = listRowRuns(report, row).map((run) => run[name]);
  const most = Math.max(...values, 1);
  const step = 3;
  const bars = values.map((value, place) => {
    const tall = value ? Math.max(1, (value / most) * (HEIGHT - 1)) : 0.5;
    return `M${(RUNS_SHOWN - values.length + place) * step} ${HEIGHT}v${(-tall).toFixed(1)}h2V${HEIGHT}z`;
  });
  return svg("svg", { class: "bars", viewBox: `0 0 ${RUNS_SHOWN * step} ${HEIGHT}`, role: "img",
    "aria-label": `${name === "bytes" ? "Sizes" : "Durations"} of the last runs: at most ${format(most)}` },
  svg("path", { d: bars.join("") }));
}

// Draw one fact of the last runs with a scale, and a description of each run for the pointer.
function drawChart(report, row, title, name, format) {
  const runs = listRowRuns(report, row);
  if (!runs.length) return null;
  const [wide, tall] = [360, 72];
  const most = Math.max(...runs.map((run) => run[name]), 1);
  const step = wide / RUNS_SHOWN;
  const bars = runs.map((run, place) => {
    const height = Math.max(2, (run[name] / most) * tall);
    const tip = `${formatClock(run.started)} UTC: ${nameState(run)}, about ${formatLength(run.seconds)}, `
      + `${formatSize(run.bytes)}`;
    return svg("rect", { class: nameKind(run.state), x: ((RUNS_SHOWN - runs.length + place) * step).toFixed(1),
      y: (tall - height).toFixed(1), width: (step - 2).toFixed(1), height: height.toFixed(1) }, svg("title", null, tip));
  });
  const label = `${title} of the last ${formatCount(runs.length, "run")}, at most ${format(most)}`;
  return el("figure", null,
    el("figcaption", null, el("b", null, title), el("span", { class: "faint" }, `at most ${format(most)}`)),
    svg("svg", { viewBox: `0 0 ${wide} ${tall}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, bars),
    el("div", { class: "scale faint" }, el("span", null, formatClock(runs[0].started)),
      el("span", null, formatClock(runs.at(-1).started))));
}
