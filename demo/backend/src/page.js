"use strict";
// What only the browser knows: which instances answered it, and where it logged in. Both are kept per port.
{
  const KEPT = 30; // answers
  const HUES = 6; // as in page.rs

  const page = document.body.dataset;
  const byId = (id) => document.getElementById(id);

  // Storage can be forbidden or hold anything: then the page starts over.
  const load = (key, otherwise) => {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  const save = (key, value) => {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // The page works on, without a memory.
    }
  };

  // The answers: the names of the instances, the newest at the end; null for an answer that came from none.

  const stored = load("answers", []);
  let answers = Array.isArray(stored) ? stored.filter((name) => name === null || typeof name === "string") : [];

  const hue = (name) => [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % HUES;

  const dot = (name) => {
    const item = document.createElement("li");
    item.textContent = name ?? "!";
    item.title = name === null ? "no instance answered" : `instance ${name}`;
    if (name !== null) item.className = `hue-${hue(name)}`;
    return item;
  };

  // "10 answers from a", "5 from a, 5 from b"
  const caption = () => {
    const counts = new Map();
    for (const name of answers) counts.set(name, (counts.get(name) ?? 0) + 1);
    const parts = [...counts]
      .sort(([one], [other]) => (one === null) - (other === null) || (one < other ? -1 : 1))
      .map(([name, count]) => [count, name === null ? "from no instance" : `from ${name}`]);
    if (parts.length === 0) return "No answers yet.";
    if (parts.length > 1) return parts.map((part) => part.join(" ")).join(", ");
    const [[count, from]] = parts;
    return `${count} ${count === 1 ? "answer" : "answers"} ${from}`;
  };

  const showAnswers = () => {
    byId("answers").replaceChildren(...answers.map(dot));
    byId("caption").textContent = caption();
  };

  const setAnswers = (changed) => {
    answers = changed.slice(-KEPT);
    save("answers", answers);
    showAnswers();
  };

  const say = (sentence) => {
    byId("notice").textContent = sentence;
  };

  // A response without the header is Envoy's own: it found no instance.
  const ask = async (path, options) => {
    const response = await fetch(path, { cache: "no-store", ...options });
    setAnswers([...answers, response.headers.get("x-instance")]);
    return response;
  };

  byId("refresh").addEventListener("click", async ({ currentTarget: button }) => {
    // Not `disabled`, which would take the focus away from a keyboard.
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    try {
      for (let count = 0; count < 10; count += 1) await ask("/whoami");
    } catch {
      say("No answer: is the demo still running?");
    }
    button.ariaDisabled = "false";
  });

  byId("clear").addEventListener("click", () => setAnswers([]));

  // The login: who logged in and which instance took it.

  byId("login")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const user = byId("user").value.trim();
    try {
      // With this header the answer is no redirect, so its x-instance can be read.
      const response = await ask("/login", {
        method: "POST",
        headers: { accept: "text/plain" },
        body: new URLSearchParams({ user }),
      });
      if (response.ok) {
        save("login", { user, instance: response.headers.get("x-instance") });
        location.replace("/");
      } else {
        say(await response.text());
      }
    } catch {
      say("No answer to the login: is the demo still running?");
    }
  });

  byId("logout")?.addEventListener("submit", () => save("login", null));

  const showLostLogin = () => {
    const login = load("login", null);
    if (page.user) {
      save("login", { user: page.user, instance: page.instance });
    } else if (login && page.cookie !== "unknown") {
      say(`You logged in as ${login.user}, but this browser no longer has the session's cookie.`);
    } else if (login && login.instance === page.instance) {
      say(`You logged in as ${login.user} on instance ${login.instance}, but it has started again since: its memory is empty.`);
    } else if (login) {
      say(
        `You logged in as ${login.user}, but instance ${page.instance} has never heard of you: ` +
          `the session lives in the memory of instance ${login.instance}.`,
      );
    }
  };

  // Links to the other listener, which has another port on whatever host this is.

  for (const listener of document.querySelectorAll(".listener:not([aria-current])")) {
    const link = document.createElement("a");
    link.href = `${location.protocol}//${location.hostname}:${listener.dataset.port}/`;
    link.append(...listener.childNodes);
    listener.append(link);
  }

  for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
  setAnswers([...answers, page.instance]);
  showLostLogin();
}
