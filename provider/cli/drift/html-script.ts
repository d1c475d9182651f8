/**
 * The page's script. It makes no markup and loads nothing: it hides, sorts, opens and copies what is in the document. The filter is
 * the address's fragment, so that it can be linked.
 */
export const SCRIPT = `
"use strict";
(() => {
const root = document.documentElement;
root.classList.add("has-script");
const themes = ["system", "light", "dark"];
let theme = "system";
const paint = () => {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
};
try { if (themes.includes(localStorage.getItem("theme"))) theme = localStorage.getItem("theme"); } catch {}
paint();

document.addEventListener("DOMContentLoaded", () => {
const byId = (id) => document.getElementById(id);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

const toggle = byId("theme");
const label = () => { toggle.textContent = "Theme: " + theme; };
label();
toggle.addEventListener("click", () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  try { localStorage.setItem("theme", theme); } catch {}
  paint();
  label();
});

const checked = document.querySelector(".method time");
const age = byId("age");
const showAge = () => {
  const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(checked.dateTime)) / 60000));
  const [amount, unit] = minutes < 60 ? [minutes, "minute"] : minutes < 2880 ? [Math.floor(minutes / 60), "hour"] : [Math.floor(minutes / 1440), "day"];
  age.textContent = ", " + amount + " " + unit + (amount === 1 ? "" : "s") + " ago";
};
if (checked) {
  showAge();
  setInterval(showAge, 60000);
}
for (const time of all("time")) {
  const date = new Date(time.dateTime);
  if (!isNaN(date)) time.title = date.toLocaleString() + ", your time";
}

const open = (target) => {
  for (let element = target; element; element = element.parentElement) {
    if (element.localName === "details") element.open = true;
  }
};
const isFilter = (hash) => hash.includes("=");
const goTo = (anchor) => {
  const target = byId(anchor);
  if (!target) return;
  if (target.closest("[hidden]")) clear();
  open(target);
  const item = target.closest(".stack");
  (item || target).scrollIntoView({ block: "start" });
  ((item && item.querySelector("summary")) || target).focus({ preventScroll: true });
};
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link) return;
  event.preventDefault();
  goTo(link.getAttribute("href").slice(1));
});

const form = byId("filters");
const stacks = all(".stack");
const anchorOf = (stack) => stack.id || (stack.querySelector("[id^=stack-]") || stack).id;
const strip = document.querySelector(".strip");
if (strip) {
  const cells = [...strip.children];
  const stackOf = (event) => stacks[cells.indexOf(event.target)];
  strip.addEventListener("pointerover", (event) => {
    const stack = stackOf(event);
    if (stack && !event.target.title) event.target.title = stack.querySelector(".path").textContent;
  });
  strip.addEventListener("click", (event) => {
    const stack = stackOf(event);
    if (stack) goTo(anchorOf(stack));
  });
}
let apply = () => {};
let clear = () => {};
if (form) {
  const { q, state, severity, side, sort } = form.elements;
  const fields = { q, state, severity, side, sort };
  const outcome = byId("outcome");
  const lists = all(".cards, .rows, .names").filter((list) => list.closest("#stacks"));
  const entries = stacks.map((element, index) => ({ element, index, list: element.parentElement, name: element.querySelector(".path").textContent, since: Number(element.dataset.since || 0) }));
  const textOf = (entry) => (entry.text ??= entry.element.textContent.toLowerCase());
  const sections = all("#stacks > section");
  const orders = {
    name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
    newest: (a, b) => b.since - a.since || a.index - b.index,
    oldest: (a, b) => a.since - b.since || a.index - b.index,
  };
  const inOrder = (a, b) => a.index - b.index;
  let sorted = "";
  const number = (value) => value.toLocaleString("en-US");
  let openedQuietly = null;
  apply = () => {
    const words = q.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const has = (element, name, value) => value === "" || (element.dataset[name] || "").split(" ").includes(value);
    let shown = 0;
    for (const entry of entries) {
      const { element } = entry;
      const fits = has(element, "state", state.value) && has(element, "severity", severity.value) && has(element, "side", side.value) && words.every((word) => textOf(entry).includes(word));
      if (element.hidden === fits) element.hidden = !fits;
      if (fits) shown += 1;
    }
    if (sort.value !== sorted) {
      sorted = sort.value;
      const ordered = [...entries].sort(orders[sorted] || inOrder);
      for (const list of lists) list.append(...ordered.filter((entry) => entry.list === list).map(({ element }) => element));
    }
    const isFiltered = words.length > 0 || [state, severity, side].some(({ value }) => value !== "");
    for (const section of sections) {
      section.hidden = isFiltered && !section.querySelector(".stack:not([hidden])");
      const quiet = section.querySelector(":scope > details");
      if (quiet && isFiltered && words.length > 0 && !quiet.open) { quiet.open = true; openedQuietly = quiet; }
    }
    if (!isFiltered && openedQuietly) { openedQuietly.open = false; openedQuietly = null; }
    root.classList.toggle("filtered", isFiltered || sorted !== "");
    const text = isFiltered ? number(shown) + " of " + number(entries.length) + " stacks shown" : number(entries.length) + (entries.length === 1 ? " stack" : " stacks");
    if (outcome.textContent !== text) outcome.textContent = text;
  };
  const write = () => {
    const query = new URLSearchParams(Object.entries(fields).flatMap(([name, field]) => field.value === "" ? [] : [[name, field.value]]));
    const hash = query.size > 0 ? "#" + query : "#";
    try { history.replaceState(null, "", hash); } catch { location.replace(hash); }
  };
  const read = () => {
    const hash = location.hash.slice(1);
    const query = new URLSearchParams(isFilter(hash) ? hash : "");
    for (const [name, field] of Object.entries(fields)) {
      const value = query.get(name) || "";
      field.value = field === q || [...field.options].some((option) => option.value === value) ? value : "";
    }
    apply();
  };
  let waiting = 0;
  form.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { apply(); write(); });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  clear = () => {
    for (const field of Object.values(fields)) field.value = "";
    apply();
    write();
  };
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clear();
    q.focus();
  });
  addEventListener("hashchange", () => {
    if (location.hash === "" || isFilter(location.hash)) read();
    else goTo(location.hash.slice(1));
  });
  read();

  const every = byId("all");
  if (every) every.addEventListener("click", () => {
    const isOpen = every.getAttribute("aria-pressed") !== "true";
    every.setAttribute("aria-pressed", String(isOpen));
    every.textContent = isOpen ? "Close all" : "Open all";
    for (const details of all(".cards details")) details.open = isOpen;
  });
}
if (location.hash !== "" && !isFilter(location.hash)) goTo(location.hash.slice(1));

const copied = document.createElement("p");
copied.className = "quiet";
copied.setAttribute("role", "status");
document.body.append(copied);
for (const button of all(".copy")) {
  const command = button.previousElementSibling;
  button.addEventListener("click", async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(command.textContent);
      done = true;
    } catch {
      getSelection().selectAllChildren(command);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Selected";
    copied.textContent = done ? "The command was copied." : "The command is selected: copy it with the keyboard.";
    setTimeout(() => { button.textContent = "Copy"; copied.textContent = ""; }, 2000);
  });
}

let closed = [];
addEventListener("beforeprint", () => {
  closed = all("details:not([open])");
  for (const details of closed) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of closed) details.open = false;
});
});
})();
`;
