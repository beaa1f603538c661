// Format times, lengths and sizes, and create elements. Texts become text nodes only, so no host can add markup.

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];
const SVG = "http://www.w3.org/2000/svg";

function readClock() {
  return Date.now() / 1000;
}

// Return the largest unit and the one after it: "2 d 3 h", "5 min".
function formatLength(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const place = UNITS.findIndex(([size]) => whole >= size || size === 1);
  const [size, unit] = UNITS[place];
  const [smaller, word] = UNITS[place + 1] || [1, ""];
  const rest = word ? Math.floor((whole % size) / smaller) : 0;
  return `${Math.floor(whole / size)} ${unit}${rest && word !== "s" ? ` ${rest} ${word}` : ""}`;
}

function formatSize(count) {
  let rest = count;
  let place = 0;
  for (; rest >= 1024 && place < SIZES.length - 1; place += 1) rest /= 1024;
  return place ? `${rest.toFixed(1)} ${SIZES[place]}` : `${Math.round(rest)} B`;
}

function formatCount(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function formatClock(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

function formatHour(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}

function formatDistance(seconds) {
  const distance = seconds - readClock();
  if (Math.abs(distance) < MINUTE) return "now";
  return distance > 0 ? `in ${formatLength(distance)}` : `${formatLength(-distance)} ago`;
}

// Create an element with attributes. Those that are null or false are omitted, and children that are null, too.
function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// Create a time whose distance from now goes on counting, with an optional note.
function when(seconds, missing = "", more = "") {
  if (seconds === null) return missing ? el("span", { class: "faint" }, missing) : null;
  const time = el("time", { "data-at": seconds, title: `${formatClock(seconds)} UTC` }, formatDistance(seconds));
  time.setAttribute("datetime", new Date(seconds * 1000).toISOString());
  return more ? el("span", null, time, el("small", null, more)) : time;
}

function updateTimes() {
  for (const time of document.querySelectorAll("time[data-at]")) {
    const text = formatDistance(Number(time.dataset.at));
    if (time.textContent !== text) time.textContent = text;
    if (time.classList.contains("coming")) markPassed(time);
  }
}

// Mark the time of a coming run if it has passed since the report.
function markPassed(time) {
  time.classList.add("coming");
  time.classList.toggle("passed", Number(time.dataset.at) < readClock());
}
