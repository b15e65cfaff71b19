// Today's events, newest first, each decision with its receipt in words.
import { ask, el, when } from "./dom.js";
import { begin, fill, say, t } from "./words.js";

const AT_ONCE = 1000;
const MOST_SHOWN = 300;

async function today() {
  const midnight = new Date().setHours(0, 0, 0, 0) / 1000;
  const events = [];
  for (let after = 0, page = []; ; after = page.at(-1).seq) {
    page = (await ask("GET", `api/v1/events?since=${midnight}&after=${after}&limit=${AT_ONCE}`)).events;
    events.push(...page);
    if (page.length < AT_ONCE) return events.reverse();
  }
}

async function names(here) {
  if (!here.may("manager")) return new Map();
  const { subjects } = await ask("GET", "api/v1/subjects");
  return new Map(subjects.map((subject) => [subject.id, subject.name]));
}

function measured(verdict) {
  if (verdict.measured === null || verdict.measured === undefined) return "";
  const number = (value) => (Math.round(value * 1000) / 1000).toString();
  const limit = verdict.limit === null || verdict.limit === undefined ? "" : ` / ${number(verdict.limit)}`;
  return ` (${number(verdict.measured)}${limit})`;
}

function receipt(body) {
  const verdicts = (body.verdicts ?? []).filter((verdict) => verdict.requirement !== "off");
  if (!verdicts.length) return null;
  return el("details", {}, el("summary", { class: "quiet" }, t("Why")), el("ul", {}, verdicts.map((verdict) => {
    const denies = verdict.requirement === "required" && verdict.outcome !== "pass";
    return el("li", { class: denies ? "bad" : "" },
      `${begin(say(verdict.control))}: ${say(verdict.outcome)}${verdict.reason === "ok" ? "" : `, ${say(verdict.reason)}`}${measured(verdict)}`);
  })));
}

function sentence(event) {
  const { body } = event;
  if (event.kind === "access") {
    return [body.granted ? t("Let in") : fill(t("Denied: {0}"), say(body.reason)), body.granted ? "good" : "bad"];
  }
  const word = body.outcome ?? body.alarm ?? body.mode ?? body.what ?? body.action ?? "";
  const text = [say(event.kind), word && say(String(word)), body.detail].filter(Boolean).join(": ");
  return [begin(text), event.kind === "alarm" ? "warn" : ""];
}

function line(event, doors, people) {
  const { body } = event;
  const [text, kind] = sentence(event);
  const who = event.subject_id ? people.get(event.subject_id) ?? t("somebody known") : null;
  const about = [
    doors.get(event.door_id) ?? event.door_id, who,
    event.kind === "access" && body.direction && say(body.direction),
    event.kind === "access" && body.basis && say(body.basis),
    (body.approver ?? body.user ?? body.by) && fill(t("by {0}"), body.approver ?? body.user ?? body.by),
  ].filter(Boolean);
  return el("li", {},
    el("div", { class: "row spread" }, el("span", { class: kind }, text), el("time", {}, when(event.at))),
    about.length > 0 && el("p", { class: "quiet" }, about.join(" · ")),
    event.kind === "access" && receipt(body));
}

export function drawEvents(here) {
  const list = el("ul", { class: "list" });
  const text = el("p", { class: "quiet" }, t("Reading …"));
  const again = el("button", { type: "button" }, t("Read again"));
  const doors = new Map(here.state.doors.map((door) => [door.id, door.name]));
  const read = async () => {
    again.disabled = true;
    try {
      const [events, people] = await Promise.all([today(), names(here)]);
      list.replaceChildren(...events.slice(0, MOST_SHOWN).map((event) => line(event, doors, people)));
      list.hidden = !events.length;
      text.hidden = events.length > 0 && events.length <= MOST_SHOWN;
      text.textContent = events.length ? fill(t("The newest {0} of {1} are shown."), MOST_SHOWN, events.length) : t("Nothing has happened today.");
    } catch (error) {
      text.hidden = false;
      text.textContent = error.message;
    } finally {
      again.disabled = false;
    }
  };
  again.addEventListener("click", read);
  list.hidden = true;
  read();
  return [el("div", { class: "row spread" }, el("h2", {}, t("Today")), again), text, list];
}
