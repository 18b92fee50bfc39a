// Handles the clicks on all buttons.

const AT_ONCE = 10;
const KEEP_EVERY = 250; // milliseconds
const KEEP_FOR = 60_000;

let atWork = 0;

// The buttons do not become `disabled` during the work, because that would take away the keyboard focus.
async function work(button, task) {
  if (button?.ariaDisabled === "true") return;
  atWork += 1;
  page.busy = "";
  if (button) button.ariaDisabled = "true";
  try {
    await task();
  } finally {
    if (button) button.ariaDisabled = "false";
    atWork -= 1;
    if (atWork === 0) delete page.busy;
  }
}

async function logIn() {
  notify(() => "");
  const user = byId("user").value.trim();
  const [{ status }] = await askBoth("login", { user });
  if (status === 422) notify(() => t("name_refused"));
  // The form is gone, and the keyboard focus with it.
  if (byId("login").hidden) byId("refresh").focus();
}

async function logOut() {
  notify(() => "");
  forgetLogins();
  await askBoth("logout", {});
  byId("user").value = "";
  byId("user").focus();
}

async function changeCookies(change, told) {
  if (decidingCookies().length === 0) {
    notify(() => t("nothing_to_change"));
    return;
  }
  const before = lanes.sticky.answers.at(-1)?.instance;
  change();
  leavePin();
  // Only this lane sends a request. With a request of the other lane in between, every new choice would be the same instance.
  const { instance } = await ask("sticky");
  if (instance !== null) notify(() => [told(), instance === before ? t("again", { instance }) : t("anew", { instance })].join(" "));
}

async function switchApplication() {
  const user = lanes.sticky.account.user ?? lanes.sticky.expected;
  leavePin();
  if (application.on) await ask("sticky", "logout", {});
  setApplication(!application.on);
  const path = application.on ? "session" : user ? "login" : "whoami";
  const { connection } = socket;
  const { instance } = await ask("sticky", path, path === "whoami" ? null : user ? { user } : {});
  if (own === "sticky" && socket.connection === connection) reopenSocket();
  if (instance !== null) notify(() => (application.on ? t("switched_on", { instance }) : t("switched_off", { instance })));
}

function setApplication(on) {
  application.on = on;
  memory.save("application", on);
  if (own === "sticky") history.replaceState(null, "", on ? application.path : "/");
  showApplication();
}

function showApplication() {
  byId("application").ariaChecked = String(application.on);
  say(byId("application-text"), application.on ? t("application_on") : t("application_off"));
}

let keeping = null;

function toggleKeeping() {
  if (keeping === null) {
    const ends = Date.now() + KEEP_FOR;
    const next = () => (Date.now() < ends ? void askBoth() : stopKeeping());
    keeping = setInterval(next, KEEP_EVERY);
    next();
  } else {
    stopKeeping();
  }
  showKeeping();
}

function stopKeeping() {
  clearInterval(keeping);
  keeping = null;
  showKeeping();
}

function showKeeping() {
  byId("keep").ariaPressed = String(keeping !== null);
}

function listen() {
  const onClick = (id, task) => byId(id).addEventListener("click", ({ currentTarget }) => work(currentTarget, task));
  const onSubmit = (id, task) =>
    byId(id).addEventListener("submit", (event) => {
      event.preventDefault();
      work(event.submitter, task);
    });
  onSubmit("login", logIn);
  onSubmit("logout", logOut);
  onClick("ten", async () => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => askBoth()));
    say(byId("said"), caption(lanes[own].answers));
  });
  onClick("drop", () => changeCookies(dropCookies, () => t("dropped")));
  onClick("tamper", () => changeCookies(tamperWithCookies, () => t("tampered")));
  onClick("unhealthy", makeUnhealthy);
  onClick("healthy", bringBack);
  onClick("application", switchApplication);
  byId("keep").addEventListener("click", toggleKeeping);
  byId("language").addEventListener("click", () => {
    toggleLanguage();
    showAll();
  });
  document.addEventListener("visibilitychange", () => document.hidden && keeping !== null && stopKeeping());
}
