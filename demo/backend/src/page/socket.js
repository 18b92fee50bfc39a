// Keeps the WebSocket of this page open. For the load balancer it is a request like any other, so it reaches the pinned instance.
// It brings the state of the instances without further requests, which would renew the cookie each time. The page without
// stickiness also uses the sticky listener: on its own listener, the socket would take every second turn of the round robin, and
// all refreshes would reach the same instance.

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
    // A random wait, so that not all pages of a failed instance connect at the same moment.
    setTimeout(openSocket, socket.wait * (0.75 + Math.random() / 2));
    socket.wait = Math.min(2 * socket.wait, LONGEST_WAIT);
  };
}

// A second attempt failed too, so no instance reports the states.
function loseInstances() {
  socket.lost = true;
  const time = clock(Date.now());
  setRoster(roster.map((entry) => ({ ...entry, state: "away" })));
  notify(() => t("all_away", { time }));
}

function reopenSocket() {
  const { connection } = socket;
  // Before the socket closes, so that its end does not count as a failure.
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
