// Short names for common work with the document.

const byId = (id) => document.getElementById(id);

function say(element, text) {
  // An unchanged text is not written again, so that a screen reader does not repeat it.
  if (element.textContent !== text) element.textContent = text;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
