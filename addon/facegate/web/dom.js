// Elements, requests and notices. All text goes in as text, never as markup.
import { t, told } from "./words.js";

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("aria-") || key === "for") element.setAttribute(key, value);
    else if (key === "class") element.className = value;
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// Paths are relative to the page: ingress has its own prefix before them.
export async function ask(method, path, body) {
  const headers = { "X-FaceGate-Page": "1" };
  const plain = body !== undefined && !(body instanceof Blob);
  if (plain) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, cache: "no-store", body: plain ? JSON.stringify(body) : body });
  } catch {
    throw new Refused("unreachable", t("The engine does not answer."));
  }
  if (response.status === 204) return null;
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Refused("unreachable", t("The engine does not answer."));
  }
  if (!response.ok) throw new Refused(answer.code ?? "", told(answer.code, answer.message ?? ""));
  return answer;
}

let hiding;
export function notice(text) {
  const place = document.getElementById("notice");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { place.hidden = true; }, 6000);
}

const busy = new Set();
// A button that asks once: while its question is open it cannot be pressed, also when drawn anew.
export function action(key, text, kind, work) {
  const button = el("button", { type: "button", class: kind, disabled: busy.has(key) }, text);
  button.addEventListener("click", async () => {
    if (busy.has(key)) return;
    busy.add(key);
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      notice(error.message);
    } finally {
      busy.delete(key);
      button.disabled = false;
      window.dispatchEvent(new Event("facegate-look"));
    }
  });
  return button;
}

export function dialog(title, ...content) {
  const box = document.getElementById("dialog");
  box.replaceChildren(el("h2", {}, title), ...content.flat());
  if (!box.open) box.showModal();
  return { close: () => box.close() };
}

export function when(seconds, whole = false) {
  const at = new Date(seconds * 1000);
  const today = at.toDateString() === new Date().toDateString();
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const day = { year: "numeric", month: "short", day: "numeric" };
  return at.toLocaleString(document.documentElement.lang, today && !whole ? clock : { ...day, ...clock });
}
