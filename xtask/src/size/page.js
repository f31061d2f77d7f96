// Says what a box is, under the pointer or the keyboard's focus. Without this the titles and the table do.
const map = document.getElementById("map");
const info = document.getElementById("info");
const boxes = [...map.querySelectorAll("[title]")];
const show = (target) => {
  const box = target.closest("[title]");
  if (box) info.textContent = box.title;
  return box;
};
map.addEventListener("pointerover", (event) => show(event.target));
map.addEventListener("focusin", (event) => show(event.target));
map.addEventListener("click", (event) => show(event.target)?.focus());
map.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  let place = boxes.indexOf(document.activeElement) + step;
  while (boxes[place] && boxes[place].offsetParent === null) place += step;
  boxes[place]?.focus();
});
