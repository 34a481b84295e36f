// Mending: two things that Gradio's fields do to those who use a keyboard or listen.
// Its radio buttons each bear a name of their own, so that arrow keys do not move between them and
// none is said to be "2 of 6". Its file field puts the upload button into another button and names
// that one by a key nobody translated; the outer one becomes a mere group.

const NESTED = ".icon-button:has(.upload-container):not([role=group])";

let numGroups = 0;

function joinRadios(group) {
  const name = (group.dataset.radios ||= `radios-${(numGroups += 1)}`); // two groups never share one
  const title = group.querySelector("[data-testid=block-info]");
  if (title) {
    title.id = `${name}-title`;
    group.setAttribute("aria-labelledby", title.id);
  }
  for (const radio of group.querySelectorAll("input[type=radio]"))
    if (radio.name !== name) radio.name = name;
}

function unnest(outer) {
  outer.setAttribute("role", "group");
  outer.tabIndex = -1;
  outer.title = word("add_files");
  outer.setAttribute("aria-label", outer.title);
  outer.querySelector(".upload-container").setAttribute("aria-label", outer.title);
}

function mend() {
  document.querySelectorAll("fieldset:has(input[type=radio])").forEach(joinRadios);
  document.querySelectorAll(NESTED).forEach(unnest);
}

// Before the next frame: a field that is shown anew has lost what was mended.
let waits = false;
new MutationObserver(() => {
  if (waits) return;
  waits = true;
  requestAnimationFrame(() => { waits = false; mend(); });
}).observe(document.body, { childList: true, subtree: true, attributeFilter: ["name"] });
