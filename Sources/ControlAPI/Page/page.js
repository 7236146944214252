// Keeps a page of keyreg up to date and draws its plots. Everything comes from the daemon that served the page.
"use strict";

const DAY = 24 * 60;
const MINUTE = 60 * 1000;
const SVG = "http://www.w3.org/2000/svg";
const PLOTS = {
  outcomes: [["area", "registered", (m) => m.registered], ["second area", "failed", (m) => m.failed]],
  throttled: [["second area", "refused", (m) => m.throttled]],
  latency: [["first", "median", (m) => m.latency_ms.p50], ["second", "90 % within", (m) => m.latency_ms.p90]],
  remaining: [["first", "left", (m) => m.remaining]],
};
let minutes = new Map();

function showTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
  for (const time of root.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    time.title = time.dateTime;
    time.textContent = format.format(date);
  }
}

/// The daemon's reasons tell times in UTC; one without a date is within half a day.
function localTimes(text) {
  return text.replace(/(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(\.\d+)?Z/g, (found, date) => {
    const days = [-0.5, 0.5].map((days) => new Date(Date.now() + days * DAY * MINUTE).toISOString().slice(0, 11));
    const times = (date ? [found] : days.map((day) => day + found)).map((time) => new Date(time));
    const [nearest] = times.sort((a, b) => Math.abs(a - Date.now()) - Math.abs(b - Date.now()));
    return nearest.toLocaleString(undefined, {
      ...(date ? { dateStyle: "medium" } : {}), timeStyle: "long",
    });
  });
}

function showReason(root) {
  const reason = root.querySelector("#reason");
  if (reason) reason.textContent = localTimes(reason.textContent);
}

// MARK: Plots

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function draw(figure) {
  const lines = PLOTS[figure.dataset.plot];
  const [width, height, left, bottom] = [Math.max(figure.clientWidth, 200), 128, 40, 16];
  const now = Math.floor(Date.now() / MINUTE);
  // A short history is shown large.
  const span = [1, 3, 6, 12, 24].map((hours) => hours * 60).find((long) => now - Math.min(...minutes.keys()) < long);
  const first = now - (span ?? DAY);
  const most = nice(Math.max(1, ...lines.flatMap(([, , value]) => [...minutes.values()].map((m) => value(m) ?? 0))));
  const x = (minute) => left + ((minute - first) / (now + 1 - first)) * (width - left - 2);
  const y = (value) => (height - bottom) * (1 - value / most) + 2;
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(element("path", { class: "axis", d: `M${left} 2V${y(0)}H${width - 2}` }));
  svg.append(element("text", { x: left - 4, y: 11, "text-anchor": "end" }, most.toLocaleString()));
  svg.append(element("text", { x: left - 4, y: y(0), "text-anchor": "end" }, "0"));
  for (let quarter = 0; quarter <= 4; quarter += 1) {
    const minute = now - ((now - first) * quarter) / 4;
    const date = new Date(minute * MINUTE);
    const text = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
    const anchor = quarter === 0 ? "end" : quarter === 4 ? "start" : "middle";
    svg.append(element("text", { x: x(minute), y: height - 3, "text-anchor": anchor }, text));
  }
  const told = [];
  for (const [kind, name, value] of lines) {
    let path = "";
    let previous;
    let last;
    for (let minute = first; minute <= now; minute += 1) {
      const record = minutes.get(minute);
      const number = record ? value(record) : undefined;
      if (number === undefined || number === null) { previous = undefined; continue; }
      if (kind.includes("area")) {
        if (number > 0) path += `M${x(minute)} ${y(0)}V${y(number)}H${x(minute + 1)}V${y(0)}Z`;
      } else {
        path += `${previous === undefined ? "M" : "L"}${x(minute)} ${y(number)}H${x(minute + 1)}`;
      }
      previous = last = number;
    }
    svg.append(element("path", { class: kind, d: path }));
    told.push(`${name}: ${last ?? "nothing yet"}`);
  }
  svg.setAttribute("aria-label", `${figure.querySelector("figcaption").textContent}; now ${told.join(", ")}`);
  svg.append(element("title", {}, told.join(", ")));
  figure.querySelector("svg")?.remove();
  figure.append(svg);
}

function drawAll() {
  for (const figure of document.querySelectorAll("figure[data-plot]")) draw(figure);
}

async function readHistory() {
  const newest = Math.max(0, ...minutes.keys());
  const since = newest > 0 ? `?since=${new Date(newest * MINUTE).toISOString()}` : "";
  const answer = await fetch(`/v1/history${since}`);
  if (!answer.ok) return;
  for (const minute of (await answer.json()).minutes) minutes.set(Date.parse(minute.at) / MINUTE, minute);
  const oldest = Date.now() / MINUTE - DAY;
  minutes = new Map([...minutes].filter(([minute]) => minute >= oldest));
  drawAll();
}

// MARK: The page itself

/// Replaces each part that has changed, and keeps the focus where it was.
async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focus = document.activeElement?.getAttribute("href");
  document.title = page.title;
  const main = document.querySelector("main");
  const wanted = [...page.querySelectorAll("main > section")];
  for (const section of document.querySelectorAll("main > section[data-live]")) {
    if (!wanted.some((new_) => new_.id === section.id)) section.remove();
  }
  let previous = null;
  for (const section of wanted) {
    const old = document.getElementById(section.id);
    let shown = old;
    if (section.hasAttribute("data-live") && old?.dataset.source !== section.outerHTML) {
      shown = document.importNode(section, true);
      shown.dataset.source = section.outerHTML;
      showTimes(shown);
      showReason(shown);
      if (old) old.replaceWith(shown);
      else if (previous) previous.after(shown);
      else main.prepend(shown);
    }
    previous = shown ?? previous;
  }
  if (focus && document.activeElement === document.body) {
    [...document.querySelectorAll("a")].find((link) => link.getAttribute("href") === focus)?.focus();
  }
}

/// Calls `body` at most once in `gap` milliseconds, and once more after the last call in between.
function seldom(gap, body) {
  let timer = null;
  let last = -Infinity;
  return () => {
    if (timer !== null) return;
    timer = setTimeout(async () => {
      timer = null;
      last = performance.now();
      // When the daemon is gone, the stream of events says so.
      try { await body(); } catch { }
    }, Math.max(0, last + gap - performance.now()));
  };
}

const refreshSoon = seldom(2000, refresh);
const readHistorySoon = seldom(10000, readHistory);

// MARK: Changes

/// Says that the daemon is gone, and since when; null once it is back.
function showGone(since) {
  document.body.classList.toggle("stale", since !== null);
  const old = document.getElementById("gone");
  if (since === null) old?.remove();
  if (since === null || old) return;
  const note = document.createElement("p");
  note.id = "gone";
  note.setAttribute("role", "alert");
  note.textContent = `The daemon has not answered since ${since.toLocaleTimeString()}. What you see is from then; ` +
    "this page goes on by itself once the daemon is back.";
  document.querySelector("main").before(note);
}

/// Follows the daemon, also over its restarts.
function listen() {
  const events = new EventSource("/v1/events");
  events.addEventListener("status", (event) => {
    showGone(null);
    const status = JSON.parse(event.data);
    const reason = document.getElementById("reason");
    if (reason && status.reason) reason.textContent = localTimes(status.reason);
    refreshSoon();
    if (document.querySelector("figure[data-plot]")) readHistorySoon();
  });
  // Some browsers do not try again by themselves.
  events.onerror = () => {
    events.close();
    showGone(new Date());
    setTimeout(listen, 2000);
  };
}

showTimes(document);
showReason(document);
if (document.querySelector("figure[data-plot]")) {
  readHistorySoon();
  setInterval(readHistorySoon, MINUTE);
  new ResizeObserver(seldom(200, async () => drawAll())).observe(document.getElementById("plots"));
}
listen();
