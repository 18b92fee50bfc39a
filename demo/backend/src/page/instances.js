// Shows the instances, and the buttons that change their health.

let roster = [];

// Instances that this page made unhealthy. The roster may not show it yet.
const madeUnhealthy = new Set();

function setRoster(instances) {
  roster = instances;
  for (const { name, state } of roster) if (state !== "healthy") madeUnhealthy.delete(name);
  showInstances();
  showCharts();
  showNotice();
}

// The state of an instance, if the state explains why its sessions move.
function stateThatMoves(name) {
  const state = roster.find((instance) => instance.name === name)?.state;
  return state === "healthy" ? null : (state ?? null);
}

function showInstances() {
  const list = byId("instances");
  const shown = [...list.children].map((item) => item.dataset.name);
  if (shown.join() !== roster.map(({ name }) => name).join()) list.replaceChildren(...roster.map(emptyCard));
  roster.forEach(({ name, state }, at) => {
    const card = list.children[at];
    const [title, text] = card.querySelectorAll("strong, small");
    card.dataset.state = state;
    card.toggleAttribute("data-pinned", isPinned() && name === pin.instance);
    say(title, t("instance_name", { instance: name }));
    say(text, stateText(name, state));
  });
}

function emptyCard({ name }) {
  const badge = element("span", { className: "badge", ariaHidden: "true", textContent: name });
  const card = element("li", { className: `hue-${hue(name)}` }, badge, element("strong"), element("small"));
  card.dataset.name = name;
  return card;
}

function stateText(name, state) {
  if (state === "unhealthy") return t("state_unhealthy");
  if (state === "away") return t("state_away", { instance: name });
  return isPinned() && name === pin.instance ? t("state_yours") : t("state_healthy");
}

async function makeUnhealthy() {
  const { instance, status } = await ask(own, "unhealthy", {});
  if (instance === null) return;
  if (status === 200) madeUnhealthy.add(instance);
  notify(() => (status === 200 ? t("made_unhealthy", { instance }) : t("only_healthy", { instance })));
}

async function bringBack() {
  const unhealthy = roster.filter(({ state }) => state === "unhealthy").map(({ name }) => name);
  const names = [...new Set([...unhealthy, ...madeUnhealthy])];
  if (names.length === 0) {
    notify(() => t("all_healthy"));
    return;
  }
  const answers = await Promise.all(names.map((name) => ask(own, `instances/${name}/healthy`, {})));
  const failed = names.filter((_, at) => answers[at].status !== 200);
  madeUnhealthy.clear();
  notify(() =>
    failed.length > 0 ? t("not_brought_back", { names: failed.join(", ") }) : t("brought_back", { names: names.join(", ") }),
  );
}
