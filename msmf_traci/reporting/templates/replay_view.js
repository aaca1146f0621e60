// Which part of the city is seen, shared by both maps; moved by mouse, touch and keys.

const ZOOM_STEP = 1.5;
const CLICK_PX = 5;

class View {
  constructor(bounds, onChange) {
    this.bounds = bounds;
    this.onChange = onChange;
    this.width = 1;
    this.height = 1;
    this.isFitted = true;
    this.fit();
  }

  resize(width, height) {
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    if (this.isFitted) this.fit();
    this.onChange();
  }

  fit() {
    const { left, right, bottom, top } = this.bounds;
    this.x = (left + right) / 2;
    this.y = (bottom + top) / 2;
    this.scale = 0.96 * Math.min(this.width / Math.max(1, right - left), this.height / Math.max(1, top - bottom));
    this.smallest = this.scale / 2;
    this.isFitted = true;
    this.onChange();
  }

  screenX(x) {
    return (x - this.x) * this.scale + this.width / 2;
  }

  screenY(y) {
    return (this.y - y) * this.scale + this.height / 2;
  }

  centre(x, y) {
    this.x = x;
    this.y = y;
    this.isFitted = false;
    this.onChange();
  }

  pan(dx, dy) {
    this.centre(this.x - dx / this.scale, this.y + dy / this.scale);
  }

  // the place under (px, py) stays there
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    // at most ten pixels a metre (ten quanta)
    const scale = Math.min(Math.max(this.scale * factor, this.smallest), 1);
    const x = this.x + (px - this.width / 2) / this.scale;
    const y = this.y - (py - this.height / 2) / this.scale;
    this.scale = scale;
    this.centre(x - (px - this.width / 2) / scale, y + (py - this.height / 2) / scale);
  }
}

// One finger or the mouse pans, two fingers zoom, the wheel zooms, a click that does not move is a click.
function moveByPointer(canvas, view, { onClick, onPan }) {
  const pointers = new Map();
  let moved = 0;
  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (pointers.size === 0) moved = 0;
    pointers.set(event.pointerId, placeOf(event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = placeOf(event);
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    if (pointers.size === 1 && moved > CLICK_PX) {
      onPan();
      view.pan(now.x - before.x, now.y - before.y);
    } else if (pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      const apart = (place) => Math.hypot(place.x - other.x, place.y - other.y);
      view.zoom(apart(now) / Math.max(1, apart(before)), (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    pointers.set(event.pointerId, now);
  });
  const release = (event) => {
    const place = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (place && event.type === "pointerup" && pointers.size === 0 && moved <= CLICK_PX) onClick(place.x, place.y);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const { x, y } = placeOf(event);
      view.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), x, y);
    },
    { passive: false },
  );
}
