// Compares the two lanes: the responses to the same clicks with stickiness and without.

const KEPT = 30; // answers
const HUES = 6; // like in page.rs
const PATIENCE = 10_000; // milliseconds

const page = document.body.dataset;
const own = page.listener;
const other = own === "sticky" ? "plain" : "sticky";

const application = {
  path: "/by-application/",
  // The sticky page knows it from its address. The other page has to store it.
  on: own === "sticky" ? location.pathname.startsWith("/by-application/") : memory.load("application", false) === true,
};

const lanes = { sticky: restored("sticky"), plain: restored("plain") };

function restored(name) {
  const { answers, account, expected } = memory.load(`lane-${name}`, {});
  return {
    name,
    root: byId(`lane-${name}`),
    answers: Array.isArray(answers) ? answers : [], // the newest is last
    account: account ?? { instance: null, user: null, session: "none" },
    expected: expected ?? null, // the last user who logged in here
  };
}

const hue = (name) => [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % HUES;

function urlOf(name, path) {
  const origin = name === own ? location.origin : `${location.protocol}//${location.hostname}:${page[`${name}Port`]}`;
  return origin + (name === "sticky" && application.on ? application.path : "/") + path;
}

// Sends one request to one lane. It needs no preflight request (CORS).
async function ask(name, path = "whoami", form = null) {
  const answer = await answerTo(urlOf(name, path), form);
  await readJar();
  record(name, answer);
  if (name === own) follow(answer);
  showCookies();
  return answer;
}

// The order is random. Lanes without a pin share one round robin, so with a fixed order each lane would always reach the same
// instance.
function askBoth(path, form) {
  const names = Math.random() < 0.5 ? ["sticky", "plain"] : ["plain", "sticky"];
  return Promise.all(names.map((name) => ask(name, path, form)));
}

async function answerTo(url, form) {
  try {
    const response = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      headers: { accept: "application/json" },
      credentials: "include",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    // Without this header the response is from Envoy itself: it found no instance.
    const instance = response.headers.get("x-instance");
    const told = response.headers.get("content-type")?.startsWith("application/json") ? await response.json() : {};
    return { instance, status: response.status, user: told.user ?? null, session: told.session ?? null };
  } catch {
    return { instance: null, status: 0, user: null, session: null };
  }
}

function record(name, answer) {
  const lane = lanes[name];
  // A response without a session state changes nothing.
  if (answer.session) learn(name, answer);
  const known = lane.account.session !== "unknown";
  lane.answers = [...lane.answers, { instance: answer.instance, known }].slice(-KEPT);
  remember(lane);
}

// Describes the account that the instance of a lane knows.
function learn(name, { instance, user, session }) {
  const lane = lanes[name];
  lane.account = { instance, user, session };
  lane.expected = user ?? lane.expected;
  remember(lane);
}

function remember(lane) {
  const { name } = lane;
  memory.save(`lane-${name}`, { answers: lane.answers, account: lane.account, expected: lane.expected });
  showLane(lane);
}

function forgetLogins() {
  for (const lane of Object.values(lanes)) lane.expected = null;
}

function showLane(lane) {
  lane.root.querySelector(".answers").replaceChildren(...lane.answers.map(dot));
  say(lane.root.querySelector(".caption"), caption(lane.answers));
  say(lane.root.querySelector(".legend"), lane.answers.some(({ known }) => !known) ? t("crossed_out") : "");
  const account = lane.root.querySelector(".account");
  say(account, accountOf(lane));
  account.dataset.session = lane.account.session;
}

function dot({ instance, known }) {
  const item = element("li", { title: answerText(instance, known) });
  item.dataset.instance = instance ?? "";
  item.dataset.known = instance === null ? "" : known;
  if (instance !== null) item.className = `hue-${hue(instance)}`;
  item.append(
    element("span", { ariaHidden: "true", textContent: instance ?? "–" }),
    element("span", { className: "unseen", textContent: item.title }),
  );
  return item;
}

function answerText(instance, known) {
  if (instance === null) return t("answer_none");
  return known ? t("answer", { instance }) : t("answer_unknown", { instance });
}

// "30 answers from a" or "15 from a, 15 from b"
function caption(answers) {
  const counts = new Map();
  for (const { instance } of answers) counts.set(instance, (counts.get(instance) ?? 0) + 1);
  const sorted = [...counts].sort(([one], [another]) => (one === null) - (another === null) || (one < another ? -1 : 1));
  if (sorted.length === 0) return t("no_answers");
  if (sorted.length === 1 && sorted[0][0] !== null) {
    const [[instance, count]] = sorted;
    return count === 1 ? t("one_answer", { instance }) : t("all_answers", { instance, count });
  }
  return sorted
    .map(([instance, count]) => (instance === null ? t("count_none", { count }) : t("count_from", { instance, count })))
    .join(", ");
}

function accountOf({ account: { instance, user, session }, expected }) {
  if (user) return t("logged_in", { user });
  if (session !== "unknown") return t("nobody_logged_in");
  return expected ? t("does_not_know", { instance, user: expected }) : t("does_not_know_you", { instance });
}
