// Small helpers: elements, a group of choices, and work that follows the animation frames.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Choices of which one holds, as radio buttons: the keyboard's arrows and screen readers know them.
export function chips(container, options, chosen, choose) {
  container.replaceChildren(
    ...options.map(({ value, text, title = "", disabled = false }) => {
      const input = element("input", {
        type: "radio",
        name: container.id,
        value,
        checked: value === chosen,
        disabled,
      });
      input.addEventListener("change", () => choose(value));
      return element("label", { title }, input, element("span", { textContent: text }));
    }),
  );
}

// The function to call whenever something has changed: `work` runs in the next frame, never twice
// at once, and once more when there was a change meanwhile.
export function follow(work) {
  let [busy, wanted] = [false, false];
  async function turn() {
    if (busy || !wanted) return;
    [busy, wanted] = [true, false];
    try {
      await work();
    } finally {
      busy = false;
      if (wanted) requestAnimationFrame(turn);
    }
  }
  return () => {
    wanted = true;
    if (!busy) requestAnimationFrame(turn);
  };
}
