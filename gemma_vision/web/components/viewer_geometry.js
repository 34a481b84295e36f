// The viewer's geometry: where the picture lies on the canvas, and what lies under a point.
// A view is {scale, x, y}: canvas = picture * scale + (x, y), in CSS pixels.

const MAX_ZOOM = 16;

function fitView(picture, area) {
  const scale = Math.min(area.width / picture.width, area.height / picture.height);
  return {
    scale,
    x: (area.width - picture.width * scale) / 2,
    y: (area.height - picture.height * scale) / 2,
  };
}

function toPicture(view, point) {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}

// Zoom by a factor about a point that stays where it is; never smaller than the whole picture.
function zoomView(view, picture, area, point, factor) {
  const fit = fitView(picture, area);
  const scale = Math.min(Math.max(view.scale * factor, fit.scale), fit.scale * MAX_ZOOM);
  const held = toPicture(view, point);
  const moved = { scale, x: point.x - held.x * scale, y: point.y - held.y * scale };
  return keepInside(moved, picture, area);
}

// No empty margin where the picture is larger than the area; centred where it is smaller.
function keepInside(view, picture, area) {
  const along = (offset, size, room) =>
    size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, offset));
  return {
    scale: view.scale,
    x: along(view.x, picture.width * view.scale, area.width),
    y: along(view.y, picture.height * view.scale, area.height),
  };
}

function isFitted(view, picture, area) {
  return view.scale <= fitView(picture, area).scale * 1.001;
}

function boxArea(box) {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
}

function isInBox(box, point, slack) {
  return (
    point.x >= box[0] - slack && point.x <= box[2] + slack &&
    point.y >= box[1] - slack && point.y <= box[3] + slack
  );
}

// The index of the smallest shown thing under a point, or -1. A mask under the point beats the
// empty corner of a smaller box.
function smallestAt(context, things, point, slack) {
  const under = things.filter((thing) => thing.shown && isInBox(thing.box, point, slack));
  const hit = under.filter(
    (thing) => !thing.path || context.isPointInPath(thing.path, point.x, point.y, "evenodd"),
  );
  const best = (hit.length ? hit : under).sort((a, b) => boxArea(a.box) - boxArea(b.box))[0];
  return best ? best.index : -1;
}
