// The WebSocket of this page. It is a request like any other to the load balancer, so it goes to the pinned instance;
// through it the page hears of the instances without asking, which would renew the cookie each time. The page without
// stickiness has one with stickiness too: its own listener would give it every other turn, and all refreshes, which have
// the turns between, would come from one instance.

const FIRST_WAIT = 500; // milliseconds
const LONGEST_WAIT = 8_000;

const socket = { instance: "", connection: null, wait: FIRST_WAIT, lost: false };

function openSocket() {
  const url = new URL(urlOf("sticky", "socket"));
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const connection = new WebSocket(url);
  socket.connection = connection;
  connection.onmessage = ({ data }) => {
    if (connection === socket.connection) hear(JSON.parse(data));
  };
  connection.onclose = () => {
    if (connection !== socket.connection) return;
    setSocketInstance("");
    if (socket.wait > FIRST_WAIT && !socket.lost) loseInstances();
    // Not all pages of a fallen instance at the same moment.
    setTimeout(openSocket, socket.wait * (0.75 + Math.random() / 2));
    socket.wait = Math.min(2 * socket.wait, LONGEST_WAIT);
  };
}

// A second attempt has failed too: there is nobody to tell of the instances.
function loseInstances() {
  socket.lost = true;
  const time = clock(Date.now());
  setRoster(roster.map((entry) => ({ ...entry, state: "away" })));
  notify(() => t("all_away", { time }));
}

function reopenSocket() {
  const { connection } = socket;
  // Before it closes, so that its end is not taken for a failure.
  setSocketInstance("");
  openSocket();
  connection?.close();
}

async function hear({ instance, user, session, instances }) {
  const first = socket.instance !== instance;
  setSocketInstance(instance);
  socket.wait = FIRST_WAIT;
  if (socket.lost) notify(() => t("answers_again", { instance }));
  socket.lost = false;
  if (first) {
    await readJar();
    if (isPinned()) {
      learn(own, { instance, user, session });
      settleOn(instance);
    }
    showCookies();
  }
  setRoster(instances);
}

function setSocketInstance(instance) {
  socket.instance = instance;
  byId("socket").dataset.instance = instance;
  showSocket();
}

const showSocket = () => say(byId("socket"), socket.instance ? t("socket", socket) : t("socket_none"));
