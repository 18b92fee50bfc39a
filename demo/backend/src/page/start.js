// Starts the page. The page itself is the first response of its lane, and the other lane gets one request.

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

// The other listener has the same host and another port.
function linkToOtherListener() {
  const listener = document.querySelector(`.listener[data-lane=${other}]`);
  const link = element("a", { href: urlOf(other, "") });
  link.append(...listener.childNodes);
  listener.append(link);
}

async function start() {
  if (own === "sticky" && !application.on && memory.load("application", false) === true) {
    // The switch says that another cookie decides than the one that decided for this response.
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
  // The socket comes last: on the page without stickiness the request above is the first that gets the cookie, and the socket sends it.
  openSocket();
}

work(null, start);
