// What the game looks like: D's surface as colour, points of data and generator, a short history.

const COLD = [91, 141, 239];
const PALE = [244, 245, 248];
const WARM = [242, 166, 90];
export const SIDE = 44; // Points of the surface along an axis.

// The places at which D is asked, row by row from the top, as a flat array.
export function lattice(reach) {
  const at = (k) => reach * ((2 * k) / (SIDE - 1) - 1);
  const places = [];
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) places.push(at(column), -at(row));
  }
  return Float32Array.from(places);
}

// Logits as a small picture, cold below their mean and warm above: the generator follows
// differences, and a critic's logits have no zero.
export function surface(logits) {
  const middle = logits.reduce((a, b) => a + b, 0) / logits.length;
  const square = logits.reduce((sum, x) => sum + (x - middle) ** 2, 0) / logits.length;
  const spread = Math.max(Math.sqrt(square), 0.02);
  const picture = new ImageData(SIDE, SIDE);
  logits.forEach((x, i) => {
    const share = Math.tanh((x - middle) / spread / 1.5);
    const end = share < 0 ? COLD : WARM;
    for (let c = 0; c < 3; c++) {
      picture.data[4 * i + c] = PALE[c] + Math.abs(share) * (end[c] - PALE[c]);
    }
    picture.data[4 * i + 3] = 255;
  });
  return picture;
}

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.small = document.createElement("canvas");
    this.small.width = this.small.height = SIDE;
  }

  // Draws all: a surface of `surface`, points as flat arrays, and which modes are reached.
  draw({ toy, picture, data, made, counts }) {
    const { context, canvas } = this;
    const side = canvas.width;
    const place = (v) => (0.5 + v / toy.reach / 2) * side;
    context.imageSmoothingEnabled = true;
    if (picture) {
      this.small.getContext("2d").putImageData(picture, 0, 0);
      context.drawImage(this.small, 0, 0, side, side);
    } else {
      context.fillStyle = `rgb(${PALE})`;
      context.fillRect(0, 0, side, side);
    }
    toy.centres.forEach(([x, y], k) => {
      context.beginPath();
      context.arc(place(x), side - place(y), side / 34, 0, 7);
      context.lineWidth = counts[k] ? 3 : 1.5;
      context.strokeStyle = counts[k] ? "#147a49" : "#5b667588";
      context.stroke();
    });
    this.dots(data, place, 2.1, "#20242ccc");
    this.dots(made, place, 3.1, "#1f9d61d0", "#ffffff");
  }

  dots(points, place, radius, fill, rim = null) {
    const { context, canvas } = this;
    context.fillStyle = fill;
    context.lineWidth = 0.7;
    context.strokeStyle = rim;
    for (let i = 0; i < points.length; i += 2) {
      context.beginPath();
      context.arc(place(points[i]), canvas.height - place(points[i + 1]), radius, 0, 7);
      context.fill();
      if (rim) context.stroke();
    }
  }
}

// The share of modes and of good points over time, each entry {modes, good} in [0, 1].
export function timeline(canvas, entries) {
  const context = canvas.getContext("2d");
  const [width, height] = [canvas.width, canvas.height];
  context.clearRect(0, 0, width, height);
  const line = (key, colour) => {
    context.beginPath();
    entries.forEach((entry, i) => {
      const x = 4 + ((width - 8) * i) / Math.max(entries.length - 1, 60);
      context.lineTo(x, height - 6 - (height - 12) * entry[key]);
    });
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  };
  line("good", "#f2a65a");
  line("modes", "#1f9d61");
}
