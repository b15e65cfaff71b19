// The frame: who is here, the tabs, and looking at the engine's state every other second.
import { drawDoors } from "./doors.js";
import { ask, el } from "./dom.js";
import { drawEvents } from "./events.js";
import { drawPeople } from "./people.js";
import { begin, fill, say, t } from "./words.js";

const LOOK_MS = 2000;
const main = document.getElementById("main");
const ranks = ["viewer", "operator", "manager"];

const here = {
  session: null,
  state: null,
  health: null,
  fault: null,
  may(role) { return ranks.indexOf(this.session.role) >= ranks.indexOf(role); },
};

const tabs = {
  doors: { title: "Doors", draw: () => drawDoors(here), role: "viewer" },
  people: { title: "People", draw: () => drawPeople(here), role: "manager", still: true },
  events: { title: "Today", draw: () => drawEvents(here), role: "viewer", still: true },
  health: { title: "Health", draw: drawHealth, role: "viewer" },
};
let shown = "";
let drawn = "";

function drawTabs() {
  const items = Object.entries(tabs).filter(([, tab]) => here.may(tab.role));
  document.getElementById("tabs").replaceChildren(...items.map(([key, tab]) => {
    const button = el("button", { type: "button" }, t(tab.title));
    if (key === shown) button.setAttribute("aria-current", "page");
    button.addEventListener("click", () => show(key));
    return button;
  }));
}

function show(key) {
  shown = key;
  drawn = "";
  drawTabs();
  draw();
}

function draw() {
  if (here.fault) return main.replaceChildren(el("p", { class: "bad" }, here.fault));
  if (!here.state) return undefined;
  const now = JSON.stringify([shown, here.state, here.health]);
  // What has a form or a list of its own is drawn once, and not under somebody's hands.
  if (now === drawn || (drawn && tabs[shown].still)) return undefined;
  drawn = now;
  return main.replaceChildren(...tabs[shown].draw());
}

function drawHealth() {
  const { state, health } = here;
  const lines = [];
  const line = (name, well, text) => lines.push(el("li", { class: "row spread" },
    el("span", {}, name), el("span", { class: well ? "good" : "bad" }, text)));
  line(t("Records"), health.records === "ok", say(health.records));
  line(t("Key of the records"), health.vault === "ok", say(health.vault));
  if (!state.model_faults.length) line(t("Models"), true, say("ok"));
  for (const fault of state.model_faults) {
    const stops = fault.stops_faces ? t("no door opens to a face") : t("only what needs it denies");
    line(`${begin(say(fault.role))}: ${fault.model}`, false, `${say(fault.problem)}, ${stops}`);
  }
  if (state.need_photos) line(t("People who need new photos"), false, String(state.need_photos));
  for (const door of state.doors) {
    if (door.fault) line(door.name, false, door.fault);
    for (const sensor of door.sensors) {
      const way = sensor.direction ? `, ${say(sensor.direction)}` : "";
      line(`${door.name}: ${say(sensor.kind)}${way}`, sensor.ok, sensor.ok ? say("ok") : sensor.reason ?? say("failing"));
    }
  }
  const cameras = state.cameras.map((camera) => el("li", { class: "row spread" },
    el("span", {}, camera.name),
    el("span", { class: camera.state === "streaming" ? "good" : "bad" },
      camera.reason ? `${say(camera.state)}: ${camera.reason}` : say(camera.state))));
  return [
    el("h2", {}, t("Health")), el("ul", { class: "list" }, lines),
    el("h2", {}, t("Cameras")),
    cameras.length ? el("ul", { class: "list" }, cameras) : el("p", { class: "quiet" }, t("No camera is configured.")),
    el("p", { class: "quiet" }, fill(t("Version {0}"), health.version)),
  ];
}

async function look() {
  try {
    const session = await ask("GET", "api/v1/session");
    const changed = JSON.stringify(session) !== JSON.stringify(here.session);
    here.session = session;
    [here.state, here.health] = await Promise.all([ask("GET", "api/v1/state"), ask("GET", "health")]);
    if (here.fault) drawn = "";
    here.fault = null;
    if (changed) {
      document.getElementById("user").textContent = `${session.shown} · ${say(session.role)}`;
      show(shown && here.may(tabs[shown].role) ? shown : "doors");
    }
  } catch (error) {
    here.fault = error.message;
  }
  draw();
}

window.addEventListener("facegate-look", look);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
await look();
for (;;) {
  await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
  if (!document.hidden) await look();
}
