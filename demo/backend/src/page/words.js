// Finds the words of the page in WORDS, which the page defines before this script.

const LANGUAGES = { en: "English", ko: "한국어" };

let language = memory.load("language", navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en");
if (!Object.hasOwn(LANGUAGES, language)) language = "en";

function t(key, values = {}) {
  return WORDS[key][language].replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) say(element, WORDS[element.dataset.word][language]);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", WORDS[element.dataset.label][language]);
  }
  const next = language === "en" ? "ko" : "en";
  byId("language").lang = next;
  say(byId("language"), LANGUAGES[next]);
}

function toggleLanguage() {
  language = language === "en" ? "ko" : "en";
  memory.save("language", language);
  translate();
}

// "14:03:22"
function clock(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString(language, { hour12: false });
}

// "23:59:57" for less than two days, and "6 d 23:59:57" from then on
function countdown(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const days = seconds < 2 * 86400 ? 0 : Math.floor(seconds / 86400);
  const parts = [Math.floor(seconds / 3600) - 24 * days, Math.floor(seconds / 60) % 60, seconds % 60];
  const time = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return days > 0 ? t("days", { days, time }) : time;
}
