// When each object was seen: a lane for each, with bars that lead to that moment of the video.

const panel = element.querySelector(".gv-lanes");
const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const word = (key, values = {}) =>
  (props.words[tongue][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
const video = () => document.querySelector("#video-result video");

function make(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

function bar(object, [from, to], seconds) {
  const made = make("button");
  const told = { name: `${object.id} ${object.label}`, from: from.toFixed(1), to: to.toFixed(1) };
  made.type = "button";
  made.title = word("lane", told);
  made.setAttribute("aria-label", made.title);
  made.style.left = `${(from / seconds) * 100}%`;
  made.style.width = `${((to - from) / seconds) * 100}%`;
  made.addEventListener("click", () => {
    const player = video();
    if (player) player.currentTime = from + 0.001;
  });
  return made;
}

function lane(object, seconds) {
  const row = make("li");
  const track = make("div", "track");
  const name = make("span", "name", `${object.id} ${object.label}`);
  row.style.setProperty("--lane", object.color);
  name.title = name.textContent;
  track.append(...object.spans.map((span) => bar(object, span, seconds)), make("i"));
  row.append(name, track);
  return row;
}

function show() {
  const value = props.value;
  const objects = value?.objects ?? [];
  panel.hidden = objects.length === 0;
  panel.querySelector("ol").replaceChildren(...objects.map((object) => lane(object, value.seconds || 1)));
  panel.querySelector("ol").setAttribute("aria-label", word("lanes"));
  panel.querySelector(".more").textContent = value?.more ? word("lanes_more", { n: value.more }) : "";
}

function follow(event) {
  if (event.target !== video() || !props.value?.seconds) return;
  panel.dataset.playing = "";
  panel.style.setProperty("--now", `${Math.min(100, (event.target.currentTime / props.value.seconds) * 100)}%`);
}

for (const name of ["timeupdate", "seeked"]) document.addEventListener(name, follow, true); // these do not bubble
watch("value", () => {
  if (!video()) delete panel.dataset.playing;
  show();
});
show();
