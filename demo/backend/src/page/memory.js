// What this browser remembers of the demo, for each of the two listeners on its own.

const memory = {
  // Storage can be forbidden or hold anything: then the page starts over.
  load(key, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  save(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // The page works on, without a memory.
    }
  },
};
