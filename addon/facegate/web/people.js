// People: search, enroll with consent and photos, add photos, erase.
import { ask, dialog, el, notice, when } from "./dom.js";
import { fill, say, t } from "./words.js";

const SUBJECTS = "api/v1/subjects";
const KINDS = ["resident", "staff", "pupil", "contractor", "visitor"];
const MOST_FILES = 10;
const LARGEST_BYTES = 8 * 1024 * 1024;
const PICTURES = ".jpg,.jpeg,.png,.webp,video/mp4,video/webm,video/quicktime";

function field(text, properties = {}, kind = "input") {
  const input = el(kind, properties);
  return { input, label: el("label", {}, text, input) };
}

function clean(input) { return input.value.trim() || null; }

// Sends each file by itself, and returns how many were kept and why others were not.
async function send(path, files, distinct, progress) {
  const refused = [];
  const advised = [];
  let kept = 0;
  for (const [index, file] of files.entries()) {
    progress(fill(t("Reading {0} of {1} …"), index + 1, files.length));
    if (file.size > LARGEST_BYTES) {
      refused.push(`${file.name}: ${t("larger than 8 MB")}`);
      continue;
    }
    const resource = file.type.startsWith("video/") ? "clip" : "photos";
    try {
      const answer = await ask("POST", `${path}/${resource}?distinct=${distinct}`, file);
      kept = answer.references;
      for (const advice of answer.noticed.advice) advised.push(`${file.name}: ${say(advice.component, advice.message)}`);
    } catch (error) {
      refused.push(`${file.name}: ${error.message}`);
    }
  }
  return { kept, refused, advised };
}

function lines(items) { return el("ul", {}, items.map((item) => el("li", {}, item))); }

function outcome(name, sent) {
  const { close } = dialog(fill(sent.kept ? t("{0} has {1} photos now") : t("{0} was not enrolled"), name, sent.kept),
    ...(sent.refused.length ? [el("p", { class: "bad" }, t("These could not be used:")), lines(sent.refused)] : []),
    ...(sent.advised.length ? [el("p", { class: "warn" }, t("Kept, though better would be possible:")), lines(sent.advised)] : []),
    el("p", { class: "row" }, el("button", { type: "button", class: "main", onclick: () => close() }, t("Close"))));
}

function pictureFields() {
  const files = field(t("1 to 10 photos, or a short clip, of one person (8 MB each at most)"), { type: "file", multiple: true, required: true, accept: PICTURES });
  const distinct = el("input", { type: "checkbox" });
  return {
    files: files.input,
    distinct,
    set: el("fieldset", {}, el("legend", {}, t("Photos")), files.label,
      el("label", { class: "check" }, distinct, t("Looks like somebody enrolled, and is somebody else"))),
  };
}

function form(set, text, submit) {
  const fault = el("p", { class: "bad", role: "alert", hidden: true });
  const button = el("button", { class: "main" }, text);
  const cancel = el("button", { type: "button", onclick: () => document.getElementById("dialog").close() }, t("Cancel"));
  const element = el("form", {}, set, fault, el("div", { class: "row" }, button, cancel));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    fault.hidden = true;
    try {
      await submit((told) => { button.textContent = told; });
    } catch (error) {
      fault.hidden = false;
      fault.textContent = error.message;
    } finally {
      button.disabled = false;
      button.textContent = text;
    }
  });
  return element;
}

function check(files) {
  if (files.length > MOST_FILES) throw new Error(fill(t("Choose at most {0} files."), MOST_FILES));
}

function enroll(here, again) {
  const name = field(t("Name"), { required: true, maxLength: 80, autocomplete: "off" });
  const kind = field(t("Kind"), {}, "select");
  kind.input.append(...KINDS.map((each) => el("option", { value: each }, say(each))));
  const born = field(t("Date of birth, for pupils and children"), { type: "date" });
  const doors = here.state.doors.map((door) => ({ id: door.id, box: el("input", { type: "checkbox", checked: true }), name: door.name }));
  const signer = field(t("Who signed"), { required: true, maxLength: 80, autocomplete: "off" });
  const guardian = field(t("Guardian, for a child"), { maxLength: 80, autocomplete: "off" });
  const version = field(t("Version of the text"), { required: true, maxLength: 80, value: "1" });
  const purpose = field(t("Purpose"), { required: true, maxLength: 200, value: t("access") });
  const language = field(t("Language of the text"), { required: true, maxLength: 35, value: document.documentElement.lang === "zh-Hans" ? "zh-CN" : "en" });
  const pictures = pictureFields();
  const set = [
    el("div", { class: "two" }, name.label, kind.label),
    born.label,
    el("fieldset", {}, el("legend", {}, t("Doors")), doors.map((door) => el("label", { class: "check" }, door.box, door.name))),
    el("fieldset", {}, el("legend", {}, t("Consent, given in writing")), el("div", { class: "two" }, signer.label, guardian.label, version.label, purpose.label, language.label)),
    pictures.set,
  ];
  dialog(t("Enroll a person"), form(set, t("Enroll"), async (progress) => {
    const files = [...pictures.files.files];
    check(files);
    const subject = await ask("POST", SUBJECTS, {
      name: name.input.value, kind: kind.input.value, birth_date: clean(born.input),
      permits: doors.filter((door) => door.box.checked).map((door) => ({ door_id: door.id })),
    });
    const path = `${SUBJECTS}/${subject.id}`;
    let sent = { kept: 0, refused: [], advised: [] };
    try {
      await ask("POST", `${path}/consents`, {
        text_version: version.input.value, purpose: purpose.input.value, language: language.input.value,
        signer: signer.input.value, guardian: clean(guardian.input),
      });
      sent = await send(path, files, pictures.distinct.checked, progress);
    } finally {
      // Nobody stays half enrolled.
      if (!sent.kept) await ask("DELETE", path);
    }
    outcome(subject.name, sent);
    again();
  }));
}

function addPhotos(subject, again) {
  const pictures = pictureFields();
  dialog(fill(t("Photos of {0}"), subject.name), form(pictures.set, t("Add"), async (progress) => {
    const files = [...pictures.files.files];
    check(files);
    const sent = await send(`${SUBJECTS}/${subject.id}`, files, pictures.distinct.checked, progress);
    outcome(subject.name, { ...sent, kept: sent.kept || subject.references });
    again();
  }));
}

function erase(subject, again) {
  dialog(fill(t("Erase {0}?"), subject.name), form(
    el("p", {}, t("Name, photos, consent, PINs and cards are removed for good, also from later restored backups. Doors no longer open to this person.")),
    t("Erase for good"), async () => {
      await ask("DELETE", `${SUBJECTS}/${subject.id}`);
      document.getElementById("dialog").close();
      notice(fill(t("{0} was erased."), subject.name));
      again();
    }));
}

function row(subject, doors, again) {
  const permits = [...new Set(subject.permits.map((permit) => doors.get(permit.door_id) ?? permit.door_id))];
  const facts = [
    say(subject.kind), subject.unit,
    subject.needs_photos ? t("needs new photos") : fill(t("{0} photos"), subject.references),
    subject.consent ? fill(t("consent of {0}"), when(subject.consent.given_at, true)) : t("no consent"),
    subject.last_seen_at !== null && fill(t("last seen {0}"), when(subject.last_seen_at)),
  ].filter(Boolean);
  return el("li", { class: "row spread" },
    el("div", {}, el("h3", {}, subject.name), el("p", { class: "quiet" }, facts.join(" · ")),
      el("p", { class: "quiet" }, permits.length ? fill(t("may use {0}"), permits.join(", ")) : t("may use no door"))),
    el("div", { class: "row" },
      subject.consent && el("button", { type: "button", onclick: () => addPhotos(subject, again) }, t("Add photos")),
      el("button", { type: "button", class: "risk", onclick: () => erase(subject, again) }, t("Erase"))));
}

export function drawPeople(here) {
  const search = el("input", { type: "search", placeholder: t("Search by name or unit"), "aria-label": t("Search by name or unit") });
  const list = el("ul", { class: "list", hidden: true });
  const text = el("p", { class: "quiet" }, t("Reading …"));
  const doors = new Map(here.state.doors.map((door) => [door.id, door.name]));
  let subjects = [];
  const draw = () => {
    const wanted = search.value.trim().toLocaleLowerCase();
    const found = subjects.filter((each) => `${each.name} ${each.unit ?? ""}`.toLocaleLowerCase().includes(wanted));
    list.replaceChildren(...found.slice(0, 200).map((subject) => row(subject, doors, read)));
    list.hidden = !found.length;
    text.hidden = false;
    text.textContent = fill(t("{0} of {1} people"), found.length, subjects.length);
  };
  const read = async () => {
    try {
      ({ subjects } = await ask("GET", SUBJECTS));
      subjects.sort((one, other) => one.name.localeCompare(other.name));
      draw();
    } catch (error) {
      text.hidden = false;
      text.textContent = error.message;
    }
  };
  search.addEventListener("input", draw);
  read();
  return [
    el("div", { class: "bar" }, search, el("button", { type: "button", class: "main", onclick: () => enroll(here, read) }, t("Enroll a person"))),
    text, list,
  ];
}
