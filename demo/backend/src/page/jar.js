// Reads and changes the load balancer's cookies in the browser.

const OURS = /^AWS(ALB|ALBCORS|ALBAPP-\d|ALBTG|ALBTGCORS|ELB|ELBCORS)$/;
const BY_LOAD_BALANCER = /^AWSALB(CORS)?$/;
const BY_APPLICATION = /^AWSALBAPP-\d$/;
const WITHDRAWN = "_remove_";

// Each cookie has the attributes that the browser tells.
let jar = [];

async function readJar() {
  jar = (globalThis.cookieStore ? await cookieStore.getAll() : parsed(document.cookie))
    .filter((cookie) => OURS.test(cookie.name))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

// Outside of secure contexts the browser tells no attributes.
function parsed(line) {
  const cookies = line.split("; ").filter(Boolean);
  return cookies.map((cookie) => {
    const at = cookie.indexOf("=");
    return { name: cookie.slice(0, at), value: cookie.slice(at + 1) };
  });
}

// The cookies that the load balancer reads in the sticky lane, even if their values are invalid.
function decidingCookies() {
  const names = application.on ? BY_APPLICATION : BY_LOAD_BALANCER;
  return jar.filter((cookie) => names.test(cookie.name) && cookie.value !== WITHDRAWN);
}

// A changed value does not pin. The session of the application does not replace it by itself.
const pinCookies = () => decidingCookies().filter((cookie) => !memory.load("spoiled", []).includes(cookie.value));

function write(cookie, value, expires) {
  const attributes = [`${cookie.name}=${value}`, `Path=${cookie.path ?? "/"}`];
  if (typeof expires === "number") attributes.push(`Expires=${new Date(expires).toUTCString()}`);
  if (cookie.secure) attributes.push("Secure", "SameSite=None");
  if (cookie.partitioned) attributes.push("Partitioned");
  document.cookie = attributes.join("; ");
}

function dropCookies() {
  for (const cookie of decidingCookies()) write(cookie, "", 0);
}

// The CORS cookie has the same value and is read first, so both must change.
function tamperWithCookies() {
  const spoiled = decidingCookies().map((cookie) => {
    const middle = Math.floor(cookie.value.length / 2);
    const changed = cookie.value[middle] === "A" ? "B" : "A";
    const value = cookie.value.slice(0, middle) + changed + cookie.value.slice(middle + 1);
    write(cookie, value, cookie.expires);
    return value;
  });
  memory.save("spoiled", spoiled);
}
