// The start: this page is the first answer of its own lane, and the other lane is asked once.

function showAll() {
  Object.values(lanes).forEach(showLane);
  showPin();
  showNotice();
  showCookies();
  showApplication();
  showInstances();
  showCharts();
  showSocket();
}

// On whatever host this is, the other listener has another port.
function linkToOtherListener() {
  const listener = document.querySelector(`.listener[data-lane=${other}]`);
  const link = element("a", { href: urlOf(other, "") });
  link.append(...listener.childNodes);
  listener.append(link);
}

async function start() {
  if (own === "sticky" && !application.on && memory.load("application", false) === true) {
    // This answer went by another cookie than the ones that the switch asks for.
    location.replace(application.path);
    return;
  }
  translate();
  for (const hidden of document.querySelectorAll("[data-scripted]")) hidden.hidden = false;
  linkToOtherListener();
  listen();
  await readJar();
  const answer = { instance: page.instance, status: 200, user: page.user || null, session: page.session };
  record(own, answer);
  follow(answer);
  showAll();
  tellMove();
  globalThis.cookieStore?.addEventListener("change", async () => {
    await readJar();
    showPin();
    showInstances();
    showCookies();
  });
  setInterval(() => {
    showUntil();
    showExpiries();
  }, 1000);
  await ask(other);
  // Not before: from a page without stickiness this is the first request that gets the cookie, which the socket has to show.
  openSocket();
}

work(null, start);
