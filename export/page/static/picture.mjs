// Samples on a canvas: a picture pixel by pixel, or a point among others.

// The grey levels 0 ... 255 that Python has: `round(255 x)` of float32, halves to the even one.
export function level(x) {
  const y = Math.fround(255 * Math.fround(x));
  const whole = Math.floor(y);
  if (y - whole !== 0.5) return Math.round(y);
  return whole % 2 ? whole + 1 : whole;
}

const isPicture = (model) => model.pictures;

// The side in pixels of a tile of a model's samples.
export function tileSize(model) {
  return isPicture(model) ? model.shape.slice(0, 2) : [56, 56];
}

function image(model, sample) {
  const [height, width, channels] = model.shape;
  const data = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      data.data[4 * i + c] = level(sample[i * channels + (channels === 1 ? 0 : c)]);
    }
    data.data[4 * i + 3] = channels === 4 ? level(sample[i * channels + 3]) : 255;
  }
  return data;
}

function scatter(context, model, sample, x, y, side) {
  const place = (v) => (0.5 + (v / model.reach) * 0.5) * side;
  context.fillStyle = "#10141c";
  context.fillRect(x, y, side, side);
  context.strokeStyle = "#2a3342";
  context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
  const dot = (px, py, radius, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x + place(px), y + side - place(py), radius, 0, 7);
    context.fill();
  };
  const cloud = model.cloud ?? [];
  for (let i = 0; i < cloud.length; i += 2) dot(cloud[i], cloud[i + 1], side / 80, "#5f7fb4");
  if (sample) dot(sample[0], sample[1], side > 99 ? side / 36 : side / 14, "#ffb454");
}

// Paints tiles in rows of `columns`. Every sample is one pixel a pixel: CSS makes them larger.
export function paint(canvas, model, samples, count, columns) {
  const [height, width] =
    canvas.dataset.large && !isPicture(model) ? [448, 448] : tileSize(model);
  const rows = Math.ceil(count / columns);
  if (canvas.width !== columns * width) canvas.width = columns * width;
  if (canvas.height !== rows * height) canvas.height = rows * height;
  canvas.classList.toggle("pixels", isPicture(model));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const size = model.shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height];
    const sample = samples.subarray(i * size, (i + 1) * size);
    if (isPicture(model)) context.putImageData(image(model, sample), x, y);
    else scatter(context, model, sample, x, y, width);
  }
}
