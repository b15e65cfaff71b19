// English or Simplified Chinese, by the browser's languages. English texts are their own keys.
import { chinese, spoken } from "./chinese.js";

const first = navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag)) ?? "en";
const inChinese = /^zh\b/i.test(first);
document.documentElement.lang = inChinese ? "zh-Hans" : "en";

const english = {
  fail: "not met", unavailable: "unavailable", pass: "met", ok: "works", failing: "fails",
  streaming: "shows", connecting: "connects", backing_off: "lost, tried again", refused: "refused",
  detector: "finding faces", embedder: "telling faces apart", liveness: "a person, not a picture", mask: "mask",
  passage: "went through", pin: "PIN", mqtt: "MQTT", passback: "came twice",
};

// A text of the pages.
export function t(text) { return inChinese ? chinese[text] ?? text : text; }

// A word of the engine's: a state, a reason, a kind.
export function say(word, fallback = undefined) {
  if (inChinese && spoken[word] !== undefined) return spoken[word];
  return fallback ?? english[word] ?? word.replaceAll("_", " ");
}

// The same at the beginning of a line.
export function begin(text) { return text.charAt(0).toLocaleUpperCase() + text.slice(1); }

export function fill(text, ...values) {
  return text.replace(/\{(\d)\}/g, (_, index) => String(values[Number(index)]));
}

// A refusal of the engine's. It speaks English: in Chinese the code says what is wrong, and the
// measured values stay.
export function told(code, message) {
  if (!inChinese) return message;
  if (code === "low_quality") {
    return message.split("; ").map((part) => {
      const found = /\((\w+) ([\d.-]+), limit ([\d.-]+)\)$/.exec(part);
      return found && spoken[found[1]] ? `${spoken[found[1]]}（${found[2]}，界限 ${found[3]}）` : part;
    }).join("；");
  }
  return spoken[code] === undefined ? message : `${spoken[code]}（${message}）`;
}
