// Stores the state of the demo in the browser, separately for each listener.

const memory = {
  // The storage can be forbidden or contain anything. The page then starts with an empty state.
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
      // The page works without stored state.
    }
  },
};
