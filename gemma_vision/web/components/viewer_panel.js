// What stands around the canvas: status, legend, table and the model's own words.
// Every text from outside goes through textContent.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// "{n} objects" with {n: 3} -> "3 objects"
function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function counted(say, key, n) {
  return fill(say(n === 1 ? `${key}_one` : key), { n });
}

function statusWords(value, say) {
  const { state, finish, tokens, limit, seconds, task, room } = value.status;
  const parts = [say(`state_${state}`)];
  if (state === "error") return parts[0];
  if (task === "detect" || task === "segment" || value.instances.length)
    parts.push(counted(say, "objects", value.instances.length));
  if (tokens) parts.push(state === "running" ? fill(say("tokens_of"), { n: tokens, limit }) : counted(say, "tokens", tokens));
  if (state === "running" && room !== null) parts.push(fill(say(`room_${task}`), { n: room }));
  if (seconds !== null) parts.push(`${seconds.toFixed(seconds < 10 ? 1 : 0)} s`);
  if (finish === "length" || finish === "repeat") parts.push(say(`finish_${finish}`));
  return parts.join(" · ");
}

function summary(value, say) {
  const names = new Map();
  for (const { label } of value.instances) names.set(label, (names.get(label) || 0) + 1);
  const list = [...names].map(([label, n]) => (n > 1 ? `${n} × ${label || "?"}` : label || "?"));
  return list.length ? fill(say("picture_with"), { list: list.join(", ") }) : say("picture");
}

function renderLegend(node, groups, hidden, toggle) {
  node.replaceChildren(
    ...groups.map(({ label, color, count }) =>
      make(
        "button",
        {
          type: "button", class: "chip", "aria-pressed": String(!hidden.has(label)),
          onclick: () => toggle(label),
        },
        make("span", { class: "swatch", style: `background:${color}` }),
        make("span", { text: label || "?" }),
        make("span", { class: "count", text: count }),
      ),
    ),
  );
}

function groupLabels(things) {
  const groups = new Map();
  for (const { label, color } of things) {
    const group = groups.get(label) || { label, color, count: 0 };
    group.count += 1;
    groups.set(label, group);
  }
  return [...groups.values()];
}

// Rows are kept while things arrive, so that a focused row stays focused.
function renderTable(body, things, on) {
  while (body.rows.length > things.length) body.lastElementChild.remove();
  things.forEach((thing, i) => {
    const row = body.rows[i] || body.appendChild(newRow(i, on));
    const [x0, y0, x1, y1] = thing.box.map(Math.round);
    const label = (thing.label || "?") + (thing.only ? ` (${on.onlyHere})` : "");
    const texts = [label, percent(thing.score), `${x0}, ${y0}, ${x1}, ${y1}`];
    row.querySelector(".swatch").style.background = thing.color;
    texts.forEach((text, c) => {
      if (row.cells[c + 1].textContent !== text) row.cells[c + 1].textContent = text;
    });
    row.classList.toggle("off", !thing.shown);
  });
}

function newRow(index, on) {
  const button = make("button", { type: "button", class: "number", "aria-pressed": "false" });
  button.append(make("span", { class: "swatch" }), String(index + 1));
  const row = make("tr", {
    onclick: () => on.select(index),
    onmouseenter: () => on.hover(index),
    onmouseleave: () => on.hover(-1),
  });
  row.append(make("td", {}, button), make("td"), make("td"), make("td"));
  return row;
}

function markRow(body, selected) {
  [...body.rows].forEach((row, i) => {
    row.classList.toggle("selected", i === selected);
    row.querySelector("button").setAttribute("aria-pressed", String(i === selected));
  });
}

// <loc0123> and <seg045> in their own colours, everything else as it is.
function renderTokens(node, text) {
  const parts = text.split(/(<loc\d{4,}>|<seg\d{3,}>)/).filter(Boolean);
  node.replaceChildren(
    ...parts.map((part) => {
      const kind = /^<(loc|seg)/.exec(part);
      return make("span", { class: kind ? kind[1] : "word", text: part });
    }),
  );
}

async function copyText(text, button, say) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = say("copied");
  } catch {
    button.textContent = say("copy_failed");
  }
  setTimeout(() => { button.textContent = say("copy"); }, 1500);
}
