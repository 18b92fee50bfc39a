// Short names for what all parts do with the document.

const byId = (id) => document.getElementById(id);

function say(element, text) {
  // An unchanged text is left alone, so that a screen reader does not tell it again.
  if (element.textContent !== text) element.textContent = text;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
