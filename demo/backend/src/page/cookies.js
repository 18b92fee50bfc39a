// Shows the table of cookies with their attributes and the bytes of their values.

const ATTRIBUTES = ["value", "expires", "domain", "path", "secure", "samesite", "partitioned", "httponly"];
const SHOWN = 10; // characters at each end of a value
const BYTES_IN_A_LINE = 8;

const rows = new Map();

function showCookies() {
  const body = byId("cookies").tBodies[0];
  for (const [name, row] of rows) {
    if (jar.some((cookie) => cookie.name === name)) continue;
    row.remove();
    rows.delete(name);
  }
  // Change the row in place, so that an open value stays open when the cookie is renewed.
  jar.forEach((cookie, at) => {
    if (!rows.has(cookie.name)) rows.set(cookie.name, emptyRow(cookie.name));
    const row = rows.get(cookie.name);
    if (body.rows[at] !== row) body.insertBefore(row, body.rows[at] ?? null);
    fillRow(row, cookie);
  });
  byId("cookies").hidden = jar.length === 0;
  byId("cookie-notes").replaceChildren(...notes().map((note) => element("li", { textContent: note })));
}

function emptyRow(name) {
  // Roles, because a browser does not treat the cards of a narrow screen as a table.
  const row = element("tr", { role: "row" }, element("th", { scope: "row", textContent: name }));
  row.dataset.cookie = name;
  for (const attribute of ATTRIBUTES) {
    const cell = element("td", { role: "cell" });
    cell.dataset.attribute = attribute;
    row.append(cell);
  }
  const summary = element("summary", {}, element("code"), " ", element("small"));
  // The keyboard must reach the part that a narrow screen scrolls.
  const bytes = element("pre", { tabIndex: 0, role: "group" });
  const details = element("details", {}, summary, element("code", { className: "whole" }), element("p"), bytes);
  row.querySelector("[data-attribute=value]").append(details);
  return row;
}

function fillRow(row, cookie) {
  const cell = (attribute) => row.querySelector(`[data-attribute=${attribute}]`);
  fillValue(cell("value"), cookie.value);
  const told = (value) => (value === undefined ? t("not_told") : value);
  const yesOrNo = (value) => told(value === undefined ? value : value ? t("yes") : t("no"));
  say(cell("expires"), expiresText(cookie));
  say(cell("domain"), cookie.domain === null ? t("this_host") : told(cookie.domain));
  say(cell("path"), told(cookie.path));
  say(cell("secure"), yesOrNo(cookie.secure));
  say(cell("samesite"), told(cookie.sameSite));
  say(cell("partitioned"), yesOrNo(cookie.partitioned));
  say(cell("httponly"), t("no")); // a script sees no HttpOnly cookie
  const names = { value: t("value"), expires: "Expires", domain: "Domain", path: "Path", secure: "Secure" };
  Object.assign(names, { samesite: "SameSite", partitioned: "Partitioned", httponly: "HttpOnly" });
  for (const attribute of ATTRIBUTES) cell(attribute).dataset.name = names[attribute];
}

function expiresText({ expires }) {
  if (expires === undefined) return t("not_told");
  if (expires === null) return t("browser_closes");
  const date = new Date(expires).toLocaleString(language, { dateStyle: "medium", timeStyle: "medium", hour12: false });
  return t("expires", { date, time: countdown(expires - Date.now()) });
}

function showExpiries() {
  for (const cookie of jar) {
    const cell = rows.get(cookie.name)?.querySelector("[data-attribute=expires]");
    if (cell) say(cell, expiresText(cookie));
  }
}

function fillValue(cell, value) {
  const [short, length] = cell.querySelector("summary").children;
  const withdrawn = value === WITHDRAWN;
  say(short, value.length > 2 * SHOWN ? `${value.slice(0, SHOWN)}…${value.slice(-SHOWN)}` : value);
  say(length, withdrawn ? t("withdrawn") : t("characters", { count: value.length }));
  say(cell.querySelector(".whole"), value);
  const bytes = withdrawn ? [] : decoded(value);
  say(cell.querySelector("p"), withdrawn ? t("withdrawn_text") : t("sealed", { count: value.length, bytes: bytes.length }));
  say(cell.querySelector("pre"), dump(bytes));
  cell.querySelector("pre").ariaLabel = t("bytes");
}

// Decodes a value, as everyone who has the cookie can. The bytes are encrypted.
function decoded(value) {
  try {
    return Uint8Array.from(atob(decodeURIComponent(value)), (character) => character.charCodeAt(0));
  } catch {
    return [];
  }
}

// "9f 0c ...  .r@..."
function dump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += BYTES_IN_A_LINE) {
    const line = [...bytes.slice(at, at + BYTES_IN_A_LINE)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = line.map((byte) => (byte > 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${hex.padEnd(3 * BYTES_IN_A_LINE)} ${text}`);
  }
  return lines.join("\n");
}

function notes() {
  const notes = [];
  const has = (name) => jar.some((cookie) => cookie.name === name);
  if (jar.length === 0) notes.push(t("no_cookies"));
  if (jar.some((cookie) => cookie.expires === undefined)) notes.push(isSecureContext ? t("tells_little") : t("tells_little_insecure"));
  if (location.protocol === "http:" && has("AWSALB") && !has("AWSALBCORS")) notes.push(t("no_twin"));
  notes.push(t("http_only"));
  return notes;
}
