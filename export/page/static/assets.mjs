// What the page brings along: each part is gzip, as text of 91 printable letters.
//
// Text, because a page that was opened from the disk may load scripts and nothing else. In one
// file all parts are there from the beginning; in a folder each comes when it is wanted.

const CODES = new Uint8Array(128);
let letters = 0;
for (let code = 33; code < 127; code++) {
  if (!'"<\\'.includes(String.fromCharCode(code))) CODES[code] = letters++;
}

// Bytes of text: 13 bits are two letters, the first the larger part. `size` cuts what was added.
export function decode(text, size) {
  const bytes = new Uint8Array(size);
  let [held, count, at] = [0, 0, 0];
  for (let i = 0; at < size; i += 2) {
    held = (held << 13) | (CODES[text.charCodeAt(i)] * 91 + CODES[text.charCodeAt(i + 1)]);
    for (count += 13; count >= 8 && at < size;) bytes[at++] = held >>> (count -= 8);
    held &= (1 << count) - 1;
  }
  return bytes;
}

// Bytes in their order, of those whose even ones stand before the odd ones.
export function together(apart) {
  const half = (apart.length + 1) >> 1;
  return apart.map((_, i) => apart[(i >> 1) + (i & 1 ? half : 0)]);
}

const held = (globalThis.ganZooAssets ??= {});
const scripts = new Map();

function script(name) {
  if (!scripts.has(name)) {
    const loaded = new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.onload = resolve;
      element.onerror = () => {
        scripts.delete(name); // So that it is asked for again.
        element.remove();
        reject(new Error(`The page's file assets/${name}.js is missing.`));
      };
      element.src = `assets/${name}.js`;
      document.head.append(element);
    });
    scripts.set(name, loaded);
  }
  return scripts.get(name);
}

// The bytes of a part, by its name.
export async function bytes(name) {
  if (!held[name]) await script(name);
  const { size, split, text } = held[name];
  const stream = new Blob([decode(text, size)]).stream();
  const raw = stream.pipeThrough(new DecompressionStream("gzip"));
  const whole = new Uint8Array(await new Response(raw).arrayBuffer());
  return split ? together(whole) : whole;
}

// An address within the page at which a part can be loaded.
export async function address(name, type) {
  return URL.createObjectURL(new Blob([await bytes(name)], { type }));
}
