// Shows the pinned instance, the times of the pin, and the latest event.

const MOVE_IS_NEWS_FOR = 30_000; // milliseconds, also after a refresh
const REASON_COMES_WITHIN = 10_000; // milliseconds, until the roster shows the reason of a move

let notice = () => "";

function notify(sentence) {
  notice = sentence;
  showNotice();
}

const showNotice = () => say(byId("notice"), notice());

const pin = { instance: null, since: Date.now(), held: false, ends: null, moved: null, ...memory.load("pin", {}) };

const isPinned = () => own === "sticky" && (!application.on || pinCookies().length > 0);

// True if no instance answered the last request in the lane of this page.
let silence = false;

// Updates the pin from a response in the lane of this page.
function follow(answer) {
  const wasSilent = silence;
  silence = answer.instance === null;
  if (silence) {
    const time = clock(Date.now());
    notify(() => (answer.status ? t("no_instance", { status: answer.status, time }) : t("no_envoy", { time })));
    return;
  }
  if (wasSilent) notify(() => t("answers_again", answer));
  settleOn(answer.instance);
  if (isPinned() && socket.instance && socket.instance !== answer.instance) reopenSocket();
}

function settleOn(instance) {
  if (pin.instance !== instance) {
    const at = Date.now();
    const moved = pin.instance !== null && pin.held && isPinned();
    pin.moved = moved ? { from: pin.instance, to: instance, at, expired: pin.ends !== null && pin.ends < at } : null;
    Object.assign(pin, { instance, since: at });
    tellMove();
  }
  pin.held = isPinned();
  pin.ends = end();
  memory.save("pin", pin);
  Object.assign(page, { instance, session: lanes[own].account.session, user: lanes[own].account.user ?? "" });
  showPin();
  showInstances();
}

// Forgets the pin, because the visitor is changing it. The next notice is about the change, not about a move.
function leavePin() {
  Object.assign(pin, { held: false, moved: null });
}

// Also runs after a refresh, because the socket may have noticed the move just before.
function tellMove() {
  if (pin.moved === null || Date.now() - pin.moved.at > MOVE_IS_NEWS_FOR) return;
  const { from, to, at, expired } = pin.moved;
  const told = Date.now();
  let state = null;
  notify(() => {
    if (Date.now() - told < REASON_COMES_WITHIN) state ??= stateThatMoves(from);
    const sentences = [t("moved", { from, to, time: clock(at) })];
    if (expired) sentences.push(t("why_expired"));
    else if (state === "unhealthy") sentences.push(t("why_unhealthy", { instance: from }));
    else if (state === "away") sentences.push(t("why_away", { instance: from }));
    const { account, expected } = lanes[own];
    if (account.session === "unknown" && account.instance === to && expected) sentences.push(`${accountOf(lanes[own])}.`);
    return sentences.join(" ");
  });
}

// The expiry of the cookie that pins, or null if it has none or the browser does not tell it.
function end() {
  const ends = pinCookies().map((cookie) => cookie.expires).filter((expires) => typeof expires === "number");
  return ends.length > 0 ? Math.max(...ends) : null;
}

function untilText() {
  if (own === "plain") return t("until_plain");
  if (!isPinned()) return t("until_no_session");
  const [cookie] = pinCookies();
  if (!cookie) return t("until_no_cookie");
  if (cookie.expires === undefined) return isSecureContext ? t("until_not_told") : t("until_insecure");
  if (cookie.expires === null) return t("until_browser_closes");
  return t("until", { time: countdown(end() - Date.now()) });
}

const showUntil = () => say(byId("until"), untilText());

function showPin() {
  const { instance } = pin;
  byId("hero").className = `hero hue-${hue(instance)}`;
  say(byId("lead"), isPinned() ? t("lead_pinned") : t("lead_answer"));
  say(byId("pinned"), instance);
  document.title = t("title", { instance });
  say(byId("since"), t("since", { time: clock(pin.since) }));
  showUntil();
  say(byId("account"), accountOf(lanes[own]));
  byId("account").dataset.session = page.session;
  byId("login").hidden = page.user !== "";
  byId("logout").hidden = page.user === "";
  byId("next").hidden = page.user === "";
}
