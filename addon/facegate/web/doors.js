// Doors with their last picture and buttons, open calls, and cameras that do not stream.
import { action, ask, el, notice, when } from "./dom.js";
import { fill, say, t } from "./words.js";

const GOOD = new Set(["locked", "unlocked"]);

function picture(path, text) {
  const image = el("img", { class: "picture", src: path, alt: text });
  image.addEventListener("error", () => image.replaceWith(el("div", { class: "picture" }, t("No picture"))));
  return image;
}

function operate(door, verb) {
  return async () => {
    await ask("POST", `api/v1/doors/${encodeURIComponent(door.id)}/operation`, { action: verb });
    notice(fill(t(verb === "open" ? "{0} was opened." : verb === "lock" ? "{0} is locked." : "{0} stays unlocked."), door.name));
  };
}

function doorCard(door, here) {
  const alarms = [
    door.forced_open && t("forced open"),
    door.held_open && t("held open"),
    door.mode !== "normal" && say(door.mode),
  ].filter(Boolean);
  const operator = here.may("operator");
  const state = door.held ? t("unlocked until locked") : say(door.state);
  return el("section", { class: "card" },
    el("div", { class: "row spread" }, el("h3", {}, door.name),
      el("span", { class: `mark ${door.fault || !GOOD.has(door.state) ? "warn" : door.state === "locked" ? "good" : "bad"}` }, state)),
    operator && (door.picture_at
      ? picture(`api/v1/doors/${encodeURIComponent(door.id)}/picture?at=${door.picture_at}`, fill(t("Last picture at {0}"), door.name))
      : el("div", { class: "picture" }, t("No picture"))),
    operator && door.picture_at && el("p", { class: "quiet" }, fill(t("Last picture {0}"), when(door.picture_at))),
    alarms.length > 0 && el("p", { class: "quiet bad" }, alarms.join(", ")),
    door.fault && el("p", { class: "quiet bad" }, door.fault),
    door.temperature !== null && el("p", { class: "quiet" }, fill(t("Body temperature {0} °C, {1}"), door.temperature.toFixed(1), when(door.temperature_at))),
    operator && el("div", { class: "row actions" },
      action(`open ${door.id}`, t("Open"), "main", operate(door, "open")),
      !door.held && action(`unlock ${door.id}`, t("Keep unlocked"), "", operate(door, "unlock")),
      action(`lock ${door.id}`, t("Lock"), "", operate(door, "lock"))));
}

function callCard(call, here) {
  const door = here.state.doors.find((each) => each.id === call.door_id);
  const path = `api/v1/calls/${encodeURIComponent(call.id)}`;
  const answer = (word, text) => async () => {
    await ask("POST", `${path}/answer`, { answer: word });
    notice(text);
  };
  const operator = here.may("operator");
  const name = door ? door.name : call.door_id;
  return el("section", { class: "card call" },
    el("div", { class: "row spread" }, el("h3", {}, fill(t("Somebody rings at {0}"), name)),
      call.unit && el("span", { class: "mark" }, call.unit)),
    operator && picture(`${path}/picture`, t("Who rings")),
    el("p", { class: "quiet" }, fill(t("since {0}, until {1}"), when(call.opened_at), when(call.expires_at))),
    operator && el("div", { class: "row actions" },
      action(`call ${call.id}`, t("Let in"), "main", answer("let_in", t("The visitor is let in."))),
      action(`call ${call.id}`, t("Turn away"), "risk", answer("turn_away", t("The visitor is turned away.")))));
}

export function drawDoors(here) {
  const { doors, calls, cameras, areas } = here.state;
  const down = cameras.filter((camera) => camera.state !== "streaming");
  return [
    ...(calls.length ? [el("h2", {}, t("Calls")), el("div", { class: "cards" }, calls.map((call) => callCard(call, here)))] : []),
    el("h2", {}, t("Doors")),
    el("div", { class: "cards" }, doors.map((door) => doorCard(door, here))),
    ...(areas.length ? [el("h2", {}, t("Areas")), el("ul", { class: "list" }, areas.map((area) => el("li", { class: "row spread" },
      el("span", {}, area.name), el("span", {}, area.capacity === null ? String(area.occupancy) : `${area.occupancy} / ${area.capacity}`))))] : []),
    ...(down.length ? [el("h2", {}, t("Cameras that show nothing")), el("ul", { class: "list" }, down.map((camera) => el("li", {},
      el("div", { class: "row spread" }, el("span", {}, camera.name), el("span", { class: "mark warn" }, say(camera.state))),
      camera.reason && el("p", { class: "quiet" }, camera.reason))))] : []),
  ];
}
